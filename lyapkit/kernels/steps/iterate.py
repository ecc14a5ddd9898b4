"""One application of a map: x <- f(x), Q <- Df(x) Q, in place."""

import numpy as np

from lyapkit.kernels.abi import CALL, field, number, pointer_at
from lyapkit.kernels.jit import kernel
from lyapkit.kernels.simd import WIDTH, load, store

ORDER = None
SOURCE = "the definition of a map and its tangent map"
# Weighted means over n steps lose digits to aliasing as the interval grows; eight iterates keep 1e-9 over
# 10,000 and leave the QR a small share of the cost.
LONGEST_INTERVAL = 8
TABLEAU = np.zeros((1, 1))  # a map has no stages


@kernel(CALL)
def step(call):
    if number(call, "inputs") > 0:
        pointer_at(number(call, "drive"))(call)
    pointer_at(number(call, "cell"))(call)
    t, h = field(call, "t"), field(call, "h")
    for lane in range(0, t.shape[0], WIDTH):
        store(t, (lane,), load(t, (lane,)) + load(h, (lane,)))
