"""What the hardware allows: the (alpha, theta) plane in kernels specialised by hand.

Each kernel below knows its one system, two dimensions and two exponents, so it shows how fast lyapkit's
general engine could be at best. The arithmetic is the engine's own: value and derivative of tanh from one
exponential, Gram-Schmidt on both tangent vectors at every step, both logarithms accumulated at every step.
One pass of Gram-Schmidt carries the map to alpha of about 8: beyond, the images are too nearly parallel.

How they are made fast
    * All rows live in one flat array, with offsets known to the compiler: rows then cannot overlap, and
      LLVM vectorises every loop over lanes without a run-time check.
    * One loop per stage of the computation instead of one for everything. A long body is a long chain of
      dependent operations, of which the processor holds too few at a time; short bodies overlap.
    * No logarithm in the loop: the squared lengths are multiplied up, and the exponent of the product
      is split off into an integer at every step.

`fastmath` is "contract" alone. With "reassoc" the compiler may cancel the rounding constant of
`_half_exponential` and merge the two parts of ln 2, which is what makes the reduction exact.

    >>> map_exponents([2.0], [0.785398], steps=2000, transient=200)
"""

import functools

import numba
import numpy as np

MAP_LANES = 128
FLOW_LANES = 64  # 28 rows of 64 doubles are 14 KB: twice as many no longer fit the first-level cache well

# Rows of the workspace, two per quantity (one per dimension), four for the two tangent vectors.
STATE, FRAME, ROTATION, PRODUCT, SLOPE, EXPM1, POWER = 0, 2, 6, 8, 10, 12, 14
MAP_ROWS = 16
STAGE, NEXT = 16, 22  # state and frame of a Runge-Kutta stage, and the step's result as it is summed up
FLOW_ROWS = 28

ROUND = 1.5 * 2.0**52  # adding it rounds to an integer, found in the lowest bits of the sum
INVERSE_LN2 = 1.4426950408889634
LN2_HIGH, LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10  # the first has 32 bits: times k is exact
LARGEST = 350.0  # exp(-2 * 350) is still a normal number
# q of expm1(r) = r + r^2 q(r) for |r| <= ln(2)/2: Chebyshev fit, relative error of expm1 4e-17
Q0, Q1, Q2 = 0.5000000000000001, 0.16666666666666669, 0.041666666666623824
Q3, Q4, Q5 = 0.008333333333330039, 0.0013888888917367081, 0.00019841269863171557
Q6, Q7 = 2.4801521057868204e-05, 2.7557268276905696e-06
Q8, Q9 = 2.7620201591031547e-07, 2.5100472505694996e-08

SIGN = np.int64(-(2**63))
MANTISSA = np.int64(2**52 - 1)
ONE = np.int64(1023 << 52)  # the bits of 1.0
BIAS = 1023

_jit = functools.partial(numba.njit, nogil=True, fastmath={"contract"}, error_model="numpy")
kernel = _jit(cache=True)
inline = _jit(forceinline=True)


@inline
def _bits(x):
    return np.float64(x).view(np.int64)


@inline
def _number(bits):
    return np.int64(bits).view(np.float64)


@inline
def _rotate(w, source, lanes):
    """SLOPE <- u = alpha R(theta) x of the state in the rows `source`."""
    for i in range(lanes):
        a, b = w[ROTATION * lanes + i], w[(ROTATION + 1) * lanes + i]
        x, y = w[source * lanes + i], w[(source + 1) * lanes + i]
        w[SLOPE * lanes + i] = a * x - b * y
        w[(SLOPE + 1) * lanes + i] = b * x + a * y


@inline
def _half_exponential(w, lanes):
    """EXPM1, POWER <- expm1(-2 |u|), exp(-2 |u|): -2 |u| = k ln 2 + r, a polynomial in r, a shift by k."""
    for i in range(2 * lanes):
        z = -2.0 * min(abs(w[SLOPE * lanes + i]), LARGEST)
        shifted = z * INVERSE_LN2 + ROUND
        k = shifted - ROUND
        w[EXPM1 * lanes + i] = (z - k * LN2_HIGH) - k * LN2_LOW
        w[POWER * lanes + i] = _number((_bits(shifted) << 52) + ONE)
    for i in range(2 * lanes):
        r, power = w[EXPM1 * lanes + i], w[POWER * lanes + i]
        q = ((((Q9 * r + Q8) * r + Q7) * r + Q6) * r + Q5) * r + Q4
        q = (((q * r + Q3) * r + Q2) * r + Q1) * r + Q0
        p = r + r * r * q
        w[EXPM1 * lanes + i] = power * p + (power - 1.0)
        w[POWER * lanes + i] = power * p + power


