"""The atlas of a plane as one figure: six panels that share their axes, curves and legend."""

import dataclasses

import numpy as np
from matplotlib.colors import BoundaryNorm, ListedColormap, Normalize

from lyapkit.plot.axes import grid_dims, variable_of
from lyapkit.plot.colours import FAILED, Scale, scale
from lyapkit.plot.labels import SMALL, angle_ticks, axis_label, fixed_parameters, mathtext, parameter_text
from lyapkit.plot.plane_curves import draw_curves
from lyapkit.plot.planes import mark

# variable, mode, title; in the order of the panels
_PANELS = (
    ("lyapunov_exponent", 1, r"exponent $\lambda_1$"),
    ("lyapunov_exponent", 2, r"exponent $\lambda_2$"),
    ("n_zeros", None, "number of zero exponents"),
    ("period", None, "period of the cycle"),
    ("largest_multiplier", None, r"$\ln\,|\mu|$ of the cycle"),
    ("regime", None, "regime"),
)
_NO_CYCLE = "#e9e9e9"  # where there is no cycle to measure, which is no failure
_OF_CYCLES = ("period", "largest_multiplier")
_DEEPEST = 0.04  # quantile of the logarithms of multipliers at which their colours end
_SIZE = (11.4, 7.0)  # inches: landscape, a page wide


def atlas(ds):
    """atlas(ds)

    The Dataset of lyapkit.atlas as one figure: exponents, zeros, period, multiplier and regime, with the curves.

    Returns the Axes (2, 3), of one figure. Light grey: no cycle; dark grey: no finite value. Curves, and points of
    codimension two by their short names, as of `plane`, with one legend for all panels.

    >>> import lyapkit as lk, numpy as np
    >>> grid = {"alpha": np.linspace(1.5, 4, 4), "theta": np.linspace(0.1, 1.0, 4)}
    >>> axes = lk.plot.atlas(lk.atlas(lk.systems.rotation_flow, grid))
    >>> axes.shape, axes[1, 2].get_title()
    ((2, 3), 'regime')
    """
    import matplotlib.pyplot as plt

    dims = grid_dims(variable_of(ds, "regime"))
    for name, *_ in _PANELS:
        variable_of(ds, name)
    if len(dims) != 2 or min(ds.regime.shape) < 2:
        raise ValueError(f"ds: the grid is {ds.regime.shape}, accepted: at least 2 points along each of two parameters")
    if "theta" in dims:
        dims.sort(key="theta".__eq__)
    horizontal, vertical = dims
    figure, axes = plt.subplots(2, 3, figsize=_SIZE, sharex=True, sharey=True, layout="constrained")
    lines = {}
    for ax, (name, mode, title) in zip(axes.flat, _PANELS, strict=True):
        data = ds[name] if mode is None else ds[name].sel(mode=min(mode, int(ds.mode.max())))
        _panel(ax, data.transpose(vertical, horizontal).sortby(dims), title, name in _OF_CYCLES)
        for line in draw_curves(ax, ds, horizontal, vertical):
            lines.setdefault(line.get_label(), line)
    _labels(axes, ds, horizontal, vertical)
    text = parameter_text(fixed_parameters(ds))
    figure.suptitle(mathtext(ds.attrs.get("equation", "")) + (f"   ({text})" if text else ""), fontsize=12)
    if lines:
        figure.legend(
            handles=list(lines.values()), loc="outside lower center", ncols=len(lines), frameon=False,
            fontsize=SMALL + 1, handlelength=3.0,
        )  # fmt: skip
    return axes


def _panel(ax, data, title, of_cycles):
    """One variable (vertical, horizontal) as an image with its colour bar."""
    colours = scale(data)
    vertical, horizontal = data.dims
    if data.name == "n_zeros":
        colours = _counts(colours, int(data.max()))
    if data.name == "largest_multiplier" and data.notnull().any():
        low = float(np.nanquantile(data, _DEEPEST))  # towards a fold on the cycle it falls without bound
        colours = dataclasses.replace(colours, norm=Normalize(low, float(data.max())), extend="min")
    cmap = colours.cmap.with_extremes(bad=_NO_CYCLE if of_cycles else FAILED)
    image = ax.pcolormesh(
        data[horizontal], data[vertical], np.ma.masked_invalid(data.values), cmap=cmap, norm=colours.norm,
        shading="nearest", rasterized=True,
    )  # fmt: skip
    bar = ax.figure.colorbar(image, ax=ax, extend=colours.extend, pad=0.02, aspect=30)
    bar.outline.set_linewidth(0.6)
    bar.ax.tick_params(labelsize=SMALL)
    mark(bar, colours, data.values)
    units = data.attrs.get("units", "1")
    ax.set_title(title if units == "1" else f"{title} ({units})", fontsize=10)


def _counts(colours, most):
    """One colour for each number from 0 to `most`."""
    picked = colours.cmap(np.linspace(0.15, 0.95, most + 1))
    norm = BoundaryNorm(np.arange(most + 2) - 0.5, most + 1)
    return Scale(ListedColormap(picked), norm, meanings=tuple(map(str, range(most + 1))))


def _labels(axes, ds, horizontal, vertical):
    for ax in axes[-1]:
        ax.set_xlabel(axis_label(ds[horizontal]))
    for ax in axes[:, 0]:
        ax.set_ylabel(axis_label(ds[vertical]))
    for axis, dim in ((axes[0, 0].xaxis, horizontal), (axes[0, 0].yaxis, vertical)):
        if ds[dim].attrs.get("units") == "rad":
            angle_ticks(axis, *np.sort(ds[dim].values)[[0, -1]])
