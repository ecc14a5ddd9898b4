"""The fixed points at every point of a grid: proved on a coarse one, followed by Newton's method in between.

The grid is filled in levels, each of half the last one's spacing. Where the corners of a point's cell have the same
number of fixed points, those of one corner are followed to it; where they differ, or Newton's method does not lead
to as many, its fixed points are found anew (see `fixed_points`). What is born and dies within one cell of the first
level, of `COARSEST` points a side, is not seen.
"""

import dataclasses
import itertools

import numpy as np

from lyapkit.analyses.orbits.points import repeated, select
from lyapkit.analyses.stationary.newton import residual_and_jacobian
from lyapkit.analyses.stationary.stability import leading
from lyapkit.flags import COMPLETE, STABLE, STATUS
from lyapkit.scanning.pool import run_to_end
from lyapkit.vocabulary import empty

COARSEST, SMALL = 8, 1024  # spacing of the first level; grids up to this many points are of one level
_FOUND_ANEW, _FOLLOWED = 512, 1024  # points of one task
_ROUNDS = 10  # of Newton's method
_ARRIVED = 1e-11  # last step, relative to 1 + |x|: the next one would be rounding
_APART = 1e-6  # points nearer than this, relative to 1 + |x|, are one


@dataclasses.dataclass(frozen=True)
class CountedPoints:
    """Fixed points states (points, most, n), NaN beyond their count (points,), with their stability.

    complete (points,): proved to be all, or followed from where they are; followed (points,): the latter.
    eigenvalue (points, most): the leading one; full (points,): where there was no room for more.
    """

    states: np.ndarray
    count: np.ndarray
    complete: np.ndarray
    eigenvalue: np.ndarray
    stable: np.ndarray
    full: np.ndarray
    followed: np.ndarray

    def of(self, chosen):
        """Those of some points."""
        return CountedPoints(*(getattr(self, field.name)[chosen] for field in dataclasses.fields(self)))


def counted_points(plan, shape, values, initial_states, workers, monitor):
    """The fixed points that a `fixed_points` plan finds on a grid; values name -> (points,), states (points, n)."""
    count, n, most = len(initial_states), plan.system.dimension, plan.most_points
    found = CountedPoints(
        np.full((count, most, n), np.nan), np.zeros(count, dtype=np.int64), np.zeros(count, dtype=bool),
        np.full((count, most), np.nan + 0j), empty("stable", (count, most)), np.zeros(count, dtype=bool),
        np.zeros(count, dtype=bool),
    )  # fmt: skip
    for level, corners in _levels(shape):
        alike = np.zeros(len(level), dtype=bool)
        if corners is not None:
            same = (found.count[corners] == found.count[corners[:, :1]]).all(axis=1)
            alike = same & found.complete[corners].all(axis=1)
            followed = np.flatnonzero(alike)

            def follow(at, level=level, corners=corners, followed=followed, alike=alike):
                part = followed[at : at + _FOLLOWED]
                alike[part] = _follow(plan, values, found, level[part], corners[part, 0])
                monitor.add(len(part))

            run_to_end(follow, range(0, len(followed), _FOLLOWED), workers, monitor)
        rest = level[~alike]

        def find(at, rest=rest):
            part = rest[at : at + _FOUND_ANEW]
            _find(plan, values, initial_states, found, part, monitor)
            monitor.add(len(part))

        run_to_end(find, range(0, len(rest), _FOUND_ANEW), workers, monitor)
    return found


def _levels(shape):
    """For each level the indices (count,) of its grid points, and of the corners (count, 2^d) of their cells.

    Corners are points of earlier levels, None on the first one.
    """
    grid = np.arange(np.prod(shape)).reshape(shape)
    spacing, done = COARSEST, np.zeros(shape, dtype=bool)
    before = None
    if grid.size <= SMALL:
        spacing = 1
    while spacing:
        axes = [np.unique(np.append(np.arange(0, size, spacing), size - 1)) for size in shape]
        inside = np.zeros(shape, dtype=bool)
        inside[np.ix_(*axes)] = True
        new = np.argwhere(inside & ~done)
        corners = None if before is None else _corners(grid, new, before)
        if len(new):
            yield grid[tuple(new.T)], corners
        done |= inside
        before, spacing = axes, spacing // 2


