"""All zeros of a function of a few variables in a box, with proof: interval Newton over boxes that are cut in two.

A box is thrown away where the interval of the function over it does not hold zero, by itself or by the mean value form.
Krawczyk's operator K(X) = c - C f(c) + (1 - C J(X)) (X - c), with C near the inverse of J(c), holds all zeros of
X; where K(X) lies inside X, there is exactly one. It is applied to a box somewhat larger than X, so that zeros on
cuts are found from either side. Many boxes, of many parameter points, are treated at once, elementwise and the
boxes last: what happens to one depends on no other.

Krawczyk, Computing 4 (1969) 187; Neumaier, Interval Methods for Systems of Equations, Cambridge (1990).
"""

import dataclasses

import numpy as np

_EPS = np.finfo(float).eps
_CUT = 0.4871  # where a side is cut: not in the middle, where zeros of symmetric systems lie
_MARGIN = 1 / 16  # of its size, by which a box is enlarged on either side for the proof
_LEAST_MARGIN = 1e-11  # of the whole box: far above the rounding of the proof
_LEAST = 1e-8  # size, relative to the whole box, from which a box stays undecided
_FEW = 2**10  # boxes of one point that may remain when they have become small, else there is a continuum of zeros
_SMALL = 2.0**-9
_MOST = 2**17  # boxes of one point that are examined in all
_CHUNK = 2**13  # boxes at once, so that their arrays stay in the cache
_REFINEMENTS = 100  # at most; a dozen where the first box is small


@dataclasses.dataclass
class Boxes:
    """Boxes (n, count) of parameter points (count,)."""

    low: np.ndarray
    high: np.ndarray
    point: np.ndarray

    def __len__(self):
        return len(self.point)

    def __getitem__(self, chosen):
        return Boxes(self.low[:, chosen], self.high[:, chosen], self.point[chosen])

    @property
    def size(self):
        """Sides of the boxes (n, count)."""
        return self.high - self.low

    @property
    def middle(self):
        """Their middles (n, count)."""
        return self.low + 0.5 * (self.high - self.low)

    def cut_with(self, other):
        """The intersections; some may be empty."""
        return Boxes(np.maximum(self.low, other.low), np.minimum(self.high, other.high), self.point)

    def inside(self, other):
        """Whether each lies in the interior of the other one (count,)."""
        return ((self.low > other.low) & (self.high < other.high)).all(axis=0)


def joined(parts, n):
    """All boxes of a list in one."""
    empty = [np.empty((n, 0)), np.empty((n, 0)), np.empty(0, dtype=np.int64)]
    lists = zip(empty, *([p.low, p.high, p.point] for p in parts), strict=True)
    return Boxes(*(np.concatenate(one, axis=-1) for one in lists))


@dataclasses.dataclass
class Zeros:
    """What was found: small boxes with exactly one zero each, and boxes that remain undecided."""

    proved: Boxes
    undecided: Boxes
    unsure: np.ndarray  # points (points,) where something is not proved
    exhausted: np.ndarray  # points (points,) where boxes were left before they were small


def find_zeros(enclosure, fixed, low, high, monitor):
    """All zeros in the boxes low, high (n, points), one for each point; `fixed` is that of the enclosure."""
    n, points = low.shape
    start = Boxes(low, high, np.arange(points))
    queue, unique, surroundings, undecided = start, [], [], []
    examined = np.zeros(points, dtype=np.int64)
    with np.errstate(all="ignore"):
        while len(queue):
            examined += np.bincount(queue.point, minlength=points)
            rest = []
            for at in range(0, len(queue), _CHUNK):
                monitor.add(0)
                found, around, left = _examine(enclosure, fixed, queue[slice(at, at + _CHUNK)], start)
                unique.append(found)
                surroundings.append(around)
                rest.append(left)
            queue, given_up = _sorted_out(joined(rest, n), start, examined)
            undecided.append(given_up)
        zeros, bad = _refined(enclosure, fixed, joined(unique, n), joined(surroundings, n), start)
    undecided = joined(undecided, n)
    unsure = bad | (np.bincount(undecided.point, minlength=points) > 0)
    return Zeros(zeros, undecided, unsure, examined > _MOST)


