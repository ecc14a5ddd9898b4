"""Branches in one parameter, both ways from where they begin, and those that special points on them give birth to."""

import copy
import dataclasses

import numpy as np

from lyapkit.analyses.bifurcations import pseudo_arclength
from lyapkit.analyses.bifurcations.branch_switching import born
from lyapkit.analyses.cycles.period_law import PeriodLaw, fitted

_STEP = 0.005  # of the first step, in units of the scale
_LONGEST = {"equilibrium": 0.02, "cycle": 0.05}
_PERIODS = 200.0  # longest period, in first ones
_ZERO = 1e-9  # a test this small, relative to its values on the branch, vanishes
_SAME = 1e-5  # special points nearer than this, in units of the scale, are one
_SHRUNK = 0.2  # distance, in units of the scale, of a family's last cycle from the Hopf point at which it ends
_ORDER = ("branch_point", "hopf", "period_doubling", "neimark_sacker", "fold")


@dataclasses.dataclass(frozen=True)
class Setting:
    """What is followed, and how far."""

    system: object
    parameter: str
    bounds: tuple
    longest_period: float | None
    max_step: float | None
    most_points: int
    most_branches: int
    switch: tuple
    monitor: object

    def longest_of(self, period):
        """The longest period of a family that begins with this one."""
        return _PERIODS * period if self.longest_period is None else max(self.longest_period, period)


@dataclasses.dataclass(frozen=True)
class Special:
    """A special point (u, tangent) of a kind."""

    kind: str
    point: object


@dataclasses.dataclass
class Branch:
    """Points in order, reasons of both ends, special points, the number of the branch it was born on (0: none)."""

    problem: object
    points: list
    ends: tuple
    special: list
    parent: int
    laws: tuple = ()


def both_ways(setting, problem, u):
    """The branch through u, towards larger parameters last."""
    u = pseudo_arclength.snapped(problem, u)
    tangent = pseudo_arclength.first_tangent(problem, u)
    if not np.isfinite(tangent).all():
        return Branch(problem, [pseudo_arclength.Point(u, tangent, {})], ("not_finite", "not_finite"), [], 0)
    tangent = tangent * (np.copysign(1.0, tangent[-1]) if tangent[-1] else 1.0)
    forward = _follow(setting, problem, u, tangent)
    if forward.end == "closed":
        return _branch(problem, forward.points, ("closed", "closed"), 0)
    backward = _follow(setting, problem, u, -tangent)
    return _branch(problem, _reversed(backward.points)[:-1] + forward.points, (backward.end, forward.end), 0)


def from_birth(setting, birth, parent):
    """The branch that begins at a special point: one way, or where it passes through, both."""
    sides = [_follow(setting, birth.problem, *start) for start in birth.starts]
    forward = [birth.first, *sides[0].points]
    if len(sides) == 1:
        return _branch(birth.problem, forward, ("other_branch", sides[0].end), parent)
    return _branch(birth.problem, _reversed(sides[1].points) + forward, (sides[1].end, sides[0].end), parent)


def _follow(setting, problem, u, tangent):
    longest = setting.max_step or _LONGEST[problem.kind]
    own = copy.copy(problem) if problem.kind == "equilibrium" else problem  # whose scale grows on its way
    found = pseudo_arclength.follow(
        own, u, tangent, step=min(_STEP, longest), most_points=setting.most_points, monitor=setting.monitor,
        longest=longest,
    )  # fmt: skip
    found.points = [point.measured_in(problem.scale) for point in found.points]
    if problem.kind == "cycle":
        if found.end == "bound" and found.points[-1].u[-2] == problem.bounds[1][2]:
            found.end = "period_diverges"
        if found.end in ("no_cycle", "other_branch"):  # what is located on the last step is that end
            while found.points[-1].special:
                found.points.pop()
    return found


def _reversed(points):
    """The points the other way round, and their tangents with them."""
    return [dataclasses.replace(point, tangent=-point.tangent) for point in reversed(points)]


def _branch(problem, points, ends, parent):
    points = _with_zeros(points)
    special = []
    for point in points:
        kinds = [kind for kind in _ORDER if kind in point.special and problem.is_special(point.u, kind)]
        if kinds:
            special.append(Special(kinds[0], point))
        point.special = tuple(kinds[:1])
    return Branch(problem, points, ends, special, parent, _laws(problem, points, ends))


