"""Branches of equilibria and of cycles in one parameter, with the points at which others begin."""

import copy
import dataclasses
import functools

import numpy as np

from lyapkit.analyses import pseudo_arclength
from lyapkit.analyses.bifurcation_curve import checked_interval
from lyapkit.analyses.branch_starts import checked_start, starts_of
from lyapkit.analyses.verb import positive, whole
from lyapkit.progress import Monitor
from lyapkit.results import BRANCH_KIND, END, PERIOD_LAW, SPECIAL, STATUS, dataset, empty
from lyapkit.systems.directional import movable
from lyapkit.systems.system import as_system, unknown_parameter

_STEP, _LONGEST = 0.005, 0.02  # first and longest step, in the width of the bounds
_SWITCHES = ("hopf", "period_doubling", "branch_point")


@dataclasses.dataclass
class _Branch:
    """One branch: its equations, points in order, why it ends on either side, and the branch that it begins on."""

    problem: object
    points: list
    ends: tuple
    parent: int


def continuation(
    system, parameter, bounds=None, start=None, *, period=1, switch=False, max_step=None, most_points=500,
    most_branches=16, longest_period=None, progress=None,
):  # fmt: skip
    """continuation(system, parameter, bounds=None, start=None, *, period=1, switch=False, max_step=None, ...)

    Branches of equilibria and of limit cycles (maps: of periodic points) in one parameter, through folds.

    Returns a Dataset of the branches' points in their order,

    <parameter>(point)         the parameter, under its name
    state(point, unit)         the equilibrium; of a cycle its phase 0
    lowest(point, unit), highest(point, unit)  the orbit's extent; of an equilibrium the state
    period(point)              of cycles; of maps the iterates after which the state recurs; NaN for equilibria of flows
    eigenvalue(point, mode)    of equilibria (maps: multipliers); floquet_multiplier, log_abs_multiplier(point, mode)
                               of cycles
    stable(point)              1, -1, 0 where rounding leaves it undecided
    branch_number(point)       1, 2, ...; branch_kind(branch), parent(branch), end_reason(branch, end)

    and of special points, in a dim of their own,

    special_kind(special)      fold, hopf, branch_point, period_doubling, neimark_sacker (maps), torus (cycles)
    special_<parameter>(special), special_state(special, unit), special_branch(special)
    special_period(special), special_frequency(special)  of the cycle that is there or begins there
    special_coefficient(special)  of the normal form, for an eigenvector of norm 1 (see `bifurcation_curve`)

    period_law(branch)         of a family of cycles whose period diverges: saddle_node_circle, T ~ |p - p0|^(-1/2), or
                               homoclinic, T ~ -ln |p - p0|; period_law_parameter(branch) is p0,
                               period_law_exponent(branch) the power that is fitted freely

    parameter       its name
    bounds          (low, high), default the system's own range; branches end exactly on them
    start           a state (unit,) near an equilibrium at the system's parameters; a Dataset of `limit_cycle`; or a
                    special point of an earlier result, ds.isel(special=0): then the branch that begins there.
                    Default: all equilibria at the system's parameters
    period          iterates after which the points of a map recur, default 1
    switch          True: the branches that begin at Hopf points, period doublings and branch points are followed too;
                    or the kinds, such as ("hopf",). False: only the first
    max_step        longest step, in the width of the bounds, default 0.02
    most_points     points of a branch in each direction, default 500; most_branches: default 16
    longest_period  at which a family of cycles ends, default 100 times its first period
    progress        True, False, or None: a bar on a terminal

    Pseudo-arclength continuation, of cycles with multiple shooting; all derivatives are exact. Special points are
    zeros of test functions, located to rounding. Sources: Keller, in Applications of Bifurcation Theory, ed. Rabinowitz
    (1977) 359; Kuznetsov, Elements of Applied Bifurcation Theory (4th ed. 2023), ch. 10.

    >>> import lyapkit as lk
    >>> ds = lk.continuation(lk.systems.brusselator(A=1.0), "B", (1.0, 3.0))
    >>> ds.special_kind.values.tolist() == [lk.results.SPECIAL["hopf"]], round(float(ds.special_B[0]), 12)
    (True, 2.0)
    """
    system = as_system(system)
    limits = _checked_parameter(system, parameter, bounds)
    kinds = _checked_switch(switch)
    period = whole("period", period, 1, 10_000)
    if period > 1 and system.kind == "flow":
        raise ValueError(f"period: given {period}, accepted: 1, as {system.name} is a flow")
    longest = _LONGEST if max_step is None else positive("max_step", max_step)
    most = whole("most_points", most_points, 2, 10**7)
    room = whole("most_branches", most_branches, 1, 10**4)
    longest_period = None if longest_period is None else positive("longest_period", longest_period)
    given = checked_start(system, parameter, limits, start)
    with Monitor(2 * most * (room if kinds else 1), "continuation", progress) as monitor:
        waiting = [(one, 0) for one in starts_of(system, parameter, limits, given, period, longest_period, monitor)]
        follow = functools.partial(_followed, longest=longest, most=most, monitor=monitor)
        branches = _all_branches(waiting, kinds, room, follow)
    attrs = {"followed": parameter, "max_step": longest, "switched": " ".join(kinds), "verb": "continuation"}
    return _described(system, parameter, branches, attrs)


