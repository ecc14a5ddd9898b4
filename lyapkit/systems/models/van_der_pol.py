"""x' = y, y' = mu (1 - x^2) y - x."""

from lyapkit.systems.system import model


@model("flow", "x' = y, y' = mu (1 - x^2) y - x", (2.0, 0.0), dt=0.02, box=lambda p: (-1.0, 1.0))
def van_der_pol(x, mu=1.0):
    """A relaxation oscillator: x' = y, y' = mu (1 - x^2) y - x.

    Van der Pol's oscillator (Phil. Mag. 2 (1926) 978), state (x, y); one stable cycle for mu > 0.

    >>> import lyapkit as lk
    >>> lk.systems.van_der_pol().kind
    'flow'
    """
    return x[1], mu * (1.0 - x[0] ** 2) * x[1] - x[0]
