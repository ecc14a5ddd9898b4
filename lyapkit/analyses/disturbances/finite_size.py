"""Finite-size exponents: how fast errors of some size grow, from first passages over a ladder of sizes."""

import numpy as np

from lyapkit.analyses.orbits.points import repeated
from lyapkit.analyses.orbits.propagation import Ensemble

_BEGIN = 64.0  # errors start so many times smaller than the first size, and have then grown by themselves
_CHUNK = 64  # steps whose distances are held at once


def spacing(system):
    """Time (iterates) between two starts on the attractor, which is also what tangent vectors get to align."""
    return 2.0 if system.kind == "flow" else 20.0


def finite_size_exponents(system, values, states, clock, sizes, trials, seed, monitor):
    """Exponents at `sizes` (K,) and standard errors, both (points, K), of orbits from the states (points, n).

    Aurell, Boffetta, Crisanti, Paladin & Vulpiani, J. Phys. A 30 (1997) 1: `trials` pairs of orbits of each
    point, apart along the fastest growing direction, pass the sizes one after the other.
    """
    here, directions = _starts(system, values, states, clock, trials, seed, monitor)
    there = here + sizes[0] / _BEGIN * directions
    pairs = Ensemble(
        system, repeated(values, 2 * trials), np.stack([here, there], axis=1).reshape(-1, here.shape[1]), clock, 0
    )
    reached, grown = _first_passages(pairs, sizes, clock, monitor)
    return _rates(reached.reshape(len(sizes) + 1, len(states), trials), grown.reshape(reached.shape[0], -1, trials))


def _starts(system, values, states, clock, trials, seed, monitor):
    """States (points * trials, n) along the orbits, and tangent vectors there that have aligned."""
    stride = max(1, round(spacing(system) / clock.dt))
    _, record = Ensemble(system, values, states, clock, 0).run(trials * stride, monitor, stride=stride)
    points, n = states.shape
    starts = np.moveaxis(record[..., :points], 2, 0).reshape(points * trials, n)
    frame = np.random.default_rng(seed).standard_normal((1, n))
    tangent = Ensemble(system, repeated(values, trials), starts, clock, 1, frame / np.linalg.norm(frame))
    tangent.run(10 * stride, monitor, settle=10 * stride)
    count = points * trials
    return tangent.gather("x")[:, :count].T, tangent.gather("frame")[0][:, :count].T


def _first_passages(pairs, sizes, clock, monitor):
    """Times (K + 1, trials) at which the distance is first at least each size, and its logarithm then.

    NaN where that does not happen within the clock's steps.
    """
    sizes = np.append(sizes, sizes[-1] * sizes[1] / sizes[0])
    count = pairs.points // 2
    reached, grown = np.full((len(sizes), count), np.nan), np.full((len(sizes), count), np.nan)
    for done in range(0, clock.steps, _CHUNK):
        steps = min(_CHUNK, clock.steps - done)
        _, record = pairs.run(steps, monitor, stride=1)
        both = record[..., : pairs.points].reshape(steps, -1, count, 2)
        with np.errstate(all="ignore"):
            distance = np.sqrt(((both[..., 1] - both[..., 0]) ** 2).sum(axis=1))
        for k, size in enumerate(sizes):
            beyond = distance >= size
            new = np.flatnonzero(beyond.any(axis=0) & np.isnan(reached[k]))
            first = beyond[:, new].argmax(axis=0)
            reached[k, new] = (done + 1 + first) * clock.dt
            grown[k, new] = np.log(distance[first, new])
        if np.isfinite(reached[-1]).all():
            break
    return reached, grown


def _rates(reached, grown):
    """Mean growth over mean time between two sizes (points, K), and its standard error over the trials.

    NaN where fewer than half of the trials that reach a size reach the next, or fewer than two do.
    """
    time, growth = np.diff(reached, axis=0), np.diff(grown, axis=0)  # (K, points, trials)
    passed = np.isfinite(time)
    enough = (2 * passed.sum(axis=2) >= np.isfinite(reached[:-1]).sum(axis=2)) & (passed.sum(axis=2) > 1)
    time, growth = np.where(passed, time, 0.0), np.where(passed, growth, 0.0)
    count = passed.sum(axis=2)
    with np.errstate(all="ignore"):
        rate = growth.sum(axis=2) / time.sum(axis=2)
        left = np.where(passed, growth - rate[..., None] * time, 0.0)
        error = np.sqrt((left**2).sum(axis=2) * count / (count - 1)) / time.sum(axis=2)
    good = enough & np.isfinite(rate)
    return np.where(good, rate, np.nan).T, np.where(good, error, np.nan).T
