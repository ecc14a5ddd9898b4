"""Linear algebra of small frames over lanes: Gram-Schmidt with condition control, determinants."""

import math

from lyapkit.kernels.jit import inline
from lyapkit.kernels.simd import absolute, any_lane, copysign, fma, load, splat, sqrt, store, where

# A column that loses this share of its length to its predecessors is orthogonalised once more: one pass
# leaves an error of eps / share, two leave eps ("twice is enough", Giraud, Langou & Rozloznik 2005).
_SECOND_PASS = 1e-2
# Twice is enough unless a column is next to nothing but parts along its predecessors: then each further pass uncovers
# sixteen digits more of a rest whose entries are small because the tangent map's rows are, and not by cancellation.
_PASSES = 8
# Outside this range the square of a column comes near the ends of the double range: it is scaled first.
_SMALL, _LARGE = 1e-240, 1e240


@inline
def _largest(frame, j, lane):
    """Largest entry of column j (1e-300 where that is smaller), 1 where it is zero or not finite."""
    size = absolute(load(frame, (j, 0, lane)))
    for i in range(1, frame.shape[1]):
        entry = absolute(load(frame, (j, i, lane)))
        size = where(entry > size, entry, size)
    return where((size > 0.0) & (size < 1e308), _larger(size, splat(1e-300)), splat(1.0))


@inline
def _scale(frame, j, lane, factor):
    for i in range(frame.shape[1]):
        store(frame, (j, i, lane), load(frame, (j, i, lane)) * factor)


@inline
def _square(frame, j, lane):
    total = splat(0.0)
    for i in range(frame.shape[1]):
        entry = load(frame, (j, i, lane))
        total += entry * entry
    return total


@inline
def _project(frame, j, lane, chosen):
    """Subtract from column j its parts along the columns before it, in the lanes where `chosen` is 1.

    Two columns at a time: they are orthogonal, so that one need not wait for the other.
    """
    n = frame.shape[1]
    for other in range(0, j - 1, 2):
        first, second = splat(0.0), splat(0.0)
        for i in range(n):
            entry = load(frame, (j, i, lane))
            first = fma(load(frame, (other, i, lane)), entry, first)
            second = fma(load(frame, (other + 1, i, lane)), entry, second)
        first = where(chosen > 0.5, first, splat(0.0))
        second = where(chosen > 0.5, second, splat(0.0))
        for i in range(n):
            part = fma(second, load(frame, (other + 1, i, lane)), first * load(frame, (other, i, lane)))
            store(frame, (j, i, lane), load(frame, (j, i, lane)) - part)
    for other in range(j - j % 2, j):
        overlap = splat(0.0)
        for i in range(n):
            overlap += load(frame, (other, i, lane)) * load(frame, (j, i, lane))
        overlap = where(chosen > 0.5, overlap, splat(0.0))
        for i in range(n):
            entry = load(frame, (j, i, lane)) - overlap * load(frame, (other, i, lane))
            store(frame, (j, i, lane), entry)


@inline
def orthonormalise(frame, lane, due, growth, condition, stretch):
    """QR of the frame's columns, in the eight lanes from `lane`, where `due` is 1 (else 0).

    Writes R_jj to growth (k, L); raises condition (L,) to max_j (|v_j| / R_jj)^2: the relative
    error of R_jj exceeds machine precision by the root of it (the condition number of R up to the
    scale of its columns); raises stretch (L,) to max_j max(R_jj, 1 / R_jj). A column without
    length stays zero and grows by 0.
    """
    if frame.shape[0] == 2 and frame.shape[1] == 2:
        worst, longest = _turn(frame, lane, due, growth)
    else:
        worst, longest = _gram_schmidt(frame, lane, due, growth)
    _raise_to(condition, lane, due, worst)
    _raise_to(stretch, lane, due, longest)


@inline
def _raise_to(maximum, lane, due, value):
    old = load(maximum, (lane,))
    store(maximum, (lane,), where((due > 0.5) & (value > old), value, old))


@inline
def _larger(a, b):
    return where(a > b, a, b)


@inline
def _smaller(a, b):
    return where(a < b, a, b)


