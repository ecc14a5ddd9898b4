"""Explicit Runge-Kutta steps of state and frame, printed for a tableau with its coefficients as constants.

The frame is advanced by the derivative of the numerical step itself: stage j of the frame uses the
Jacobian at stage j of the state, so that the frame is the exact tangent map of the step
(freezing the Jacobian over the step would cost all but the first order).
"""

from lyapkit.kernels.generated import load_module

_HEADER = """from lyapkit.kernels.abi import CALL, field, number, pointer_at, redirect
from lyapkit.kernels.jit import kernel
from lyapkit.kernels.simd import WIDTH, load, store
from lyapkit.kernels.views import merged, part


@kernel(CALL)
def step(call):
"""
# what every printed step works with
ARRAYS = """    cell, drive = pointer_at(number(call, "cell")), pointer_at(number(call, "drive"))
    t, x, frame, h = field(call, "t"), field(call, "x"), field(call, "frame"), field(call, "h")
    stage_t, stage_x = field(call, "stage_t"), field(call, "stage_x")
    stage_frame = field(call, "stage_frame")
    slopes, frame_slopes = field(call, "slopes"), field(call, "frame_slopes")
    columns, stage_columns, column_slopes = merged(frame), merged(stage_frame), merged(frame_slopes)
    mean, divergence = field(call, "mean_divergence"), field(call, "divergence")
    n, driven, held = x.shape[0], number(call, "inputs") > 0, number(call, "held") == 1
"""
_MOVE = """    redirect(call, "t", {t})
    redirect(call, "x", {x})
    redirect(call, "frame", {frame})
"""
_STAGE = """    redirect(call, "rate", part(slopes, {s}))
    redirect(call, "frame_rate", part(frame_slopes, {s}))
    if driven{unless_held}:
        drive(call)
    cell(call)
    for lane in range(0, t.shape[0], WIDTH):
        h_lane = load(h, (lane,))
        store({next_t}, (lane,), load(t, (lane,)) + {next_c!r} * h_lane)
        store(mean, (lane,), {kept}{weight!r} * load(divergence, (lane,)))
{scaled}
        for i in range(n):
            store({out}, (i, lane), load(x, (i, lane)){terms})
        for i in range(columns.shape[0]):
            store({frame_out}, (i, lane), load(columns, (i, lane)){frame_terms})
"""


def explicit_step(tableau):
    """The kernel `step` of the explicit method with this Butcher tableau (see steps)."""
    count = len(tableau) - 1
    stages = [_stage(tableau, s, count) for s in range(count)]
    moves = {1: _MOVE.format(t="stage_t", x="stage_x", frame="stage_frame")}
    text = "".join(moves.get(s, "") + stage for s, stage in enumerate(stages))
    return load_module(_HEADER + ARRAYS + text + _MOVE.format(t="t", x="x", frame="frame")).step


def _stage(tableau, s, count):
    """Text of stage s: its slope, then the state at which the next stage looks (or the step's end)."""
    last = s + 1 == count
    row = tableau[s + 1, 1:]
    used = [j for j in range(s + 1) if row[j] != 0.0]
    terms = "".join(f" + a{j} * load({{0}}, ({j}, i, lane))" for j in used)
    return _STAGE.format(
        s=s,
        unless_held=" and not held" if s else "",
        next_t="t" if last else "stage_t",
        next_c=1.0 if last else float(tableau[s + 1, 0]),
        kept="load(mean, (lane,)) + " if s else "",
        weight=float(tableau[count, s + 1]),
        scaled="\n".join(f"        a{j} = {float(row[j])!r} * h_lane" for j in used),
        out="x" if last else "stage_x",
        frame_out="columns" if last else "stage_columns",
        terms=terms.format("slopes"),
        frame_terms=terms.format("column_slopes"),
    )
