"""Where branches begin: at fixed points, at a given state or cycle, or at a special point of an earlier result."""

import numpy as np
import xarray as xr

from lyapkit.analyses.bifurcations import pseudo_arclength
from lyapkit.analyses.bifurcations.branch_switching import born
from lyapkit.analyses.bifurcations.branches import both_ways, from_birth, passes
from lyapkit.analyses.bifurcations.cycle_branch import CycleBranch
from lyapkit.analyses.bifurcations.equilibrium_branch import EquilibriumBranch
from lyapkit.analyses.bifurcations.jets import Jets
from lyapkit.analyses.cycles.cycle_guess import orbit_of_result, resampled
from lyapkit.analyses.cycles.flow_cycles import along_orbits
from lyapkit.analyses.cycles.shooting import NODES
from lyapkit.analyses.fixed_points import fixed_points
from lyapkit.analyses.orbits.clock import checked_state
from lyapkit.analyses.trajectory import trajectory
from lyapkit.flags import BRANCH_KIND, SPECIAL_KIND, STABLE

_SETTLED = 3000  # iterates after which a point of an attracting orbit is taken


def started(setting, start, period):
    """The branches that begin at a start, which may be None; see `continuation`."""
    system = setting.system
    if isinstance(start, xr.Dataset):
        if "special_kind" in start:
            return [_at_special(setting, start)]
        return [both_ways(setting, *_cycle(setting, start))]
    if start is not None:
        x = checked_state(system, start)
        if x.ndim != 1:
            raise ValueError(f"start: given shape {x.shape}, accepted: ({system.dimension},)")
        return [both_ways(setting, *_equilibrium(setting, x, period))]
    if period > 1:
        x = trajectory(system, duration=1, transient=_SETTLED, progress=False).state.values[-1]
        return [both_ways(setting, *_equilibrium(setting, x, period))]
    found = fixed_points(system, progress=False)
    points = found.state.values[found.stable.values != STABLE["absent"]]
    if not len(points):
        raise ValueError(f"start: none given, and {system.name} has no fixed point here, accepted: a state, or a cycle")
    branches = []
    for x in points:
        problem, u = _equilibrium(setting, x, period)
        if len(branches) < setting.most_branches and not any(passes(branch, u) for branch in branches):
            branches.append(both_ways(setting, problem, u))
    return branches


def _equilibrium(setting, x, period):
    """The equations and the point u of the equilibrium near x; ValueError with its residual where there is none."""
    jets = Jets(setting.system, (setting.parameter,), period)
    problem = EquilibriumBranch(jets, setting.bounds, x)
    guess, across = np.concatenate([x, jets.values]), np.zeros(len(x) + 1)
    across[-1] = 1.0
    with np.errstate(all="ignore"):
        u, _, _, converged = pseudo_arclength.correct(problem, guess, across)
        residual = problem.equations(guess)[0]
        if not converged:  # at a fold, or another parameter is nearer
            u, converged = pseudo_arclength.settled(problem, guess)
    if not converged or not setting.bounds[0] <= u[-1] <= setting.bounds[1]:
        what = "an equilibrium" if setting.system.kind == "flow" else f"a point of period {period}"
        raise ValueError(
            f"start: given a state with residual {np.linalg.norm(residual):.3g}, from which Newton's method finds no "
            f"equilibrium; accepted: a state near {what}"
        )
    return problem, u


def _cycle(setting, start):
    """The equations and the point u of a cycle given as a result of limit_cycle."""
    system = setting.system
    if system.kind == "map":
        raise ValueError(f"start: given a Dataset, but {system.name} is a map; accepted: a state, with `period`")
    guess, period = orbit_of_result(start, None)
    return _solved(setting, resampled(np.asarray(guess), NODES), float(period), _own(setting))


def _own(setting):
    return float(setting.system.parameters[setting.parameter])


def _solved(setting, nodes, period, p):
    problem = CycleBranch(
        setting.system, setting.parameter, setting.bounds, nodes, period, p, setting.longest_of(period),
        setting.monitor,
    )  # fmt: skip
    guess = problem.unknowns(nodes, period, p)
    across = np.zeros(len(guess))
    across[-1] = 1.0
    with np.errstate(all="ignore"):
        u, _, _, converged = pseudo_arclength.correct(problem, guess, across)
        if not converged:
            u, converged = pseudo_arclength.settled(problem, guess)
        if not converged:
            residual = np.linalg.norm(problem.equations(guess)[0])
            raise ValueError(
                f"start: given an orbit with residual {residual:.3g}, from which Newton's method finds no cycle; "
                "accepted: a cycle at the system's parameters"
            )
    return problem, u


def _at_special(setting, start):
    """The branch that one special point of an earlier result gives birth to."""
    name = setting.parameter
    if start["special_kind"].ndim or f"special_{name}" not in start:
        raise ValueError(
            f"start: given a Dataset with {start.sizes.get('special', 0)} special points in "
            f"{start.attrs.get('parameter')}, accepted: one of them in {name}, such as ds.isel(special=0)"
        )
    kind = next(key for key, flag in SPECIAL_KIND.items() if flag == int(start["special_kind"]))
    parent = int(start["special_branch"])
    x, p, period = start["special_state"].values, float(start[f"special_{name}"]), float(start["special_period"])
    of_cycle = int(start["branch_kind"].sel(branch=parent)) == BRANCH_KIND["cycle"]
    if of_cycle:
        values = {name: np.array([p])}
        steps = np.array([NODES * 256])
        cycle = along_orbits(setting.system, values, x[None], np.array([period]), steps, setting.monitor)
        problem, u = _solved(setting, cycle.nodes[0], period, p)
    else:
        jets = Jets(setting.system, (name,), 1 if np.isnan(period) else int(period))
        problem = EquilibriumBranch(jets, setting.bounds, x)
        u = np.append(x, p)
    tangent = _tangent(start, problem, parent, u, x, name)
    birth = born(setting, problem, kind, u, tangent)
    if birth is None:
        raise ValueError(f"start: given a {kind} point, at which no other branch begins, or none that can be followed")
    return from_birth(setting, birth, 0)


def _tangent(start, problem, parent, u, x, name):
    """The tangent of the branch on which the special point lies: in its null space, as its neighbours are."""
    mine = np.flatnonzero(start["branch_number"].values == parent)
    states = np.concatenate([start["state"].values, start[name].values[:, None]], axis=1)[mine]
    here = np.append(x, u[-1])
    n, scale = len(x), np.append(problem.scale[: len(x)], problem.scale[-1])
    away = np.linalg.norm((states - here) / scale, axis=1)
    at = int(np.argmin(away))
    chord = (states[min(at + 1, len(mine) - 1)] - states[max(at - 1, 0)]) / scale
    plane = np.linalg.svd(problem.equations(u)[1] * problem.scale)[2][-2:]
    seen = np.concatenate([plane[:, :n], plane[:, -1:]], axis=1)
    tangent = np.linalg.lstsq(seen.T, chord, rcond=None)[0] @ plane
    return tangent / np.linalg.norm(tangent)
