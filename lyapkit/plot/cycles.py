"""Cycles: the orbit in colours of its phase, its course in time, and its phase gradient."""

import numpy as np
from cmcrameri import cm
from matplotlib.collections import LineCollection

from lyapkit.flags import STATUS
from lyapkit.plot.axes import new_or_given, variable_of
from lyapkit.plot.labels import SMALL, axis_label, fixed_parameters, parameter_text, set_title

_NAMED = 6  # units, at most, whose lines are drawn and named
_FINE = 8  # points of a line between samples


def cycle(ds, *, units=(0, 1), ax=None):
    """cycle(ds, *, units=(0, 1), ax=None)

    A limit cycle: its orbit in colours of the phase, its course in time, and its phase gradient.

    Returns the Axes of the orbit; those of the course and of the gradient follow it in ``ax.figure.axes``. Phase 0 is
    marked, an arrow tells the direction. Of a map: the iterates, numbered, and their sequence.

    ds     Dataset of lyapkit.limit_cycle for one system
    units  the two units over which the orbit is drawn (of a single unit: each iterate over the one before)
    ax     Axes to draw the orbit on, alone; default a new figure with all panels

    >>> import lyapkit as lk
    >>> ax = lk.plot.cycle(lk.limit_cycle(lk.systems.rotation_flow()))
    >>> ax.get_xlabel(), len(ax.figure.axes)
    ('unit 0', 4)
    """
    data = _checked(ds, units)
    if ax is not None:
        _orbit(ax, ds, data, units)
        return ax
    panels = 3 if "adjoint" in ds else 2
    first = new_or_given(None, 4.4 * panels, 4.2)
    figure = first.figure
    first.remove()
    axes = figure.subplots(1, panels)
    bar = _orbit(axes[0], ds, data, units)
    figure.colorbar(bar, ax=axes[0], label=axis_label(ds.phase), pad=0.02, aspect=28).outline.set_linewidth(0.6)
    _course(axes[1], ds, "state", "state")
    if "adjoint" in ds:
        _course(axes[2], ds, "adjoint", axis_label(ds.adjoint))
    return axes[0]


def _checked(ds, units):
    """The orbit (phase, unit) of one cycle that was found."""
    data = variable_of(ds, "state")
    variable_of(ds, "period")
    if data.dims != ("phase", "unit"):
        raise ValueError(
            f"ds: state has dims ({', '.join(map(str, data.dims))}), accepted: (phase, unit), as of "
            "lyapkit.limit_cycle for one system"
        )
    if not np.isfinite(ds.period):
        names = {code: name for name, code in STATUS.items()}
        raise ValueError(f"ds: holds no cycle (status {names[int(ds.status)]}), accepted: one that was found")
    count = ds.sizes["unit"]
    known = range(max(count, 2))
    pair = isinstance(units, tuple | list) and len(units) == 2 and units[0] != units[1]
    if not pair or not all(type(unit) is int and unit in known for unit in units):
        raise ValueError(f"units: given {units!r}, accepted: two of 0 to {count - 1}")
    return data.values[np.isfinite(data.values).all(axis=1)]


def _orbit(ax, ds, orbit, units):
    """Draw the orbit over two units; what the colour bar is made for."""
    single = orbit.shape[1] == 1
    plane = np.stack([orbit[:, 0], np.roll(orbit[:, 0], -1)], axis=1) if single else orbit[:, list(units)]
    is_map = ds.attrs["kind"] == "map"
    drawn = (_iterates if is_map else _line)(ax, plane, ds, units)
    ax.margins(0.08)
    ax.autoscale_view()
    if single:
        ax.set(xlabel="iterate", ylabel="next iterate")
    else:
        ax.set(xlabel=f"unit {units[0]}", ylabel=f"unit {units[1]}")
    period = f"period {float(ds.period):.6g} {ds.period.units}"
    set_title(ax, ds.attrs.get("equation", ""), parameter_text(fixed_parameters(ds)), period)
    return drawn


def _line(ax, plane, ds, units):
    pieces = _smooth(plane, ds.velocity.values[:, list(units)] * (float(ds.period) / len(plane)))
    line = LineCollection(pieces, cmap=cm.romaO, array=ds.phase.values, lw=2.4, capstyle="round")
    line.set_clim(0.0, 1.0)
    ax.add_collection(line)
    ax.plot(*plane[0], "o", mfc="white", mec="black", ms=6, zorder=3)
    quarter = len(plane) // 8
    arrow = {"arrowstyle": "-|>", "color": "black", "lw": 1.2, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", plane[(quarter + 1) % len(plane)], plane[quarter], arrowprops=arrow)
    return line


def _smooth(points, slopes):
    """Hermite's cubics from each point to the next (pieces, _FINE, 2): fast parts have few samples."""
    s = np.linspace(0.0, 1.0, _FINE)[:, None]
    after, slopes_after = np.roll(points, -1, axis=0)[:, None], np.roll(slopes, -1, axis=0)[:, None]
    start = (1 + 2 * s) * (1 - s) ** 2 * points[:, None] + s * (1 - s) ** 2 * slopes[:, None]
    return start + s**2 * (3 - 2 * s) * after - s**2 * (1 - s) * slopes_after


def _iterates(ax, plane, ds, units):
    count = len(plane)
    ax.plot(*np.concatenate([plane, plane[:1]]).T, color="0.8", lw=0.7, zorder=1)
    points = ax.scatter(*plane.T, c=np.arange(count), cmap=cm.romaO, s=40, edgecolors="black", lw=0.6, zorder=3)
    points.set_clim(0, count)
    for number, point in enumerate(plane):
        ax.annotate(str(number), point, (4, 4), textcoords="offset points", fontsize=SMALL)
    return points


def _course(ax, ds, name, label):
    """A variable of the cycle over one period."""
    values = ds[name].values
    values = values[np.isfinite(values).all(axis=1)]
    is_map = ds.attrs["kind"] == "map"
    times = np.arange(len(values) + 1) * (1.0 if is_map else float(ds.period) / len(values))
    ax.axhline(0.0, color="0.6", lw=0.8, zorder=0)
    count = min(values.shape[1], _NAMED)
    for unit, colour in enumerate(cm.batlow(np.linspace(0.75, 0.05, count)) if count > 1 else ["black"]):
        column = np.append(values[:, unit], values[0, unit])
        style = {"marker": "o", "ms": 4, "lw": 0.7} if is_map else {"lw": 1.4}
        ax.plot(times, column, color=colour, label=f"unit {unit}", **style)
    title = f"units 0 to {_NAMED - 1} of {values.shape[1]}" if values.shape[1] > _NAMED else None
    ax.legend(
        fontsize=SMALL, frameon=False, ncols=3, title=title, title_fontsize=SMALL, loc="lower center",
        bbox_to_anchor=(0.5, 1.0), borderaxespad=0.2,
    )  # fmt: skip
    ax.set(xlabel="iterate" if is_map else "time (time units)", ylabel=label, xlim=(0.0, times[-1]))
