"""x <- r x (1 - x)."""

from lyapkit.systems.system import model


@model("map", "x <- r x (1 - x)", (0.3,))
def logistic(x, r=4.0):
    """The logistic map: x <- r x (1 - x).

    May, Nature 261 (1976) 459, one unit on [0, 1]. At r = 4 the exponent is ln 2.

    >>> import lyapkit as lk
    >>> lk.systems.logistic().kind
    'map'
    """
    return r * x[0] * (1.0 - x[0])
