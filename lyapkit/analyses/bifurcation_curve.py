"""Curves of bifurcations of equilibria, and of periodic points of maps, in two parameters."""

import copy
import dataclasses

import numpy as np
import xarray as xr

from lyapkit.analyses.bifurcations import curve_starts, pseudo_arclength
from lyapkit.analyses.bifurcations.codimension_two import classified, ends_here
from lyapkit.analyses.bifurcations.curve_problems import KINDS, problem_of
from lyapkit.analyses.bifurcations.jets import Jets
from lyapkit.analyses.verb import interval, positive, whole
from lyapkit.flags import CODIMENSION_TWO, CRITICALITY, END, STATUS
from lyapkit.nearest import nearest
from lyapkit.progress import Monitor
from lyapkit.results import dataset
from lyapkit.systems.directional import movable
from lyapkit.systems.system import as_system, unknown_parameter

_STEP, _LONGEST = 0.005, 0.02  # in the widths of the bounds
_ON = 1e-6  # distance, in the same, from a curve that is known, of a start that lies on it
_BESIDE = 0.05  # distance, in the length of the piece of a curve, at which a start lies on it
_VANISHES = 1e-9  # a test this small, relative to its values at the neighbours, vanishes
_SAME = 1e-7  # distance at which two special points are one


@dataclasses.dataclass(frozen=True)
class _Curve:
    """One curve: its equations, points in order, and why it ends on either side."""

    problem: object
    points: list
    ends: tuple


def bifurcation_curve(
    system, kind, parameters=None, start=None, bounds=None, *, period=1, max_step=None, most_points=2000,
    most_curves=16, progress=None,
):  # fmt: skip
    """bifurcation_curve(system, kind, parameters=("alpha", "theta"), start=None, bounds=None, *, period=1, ...)

    Curves of bifurcations of equilibria (maps: of periodic points) in two parameters.

    Returns a Dataset with, at each point of the curves in their order,

    <parameter>(point)       both parameters, under their names
    state(point, unit)       the equilibrium
    frequency(point)         Hopf: omega, in rad per time unit; Neimark-Sacker: the angle of the multiplier, in rad per
                             `period` iterates; else NaN
    normal_form_coefficient(point)  for an eigenvector of norm 1: Hopf Re c1, Neimark-Sacker Re(exp(-i angle) d), period
                             doubling b, fold a; convert_coefficient gives other conventions
    criticality(point)       supercritical (what branches off is stable where all other directions are), subcritical,
                             undecided where the coefficient vanishes; none for folds
    codimension_two(point)   name of a point of codimension two, else none
    degenerate(point)        whether a coefficient vanishes that decides: on the curve that of the normal form (as of
                             symmetric systems, whose "folds" are branch points); at a point of codimension two one
                             that its own unfolding needs (not examined where that takes fourth and fifth
                             derivatives: Bautin, Chenciner, generalised period doubling)
    curve_number(point)      1, 2, ... for separate curves; of those that differ in the state alone one is given
    end_reason(curve, end)   why a curve ends at its first and at its last point; status

    kind         flows: "hopf", "fold"; maps: "fold", "neimark_sacker", "period_doubling"
    parameters   names of two parameters that are numbers; default: those of the system's own plane, or its first two
    start        where to begin: a state (unit,) at the system's parameters; a mapping of both parameters and "state";
                 or a point of an earlier result, such as ds.isel(special=0) of `continuation`. An equilibrium away
                 from the border is followed to it. Default: all curves within the bounds, from fixed points on a grid
    bounds       parameter -> (low, high), default the system's own ranges. Curves end exactly on them, and fold curves
                 also where two directions become neutral at once, Hopf curves where the pair stops turning
    period       iterates after which a point of a map recurs, default 1
    max_step     longest step, in the widths of the bounds, default 0.02
    most_points  points of a curve in each direction, default 2000; most_curves: default 16
    progress     True, False, or None: a bar on a terminal

    Pseudo-arclength continuation of f = 0 with one equation more: a bordered determinant for a real eigenvalue, trace
    or determinant of the block of a pair. All derivatives are exact (traced). Points of codimension two are zeros of
    test functions, located to rounding: cusp, Bogdanov-Takens, Bautin, zero-Hopf, double Hopf; of maps cusp,
    resonances 1:1 to 1:4, Chenciner, generalised period doubling, and crossings with other multipliers. A Hopf curve
    ends at a double zero (reason "double_zero"), beyond which the pair is real. Sources: Kuznetsov, Elements of Applied
    Bifurcation Theory (4th ed. 2023), ch. 5, 8 to 10; Govaerts, Numerical Methods for Bifurcations of Dynamical
    Equilibria (SIAM 2000).

    >>> import lyapkit as lk, numpy as np
    >>> bounds = {"alpha": (0.5, 4), "theta": (0.1, 1.4)}
    >>> ds = lk.bifurcation_curve(lk.systems.rotation_flow, "hopf", bounds=bounds)
    >>> bool(abs(ds.alpha * np.cos(ds.theta) - 1).max() < 1e-12)
    True
    >>> bool(abs(ds.frequency - np.tan(ds.theta)).max() < 1e-11)
    True
    """
    system = as_system(system)
    _check_kind(system, kind)
    names = _checked_parameters(system, parameters)
    limits = _checked_bounds(system, names, bounds)
    period = whole("period", period, 1, 10_000)
    if period > 1 and (system.kind == "flow" or start is None):
        accepted = "1 for flows" if system.kind == "flow" else "1 where there is no start"
        raise ValueError(f"period: given {period}, accepted: {accepted}")
    longest = _LONGEST if max_step is None else positive("max_step", max_step)
    most = whole("most_points", most_points, 2, 10**7), whole("most_curves", most_curves, 1, 10**4)
    jets = Jets(system, names, period)
    with Monitor(2 * most[0], "bifurcation_curve", progress) as monitor:
        if start is None:
            starts = curve_starts.everywhere(jets, system, kind, limits, monitor)
        else:
            starts = [curve_starts.near(jets, kind, limits, *_checked_start(system, names, limits, start), monitor)]
        curves = []
        for u in starts:
            if len(curves) < most[1] and not any(_lies_on(u, curve) for curve in curves):
                curves.append(_both_ways(problem_of(kind, jets, limits, u[:-2], u[-2:]), u, longest, most[0], monitor))
    attrs = {"parameters": " ".join(names), "bifurcation": kind, "period": period, "max_step": longest}
    return _described(system, names, kind, curves, attrs)


