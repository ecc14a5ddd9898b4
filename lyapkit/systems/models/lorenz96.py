"""x_i' = (x_{i+1} - x_{i-2}) x_{i-1} - x_i + F on a ring."""

import math

import numpy as np

from lyapkit.systems.system import model


def _start(parameters):
    """Different everywhere; not of F, so that a scan over F starts everywhere from the same state."""
    return 8.0 + 0.1 * np.cos(1.0 + np.arange(parameters["n"]) ** 2)


def _dimension(parameters):
    if parameters["n"] < 4:
        raise ValueError(f"n: given {parameters['n']}, accepted: at least 4, the width of the coupling")
    return parameters["n"]


def _box(parameters):
    """At rest sum x_i^2 = F sum x_i, as the quadratic terms cancel; so |x| <= |F| sqrt(n)."""
    side = abs(parameters["F"]) * math.sqrt(parameters["n"]) + 1.0
    return -side, side


@model(
    "flow",
    "x_i' = (x_{i+1} - x_{i-2}) x_{i-1} - x_i + F, i mod n",
    _start,
    dimension=_dimension,
    sizes=("n",),
    dt=0.02,
    box=_box,
)
def lorenz96(x, n=40, F=8.0):
    """Lorenz's ring: x_i' = (x_{i+1} - x_{i-2}) x_{i-1} - x_i + F with cyclic indices, n >= 4.

    Lorenz, Predictability (ECMWF, 1996). The sum of all exponents is -n.

    >>> import lyapkit as lk
    >>> lk.systems.lorenz96(n=8).dimension
    8
    """
    return (np.roll(x, -1) - np.roll(x, 2)) * np.roll(x, 1) - x + F
