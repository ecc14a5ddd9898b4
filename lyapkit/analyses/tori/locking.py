"""Mode-locking: the period of an orbit of a map, and the proof that a periodic orbit attracts it.

A return of the orbit alone proves nothing: a quasi-periodic orbit comes back as near as one waits. What proves it is a
root of f^q(x) = x near the orbit whose multipliers lie inside the unit circle; it is isolated and attracts. Where
the orbit has arrived to rounding, its own negative exponent says so; where it is on its way, Newton's method finds the
root, in the full space of few units and with Picard iteration in the directions that decay (Lust & Roose, SIAM J. Sci.
Comput. 19 (1998) 1188) of many.
"""

import numpy as np

from lyapkit.analyses.orbits.propagation import Ensemble

ARRIVED = 1e-10  # a return this near, relative to the state's size, of an orbit that contracts
CONTRACTS = 1e-3  # per iterate: ten digits within the default run
_COLUMNS = 4  # directions in which Newton's method is used
_ALIGN = 64  # iterates at least in which a frame of fewer columns than units turns to the slowest directions
_ROOT = 1e-11  # residual of a root, relative to the state's size
_NEAR = 1e-3  # Newton's last step, relative to the distance between the orbit's points
_APART = 0.1  # distance at least of the root's own points, relative to that of the orbit's
_ROUNDS = 30
_SINGULAR = 1e-14  # what is as good as zero
_INSIDE = 1e-8  # a multiplier counts as inside the unit circle by this much


def closest_return(start, record, advance):
    """The period q (L,) at which the orbit comes back best, how near, its turns p, and the state's size.

    Of `first_return`; advance (Q, L) are the turns of each step.
    """
    period, distance, size = first_return(start, record)
    turns = np.take_along_axis(np.cumsum(advance, axis=0), period[None] - 1, axis=0)[0]
    return period, distance, turns, size


def first_return(start, record):
    """The period q (L,) at which the orbit comes back best, how near, and the state's size.

    start (n, L), record (Q, n, L) the states after it. The first return that is as near as the nearest, to a factor of
    two or to rounding, counts.
    """
    distance = abs(record - start).max(axis=1)
    size = abs(record).max(axis=(0, 1))
    near = distance <= np.maximum(2.0 * distance.min(axis=0), 0.1 * ARRIVED * size)
    first = np.argmax(near, axis=0)[None]
    return first[0] + 1, np.take_along_axis(distance, first, axis=0)[0], size


def attracting_root(system, values, states, clock, period, spacing, monitor):
    """Whether a periodic orbit that attracts lies within `spacing` (points,) of each of the states (points, n).

    Returns that, and the roots (points, n). The `period` is the same for all, and no part of it does: the root is
    not one of a shorter period. Steps are at most a fifth of the spacing, and go where the orbit drifts.
    """
    size = abs(states).max(axis=1)
    n, k = system.dimension, min(system.dimension, _COLUMNS)
    x, basis = _aligned(system, values, states, clock, period, k, monitor)
    begin = x
    for _ in range(_ROUNDS):
        image, carried = carried_on(system, values, x, clock, period, basis, monitor)
        residual = image - x
        block, sane = _finite(np.swapaxes(basis, 1, 2) @ carried, image)
        multipliers, vectors = np.linalg.eig(block)
        step = _newton_picard(multipliers, vectors, basis, residual)
        length = abs(step).max(axis=1)
        found = sane & (length <= _NEAR * spacing) & (abs(residual).max(axis=1) <= _ROOT * size)
        if (found | ~sane).all():
            break
        shorter = np.minimum(1.0, 0.2 * spacing / np.maximum(length, np.finfo(float).tiny))
        x = np.where((found | ~sane)[:, None], x, x + shorter[:, None] * step)
        if k < n:
            basis = np.linalg.qr(np.where(np.isfinite(carried), carried, 0.0))[0]
    inside = abs(multipliers).max(axis=1) < 1.0 - _INSIDE
    orbit = Ensemble(system, values, x, clock, 0).run(period, monitor, stride=1)[1][:-1, :, : len(x)]
    apart = abs(orbit - x.T).max(axis=1).min(axis=0, initial=np.inf)
    near = abs(x - begin).max(axis=1) <= 2.0 * spacing
    return found & inside & near & (apart > _APART * spacing), x


def _aligned(system, values, x, clock, period, k, monitor):
    """The states after some periods, and bases (points, n, k) of the directions that decay slowest."""
    n = system.dimension
    if k == n:
        return x, np.broadcast_to(np.eye(n), (len(x), n, n))
    frame = np.linalg.qr(np.random.default_rng(0).standard_normal((n, k)))[0].T
    ensemble = Ensemble(system, values, x, clock, k, frame)
    ensemble.run(period * -(-_ALIGN // period), monitor)
    basis = np.moveaxis(ensemble.gather("frame"), -1, 0)[: len(x)].swapaxes(1, 2)
    return ensemble.gather("x").T[: len(x)], np.linalg.qr(np.where(np.isfinite(basis), basis, 0.0))[0]


def carried_on(system, values, x, clock, period, basis, monitor):
    """f^q(x) (points, n) and D f^q basis (points, n, k)."""
    points, _, k = basis.shape
    ensemble = Ensemble(system, values, x, clock, k, np.eye(k, system.dimension))
    ensemble.set_frames(np.moveaxis(basis, 0, -1).swapaxes(0, 1))
    ensemble.run(period, monitor, orthonormalise=False)
    return ensemble.gather("x").T[:points], np.moveaxis(ensemble.gather("frame"), -1, 0)[:points].swapaxes(1, 2)


def _finite(block, image):
    """Small matrices without those that are not finite, and which are."""
    sane = np.isfinite(block).all(axis=(1, 2)) & np.isfinite(image).all(axis=1)
    return np.where(sane[:, None, None], block, 0.0), sane


def _newton_picard(multipliers, vectors, basis, residual):
    """The step (points, n): Newton's in the span of the basis, the residual itself across it.

    In an eigendirection that repels, Newton's step leads to the root that repels, on the other side of the orbit
    than the one that attracts: there the step is turned round.
    """
    along = np.einsum("pnk,pn->pk", basis, residual).astype(complex)
    singular = abs(np.linalg.det(vectors)) < _SINGULAR
    vectors = np.where(singular[:, None, None], np.eye(vectors.shape[-1]), vectors)
    gap = 1.0 - multipliers
    gap = np.where(multipliers.imag == 0.0, np.maximum(abs(gap), _SINGULAR), gap)
    step = (vectors @ (np.linalg.solve(vectors, along[..., None]) / gap[..., None]))[..., 0] - along
    return residual + np.einsum("pnk,pk->pn", basis, step.real)
