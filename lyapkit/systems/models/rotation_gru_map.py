"""h <- (h + tanh(alpha R(theta) h / 2)) / 2: a GRU of two units with zero gate weights."""

import math

from lyapkit.systems.models import _rotation
from lyapkit.systems.models.rotation_euler import _curves as euler_curves
from lyapkit.systems.system import model


def _curves(ranges, parameters):
    # rotation_euler at half the gain and h = 1/2
    half = {"alpha": (0.5 * ranges["alpha"][0], 0.5 * ranges["alpha"][1]), "theta": ranges["theta"]}
    curves = euler_curves(half, {"h": 0.5})
    return {k: {"alpha": 2.0 * c["alpha"], "theta": c["theta"]} for k, c in curves.items()}


@model(
    "map",
    "h <- (h + tanh(alpha R(theta) h / 2)) / 2",
    _rotation.INITIAL_STATE,
    box=_rotation.box,
    ranges={"alpha": (1.0, 8.0, 200), "theta": (0.0, math.pi / 2, 200)},
    curves=_curves,
    as_network=_rotation.as_network("rotation_gru_map"),
)
def rotation_gru_map(x, alpha=4.0, theta=math.pi / 4):
    """h <- (h + tanh(alpha R(theta) h / 2)) / 2: a GRU whose gate weights are zero.

    With zero gate weights and biases both gates stand at 1/2: z' halves the speed, and the
    reset gate halves the gain in either convention. So this is rotation_euler at alpha / 2 with h = 1/2.

    >>> import lyapkit as lk
    >>> lk.systems.rotation_gru_map().dimension
    2
    """
    a, b = _rotation.rotated_tanh(x, 0.5 * alpha, theta)
    return 0.5 * (x[0] + a), 0.5 * (x[1] + b)
