"""One system at a time in a plain scalar numba loop: what few lanes must not be slower than.

The loop that a careful user would write for one system of two units: the standard library's functions,
the 2 x 2 products written out, Gram-Schmidt and two logarithms at every step, nothing vectorised.
tanh and sech^2 come from one expm1, no slower than math.tanh and exact enough for gains below about 6.

    >>> map_exponents(2.0, 0.785398, steps=100_000)
"""

import math

import numba

kernel = numba.njit(nogil=True, fastmath={"contract"}, error_model="numpy", cache=True)
inline = numba.njit(nogil=True, fastmath={"contract"}, error_model="numpy", forceinline=True)


@inline
def _gram_schmidt(p0, p1, q0, q1):
    """Orthonormal p, q and the lengths taken out."""
    first = math.sqrt(p0 * p0 + p1 * p1)
    scale = 1.0 / first
    p0, p1 = p0 * scale, p1 * scale
    along = p0 * q0 + p1 * q1
    q0, q1 = q0 - along * p0, q1 - along * p1
    second = math.sqrt(q0 * q0 + q1 * q1)
    scale = 1.0 / second
    return p0, p1, q0 * scale, q1 * scale, first, second


@inline
def _tanh_sech2(u):
    m = math.expm1(-2.0 * abs(u))
    inverse = 1.0 / (2.0 + m)
    return math.copysign(m * inverse, u), 4.0 * (1.0 + m) * inverse * inverse


@inline
def _field(a, b, x, y, p0, p1, q0, q1):
    """Velocity of state and both tangent vectors of x' = -x + tanh(alpha R x)."""
    (u, s), (v, r) = _tanh_sech2(a * x - b * y), _tanh_sech2(b * x + a * y)
    return (
        u - x,
        v - y,
        s * (a * p0 - b * p1) - p0,
        r * (b * p0 + a * p1) - p1,
        s * (a * q0 - b * q1) - q0,
        r * (b * q0 + a * q1) - q1,
    )


@inline
def _ahead(z, h, k):
    """z + h k, entry by entry."""
    return (
        z[0] + h * k[0],
        z[1] + h * k[1],
        z[2] + h * k[2],
        z[3] + h * k[3],
        z[4] + h * k[4],
        z[5] + h * k[5],
    )


@kernel
def map_exponents(alpha, theta, steps):
    """Both exponents of x <- tanh(alpha R(theta) x), plain mean over `steps` iterates."""
    a, b = alpha * math.cos(theta), alpha * math.sin(theta)
    x, y = 0.3, 0.1
    p0, p1, q0, q1 = 1.0, 0.0, 0.0, 1.0
    sum1 = sum2 = 0.0
    for _ in range(steps):
        (x, s), (y, r) = _tanh_sech2(a * x - b * y), _tanh_sech2(b * x + a * y)
        p0, p1 = s * (a * p0 - b * p1), r * (b * p0 + a * p1)
        q0, q1 = s * (a * q0 - b * q1), r * (b * q0 + a * q1)
        p0, p1, q0, q1, first, second = _gram_schmidt(p0, p1, q0, q1)
        sum1 += math.log(first)
        sum2 += math.log(second)
    return sum1 / steps, sum2 / steps


@kernel
def flow_exponents(alpha, theta, steps, h):
    """Both exponents of x' = -x + tanh(alpha R(theta) x), RK4, plain mean over `steps` steps of h."""
    a, b = alpha * math.cos(theta), alpha * math.sin(theta)
    z = (0.3, 0.1, 1.0, 0.0, 0.0, 1.0)
    sum1 = sum2 = 0.0
    for _ in range(steps):
        k1 = _field(a, b, *z)
        k2 = _field(a, b, *_ahead(z, 0.5 * h, k1))
        k3 = _field(a, b, *_ahead(z, 0.5 * h, k2))
        k4 = _field(a, b, *_ahead(z, h, k3))
        z = _ahead(_ahead(_ahead(_ahead(z, h / 6.0, k1), h / 3.0, k2), h / 3.0, k3), h / 6.0, k4)
        p0, p1, q0, q1, first, second = _gram_schmidt(z[2], z[3], z[4], z[5])
        z = (z[0], z[1], p0, p1, q0, q1)
        sum1 += math.log(first)
        sum2 += math.log(second)
    return sum1 / (steps * h), sum2 / (steps * h)
