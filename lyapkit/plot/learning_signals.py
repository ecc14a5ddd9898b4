"""Learning signals: how sensitivity and gradients go over delays, and how long numbers hold them."""

import numpy as np
from cmcrameri import cm
from matplotlib.ticker import FuncFormatter

from lyapkit.analyses.gradient_horizon import RANGES
from lyapkit.plot.axes import check_choice, grid_dims, new_or_given, variable_of
from lyapkit.plot.labels import SMALL, axis_label, fixed_parameters, parameter_text, set_title

_LN10 = np.log(10.0)
_MODES = 6  # singular values, at most, that are drawn by default
# limits that are drawn: bfloat16 reaches as far as float32
_LIMITS = ("float16", "float32", "float64")


def learning_signal(ds, *, modes=None, scale="log", ax=None):
    """learning_signal(ds, *, modes=None, scale="log", ax=None)

    Singular values of dx(t0 + d)/dx(t0) and the gradient's norm over the delay d, as powers of ten.

    Returns the Axes. Dashed: what the Lyapunov exponents alone make of the delay; the distance from them is
    non-normal growth. Thin lines: the ends of the ranges of float16, float32 (and bfloat16) and float64.

    ds     Dataset of lyapkit.learning_signal for one system
    modes  how many singular values are drawn, default up to 6
    scale  "log": logarithmic delays, and powers of ten on a scale that is linear between -1 and 1 and
           logarithmic beyond; "linear": both linear, so that exponents are slopes
    ax     Axes to draw on, default a new figure's

    >>> import lyapkit as lk
    >>> ax = lk.plot.learning_signal(lk.learning_signal(lk.systems.rotation_flow(), delays=[1.0, 10.0, 100.0]))
    >>> ax.get_xlabel()
    'delay since t0, the end of the transient (time units)'
    """
    data = variable_of(ds, "adjoint_log_norm")
    if grid_dims(data):
        raise ValueError(f"ds: a scan over {', '.join(grid_dims(data))}, accepted: the signal of one system")
    check_choice("scale", scale, ("log", "linear"))
    most = ds.sizes.get("mode", 0)
    count = min(most, _MODES) if modes is None else modes
    if modes is not None and (isinstance(count, bool) or count not in range(1, most + 1)):
        raise ValueError(f"modes: given {modes!r}, accepted: a whole number from 1 to {most}")
    ax = new_or_given(ax, 5.8, 4.2)
    ax.axhline(0.0, color="0.6", lw=0.8, zorder=0)
    _modes(ax, ds, count)
    ax.plot(ds.delay, data / _LN10, "k.", ms=4, label=r"gradient $|dL/dx(t_0)|$", zorder=4)
    if scale == "log":
        ax.set_xscale("log")
        ax.set_yscale("symlog", linthresh=1.0, linscale=0.6)
    ax.margins(x=0.02)
    _limits(ax)
    ax.yaxis.set_major_formatter(FuncFormatter(_power_of_ten))
    ax.set(xlabel=axis_label(ds.delay), ylabel="singular value of $dx(t_0 + d)/dx(t_0)$" if count else "norm")
    ax.legend(fontsize=SMALL, frameon=False, loc="best")
    set_title(ax, ds.attrs.get("equation", ""), parameter_text(fixed_parameters(ds)))
    return ax


def _modes(ax, ds, count):
    """A line for each singular value, dashed what its exponent makes of the delay."""
    delays = ds.delay.values
    for mode, colour in zip(range(count), cm.batlow(np.linspace(0.05, 0.8, max(count, 2))), strict=False):
        values = ds.log_singular_value.values[:, mode] / _LN10
        exponent = float(ds.lyapunov_exponent[mode])
        shown = np.isfinite(values)
        ax.plot(delays[shown], values[shown], color=colour, lw=1.5, label=rf"$\sigma_{{{mode + 1}}}$")
        if np.isfinite(exponent):
            fine = np.geomspace(delays[0], delays[-1], 200)
            text = "by the exponents alone" if mode == count - 1 else None
            ax.plot(fine, exponent * fine / _LN10, "--", color=colour, lw=0.9, label=text)


def _power_of_ten(value, position=None):
    return "1" if value == 0 else f"$10^{{{value:g}}}$"


