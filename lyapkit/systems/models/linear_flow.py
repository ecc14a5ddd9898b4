"""x' = A x, the exact test of flows."""

import numpy as np

from lyapkit.systems.system import model


def _start(parameters):
    """Ones where orbits stay bounded, else the origin, whose exponents are the same."""
    A = np.asarray(parameters["A"])
    stable = np.linalg.eigvals(A).real.max() <= 1e-12
    return np.ones(len(A)) if stable else np.zeros(len(A))


@model(
    "flow", "x' = A x", _start, dimension=lambda parameters: len(parameters["A"])
)
def linear_flow(x, A=((-1.0, 1.0), (0.0, -2.0))):
    """x' = A x for a square matrix `A` (n, n); exponents are the real parts of its eigenvalues.

    >>> import lyapkit as lk
    >>> lk.systems.linear_flow(A=[[0.0, 1.0], [-1.0, -0.2]]).dimension
    2
    """
    return A @ x
