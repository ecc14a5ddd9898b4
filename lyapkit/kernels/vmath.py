"""Elementary functions over lanes: vector code for the common ones, the C library per lane for the rest.

Every function takes and returns `lanes` (no plain floats), and its bits in a lane depend on the argument
in that lane alone. Special values follow C: NaN gives NaN, poles give infinities, odd functions keep the
sign of zero, and denormal numbers are neither read nor written as zero.

Largest errors, measured in units in the last place (ulp) of the double next to the true value, against
64-bit-mantissa arithmetic at some 10 million arguments each, and against 60 digits in the tests: exp 1.1,
expm1 1.9, log 1.0, log1p 1.1, sin and cos 1.6 (also at the arguments up to 2^26 closest to their zeros).
A denormal exp is right to 1 unit of 2^-1074. The functions per lane have the accuracy of the C library.
"""

import math
import operator

import numpy as np
from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic

from lyapkit.kernels.jit import inline
from lyapkit.kernels.simd import (
    WIDTH,
    absolute,
    any_lane,
    copysign,
    floor,
    fma,
    from_bits,
    lanes,
    pick,
    put,
    splat,
    to_bits,
    where,
)

__all__ = [
    *("exp", "expm1", "log", "log1p", "sin", "cos", "sin_cos", "tan", "asin", "acos", "atan", "atan2"),
    *("sinh", "cosh", "asinh", "acosh", "atanh", "erf", "cbrt", "power"),
    *("minimum", "maximum", "sign", "mod"),
]

# Adding 1.5 * 2^52 rounds a number below 2^51 to an integer, which then stands in the last mantissa bits.
# With 1023 added as well, a shift of these bits by 52 makes 2 to the power of that integer.
SHIFTER = 1.5 * 2.0**52
LOG2_E = 1.4426950408889634
LN2, LN2_LOW = 0.6931471805599453, 2.3190468138462996e-17
_HALF_PI = (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33)
_FAR = 2.0**26  # as far as these three parts of pi/2 serve
_ONE_BITS = 0x3FF0000000000000
_ROOT_HALF_BITS = 0x3FE6A09E667F3BCD
_TWO_52_BITS = 0x4330000000000000
_SIGN_BIT = -(2**63)
_MANTISSA = 2**52 - 1
_SMALLEST_NORMAL = 2.0**-1022


def polynomial(*coefficients):
    """Compiled c0 + c1 x + c2 x^2 + ...: pairs (c0 + c1 x), (c2 + c3 x), ... by Horner's rule in x^2."""

    def emit(context, builder, sig, args):
        vector = args[0].type
        kind = ir.FunctionType(vector, [vector] * 3)
        fused = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{WIDTH}f64")
        terms = [ir.Constant(vector, [c] * WIDTH) for c in coefficients]
        pairs = [builder.call(fused, [args[0], odd, even]) for even, odd in zip(terms[0::2], terms[1::2], strict=False)]
        square = builder.fmul(args[0], args[0])
        *pairs, value = pairs + terms[2 * len(pairs) :]
        for pair in reversed(pairs):
            value = builder.call(fused, [square, value, pair])
        return value

    @intrinsic
    def evaluate(typing_context, x):
        return lanes(lanes), emit

    return evaluate


