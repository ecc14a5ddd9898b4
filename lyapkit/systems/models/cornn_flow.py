"""Coupled oscillators: y' = z, z' = tanh(W y + Wdot z + b + V u) - gamma y - epsilon z."""

from lyapkit.systems.models import _cornn
from lyapkit.systems.network import network


@network(
    "flow",
    "y' = z, z' = tanh(W y + Wdot z + b + V u) - gamma y - epsilon z",
    components=_cornn.COMPONENTS,
    matrices=_cornn.MATRICES,
    vectors={"b": "y"},
    box=_cornn.box,
)
def cornn_flow(y, z, u, W=_cornn.W, Wdot=_cornn.WDOT, b=0.0, V=None, gamma=1.0, epsilon=0.1):
    """The coupled oscillatory network: y' = z, z' = tanh(W y + Wdot z + b + V u) - gamma y - epsilon z; state (y, z).

    Rusch & Mishra, ICLR 2021, arXiv:2010.00951, equation 2. W, Wdot (n, n), b a number or (n,).

    >>> import lyapkit as lk
    >>> lk.systems.cornn_flow().dimension
    8
    """
    return z, _cornn.force(y, z, u, W, Wdot, b, V, gamma, epsilon)