def _check_kind(system, kind):
    accepted = KINDS[system.kind]
    if kind not in accepted:
        other = KINDS["map" if system.kind == "flow" else "flow"]
        hint = f" (it applies to {'maps' if system.kind == 'flow' else 'flows'})" if kind in other else ""
        raise ValueError(
            f"kind: given {kind!r}{hint}, but {system.name} is a {system.kind}; accepted: {', '.join(accepted)}"
        )


def _checked_parameters(system, parameters):
    known = list(movable(system))
    if parameters is None:
        own = [name for name in system.model.ranges if name in known]
        parameters = tuple(own if len(own) == 2 else known[:2])
        if len(parameters) < 2:
            raise ValueError(
                f"system: {system.name} has {len(known)} parameters that are numbers, accepted: two or more"
            )
    well = isinstance(parameters, tuple | list) and len(parameters) == 2
    if not well or not all(isinstance(name, str) for name in parameters) or parameters[0] == parameters[1]:
        raise ValueError(f"parameters: given {parameters!r}, accepted: two different names")
    for name in parameters:
        if name not in system.parameters:
            raise ValueError(unknown_parameter(system.model, name))
        if name not in known:
            raise ValueError(f"parameters: {name} is no number that may vary, accepted: {', '.join(known)}")
    return tuple(parameters)


def _checked_bounds(system, names, bounds):
    bounds = {} if bounds is None else bounds
    for name in bounds:
        if name not in names:
            raise ValueError(f"bounds: given {name!r}{nearest(name, names)}, accepted: {' and '.join(names)}")
    limits = []
    for name in names:
        given = bounds.get(name, system.model.ranges.get(name, (None,))[:2])
        if given == (None,):
            raise ValueError(f"bounds: none given for {name}, accepted: a mapping with {name}: (low, high)")
        limits.append(interval(f"bounds of {name}", given))
    return limits


