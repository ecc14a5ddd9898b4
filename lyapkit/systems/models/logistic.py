"""x <- r x (1 - x)."""

from lyapkit.systems.system import model


def _box(parameters):
    """Around 0 and 1 - 1 / r."""
    r = parameters["r"]
    side = 2.0 + (1.0 / abs(r) if r else 0.0)
    return -side, side


@model("map", "x <- r x (1 - x)", (0.3,), box=_box)
def logistic(x, r=4.0):
    """The logistic map: x <- r x (1 - x).

    May, Nature 261 (1976) 459, one unit on [0, 1]. At r = 4 the exponent is ln 2.

    >>> import lyapkit as lk
    >>> lk.systems.logistic().kind
    'map'
    """
    return r * x[0] * (1.0 - x[0])
