"""w' = (mu + i omega) w - (1 + i c) w |w|^2."""

from lyapkit.systems.system import model


@model("flow", "w' = (mu + i omega) w - (1 + i c) w |w|^2", (0.5, 0.2))
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
