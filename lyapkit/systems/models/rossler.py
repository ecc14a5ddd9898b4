"""x' = -y - z, y' = x + a y, z' = b + z (x - c)."""

import numpy as np

from lyapkit.systems.system import model


def _box(parameters):
    """y = -z, x = a z and Cauchy's bound on the roots of a z^2 - c z + b."""
    a, b, c = (parameters[name] for name in "abc")
    if a == 0.0:
        return None
    z = 1.0 + max(abs(b), abs(c)) / abs(a)
    side = np.array([abs(a) * z, z, z]) + 1.0
    return -side, side


@model("flow", "x' = -y - z, y' = x + a y, z' = b + z (x - c)", (1.0, 1.0, 0.0), dt=0.02, box=_box)
def rossler(x, a=0.2, b=0.2, c=5.7):
    """Rossler's band: x' = -y - z, y' = x + a y, z' = b + z (x - c).

    Rossler, Phys. Lett. A 57 (1976) 397, state (x, y, z).

    >>> import lyapkit as lk
    >>> lk.systems.rossler().kind
    'flow'
    """
    return -x[1] - x[2], x[0] + a * x[1], b + x[2] * (x[0] - c)
