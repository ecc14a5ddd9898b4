"""Explicit Runge-Kutta steps of state and frame, for any tableau.

The frame is advanced by the derivative of the numerical step itself: stage j of the frame uses the
Jacobian at stage j of the state, so that the frame is the exact tangent map of the step
(freezing the Jacobian over the step would cost all but the first order).
"""

from lyapkit.kernels.abi import STEP
from lyapkit.kernels.jit import inline, kernel
from lyapkit.kernels.simd import WIDTH, load, part, store


@inline
def _combine(start, slopes, tableau, row, count, h, lane, i, out):
    """out[i] = start[i] + h sum_j tableau[row, j + 1] slopes[j, i] in eight lanes."""
    total = tableau[row, 1] * load(slopes, (0, i, lane))
    for j in range(1, count):
        if tableau[row, j + 1] != 0.0:
            total += tableau[row, j + 1] * load(slopes, (j, i, lane))
    store(out, (i, lane), load(start, (i, lane)) + h * total)


@inline
def _combine_frame(start, slopes, tableau, row, count, h, lane, c, i, out):
    """The same for entry i of column c of the frame."""
    total = tableau[row, 1] * load(slopes, (0, c, i, lane))
    for j in range(1, count):
        if tableau[row, j + 1] != 0.0:
            total += tableau[row, j + 1] * load(slopes, (j, c, i, lane))
    store(out, (c, i, lane), load(start, (c, i, lane)) + h * total)


@inline
def _combine_all(x, frame, stages, frame_stages, tableau, row, count, h, out, frame_out):
    n, k = x.shape[0], frame.shape[0]
    for lane in range(0, x.shape[1], WIDTH):
        h_lane = load(h, (lane,))
        for i in range(n):
            _combine(x, stages, tableau, row, count, h_lane, lane, i, out)
        for c in range(k):
            for i in range(n):
                _combine_frame(
                    frame, frame_stages, tableau, row, count, h_lane, lane, c, i, frame_out
                )


@inline
def _integrate(divergence, weight, kept):
    """Add a stage's divergence (row 1) to the mean over the step (row 0), by the method's own weights."""
    for lane in range(0, divergence.shape[1], WIDTH):
        mean = kept * load(divergence, (0, lane)) + weight * load(divergence, (1, lane))
        store(divergence, (0, lane), mean)


@kernel(STEP)
def step(
    cell, drive, tableau, h, t, x, frame, u, signal, p, dp, shared, index, scratch,
    stages, frame_stages, divergence,
):  # fmt: skip
    count = tableau.shape[0] - 1
    now, later = part(t, 0), part(t, 1)
    y, frame_y = part(stages, count), part(frame_stages, count)  # where a later stage looks
    if u.shape[0] > 0:
        drive(now, signal, u)
    cell(
        now, x, frame, u, p, dp, shared, index, scratch, part(stages, 0), part(frame_stages, 0),
        part(divergence, 1),
    )  # fmt: skip
    _integrate(divergence, tableau[count, 1], 0.0)
    for s in range(1, count):
        _combine_all(x, frame, stages, frame_stages, tableau, s, s, h, y, frame_y)
        for lane in range(0, x.shape[1], WIDTH):
            store(later, (lane,), load(now, (lane,)) + tableau[s, 0] * load(h, (lane,)))
        if u.shape[0] > 0:
            drive(later, signal, u)
        cell(
            later, y, frame_y, u, p, dp, shared, index, scratch, part(stages, s),
            part(frame_stages, s), part(divergence, 1),
        )  # fmt: skip
        _integrate(divergence, tableau[count, s + 1], 1.0)
    _combine_all(x, frame, stages, frame_stages, tableau, count, count, h, x, frame)
    for lane in range(0, x.shape[1], WIDTH):
        store(now, (lane,), load(now, (lane,)) + load(h, (lane,)))
