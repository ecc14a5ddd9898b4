"""Blocks of two units that turn: their frequencies, and which pairs of them lock."""

import numpy as np

from lyapkit.analyses.orbits.propagation import Ensemble

_ROUNDS_EACH = 0.2  # time units between samples of a flow
_CHUNK = 256  # samples that are held at once
# The phase difference of locked blocks drifts by less than so many turns over the whole run.
DRIFT = 0.05


def block_frequencies(system, values, states, clock, steps, monitor):
    """Turns per time unit (iterate) (points, blocks) of each pair of units about the origin, weighted over `steps`.

    Weighted Birkhoff means (Das, Saiki, Sander & Yorke, Nonlinearity 30 (2017) 4111) of the angle's increments.
    """
    stride = 1 if system.kind == "map" else max(1, round(_ROUNDS_EACH / clock.dt))
    count, points = max(2, steps // stride), len(states)
    s = (np.arange(count) + 0.5) / count
    weights = np.exp(-1.0 / (s * (1.0 - s)))
    ensemble = Ensemble(system, values, states, clock, 0)
    angle, turned = _angles(states.T[None])[0], np.zeros((states.shape[1] // 2, points))
    for at in range(0, count, _CHUNK):
        part = weights[at : at + _CHUNK]
        _, record = ensemble.run(len(part) * stride, monitor, stride=stride)
        angles = _angles(record[..., :points])
        moved = np.diff(np.concatenate([angle[None], angles]), axis=0)
        moved = np.mod(moved + np.pi, 2.0 * np.pi) - np.pi
        for weight, increment in zip(part, moved, strict=True):  # one after the other, whatever the number of lanes
            turned += weight * increment
        angle = angles[-1]
    return (turned / (weights.sum() * 2.0 * np.pi * stride * clock.dt)).T


def _angles(record):
    """Angles (samples, blocks, points) of the pairs of units of states (samples, n, points)."""
    return np.arctan2(record[:, 1::2], record[:, ::2])


def pairs(blocks):
    """(first, second) numbers of all pairs of blocks."""
    return np.triu_indices(blocks, 1)


def locked(frequency, resolution, order):
    """(p, q) of each pair (..., pairs), f_first : f_second = p : q, of lowest p + q up to `order` each; 0, 0: none.

    frequency (..., blocks); locked is what differs by less than the resolution, of blocks that turn at all.
    """
    first, second = (abs(frequency[..., one]) for one in pairs(frequency.shape[-1]))
    turns = (first > resolution) & (second > resolution)
    p, q = (np.zeros(first.shape, dtype=np.int64) for _ in range(2))
    ratios = [(a, b) for a in range(1, order + 1) for b in range(1, order + 1) if np.gcd(a, b) == 1]
    for a, b in sorted(ratios, key=sum):
        new = turns & (p == 0) & (abs(b * first - a * second) < resolution)
        p, q = np.where(new, a, p), np.where(new, b, q)
    return p, q


def lock_sizes(p, q, sizes):
    """The smallest size at which each pair is locked, and its p and q then, (points, members, pairs); NaN: none.

    p, q (points, sizes, members, pairs).
    """
    is_locked = p > 0
    first = is_locked.argmax(axis=1)[:, None]
    size = np.where(is_locked.any(axis=1), sizes[first[:, 0]], np.nan)
    return size, *(np.take_along_axis(array, first, axis=1)[:, 0] for array in (p, q))
