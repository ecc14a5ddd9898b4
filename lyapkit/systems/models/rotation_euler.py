"""x <- x + h (-x + tanh(alpha R(theta) x)): the flow as discretised by Euler's method."""

import math

import numpy as np

from lyapkit.systems.models import _rotation
from lyapkit.systems.system import model


def neimark_sacker_gain(theta, h):
    """alpha at which the origin's multipliers 1 - h + h alpha exp(+-i theta) reach the unit circle."""
    c = (1.0 - h) * np.cos(theta)
    return (-c + np.sqrt(c**2 + h * (2.0 - h))) / h


def neimark_sacker_step(alpha, theta):
    """The h, above 0 where alpha cos(theta) < 1, at which the same multipliers reach the unit circle."""
    growth = 1.0 - alpha * np.cos(theta)
    return 2.0 * growth / (2.0 * growth - 1.0 + alpha**2)


def _curves(ranges, parameters):
    theta = np.linspace(*ranges["theta"][:2], 401)
    gain = neimark_sacker_gain(theta, parameters["h"])
    # the fixed points, and so their fold, are the flow's
    return {"Neimark-Sacker": {"alpha": gain, "theta": theta}, "SNIC": _rotation.snic_curve(ranges)}


@model(
    "map",
    "x <- x + h (-x + tanh(alpha R(theta) x))",
    _rotation.INITIAL_STATE,
    box=_rotation.box,
    ranges=_rotation.FLOW_RANGES,
    curves=_curves,
    as_network=_rotation.as_network("rotation_euler"),
)
def rotation_euler(x, alpha=2.0, theta=math.pi / 4, h=0.5):
    """x <- x + h (-x + tanh(alpha R(theta) x)): rotation_flow in Euler steps of size h.

    h = 1 is rotation_map. Neimark-Sacker at alpha = [-(1-h) c + sqrt((1-h)^2 c^2 + h (2-h))] / h with
    c = cos(theta). Exponents are per iterate; divided by h they approach the flow's only as O(h).

    >>> import lyapkit as lk
    >>> lk.systems.rotation_euler(h=0.1).parameters["h"]
    0.1
    """
    a, b = _rotation.rotated_tanh(x, alpha, theta)
    return x[0] + h * (-x[0] + a), x[1] + h * (-x[1] + b)
