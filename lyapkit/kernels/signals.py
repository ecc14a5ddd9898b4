"""Inputs that are arrays of samples, written to the call table; compiled when the first driven system asks for them."""

from lyapkit.kernels.abi import CALL, field, number
from lyapkit.kernels.jit import inline, kernel

# A step that ends on the border of two samples has come there by additions, whose rounding must not matter.
_BORDER = 1e-6


@inline
def write(u, i, lane, value, spread):
    """Component i in a lane; or, where one system is spread over the lanes, in its place of the vector."""
    if spread == 1:
        u[i // 8, i % 8] = value
    else:
        u[i, lane] = value


@kernel(CALL)
def held_input(call):
    """The sample that began last; none outside the samples' time."""
    signal, u, t = field(call, "signal"), field(call, "u"), field(call, "t")
    dt, spread = field(call, "input_dt")[0], number(call, "spread")
    for lane in range(1 if spread == 1 else t.shape[0]):
        sample = int(t[lane] / dt + _BORDER)
        for i in range(signal.shape[1]):
            write(u, i, lane, signal[min(sample, signal.shape[0] - 1), i], spread)


@kernel(CALL)
def linear_input(call):
    """The straight line between neighbouring samples."""
    signal, u, t = field(call, "signal"), field(call, "u"), field(call, "t")
    dt, spread = field(call, "input_dt")[0], number(call, "spread")
    for lane in range(1 if spread == 1 else t.shape[0]):
        place = t[lane] / dt
        sample = min(int(place), signal.shape[0] - 2)
        share = place - sample
        for i in range(signal.shape[1]):
            value = (1.0 - share) * signal[sample, i] + share * signal[sample + 1, i]
            write(u, i, lane, value, spread)
