"""Turns of orbits about a centre: their increments, and means of them that neither cut nor lose digits.

All arrays end in the lane axis. Sums over time are made by halving, so that their bits do not depend on how many lanes
there are, and their rounding stays that of a few additions.
"""

import dataclasses

import numpy as np

# The increments' largest gap must be this wide (turns), or no branch of the angle is continuous along the orbit.
LEAST_GAP = 1 / 64
# A distance from the centre, relative to the orbit's size, at which half of the angle's digits are gone.
NEAR = 1e-8


@dataclasses.dataclass(frozen=True)
class Angle:
    """What turns: the units `plane` about `centre` (2,), or a single unit that is an angle itself (rad)."""

    plane: tuple
    centre: np.ndarray
    is_angle: bool

    def increments(self, states):
        """Turns (T, L) in (-1/2, 1/2] between successive states (T + 1, n, L), and squared radii (T + 1, L)."""
        if self.is_angle:
            angle = states[:, self.plane[0]] / (2 * np.pi)
            step = angle[1:] - angle[:-1]
            return step - np.round(step), np.ones_like(angle)
        x, y = (states[:, unit] - level for unit, level in zip(self.plane, self.centre, strict=True))
        cross = x[:-1] * y[1:] - y[:-1] * x[1:]
        along = x[:-1] * x[1:] + y[:-1] * y[1:]
        return np.arctan2(cross, along) / (2 * np.pi), x * x + y * y

    def radius(self, states):
        """Distance (points,) of states (points, n) from the centre."""
        if self.is_angle:
            return np.ones(len(states))
        return np.hypot(*(states[:, unit] - level for unit, level in zip(self.plane, self.centre, strict=True)))


def total(terms):
    """Sum over the first axis, which is a power of two long, by halving."""
    while len(terms) > 1:
        half = len(terms) // 2
        terms = terms[:half] + terms[half:]
    return terms[0]


def branch(increments):
    """Where to cut the circle of increments (T, L): the middle (L,) of the largest gap, and its width (L,)."""
    ordered = np.sort(increments, axis=0)
    gaps = np.concatenate([ordered[1:], ordered[:1] + 1.0]) - ordered
    widest = np.argmax(gaps, axis=0)[None]
    width = np.take_along_axis(gaps, widest, axis=0)[0]
    return np.take_along_axis(ordered, widest, axis=0)[0] + 0.5 * width, width


def unwrapped(increments, cut):
    """Increments (T, L) in [cut - 1, cut)."""
    return increments + np.where(increments < cut - 1.0, 1.0, np.where(increments >= cut, -1.0, 0.0))


def bump(first, count, steps):
    """Weights exp(-1/(s (1 - s))), s = (j + 1) / (steps + 1), of the increments j = first, ... of a run; else 0."""
    s = (np.arange(first, first + count) + 1.0) / (steps + 1.0)
    inside = (s > 0.0) & (s < 1.0)
    s = np.where(inside, s, 0.5)
    return np.where(inside, np.exp(-1.0 / (s * (1.0 - s))), 0.0)


class Mean:
    """Sums of increments over a run of `steps`: weighted over the whole and both halves, plain by chunks."""

    def __init__(self, steps, lanes):
        self.steps, self.done = steps, 0
        self.weighted = np.zeros((3, 2, lanes))
        self.batches = []
        self.cut = None
        self.low, self.high = np.full(lanes, np.inf), np.full(lanes, -np.inf)
        self.nearest, self.farthest = np.full(lanes, np.inf), np.zeros(lanes)

    def add(self, increments, squares):
        """The next chunk of increments (T, L) and squared radii, T a power of two; what is beyond the run is left."""
        chunk = len(increments)
        used = min(chunk, self.steps - self.done)
        if self.cut is None:
            self.cut = branch(increments)[0]
        turns = unwrapped(increments, self.cut)
        half = self.steps // 2
        for row, (start, length) in enumerate(((0, self.steps), (0, half), (half, half))):
            weights = bump(self.done - start, chunk, length)
            if weights.any():
                self.weighted[row, 0] += total(weights[:, None] * turns)
                self.weighted[row, 1] += weights.sum()
        if used < chunk:
            turns, squares = turns[:used], squares[: used + 1]
        padded = np.concatenate([turns, np.zeros((chunk - used, turns.shape[1]))]) if used < chunk else turns
        self.batches.append(np.stack([total(padded), np.full(turns.shape[1], float(used))]))
        self.low, self.high = np.minimum(self.low, turns.min(axis=0)), np.maximum(self.high, turns.max(axis=0))
        self.nearest = np.minimum(self.nearest, squares.min(axis=0))
        self.farthest = np.maximum(self.farthest, squares.max(axis=0))
        self.done += used

    @property
    def ambiguous(self):
        """Whether the increments left no gap where the circle was cut (L,)."""
        return (self.high - self.low) > 1.0 - LEAST_GAP

    @property
    def meets_centre(self):
        """Whether the orbit came so near to the centre that its angle there says nothing (L,)."""
        return np.sqrt(self.nearest) <= NEAR * np.sqrt(self.farthest)
