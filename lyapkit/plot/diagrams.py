"""Bifurcation diagrams: samples of attractors against a parameter, with the exponents in a panel below."""

import numpy as np
from cmcrameri import cm

from lyapkit.plot.axes import new_or_given, variable_of
from lyapkit.plot.colours import NEGATIVE, POSITIVE
from lyapkit.plot.labels import SMALL, angle_ticks, axis_label, fixed_parameters, parameter_text, set_title, symbol

# direction flag -> (word, colour, marker's size): where the sweeps agree, the second one lies within the first
_WAYS = {0: ("up", POSITIVE, 4.0), 1: ("down", NEGATIVE, 2.2)}
_ONE = "0.1"  # colour where there is one direction, or the two agree
_SAME = 0.02  # of the picture's height: directions whose ranges differ by less are drawn as one
_BELOW = 0.42  # height of the panel below, relative to that of the samples
_SHOWN = 0.98  # share of the exponents that the panel shows: superstable orbits reach -inf
_NAMED = 6  # lines, at most, that are named one by one


def bifurcation_diagram(ds, unit=0, *, ax=None, exponents=2):
    """bifurcation_diagram(ds, unit=0, *, ax=None, exponents=2)

    What orbits settle on against the parameter that was swept, and the Lyapunov exponents below.

    Returns the Axes of the samples. Where the sweeps up and down differ, red points are those of the sweep up and blue
    ones those of the sweep down; where they agree, points are black. In the panel below, exponents are lines, those
    of the sweep down dashed.

    ds         Dataset of lyapkit.bifurcation_diagram
    unit       the unit that is drawn
    ax         Axes to draw on, which then give room to the panel below; default a new figure's
    exponents  how many, of those that `ds` has, in the panel below; 0: no panel

    >>> import lyapkit as lk, numpy as np
    >>> ds = lk.bifurcation_diagram(lk.systems.logistic, "r", np.linspace(2.8, 4, 30), n_samples=20)
    >>> ax = lk.plot.bifurcation_diagram(ds)
    >>> ax.get_ylabel()
    'state of unit 0'
    """
    data = _of_unit(ds, unit)
    parameter, count = ds.attrs["swept"], _count(ds, exponents)
    ax, bottom = _axes(ax, count)
    drawn = _samples(ax, data, ds[parameter].values)
    ax.set(ylabel=f"state of unit {unit}")
    if count:
        _exponents(bottom, ds, parameter, count)
        ax.tick_params(labelbottom=False)
    x = ds[parameter].values
    if len(x) > 1:
        ax.set_xlim(x.min(), x.max())
    bottom.set_xlabel(axis_label(ds[parameter]))
    if ds[parameter].attrs.get("units") == "rad":
        angle_ticks(bottom.xaxis, x.min(), x.max())
    notes = [parameter_text(fixed_parameters(ds)), "" if ds.attrs["sampled"] == "iterates" else ds.attrs["sampled"]]
    if drawn:
        ax.legend(handles=drawn, fontsize=SMALL, frameon=False, markerscale=4, loc="best")
    set_title(ax, ds.attrs.get("equation", ""), ",   ".join(note for note in notes if note))
    return ax


def _of_unit(ds, unit):
    """The samples (direction, parameter, sample) of one unit."""
    data = variable_of(ds, "state")
    if data.dims != ("direction", ds.attrs.get("swept"), "sample", "unit"):
        raise ValueError(
            f"ds: state has dims ({', '.join(map(str, data.dims))}), accepted: a Dataset of "
            "lyapkit.bifurcation_diagram for one system"
        )
    if isinstance(unit, bool) or unit not in data.unit.values:
        raise ValueError(f"unit: given {unit!r}, accepted: a whole number from 0 to {int(data.unit[-1])}")
    return data.sel(unit=unit)


def _samples(ax, data, x):
    """Draw the samples; returns the legend's entries."""
    ways = [_WAYS[int(flag)] for flag in data.direction.values]
    apart = _apart(data.values)
    drawn = []
    for (word, colour, size), samples in zip(ways, data.values, strict=True):
        for chosen, shade, named in ((~apart, _ONE, False), (apart, colour, True)):
            if chosen.any():
                across = np.repeat(x[chosen], samples.shape[1])
                line = ax.plot(
                    across, samples[chosen].ravel(), ls="none", marker=".", ms=size if named else 1.2, mec="none",
                    color=shade, label=f"sweep {word}", rasterized=True,
                )[0]  # fmt: skip
                drawn += [line] if named else []
    return drawn


def _apart(values):
    """Where the two directions differ, (values,): in the range that they cover, or one of them is lost."""
    if len(values) < 2:
        return np.zeros(values.shape[1], dtype=bool)
    low, high = np.fmin.reduce(values, axis=2), np.fmax.reduce(values, axis=2)
    finite = values[np.isfinite(values)]
    height = np.ptp(finite) if finite.size else 1.0
    with np.errstate(invalid="ignore"):
        differ = np.maximum(abs(low[0] - low[1]), abs(high[0] - high[1])) > _SAME * height
    return differ | (np.isnan(low[0]) != np.isnan(low[1]))


def _count(ds, exponents):
    if isinstance(exponents, bool) or not isinstance(exponents, int) or exponents < 0:
        raise ValueError(f"exponents: given {exponents!r}, accepted: a whole number of at least 0")
    return min(exponents, ds.sizes.get("mode", 0))


def _axes(ax, count):
    """The Axes of the samples and those below, which are the same where no exponents are drawn."""
    if not count:
        ax = new_or_given(ax, 6.4, 4.0)
        return ax, ax
    if ax is None:
        import matplotlib.pyplot as plt  # chooses a backend, so only where a figure is wanted

        figure = plt.figure(figsize=(6.4, 5.4), layout="constrained")
        return figure.subplots(2, 1, sharex=True, height_ratios=(1.0, _BELOW))
    from mpl_toolkits.axes_grid1 import make_axes_locatable

    return ax, make_axes_locatable(ax).append_axes("bottom", size=f"{100 * _BELOW:g}%", pad=0.1, sharex=ax)


def _exponents(ax, ds, parameter, count):
    ordered = ds.sortby(parameter).isel(mode=slice(count))
    x = ordered[parameter].values
    colours = cm.batlow(np.linspace(0.75, 0.05, count)) if count > 1 else ["black"]
    ax.axhline(0.0, color="0.6", lw=0.8, zorder=0)
    values = ordered.lyapunov_exponent.transpose("direction", parameter, "mode").values
    for dashes, one in zip(("solid", (0, (4, 2))), values, strict=False):
        for mode, colour in enumerate(colours):
            shown = np.where(np.isfinite(one[:, mode]), one[:, mode], np.nan)
            label = rf"$\lambda_{{{mode + 1}}}$" if dashes == "solid" and 1 < count <= _NAMED else None
            ax.plot(x, shown, color=colour, lw=0.9, ls=dashes, label=label)
    finite = values[np.isfinite(values)]
    if finite.size:
        low, high = np.quantile(finite, 1.0 - _SHOWN), finite.max()
        span = max(high - low, 1e-12)
        ax.set_ylim(low - 0.1 * span, max(high, 0.0) + 0.1 * span)
    if 1 < count <= _NAMED:
        ax.legend(fontsize=SMALL, frameon=False, ncols=2)
    ax.set_ylabel(axis_label(ds.lyapunov_exponent, symbol("lambda")))
