"""x <- 1 - a x^2 + y, y <- b x."""

import numpy as np

from lyapkit.systems.system import model


def _box(parameters):
    """Cauchy's bound on the roots of a x^2 + (1 - b) x - 1."""
    a, b = parameters["a"], parameters["b"]
    if a == 0.0:
        return None
    largest = 1.0 + max(abs(1.0 - b), 1.0) / abs(a)
    side = np.array([largest, abs(b) * largest + 1.0])
    return -side, side


@model("map", "x <- 1 - a x^2 + y, y <- b x", (0.1, 0.1), box=_box)
def henon(x, a=1.4, b=0.3):
    """Henon's map: x <- 1 - a x^2 + y, y <- b x.

    Henon, Commun. Math. Phys. 50 (1976) 69, state (x, y). det = -b everywhere.

    >>> import lyapkit as lk
    >>> lk.systems.henon().kind
    'map'
    """
    return 1.0 - a * x[0] ** 2 + x[1], b * x[0]
