"""Spectra: Lyapunov exponents against their number, against time or along one parameter."""

import numpy as np
from cmcrameri import cm

from lyapkit.plot.axes import check_choice, grid_dims, new_or_given, variable_of
from lyapkit.plot.colours import NEGATIVE, POSITIVE, UNDECIDED
from lyapkit.plot.labels import (
    SMALL,
    angle_ticks,
    axis_label,
    fixed_parameters,
    parameter_text,
    set_title,
    value_text,
)

# sign flag -> (meaning, marker, colour, face); shapes differ too, for print without colours
_SIGNS = {
    1: ("positive", "^", POSITIVE, POSITIVE),
    0: ("zero", "o", "black", "white"),
    -1: ("negative", "v", NEGATIVE, NEGATIVE),
    2: ("undecided", "X", UNDECIDED, UNDECIDED),
}
_NAMED = 6  # modes, at most, whose lines are named one by one
_TAIL = 0.02  # share of the values that may lie below the picture (superstable orbits reach -inf)


def spectrum(ds, *, ax=None, history=None):
    """spectrum(ds, *, ax=None, history=None)

    Lyapunov exponents with their standard errors.

    Returns the Axes. For one system: the exponents against their number, the marker telling the verdict on
    the sign; or, from ``history=True``, the running estimates against time, the final values marked at
    their end. For a scan over one parameter: a line for each exponent, with a band of one standard error.

    ds       Dataset of lyapkit.lyapunov_spectrum, or of a scan of it over one parameter
    ax       Axes to draw on, default a new figure's
    history  True or False: draw the running estimates or not; default: where `ds` has them

    >>> import lyapkit as lk
    >>> ds = lk.lyapunov_spectrum(lk.systems.henon(), duration=2000, history=True)
    >>> ax = lk.plot.spectrum(ds)
    >>> ax.get_xlabel()
    'time since the end of the transient (iterates)'
    """
    data = variable_of(ds, "lyapunov_exponent")
    check_choice("history", history, (True, False, None))
    dims = grid_dims(data)
    if len(dims) > 1:
        raise ValueError(
            f"ds: a scan over {len(dims)} parameters ({', '.join(dims)}), accepted: one spectrum or a scan "
            "over one parameter; lyapkit.plot.plane draws two"
        )
    _check_history(ds, dims, history)
    ax = new_or_given(ax, 5.6, 3.8)
    ax.axhline(0.0, color="0.6", lw=0.8, zorder=0)
    if dims:
        _against_parameter(ax, ds, data, dims[0])
    elif "running_exponent" in ds and history is not False:
        _against_time(ax, ds)
    else:
        _against_mode(ax, ds)
    ax.set_ylabel(axis_label(data))
    set_title(ax, ds.attrs.get("equation", ""), _notes(ds, dims))
    return ax


def _check_history(ds, dims, history):
    if history and dims:
        raise ValueError("history: given True, but ds is a scan; accepted: False or None")
    if history and "running_exponent" not in ds:
        raise ValueError(
            "history: given True, but ds has no running_exponent; accepted: False, or a Dataset of "
            "lyapkit.lyapunov_spectrum(..., history=True)"
        )


def _notes(ds, dims):
    """Fixed parameters, and the Kaplan-Yorke dimension of a single spectrum."""
    notes = [parameter_text(fixed_parameters(ds))]
    dimension = ds.get("kaplan_yorke_dimension")
    if not dims and dimension is not None and np.isfinite(dimension):
        notes.append(f"Kaplan-Yorke dimension {float(dimension):.3f}")
    return ",   ".join(note for note in notes if note)


def _mode_colours(count):
    """A colour for each mode, dark enough for thin lines."""
    return cm.batlow(np.linspace(0.75, 0.05, count)) if count > 1 else ["black"]


def _against_mode(ax, ds):
    _points(ax, ds, ds.mode.values, legend=True)
    ax.set_xlabel(axis_label(ds.mode))
    ax.margins(x=0.05)
    ax.xaxis.get_major_locator().set_params(integer=True)


def _points(ax, ds, at, legend):
    """The final values at the abscissae `at`, one marker a sign; those at -inf are counted in words."""
    values, errors = ds.lyapunov_exponent.values, ds.lyapunov_exponent_stderr.values
    for flag, (meaning, marker, colour, face) in _SIGNS.items():
        chosen = (ds.lyapunov_sign.values == flag) & np.isfinite(values)
        if chosen.any():
            ax.errorbar(
                at[chosen], values[chosen], errors[chosen], fmt=marker, color=colour, mfc=face, ms=5.5,
                mew=1.0, elinewidth=1.0, capsize=2.5, label=meaning, clip_on=False, zorder=3,
            )  # fmt: skip
    if legend and ax.get_legend_handles_labels()[1]:
        ax.legend(fontsize=SMALL, frameon=False, title="sign", title_fontsize=SMALL)
    absent = int((values == -np.inf).sum())
    if absent:
        ax.annotate(rf"{absent} at $-\infty$", (0.98, 0.03), xycoords="axes fraction", ha="right", fontsize=SMALL)


def _against_time(ax, ds):
    end = float(ds.time[-1])
    for mode, colour in zip(ds.mode.values, _mode_colours(ds.sizes["mode"]), strict=True):
        one = ds.sel(mode=mode)
        ax.plot(ds.time, one.running_exponent, color=colour, lw=1.2, label=value_text(one))
    if ds.sizes["mode"] <= _NAMED:
        ax.legend(fontsize=SMALL, frameon=False)
    _points(ax, ds, np.full(ds.sizes["mode"], end), legend=False)
    ax.set_xscale("log")
    ax.set_xlim(float(ds.time[0]), end)
    ax.set_xlabel(axis_label(ds.time))


def _against_parameter(ax, ds, data, dim):
    ordered = ds.sortby(dim)
    x = ordered[dim].values
    count = ds.sizes["mode"]
    for mode, colour in zip(ds.mode.values, _mode_colours(count), strict=True):
        one = ordered.sel(mode=mode)
        value = np.where(np.isfinite(one[data.name]), one[data.name], np.nan)
        error = one.lyapunov_exponent_stderr.values
        ax.fill_between(x, value - error, value + error, color=colour, alpha=0.3, lw=0)
        ax.plot(x, value, color=colour, lw=1.0, label=rf"$\lambda_{{{mode}}}$")
    if 1 < count <= _NAMED:
        ax.legend(fontsize=SMALL, frameon=False, ncols=2)
    _limits(ax, data.values[np.isfinite(data.values)])
    ax.set(xlabel=axis_label(ordered[dim]), xlim=(x[0], x[-1]) if x[-1] > x[0] else None)
    if ordered[dim].attrs.get("units") == "rad":
        angle_ticks(ax.xaxis, x[0], x[-1])


def _limits(ax, values):
    """Leave out the deepest few values where they would flatten all others."""
    if not values.size:
        return
    low, high = np.quantile(values, _TAIL), values.max()
    span = max(high - low, 1e-12)
    if values.min() < low - span:
        ax.set_ylim(low - 0.1 * span, max(high, 0.0) + 0.08 * span)
