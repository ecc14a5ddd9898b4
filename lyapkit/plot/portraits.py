"""Phase portraits: what the orbits of a system do in state space."""

import numpy as np

from lyapkit.analyses.verb import positive, whole
from lyapkit.plot.axes import check_choice, new_or_given
from lyapkit.plot.labels import parameter_text, set_title
from lyapkit.plot.portrait_layers import (
    draw_cobweb,
    draw_curves,
    draw_dots,
    draw_field,
    draw_nullclines,
    frame,
)
from lyapkit.plot.vector_field import default_box, orbits, spread
from lyapkit.systems.system import as_system

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
    box           ((low, high), ...), one pair for each unit, where orbits start and the picture ends;
                  default: found from where orbits go
    units         the two units drawn, horizontal and vertical
    trajectories  number of orbits; default 8, 24 for maps, 1 for projections of flows and cobwebs
    field         "stream" (lines), "quiver" (arrows), None; default "stream" for flows of two units, which
                  alone can show it
    nullclines    True or False; default True for flows of two units, which alone can show them
    duration      of each orbit: time units (maps: iterates); default 50, 100 for projections, 1000 for
                  maps, 80 for cobwebs
    seed          of the initial states

    >>> import lyapkit as lk
    >>> ax = lk.plot.phase_portrait(lk.systems.van_der_pol(), trajectories=3)
    >>> ax.get_xlabel()
    'state $x_{0}$'
    """
    system = as_system(system)
    field, nullclines = _checked_fields(system, field, nullclines)
    units = _checked_units(system, units)
    planar = system.dimension <= 2
    usual = _COBWEB if system.dimension == 1 else _DEFAULTS[system.kind, planar]
    count = usual[0] if trajectories is None else whole("trajectories", trajectories, 1, 10_000)
    duration = usual[1] if duration is None else positive("duration", duration)
    seed, given = whole("seed", seed, 0, 2**63 - 1), box is not None
    box = _checked_box(system, box) if given else default_box(system, max(duration, 50), seed, usual[3])
    path = orbits(system, spread(box, count, seed), duration, usual[2])
    ax = new_or_given(ax, 4.8, 4.6)
    if system.dimension == 1:
        draw_cobweb(ax, system, path[..., 0], box[0])
    else:
        if field:
            draw_field(ax, system, box, field)
        if nullclines:
            draw_nullclines(ax, system, box)
        if system.kind == "flow":
            draw_curves(ax, path[..., units], planar)
        else:
            draw_dots(ax, path[..., units])
        frame(ax, units, box[units] if planar or given else None)
    set_title(ax, system.equation, parameter_text(system.given_parameters))
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