def _examine(enclosure, fixed, boxes, start):
    """(boxes with one zero, the boxes in which it is the only one, boxes to go on with) of some boxes."""
    low, high = enclosure.value(boxes.low, boxes.high, fixed, boxes.point)
    boxes = boxes[_may_vanish(low, high)]
    whole = start.size[:, boxes.point]
    longest = _relative(boxes.size, whole).max(axis=0)
    wide = _MARGIN * np.maximum(boxes.size, 0.01 * longest * whole) + _LEAST_MARGIN * whole + 1e-300
    around = Boxes(boxes.low - wide, boxes.high + wide, boxes.point)
    image, bounded, alive = _krawczyk(enclosure, fixed, around)
    one = image.inside(around) & bounded
    narrowed = boxes.cut_with(image)
    narrowed = Boxes(
        np.where(bounded, narrowed.low, boxes.low), np.where(bounded, narrowed.high, boxes.high), boxes.point
    )
    alive &= (narrowed.low <= narrowed.high).all(axis=0)
    proved = one & alive
    left = alive & ~one
    return image[proved], around[proved], _halved(narrowed[left], boxes.size[:, left])


def _relative(size, whole):
    """Sides relative to those of the whole box, 0 where that is a point."""
    return np.where(whole > 0.0, size / np.where(whole > 0.0, whole, 1.0), 0.0)


def _may_vanish(low, high):
    """Where no component is certainly above or below zero; an empty one, NaN, is neither."""
    return ((low <= 0.0) & (high >= 0.0)).all(axis=0)


def _halved(boxes, before):
    """Boxes cut at their longest side, unless that has just shrunk to less than half."""
    count = np.arange(len(boxes))
    side = boxes.size.argmax(axis=0)
    shrunk = boxes.size[side, count] < 0.5 * before.max(axis=0)
    kept, cut = boxes[shrunk], boxes[~shrunk]
    side, count = side[~shrunk], np.arange(len(cut))
    place = cut.low[side, count] + _CUT * cut.size[side, count]
    upper, lower = cut.low.copy(), cut.high.copy()
    upper[side, count], lower[side, count] = place, place
    return joined([kept, Boxes(cut.low, lower, cut.point), Boxes(upper, cut.high, cut.point)], len(boxes.low))


def _krawczyk(enclosure, fixed, boxes):
    """(K(X), where it says something, where the mean value form may vanish) for boxes X.

    Sums of n terms are formed in doubles; `more` covers their rounding.
    """
    n, centre = len(boxes.low), boxes.middle
    radius = np.maximum(boxes.high - centre, centre - boxes.low) * (1 + 4 * _EPS)
    _, (j_low, j_high), smooth, rounds = enclosure.value_and_jacobian(boxes.low, boxes.high, fixed, boxes.point)
    low, high = enclosure.value(centre, centre, fixed, boxes.point, rounds)
    more = 1 + 8 * (n + 2) * _EPS
    slopes = np.maximum(abs(j_low), abs(j_high))
    reach = _sum(slopes[:, j] * radius[j] for j in range(n)) * more
    bounded = np.isfinite(slopes).all(axis=(0, 1)) & np.isfinite(low).all(axis=0) & np.isfinite(high).all(axis=0)
    alive = ~(bounded & smooth) | _may_vanish(low - reach * more, high + reach * more)
    middle = np.where(bounded, j_low + 0.5 * (j_high - j_low), np.eye(n)[:, :, None])
    spread = np.where(bounded, np.maximum(j_high - middle, middle - j_low) * (1 + 4 * _EPS), 0.0)
    inverse, regular = _inverses(middle)
    product = _sum(inverse[:, i, None] * middle[i] for i in range(n))
    size = _sum(abs(inverse[:, i, None]) * abs(middle[i]) for i in range(n))
    wide = _sum(abs(inverse[:, i, None]) * spread[i] for i in range(n))
    excess = abs(product - np.eye(n)[:, :, None]) + wide + 4 * (n + 2) * _EPS * (size + 1.0)
    value, error = low + 0.5 * (high - low), (high - low) * 0.5 * (1 + 4 * _EPS)
    step = _sum(inverse[:, i] * value[i] for i in range(n))
    blur = _sum(abs(inverse[:, i]) * (error[i] + 4 * (n + 2) * _EPS * abs(value[i])) for i in range(n))
    extent = (_sum(excess[:, j] * radius[j] for j in range(n)) + blur) * more
    place = centre - step
    extent = extent + 4 * _EPS * (abs(centre) + abs(step)) + 1e-300
    image = Boxes(place - extent, place + extent, boxes.point)
    said = bounded & smooth & regular & np.isfinite(extent).all(axis=0)
    return image, said, alive


