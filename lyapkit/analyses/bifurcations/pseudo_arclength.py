"""Pseudo-arclength continuation: curves of solutions u of N equations in N + 1 unknowns, through folds.

A step goes along the tangent and is corrected by Newton's method in the hyperplane across it (Keller, in Applications
of Bifurcation Theory, ed. Rabinowitz (1977) 359; Allgower & Georg, Numerical Continuation Methods (1990), ch. 6). Its
length follows the iterations needed and the turn of the tangent. Zeros of test functions are located by Brent's method
along the curve, and a curve that leaves its bounds ends exactly on them.

A problem has

    equations(u) -> (residual (N,), jacobian (N, N + 1)), not finite where there is nothing
    scale (N + 1,)    the units in which lengths are measured
    bounds            (index, low, high) of unknowns that must stay inside
    tests(u, jacobian, tangent) -> {name: value}, whose zeros are special points
    arrived(u)        called at every point that the curve has reached, in order; may change the scale
    inspect(u, tangent) -> the name of a reason (a key of flags.END) to end before this point, or None
"""

import dataclasses
import math

import numpy as np
from scipy.optimize import brentq

_ITERATIONS = 10
_CONVERGED = 1e-8  # a change below this, in units of the scale, leaves its square
_ROUNDING = 1e-11  # a change that shrinks no more is accepted below this
_EXACT = 1e-13  # a residual this small, relative to its terms, is that of a solution, whatever step it asks for
_SINGULAR = 1e12  # a tangent that is solved for grows to this just at a branch point
_FAR = 1e-5  # a step that such a residual does not warrant
_EASY, _HARD = 3, 6  # iterations from which steps grow and shrink
_GROWTH = 1.6
_LEAST_COSINE = 0.95  # between the tangents of neighbours
_FARTHEST = 0.3  # of a step, from what was predicted: farther away is another curve
_SHORTEST = 1e-7  # step, in units of the scale
_LOCATED = 1e-13  # of a step
_NOISE = 1e-11  # tests this small at both neighbours vanish all along, but for rounding
_VANISHES = 1e-5  # a zero that is found is smaller than this, relative to the test's values around it
_ON_BOUND = 1e-8  # a start this near to a bound, in units of the scale, lies on it
_SAME = 1e-6  # of a step: special points nearer than this are one


@dataclasses.dataclass
class Point:
    """A point of a curve: unknowns, unit tangent in units of a scale, tests, and those that vanish here."""

    u: np.ndarray
    tangent: np.ndarray
    tests: dict
    special: tuple = ()
    scale: np.ndarray | None = None

    def measured_in(self, scale):
        """The same point with its tangent in units of another scale."""
        if self.scale is None or self.scale is scale:
            return self
        tangent = self.tangent * self.scale / scale
        return dataclasses.replace(self, tangent=tangent / np.linalg.norm(tangent), scale=scale)


@dataclasses.dataclass
class Branch:
    """Points in the order of the curve, and why it ends: a key of flags.END."""

    points: list
    end: str


def first_tangent(problem, u):
    """A unit tangent (N + 1,), in units of the scale, to the curve at its point u."""
    jacobian = problem.equations(u)[1] * problem.scale
    return np.linalg.svd(jacobian)[2][-1] if np.isfinite(jacobian).all() else np.full(len(u), np.nan)


def settled(problem, u):
    """The point of the curve nearest to a guess u, by Gauss-Newton steps; and whether they converge."""
    before = np.inf
    with np.errstate(all="ignore"):
        for _ in range(3 * _ITERATIONS):
            residual, jacobian = problem.equations(u)
            if not (np.isfinite(residual).all() and np.isfinite(jacobian).all()):
                return u, False
            change = np.linalg.lstsq(jacobian * problem.scale, -residual, rcond=None)[0]
            size = np.linalg.norm(change)
            u = u + problem.scale * change * min(1.0, 0.3 / size if size else 1.0)
            if size <= _CONVERGED or before <= size <= _ROUNDING:
                return u, True
            before = size
    return u, False