@inline
def _turn(frame, lane, due, growth):
    """The QR of two columns (a, b) and (c, d) of two units, in registers; returns (worst, longest).

    The second column of Q is the first one turned by a right angle: orthogonal to rounding, whatever is lost.
    R_22 is then a determinant.
    """
    before = (
        load(frame, (0, 0, lane)), load(frame, (0, 1, lane)),
        load(frame, (1, 0, lane)), load(frame, (1, 1, lane)),
    )  # fmt: skip
    a, b, c, d = before
    first, second = a * a + b * b, c * c + d * d
    power, other_power = splat(1.0), splat(1.0)
    extreme = (due > 0.5) & ~((_smaller(first, second) > _SMALL) & (_larger(first, second) < _LARGE))
    if any_lane(extreme):
        power, other_power = where(extreme, _power(a, b), power), where(extreme, _power(c, d), other_power)
        a, b, c, d = a * power, b * power, c * other_power, d * other_power
        first = where(extreme, a * a + b * b, first)
        second = where(extreme, c * c + d * d, second)
    length = sqrt(first)
    inverse = 1.0 / length
    p, q = a * inverse, b * inverse
    dead = length == 0.0
    if any_lane(dead):  # the second column then keeps its own direction
        own = where(second > 0.0, sqrt(second), splat(math.inf))
        p, q = where(dead, d / own, p), where(dead, -c / own, q)
    determinant = fma(p, d, -(q * c))
    rest = absolute(determinant)
    rest_inverse = 1.0 / rest
    sign = where(rest > 0.0, copysign(splat(1.0), determinant), splat(0.0))
    after = (where(dead, splat(0.0), p), where(dead, splat(0.0), q), -(q * sign), p * sign)
    for i in range(4):
        store(frame, (i // 2, i % 2, lane), where(due > 0.5, after[i], before[i]))
    loss = where(rest > 0.0, second * (rest_inverse * rest_inverse), splat(1.0))
    inverse, rest_inverse = inverse * power, rest_inverse * other_power
    if any_lane(extreme):
        length, rest = length / power, rest / other_power
    store(growth, (0, lane), length)
    store(growth, (1, lane), rest)
    longest = _larger(_larger(length, inverse), _larger(rest, rest_inverse))
    return _larger(loss, splat(1.0)), longest


@inline
def _power(a, b):
    """About the inverse of the larger of |a| and |b|; 1 where that is zero or not finite."""
    size = _larger(absolute(a), absolute(b))
    inverse = 1.0 / _larger(size, splat(1e-300))
    return where((size > 0.0) & (size < 1e308), inverse, splat(1.0))


@inline
def _gram_schmidt(frame, lane, due, growth):
    """Modified Gram-Schmidt of any frame; returns (worst, longest)."""
    worst, longest = splat(1.0), splat(1.0)
    for j in range(frame.shape[0]):
        before = _square(frame, j, lane)
        scale = splat(1.0)
        extreme = (due > 0.5) & ~((before > _SMALL) & (before < _LARGE))
        if any_lane(extreme):
            scale = where(extreme, _largest(frame, j, lane), scale)
            _scale(frame, j, lane, 1.0 / scale)
            before = _square(frame, j, lane)
        after = before
        if j > 0:
            _project(frame, j, lane, due)
            after = _square(frame, j, lane)
            passed, lossy = before, (due > 0.5) & (after < _SECOND_PASS * _SECOND_PASS * before)
            for _ in range(_PASSES):
                if any_lane(lossy):
                    passed = where(lossy, after, passed)
                    _project(frame, j, lane, where(lossy, splat(1.0), splat(0.0)))
                    after = where(lossy, _square(frame, j, lane), after)
                    lossy = lossy & (after < _SECOND_PASS * _SECOND_PASS * passed)
            if any_lane(lossy):  # nothing but rounding of the columns before: a dead column
                _scale(frame, j, lane, where(lossy, splat(0.0), splat(1.0)))
                after = where(lossy, splat(0.0), after)
        tiny = (due > 0.5) & (after < _SMALL)
        if any_lane(tiny):  # the square of what is left is too small to tell its length
            size = where(tiny, _largest(frame, j, lane), splat(1.0))
            _scale(frame, j, lane, 1.0 / size)
            scale *= size
            after = _square(frame, j, lane)
            before = where(tiny, splat(_LARGE), before)  # a loss beyond any condition
        alive = after > 0.0
        length = sqrt(after)
        inverse = where(alive, 1.0 / length, splat(0.0))
        _scale(frame, j, lane, where(due > 0.5, inverse, splat(1.0)))
        r = length * scale
        store(growth, (j, lane), r)
        loss = where(alive, before * (inverse * inverse), splat(1.0))
        worst = where(loss > worst, loss, worst)
        # infinite for a column that died: the window is then run again in smaller intervals
        change = where(r < 1.0, 1.0 / r, r)
        longest = where(change > longest, change, longest)
    return worst, longest


@inline
def determinant(matrix, n, lane, out):
    """det of the matrices held in rows i * n + j of `matrix`, by elimination with row pivots.

    Lane by lane, for maps of five units and more; overwrites the matrix.
    """
    for one in range(lane, lane + 8):
        product = 1.0
        for column in range(n):
            pivot = column
            for i in range(column + 1, n):
                if abs(matrix[i * n + column, one]) > abs(matrix[pivot * n + column, one]):
                    pivot = i
            value = matrix[pivot * n + column, one]
            product *= value
            if value == 0.0:
                break
            if pivot != column:
                product = -product
                for j in range(n):
                    held = matrix[column * n + j, one]
                    matrix[column * n + j, one] = matrix[pivot * n + j, one]
                    matrix[pivot * n + j, one] = held
            for i in range(column + 1, n):
                factor = matrix[i * n + column, one] / value
                for j in range(column + 1, n):
                    matrix[i * n + j, one] -= factor * matrix[column * n + j, one]
        out[one] = product