@inline
def _tanh_sech2(m, exponential, u):
    """tanh u and sech^2 u from m = expm1(-2 |u|) and exp(-2 |u|), each exact where the other cancels."""
    inverse = 1.0 / (1.0 + exponential)
    tanh = _number(_bits(-m * inverse) | (_bits(u) & SIGN))
    return tanh, 4.0 * exponential * (inverse * inverse)


@inline
def _log_product(w, exponents, mode, length2, lanes, i):
    """Multiply a squared length into the mode's product and split off the power of two."""
    product = w[(PRODUCT + mode) * lanes + i] * length2
    exponents[mode * lanes + i] += np.int64(np.float64(product).view(np.uint64) >> np.uint64(52))
    w[(PRODUCT + mode) * lanes + i] = _number((_bits(product) & MANTISSA) | ONE)


@inline
def _second_vector(w, exponents, lanes):
    """Normalise the second tangent vector, already orthogonal to the first."""
    for i in range(lanes):
        p, q = w[(FRAME + 2) * lanes + i], w[(FRAME + 3) * lanes + i]
        length2 = p * p + q * q
        scale = 1.0 / np.sqrt(length2)
        w[(FRAME + 2) * lanes + i] = p * scale
        w[(FRAME + 3) * lanes + i] = q * scale
        _log_product(w, exponents, 1, length2, lanes, i)


@inline
def _first_vector(w, exponents, p0, p1, q0, q1, lanes, i):
    """Store p normalised and q without its part along p."""
    length2 = p0 * p0 + p1 * p1
    scale = 1.0 / np.sqrt(length2)
    p0, p1 = p0 * scale, p1 * scale
    along = p0 * q0 + p1 * q1
    w[FRAME * lanes + i], w[(FRAME + 1) * lanes + i] = p0, p1
    w[(FRAME + 2) * lanes + i], w[(FRAME + 3) * lanes + i] = q0 - along * p0, q1 - along * p1
    _log_product(w, exponents, 0, length2, lanes, i)


@kernel
def _iterate_map(w, exponents, steps):
    lanes = MAP_LANES
    for _ in range(steps):
        _rotate(w, STATE, lanes)
        _half_exponential(w, lanes)
        for i in range(2 * lanes):
            m, exponential = w[EXPM1 * lanes + i], w[POWER * lanes + i]
            value, slope = _tanh_sech2(m, exponential, w[SLOPE * lanes + i])
            w[STATE * lanes + i], w[SLOPE * lanes + i] = value, slope
        for i in range(lanes):
            a, b = w[ROTATION * lanes + i], w[(ROTATION + 1) * lanes + i]
            s0, s1 = w[SLOPE * lanes + i], w[(SLOPE + 1) * lanes + i]
            p0, p1 = w[FRAME * lanes + i], w[(FRAME + 1) * lanes + i]
            q0, q1 = w[(FRAME + 2) * lanes + i], w[(FRAME + 3) * lanes + i]
            p0, p1 = s0 * (a * p0 - b * p1), s1 * (b * p0 + a * p1)
            q0, q1 = s0 * (a * q0 - b * q1), s1 * (b * q0 + a * q1)
            _first_vector(w, exponents, p0, p1, q0, q1, lanes, i)
        _second_vector(w, exponents, lanes)


