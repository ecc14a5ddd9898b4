"""Activation functions over lanes, with slopes that keep their relative accuracy far into the tails.

Value and slope share one exponential E = exp(-2 a) of a size a and one division:

- tanh u = (1 - E) / (1 + E) with a = |u| and 1 - E as from expm1; sech^2 u = 4 E / (1 + E)^2
- sigmoid x = 1 / (1 + E) or E / (1 + E) with a = |x| / 2; its slope is E / (1 + E)^2

so no slope is a difference 1 - tanh^2 or s (1 - s), which has no digits left from |u| = 19 on.

Largest errors in ulp, measured as in `vmath`: tanh 2.7, sech2 3.2, sigmoid 2.0, sigmoid_slope 3.3,
softplus 1.8. They hold as long as E is a normal number: to |u| = 354 and |x| = 708. Beyond, E counts as zero.
"""

from lyapkit.kernels.jit import inline
from lyapkit.kernels.simd import absolute, copysign, fma, from_bits, splat, to_bits, where
from lyapkit.kernels.vmath import (
    EXP_COEFFICIENTS,
    LN2,
    LN2_LOW,
    LOG2_E,
    SHIFTER,
    exp,
    log1p,
    maximum,
    polynomial,
)

__all__ = ["tanh", "sech2", "tanh_sech2", "tanh_sech2_two"]
__all__ += ["sigmoid", "sigmoid_slope", "sigmoid_pair", "softplus"]

# Doubled arguments are worked into the constants: the exponential then needs no product -2 a of its own.
_HALF_EXP = polynomial(*(c * 2.0 ** (i + 1) for i, c in enumerate(EXP_COEFFICIENTS)))
_FARTHEST = 354.5  # here exp(-2 a) has the exponent bits 0: it comes out as zero


@inline
def _exponential(a):
    """(p, m) with exp(-2 a) = p (1 + 2 m), for a >= 0."""
    a = where(a > _FARTHEST, splat(_FARTHEST), a)
    shifted = fma(a, splat(-2.0 * LOG2_E), splat(SHIFTER + 1023))
    k = shifted - (SHIFTER + 1023)
    y = fma(k, splat(-0.5 * LN2_LOW), fma(k, splat(-0.5 * LN2), -a))
    return from_bits(to_bits(shifted) << 52), fma(y * y, _HALF_EXP(y), y)


@inline
def _exponential_and_inverse(p, m):
    """(E, 1 / (1 + E)) of E = p (1 + 2 m)."""
    e = fma(p + p, m, p)
    r = 1.0 / (1.0 + e)
    # 1 - r is exact, so that the rounding of 1 + E does not matter
    return e, fma(r, fma(-e, r, 1.0 - r), r)


@inline
def _tanh_sech2(u, p, m):
    """(tanh u, sech^2 u) from the exponential of |u|."""
    e, inverse = _exponential_and_inverse(p, m)
    product = e * inverse
    size = fma(p + p, -m, 1.0 - p) * inverse
    return copysign(size, u), (product + product) * (inverse + inverse)


@inline
def tanh_sech2(u):
    """(tanh u, sech^2 u)."""
    p, m = _exponential(absolute(u))
    return _tanh_sech2(u, p, m)


@inline
def tanh_sech2_two(u, v):
    """(tanh u, sech^2 u, tanh v, sech^2 v): two long chains of operations, which the processor overlaps."""
    pu, mu = _exponential(absolute(u))
    pv, mv = _exponential(absolute(v))
    tanh_u, sech2_u = _tanh_sech2(u, pu, mu)
    tanh_v, sech2_v = _tanh_sech2(v, pv, mv)
    return tanh_u, sech2_u, tanh_v, sech2_v


@inline
def tanh(u):
    """Hyperbolic tangent."""
    return tanh_sech2(u)[0]


@inline
def sech2(u):
    """sech^2 u = 1 / cosh^2 u, the slope of tanh."""
    return tanh_sech2(u)[1]


@inline
def sigmoid_pair(x):
    """(s, slope of s) with s = 1 / (1 + exp(-x))."""
    p, m = _exponential(0.5 * absolute(x))
    e, inverse = _exponential_and_inverse(p, m)
    product = e * inverse
    return where(x < 0.0, product, inverse), product * inverse


@inline
def sigmoid(x):
    """1 / (1 + exp(-x))."""
    return sigmoid_pair(x)[0]


@inline
def sigmoid_slope(x):
    """Derivative of the sigmoid."""
    return sigmoid_pair(x)[1]


@inline
def softplus(x):
    """log(1 + e^x) = max(x, 0) + log1p(exp(-|x|)), whose slope is the sigmoid."""
    return maximum(x, splat(0.0)) + log1p(exp(-absolute(x)))
