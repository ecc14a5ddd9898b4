"""p <- p + k sin q, q <- q + p (the new p), both mod 2 pi."""

import math

import numpy as np

from lyapkit.systems.system import model

TURN = 2.0 * math.pi


@model("map", "p <- p + k sin q, q <- q + p (the new p), both mod 2 pi", (2.0, 1.0), box=lambda p: (0.0, TURN))
def standard_map(x, k=6.0):
    """Chirikov's standard map: p <- p + k sin q, q <- q + p (the new p), both mod 2 pi.

    Chirikov, Phys. Rep. 52 (1979) 263, state (q, p), both mod 2 pi; area-preserving.

    >>> import lyapkit as lk
    >>> lk.systems.standard_map().kind
    'map'
    """
    p = x[1] + k * np.sin(x[0])
    return np.mod(x[0] + p, TURN), np.mod(p, TURN)
