"""Activation functions over lanes, with slopes that keep their relative accuracy far into the tails.

Value and slope share one exponential E of minus a size and one division:

- tanh u = (1 - E) / (1 + E) with E = exp(-2 |u|) and 1 - E from expm1; sech^2 u = 4 E / (1 + E)^2
- sigmoid x = 1 / (1 + E) or E / (1 + E) with E = exp(-|x|); its slope is E / (1 + E)^2

so no slope is a difference 1 - tanh^2 or s (1 - s), which has no digits left from |u| = 19 on.

Largest errors in ulp, measured as in `vmath`: tanh 2.7, sech2 3.0, sigmoid 2.1, sigmoid_slope 3.0,
softplus 1.8. These hold as long as the result is a normal number (sech2 to |u| = 354, sigmoid_slope to
|x| = 708); beyond, results underflow gradually, right to 1 unit of 2^-1074.
"""

from lyapkit.kernels.jit import inline
from lyapkit.kernels.simd import absolute, copysign, fma, splat, where
from lyapkit.kernels.vmath import decay, exp, log1p, maximum

__all__ = ["tanh", "sech2", "tanh_sech2", "sigmoid", "sigmoid_slope", "sigmoid_pair", "softplus"]

_UNIT = 2.0**-64  # decay() gives the exponential in these units, for them not to underflow


@inline
def _inverse(x):
    """(r, e) with 1 / (1 + x) = r (1 + e), r rounded, for x from 0 to 1."""
    r = 1.0 / (1.0 + x)
    return r, fma(-x, r, 1.0 - r)  # 1 - r is exact, so the rounding of 1 + x does not matter


@inline
def _bell(s, r, e, scale):
    """scale s (r (1 + e))^2."""
    h = scale * r
    return (s * r) * fma(h + h, e, h)


@inline
def tanh_sech2(u):
    """(tanh u, sech^2 u)."""
    power, m = decay(-2.0 * absolute(u))
    s = fma(power, m, power)
    r, e = _inverse(s * _UNIT)
    power = power * _UNIT
    t = fma(power, -m, 1.0 - power) * r
    return copysign(fma(t, e, t), u), _bell(s, r, e, 4.0 * _UNIT)


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
    power, m = decay(-absolute(x))
    s = fma(power, m, power)
    r, e = _inverse(s * _UNIT)
    above = fma(r, e, r)
    return where(x < 0.0, s * (above * _UNIT), above), _bell(s, r, e, _UNIT)


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
