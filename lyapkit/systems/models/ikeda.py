"""x <- 1 + u (x cos s - y sin s), y <- u (x sin s + y cos s), s = 0.4 - 6 / (1 + x^2 + y^2)."""

import numpy as np

from lyapkit.systems.system import model


def _box(parameters):
    """|z| <= 1 + |u| |z|."""
    u = abs(parameters["u"])
    if u >= 1.0:
        return None
    side = 1.0 / (1.0 - u) + 1.0
    return -side, side


@model(
    "map",
    "x <- 1 + u (x cos s - y sin s), y <- u (x sin s + y cos s), s = 0.4 - 6 / (1 + x^2 + y^2)",
    (0.1, 0.1),
    box=_box,
)
def ikeda(x, u=0.9):
    """Light in a ring cavity: x <- 1 + u (x cos s - y sin s), y <- u (x sin s + y cos s).

    Here s = 0.4 - 6 / (1 + x^2 + y^2).

    Ikeda, Opt. Commun. 30 (1979) 257, in the real two-dimensional form. det = u^2 everywhere.

    >>> import lyapkit as lk
    >>> lk.systems.ikeda().kind
    'map'
    """
    s = 0.4 - 6.0 / (1.0 + x[0] ** 2 + x[1] ** 2)
    c, d = np.cos(s), np.sin(s)
    return 1.0 + u * (x[0] * c - x[1] * d), u * (x[0] * d + x[1] * c)
