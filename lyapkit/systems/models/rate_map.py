"""x <- (1 - dt) x + dt (J phi(x) + b + V u)."""

from lyapkit.systems.models._networks import ACTIVATIONS, WEIGHTS, rate_box
from lyapkit.systems.network import network


@network(
    "map",
    "x <- (1 - dt) x + dt (J phi(x) + b + V u)",
    components={"x": "x"},
    matrices={"J": ("x", "x"), "V": ("x", "input")},
    vectors={"b": "x"},
    options={"activation": ACTIVATIONS},
    box=rate_box,
)
def rate_map(x, u, J=WEIGHTS, b=0.0, V=None, activation="tanh", dt=1.0):
    """The rate network in steps of dt: x <- (1 - dt) x + dt (J phi(x) + b + V u), phi elementwise.

    Euler's step of `rate_flow`; at dt = 1 the discrete network of Molgedey, Schuchhardt & Schuster, Phys. Rev. Lett.
    69 (1992) 3717. Exponents are per iterate. J (n, n) is an array, a matrix of scipy.sparse or a `LowRank`.

    >>> import numpy as np, lyapkit as lk
    >>> lk.systems.rate_map(J=np.zeros((3, 3)), dt=0.5).parameters["dt"]
    0.5
    """
    return (1.0 - dt) * x + dt * (J @ activation(x) + b + V @ u)
