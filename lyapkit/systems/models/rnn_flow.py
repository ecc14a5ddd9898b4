"""tau x' = -x + phi(W x + b + V u)."""

from lyapkit.systems.models._networks import ACTIVATIONS, WEIGHTS, range_box
from lyapkit.systems.network import network


@network(
    "flow",
    "tau x' = -x + phi(W x + b + V u)",
    components={"x": "x"},
    matrices={"W": ("x", "x"), "V": ("x", "input")},
    vectors={"b": "x"},
    options={"activation": ACTIVATIONS},
    box=range_box,
)
def rnn_flow(x, u, W=WEIGHTS, b=0.0, V=None, activation="tanh", tau=1.0):
    """The continuous RNN: tau x' = -x + phi(W x + b + V u), phi elementwise.

    Wilson & Cowan, Biophys. J. 12 (1972) 1, in the form without refractoriness. W (n, n) is an array, a matrix of
    scipy.sparse or a `LowRank`; b a number or (n,); V (n, n_inputs) goes with `input`.

    >>> import numpy as np, lyapkit as lk
    >>> lk.systems.rnn_flow(W=2 * np.eye(2), activation="relu")
    rnn_flow(W=<array 2x2>, b=0.0, activation='relu', tau=1.0)
    """
    return (activation(W @ x + b + V @ u) - x) / tau
