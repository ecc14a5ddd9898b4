"""x <- A x, the exact test of maps."""

import numpy as np

from lyapkit.systems.models import _linear
from lyapkit.systems.system import model


def _start(parameters):
    return _linear.start(parameters, lambda eigenvalues: abs(eigenvalues).max() <= 1.0 + 1e-12)


@model("map", "x <- A x", _start, dimension=_linear.dimension, box=lambda p: _linear.box(p["A"] - np.eye(len(p["A"]))))
def linear_map(x, A=((0.9, 0.3), (0.0, 0.5))):
    """x <- A x for a square matrix `A` (n, n); exponents are ln |eigenvalues|.

    Starts from ones where orbits stay bounded, else at the origin, whose exponents are the same.

    >>> import lyapkit as lk
    >>> lk.systems.linear_map().kind
    'map'
    """
    return A @ x