def _limits(ax):
    """Thin lines at the ends of the ranges that are in sight."""
    low, high = ax.get_ylim()
    for name in _LIMITS:
        for limit in np.log10(RANGES[name]):
            if low < limit < high:
                ax.axhline(limit, color="0.45", lw=0.7, ls=":", zorder=0)
                ax.annotate(
                    name, (1.0, limit), (-2, 1), xycoords=ax.get_yaxis_transform(), textcoords="offset points",
                    fontsize=SMALL - 1, color="0.35", ha="right", va="bottom",
                )  # fmt: skip
    ax.set_ylim(low, high)


def adjoint(ds, *, ax=None):
    """adjoint(ds, *, ax=None)

    The phase gradient Z of a cycle over the phase, its units and its norm: what survives of a gradient, for ever.

    Returns the Axes. A gradient g at x(T) that is swept back over a long time becomes (g . f(x(T))) Z(x(0)): the curve
    says at which phase an input, or a change of the state, is remembered most.

    ds  Dataset of lyapkit.limit_cycle of a flow
    ax  Axes to draw on, default a new figure's

    >>> import lyapkit as lk
    >>> ax = lk.plot.adjoint(lk.limit_cycle(lk.systems.rotation_flow()))
    >>> ax.get_ylabel()
    'phase gradient Z (time units per state unit)'
    """
    data = variable_of(ds, "adjoint")
    if data.dims != ("phase", "unit") or not np.isfinite(data).all():
        raise ValueError("ds: accepted: lyapkit.limit_cycle of one flow that has a cycle")
    ax = new_or_given(ax, 5.4, 3.8)
    ax.axhline(0.0, color="0.6", lw=0.8, zorder=0)
    phases = np.append(ds.phase.values, 1.0)
    values = np.concatenate([data.values, data.values[:1]])
    count = min(values.shape[1], _MODES)
    for unit, colour in enumerate(cm.batlow(np.linspace(0.1, 0.75, max(count, 2)))[:count]):
        ax.plot(phases, values[:, unit], color=colour, lw=1.4, label=f"unit {unit}")
    ax.plot(phases, np.linalg.norm(values, axis=1), "k--", lw=1.2, label=r"$|Z|$")
    ax.set(xlabel=axis_label(ds.phase), ylabel=axis_label(data), xlim=(0.0, 1.0))
    ax.legend(fontsize=SMALL, frameon=False, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0), borderaxespad=0.2)
    set_title(ax, ds.attrs.get("equation", ""), parameter_text(fixed_parameters(ds)), above=1.8 * SMALL)
    return ax


def horizon(ds, *, ax=None):
    """horizon(ds, *, ax=None)

    The table of gradient horizons: a row for each kind of floating-point number.

    Returns the Axes.

    ds  Dataset of lyapkit.gradient_horizon for one system
    ax  Axes to draw on, default a new figure's

    >>> import lyapkit as lk
    >>> ax = lk.plot.horizon(lk.gradient_horizon(lk.systems.henon(), delays=[1, 10, 100, 1000]))
    >>> ax.tables[0][1, 0].get_text().get_text()
    'float16'
    """
    data = variable_of(ds, "horizon")
    if data.dims != ("dtype",):
        raise ValueError(f"ds: horizon has dims ({', '.join(map(str, data.dims))}), accepted: (dtype), of one system")
    ax = new_or_given(ax, 7.0, 2.3)
    ax.set_axis_off()
    words = dict(zip(ds.gradient_end.flag_values, ds.gradient_end.flag_meanings.split(), strict=True))
    rows = [
        [
            str(one.dtype.values), _number(one.horizon), _number(one.asymptotic_horizon),
            words[int(one.gradient_end)], f"{int(one.directions_inside[-1])} of {ds.sizes['mode']}",
        ]
        for one in (ds.isel(dtype=i) for i in range(ds.sizes["dtype"]))
    ]  # fmt: skip
    units = data.attrs["units"]
    head = [
        "number", f"horizon\n({units})", f"by the exponent\nalone ({units})", "the gradient",
        f"directions inside\nat delay {float(ds.delay[-1]):.6g}",
    ]  # fmt: skip
    table = ax.table(rows, colLabels=head, cellLoc="center", edges="horizontal", bbox=(0.0, 0.0, 1.0, 1.0))
    table.auto_set_font_size(False)
    table.set_fontsize(SMALL + 1)
    for (row, _), cell in table.get_celld().items():
        cell.set_linewidth(0.9 if row == 0 else 0.3)
        cell.set_height(1.8 if row == 0 else 1.0)
    set_title(ax, ds.attrs.get("equation", ""), parameter_text(fixed_parameters(ds)))
    return ax


def _number(value):
    value = float(value)
    return {np.inf: "never"}.get(value, "undecided" if np.isnan(value) else f"{value:.4g}")
