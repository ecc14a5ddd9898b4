"""Planes: a two-dimensional scan as an image."""

import numpy as np
from matplotlib.patches import Patch

from lyapkit.flags import STATUS
from lyapkit.plot.axes import at_mode, grid_dims, new_or_given, variable_of
from lyapkit.plot.colours import FAILED, scale
from lyapkit.plot.labels import (
    SMALL,
    angle_ticks,
    axis_label,
    fixed_parameters,
    parameter_text,
    set_title,
)
from lyapkit.plot.plane_curves import draw_curves

_FINDINGS = ("fixed_point", "aperiodic")  # statuses of points where there is nothing to measure
_ROW = 16.0  # points; the height of one row of the legend above the axes


def plane(ds, variable="lyapunov_exponent", mode=1, *, ax=None, curves=True, cmap=None, limit=None):
    """plane(ds, variable="lyapunov_exponent", mode=1, *, ax=None, curves=True, cmap=None, limit=None)

    A variable of a two-dimensional scan as an image over its two parameters.

    Returns the Axes. Signed variables have diverging colours with zero in the middle, and a line around
    the region where they are zero within the scan's margin; flags have one colour for each meaning.
    Points without a finite value are grey and counted in the legend.

    variable  any variable of `ds` whose dims are two parameters, or those and `mode`
    mode      which exponent, 1 = the largest
    ax        Axes to draw on, default a new figure's
    curves    draw the bifurcation curves that the Dataset holds, as that of hopf_map does, with their points of
              codimension two; else those that the system knows in closed form over (alpha, theta)
    cmap      a colour map or its name
    limit     value, in the variable's units, at which the colours end; default where 99 % of the points lie

    >>> import lyapkit as lk, numpy as np
    >>> grid = {"alpha": np.linspace(0.5, 4, 5), "theta": np.linspace(0, np.pi / 2, 4)}
    >>> ds = lk.scan(lk.lyapunov_spectrum, lk.systems.rotation_map, grid, duration=500)
    >>> ax = lk.plot.plane(ds, mode=2)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('$\\\\alpha$', '$\\\\theta$ (rad)')
    """
    data = _grid_of_two(ds, variable, mode)
    colours = scale(data, cmap, limit)
    ax = new_or_given(ax)
    _image(ax, data, colours, mode)
    drawn = _zero_line(ax, data, ds.attrs.get("margin", 1e-3)) if colours.diverging else []
    drawn += draw_curves(ax, ds, *data.dims[::-1]) if curves else []
    drawn += _failed(data, ds)
    if drawn:
        _legend(ax, drawn)
    _label(ax, data, ds, _ROW if drawn else 0.0)
    return ax


def _grid_of_two(ds, variable, mode):
    """The values as (vertical, horizontal), both ascending: alpha horizontal, else the first dim."""
    data = at_mode(variable_of(ds, variable), mode)
    dims = grid_dims(data)
    if len(dims) != 2 or len(data.dims) != 2:
        raise ValueError(
            f"ds: {variable} has dims ({', '.join(map(str, data.dims))}), accepted: two scanned parameters "
            "(and mode), as from lyapkit.scan over a grid of two"
        )
    if min(data.shape) < 2:
        raise ValueError(f"ds: the grid is {data.shape}, accepted: at least 2 points along each parameter")
    if "theta" in dims:
        dims.sort(key="theta".__eq__)
    return data.transpose(dims[1], dims[0]).sortby(dims)


def _image(ax, data, colours, mode):
    vertical, horizontal = data.dims
    image = ax.pcolormesh(
        data[horizontal], data[vertical], np.ma.masked_invalid(data.values), cmap=colours.cmap,
        norm=colours.norm, shading="nearest", rasterized=True,
    )  # fmt: skip
    bar = ax.figure.colorbar(image, ax=ax, extend=colours.extend, pad=0.03, aspect=28)
    bar.outline.set_linewidth(0.6)
    number = rf" $\lambda_{{{mode}}}$" if "mode" in data.coords else ""
    bar.set_label(axis_label(data, data.attrs.get("long_name", data.name) + number))
    mark(bar, colours, data.values)


def mark(bar, colours, values):
    """Ticks of a colour bar: the meanings of flags, or of a symmetric scale what the values use."""
    if colours.meanings:
        edges = bar.norm.boundaries
        bar.set_ticks(0.5 * (edges[1:] + edges[:-1]), labels=colours.meanings)
        bar.minorticks_off()
    elif colours.diverging:
        _trim(bar, values)


def _trim(bar, values):
    """Show of the symmetric scale only what the values use."""
    low, high = bar.norm.vmin, bar.norm.vmax
    finite = values[np.isfinite(values)]
    room = 0.02 * (high - low)
    if finite.size and finite.max() < high - room:
        high = max(finite.max(), 0.0) + room
    if finite.size and finite.min() > low + room:
        low = min(finite.min(), 0.0) - room
    bar.ax.set_ylim(low, high)


def _zero_line(ax, data, margin):
    """A line around where |value| < margin, so that the noise of a plateau of zeros draws nothing."""
    finite = np.ma.masked_invalid(data.values)
    levels = [v for v in (-margin, margin) if finite.count() and finite.min() < v < finite.max()]
    if not levels:
        return []
    vertical, horizontal = data.dims
    ax.contour(
        data[horizontal], data[vertical], finite, levels=levels, colors="0.35", linewidths=0.6,
        linestyles="solid",
    )  # fmt: skip
    return [ax.plot([], [], color="0.35", lw=0.8, label=f"zero within {margin:g}")[0]]


def _failed(data, ds):
    """The legend's entries of points that have no finite value; a finding, such as a fixed point, is named."""
    missing = ~np.isfinite(data.values)
    entries, rest = [], int(missing.sum())
    for name in _FINDINGS if "status" in ds else ():
        count = int((missing & (ds.status.transpose(*data.dims).sortby(list(data.dims)).values == STATUS[name])).sum())
        if count:
            entries.append(Patch(facecolor=FAILED, label=f"{name.replace('_', ' ')} ({count})"))
        rest -= count
    return entries + ([Patch(facecolor=FAILED, label=f"failed points ({rest})")] if rest else [])


def _legend(ax, handles):
    ax.legend(
        handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(handles), frameon=False,
        fontsize=SMALL, borderaxespad=0.2, handlelength=2.2, columnspacing=1.4,
    )  # fmt: skip


def _label(ax, data, ds, above):
    vertical, horizontal = data.dims
    ax.set(xlabel=axis_label(data[horizontal]), ylabel=axis_label(data[vertical]))
    for axis, dim in ((ax.xaxis, horizontal), (ax.yaxis, vertical)):
        if data[dim].attrs.get("units") == "rad":
            angle_ticks(axis, *data[dim].values[[0, -1]])
    set_title(ax, ds.attrs.get("equation", ""), parameter_text(fixed_parameters(ds)), above=above)
