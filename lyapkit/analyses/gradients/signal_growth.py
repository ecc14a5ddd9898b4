"""How much of a perturbation, or of a gradient, is left after a delay: its root mean square over all directions."""

import numpy as np

from lyapkit.analyses.exponents import zero_verdict
from lyapkit.analyses.orbits.points import repeated
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.flags import SIGN, SIGNAL
from lyapkit.kernels import tangent

_DIRECTIONS = 16  # of systems of more units: so many at random


def signal_growth(system, values, states, clock, monitor):
    """ln of the root mean square of |dx(t)/dx(0) e| over directions e (P,), t being the clock's steps.

    Each direction is carried alone, and only its length is taken out: nothing overflows, and nothing is lost.
    """
    parts = system.model.blocks and not values and system.model.blocks(system.parameters)
    if parts:
        return _of_blocks(*parts, states, clock, monitor)
    points, n = states.shape
    frame = np.eye(n)
    if n > _DIRECTIONS:
        frame = np.linalg.qr(np.random.default_rng(0).standard_normal((n, _DIRECTIONS)))[0].T
    k = len(frame)
    ensemble = Ensemble(system, repeated(values, k), np.repeat(states, k, axis=0), clock, 1, frame[:1])
    ensemble.set_frames(np.tile(frame.T, points)[None])
    sums, _ = ensemble.run(clock.steps, monitor)
    nats = sums[tangent.WEIGHTS, 0, : points * k].reshape(points, k)
    return _root_mean_square(nats)


def _root_mean_square(nats):
    """ln of the root mean square (P,) of numbers of which these (P, m) are the logarithms."""
    with np.errstate(all="ignore"):
        most = nats.max(axis=1, keepdims=True)
        most = np.where(np.isfinite(most), most, 0.0)
        return most[:, 0] + 0.5 * np.log(np.exp(2.0 * (nats - most)).mean(axis=1))


def _of_blocks(block, columns, states, clock, monitor):
    """Of networks of independent blocks: a direction within a block stays there."""
    blocks = len(next(iter(columns.values())))
    values = {name: np.tile(column, len(states)) for name, column in columns.items()}
    growth = signal_growth(block(), values, states.reshape(len(states) * blocks, -1), clock, monitor)
    return _root_mean_square(growth.reshape(len(states), blocks))


def fates(zeros, exponents, errors, margin):
    """What becomes of a signal (P,) of exponents (P, k): it explodes where one is positive, else persists in the
    directions of zeros (P,), else vanishes."""
    verdicts = zero_verdict.signs(exponents, errors, margin)
    grows, open_ = (verdicts == SIGN["positive"]).any(axis=1), (verdicts[:, 0] == SIGN["undecided"])
    where = (np.isnan(exponents).any(axis=1), grows, zeros > 0, open_)
    kinds = ("undecided", "explodes", "persists", "undecided")
    return np.select(where, [SIGNAL[kind] for kind in kinds], SIGNAL["vanishes"]).astype(np.int8)
