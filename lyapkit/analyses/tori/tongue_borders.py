"""Borders of tongues of a map: the cycle that attracts in a tongue meets one that does not, in a fold."""

import numpy as np

from lyapkit.analyses.bifurcations import pseudo_arclength
from lyapkit.analyses.bifurcations.curve_problems import problem_of
from lyapkit.analyses.bifurcations.curve_starts import Line
from lyapkit.analyses.bifurcations.jets import Jets
from lyapkit.analyses.stationary import newton

_STEP, _LONGEST = 0.005, 0.02  # in the widths of the bounds
_MOST = 400  # points of a border in each direction
_FINER = 50  # steps by which a border that comes to its tip is shorter there
_NEWTON, _AT_REST = 8, 1e-9  # steps from a point near the cycle, and the residual of its points
_ACROSS = 0.01, 400  # first step, and steps at most, across a tongue


class _Border:
    """The folds of a cycle up to the tip of the tongue, where it shrinks to a point; see `pseudo_arclength`."""

    def __init__(self, curve, one, period):
        self._curve, self._one, self._period = curve, one, period
        self.begin()
        self.equations, self.scale, self.bounds = curve.equations, curve.scale, curve.bounds

    def begin(self):
        """Go in a new direction."""
        self._before = self._last = None

    def _shape(self, u):
        """The cycle's points about their centre."""
        n, orbit = self._curve.n, [u[: self._curve.n]]
        for _ in range(self._period - 1):
            orbit.append(self._one.first(orbit[-1], u[n:])[0])
        return orbit - np.mean(orbit, axis=0)

    def tests(self, u, jacobian, tangent):
        return {}

    def arrived(self, u):
        self._before, self._last = self._last, (u, self._shape(u))

    def inspect(self, u, tangent):
        before, (last, shape) = self._before, self._last
        if self._period > 1 and not (self._shape(u) * shape).sum() > 0.0:
            return "no_cycle"  # beyond the tip the cycle grows again, turned round
        n = self._curve.n
        moves = None if before is None else [(b - a)[n:] / self.scale[n:] for a, b in ((before[0], last), (last, u))]
        # at a cusp two folds meet: beyond it is no border
        return "other_branch" if moves and moves[0] @ moves[1] < 0.0 else None


def borders(system, names, bounds, period, x, p, monitor):
    """The two borders, below and above along the second parameter, of the tongue of an attracting cycle.

    `names` are two parameters within `bounds` ((low, high), ...); the cycle has the `period` and goes through x (n,) at
    the values p (2,). Returns for both sides (points (count, n + 2) of states and parameters, (why the border ends
    there, and at its other end)), or None where there is no fold within the bounds.
    """
    jets, one = Jets(system, names, period), Jets(system, names)
    sides = {0: None, 1: None}
    across = Line(problem_of("fold", jets, bounds, x, p), p, 1)
    for sense in (1.0, -1.0):
        guess = _first_fold(across, x, p, sense, monitor)
        if guess is None:
            continue
        curve = problem_of("fold", jets, bounds, guess[:-2], guess[-2:])
        fold, converged = pseudo_arclength.settled(curve, guess)
        if converged:
            sides[int(fold[-1] > p[1])] = _both_ways(_Border(curve, one, period), fold, monitor)
    return sides[0], sides[1]


def _first_fold(line, x, p, sense, monitor):
    """The state and parameters where the cycle turns back when the second parameter is changed."""
    start = np.append(x, p[1])
    for _ in range(_NEWTON):
        residual, jacobian = line.equations(start)
        start[:-1] += newton.steps(residual[None], jacobian[None, :, :-1])[0]
    if not abs(line.equations(start)[0]).max() <= _AT_REST:
        return None
    tangent = pseudo_arclength.first_tangent(line, start)
    step, most = _ACROSS
    branch = pseudo_arclength.follow(
        line, start, sense * tangent, step=step, most_points=most, monitor=monitor, longest=4 * step
    )
    turns = [point for point in branch.points[1:] if point.special]
    return line.unknowns(turns[0].u) if turns else None


def _both_ways(problem, u, monitor):
    tangent = pseudo_arclength.first_tangent(problem, u)
    back, first = _to_the_end(problem, u, -tangent, monitor)
    on, last = _to_the_end(problem, u, tangent, monitor)
    return np.array([*back[:0:-1], *on]), (first, last)


def _to_the_end(problem, u, tangent, monitor):
    """Points from u on, in finer steps where the tip is near, and why they end."""
    problem.begin()
    branch = pseudo_arclength.follow(
        problem, u, tangent, step=_STEP, most_points=_MOST, monitor=monitor, longest=_LONGEST
    )
    points = branch.points
    if branch.end in ("no_cycle", "other_branch"):
        short = _LONGEST / _FINER
        rest = pseudo_arclength.follow(
            problem, points[-1].u, points[-1].tangent, step=short, most_points=2 * _FINER, monitor=monitor,
            longest=short,
        )  # fmt: skip
        points = points + rest.points[1:]
    return [point.u for point in points], branch.end
