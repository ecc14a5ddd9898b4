"""The driver of the adjoint: some steps of an orbit are run, and cotangents of their end swept back over them.

It is the adjoint of the numerical step itself, not a step of the adjoint equation: with stages X_i = x + h sum_j a_ij
K_j, K_i = f(X_i) and x + h sum_i b_i K_i at the end, a cotangent w of the end gives (Griewank & Walther, Evaluating
Derivatives (2008), ch. 3; Hager, Numer. Math. 87 (2000) 247)

    L_i = h (b_i w + sum_{j>i} a_ji M_j),   M_i = Df(X_i)' L_i,   and w + sum_i M_i at the beginning,

and sum_i D_p f(X_i)' L_i for the parameters. A map has one stage, M = Df(x)' w.

**Scales.** After every step each column is divided by a power of two, so that it neither over- nor underflows; `scale`
adds up the exponents, and `scales` holds what they were when a step's parts were written.

**Two halves.** On the way forwards the adjoint's first half computes the rate and keeps, stage by stage, what its
second half, the columns, needs on the way back: no product with a network's matrices is formed twice.

**Tapes.** Parts of the parameters are kept step by step and summed by the caller; of a network's weights, the vectors
whose outer products are their gradients: one product of matrices for many steps.
"""

from lyapkit.kernels.abi import CALL, field, number, pointer_at, redirect, renumber
from lyapkit.kernels.jit import inline, kernel
from lyapkit.kernels.simd import WIDTH, absolute, from_bits, load, pick, splat, store, to_bits, where
from lyapkit.kernels.views import merged, part


@inline
def _zero(array):
    flat = array.reshape(-1)
    for i in range(flat.shape[0]):
        flat[i] = 0.0


@inline
def _copy(target, source):
    """target = source, arrays of the same shape."""
    a, b = target.reshape(-1), source.reshape(-1)
    for i in range(a.shape[0]):
        a[i] = b[i]


@inline
def _add(target, source):
    """target += source, arrays of the same shape."""
    a, b = target.reshape(-1), source.reshape(-1)
    for i in range(a.shape[0]):
        a[i] += b[i]


@inline
def _largest(frame, c, lane, spread):
    """The largest modulus in a column, lane by lane or, spread, of all lanes."""
    largest = splat(0.0)
    for i in range(frame.shape[1]):
        size = absolute(load(frame, (c, i, lane)))
        largest = where(size > largest, size, largest)
    if spread:
        most = 0.0
        for j in range(WIDTH):
            most = max(most, pick(largest, j))
        largest = splat(most)
    return largest


@inline
def _rescale(frame, scale, spread):
    """Divide the columns by the power of two of their largest entry, and add its exponent to their scale."""
    for lane in range(0, frame.shape[2], WIDTH):
        for c in range(frame.shape[0]):
            largest = _largest(frame, c, lane, spread)
            normal = (largest > 1e-300) & (largest < 1e300)  # else it is zero or lost
            exponent = (to_bits(where(normal, largest, splat(1.0))) >> 52) & 0x7FF
            # the biased exponent as a double: placed in the low bits of 2^52
            added = from_bits(exponent | 0x4330000000000000) - 4503599627371519.0
            factor = from_bits((2046 - exponent) << 52)
            store(scale, (c, lane), load(scale, (c, lane)) + added)
            for i in range(frame.shape[1]):
                store(frame, (c, i, lane), load(frame, (c, i, lane)) * factor)


@inline
def _stage_state(target, x, slopes, tableau, s, h):
    """target = x + h sum_{j<s} a_sj K_j."""
    for lane in range(0, x.shape[1], WIDTH):
        step = load(h, (lane,))
        for i in range(x.shape[0]):
            moved = splat(0.0)
            for j in range(s):
                if tableau[s, j + 1] != 0.0:
                    moved += tableau[s, j + 1] * load(slopes, (j, i, lane))
            store(target, (i, lane), load(x, (i, lane)) + step * moved)


