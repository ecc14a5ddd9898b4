"""The driver of all analyses: repeat a step, keep the frame orthonormal, add up its growth.

``advance`` is re-entrant: everything that it knows lies in the call table, and stopping it at any multiple of
`WINDOW` steps changes no bit. Without a frame (k = 0) it gives a trajectory, with k = n columns the full
spectrum, and with an `interval` of 0 (never orthonormalise) the tangent map of the whole run.

**When to orthonormalise.** Each lane has an interval of 1, 2, 4, ... `WINDOW` steps. A window of
`WINDOW` steps is run with it; if afterwards the frame's condition turns out above `CONDITION_LIMIT` in some lane,
that lane's interval is halved and the window is run again from its start (other lanes repeat
their own bits). While settling, a lane whose condition allows it doubles its interval. So no exponent
is ever taken from an ill-conditioned frame, at the cost of the few products that a calm orbit needs.

Growth is multiplied up, its power of two split off, and its logarithm taken once in `collect` steps, a multiple
of all intervals.

**What is added up.** A row of sums holds the growth of each column, then the growth of volume (integral of
the divergence, or sum of ln|det|), then the number of steps. The first `WEIGHTS` rows weight them by the bump
exp(-1 / (s (1 - s))) of the weighted Birkhoff mean (Das, Saiki, Sander & Yorke, Nonlinearity 30 (2017)
4111) over the whole run, its first and its second half; each further row is one batch of the plain mean.
"""

import math

from lyapkit.kernels.abi import CALL, field, number, pointer_at
from lyapkit.kernels.jit import inline, kernel
from lyapkit.kernels.lanes import orthonormalise
from lyapkit.kernels.simd import (
    WIDTH,
    absolute,
    any_lane,
    floor,
    from_bits,
    load,
    splat,
    store,
    to_bits,
    where,
)
from lyapkit.kernels.views import part
from lyapkit.kernels.vmath import exp, log

