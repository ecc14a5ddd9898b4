"""x <- x + tanh(alpha R(theta) x)."""

import math

import numpy as np

from lyapkit.systems.models import _rotation
from lyapkit.systems.system import model


def _curves(ranges, parameters):
    low, high = max(ranges["theta"][0], math.pi / 2), min(ranges["theta"][1], math.pi)
    theta = np.linspace(low, max(low, high), 401)
    return {"Neimark-Sacker": {"alpha": -2.0 * np.cos(theta), "theta": theta}}


@model(
    "map",
    "x <- x + tanh(alpha R(theta) x)",
    _rotation.INITIAL_STATE,
    box=_rotation.literal_box,
    ranges={"alpha": (0.5, 4.0, 200), "theta": (math.pi / 2, math.pi, 200)},
    curves=_curves,
    as_network=_rotation.as_network("rotation_literal_map"),
)
def rotation_literal_map(x, alpha=1.8, theta=2.5):
    """x <- x + tanh(alpha R(theta) x): a residual step without leak.

    Neimark-Sacker at alpha = -2 cos(theta), theta in (pi/2, pi), multiplier angle 2 theta - pi.

    >>> import lyapkit as lk
    >>> lk.systems.rotation_literal_map().parameters
    {'alpha': 1.8, 'theta': 2.5}
    """
    a, b = _rotation.rotated_tanh(x, alpha, theta)
    return x[0] + a, x[1] + b
