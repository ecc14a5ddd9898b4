"""What a portrait is drawn from: orbits of many initial states, the rule on a grid, the box they fill."""

import numpy as np

from lyapkit.analyses.orbits.clock import clock
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.progress import Monitor

_SCOUTS = 64  # orbits that find the default box
_FAR = 1e3  # an orbit this many times farther out than it began has left


def orbits(system, states, duration, transient=0):
    """Orbits (time, point, unit) of the initial states (point, unit); NaN once a state is not finite."""
    return _run(system, states, clock(system, transient, duration, None, None))


def rule_values(system, points):
    """The velocities (maps: the images) (point, unit) at the points (point, unit), at time 0.

    One step of Euler's method of size 1 goes from x to x + f(x), rounded to the size of x.
    """
    if system.kind == "map":
        return _run(system, points, clock(system, 0, 1, None, None))[1]
    before, after = _run(system, points, clock(system, 0, 1, 1.0, "euler"))
    return after - before


def _run(system, states, pace):
    ensemble = Ensemble(system, {}, np.ascontiguousarray(states, dtype=float), pace, 0)
    monitor = Monitor(len(states) * (pace.transient + pace.steps), "portrait", False)
    with np.errstate(all="ignore"), monitor:
        ensemble.run(pace.transient, monitor)
        start = ensemble.gather("x")
        _, record = ensemble.run(pace.steps, monitor, stride=1)
    path = np.concatenate([start[None], record])[..., : len(states)]
    return np.where(np.isfinite(path), path, np.nan).swapaxes(1, 2)


def default_box(system, duration, seed, pad):
    """(unit, 2) limits of where orbits end up, widened by the share `pad` on each side.

    Scouts start around the system's own initial state, as far apart as it is from the origin.
    """
    start = system.initial_state
    size = max(1.0, float(abs(start).max()))
    cloud = start + size * np.random.default_rng(seed).uniform(-1.0, 1.0, (_SCOUTS, len(start)))
    path = orbits(system, cloud, 0.5 * duration, 0.5 * duration)
    with np.errstate(all="ignore"):
        stays = (abs(path) < _FAR * size).all(axis=(0, 2))
    seen = path[:, stays].reshape(-1, len(start)) if stays.any() else cloud
    low, high = seen.min(axis=0), seen.max(axis=0)
    middle, reach = 0.5 * (low + high), 0.5 * (high - low)
    if system.kind == "flow":  # an attracting point fills no box: show where orbits came from
        reach = np.maximum(reach, abs(start - middle))
    largest = reach.max() or size
    reach = (1.0 + 2.0 * pad) * np.where(reach > 1e-3 * largest, reach, largest)
    return np.stack([middle - reach, middle + reach], axis=1)


def spread(box, count, seed):
    """Seeded initial states (count, unit) that fill a box (unit, 2) evenly (Latin hypercube)."""
    generator = np.random.default_rng(seed)
    cells = np.stack([generator.permutation(count) for _ in box], axis=1)
    share = (cells + generator.uniform(size=cells.shape)) / count
    return box[:, 0] + share * (box[:, 1] - box[:, 0])
