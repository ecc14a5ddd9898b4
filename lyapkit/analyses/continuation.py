"""Branches of equilibria and of cycles in one parameter."""

import math

import numpy as np

from lyapkit.analyses.bifurcations.branch_starts import started
from lyapkit.analyses.bifurcations.branch_switching import KINDS
from lyapkit.analyses.bifurcations.branches import Setting, everything
from lyapkit.analyses.bifurcations.cycle_branch import extremes
from lyapkit.analyses.verb import interval, positive, whole
from lyapkit.flags import BRANCH_KIND, END, PERIOD_LAW, SPECIAL_KIND, STATUS
from lyapkit.progress import Monitor
from lyapkit.results import dataset
from lyapkit.systems.directional import movable
from lyapkit.systems.system import as_system, unknown_parameter


def continuation(
    system, parameter, bounds=None, start=None, *, period=1, switch=False, max_step=None, most_points=1000,
    most_branches=16, longest_period=None, progress=None,
):  # fmt: skip
    """continuation(system, parameter, bounds=None, start=None, *, period=1, switch=False, max_step=None, ...)

    Branches of equilibria, of periodic points of maps and of limit cycles in one parameter, through folds.

    Returns a Dataset with, at each point of the branches in their order,

    <parameter>(point)         under its name, with its last value exactly on a bound where the branch reaches it
    state(point, unit)         the equilibrium; of a cycle the state at phase 0
    lowest(point, unit), highest(point, unit)   over the cycle or periodic orbit
    period(point)              in time units; maps: iterates; NaN at equilibria of flows
    eigenvalue(point, mode)    of equilibria, largest real part first; of maps multipliers, largest modulus first
    floquet_multiplier(point, mode), log_abs_multiplier(point, mode)   of cycles and of maps
    stable(point)              1, -1, or 0 on the border
    branch_number(point), branch_kind(branch)   1, 2, ...; equilibrium or cycle
    parent(branch)             the branch that this one was born on, 0: none
    end_reason(branch, end)    why it ends at its first and its last point
    period_law(branch, end)    where the period diverges: saddle_node_circle, T = A |p - p0|^exponent + B with exponent
                               -1/2, or homoclinic, T = -ln |p - p0| / rate; with period_law_parameter (p0),
                               period_law_exponent and period_law_rate; status

    and the special points of all branches

    special_kind(special)      hopf, fold, branch_point, period_doubling, neimark_sacker (of cycles: a torus)
    special_<parameter>(special), special_state(special, unit), special_period(special), special_branch(special)
    special_frequency(special) of the critical pair: rad per time unit (Hopf), per period (Neimark-Sacker)
    special_coefficient(special)   of equilibria and maps, for an eigenvector of norm 1 (see convert_coefficient)

    parameter      name of a parameter that is a number
    bounds         (low, high), default the system's own range of it
    start          a state (unit,) near an equilibrium (maps: a point of period `period`) at the system's parameters; a
                   result of limit_cycle; or a special point of an earlier result, ds.isel(special=0), for the branch
                   that it gives birth to. Default: all fixed points at the system's own parameters
    period         iterates after which a point of a map recurs, default 1
    switch         True, or kinds among hopf, period_doubling and branch_point: special points at which the branches
                   that they give birth to are followed as well; cycles only in parameters that may differ by lane,
                   so not in a vector given as one number, such as bh of gated units
    max_step       longest step, in the width of the bounds, the size of the state, and ln T; default 0.02, cycles 0.05
    most_points    points of a branch in each direction, default 1000; most_branches: default 16
    longest_period at which a family counts as one of diverging period, default 200 times that of its first cycle
    progress       True, False, or None: a bar on a terminal

    Pseudo-arclength continuation; cycles by multiple shooting with an integral phase condition, on 16 nodes, with an
    integrator of eighth order whose steps follow its error. All derivatives are exact. Special points are zeros of test
    functions, located to rounding. Sources: Keller, in Applications of Bifurcation Theory (1977) 359; Kuznetsov,
    Elements of Applied Bifurcation Theory (4th ed. 2023), ch. 10; Doedel, Keller & Kernevez, Int. J. Bifurcation Chaos
    1 (1991) 745.

    >>> import lyapkit as lk
    >>> ds = lk.continuation(lk.systems.brusselator(A=1.0, B=1.5), "B", (1.0, 3.0), switch=True)
    >>> round(float(ds.special_B[0]), 9), ds.branch_kind.values.tolist()
    (2.0, [0, 1])
    """
    system = as_system(system)
    setting_of = _checked(system, parameter, bounds, switch, max_step, most_points, most_branches, longest_period)
    period = whole("period", period, 1, 10_000)
    if period > 1 and system.kind == "flow":
        raise ValueError(f"period: given {period}, accepted: 1, as {system.name} is a flow")
    with Monitor(2 * most_points, "continuation", progress) as monitor:
        setting = Setting(**setting_of, monitor=monitor)
        branches = everything(setting, started(setting, start, period))
        return _described(setting, branches, {"period": period} if system.kind == "map" else {})