WINDOW = 32
# Square of the frame's condition: growth factors then have relative errors up to 1e6 eps = 2e-10.
CONDITION_LIMIT = 1e6**2
LENGTH_LIMIT = 1e100  # R or 1/R of an interval: far from overflow of a product
WEIGHTS = 3  # weighted rows of `sums`, before those of the batches
QUALITY = 4  # rows of `quality`, named below
WORST, CONDITION, LENGTH, CEILING = range(QUALITY)


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
def _multiply(carry, row, lane, product):
    """Keep a product in row `row` of carry as a number in [1, 2), and its power of two half the rows below."""
    pattern = to_bits(product)
    # the biased exponent as a double: placed in the low bits of 2^52
    exponent = from_bits(((pattern >> 52) & 0x7FF) | 0x4330000000000000) - 4503599627371519.0
    mantissa = from_bits((pattern & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000)
    size = absolute(product)
    normal = (size >= 2.3e-308) & (size < math.inf)  # zero, infinity and NaN stay what they are
    below = row + carry.shape[0] // 2
    store(carry, (row, lane), where(normal, mantissa, product))
    store(carry, (below, lane), load(carry, (below, lane)) + where(normal, exponent, splat(0.0)))


@inline
def _add_divergence(carry, divergence, h, additive):
    """Follow the volume: add h tr Df (maps: ln |det Df|) to its row of carry, or multiply det Df to it."""
    row = carry.shape[0] // 2 - 1
    for lane in range(0, h.shape[0], WIDTH):
        rate, old = load(divergence, (lane,)), load(carry, (row, lane))
        if additive:
            store(carry, (row, lane), old + rate * load(h, (lane,)))
        else:
            _multiply(carry, row, lane, old * rate)


@inline
def _orthonormalise(frame, carry, interval, quality, growth, i, everyone):
    """Orthonormalise the lanes whose interval ends with step i of the window; multiply up their growth."""
    for lane in range(0, interval.shape[1], WIDTH):
        intervals = load(interval, (1, lane)) * (i + 1.0)
        # A number, not a mask: masks that live long are packed and unpacked at every use.
        due = where(floor(intervals) == intervals, splat(1.0), splat(0.0))
        if everyone:
            due = splat(1.0)
        if any_lane(due > 0.5):
            orthonormalise(frame, lane, due, growth, part(quality, CONDITION), part(quality, LENGTH))
            for j in range(frame.shape[0]):
                old = load(carry, (j, lane))
                product = where(due > 0.5, old * load(growth, (j, lane)), old)
                _multiply(carry, j, lane, product)


@inline
def _multiply_all(carry, growth, k):
    """Multiply up the growth of all columns of a spread frame."""
    for j in range(k):
        for lane in range(0, carry.shape[1], WIDTH):
            _multiply(carry, j, lane, load(carry, (j, lane)) * load(growth, (j, lane)))


@inline
def _collect(carry, sums, weights, i, batch, steps, additive):
    """Add the logarithms of what has been multiplied up over the last `steps` steps to the sums."""
    count = carry.shape[0] // 2
    for lane in range(0, carry.shape[1], WIDTH):
        for row in range(count):
            value = load(carry, (row, lane))
            if row == count - 1 and additive:
                store(carry, (row, lane), splat(0.0))
            else:
                value = log(absolute(value)) + load(carry, (row + count, lane)) * 0.6931471805599453
                store(carry, (row, lane), splat(1.0))
                store(carry, (row + count, lane), splat(0.0))
            _add(sums, weights, i, batch, row, lane, value)
        _add(sums, weights, i, batch, count, lane, splat(1.0 * steps))


@inline
def _add(sums, weights, i, batch, row, lane, value):
    """Add w_a value to each weighted row, and the value itself to the batch."""
    for a in range(WEIGHTS):
        weight = weights[a, i]
        if weight != 0.0:  # leaves even an infinite value out
            store(sums, (a, row, lane), load(sums, (a, row, lane)) + weight * value)
    store(sums, (batch, row, lane), load(sums, (batch, row, lane)) + value)


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
def _exchange(spare, call, plain, saving):
    """Save all that a window changes to `spare`, or bring it back."""
    sums = field(call, "sums")
    at = 0
    for array in (
        field(call, "t"), field(call, "x").reshape(-1), field(call, "frame").reshape(-1),
        field(call, "carry").reshape(-1), field(call, "control").reshape(-1), sums[:WEIGHTS].reshape(-1),
        part(sums, plain).reshape(-1),
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
            quality[CONDITION, lane] > CONDITION_LIMIT or quality[LENGTH, lane] > LENGTH_LIMIT
        ):
            _set_interval(interval, lane, interval[0, lane] / 2)
            quality[CEILING, lane] = interval[0, lane]
            again = True
    return again


@inline
def _double(interval, quality):
    """Double the interval of each lane whose condition would allow twice the growth."""
    for lane in range(interval.shape[1]):
        if (
            quality[CONDITION, lane] ** 2 < CONDITION_LIMIT
            and quality[LENGTH, lane] ** 2 < LENGTH_LIMIT
            and interval[0, lane] * 2 <= quality[CEILING, lane]
        ):
            _set_interval(interval, lane, interval[0, lane] * 2)


def spare_rows(n, k, controls):
    """Rows of working space that `advance` wants for n units, k columns and a step with rows of control."""
    saved = 1 + n + k * n + 2 * (k + 1) + controls + (WEIGHTS + 1) * (k + 2)
    return saved + WEIGHTS * WINDOW // WIDTH


@kernel(CALL)
def advance(call):
    """Run the table's `steps` steps of a phase of `total` steps, of which `start` are done.

    carry       what has grown since it was last collected: a row for each column and one for the
                volume, as numbers in [1, 2) (a flow's volume: its logarithm), then their powers of two
    interval    steps between orthonormalisations, a power of two (0: never), and its inverse
    sums        see above
    quality     row 0 collects the worst condition, squared; row 3 is the longest interval allowed
    record      the state after every `stride` steps of the phase
    """
    step, x, frame = pointer_at(number(call, "step")), field(call, "x"), field(call, "frame")
    interval, quality, record = field(call, "interval"), field(call, "quality"), field(call, "record")
    sums, carry, divergence = field(call, "sums"), field(call, "carry"), field(call, "mean_divergence")
    h, additive, total = field(call, "h"), number(call, "additive") == 1, number(call, "total")
    stride, lanes, k = number(call, "stride"), x.shape[1], frame.shape[0]
    collect = number(call, "collect")
    flat = field(call, "spare").reshape(-1)
    growth, spread = field(call, "growth"), number(call, "spread") == 1
    weights = flat[: WEIGHTS * WINDOW].reshape((WEIGHTS, WINDOW))
    saved = flat[WEIGHTS * WINDOW :]
    guarded = number(call, "fixed") == 0 and k > 0
    done = 0
    while done < number(call, "steps"):
        first = number(call, "start") + done
        steps = min(WINDOW, number(call, "steps") - done)
        plain = min(WEIGHTS + first // number(call, "batch"), sums.shape[0] - 1)
        if k > 0:
            _fill_weights(weights, first, total)
            if guarded:
                _exchange(saved, call, plain, True)
        while True:
            quality[CONDITION, :] = 1.0
            quality[LENGTH, :] = 1.0
            every = _smallest(interval)
            for i in range(steps):
                step(call)
                if stride > 0 and (first + i + 1) % stride == 0:
                    _record(record, (first + i + 1) // stride, x)
                if k > 0 and every > 0:
                    _add_divergence(carry, divergence, h, additive)
                    end = first + i + 1 == total
                    if end or (i + 1) % every == 0:
                        if spread:
                            pointer_at(number(call, "orthonormalise"))(call)
                            _multiply_all(carry, growth, k)
                        else:
                            _orthonormalise(frame, carry, interval, quality, growth, i, end)
                    if end or (i + 1) % collect == 0:
                        _collect(carry, sums, weights, i, plain, i % collect + 1, additive)
            if not guarded or not _halve(interval, quality):
                break
            _exchange(saved, call, plain, False)
        for lane in range(lanes):
            quality[WORST, lane] = max(quality[WORST, lane], quality[CONDITION, lane])
        if guarded and first < number(call, "settle"):
            _double(interval, quality)
        done += steps
