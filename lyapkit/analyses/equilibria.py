"""Whether orbits end at stable fixed points, by Newton's method from where they are."""

import numpy as np

from lyapkit.analyses.newton import residual_and_jacobian

_ROUNDS = 12
_NEAR = 1e-2  # an orbit that ends at a fixed point has come this close to it, relative to 1 + |x|
_ZERO = 1e-9  # residual of a fixed point, relative to 1 + |x|


def beside_stable(system, values, states):
    """Which states (P, n) lie beside a stable fixed point (P,)."""
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
