"""Explicit Runge-Kutta steps of state and frame, printed for a tableau with its coefficients as constants.

The frame is advanced by the derivative of the numerical step itself: stage j of the frame uses the
Jacobian at stage j of the state, so that the frame is the exact tangent map of the step
(freezing the Jacobian over the step would cost all but the first order).
"""

from lyapkit.kernels.generated import load_module

_HEADER = """from lyapkit.kernels.abi import STEP
from lyapkit.kernels.jit import kernel
from lyapkit.kernels.simd import WIDTH, load, merged, part, store


@kernel(STEP)
def step(
    cell, drive, tableau, h, t, x, frame, u, signal, p, dp, shared, index, scratch,
    stages, frame_stages, divergence,
):
    now, later = part(t, 0), part(t, 1)
    mean, one = part(divergence, 0), part(divergence, 1)
    n, k = x.shape[0], frame.shape[0]
    y, frame_y = part(stages, {count}), part(frame_stages, {count})
    columns, columns_y, frame_slopes = merged(frame), merged(frame_y), merged(frame_stages)
"""
_STAGE = """    if u.shape[0] > 0:
        drive({time}, signal, u)
    cell(
        {time}, {x}, {frame}, u, p, dp, shared, index, scratch, part(stages, {s}), part(frame_stages, {s}),
        one,
    )
    for lane in range(0, x.shape[1], WIDTH):
        h_lane = load(h, (lane,))
        store(later, (lane,), load(now, (lane,)) + {next_c!r} * h_lane)
        store(mean, (lane,), {kept}{weight!r} * load(one, (lane,)))
{scaled}
        for i in range(n):
            store({out}, (i, lane), load(x, (i, lane)){terms})
        for i in range(k * n):
            store({frame_out}, (i, lane), load(columns, (i, lane)){frame_terms})
"""
_FOOTER = """    for lane in range(0, x.shape[1], WIDTH):
        store(now, (lane,), load(now, (lane,)) + load(h, (lane,)))
"""


def explicit_step(tableau):
    """The kernel `step` of the explicit method with this Butcher tableau (see steps)."""
    count = len(tableau) - 1
    stages = [_stage(tableau, s, count) for s in range(count)]
    return load_module(_HEADER.format(count=count) + "".join(stages) + _FOOTER).step


def _stage(tableau, s, count):
    """Text of stage s: its slope, then the state at which the next stage looks (or the step's end)."""
    last = s + 1 == count
    row = tableau[s + 1, 1:]
    used = [j for j in range(s + 1) if row[j] != 0.0]
    terms = [f" + a{j} * load({{}}, ({j}, i, lane))" for j in used]
    return _STAGE.format(
        s=s,
        time="later" if s else "now",
        x="y" if s else "x",
        frame="frame_y" if s else "frame",
        next_c=0.0 if last else float(tableau[s + 1, 0]),
        kept="load(mean, (lane,)) + " if s else "",
        weight=float(tableau[count, s + 1]),
        scaled="\n".join(f"        a{j} = {float(row[j])!r} * h_lane" for j in used),
        out="x" if last else "y",
        frame_out="columns" if last else "columns_y",
        terms="".join(terms).format(*["stages"] * len(terms)),
        frame_terms="".join(terms).format(*["frame_slopes"] * len(terms)),
    )
