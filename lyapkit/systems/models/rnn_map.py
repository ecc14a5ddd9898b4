"""x <- phi(W x + b + V u)."""

from lyapkit.systems.models._networks import ACTIVATIONS, WEIGHTS, range_box
from lyapkit.systems.network import network


@network(
    "map",
    "x <- phi(W x + b + V u)",
    components={"x": "x"},
    matrices={"W": ("x", "x"), "V": ("x", "input")},
    vectors={"b": "x"},
    options={"activation": ACTIVATIONS},
    box=range_box,
)
def rnn_map(x, u, W=WEIGHTS, b=0.0, V=None, activation="tanh"):
    """Elman's network: x <- phi(W x + b + V u), phi elementwise.

    Elman, Cognitive Science 14 (1990) 179, the form of PyTorch's nn.RNN. W (n, n) is an array, a matrix of
    scipy.sparse or a `LowRank`; b a number or (n,); V (n, n_inputs) goes with `input`. ln |det Df| is
    ln |det W| + sum_i ln |phi'(u_i)|.

    >>> import numpy as np, lyapkit as lk
    >>> lk.systems.rnn_map(W=0.5 * np.eye(3)).dimension
    3
    """
    return activation(W @ x + b + V @ u)