# Coefficients: Remez exchange in 60-digit arithmetic, which minimises the relative error of the whole
# function (the number after each colon; 1 ulp is 1.1e-16 to 2.2e-16), then rounded to double.
# (e^r - 1 - r) / r^2 for |r| <= ln(2)/2: 2e-17
EXP_COEFFICIENTS = (
    0.5000000000000007,
    0.16666666666666696,
    0.041666666666562414,
    0.008333333333293232,
    0.0013888888936179446,
    0.00019841269986889827,
    2.480149975262652e-05,
    2.75571169354814e-06,
    2.762823055843765e-07,
    2.516134984643752e-08,
)
_EXP = polynomial(*EXP_COEFFICIENTS)
# (2 atanh(s) - 2 s) / s^3 in powers of s^2 for |s| <= 3 - sqrt(8): 1e-18
_LOG = polynomial(
    0.6666666666666734,
    0.39999999999413965,
    0.2857142874256211,
    0.22222198553796724,
    0.18183565406390945,
    0.15314021146018142,
    0.1479626085064147,
)
# (sin(r) - r) / r^3 in powers of r^2 for |r| <= pi/4: 4e-18
_SIN = polynomial(
    -0.1666666666666663,
    0.008333333333322063,
    -0.00019841269829542623,
    2.7557313604532126e-06,
    -2.5050745038813202e-08,
    1.5896067572060862e-10,
)
# (cos(r) - 1 + r^2/2) / r^4 in powers of r^2 for |r| <= pi/4: 6e-20
_COS = polynomial(
    0.041666666666666595,
    -0.0013888888888872975,
    2.4801587288800045e-05,
    -2.755731416398071e-07,
    2.0875698708993617e-09,
    -1.1358423537306096e-11,
)


@inline
def _split_exp(x, magic):
    """(s, r, p) with e^x = s (1 + r + r^2 p) 2^-bias, where magic = SHIFTER + 1023 + bias."""
    shifted = fma(x, splat(LOG2_E), magic)
    k = shifted - magic
    r = fma(k, splat(-LN2_LOW), fma(k, splat(-LN2), x))
    return from_bits(to_bits(shifted) << 52), r, _EXP(r)


@inline
def _between(x, low, high):
    """x clamped; NaN passes."""
    x = where(x < low, splat(low), x)
    return where(x > high, splat(high), x)


@inline
def exp(x):
    """e^x; denormal results are rounded once."""
    x = _between(x, -750.0, 710.0)
    # s is 2^64 off, so that it neither overflows nor loses bits; the other factor makes up for it
    small = x < 0.0
    s, r, p = _split_exp(x, where(small, splat(SHIFTER + 1087), splat(SHIFTER + 959)))
    return fma(s, fma(r * r, p, r), s) * where(small, splat(2.0**-64), splat(2.0**64))


@inline
def expm1(x):
    """e^x - 1."""
    s, r, p = _split_exp(_between(x, -50.0, 710.0), splat(SHIFTER + 1022))
    y = 2.0 * fma(s, r * r * p, fma(s, r, s - 0.5))
    return where(absolute(x) < 1e-300, x, y)  # keeps -0, and s r exact for denormals


@inline
def _split_log(u):
    """(n, f) with u = 2^(n - 1023) (1 + f), 1 + f from sqrt(1/2) to sqrt(2), n as bits."""
    shifted = to_bits(u) + (_ONE_BITS - _ROOT_HALF_BITS)
    return shifted >> 52, from_bits((shifted & _MANTISSA) + _ROOT_HALF_BITS) - 1.0


@inline
def _join_log(n, bias, f, rest):
    """(n - bias) ln 2 + log(1 + f) + rest."""
    e = from_bits(n | _TWO_52_BITS) - (2.0**52 + bias)
    s = f / (2.0 + f)
    z = s * s
    # log(1 + f) = 2 atanh(s) = f - s (f - z P(z)): f is exact, and what is subtracted is smaller
    less = fma(s, fma(z, -_LOG(z), f), fma(e, splat(-LN2_LOW), -rest))
    return fma(e, splat(LN2), f - less)


@inline
def _log_domain(x, pole, y):
    """y between the pole and infinity, the limits there, and NaN elsewhere."""
    y = where(x < math.inf, y, x)
    return where(x > pole, y, where(x == pole, splat(-math.inf), splat(math.nan)))


@inline
def log(x):
    """Natural logarithm."""
    denormal = x < _SMALLEST_NORMAL
    n, f = _split_log(where(denormal, x * 2.0**54, x))
    bias = where(denormal, splat(1077.0), splat(1023.0))
    return _log_domain(x, 0.0, _join_log(n, bias, f, splat(0.0)))


