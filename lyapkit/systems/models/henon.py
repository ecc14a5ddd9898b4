"""x <- 1 - a x^2 + y, y <- b x."""

from lyapkit.systems.system import model


@model("map", "x <- 1 - a x^2 + y, y <- b x", (0.1, 0.1))
def henon(x, a=1.4, b=0.3):
    """Henon's map: x <- 1 - a x^2 + y, y <- b x.

    Henon, Commun. Math. Phys. 50 (1976) 69, state (x, y). det = -b everywhere.

    >>> import lyapkit as lk
    >>> lk.systems.henon().kind
    'map'
    """
    return 1.0 - a * x[0] ** 2 + x[1], b * x[0]
