"""x' = A + x^2 y - (B + 1) x, y' = B x - x^2 y."""

import numpy as np

from lyapkit.systems.system import model


def _box(parameters):
    """Around (A, B / A)."""
    A, B = parameters["A"], parameters["B"]
    if A == 0.0:
        return None
    side = np.array([abs(A), abs(B / A)]) + 1.0
    return -side, side


@model("flow", "x' = A + x^2 y - (B + 1) x, y' = B x - x^2 y", (1.5, 2.5), dt=0.02, box=_box)
def brusselator(x, A=1.0, B=3.0):
    """A chemical oscillator: x' = A + x^2 y - (B + 1) x, y' = B x - x^2 y.

    Prigogine & Lefever, J. Chem. Phys. 48 (1968) 1695. Fixed point (A, B/A); Hopf at B = 1 + A^2.

    >>> import lyapkit as lk
    >>> lk.systems.brusselator().kind
    'flow'
    """
    reaction = x[0] ** 2 * x[1]
    return A + reaction - (B + 1.0) * x[0], B * x[0] - reaction