@inline
def log1p(x):
    """log(1 + x)."""
    u = 1.0 + x
    back = u - x
    low = (1.0 - back) + (x - (u - back))  # 1 + x = u + low exactly
    n, high = _split_log(u)
    low = low * from_bits((2047 - n) << 52) * 0.5
    f = high + low
    y = _join_log(n, splat(1023.0), f, low - (f - high))
    return _log_domain(x, -1.0, where(x == 0.0, x, y))  # keeps -0


def per_lane(function):
    """The scalar function of one argument, lane after lane."""

    @inline
    def apply(x):
        for lane in range(WIDTH):
            x = put(x, lane, function(pick(x, lane)))
        return x

    return apply


def per_lane_2(function):
    """The scalar function of two arguments, lane after lane."""

    @inline
    def apply(a, b):
        for lane in range(WIDTH):
            a = put(a, lane, function(pick(a, lane), pick(b, lane)))
        return a

    return apply


tan = per_lane(math.tan)
sinh = per_lane(math.sinh)
cosh = per_lane(math.cosh)
asin = per_lane(math.asin)
acos = per_lane(math.acos)
atan = per_lane(math.atan)
asinh = per_lane(math.asinh)
acosh = per_lane(math.acosh)
atanh = per_lane(math.atanh)
erf = per_lane(math.erf)
cbrt = per_lane(np.cbrt)
atan2 = per_lane_2(math.atan2)
power = per_lane_2(math.pow)
_scalar_sin = per_lane(math.sin)
_scalar_cos = per_lane(math.cos)
_scalar_mod = per_lane_2(operator.mod)


@inline
def _quarter(x):
    """(n, r): n quarter turns as bits, then the angle |r| <= pi/4."""
    shifted = fma(x, splat(2 / math.pi), splat(SHIFTER))
    k = shifted - SHIFTER
    # the first difference is exact, and the other two are small or exact
    r = fma(k, splat(-_HALF_PI[1]), fma(k, splat(-_HALF_PI[0]), x))
    return to_bits(shifted), fma(k, splat(-_HALF_PI[2]), r)


@inline
def _turned(n, even, odd):
    """`even` where n is even, else `odd`; negative in the second half of the turn."""
    top = n << 62
    y = where(from_bits(top) != 0.0, odd, even)
    return from_bits(to_bits(y) ^ (top & _SIGN_BIT))


@inline
def sin_cos(x):
    """(sin x, cos x); by libm for |x| > 2^26."""
    n, r = _quarter(x)
    z = r * r
    s = fma(r * z, _SIN(z), r)
    c = fma(z, fma(z, _COS(z), splat(-0.5)), splat(1.0))
    sine, cosine = where(x == 0.0, x, _turned(n, s, c)), _turned(n + 1, s, c)
    far = absolute(x) > _FAR
    if any_lane(far):
        sine, cosine = where(far, _scalar_sin(x), sine), where(far, _scalar_cos(x), cosine)
    return sine, cosine


@inline
def sin(x):
    """Sine."""
    return sin_cos(x)[0]


@inline
def cos(x):
    """Cosine."""
    return sin_cos(x)[1]


@inline
def minimum(a, b):
    """The smaller one; NaN if one is NaN."""
    return where(a != a, a, where(a < b, a, b))


@inline
def maximum(a, b):
    """The larger one; NaN if one is NaN."""
    return where(a != a, a, where(a > b, a, b))


@inline
def sign(x):
    """-1, 0 or 1."""
    return where(x > 0.0, splat(1.0), where(x < 0.0, splat(-1.0), x))


@inline
def mod(a, b):
    """a - b floor(a / b): from 0 up to, but never, b."""
    turns = floor(a / b)
    r = fma(-turns, b, a)
    r = where(r * copysign(splat(1.0), b) < 0.0, r + b, r)  # a / b was rounded up to an integer
    r = where(r == b, splat(0.0), r)  # a is so close to 0 that a + b was rounded to b
    far = (absolute(turns) >= 2.0**52) | (absolute(b) == math.inf)
    if any_lane(far):
        r = where(far, _scalar_mod(a, b), r)
    return r
