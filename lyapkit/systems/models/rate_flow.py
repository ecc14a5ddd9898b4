"""x' = -x + J phi(x) + b + V u."""

from lyapkit.systems.models._networks import ACTIVATIONS, WEIGHTS, rate_box
from lyapkit.systems.network import network


@network(
    "flow",
    "x' = -x + J phi(x) + b + V u",
    components={"x": "x"},
    matrices={"J": ("x", "x"), "V": ("x", "input")},
    vectors={"b": "x"},
    options={"activation": ACTIVATIONS},
    box=rate_box,
)
def rate_flow(x, u, J=WEIGHTS, b=0.0, V=None, activation="tanh"):
    """The rate network: x' = -x + J phi(x) + b + V u, phi elementwise.

    Sompolinsky, Crisanti & Sommers, Phys. Rev. Lett. 61 (1988) 259, with time in units of the membrane's time
    constant. J (n, n) is an array, a matrix of scipy.sparse or a `LowRank`. Without self-connections the
    exponents add up to -n.

    >>> import numpy as np, lyapkit as lk
    >>> lk.systems.rate_flow(J=np.zeros((3, 3))).dimension
    3
    """
    return J @ activation(x) - x + b + V @ u
