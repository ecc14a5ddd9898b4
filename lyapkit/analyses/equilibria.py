"""Whether orbits end at stable fixed points, by Newton's method from where they are."""

import numpy as np

from lyapkit.systems.evaluate import values_and_jacobians

_ROUNDS = 12
_NEAR = 1e-2  # an orbit that ends at a fixed point has come this close to it, relative to 1 + |x|


def settle_at_stable(system, values, states):
    """Which states (P, n) lie beside a stable fixed point (P,)."""
    n, points = system.dimension, states.copy()
    shift = np.eye(n) if system.kind == "map" else np.zeros((n, n))
    for _ in range(_ROUNDS):
        rates, slopes = _finite(system, values, points)
        wrong = rates - points if system.kind == "map" else rates
        points = points - (np.linalg.pinv(slopes - shift) @ wrong[:, :, None])[:, :, 0]
        points = np.where(np.isfinite(points), points, np.nan)
    rates, slopes = _finite(system, values, points)
    wrong = rates - points if system.kind == "map" else rates
    eigenvalues = np.linalg.eigvals(slopes)
    scale = 1.0 + abs(points).max(axis=1)
    with np.errstate(invalid="ignore"):
        at_rest = abs(wrong).max(axis=1) <= 1e-9 * scale
        near = abs(points - states).max(axis=1) <= _NEAR * scale
    growth = abs(eigenvalues).max(axis=1) - 1.0 if system.kind == "map" else eigenvalues.real.max(axis=1)
    return at_rest & near & (growth < 0.0)


def _finite(system, values, states):
    """Rates and slopes; at states that have left the finite numbers, NaN and a unit matrix."""
    rates, slopes = values_and_jacobians(system, states, values)
    finite = np.isfinite(slopes).all(axis=(1, 2))
    return np.where(finite[:, None], rates, np.nan), np.where(finite[:, None, None], slopes, np.eye(states.shape[1]))
