"""x <- A x, the exact test of maps."""

import numpy as np

from lyapkit.systems.system import model


def _start(parameters):
    """Ones where orbits stay bounded, else the origin, whose exponents are the same."""
    A = np.asarray(parameters["A"])
    stable = abs(np.linalg.eigvals(A)).max() <= 1.0 + 1e-12
    return np.ones(len(A)) if stable else np.zeros(len(A))


@model("map", "x <- A x", _start, dimension=lambda parameters: len(parameters["A"]))
def linear_map(x, A=((0.9, 0.3), (0.0, 0.5))):
    """x <- A x for a square matrix `A` (n, n); exponents are ln |eigenvalues|.

    >>> import lyapkit as lk
    >>> lk.systems.linear_map().kind
    'map'
    """
    return A @ x
