"""Explicit Runge-Kutta steps of which each lane chooses the length itself, printed for a tableau.

A step is a row of substeps that ends at `h` for every lane (see _control). State and frame advance together as in
_explicit: the frame's stages use the Jacobian at the state's. Where the last stage lies where the substep ends, its
slopes begin the next one; at the beginning of a step they are computed anew, since the frame has been orthonormalised
and an input may have jumped. The divergence is integrated with the method's weights, substep by substep.
"""

from lyapkit.kernels.generated import load_module
from lyapkit.kernels.steps._explicit import ARRAYS

_HEADER = """from lyapkit.kernels.abi import CALL, field, number, pointer_at, redirect
from lyapkit.kernels.jit import kernel
from lyapkit.kernels.simd import WIDTH, absolute, load, splat, sqrt, store, where
from lyapkit.kernels.steps._control import (
    ELAPSED, FIRST, GOOD, MEAN, TAKEN, accept, across, begin, blended, choose, end, judge,
)
from lyapkit.kernels.views import merged, part
from lyapkit.kernels.vmath import maximum


@kernel(CALL)
def step(call):
"""
_CONTROL = """    control, tolerance = field(call, "control"), field(call, "tolerance")
    rtol, atol = tolerance[0], tolerance[1]
    units, spread = 1.0 * number(call, "units"), number(call, "spread") == 1
    if driven and held:
        drive(call)
    begin(call)
    redirect(call, "t", stage_t)
    attempts = 0
    while choose(call, t):
        attempts += 1
"""
_EVALUATE = """{indent}redirect(call, "rate", part(slopes, {s}))
{indent}redirect(call, "frame_rate", part(frame_slopes, {s}))
{indent}if driven and not held:
{indent}    drive(call)
{indent}cell(call)
"""
_FIRST = """{indent}redirect(call, "x", x)
{indent}redirect(call, "frame", frame)
{evaluate}{indent}for lane in range(0, t.shape[0], WIDTH):
{indent}    store(control, (FIRST, lane), load(divergence, (lane,)))
        redirect(call, "x", stage_x)
        redirect(call, "frame", stage_frame)
"""
_STAGE = """        for lane in range(0, t.shape[0], WIDTH):
            length = load(control, (TAKEN, lane))
            store(stage_t, (lane,), load(t, (lane,)) + (load(control, (ELAPSED, lane)) + {next_c!r} * length))
            store(control, (MEAN, lane), {mean})
{scaled}
            for i in range(n):
                store(stage_x, (i, lane), load(x, (i, lane)){terms})
            for i in range(columns.shape[0]):
                store(stage_columns, (i, lane), load(columns, (i, lane)){frame_terms})
"""
_ERROR = """        for lane in range(0, t.shape[0], WIDTH):
            length = load(control, (TAKEN, lane))
            {zeros} = {zero_values}
            for i in range(n):
                size = maximum(absolute(load(x, (i, lane))), absolute(load(stage_x, (i, lane))))
                weight = length / (atol + rtol * size)
{state_sums}
            error = {state_error}
            for j in range(frame.shape[0]):
                size = splat(0.0)
                {zeros} = {zero_values}
                for i in range(n):
                    size += absolute(load(stage_frame, (j, i, lane)))
{frame_sums}
                weight = length / (rtol * maximum(across(size, spread), splat(1e-280)))
                error = maximum(error, {frame_error})
            stuck = judge(call, lane, t, error, {order!r}, attempts)
            good = load(control, (GOOD, lane)) > 0.5
            grown = load(control, (TAKEN, lane)) * load(control, (MEAN, lane))
            store(mean, (lane,), load(mean, (lane,)) + where(good, grown, splat(0.0)))
            accept(control, lane, stage_x, x)
            accept(control, lane, stage_columns, columns)
"""
_REUSE = """            first = where(good, load(divergence, (lane,)), load(control, (FIRST, lane)))
            store(control, (FIRST, lane), first)
            accept(control, lane, part(slopes, {last}), part(slopes, 0))
            accept(control, lane, part(column_slopes, {last}), part(column_slopes, 0))
"""
_END = """            if stuck:
                end(control, lane, x, columns, spread)
    for lane in range(0, t.shape[0], WIDTH):
        store(mean, (lane,), load(mean, (lane,)) / load(h, (lane,)))
        store(t, (lane,), load(t, (lane,)) + load(h, (lane,)))
    redirect(call, "t", t)
    redirect(call, "x", x)
    redirect(call, "frame", frame)
"""


