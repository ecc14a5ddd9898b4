"""x' = -x + tanh(alpha R(theta) x), the plane that the toolkit maps."""

import math

from lyapkit.systems.models import _rotation
from lyapkit.systems.system import model


def _curves(ranges, parameters):
    return {"Hopf": _rotation.hopf_curve(ranges), "SNIC": _rotation.snic_curve(ranges)}


@model(
    "flow",
    "x' = -x + tanh(alpha R(theta) x)",
    _rotation.INITIAL_STATE,
    box=_rotation.box,
    ranges=_rotation.FLOW_RANGES,
    curves=_curves,
    as_network=_rotation.as_network("rotation_flow"),
)
def rotation_flow(x, alpha=2.0, theta=math.pi / 4):
    """x' = -x + tanh(alpha R(theta) x): a flow of two units, R = [[cos, -sin], [sin, cos]].

    `alpha` is the gain, `theta` (radians) the rotation. A stable limit cycle exists exactly for theta_SN(alpha) <
    |theta| < arccos(1/alpha), alpha > 1: between a Hopf bifurcation (alpha cos(theta) = 1, always
    supercritical) and a fold of fixed points on the circle (SNIC).

    >>> import lyapkit as lk
    >>> lk.systems.rotation_flow(alpha=2.0, theta=0.7).equation
    "x' = -x + tanh(alpha R(theta) x)"
    """
    a, b = _rotation.rotated_tanh(x, alpha, theta)
    return -x[0] + a, -x[1] + b