def snapped(problem, u, beyond=_ON_BOUND):
    """The point u of a curve, or where it lies on a bound but for rounding, the curve's point exactly there.

    So too where it lies up to `beyond`, in units of the scale, outside of a bound.
    """
    for index, low, high in problem.bounds:
        for bound, outside in ((low, u[index] < low), (high, u[index] > high)):
            reach = beyond if outside else _ON_BOUND
            if 0.0 < abs(u[index] - bound) <= reach * problem.scale[index]:
                across, guess = np.zeros(len(u)), u.copy()
                across[index], guess[index] = 1.0, bound
                there, _, _, converged = correct(problem, guess, across)
                if converged:
                    there[index], u = bound, there
    return u


def correct(problem, predicted, tangent):
    """Newton's method in the hyperplane across the tangent: (u, its jacobian, iterations, whether it converged)."""
    u, before = predicted, np.inf
    for iteration in range(1, _ITERATIONS + 1):
        residual, jacobian = problem.equations(u)
        change = _solved(jacobian * problem.scale, tangent, -residual)
        if change is None:
            return u, jacobian, iteration, False
        size = np.linalg.norm(change)
        if size > min(0.5 * before, _FAR) and (abs(residual) <= _EXACT * (1.0 + abs(jacobian) @ abs(u))).all():
            return u, jacobian, iteration, True  # at a branch point, where a step would follow rounding
        u = u + problem.scale * change
        if size <= _CONVERGED or before <= size <= _ROUNDING:
            return u, jacobian, iteration, True
        if size > 4.0 * before:
            break
        before = size
    return u, jacobian, iteration, False


def _solved(jacobian, tangent, right):
    """The change that solves the linearised equations and keeps to the hyperplane; None where there is none."""
    matrix = np.concatenate([jacobian, tangent[None]])
    right = np.append(right, 0.0)
    if not (np.isfinite(matrix).all() and np.isfinite(right).all()):
        return None
    try:
        change = np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        change = np.linalg.lstsq(matrix, right, rcond=None)[0]
    return change if np.isfinite(change).all() else None


def turned(problem, jacobian, before):
    """The unit tangent that the jacobian has, in the sense of the one before."""
    along = np.zeros(len(before))
    along[-1] = 1.0
    matrix = np.concatenate([jacobian * problem.scale, before[None]])
    try:
        tangent = np.linalg.solve(matrix, along)
    except np.linalg.LinAlgError:  # just at a branch point
        return before
    size = np.linalg.norm(tangent)
    return tangent / size if 0.0 < size < _SINGULAR else before


def follow(problem, u, tangent, *, step, most_points, monitor, longest=None, closes=True):
    """The curve from its point u in the sense of a tangent; the first of its points is u.

    step: length of the first step, in units of the scale; `longest` that of any, default eight times the first.
    closes: whether it ends where it comes back to its beginning.
    """
    with np.errstate(all="ignore"):
        return _followed(problem, u, tangent, step, most_points, monitor, longest or 8.0 * step, closes)


def _followed(problem, u, tangent, step, most_points, monitor, longest, closes):
    jacobian = problem.equations(u)[1]
    problem.arrived(u)
    points = [Point(u, tangent, problem.tests(u, jacobian, tangent), scale=problem.scale)]
    length = step
    if _outside(problem, u + 1e-9 * problem.scale * tangent):
        return Branch(points, "bound")
    while len(points) < most_points:
        monitor.add(0)
        here = points[-1]
        there, iterations, why = _next(problem, here, length)
        if there is None:
            length *= 0.5
            if length < _SHORTEST:
                return Branch(points, why)
            continue
        landed = _outside(problem, there.u)
        if landed:
            there, length = _on_bound(problem, here, there, length, landed)
            if there is None:
                return Branch(points, "stalled")
        reason = problem.inspect(there.u, there.tangent)
        points += _located(problem, here, there, length, len(points) == 1)
        if reason is not None:
            return Branch(points, reason)
        before = problem.scale
        problem.arrived(there.u)
        points.append(there)
        if problem.scale is not before:
            length *= np.linalg.norm(there.tangent * before / problem.scale)
            points[-1] = there.measured_in(problem.scale)
        monitor.add(1)
        if landed:
            return Branch(points, "bound")
        if closes and _back(problem, points, length):
            return Branch([*points[:-1], dataclasses.replace(points[0])], "closed")
        length = min(longest, length * _factor(iterations))
    return Branch(points, "most_points")


def _factor(iterations):
    return _GROWTH if iterations <= _EASY else 0.6 if iterations >= _HARD else 1.0