def _checked_parameter(system, parameter, bounds):
    """The bounds of the parameter, which must be a number along which there are derivatives."""
    known = list(movable(system))
    if parameter not in system.parameters:
        raise ValueError(unknown_parameter(system.model, parameter))
    if parameter not in known:
        raise ValueError(f"parameter: {parameter} is no number that may vary, accepted: {', '.join(known)}")
    given = system.model.ranges.get(parameter, (None,))[:2] if bounds is None else bounds
    if given == (None,):
        raise ValueError("bounds: not given, accepted: (low, high)")
    limits = checked_interval("bounds", given)
    return limits


def _checked_switch(switch):
    """The kinds of special points from which to go on."""
    if isinstance(switch, bool | np.bool_):
        return _SWITCHES if switch else ()
    kinds = (switch,) if isinstance(switch, str) else tuple(switch)
    for kind in kinds:
        if kind not in _SWITCHES:
            raise ValueError(f"switch: given {kind!r}, accepted: True, False or some of {', '.join(_SWITCHES)}")
    return kinds


def _all_branches(waiting, kinds, room, follow):
    """The branches from all starts, breadth first, and those that begin on them at special points of some kinds."""
    branches = []
    while waiting and len(branches) < room:
        start, parent = waiting.pop(0)
        if any(_lies_on(start, branch) for branch in branches):
            continue
        branch = follow(start, parent)
        branches.append(branch)
        for point in branch.points:
            kind = start.problem.special_kind(point) if point.special else None
            if kind in kinds:
                waiting += [(one, len(branches)) for one in start.problem.switches(point)]
    return branches


def _followed(start, parent, longest, most, monitor):
    problem, u = start.problem, start.u

    def run(tangent):
        own = copy.copy(problem)  # which changes on its way
        first = min(_STEP, longest)
        return pseudo_arclength.follow(own, u, tangent, step=first, most_points=most, monitor=monitor, longest=longest)

    forward = run(start.tangent)
    if not start.both or forward.end == "closed":
        return _Branch(problem, forward.points, ("closed" if forward.end == "closed" else "start", forward.end), parent)
    backward = run(-start.tangent)
    for point in backward.points:
        point.tangent = -point.tangent
    return _Branch(problem, [*backward.points[:0:-1], *forward.points], (backward.end, forward.end), parent)


def _lies_on(start, branch):
    """Whether a start is a point of a branch that is known, and goes along it."""
    problem = start.problem
    if problem.kind != branch.problem.kind or problem.period != branch.problem.period:
        return False
    if len(start.u) != len(branch.points[0].u):
        return False
    points = np.array([point.u for point in branch.points]) / problem.scale
    away = np.linalg.norm(points - start.u / problem.scale, axis=1)
    nearest = int(np.argmin(away))
    beside = points[max(nearest - 1, 0) : nearest + 2]
    along = np.diff(beside, axis=0)
    length = np.linalg.norm(along, axis=1)
    share = ((start.u / problem.scale - beside[:-1]) * along).sum(axis=1) / np.maximum(length**2, 1e-300)
    foot = beside[:-1] + np.clip(share, 0.0, 1.0)[:, None] * along
    near = np.linalg.norm(foot - start.u / problem.scale, axis=1) <= 0.05 * length + 1e-9
    parallel = abs(branch.points[nearest].tangent @ start.tangent) > 0.9
    return bool(near.any() and parallel)


