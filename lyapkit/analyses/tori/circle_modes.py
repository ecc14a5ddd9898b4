"""Fourier modes of the invariant circle that an orbit of a map fills: x_n = X(n rho), X of period 1."""

import numpy as np

from lyapkit.analyses.orbits.points import select
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.analyses.tori.turns import bump, total

_SETTLED = 1e-12  # change of the modes, relative to the largest, at which the average is not made longer
_DOUBLINGS = 6


def circle_modes(ensemble, rotation, steps, n_modes, first_unit, chunk, monitor):
    """Modes c_k (n_modes + 1, n, L), k = 0, 1, ..., of X(phi) = c_0 + 2 Re sum_k c_k exp(2 pi i k phi), and a residual.

    c_k = sum_n w_n x_n exp(-2 pi i k n rho) / sum_n w_n with the bump's weights; phi = 0 is where c_1 of
    `first_unit` is real and positive. `chunk` states are taken at a time; the residual (L,) is the largest
    difference between X and one chunk of states after those averaged.
    """
    modes, weight, done = 0.0, 0.0, 0
    while done < steps:
        states = ensemble.run(chunk, monitor, stride=1)[1][..., : ensemble.points]
        weights = bump(done, chunk, steps)
        turning = _powers(_phases(rotation, done, chunk), n_modes)
        modes = modes + np.stack([total((weights[:, None] * z.conj())[:, None] * states) for z in turning])
        weight += weights.sum()
        done += chunk
    modes = modes / weight
    states = ensemble.run(chunk, monitor, stride=1)[1][..., : ensemble.points]
    turning = _powers(_phases(rotation, done, chunk), n_modes)
    residual = abs(states - _curve(modes, turning)).max(axis=(0, 1))
    one = modes[1, first_unit]
    turn = np.where(one == 0.0, 1.0, one / np.where(one == 0.0, 1.0, abs(one)))
    return modes * np.stack(_powers(turn.conj(), n_modes))[:, None], residual


def settled_modes(system, values, states, clock, rotation, steps, n_modes, first_unit, chunk, monitor):
    """Modes (points, n_modes + 1, n) and residuals (points,) from states (points, n) and their `rotation` (points,).

    Near a resonance neighbouring modes leak into each other in a run that is too short; so the `steps` (points,)
    are doubled, at most six times, until the modes change no more.
    """
    shape = (len(states), n_modes + 1, states.shape[1])
    modes, residual = np.full(shape, np.nan, dtype=complex), np.full(len(states), np.nan)
    open_ = np.ones(len(states), dtype=bool)
    for doubling in range(_DOUBLINGS):
        for length in np.unique(steps[open_]):
            chosen = np.flatnonzero(open_ & (steps == length))
            part = select(values, chosen)
            ensemble = Ensemble(system, part, states[chosen], clock, 0)
            arguments = rotation[chosen], int(length) * 2**doubling, n_modes, first_unit, chunk, monitor
            found, residual[chosen] = circle_modes(ensemble, *arguments)
            found = np.moveaxis(found, -1, 0)
            change = abs(found - modes[chosen]).max(axis=(1, 2)) / abs(found).max(axis=(1, 2))
            modes[chosen] = found
            open_[chosen] = ~(change <= _SETTLED)
    return modes, residual


def _curve(modes, turning):
    """X (T, n, L) at the phases whose exp(2 pi i k phi), (T, L) each, are `turning`."""
    rest = sum(z[:, None] * c for z, c in zip(turning[1:], modes[1:], strict=True))
    return modes[0].real + 2.0 * np.real(rest)


def _phases(rotation, first, count):
    """exp(2 pi i n rho) (count, L) for n = first + 1, ..."""
    n = np.arange(first + 1.0, first + count + 1.0)
    return np.exp(2j * np.pi * np.mod(n[:, None] * rotation, 1.0))


def _powers(z, count):
    """[1, z, z^2, ..., z^count]."""
    powers = [np.ones_like(z)]
    for _ in range(count):
        powers.append(powers[-1] * z)
    return powers