def _with_zeros(points):
    """Tests that vanish just at a point, where no sign changes between neighbours, are noted."""
    for i, point in enumerate(points[1:-1], 1):
        for name, value in point.tests.items():
            around = [p.tests.get(name, np.nan) for p in (points[i - 1], points[i + 1])]
            if around[0] * around[1] < 0.0 and abs(value) <= _ZERO * max(map(abs, around)):
                if name not in point.special + points[i - 1].special + points[i + 1].special:
                    point.special += (name,)
    return points


def _laws(problem, points, ends):
    """How the period diverges at both ends."""
    laws = []
    for end, ordered in zip(ends, (points[::-1], points), strict=True):
        if end != "period_diverges":
            laws.append(PeriodLaw())
            continue
        ordered = [point for point in ordered if point.tangent[-2] != 0.0]  # but that of the Hopf point
        u = np.array([point.u[-2:] for point in ordered])
        slopes = np.array([p.tangent[-1] * problem.scale[-1] / p.tangent[-2] for p in ordered])
        laws.append(fitted(np.exp(u[:, 0]), u[:, 1], slopes))
    return tuple(laws)


def everything(setting, branches):
    """The branches and all those that special points of the kinds to be switched at give birth to, one by one."""
    branches, done, at = list(branches), [], 0
    while at < len(branches) and len(branches) < setting.most_branches:
        branch = branches[at]
        at += 1
        if not branch.parent:
            _note_ends(branch, branches, done)
        for special in branch.special:
            if special.kind not in setting.switch or len(branches) >= setting.most_branches:
                continue
            if _known(branch.problem, special, done):
                continue
            done.append((branch.problem, special))
            birth = born(setting, branch.problem, special.kind, special.point.u, special.point.tangent)
            starts = [] if birth is None else [s for s in birth.starts if not any(passes(b, s[0]) for b in branches)]
            if starts:
                branches.append(from_birth(setting, dataclasses.replace(birth, starts=starts), at))
                _note_ends(branches[-1], branches, done)
    return branches


def _known(problem, special, done):
    """Whether the special point has been switched at, on this or on another branch of as many unknowns."""
    u = special.point.u
    return any(
        other.kind == special.kind and len(other.point.u) == len(u) and _near(problem, other.point.u, u, _SAME)
        for _, other in done
    )


def _near(problem, one, other, distance):
    return np.linalg.norm((one - other) / problem.scale) <= distance


def _note_ends(branch, branches, done):
    """A family that shrinks to a point ends at a Hopf point, a doubled one at a doubling: they bear no other family."""
    if branch.parent and branch.ends[1] == "other_branch":
        last = branch.points[-1].u[-1]
        doublings = [s for s in branches[branch.parent - 1].special if s.kind == "period_doubling"]
        nearest = min(doublings, key=lambda s: abs(s.point.u[-1] - last), default=None)
        if nearest is not None and abs(nearest.point.u[-1] - last) <= _SHRUNK * branch.problem.scale[-1]:
            done.append((branches[branch.parent - 1].problem, nearest))
    for end, point in zip(branch.ends, (branch.points[0], branch.points[-1]), strict=True):
        if end != "no_cycle":
            continue
        nodes, _, p = branch.problem.orbit(point.u)
        u = np.append(nodes.mean(axis=0), p)
        near = [
            (np.linalg.norm((u - s.point.u) / b.problem.scale), b, s)
            for b in branches if b.problem.kind == "equilibrium" for s in b.special if s.kind == "hopf"
        ]  # fmt: skip
        if near:
            distance, other, special = min(near, key=lambda entry: entry[0])
            if distance <= _SHRUNK:
                done.append((other.problem, special))


def passes(branch, u):
    """Whether the branch has a point with the unknowns u."""
    if len(branch.points[0].u) != len(u):
        return False
    p = np.array([point.u[-1] for point in branch.points]) - u[-1]
    across = np.zeros(len(u))
    across[-1] = 1.0
    for i in np.flatnonzero(p[:-1] * p[1:] <= 0.0):
        one, other = branch.points[i].u, branch.points[i + 1].u
        share = p[i] / (p[i] - p[i + 1]) if p[i] != p[i + 1] else 0.0
        guess = one + share * (other - one)
        guess[-1] = u[-1]
        found, _, _, converged = pseudo_arclength.correct(branch.problem, guess, across)
        if converged and _near(branch.problem, found, u, _SAME):
            return True
    return False