def _checked(system, parameter, bounds, switch, max_step, most_points, most_branches, longest_period):
    if not isinstance(parameter, str) or parameter not in system.parameters:
        raise ValueError(f"parameter: {unknown_parameter(system.model, parameter)}")
    if parameter not in movable(system):
        raise ValueError(f"parameter: {parameter} is no number that may vary, accepted: {', '.join(movable(system))}")
    own = system.parameters[parameter]
    limits = system.model.ranges.get(parameter, (None,))[:2] if bounds is None else bounds
    low, high = interval(f"bounds of {parameter}", limits)
    if not low <= own <= high:
        raise ValueError(f"bounds: given {low:g} to {high:g}, accepted: around {parameter} of the system, {own:g}")
    if longest_period is not None:
        longest_period = positive("longest_period", longest_period)
    return {
        "system": system, "parameter": parameter, "bounds": (low, high), "longest_period": longest_period,
        "max_step": None if max_step is None else positive("max_step", max_step),
        "most_points": whole("most_points", most_points, 2, 10**7),
        "most_branches": whole("most_branches", most_branches, 1, 10**4), "switch": _kinds(switch),
    }  # fmt: skip


def _kinds(switch):
    if isinstance(switch, bool):
        return KINDS if switch else ()
    if not isinstance(switch, str | tuple | list | set):
        raise TypeError(f"switch: given {switch!r}, accepted: True, False, or some of {', '.join(KINDS)}")
    kinds = (switch,) if isinstance(switch, str) else tuple(switch)
    for kind in kinds:
        if kind not in KINDS:
            raise ValueError(f"switch: given {kind!r}, accepted: True, False, or some of {', '.join(KINDS)}")
    return kinds


def _described(setting, branches, attrs):
    """The Dataset of all branches."""
    system, name = setting.system, setting.parameter
    n = system.dimension
    columns = [_of_branch(system, branch) for branch in branches]
    joined = {key: np.concatenate([column[key] for column in columns]) for key in columns[0]} if columns else {}
    special = [(i, branch, one) for i, branch in enumerate(branches, 1) for one in branch.special]
    dims = {key: ("point", *_INNER.get(key, ())) for key in joined}
    variables = {name if key == "parameter" else key: (dims[key], values) for key, values in joined.items()}
    numbers = [np.full(len(branch.points), i) for i, branch in enumerate(branches, 1)]
    per_end = ("branch", "end")
    laws = [branch.laws for branch in branches]
    variables |= {
        "branch_number": (("point",), np.concatenate(numbers).astype(np.int64)),
        "branch_kind": (("branch",), np.array([BRANCH_KIND[b.problem.kind] for b in branches], dtype=np.int8)),
        "parent": (("branch",), np.array([branch.parent for branch in branches], dtype=np.int64)),
        "end_reason": (per_end, np.array([[END[e] for e in branch.ends] for branch in branches], dtype=np.int8)),
        "period_law": (per_end, np.array([[PERIOD_LAW[w.kind] for w in both] for both in laws], dtype=np.int8)),
        **{
            f"period_law_{key}": (per_end, np.array([[getattr(w, key) for w in both] for both in laws]))
            for key in ("parameter", "exponent", "rate")
        },
        **_of_special(system, name, special),
        "status": ((), np.int8(STATUS["ok"])),
    }
    coords = {
        "point": np.arange(sum(len(b.points) for b in branches)), "unit": np.arange(n), "mode": np.arange(1, n + 1),
        "branch": np.arange(1, len(branches) + 1), "end": np.arange(2), "special": np.arange(len(special)),
    }  # fmt: skip
    ds = dataset(system, variables, coords, attrs | {"verb": "continuation", "parameter": name})
    del ds.attrs[f"parameter_{name}"]
    if ds[name].attrs["units"] == "rad":
        ds[f"special_{name}"].attrs["units"] = "rad"
    return ds


