"""Where fixed points are looked for: the box of each parameter point, and states from which to start."""

import dataclasses

import numpy as np

from lyapkit.analyses.orbits.clock import Clock
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.flags import BOX_SOURCE
from lyapkit.systems.system import System

_STEPS, _STRIDE = 2000, 20  # of the orbit that shows where the system moves
_LARGEST = 1e6  # states of an orbit that leaves are not followed farther
_LEAST = 10.0  # half the side of a guessed box, at least


def checked_box(box, n):
    """(low (n,), high (n,)) of a box that was given, None where it was not."""
    if box is None:
        return None
    accepted = f"(low, high), each a number or ({n},), low below high"
    try:
        low, high = (np.asarray(side, dtype=float) for side in box)
    except (TypeError, ValueError):
        raise ValueError(f"box: given {box!r}, accepted: {accepted}") from None
    if not {low.shape, high.shape} <= {(), (n,)}:
        raise ValueError(f"box: given sides of the shapes {low.shape} and {high.shape}, accepted: {accepted}")
    low, high = (np.array(np.broadcast_to(side, n)) for side in (low, high))
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise ValueError(f"box: given a side that is not finite, accepted: {accepted}")
    if not (low < high).all():
        unit = int(np.flatnonzero(~(low < high))[0])
        raise ValueError(f"box: given {low[unit]:g} to {high[unit]:g} for unit {unit}, accepted: {accepted}")
    return low, high


@dataclasses.dataclass(frozen=True)
class Region:
    """Boxes low, high (points, n), where they come from (points,), and orbits (points, samples, n) or None."""

    low: np.ndarray
    high: np.ndarray
    source: np.ndarray
    orbits: np.ndarray | None

    def starts(self, point, count, seed, number=0):
        """States (count, n) for a round of search: the box's middle, states of the orbit, and random ones.

        Random ones lie at all distances from the middle: most of a box of many units is far from it.
        """
        low, high = self.low[point], self.high[point]
        middle, half = 0.5 * (low + high), 0.5 * (high - low)
        generator = np.random.default_rng([seed, number])
        distance = generator.uniform(0.0, 1.0, (count, 1))
        random = middle + distance * half * generator.uniform(-1.0, 1.0, (count, len(low)))
        orbit = self.orbits[point]
        orbit = orbit[(np.isfinite(orbit) & (abs(orbit) < _LARGEST)).all(axis=1)]
        chosen = orbit[generator.permutation(len(orbit))[: count // 2]]
        return np.concatenate([middle[None], chosen, random])[:count]


def region(system: System, values, states, box, follow, monitor):
    """The boxes of all points: the one given, else the model's, else a guess; `follow`: orbits in any case."""
    points, n = states.shape
    low, high = np.empty((2, points, n))
    source = np.empty(points, dtype=np.int8)
    for i in range(points):
        known = box or system.box(**{name: float(column[i]) for name, column in values.items()})
        source[i] = BOX_SOURCE["given" if box else "model" if known else "orbit"]
        low[i], high[i] = known or (0.0, 0.0)
    orbits = None
    if follow or (source == BOX_SOURCE["orbit"]).any():
        orbits = followed(system, values, states, monitor)
        for i in np.flatnonzero(source == BOX_SOURCE["orbit"]):
            low[i], high[i] = _guessed(orbits[i])
    return Region(low, high, source, orbits)


def _guessed(orbit):
    """Three times the bounding box of an orbit (samples, n), and at least from -10 to 10."""
    near = np.where(np.isfinite(orbit), np.clip(orbit, -_LARGEST, _LARGEST), 0.0)
    low, high = near.min(axis=0), near.max(axis=0)
    wide = high - low
    return np.minimum(low - wide, -_LEAST), np.maximum(high + wide, _LEAST)


def followed(system, values, states, monitor):
    """Orbits (points, samples, n) from the states."""
    if system.kind == "map":
        time = Clock("iterate", 1.0, 0, _STEPS)
    else:
        time = Clock("rk4", system.model.dt, 0, _STEPS)
    ensemble = Ensemble(system, values, states, time, 0)
    _, record = ensemble.run(_STEPS, monitor, stride=_STRIDE)
    return np.concatenate([states[:, None], np.moveaxis(record, -1, 0)[: len(states)]], axis=1)
