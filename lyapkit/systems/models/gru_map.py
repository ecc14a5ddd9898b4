"""GRU: h <- (1 - z) n + z h."""

from lyapkit.systems.models._gru import CANDIDATES, GATES, MATRICES, RESETS, VECTORS, gates
from lyapkit.systems.network import network


@network(
    "map",
    "h <- (1 - z) n + z h; z, r = sigmoid(W h + b + V u); n = tanh(bn + Vn u + r (Wh h + bh))",
    components={"h": "h"},
    matrices=MATRICES,
    vectors=VECTORS,
    options={"reset": RESETS},
    box=lambda parameters: (-1.0, 1.0),  # h = n, a value of tanh
)
def gru_map(
    h, u, Wz=GATES, Wr=GATES, Wh=CANDIDATES, bz=0.0, br=0.0, bh=0.0, bn=0.0, Vz=None, Vr=None, Vn=None,
    reset="after",
):  # fmt: skip
    """The gated recurrent unit: h <- (1 - z) n + z h.

    Cho et al., EMNLP 2014, arXiv:1406.1078, with z for its 1 - z, as PyTorch and Keras have it.

    z, r = sigmoid(W h + b + V u). reset="after" (PyTorch, Keras with reset_after): n = tanh(bn + Vn u + r (Wh h +
    bh)); "before" (the paper): n = tanh(bn + Vn u + Wh (r h) + bh). Vz, Vr, Vn (n, n_inputs) go with `input`.

    >>> import lyapkit as lk
    >>> lk.systems.gru_map(reset="before").dimension
    4
    """
    z, n = gates(h, u, Wz, Wr, Wh, bz, br, bh, bn, Vz, Vr, Vn, reset)
    return (1.0 - z) * n + z * h
