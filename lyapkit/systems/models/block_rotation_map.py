"""x <- tanh(W x + b + V u), W block-diagonal with blocks alpha_i R(theta_i)."""

import functools

from lyapkit.systems.models import _blocks
from lyapkit.systems.models._blocks import tanh
from lyapkit.systems.models.rotation_map import rotation_map
from lyapkit.systems.network import network


@network(
    "map",
    "x <- tanh(W x + b + V u), W = diag(alpha_i R(theta_i)) + coupling",
    blocks=functools.partial(_blocks.blocks, rotation_map),
    as_network=_blocks.as_network("rnn_map"),
    **_blocks.KEYWORDS,
)
def block_rotation_map(x, u, W, alpha=_blocks.ALPHA, theta=_blocks.THETA, coupling=None, b=0.0, V=None):
    """A tanh network of two-unit blocks: x <- tanh(W x + b + V u), W = diag(alpha_i R(theta_i)) + coupling.

    One block for each entry of `alpha` and `theta`; `coupling` (n, n), n = 2 blocks, is added to the weights. Without
    coupling, bias and input the spectrum is computed block by block, at a cost linear in their number; with
    them as that of any network.

    >>> import numpy as np, lyapkit as lk
    >>> ds = lk.lyapunov_spectrum(lk.systems.block_rotation_map(alpha=[2.0, 0.5], theta=[0.9, 0.3]))
    >>> ds.sizes["mode"]
    4
    """
    return tanh(W @ x + b + V @ u)
