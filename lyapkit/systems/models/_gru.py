"""What the GRU's flow and map share: its gates, in the two conventions of the reset."""

import math

import numpy as np

from lyapkit.systems.models._networks import sigmoid, tanh
from lyapkit.systems.network import weights

MATRICES = {name: ("h", "h") for name in ("Wz", "Wr", "Wh")} | {name: ("h", "input") for name in ("Vz", "Vr", "Vn")}
VECTORS = dict.fromkeys(("bz", "br", "bh", "bn"), "h")
RESETS = {"after": True, "before": False}
GATES = weights(4, 0.5, 1)
# a limit cycle of two pairs of units, with gates that are nearly open
CANDIDATES = 3.0 * np.kron(
    np.eye(2), [[math.cos(0.5), -math.sin(0.5)], [math.sin(0.5), math.cos(0.5)]]
)  # fmt: skip


def gates(h, u, Wz, Wr, Wh, bz, br, bh, bn, Vz, Vr, Vn, after):
    """(z, n): the update gate and the candidate."""
    z = sigmoid(Wz @ h + bz + Vz @ u)
    r = sigmoid(Wr @ h + br + Vr @ u)
    recurrent = r * (Wh @ h + bh) if after else Wh @ (r * h) + bh
    return z, tanh(bn + Vn @ u + recurrent)