@inline
def _stage(w, source, summed, target, weight, ahead, last, lanes):
    """One Runge-Kutta stage: target <- summed + weight k, and STAGE <- x + ahead k unless it is the last."""
    _rotate(w, source, lanes)
    _half_exponential(w, lanes)
    for i in range(2 * lanes):
        m, exponential = w[EXPM1 * lanes + i], w[POWER * lanes + i]
        value, slope = _tanh_sech2(m, exponential, w[SLOPE * lanes + i])
        k = value - w[source * lanes + i]
        w[SLOPE * lanes + i] = slope
        w[target * lanes + i] = w[summed * lanes + i] + weight * k
        if not last:
            w[STAGE * lanes + i] = w[STATE * lanes + i] + ahead * k
    for vector in range(2):
        row = (FRAME + 2 * vector) * lanes
        for i in range(lanes):
            a, b = w[ROTATION * lanes + i], w[(ROTATION + 1) * lanes + i]
            p, q = w[source * lanes + row + i], w[source * lanes + row + lanes + i]
            k0 = w[SLOPE * lanes + i] * (a * p - b * q) - p
            k1 = w[(SLOPE + 1) * lanes + i] * (b * p + a * q) - q
            w[target * lanes + row + i] = w[summed * lanes + row + i] + weight * k0
            w[target * lanes + row + lanes + i] = w[summed * lanes + row + lanes + i] + weight * k1
            if not last:
                w[STAGE * lanes + row + i] = w[row + i] + ahead * k0
                w[STAGE * lanes + row + lanes + i] = w[row + lanes + i] + ahead * k1


@kernel
def _integrate_flow(w, exponents, steps, h):
    lanes = FLOW_LANES
    for _ in range(steps):
        _stage(w, STATE, STATE, NEXT, h / 6.0, 0.5 * h, False, lanes)
        _stage(w, STAGE, NEXT, NEXT, h / 3.0, 0.5 * h, False, lanes)
        _stage(w, STAGE, NEXT, NEXT, h / 3.0, h, False, lanes)
        _stage(w, STAGE, NEXT, STATE, h / 6.0, 0.0, True, lanes)
        for i in range(lanes):
            p0, p1 = w[FRAME * lanes + i], w[(FRAME + 1) * lanes + i]
            q0, q1 = w[(FRAME + 2) * lanes + i], w[(FRAME + 3) * lanes + i]
            _first_vector(w, exponents, p0, p1, q0, q1, lanes, i)
        _second_vector(w, exponents, lanes)


def _workspace(alpha, theta, rows, lanes):
    """Rows of one block of at most `lanes` points; spare lanes repeat the last point."""
    index = np.minimum(np.arange(lanes), len(alpha) - 1)
    w = np.zeros((rows, lanes))
    w[STATE : STATE + 2] = [[0.3], [0.1]]
    w[[FRAME, FRAME + 3]] = 1.0
    w[ROTATION], w[ROTATION + 1] = (alpha * np.cos(theta))[index], (alpha * np.sin(theta))[index]
    w[PRODUCT : PRODUCT + 2] = 1.0
    return w.ravel()


def _log_lengths(w, exponents, steps, lanes):
    product = w[PRODUCT * lanes : (PRODUCT + 2) * lanes]
    return 0.5 * (np.log(product) + np.log(2.0) * (exponents - BIAS * steps)).reshape(2, lanes)


def _over_blocks(advance, alpha, theta, rows, lanes, steps, transient):
    alpha, theta = np.asarray(alpha, float).ravel(), np.asarray(theta, float).ravel()
    logs = np.empty((2, len(alpha)))
    for start in range(0, len(alpha), lanes):
        block = slice(start, min(start + lanes, len(alpha)))
        w, exponents = _workspace(alpha[block], theta[block], rows, lanes), np.zeros(2 * lanes, np.int64)
        advance(w, exponents, transient)
        before = _log_lengths(w, exponents, transient, lanes)
        advance(w, exponents, steps)
        after = _log_lengths(w, exponents, transient + steps, lanes)
        logs[:, block] = (after - before)[:, : block.stop - block.start]
    return logs


def map_exponents(alpha, theta, steps, transient=0):
    """Both exponents (2, points) of x <- tanh(alpha R(theta) x), plain mean over `steps` iterates."""
    return _over_blocks(_iterate_map, alpha, theta, MAP_ROWS, MAP_LANES, steps, transient) / steps


def flow_exponents(alpha, theta, steps, transient=0, dt=0.05):
    """Both exponents (2, points) of x' = -x + tanh(alpha R(theta) x), RK4, plain mean over `steps` steps."""

    def advance(w, exponents, count):
        _integrate_flow(w, exponents, count, dt)

    return _over_blocks(advance, alpha, theta, FLOW_ROWS, FLOW_LANES, steps, transient) / (steps * dt)
