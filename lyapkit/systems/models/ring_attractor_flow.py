"""x' = x (mu - |x|^2)."""

import math

from lyapkit.systems.system import model


def _box(parameters):
    """Around all fixed points: |x|^2 is 0 or mu."""
    side = math.sqrt(max(parameters["mu"], 0.0)) + 1.0
    return -side, side


@model("flow", "x' = x (mu - |x|^2)", (0.5, 0.2), box=_box)
def ring_attractor_flow(x, mu=1.0):
    """A circle of fixed points: x' = x (mu - |x|^2), of radius sqrt(mu); exponents 0 and -2 mu.

    The normal form of `stuart_landau` without rotation: a continuous attractor of the shape of a limit cycle.

    >>> import lyapkit as lk
    >>> lk.lyapunov_spectrum(lk.systems.ring_attractor_flow()).lyapunov_exponent.values.round(5)
    array([ 0., -2.])
    """
    excess = mu - x[0] * x[0] - x[1] * x[1]
    return x[0] * excess, x[1] * excess
