"""Array layouts and function-pointer signatures of the compiled core.

Every array ends in the lane axis L, a multiple of `simd.WIDTH`; all are C-ordered float64 unless said.

====================  =============  =====================================================================
name                  shape          meaning
====================  =============  =====================================================================
t                     (L,)           time of each lane (maps: number of iterates done)
x                     (n, L)         state
frame                 (k, n, L)      tangent frame Q, one column a row; k = 0: the state alone
u                     (r, L)         input at time t
p                     (m, L)         prepared parameters: the raw ones, then all that depends on them alone
dp                    (k or 0, m, L) direction in p carried by each column; length 0: none
shared, index         (s,), int64    numbers and offsets shared by all lanes (weights, stored once)
scratch               (w, L)         working space of the cell, which allocates nothing
rate                  (n, L)         f(t, x, u, p); for a map the next state
frame_rate            (k, n, L)      D_x f Q + D_p f dp
divergence            (L,)           flows: tr D_x f; maps: det D_x f, sign included
====================  =============  =====================================================================

A map is iterated in place: its cell must stand `rate` being `x` and `frame_rate` being `frame`.
"""

from numba import types

from lyapkit.kernels.jit import pointer_maker

_f8 = types.float64


def _array(dimensions, dtype=_f8):
    return types.Array(dtype, dimensions, "C")


vector, rows, frames = _array(1), _array(2), _array(3)
integers = _array(1, types.int64)

# cell(t, x, frame, u, p, dp, shared, index, scratch, rate, frame_rate, divergence)
CELL = types.void(
    vector, rows, frames, rows, rows, frames, vector, integers, rows, rows, frames, vector
)

# adjoint(t, x, cotangent, u, p, shared, index, scratch, state_part, parameter_part):
# state_part[j] = D_x f' cotangent[j] (k, n, L), parameter_part[j] = D_p f' cotangent[j] (k, m, L)
ADJOINT = types.void(
    vector, rows, frames, rows, rows, vector, integers, rows, frames, frames
)

# multilinear(t, x, directions, u, p, shared, index, scratch, out): D^d f [v_1, ..., v_d] with
# directions (d, n, L), out (n, L); the second and third derivatives of normal forms
MULTILINEAR = types.void(vector, rows, frames, rows, rows, vector, integers, rows, rows)

# prepare(raw, p): the prepared parameters from the raw ones (each (., L))
PREPARE = types.void(rows, rows)

# drive(t, signal, u): the input at the times t from its samples (length, r)
DRIVE = types.void(vector, rows, rows)

cell_pointer = types.FunctionType(CELL)
drive_pointer = types.FunctionType(DRIVE)

# step(cell, drive, tableau, h, t, x, frame, u, signal, p, dp, shared, index, scratch, stages,
#      frame_stages, divergence): advance t, x and frame together by the step h (L,), in place.
# t (2, L): the time and a stage's time; divergence (2, L): the mean over the step, and a stage's;
# tableau (s + 1, s + 1), stages (s + 1, n, L) and frame_stages (s + 1, k, n, L): see steps/.
STEP = types.void(
    cell_pointer,
    drive_pointer,
    rows,
    vector,
    rows,
    rows,
    frames,
    rows,
    rows,
    rows,
    frames,
    vector,
    integers,
    rows,
    frames,
    _array(4),
    rows,
)
step_pointer = types.FunctionType(STEP)

# advance(step, cell, drive (addresses), plan, tableau, h, t, x, frame, u, signal, p, dp, shared, index, scratch,
#         stages, frame_stages, divergence, carry, interval, sums, quality, record, spare):
# see tangent.py
ADVANCE = types.void(
    types.int64,
    types.int64,
    types.int64,
    integers,
    *STEP.args[2:],
    rows,
    rows,
    frames,
    rows,
    frames,
    rows,
)

# the pointers that `advance` makes of those addresses
step_at = pointer_maker(step_pointer)
cell_at = pointer_maker(cell_pointer)
drive_at = pointer_maker(drive_pointer)
