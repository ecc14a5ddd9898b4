"""One application of a map: x <- f(x), Q <- Df(x) Q, in place."""

import numpy as np

from lyapkit.kernels.abi import STEP
from lyapkit.kernels.jit import kernel
from lyapkit.kernels.simd import WIDTH, load, part, store

ORDER = None
SOURCE = "the definition of a map and its tangent map"
# Weighted means over n steps lose digits to aliasing as the interval grows; eight iterates keep 1e-9 over
# 10,000 and leave the QR a small share of the cost.
LONGEST_INTERVAL = 8
TABLEAU = np.zeros((1, 1))  # a map has no stages


@kernel(STEP)
def step(
    cell, drive, tableau, h, t, x, frame, u, signal, p, dp, shared, index, scratch,
    stages, frame_stages, divergence,
):  # fmt: skip
    time = part(t, 0)
    if u.shape[0] > 0:
        drive(time, signal, u)
    cell(time, x, frame, u, p, dp, shared, index, scratch, x, frame, part(divergence, 0))
    for lane in range(0, x.shape[1], WIDTH):
        store(time, (lane,), load(time, (lane,)) + load(h, (lane,)))