def _sum(terms):
    """One after the other: the same bits for any number of boxes."""
    total = None
    for term in terms:
        total = term if total is None else total + term
    return total


def _inverses(matrices):
    """Inverses of matrices (n, n, count), 0 where there is none."""
    stack = np.ascontiguousarray(np.moveaxis(matrices, -1, 0))
    determinants = np.linalg.det(stack)
    regular = np.isfinite(determinants) & (determinants != 0.0)
    stack[~regular] = np.eye(len(matrices))
    inverses = np.linalg.inv(stack)
    inverses[~regular] = 0.0
    return np.ascontiguousarray(np.moveaxis(inverses, 0, -1)), regular


def _sorted_out(queue, start, examined):
    """(boxes to go on with, boxes that are given up: too small, or of points with too many)."""
    points = len(start)
    relative = _relative(queue.size, start.size[:, queue.point]).max(axis=0)
    resolution = (queue.size <= 4 * _EPS * np.maximum(abs(queue.low), abs(queue.high))).all(axis=0)
    small = np.bincount(queue.point, relative < _SMALL, minlength=points)
    hopeless = (small > _FEW) | (examined > _MOST)
    out = (relative < _LEAST) | resolution | hopeless[queue.point]
    return queue[~out], queue[out]


def _refined(enclosure, fixed, zeros, around, start):
    """Boxes around zeros made as small as rounding lets them, each zero once; points (points,) where that failed."""
    active = np.arange(len(zeros))
    for _ in range(_REFINEMENTS):
        image, said, _ = _krawczyk(enclosure, fixed, zeros[active])
        before, smaller = zeros[active].size.max(axis=0, initial=0.0), zeros[active].cut_with(image)
        good = said & (smaller.low <= smaller.high).all(axis=0)
        zeros.low[:, active[good]], zeros.high[:, active[good]] = smaller.low[:, good], smaller.high[:, good]
        active = active[good & (smaller.size.max(axis=0, initial=0.0) < 0.999 * before)]
    whole = start[zeros.point]
    within = ((zeros.high >= whole.low) & (zeros.low <= whole.high)).all(axis=0)
    zeros, around = zeros[within], around[within]
    kept, bad = np.ones(len(zeros), dtype=bool), np.zeros(len(start), dtype=bool)
    for point in np.unique(zeros.point):
        chosen = np.flatnonzero(zeros.point == point)
        first, doubtful = _each_once(zeros[chosen], around[chosen])
        kept[chosen] = first
        bad[point] = doubtful
    return zeros[kept], bad


def _each_once(zeros, around):
    """(which of one point's zeros to keep (count,), whether two could neither be told apart nor proved the same)."""
    apart = (zeros.low[:, :, None] > zeros.high[:, None]) | (zeros.high[:, :, None] < zeros.low[:, None])
    apart = apart.any(axis=0)
    within = (zeros.low[:, :, None] >= around.low[:, None]) & (zeros.high[:, :, None] <= around.high[:, None])
    within = within.all(axis=0)  # zero i lies where zero j is the only one
    same = ~apart
    doubtful = (same & ~within & ~within.T).any()
    kept = np.ones(len(zeros), dtype=bool)
    for i in range(len(zeros)):
        kept[i] = not (same[i, :i] & kept[:i]).any()
    return kept, bool(doubtful)