def _described(system, parameter, branches, attrs):
    """The Dataset of all branches."""
    n = system.dimension
    rows = [(number, branch, point) for number, branch in enumerate(branches, 1) for point in branch.points]
    special = [row for row in rows if row[2].special and row[1].problem.special_kind(row[2])]
    measured = [branch.problem.measured(point) for _, branch, point in rows]
    described = [branch.problem.described(point) for _, branch, point in special]
    dims = {
        "state": ("unit",), "lowest": ("unit",), "highest": ("unit",), "period": (), "stable": (),
        "eigenvalue": ("mode",), "floquet_multiplier": ("mode",), "log_abs_multiplier": ("mode",),
    }  # fmt: skip
    variables = {
        parameter: (("point",), np.array([branch.problem.split(point.u)[1][0] for _, branch, point in rows])),
        "branch_number": (("point",), np.array([number for number, *_ in rows], dtype=np.int64)),
    }
    for name, more in dims.items():
        variables[name] = (("point", *more), _column(name, measured, (n,) * len(more)))
    kinds = [SPECIAL[branch.problem.special_kind(point)] for _, branch, point in special]
    variables["special_kind"] = (("special",), np.array(kinds, dtype=np.int8))
    variables[f"special_{parameter}"] = (
        ("special",),
        np.array([branch.problem.split(point.u)[1][0] for _, branch, point in special], dtype=float),
    )
    variables["special_branch"] = (("special",), np.array([number for number, *_ in special], dtype=np.int64))
    for name, more in {"state": ("unit",), "period": (), "frequency": (), "coefficient": ()}.items():
        variables[f"special_{name}"] = (("special", *more), _column(name, described, (n,) * len(more)))
    variables |= _of_branches(branches)
    variables["status"] = ((), np.int8(STATUS["ok" if branches else "not_converged"]))
    coords = {
        "point": np.arange(len(rows)), "unit": np.arange(n), "mode": np.arange(1, n + 1),
        "branch": np.arange(1, len(branches) + 1), "end": np.arange(2), "special": np.arange(len(special)),
    }  # fmt: skip
    ds = dataset(system, variables, coords, attrs)
    del ds.attrs[f"parameter_{parameter}"]
    for name in (parameter, f"special_{parameter}"):
        ds[name].attrs |= {"long_name": parameter, "units": "rad" if parameter == "theta" else "1"}
    return ds


def _column(name, rows, shape):
    """One variable of all rows, NaN or its flag where a row has none."""
    column = empty(name, (len(rows), *shape))
    for i, row in enumerate(rows):
        if name in row:
            column[i] = row[name]
    return column


def _of_branches(branches):
    """What is told once for each branch."""
    laws = [branch.problem.period_law(branch) if branch.problem.kind == "cycle" else None for branch in branches]
    laws = [law or ("none", np.nan, np.nan) for law in laws]
    return {
        "branch_kind": (("branch",), np.array([BRANCH_KIND[b.problem.kind] for b in branches], dtype=np.int8)),
        "parent": (("branch",), np.array([b.parent for b in branches], dtype=np.int64)),
        "end_reason": (
            ("branch", "end"), np.array([[END[e] for e in b.ends] for b in branches], np.int8).reshape(len(branches), 2)
        ),
        "period_law": (("branch",), np.array([PERIOD_LAW[law[0]] for law in laws], dtype=np.int8)),
        "period_law_parameter": (("branch",), np.array([law[1] for law in laws], dtype=float)),
        "period_law_exponent": (("branch",), np.array([law[2] for law in laws], dtype=float)),
    }  # fmt: skip