def _checked_start(system, names, limits, start):
    """The state (n,) and both parameters (2,) of a start."""
    own = system.parameters
    if isinstance(start, xr.Dataset):
        start = _of_result(start, names)
    if hasattr(start, "keys"):
        for name in start:
            if name not in (*names, "state"):
                raise ValueError(f"start: given {name!r}, accepted: {', '.join(names)} and state")
        state = start.get("state", system.initial_state)
        p = [start.get(name, own[name]) for name in names]
    else:
        state, p = start, [own[name] for name in names]
    try:
        state, p = np.atleast_1d(np.array(state, dtype=float)), np.array(p, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"start: given {start!r}, accepted: numbers") from None
    if state.shape != (system.dimension,):
        raise ValueError(f"start: given a state of shape {state.shape}, accepted: ({system.dimension},)")
    if not (np.isfinite(state).all() and np.isfinite(p).all()):
        raise ValueError(f"start: given {start!r}, accepted: finite numbers")
    for name, value, (low, high) in zip(names, p, limits, strict=True):
        if not low <= value <= high:
            raise ValueError(f"start: {name} is {value:g}, accepted: within its bounds, {low:g} to {high:g}")
    return state, p


def _of_result(ds, names):
    """State and parameters of one point of an earlier result."""
    found = {}
    for prefix in ("special_", ""):
        if f"{prefix}state" in ds and ds[f"{prefix}state"].dims == ("unit",):
            found = {name: float(ds[f"{prefix}{name}"]) for name in names if f"{prefix}{name}" in ds}
            fixed = {name: ds.attrs[f"parameter_{name}"] for name in names if f"parameter_{name}" in ds.attrs}
            return {**fixed, **found, "state": ds[f"{prefix}state"].values}
    raise ValueError("start: given a Dataset of many points, accepted: one of them, such as ds.isel(special=0)")


def _both_ways(problem, u, longest, most_points, monitor):
    """The curve through u, in both directions."""
    u = pseudo_arclength.snapped(problem, u)
    problem.arrived(u)
    tangent = pseudo_arclength.first_tangent(problem, u)

    def run(sense):
        own = copy.copy(problem)  # which changes on its way
        first = min(_STEP, longest)
        return pseudo_arclength.follow(
            own, u, sense * tangent, step=first, most_points=most_points, monitor=monitor, longest=longest
        )

    forward = run(1.0)
    if forward.end == "closed":
        return _Curve(problem, _with_zeros(problem, forward.points), ("closed", "closed"))
    backward = run(-1.0)
    points = _with_zeros(problem, [*backward.points[:0:-1], *forward.points])
    return _cut(_Curve(problem, points, (backward.end, forward.end)), u)


def _cut(curve, u):
    """A curve up to where it ends although its equations go on (see `ends_here`)."""
    ends = [i for i, point in enumerate(curve.points) if point.special and ends_here(curve.problem, point)]
    begin = int(np.argmin([np.linalg.norm((point.u - u) / curve.problem.scale) for point in curve.points]))
    low, high = max((i for i in ends if i <= begin), default=None), min((i for i in ends if i >= begin), default=None)
    if low == high and low is not None:  # begun there: the longer side
        low, high = (low, None) if 2 * low < len(curve.points) else (None, high)
    first, last = curve.ends
    return _Curve(
        curve.problem, curve.points[low : None if high is None else high + 1],
        (first if low is None else "double_zero", last if high is None else "double_zero"),
    )  # fmt: skip


def _with_zeros(problem, points):
    """The points; tests that vanish just at one of them, where no sign changes, are noted, and doubles are left out."""
    names = points[0].tests
    for name in names:
        sizes = np.array([abs(point.tests[name]) for point in points])
        for i in range(len(points)):
            around = np.concatenate([sizes[max(i - 2, 0) : i], sizes[i + 1 : i + 3]])
            smallest = np.fmin.reduce(around, initial=np.inf)  # not the largest: some tests have poles
            if _VANISHES < smallest < np.inf and sizes[i] <= _VANISHES * smallest and name not in points[i].special:
                points[i].special += (name,)
    kept = points[:1]
    for point in points[1:]:
        apart = np.linalg.norm((point.u - kept[-1].u) / problem.scale)
        if apart <= _SAME and (point.special or kept[-1].special):
            both = tuple(name for name in names if name in point.special + kept[-1].special)
            kept[-1] = dataclasses.replace(point, special=both)
        else:
            kept.append(point)
    return kept


