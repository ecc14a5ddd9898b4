"""Phase portraits: what the orbits of a system do in state space."""

import numpy as np
from cmcrameri import cm

from lyapkit.analyses.verb import positive, whole
from lyapkit.plot.axes import check_choice, new_or_given
from lyapkit.plot.labels import SMALL, parameter_text, set_title
from lyapkit.plot.vector_field import default_box, orbits, rule_values, spread
from lyapkit.systems.system import as_system

_GRID = 201  # points along each side of the grid of nullclines
_ARROWS = 21  # arrows along each side
_NULLCLINES = ("#b1491f", "#1c5f93")
# (kind, is the state a plane or line?) -> default number of orbits, their duration, transient, margin
_DEFAULTS = {
    ("flow", True): (8, 50.0, 0.0, 0.2),
    ("flow", False): (1, 100.0, 100.0, 0.06),
    ("map", True): (24, 1000, 1000, 0.05),
    ("map", False): (24, 1000, 1000, 0.05),
}
_COBWEB = (1, 80, 0, 0.05)


def phase_portrait(
    system, *, ax=None, box=None, units=(0, 1), trajectories=None, field="auto", nullclines=None,
    duration=None, seed=0,
):  # fmt: skip
    """phase_portrait(system, *, ax=None, box=None, units=(0, 1), trajectories=None, field="auto", ...)

    Orbits of a system in the plane of two of its units.

    Returns the Axes. Flows of two units: orbits from states spread over the box (a dot where each ends),
    the vector field and the nullclines. Flows of more units: orbits after a transient, projected. Maps:
    the points of each orbit after a transient in a colour of its own; of one unit: a cobweb.

    system        System or its constructor
    ax            Axes to draw on, default a new figure's
    box           ((low, high), ...), one pair for each unit, where orbits start and the picture ends; default:
                  found from where orbits go. Systems of more than two units are shown as far as they go
    units         the two units drawn, horizontal and vertical
    trajectories  number of orbits; default 8, 24 for maps, 1 for projections of flows and cobwebs
    field         "stream" (lines), "quiver" (arrows), None; default "stream" for flows of two units, which alone
                  can show it
    nullclines    True or False; default True for flows of two units, which alone can show them
    duration      of each orbit: time units (maps: iterates); default 50, 100 for projections, 1000 for
                  maps, 80 for cobwebs
    seed          of the initial states

    >>> import lyapkit as lk
    >>> ax = lk.plot.phase_portrait(lk.systems.van_der_pol(), trajectories=3)
    >>> ax.get_xlabel()
    'state $x_0$'
    """
    system = as_system(system)
    field, nullclines = _checked_fields(system, field, nullclines)
    units = _checked_units(system, units)
    planar = system.dimension <= 2
    usual = _COBWEB if system.dimension == 1 else _DEFAULTS[system.kind, planar]
    count = usual[0] if trajectories is None else whole("trajectories", trajectories, 1, 10_000)
    duration = usual[1] if duration is None else positive("duration", duration)
    given = box is not None
    box = _checked_box(system, box) if given else default_box(system, max(duration, 50), seed, usual[3])
    path = orbits(system, spread(box, count, seed), duration, usual[2])
    ax = new_or_given(ax, 4.8, 4.6)
    if system.dimension == 1:
        _cobweb(ax, system, path[..., 0], box[0])
    else:
        if field:
            _field(ax, system, box, field)
        if nullclines:
            _nullclines(ax, system, box)
        (_curves if system.kind == "flow" else _dots)(ax, path[..., units], planar)
        _frame(ax, units, box[units] if planar or given else None)
    set_title(ax, system.equation, parameter_text(system.parameters))
    return ax


def _checked_fields(system, field, nullclines):
    """The two keywords with their defaults filled in; only flows of two units have either."""
    check_choice("field", field, ("auto", "stream", "quiver", None))
    check_choice("nullclines", nullclines, (True, False, None))
    plane = system.kind == "flow" and system.dimension == 2
    described = f"{system.name} is a {system.kind} of {system.dimension} units"
    if system.kind == "flow" and system.dimension < 2:
        raise ValueError(f"system: {described}, accepted: a map, or a flow of at least 2 units")
    if not plane and field in ("stream", "quiver"):
        raise ValueError(f"field: given {field!r}, but {described}; accepted: None")
    if not plane and nullclines:
        raise ValueError(f"nullclines: given True, but {described}; accepted: False")
    automatic = "stream" if plane else None
    return automatic if field == "auto" else field, plane if nullclines is None else nullclines


