"""The driver of all analyses: repeat a step, keep the frame orthonormal, add up its growth.

``advance`` is re-entrant: everything that it knows lies in its arguments, and stopping it at any multiple of
`WINDOW` steps changes no bit. Without a frame (k = 0) it gives a trajectory, with k = n columns the full
spectrum, and with the plan's `interval` at 0 (never orthonormalise) the tangent map of the whole run.

**When to orthonormalise.** Each lane has an interval of 1, 2, 4, ... `WINDOW` steps. A window of
`WINDOW` steps is run with it; if afterwards the frame's condition turns out above `CONDITION_LIMIT` in some lane,
that lane's interval is halved and the window is run again from its start (other lanes repeat
their own bits). While settling, a lane whose condition allows it doubles its interval. So no exponent
is ever taken from an ill-conditioned frame, at the cost of the few products that a calm orbit needs.

**What is added up.** A row of sums holds the growth of each column, then the growth of volume (integral of
the divergence, or sum of ln|det|), then the number of steps. The first `WEIGHTS` rows weight them by the bump
exp(-1 / (s (1 - s))) of the weighted Birkhoff mean (Das, Saiki, Sander & Yorke, Nonlinearity 30 (2017)
4111) over the whole run, its first and its second half; each further row is one batch of the plain mean.
"""

import math

from lyapkit.kernels.abi import ADVANCE, cell_at, drive_at, step_at
from lyapkit.kernels.jit import inline, kernel
from lyapkit.kernels.lanes import orthonormalise
from lyapkit.kernels.simd import (
    WIDTH,
    absolute,
    any_lane,
    borrowed,
    floor,
    from_bits,
    load,
    part,
    splat,
    store,
    to_bits,
    where,
)
from lyapkit.kernels.vmath import exp, log

WINDOW = 32
# Square of the frame's condition: growth factors then have relative errors up to 1e6 eps = 2e-10.
CONDITION_LIMIT = 1e6**2
LENGTH_LIMIT = math.log(1e100)  # |ln R| of an interval: far from overflow of a product
WEIGHTS = 3  # weighted rows of `sums`, before those of the batches
QUALITY = 4  # rows of `quality`, named below
_WORST, _CONDITION, _LENGTH, _CEILING = range(QUALITY)
# entries of the plan
START, STEPS, TOTAL, SETTLE, IS_MAP, STRIDE, FIXED, BATCH, PLAN = range(9)  # PLAN: their number


@inline
def _bump(s):
    """exp(-1 / (s (1 - s))) inside (0, 1), else 0."""
    inside = (s > 0.0) & (s < 1.0)
    product = where(inside, s * (1.0 - s), splat(1.0))
    return where(inside, exp(-1.0 / product), splat(0.0))


@inline
def _fill_weights(weights, first, total):
    """weights[a, i] of the steps first + i + 1, i < WINDOW."""
    for i in range(WINDOW):
        weights[0, i] = (first + i + 1) / total
    for i in range(0, WINDOW, WIDTH):
        s = load(weights, (0, i))
        store(weights, (0, i), _bump(s))
        store(weights, (1, i), _bump(2.0 * s))
        store(weights, (2, i), _bump(2.0 * s - 1.0))