def adaptive_step(tableau, estimates, order):
    """The kernel `step` of the explicit method with this Butcher tableau (see steps).

    estimates   one row of weights (stages,) whose sum of slopes is the error, or two as in dop853
    order       of h in that error
    """
    count = len(tableau) - 1
    reuses = (tableau[count - 1, 1:] == tableau[count, 1:]).all()
    indent = " " * (12 if reuses else 8)
    text = _HEADER + ARRAYS + _CONTROL + ("        if attempts == 1:\n" if reuses else "")
    text += _FIRST.format(indent=indent, evaluate=_EVALUATE.format(s=0, indent=indent))
    for s in range(count - reuses):
        if s:
            text += _EVALUATE.format(s=s, indent=" " * 8)
        text += _stage(tableau, s)
    if reuses:
        text += _EVALUATE.format(s=count - 1, indent=" " * 8)
    text += _error(estimates, order)
    if reuses:
        text += _REUSE.format(last=count - 1)
    return load_module(text + _END).step


def _stage(tableau, s):
    """Text after stage s: the state at which the next stage looks, the last time the substep's end."""
    row, weight = tableau[s + 1, 1:], float(tableau[-1, s + 1])
    used = [j for j in range(s + 1) if row[j] != 0.0]
    terms = "".join(f" + a{j} * load({{0}}, ({j}, i, lane))" for j in used)
    before = "load(control, (MEAN, lane)) + " if s else ""
    return _STAGE.format(
        next_c=1.0 if s + 2 == len(tableau) else float(tableau[s + 1, 0]),
        mean=f"{before}{weight!r} * load({'divergence, (lane,)' if s else 'control, (FIRST, lane)'})",
        scaled="\n".join(f"            a{j} = {float(row[j])!r} * length" for j in used),
        terms=terms.format("slopes"),
        frame_terms=terms.format("column_slopes"),
    )


def _error(estimates, order):
    """Text that sums up the error's estimates, has them judged and moves what is accepted."""
    names = [f"sum{e}" for e in range(len(estimates))]
    state, frame = [], []
    for name, row in zip(names, estimates, strict=True):
        used = [(j, float(w)) for j, w in enumerate(row) if w != 0.0]
        in_state = " + ".join(f"{w!r} * load(slopes, ({j}, i, lane))" for j, w in used)
        in_frame = " + ".join(f"{w!r} * load(frame_slopes, ({j}, j, i, lane))" for j, w in used)
        state += [f"                part_{name} = weight * ({in_state})"]
        state += [f"                {name} += part_{name} * part_{name}"]
        frame += [f"                    {name} += absolute({in_frame})"]
    of_state = [f"across({name}, spread) / units" for name in names]
    of_frame = [f"weight * across({name}, spread)" for name in names]
    if len(estimates) == 1:
        state_error, frame_error = f"sqrt({of_state[0]})", of_frame[0]
    else:
        state_error = f"blended({', '.join(of_state)})"
        frame_error = f"blended({', '.join(f'({part}) * ({part})' for part in of_frame)})"
    return _ERROR.format(
        zeros=", ".join(names), zero_values=", ".join(["splat(0.0)"] * len(names)),
        state_sums="\n".join(state), frame_sums="\n".join(frame), state_error=state_error,
        frame_error=frame_error, order=float(order),
    )  # fmt: skip
