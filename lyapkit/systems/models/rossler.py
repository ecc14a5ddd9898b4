"""x' = -y - z, y' = x + a y, z' = b + z (x - c)."""

from lyapkit.systems.system import model


@model("flow", "x' = -y - z, y' = x + a y, z' = b + z (x - c)", (1.0, 1.0, 0.0), dt=0.02)
def rossler(x, a=0.2, b=0.2, c=5.7):
    """Rossler's band: x' = -y - z, y' = x + a y, z' = b + z (x - c).

    Rossler, Phys. Lett. A 57 (1976) 397, state (x, y, z).

    >>> import lyapkit as lk
    >>> lk.systems.rossler().kind
    'flow'
    """
    return -x[1] - x[2], x[0] + a * x[1], b + x[2] * (x[0] - c)
