"""(x, y) <- (2 x + y, x + y) mod 1."""

import numpy as np

from lyapkit.systems.system import model


@model("map", "(x, y) <- (2 x + y, x + y) mod 1", (0.4, 0.3), box=lambda p: (0.0, 1.0))
def cat_map(x):
    """Arnold's cat map: (x, y) <- (2 x + y, x + y) mod 1.

    Arnold's cat map on the torus; exponents +-ln((3 + sqrt 5) / 2) from every state.

    >>> import lyapkit as lk
    >>> lk.systems.cat_map().kind
    'map'
    """
    return np.mod(2.0 * x[0] + x[1], 1.0), np.mod(x[0] + x[1], 1.0)
