"""Coupled oscillators in steps of dt: z <- z + dt z'(y, z), then y <- y + dt z."""

from lyapkit.systems.models import _cornn
from lyapkit.systems.network import network


@network(
    "map",
    "z <- z + dt (tanh(W y + Wdot z + b + V u) - gamma y - epsilon z), y <- y + dt z (new z)",
    components=_cornn.COMPONENTS,
    matrices=_cornn.MATRICES,
    vectors={"b": "y"},
    box=_cornn.box,
)
def cornn_map(y, z, u, W=_cornn.W, Wdot=_cornn.WDOT, b=0.0, V=None, gamma=1.0, epsilon=0.1, dt=0.1):
    """The coupled oscillatory network's cell: z <- z + dt z'(y, z), then y <- y + dt z with the new z; state (y, z).

    Rusch & Mishra, ICLR 2021, arXiv:2010.00951, equation 3, explicit in both terms of z' (their option of an implicit
    damping is not). W, Wdot (n, n), b a number or (n,).

    >>> import lyapkit as lk
    >>> lk.systems.cornn_map(dt=0.05).parameters["dt"]
    0.05
    """
    z = z + dt * _cornn.force(y, z, u, W, Wdot, b, V, gamma, epsilon)
    return y + dt * z, z
