"""x' = tanh(alpha R(theta) x)."""

import math

from lyapkit.systems.models import _rotation
from lyapkit.systems.system import model


@model(
    "flow",
    "x' = tanh(alpha R(theta) x)",
    _rotation.INITIAL_STATE,
    box=_rotation.literal_box,
    ranges={"alpha": (0.5, 4.0, 200), "theta": (math.pi / 2, math.pi, 200)},
    as_network=_rotation.as_network("rotation_literal_flow"),
)
def rotation_literal_flow(x, alpha=1.0, theta=math.pi / 2):
    """x' = tanh(alpha R(theta) x): no leak and no limit cycle.

    The origin is unstable for |theta| < pi/2 (orbits leave), stable above. At theta = pi/2 the flow is
    Hamiltonian: a centre, from (x0, 0) with period (4/alpha) K(m = tanh^2(alpha x0)).

    >>> import lyapkit as lk
    >>> lk.systems.rotation_literal_flow().dimension
    2
    """
    return _rotation.rotated_tanh(x, alpha, theta)
