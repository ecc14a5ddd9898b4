"""The branches that special points give birth to: cycles, doubled orbits, the other branch through a branch point.

The new branch is entered along its tangent u* + e v and corrected in the hyperplane across v: at a branch point v is
the null vector across the known tangent, so that this hyperplane keeps away from the known branch (Keller, in
Applications of Bifurcation Theory, ed. Rabinowitz (1977) 359, method III); at a Hopf point v is the critical mode over
one turn, at a period doubling the critical multiplier's over two.
"""

import dataclasses

import numpy as np

from lyapkit.analyses.bifurcations import pseudo_arclength
from lyapkit.analyses.bifurcations.cycle_branch import CycleBranch, direction_of
from lyapkit.analyses.bifurcations.equilibrium_branch import EquilibriumBranch
from lyapkit.analyses.bifurcations.jets import Jets
from lyapkit.analyses.cycles.shooting import NODES

KINDS = ("hopf", "period_doubling", "branch_point")
_AWAY = (0.01, 0.003, 0.03, 0.001)  # first steps onto a new branch, in units of its scale
_FOUND = 0.2, 5.0  # a first point this far away, in first steps, belongs to it


@dataclasses.dataclass(frozen=True)
class Birth:
    """The equations of a new branch, its starts (u, tangent) and the first point, from which they lead away."""

    problem: object
    starts: list
    first: object


def born(setting, problem, kind, u, tangent):
    """The branch that begins at a special point u of a kind; None where there is none, or it cannot be entered."""
    makers = {"hopf": _of_hopf, "period_doubling": _doubled, "branch_point": _other}
    if kind not in makers:
        return None
    made = makers[kind](setting, problem, u, tangent)
    if made is None:
        return None
    new, first, directions = made
    starts = [start for start in (entered(new, first, way) for way in directions) if start is not None]
    origin = pseudo_arclength.Point(first, directions[0], {})
    return Birth(new, starts, origin) if starts else None


def entered(problem, u, way):
    """(u, tangent) of a point beside u along the unit direction `way`, on the branch that goes there, or None."""
    with np.errstate(all="ignore"):
        for away in _AWAY:
            there, _, _, converged = pseudo_arclength.correct(problem, u + away * problem.scale * way, way)
            distance = np.linalg.norm((there - u) / problem.scale)
            if not converged or not _FOUND[0] * away <= distance <= _FOUND[1] * away:
                continue
            tangent = pseudo_arclength.first_tangent(problem, there)
            if np.isfinite(tangent).all():
                return there, tangent * np.copysign(1.0, tangent @ way)
    return None


def _of_hopf(setting, problem, u, tangent):
    """The cycles of a Hopf point, in the plane of its eigenvector."""
    omega = problem.frequency(u, "hopf")
    if not omega > 0.0 or not cycles_possible(setting.system, setting.parameter):
        return None
    x, p = u[:-1], float(u[-1])
    values, vectors = np.linalg.eig(problem.jets.first(x, u[-1:])[1])
    q = vectors[:, np.argmin(abs(values - 1j * omega))]
    turns = np.exp(2j * np.pi * np.arange(NODES) / NODES)[:, None]
    mode, velocity = (turns * q).real, (1j * turns * q).real
    at_rest, period = np.tile(x, (NODES, 1)), 2.0 * np.pi / omega
    new = CycleBranch(
        setting.system, setting.parameter, setting.bounds, at_rest, period, p,
        setting.longest_of(period), setting.monitor, velocity,
    )  # fmt: skip
    return new, new.unknowns(at_rest, period, p), [_unit(new, mode)]


def cycles_possible(system, parameter):
    """Whether cycles can be differentiated in the parameter."""
    try:
        return len(direction_of(system, parameter)) > 0
    except ValueError:
        return False


def _doubled(setting, problem, u, tangent):
    """Orbits of twice the period."""
    if problem.kind == "cycle":
        nodes, period, p = problem.orbit(u)
        way = problem.antiperiodic(u)
        twice, away = np.concatenate([nodes, nodes])[::2], np.concatenate([way, -way])[::2]
        new = CycleBranch(
            setting.system, setting.parameter, setting.bounds, twice, 2.0 * period, p,
            setting.longest_of(2.0 * period), setting.monitor,
        )  # fmt: skip
        return new, new.unknowns(twice, 2.0 * period, p), [_unit(new, away)]
    jets = Jets(setting.system, (setting.parameter,), 2 * problem.jets.period)
    new = EquilibriumBranch(jets, setting.bounds, u[:-1])
    matrix = problem.jets.first(u[:-1], u[-1:])[1] + np.eye(problem.n)
    return new, u, [_unit(new, np.linalg.svd(matrix)[2][-1])]


def _other(setting, problem, u, tangent):
    """The other branch through a branch point, both ways."""
    jacobian = problem.equations(u)[1] * problem.scale
    if not np.isfinite(jacobian).all():
        return None
    plane = np.linalg.svd(jacobian)[2][-2:]
    along = plane @ tangent
    across = np.array([-along[1], along[0]]) @ plane
    across /= np.linalg.norm(across)
    return problem, u, [across, -across]


def _unit(problem, states):
    """The unit direction that moves states alone."""
    way = np.zeros(len(problem.scale))
    way[: states.size] = states.ravel()
    way /= problem.scale
    return way / np.linalg.norm(way)
