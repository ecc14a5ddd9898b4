"""x' = A x, the exact test of flows."""

from lyapkit.systems.models import _linear
from lyapkit.systems.system import model


def _start(parameters):
    return _linear.start(parameters, lambda eigenvalues: eigenvalues.real.max() <= 1e-12)


@model("flow", "x' = A x", _start, dimension=_linear.dimension, box=lambda p: _linear.box(p["A"]))
def linear_flow(x, A=((-1.0, 1.0), (0.0, -2.0))):
    """x' = A x for a square matrix `A` (n, n); exponents are the real parts of its eigenvalues.

    Starts from ones where orbits stay bounded, else at the origin, whose exponents are the same.

    >>> import lyapkit as lk
    >>> lk.systems.linear_flow(A=[[0.0, 1.0], [-1.0, -0.2]]).dimension
    2
    """
    return A @ x
