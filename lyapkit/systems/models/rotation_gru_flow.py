"""h' = (-h + tanh(alpha R(theta) h / 2)) / 2: a GRU of two units with zero gate weights."""

import math

from lyapkit.systems.models import _rotation
from lyapkit.systems.system import model


def _curves(ranges, parameters):
    # rotation_flow at half the gain, slowed by 2
    half = {"alpha": (0.5 * ranges["alpha"][0], 0.5 * ranges["alpha"][1]), "theta": ranges["theta"]}
    curves = {"Hopf": _rotation.hopf_curve(half), "SNIC": _rotation.snic_curve(half)}
    return {k: {"alpha": 2.0 * c["alpha"], "theta": c["theta"]} for k, c in curves.items()}


@model(
    "flow",
    "h' = (-h + tanh(alpha R(theta) h / 2)) / 2",
    _rotation.INITIAL_STATE,
    box=_rotation.box,
    ranges={"alpha": (1.0, 8.0, 200), "theta": (0.0, math.pi / 2, 200)},
    curves=_curves,
    as_network=_rotation.as_network("rotation_gru_flow"),
)
def rotation_gru_flow(x, alpha=4.0, theta=math.pi / 4):
    """h' = (-h + tanh(alpha R(theta) h / 2)) / 2: a GRU whose gate weights are zero.

    With zero gate weights and biases both gates stand at 1/2: z' halves the speed, and the
    reset gate halves the gain in either convention. So this is rotation_flow at alpha / 2, slowed by 2.

    >>> import lyapkit as lk
    >>> lk.systems.rotation_gru_flow().dimension
    2
    """
    a, b = _rotation.rotated_tanh(x, 0.5 * alpha, theta)
    return 0.5 * (-x[0] + a), 0.5 * (-x[1] + b)