def _next(problem, here, length):
    """The point a length further on, iterations, and what else is in the way: a key of flags.END."""
    u, jacobian, iterations, converged = correct(problem, here.u + length * problem.scale * here.tangent, here.tangent)
    if not converged:
        return None, iterations, "stalled" if np.isfinite(u).all() and np.isfinite(jacobian).all() else "not_finite"
    tangent = turned(problem, problem.equations(u)[1], here.tangent)
    away = np.linalg.norm((u - here.u) / problem.scale - length * here.tangent)
    if not (tangent @ here.tangent >= _LEAST_COSINE and away <= _FARTHEST * length):
        return None, iterations, "stalled"
    return Point(u, tangent, problem.tests(u, jacobian, tangent), scale=problem.scale), iterations, None


def _outside(problem, u):
    """The bounds (index, value) that u is beyond."""
    low = [(i, low) for i, low, _ in problem.bounds if u[i] < low]
    return low + [(i, high) for i, _, high in problem.bounds if u[i] > high]


def _on_bound(problem, here, there, length, crossed):
    """The point on the first bound that is crossed, and how far it is."""
    first, nearest = None, math.inf
    for index, value in crossed:
        found = _zero(problem, here, length, lambda point, i=index, v=value: point.u[i] - v, there)
        if found is not None and found[1] < nearest:
            first, nearest = (found[0], index, value), found[1]
    if first is None:
        return None, length
    point, index, value = first
    point.u[index] = value  # exactly
    return point, nearest


def _located(problem, here, there, length, first):
    """Special points between two neighbours, in order; the first of all, special itself, is not found again."""
    found = []
    for name, value in there.tests.items():
        before = here.tests.get(name, np.nan)
        noise = max(abs(before), abs(value)) <= _NOISE
        if not before * value < 0.0 or noise or (first and abs(before) <= _VANISHES * abs(value)):
            continue
        outcome = _zero(problem, here, length, lambda point, name=name: point.tests[name], there)
        if outcome is None:
            continue
        point, distance = outcome
        if abs(point.tests[name]) <= _VANISHES * max(abs(before), abs(value)):  # no pole, and no jump
            found.append((distance, name, point))
    found.sort(key=lambda one: one[0])
    points, last = [], -math.inf
    for distance, name, point in found:
        if distance - last <= _SAME * length:
            points[-1].special += (name,)
        else:
            point.special = (name,)
            points.append(point)
        last = distance
    return points


def _zero(problem, here, length, value, there):
    """(point, its distance) between two neighbours where value(point) changes its sign; None if it cannot be found."""
    known = {0.0: here, length: there}

    def at(distance):
        point = _between(problem, here, there, distance, length)
        if point is None:
            raise ArithmeticError
        known[distance] = point
        return value(point)

    low, high = value(here), value(there)
    if low == 0.0:
        return _copied(here), 0.0
    if high == 0.0 or not low * high < 0.0:
        return (_copied(there), length) if high == 0.0 else None
    try:
        found = brentq(
            lambda s: low if s == 0.0 else high if s == length else at(s), 0.0, length, xtol=_LOCATED * length
        )
    except (ArithmeticError, ValueError):
        return None
    if found not in known:
        at(found)
    return _copied(known[found]), found


def _copied(point):
    return dataclasses.replace(point, u=point.u.copy(), special=())


def _between(problem, here, there, distance, length):
    """The point of the curve at a distance from one towards its neighbour."""
    share = distance / length
    guess = here.u + share * (there.u - here.u)
    across = here.tangent + share * (there.tangent - here.tangent)
    across = across / np.linalg.norm(across)
    u, jacobian, _, converged = correct(problem, guess, across)
    if not converged:
        return None
    tangent = turned(problem, problem.equations(u)[1], across)
    return Point(u, tangent, problem.tests(u, jacobian, tangent), scale=problem.scale)


def _back(problem, points, length):
    """Whether the curve has come back to its first point, and goes on as there."""
    if len(points) < 4:
        return False
    first, last = points[0], points[-1]
    away = (last.u - first.u) / problem.scale
    before = (points[-2].u - first.u) / problem.scale
    along = last.tangent @ first.tangent > 0.5
    passed = (before @ first.tangent) * (away @ first.tangent) <= 0.0
    return bool(along and passed and np.linalg.norm(away) <= length)
