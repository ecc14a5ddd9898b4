"""What tells the attractors of orbits apart: means of fixed random waves along them.

The means of cos(k . x(t) + l . x(t + s)) over an attractor are the characteristic function of its invariant measure in
the pair (x(t), x(t + s)), which tells also the direction of motion. Means are weighted (see `estimators`), so that
those of cycles and tori are exact to many digits; of chaos the two halves of an orbit say how sure they are.
"""

import numpy as np

from lyapkit.analyses.orbits.points import mean_of, select
from lyapkit.analyses.orbits.propagation import Ensemble

_SAMPLES, _ITERATES = 512, 1024  # of flows, of maps
_WAVES, _SEED = 8, 7
_AT_ONCE, _AT_WORK = 2**22, 32  # numbers recorded at a time, orbits worked on, whose waves then fit a cache
_SURE = 6.0  # errors by which means of the same attractor may differ
_SAME = 1e-4  # and in any case


def signatures(system, values, states, clock, monitor):
    """(waves (P, W), their errors (P,)) of orbits from states (P, n) of one parameter point; `values`: its (P,)."""
    samples, stride = _ITERATES, 1
    if system.kind == "flow":
        samples, stride = _SAMPLES, max(clock.steps // _SAMPLES, 1)
    most = max(_AT_ONCE // (samples * system.dimension), 1)
    records = []
    for at in range(0, len(states), most):
        chosen = slice(at, at + most)
        ensemble = Ensemble(system, select(values, chosen), states[chosen], clock, 0)
        record = ensemble.run(samples * stride, monitor, stride=stride)[1]
        records.append(record[..., : len(states[chosen])])
    return _means(records)


def alike(waves, errors, other_waves, other_errors):
    """Whether orbits (P,) lie on the attractor of another one."""
    apart = abs(waves - other_waves).max(axis=1)
    with np.errstate(invalid="ignore"):
        return apart <= _SURE * (errors + other_errors) + _SAME


def _means(records):
    """The signatures of all records (samples, n, some): lengths in units of how far the orbits spread together."""
    n = records[0].shape[1]
    lows, highs = (np.array([f(record, axis=(0, 2)) for record in records]) for f in (np.min, np.max))
    low, high = lows.min(axis=0), highs.max(axis=0)
    scale = np.maximum(high - low, 1e-9 * (1.0 + abs(high) + abs(low)))
    vectors = np.random.default_rng(_SEED).normal(0.0, 3.0 / np.sqrt(n), (2, n, _WAVES))
    count, waves, errors = len(records[0]), [], []
    samples = np.arange(1, count) / count
    for record in _in_parts(records):
        phase = np.zeros((count - 1, _WAVES, record.shape[2]))
        for unit in range(n):  # one after the other, whatever the number of lanes
            x = (record[:, unit] - low[unit]) / scale[unit]
            phase += vectors[0, unit, :, None] * x[:-1, None] + vectors[1, unit, :, None] * x[1:, None]
        wave = np.cos(phase)
        whole, half = _weighted(wave, samples), len(wave) // 2
        first, second = (_weighted(part, 2.0 * samples[:half]) for part in (wave[:half], wave[half : 2 * half]))
        waves.append(whole.T)
        errors.append(np.maximum(abs(first - second), abs(whole - first)).max(axis=0))
    return np.concatenate(waves), np.concatenate(errors)


def _in_parts(records):
    for record in records:
        for at in range(0, record.shape[2], _AT_WORK):
            yield record[..., at : at + _AT_WORK]


def _weighted(wave, s):
    """Weighted means (W, P) of samples (S, W, P) at times s in (0, 1)."""
    weight = np.exp(-1.0 / (s * (1.0 - s)))
    return mean_of(wave * (weight / weight.mean())[:, None, None])
