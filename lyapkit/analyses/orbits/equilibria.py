"""Whether orbits end at stable fixed points, by Newton's method from where they are."""

import numpy as np

from lyapkit.analyses.orbits.points import select
from lyapkit.analyses.stationary.newton import residual_and_jacobian

# An orbit smaller than this, relative to 1 + |x|, may be beside a fixed point; and is at one, be it unstable.
AT_REST, _STILL = 1e-2, 1e-11
_ROUNDS = 12
_NEAR = 1e-2  # an orbit that ends at a fixed point has come this close to it, relative to 1 + |x|
_ZERO = 1e-9  # residual of a fixed point, relative to 1 + |x|


def extent(record):
    """Half of what the unit that varies most covers in orbits (P, samples, n)."""
    with np.errstate(invalid="ignore"):  # of orbits that have left the finite numbers
        return (record.max(axis=1) - record.min(axis=1)).max(axis=1) / 2


def resting(system, values, states, reach):
    """Which orbits that end at the states (P, n), and lately had this extent (P,), have come to rest (P,)."""
    with np.errstate(invalid="ignore"):
        moved = reach / (1.0 + abs(states).max(axis=1))
    return (moved <= _STILL) | beside_stable(system, values, states, moved <= AT_REST)


def beside_stable(system, values, states, candidates):
    """Which of the candidates (P,) among the states (P, n) lie beside a stable fixed point (P,)."""
    found, index = np.zeros(len(states), dtype=bool), np.flatnonzero(candidates)
    if len(index):
        found[index] = _beside_stable(system, select(values, index), states[index])
    return found


def _beside_stable(system, values, states):
    points = states.copy()
    for _ in range(_ROUNDS):
        wrong, slopes = _finite(system, values, points)
        points = points - (np.linalg.pinv(slopes) @ wrong[:, :, None])[:, :, 0]
    wrong, slopes = _finite(system, values, points)
    scale = 1.0 + abs(points).max(axis=1)
    with np.errstate(invalid="ignore"):
        at_rest = abs(wrong).max(axis=1) <= _ZERO * scale
        near = abs(points - states).max(axis=1) <= _NEAR * scale
    eigenvalues = np.linalg.eigvals(slopes)  # of maps less 1
    growth = abs(eigenvalues + 1.0).max(axis=1) - 1.0 if system.kind == "map" else eigenvalues.real.max(axis=1)
    return at_rest & near & (growth < 0.0)


def _finite(system, values, states):
    """Residuals and their slopes; at states that have left the finite numbers, NaN and a unit matrix."""
    wrong, slopes = residual_and_jacobian(system, states, values)
    finite = np.isfinite(slopes).all(axis=(1, 2))
    return np.where(finite[:, None], wrong, np.nan), np.where(finite[:, None, None], slopes, np.eye(states.shape[1]))