@inline
def _stage_cotangent(target, columns, pulled, tableau, s, h):
    """target = h (b_s w + sum_{j>s} a_js M_j)."""
    count = tableau.shape[0] - 1
    for lane in range(0, h.shape[0], WIDTH):
        step = load(h, (lane,))
        for i in range(columns.shape[0]):
            total = tableau[count, s + 1] * load(columns, (i, lane))
            for j in range(s + 1, count):
                if tableau[j, s + 1] != 0.0:
                    total += tableau[j, s + 1] * load(pulled, (j, i, lane))
            store(target, (i, lane), step * total)


@inline
def _go_to(call, s, i):
    """Point the table at what stage s of step i reads and writes."""
    redirect(call, "scratch", part(part(field(call, "stage_scratch"), i), s))
    redirect(call, "u", part(part(field(call, "stage_u"), i), s))
    redirect(call, "x", part(part(field(call, "stage_states"), i), s))
    redirect(call, "operand", part(part(field(call, "operands"), i), s))
    redirect(call, "cotangent", part(part(field(call, "cotangents"), i), s))
    redirect(call, "rate", part(field(call, "slopes"), s))
    redirect(call, "frame_rate", part(field(call, "frame_slopes"), s))


@inline
def _set_time(call, s, i):
    """The time of stage s of step i."""
    t, begin, h, c = field(call, "t"), field(call, "begin"), field(call, "h"), field(call, "tableau")[s, 0]
    for lane in range(0, t.shape[0], WIDTH):
        store(t, (lane,), load(begin, (lane,)) + load(h, (lane,)) * (1.0 * i + c))


@inline
def _forwards(call, adjoint, x, i):
    """Step i from x, which moves on: its stages' states, inputs, and what the columns will need."""
    drive, h = pointer_at(number(call, "drive")), field(call, "h")
    slopes, tableau = field(call, "slopes"), field(call, "tableau")
    driven, held, states = number(call, "inputs") > 0, number(call, "held") == 1, part(field(call, "stage_states"), i)
    inputs, stages = part(field(call, "stage_u"), i), number(call, "stages")
    for s in range(stages):
        _stage_state(part(states, s), x, slopes, tableau, s, h)
        _set_time(call, s, i)
        _go_to(call, s, i)
        if driven:
            if held and s > 0:
                _copy(part(inputs, s), part(inputs, 0))
            else:
                drive(call)
        adjoint(call)
    if number(call, "is_map") == 1:
        _copy(x, part(slopes, 0))
    else:
        _stage_state(x, x, slopes, tableau, stages, h)


@inline
def _backwards(call, adjoint, cotangents, i):
    """Step i back: the cotangents of its stages, last to first, and of its beginning; adds its parts of parameters."""
    h, pulled, tableau = field(call, "h"), field(call, "frame_slopes"), field(call, "tableau")
    target, sums = field(call, "stage_frame"), part(field(call, "parameter_parts"), i)
    redirect(call, "frame", target)
    _zero(sums)
    stages = number(call, "stages")
    for back in range(stages):
        s = stages - 1 - back
        _stage_cotangent(merged(target), merged(cotangents), merged(pulled), tableau, s, h)
        _set_time(call, s, i)
        _go_to(call, s, i)
        adjoint(call)
        _add(sums, field(call, "parameter_part"))
    redirect(call, "frame", cotangents)
    if number(call, "is_map") == 1:
        _zero(cotangents)
    for s in range(stages):
        _add(cotangents, part(pulled, s))


@kernel(CALL)
def sweep(call):
    """Run the table's `steps` steps from the state x, at time `begin`, and sweep `frame` back over them."""
    adjoint, spread, steps = pointer_at(number(call, "adjoint")), number(call, "spread") == 1, number(call, "steps")
    cotangents, x = field(call, "frame"), field(call, "x")
    scale, scales = field(call, "scale"), field(call, "scales")
    renumber(call, "half", 1)
    for i in range(steps):
        _forwards(call, adjoint, x, i)
    renumber(call, "half", 2)
    for back in range(steps):
        i = steps - 1 - back
        _copy(part(scales, i), scale)
        _backwards(call, adjoint, cotangents, i)
        _rescale(cotangents, scale, spread)
