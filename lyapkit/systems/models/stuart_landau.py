"""w' = (mu + i omega) w - (1 + i c) w |w|^2."""

import math

from lyapkit.systems.system import model


def _box(parameters):
    """Around all fixed points: |x|^2 is 0 or mu."""
    side = math.sqrt(max(parameters["mu"], 0.0)) + 1.0
    return -side, side


@model("flow", "w' = (mu + i omega) w - (1 + i c) w |w|^2", (0.5, 0.2), box=_box)
def stuart_landau(x, mu=1.0, omega=1.0, c=0.0):
    """The Hopf normal form: w' = (mu + i omega) w - (1 + i c) w |w|^2.

    The normal form of the Hopf bifurcation, state (Re w, Im w). For mu > 0 a cycle |w|^2 = mu of
    angular frequency omega - c mu, multiplier exp(-4 pi mu / |omega - c mu|).

    >>> import lyapkit as lk
    >>> lk.systems.stuart_landau().kind
    'flow'
    """
    size = x[0] ** 2 + x[1] ** 2
    growth, turn = mu - size, omega - c * size
    return growth * x[0] - turn * x[1], turn * x[0] + growth * x[1]