@inline
def _add_divergence(carry, divergence, h, lane, is_map):
    """Follow the volume since the last orthonormalisation in eight lanes.

    Flows: carry[0] += h tr Df. Maps: carry[0] is the product of the determinants with its binary exponent
    split off into carry[1], so that it neither over- nor underflows and costs no logarithm a step.
    """
    rate = load(divergence, (0, lane))
    old = load(carry, (0, lane))
    if is_map == 0:
        store(carry, (0, lane), old + rate * load(h, (lane,)))
        return
    product = old * rate
    pattern = to_bits(product)
    # the biased exponent as a double: placed in the low bits of 2^52
    exponent = from_bits(((pattern >> 52) & 0x7FF) | 0x4330000000000000) - 4503599627371519.0
    mantissa = from_bits((pattern & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000)
    size = absolute(product)
    normal = (size >= 2.3e-308) & (size < 1e308)  # zero, infinity and NaN stay what they are
    store(carry, (0, lane), where(normal, mantissa, product))
    store(carry, (1, lane), load(carry, (1, lane)) + where(normal, exponent, splat(0.0)))


@inline
def _collect_divergence(carry, lane, due, is_map):
    """The growth of volume since the last time, set back to nothing where due."""
    total = load(carry, (0, lane))
    if is_map == 0:
        store(carry, (0, lane), where(due, splat(0.0), total))
        return total
    exponent = load(carry, (1, lane))
    store(carry, (0, lane), where(due, splat(1.0), total))
    store(carry, (1, lane), where(due, splat(0.0), exponent))
    return log(absolute(total)) + exponent * 0.6931471805599453


@inline
def _add(sums, weights, i, batch, row, lane, due, value):
    """Add w_a value to each weighted row where due, and the value itself to the batch."""
    for a in range(WEIGHTS):
        weight = weights[a, i]
        if weight != 0.0:  # leaves even an infinite value out
            old = load(sums, (a, row, lane))
            store(sums, (a, row, lane), where(due, old + weight * value, old))
    old = load(sums, (batch, row, lane))
    store(sums, (batch, row, lane), where(due, old + value, old))


@inline
def _collect(frame, carry, interval, sums, quality, weights, growth, i, batch, everyone, is_map):
    """Orthonormalise the lanes whose interval ends with step i of the window; add up their growth."""
    k = frame.shape[0]
    for lane in range(0, interval.shape[1], WIDTH):
        length = load(interval, (0, lane))
        whole = length * floor(load(interval, (1, lane)) * (i + 1.0))
        since = (i + 1.0) - whole
        since = where(since > 0.0, since, length)
        due = since == length
        if everyone:
            due = since > 0.0
        if any_lane(due):
            orthonormalise(frame, lane, due, growth, part(quality, _CONDITION), part(quality, _LENGTH))
            for j in range(k):
                _add(sums, weights, i, batch, j, lane, due, load(growth, (j, lane)))
            volume = _collect_divergence(carry, lane, due, is_map)
            _add(sums, weights, i, batch, k, lane, due, volume)
            _add(sums, weights, i, batch, k + 1, lane, due, since)


@inline
def _smallest(interval):
    smallest = interval[0, 0]
    for lane in range(interval.shape[1]):
        smallest = min(smallest, interval[0, lane])
    return int(smallest)


@inline
def _record(record, number, x):
    """Keep the state as sample `number` (from 1)."""
    if number <= record.shape[0]:
        for i in range(x.shape[0]):
            for lane in range(0, x.shape[1], WIDTH):
                store(record, (number - 1, i, lane), load(x, (i, lane)))


@inline
def _copy(source, target):
    """Copy flat arrays of equal length."""
    for i in range(source.shape[0]):
        target[i] = source[i]


@inline
def _exchange(spare, t, x, frame, carry, weighted, batch, saving):
    """Save the moving arrays to `spare`, or bring them back."""
    at = 0
    for array in (
        t.reshape(-1), x.reshape(-1), frame.reshape(-1), carry.reshape(-1), weighted.reshape(-1),
        batch.reshape(-1),
    ):  # fmt: skip
        held = spare[at : at + array.shape[0]]
        if saving:
            _copy(array, held)
        else:
            _copy(held, array)
        at += array.shape[0]


@inline
def _set_interval(interval, lane, steps):
    interval[0, lane] = steps
    interval[1, lane] = 1.0 / steps  # exact: a power of two


@inline
def _halve(interval, quality):
    """Halve the interval of each lane whose frame got too ill-conditioned; whether any was."""
    again = False
    for lane in range(interval.shape[1]):
        if interval[0, lane] > 1 and (
            quality[_CONDITION, lane] > CONDITION_LIMIT or quality[_LENGTH, lane] > LENGTH_LIMIT
        ):
            _set_interval(interval, lane, interval[0, lane] / 2)
            quality[_CEILING, lane] = interval[0, lane]
            again = True
    return again


@inline
def _double(interval, quality):
    """Double the interval of each lane whose condition would allow twice the growth."""
    for lane in range(interval.shape[1]):
        if (
            quality[_CONDITION, lane] ** 2 < CONDITION_LIMIT
            and quality[_LENGTH, lane] * 2 < LENGTH_LIMIT
            and interval[0, lane] * 2 <= quality[_CEILING, lane]
        ):
            _set_interval(interval, lane, interval[0, lane] * 2)


def spare_rows(n, k):
    """Rows of working space that `advance` wants for n units and k columns."""
    saved = 2 + n + k * n + 2 + (WEIGHTS + 1) * (k + 2)
    return saved + k + 1 + WEIGHTS * WINDOW // WIDTH


@kernel(ADVANCE)
def advance(
    step, cell, drive, plan, tableau, h, t, x, frame, u, signal, p, dp, shared, index, scratch,
    stages, frame_stages, divergence, carry, interval, sums, quality, record, spare,
):  # fmt: skip
    """Run plan[STEPS] steps of a phase of plan[TOTAL] steps, of which plan[START] are done.

    carry (2, L)              volume since the last orthonormalisation; maps start at (1, 0)
    interval (2, L)           steps between orthonormalisations, a power of two, and its inverse
    sums (WEIGHTS + batches, k + 2, L)  see above; a batch is plan[BATCH] steps, a multiple of `WINDOW`
    quality (QUALITY, L)      row 0 collects the worst condition, squared, row 3 is the longest interval allowed
    record (samples, n, L)    the state after every plan[STRIDE] steps of the phase
    spare (rows, L)           working space of `spare_rows` rows
    """
    step, cell, drive = step_at(step), cell_at(cell), drive_at(drive)
    # A call through a pointer counts a reference to each array that owns its memory, atomically.
    tableau, h, t, x, frame = borrowed(tableau), borrowed(h), borrowed(t), borrowed(x), borrowed(frame)
    u, signal, p, dp = borrowed(u), borrowed(signal), borrowed(p), borrowed(dp)
    shared, index, scratch = borrowed(shared), borrowed(index), borrowed(scratch)
    stages, frame_stages = borrowed(stages), borrowed(frame_stages)
    divergence, carry, interval = borrowed(divergence), borrowed(carry), borrowed(interval)
    sums, quality, record, spare = borrowed(sums), borrowed(quality), borrowed(record), borrowed(spare)
    length, k = x.shape[1], frame.shape[0]
    flat = spare.reshape(-1)
    growth = flat[: (k + 1) * length].reshape((k + 1, length))
    weights = flat[(k + 1) * length : (k + 1) * length + WEIGHTS * WINDOW].reshape((WEIGHTS, WINDOW))
    saved = flat[(k + 1) * length + WEIGHTS * WINDOW :]
    guarded = plan[FIXED] == 0 and k > 0
    done = 0
    while done < plan[STEPS]:
        first = plan[START] + done
        steps = min(WINDOW, plan[STEPS] - done)
        batch = min(WEIGHTS + first // plan[BATCH], sums.shape[0] - 1)
        weighted, plain = sums[:WEIGHTS], part(sums, batch)
        if k > 0:
            _fill_weights(weights, first, plan[TOTAL])
            if guarded:
                _exchange(saved, t, x, frame, carry, weighted, plain, True)
        while True:
            quality[_CONDITION, :] = 1.0
            quality[_LENGTH, :] = 0.0
            every = _smallest(interval)
            for i in range(steps):
                step(
                    cell, drive, tableau, h, t, x, frame, u, signal, p, dp, shared, index, scratch,
                    stages, frame_stages, divergence,
                )  # fmt: skip
                number = first + i + 1
                if plan[STRIDE] > 0 and number % plan[STRIDE] == 0:
                    _record(record, number // plan[STRIDE], x)
                if k > 0 and every > 0:
                    for lane in range(0, length, WIDTH):
                        _add_divergence(carry, divergence, h, lane, plan[IS_MAP])
                    end = number == plan[TOTAL]
                    if end or (i + 1) % every == 0:
                        _collect(
                            frame, carry, interval, sums, quality, weights, growth, i, batch, end,
                            plan[IS_MAP],
                        )  # fmt: skip
            if not guarded or not _halve(interval, quality):
                break
            _exchange(saved, t, x, frame, carry, weighted, plain, False)
        for lane in range(length):
            quality[_WORST, lane] = max(quality[_WORST, lane], quality[_CONDITION, lane])
        if guarded and first < plan[SETTLE]:
            _double(interval, quality)
        done += steps