def _corners(grid, new, axes):
    """Corners (count, 2^d) of the cells, between lines at the `axes`, in which the points `new` (count, d) lie."""
    sides = []
    for column, axis in zip(new.T, axes, strict=True):
        above = np.searchsorted(axis, column)
        exact = axis[above] == column
        sides.append((axis[np.where(exact, above, above - 1)], axis[above]))
    return np.stack([grid[tuple(corner)] for corner in itertools.product(*sides)], axis=1)


def _find(plan, values, initial_states, found, index, monitor):
    """Find the fixed points at the grid points `index` anew."""
    part = plan.measure(select(values, index), initial_states[index], monitor)
    found.states[index] = part["state"]
    found.count[index] = np.minimum(part["n_fixed_points"], plan.most_points)
    found.complete[index] = part["complete"] == COMPLETE["proved"]
    found.eigenvalue[index] = part["eigenvalue"][..., 0]
    found.stable[index] = part["stable"]
    found.full[index] = part["status"] == STATUS["too_many"]


def _follow(plan, values, found, index, corner):
    """Follow the corners' fixed points to the grid points `index`; whether this led to as many (count,)."""
    system, count = plan.system, found.count[corner]
    most = max(int(count.max(initial=0)), 1)
    there = np.arange(most) < count[:, None]
    start = np.where(there[..., None], found.states[corner, :most], 0.0).reshape(-1, system.dimension)
    own = np.flatnonzero(there.ravel())
    ends = np.full_like(start, np.nan)
    jacobians = np.full((len(start), *[system.dimension] * 2), np.nan)
    inside = select(repeated(select(values, index), most), own)
    ends[own], jacobians[own], arrived = _newton(system, start[own], inside)
    well = np.ones(len(start), dtype=bool)
    well[own] = arrived
    ends, well = ends.reshape(len(index), most, -1), well.reshape(len(index), most).all(axis=1)
    well &= _distinct(ends) & _within(plan, ends)
    kept = there.ravel() & np.repeat(well, most)
    roots, stable = leading(jacobians[kept], system.kind)
    owner, place = np.divmod(np.flatnonzero(kept), most)
    found.states[index[owner], place] = ends[owner, place]
    found.eigenvalue[index[owner], place], found.stable[index[owner], place] = roots, stable
    found.count[index[well]] = count[well]
    found.complete[index[well]] = found.followed[index[well]] = True
    return well


def _newton(system, states, values):
    """Ends (count, n) of Newton's method, their Jacobians, and which have arrived (count,)."""
    x, arrived = states.copy(), np.zeros(len(states), dtype=bool)
    slopes = np.full((len(states), *[system.dimension] * 2), np.nan)
    going = np.arange(len(states))
    with np.errstate(all="ignore"):
        for _ in range(_ROUNDS):
            if not len(going):
                break
            wrong, jacobians = residual_and_jacobian(system, x[going], select(values, going))
            slopes[going] = jacobians
            sane = np.isfinite(wrong).all(axis=1) & (abs(np.linalg.det(jacobians)) > 0.0)
            going, wrong, jacobians = going[sane], wrong[sane], jacobians[sane]
            step = np.linalg.solve(jacobians, -wrong[..., None])[..., 0]
            x[going] += step
            short = abs(step).max(axis=1) <= _ARRIVED * (1.0 + abs(x[going]).max(axis=1))
            arrived[going[short]] = True
            going = going[~short]
    if system.kind == "map":
        slopes = slopes + np.eye(system.dimension)
    return x, slopes, arrived & np.isfinite(x).all(axis=1)


def _distinct(states):
    """Whether no two of the states (points, most, n) are one (points,)."""
    units = np.ascontiguousarray(np.moveaxis(states, 0, -1))  # (most, n, points)
    reach = _APART * (1.0 + abs(units).max(axis=1))
    apart = np.ones(len(states), dtype=bool)
    for i, j in itertools.combinations(range(len(units)), 2):
        apart &= ~(abs(units[i] - units[j]) <= reach[i]).all(axis=0)
    return apart


def _within(plan, states):
    """Whether all states (points, most, n) lie in the box that was given, if any."""
    if plan.box is None:
        return np.ones(len(states), dtype=bool)
    low, high = plan.box
    return ~((states < low) | (states > high)).any(axis=(1, 2))


def n_stable(found):
    """How many are stable (points,), and whether the stability of any is undecided (points,)."""
    return (found.stable == STABLE["stable"]).sum(axis=1), (found.stable == STABLE["undecided"]).any(axis=1)
