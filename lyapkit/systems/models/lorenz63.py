"""x' = sigma (y - x), y' = x (rho - z) - y, z' = x y - beta z."""

import math

import numpy as np

from lyapkit.systems.system import model


def _box(parameters):
    """x = y, x^2 = beta z and z = rho - 1 or 0, where neither sigma nor beta is 0."""
    if parameters["sigma"] == 0.0 or parameters["beta"] == 0.0:
        return None
    height = abs(parameters["rho"] - 1.0)
    width = math.sqrt(abs(parameters["beta"]) * height)
    side = np.array([width, width, height]) + 1.0
    return -side, side


@model("flow", "x' = sigma (y - x), y' = x (rho - z) - y, z' = x y - beta z", (1.0, 2.0, 20.0), dt=0.01, box=_box)
def lorenz63(x, sigma=10.0, rho=28.0, beta=8.0 / 3.0):
    """Lorenz's three equations: x' = sigma (y - x), y' = x (rho - z) - y, z' = x y - beta z.

    Lorenz, J. Atmos. Sci. 20 (1963) 130, state (x, y, z). Divergence -(sigma + 1 + beta).

    >>> import lyapkit as lk
    >>> lk.systems.lorenz63().kind
    'flow'
    """
    return sigma * (x[1] - x[0]), x[0] * (rho - x[2]) - x[1], x[0] * x[1] - beta * x[2]
