"""LSTM: c <- f c + i g, h <- o tanh(c)."""

import numpy as np

from lyapkit.systems.models._networks import drive, row_sums, sigmoid, tanh
from lyapkit.systems.network import network, weights

_GATES = ("i", "f", "g", "o")
_SMALL = {gate: weights(4, 2.0, seed) for seed, gate in enumerate(_GATES)}


def _box(parameters):
    """|h| < 1, and |c| = |i g / (1 - f)| with f below its value at the largest argument."""
    largest = row_sums(parameters["Wf"]) + abs(parameters["bf"]) + drive(parameters, "Vf")
    side = np.concatenate([np.ones_like(largest), 1.0 + np.exp(np.minimum(largest, 50.0))])
    return -side, side


@network(
    "map",
    "c <- f c + i g, h <- o tanh(c); i, f, o = sigmoid(W h + b + V u), g = tanh(Wg h + bg + Vg u)",
    components={"h": "h", "c": "h"},
    matrices={f"W{g}": ("h", "h") for g in _GATES} | {f"V{g}": ("h", "input") for g in _GATES},
    vectors={f"b{g}": "h" for g in _GATES},
    box=_box,
)
def lstm_map(
    h, c, u, Wi=_SMALL["i"], Wf=_SMALL["f"], Wg=_SMALL["g"], Wo=_SMALL["o"], bi=0.0, bf=1.0, bg=0.0, bo=0.0,
    Vi=None, Vf=None, Vg=None, Vo=None,
):  # fmt: skip
    """The long short-term memory: c <- f c + i g, then h <- o tanh(c); state (h, c).

    Hochreiter & Schmidhuber, Neural Computation 9 (1997) 1735, with the forget gate of Gers et al. (2000): PyTorch's
    nn.LSTM, whose two biases are one here. i, f, o = sigmoid(W h + b + V u), g = tanh(Wg h + bg + Vg u), all W (n, n).

    >>> import lyapkit as lk
    >>> lk.systems.lstm_map().dimension
    8
    """
    i, f, o = (sigmoid(W @ h + b + V @ u) for W, b, V in ((Wi, bi, Vi), (Wf, bf, Vf), (Wo, bo, Vo)))
    c = f * c + i * tanh(Wg @ h + bg + Vg @ u)
    return o * tanh(c), c
