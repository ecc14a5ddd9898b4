"""One application of a map: x <- f(x), Q <- Df(x) Q."""

import numpy as np

from lyapkit.kernels.abi import STEP
from lyapkit.kernels.jit import kernel
from lyapkit.kernels.simd import WIDTH, load, part, store

ORDER = None
SOURCE = "the definition of a map and its tangent map"
# Weighted means over n steps lose digits to aliasing as the interval grows; eight iterates keep 1e-9 over
# 10,000 and leave the QR a small share of the cost.
LONGEST_INTERVAL = 8
TABLEAU = np.zeros((2, 2))  # one stage store; a map has no coefficients


@kernel(STEP)
def step(
    cell, drive, tableau, h, t, x, frame, u, signal, p, dp, shared, index, scratch,
    stages, frame_stages, divergence,
):  # fmt: skip
    time, image, frame_image = part(t, 0), part(stages, 0), part(frame_stages, 0)
    if u.shape[0] > 0:
        drive(time, signal, u)
    cell(
        time, x, frame, u, p, dp, shared, index, scratch, image, frame_image, part(divergence, 0)
    )
    n, k = x.shape[0], frame.shape[0]
    for lane in range(0, x.shape[1], WIDTH):
        store(t, (0, lane), load(t, (0, lane)) + load(h, (lane,)))
        for i in range(n):
            store(x, (i, lane), load(image, (i, lane)))
            for j in range(k):
                store(frame, (j, i, lane), load(frame_image, (j, i, lane)))