def _lies_on(u, curve):
    """Whether a start is a point of a curve that is known, or one beside it with the same parameters."""
    problem, points = curve.problem, np.array([point.u for point in curve.points])
    away, _, length = _beside(points / problem.scale, u / problem.scale)
    if (away <= _BESIDE * length).any():
        return True
    n, scale = problem.n, problem.scale[problem.n :]
    away, share, length = _beside(points[:, n:] / scale, u[n:] / scale)
    for i in np.argsort(away)[:3]:
        if away[i] > 0.5 * length[i] or length[i] == 0.0:
            continue
        guess = points[i] + share[i] * (points[i + 1] - points[i])
        guess[n:] = u[n:]
        across = np.concatenate([np.zeros(n), (points[i + 1] - points[i])[n:] / scale / length[i]])
        found, _, _, converged = pseudo_arclength.correct(problem, guess, across)
        if converged and np.linalg.norm((found[n:] - u[n:]) / scale) <= _ON:
            return True
    return False


def _beside(points, one):
    """Distances of a point from the pieces between points (count, m), where along each it is nearest, their lengths."""
    along = np.diff(points, axis=0)
    square = (along**2).sum(axis=1)
    share = np.clip(((one - points[:-1]) * along).sum(axis=1) / np.maximum(square, 1e-300), 0.0, 1.0)
    return np.linalg.norm(points[:-1] + share[:, None] * along - one, axis=1), share, np.sqrt(square)


def _described(system, names, kind, curves, attrs):
    """The Dataset of all curves."""
    n, points = system.dimension, [(number, curve, p) for number, curve in enumerate(curves, 1) for p in curve.points]
    count = len(points)
    forms = [curve.problem.normal_form(point.u) for _, curve, point in points]
    special = np.array([classified(curve.problem, point) for _, curve, point in points]).reshape(count, 2)
    flat = np.array([form.degenerate for form in forms], dtype=bool) & (special[:, 0] == CODIMENSION_TWO["none"])
    unknowns = np.array([point.u for *_, point in points]).reshape(count, n + 2)
    ends = np.array([[END[end] for end in curve.ends] for curve in curves], dtype=np.int8).reshape(len(curves), 2)
    variables = {
        **{name: (("point",), unknowns[:, n + i]) for i, name in enumerate(names)},
        "state": (("point", "unit"), unknowns[:, :n]),
        "frequency": (("point",), np.array([curve.problem.frequency(point.u) for _, curve, point in points])),
        "normal_form_coefficient": (("point",), np.array([form.coefficient for form in forms], dtype=float)),
        "criticality": (("point",), np.array([_criticality(kind, form) for form in forms], dtype=np.int8)),
        "codimension_two": (("point",), special[:, 0].astype(np.int8)),
        "degenerate": (("point",), (special[:, 1].astype(bool) | flat).astype(np.int8)),
        "curve_number": (("point",), np.array([number for number, *_ in points], dtype=np.int64)),
        "end_reason": (("curve", "end"), ends),
        "status": ((), np.int8(STATUS["ok" if count else "no_bifurcation"])),
    }
    coords = {
        "point": np.arange(count), "unit": np.arange(n), "curve": np.arange(1, len(curves) + 1), "end": np.arange(2),
    }  # fmt: skip
    ds = dataset(system, variables, coords, attrs | {"verb": "bifurcation_curve"})
    for name in names:
        del ds.attrs[f"parameter_{name}"]
    ds.frequency.attrs |= {"long_name": "angular frequency", "units": "rad per " + _STEP_WORD[system.kind]}
    return ds


def _criticality(kind, form):
    """The flag of what branches off; a fold has no cycle or circle."""
    return CRITICALITY["none"] if kind == "fold" else form.criticality


_STEP_WORD = {"flow": "time unit", "map": "period"}