_INNER = {
    "state": ("unit",), "lowest": ("unit",), "highest": ("unit",), "eigenvalue": ("mode",),
    "floquet_multiplier": ("mode",), "log_abs_multiplier": ("mode",),
}  # fmt: skip


def _of_branch(system, branch):
    """The variables of a branch's points."""
    problem, n, count = branch.problem, system.dimension, len(branch.points)
    unknowns = np.array([point.u for point in branch.points])
    found = {"parameter": unknowns[:, -1].copy(), "state": unknowns[:, :n].copy()}
    nothing = np.full((count, n), np.nan + 0j)
    if problem.kind == "cycle":
        logs, phases, stable = map(np.array, zip(*(problem.multipliers(u) for u in unknowns), strict=True))
        low, high = extremes(problem, unknowns)
        with np.errstate(over="ignore"):
            multipliers = np.exp(logs) * phases
        found |= {"lowest": low, "highest": high, "period": np.exp(unknowns[:, -2]), "eigenvalue": nothing}
        found |= {"floquet_multiplier": multipliers, "log_abs_multiplier": logs}
    else:
        values, stable = map(np.array, zip(*(problem.eigenvalues(u) for u in unknowns), strict=True))
        orbits = np.array([problem.orbit(u) for u in unknowns])
        found |= {"lowest": orbits.min(axis=1), "highest": orbits.max(axis=1), "eigenvalue": values}
        found |= {"period": np.full(count, float(problem.jets.period) if problem.is_map else np.nan)}
        with np.errstate(divide="ignore"):
            logs = np.log(abs(values)) if problem.is_map else nothing.real
        found |= {"floquet_multiplier": values if problem.is_map else nothing, "log_abs_multiplier": logs}
    return found | {"stable": stable.astype(np.int8)}


def _of_special(system, name, special):
    """The variables of the special points."""
    n, count = system.dimension, len(special)
    points = [(branch.problem, one.point.u, one.kind) for _, branch, one in special]
    periods = [
        np.exp(u[-2]) if p.kind == "cycle" else float(p.jets.period) if p.is_map else math.nan for p, u, _ in points
    ]
    along = {
        "special_kind": np.array([SPECIAL_KIND[kind] for *_, kind in points], dtype=np.int8),
        f"special_{name}": np.array([u[-1] for _, u, _ in points], dtype=float),
        "special_branch": np.array([i for i, *_ in special], dtype=np.int64),
        "special_period": np.array(periods, dtype=float),
        "special_frequency": np.array([p.frequency(u, kind) for p, u, kind in points], dtype=float),
        "special_coefficient": np.array([p.coefficient(u, kind) for p, u, kind in points], dtype=float),
    }
    states = np.array([u[:n] for _, u, _ in points], dtype=float).reshape(count, n)
    variables = {key: (("special",), values) for key, values in along.items()}
    return variables | {"special_state": (("special", "unit"), states)}