def _checked_units(system, units):
    if system.dimension == 1:
        if tuple(units) != (0, 1):
            raise ValueError(f"units: given {units!r}, but {system.name} has one unit; accepted: none")
        return [0]
    last = system.dimension - 1
    chosen = list(units)
    if len(chosen) != 2 or chosen[0] == chosen[1] or not all(u in range(last + 1) for u in chosen):
        raise ValueError(f"units: given {units!r}, accepted: two different whole numbers from 0 to {last}")
    if system.dimension == 2 and chosen != [0, 1]:
        raise ValueError(f"units: given {units!r}, but {system.name} has two units; accepted: (0, 1)")
    return chosen


def _checked_box(system, box):
    """The box as an array (unit, 2)."""
    n = system.dimension
    try:
        array = np.array(box, dtype=float)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.shape == (2,) and n == 1:
        array = array[None]
    if array.shape != (n, 2) or not np.isfinite(array).all() or not (array[:, 0] < array[:, 1]).all():
        raise ValueError(f"box: given {box!r}, accepted: {n} pairs (low, high) of finite numbers, low < high")
    return array


def _grid(system, box, points):
    """Axes x, y (points,) and the velocity (2, points, points) over a box, rows along y."""
    x, y = (np.linspace(low, high, points) for low, high in box)
    mesh = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return x, y, rule_values(system, mesh).T.reshape(2, points, points)


def _field(ax, system, box, field):
    if field == "stream":
        x, y, speed = _grid(system, box, 4 * _ARROWS)
        ax.streamplot(x, y, *speed, color="0.78", linewidth=0.6, arrowsize=0.7, density=1.1, zorder=1)
        return
    x, y, speed = _grid(system, box, _ARROWS)
    length = np.hypot(*speed)
    # Directions alone: true lengths would hide the slow part, where the fixed points are.
    ax.quiver(x, y, *(speed / np.where(length > 0, length, 1.0)), color="0.7", pivot="mid", width=0.003)


def _nullclines(ax, system, box):
    x, y, speed = _grid(system, box, _GRID)
    handles = []
    for unit, (values, colour) in enumerate(zip(speed, _NULLCLINES, strict=True)):
        if values.min() < 0 < values.max():
            ax.contour(x, y, values, levels=[0], colors=colour, linewidths=1.3, linestyles="dashed", zorder=2)
            label = rf"$\dot{{x}}_{unit} = 0$"
            handles += ax.plot([], [], color=colour, ls="dashed", lw=1.3, label=label)
    if handles:
        ax.legend(
            handles=handles, fontsize=SMALL, loc="upper right", framealpha=0.9, edgecolor="none"
        )


def _colours(path):
    """A colour for each orbit (time, point, 2), in the order of its distance from the middle."""
    first = path[0] - np.nanmean(path[0], axis=0)
    rank = np.argsort(np.argsort(np.hypot(*first.T)))
    return cm.batlow(0.05 + 0.8 * rank / max(len(rank) - 1, 1))


def _curves(ax, path, planar):
    for orbit, colour in zip(path.swapaxes(0, 1), _colours(path), strict=True):
        ax.plot(*orbit.T, color=colour, lw=1.1 if planar else 0.5, zorder=3)
        if planar:
            ax.plot(*orbit[-1], "o", color=colour, ms=4.5, mec="white", mew=0.7, zorder=4)


def _dots(ax, path, planar):
    for orbit, colour in zip(path.swapaxes(0, 1), _colours(path), strict=True):
        ax.plot(*orbit.T, ".", color=colour, ms=1.6, mew=0, rasterized=True)


def _frame(ax, units, limits):
    ax.set(xlabel=f"state $x_{{{units[0]}}}$", ylabel=f"state $x_{{{units[1]}}}$")
    if limits is not None:
        ax.set(xlim=limits[0], ylim=limits[1])
    ax.locator_params(nbins=6)


def _cobweb(ax, system, path, limits):
    """The graph of a map of one unit, the diagonal, and the steps of its orbits (time, point)."""
    x = np.linspace(*limits, 801)
    ax.plot(x, rule_values(system, x[:, None])[:, 0], color="black", lw=1.4, label="map")
    ax.plot(limits, limits, color="0.6", lw=0.8, label="diagonal")
    for orbit, colour in zip(path.T, cm.batlow(np.linspace(0.1, 0.8, path.shape[1])), strict=True):
        steps = np.repeat(orbit, 2)
        ax.plot(steps[:-1], steps[1:], color=colour, lw=0.6, zorder=1)
    ax.legend(fontsize=SMALL, loc="best", framealpha=0.9, edgecolor="none")
    ax.set(xlabel="state $x_n$", ylabel="next state $x_{n+1}$", xlim=limits, ylim=limits)
