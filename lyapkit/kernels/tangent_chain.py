"""Products of a great many tangent maps, and their singular values, in the log domain.

**The product** B_m ... B_1 of small matrices is kept as Q T: a QR sweep B Q = Q' R turns Q, and T, the product of the
R's, is exp(logs) U row by row, U upper triangular with ones on its diagonal. From a generic Q the growths fall from
the first row to the last as the singular values do, so that the next R, whose entries are scaled by their
ratios, does U no harm: nothing overflows, however long the product (Dieci & Elia, Math. Comput. Simul. 79
(2008) 1235).

Rows of B may differ by many orders of magnitude (units that are saturated). Householder's reflections of rows sorted by
size keep the error of each row in proportion to that row (Cox & Higham, in: Numerical Analysis 1997, 57). Columns may
differ too, where units saturate before the weights: then B = C diag(sizes), and diag(sizes) goes first.

**Singular values** of exp(logs) U: Jacobi rotations of pairs of rows, each a unit vector times exp(its log), until all
are orthogonal. Whatever the range of the logs, the relative errors are those of U alone (Demmel & Veselic,
SIAM J. Matrix Anal. Appl. 13 (1992) 1204).
"""

import math

from numba import types

from lyapkit.kernels.jit import inline, kernel

_VECTOR, _MATRIX, _STACK = types.float64[::1], types.float64[:, ::1], types.float64[:, :, ::1]
_EPS = 2.220446049250313e-16
ROUNDING = 4 * _EPS  # times n: an entry of R that is this small relative to its row of B is a zero
ORDER, SIZE, FACTOR, SPARE, COLUMN = range(5)  # rows of the working space of `chain`
GRADED = 1e-3  # columns whose sizes differ by more are scaled
_SWEEPS = 60  # of Jacobi's method at most; some five do


@inline
def _column_sizes(maps, lane, rows):
    """Sizes of the columns of B, each row divided by its own; returns the smallest of them over the largest."""
    n = maps.shape[0]
    for k in range(n):
        rows[COLUMN, k] = 0.0
    for i in range(n):
        size = 0.0
        for k in range(n):
            size = max(size, abs(maps[k, i, lane]))
        if size > 0.0:
            for k in range(n):
                rows[COLUMN, k] = max(rows[COLUMN, k], abs(maps[k, i, lane]) / size)
    least, most = math.inf, 0.0
    for k in range(n):
        least, most = min(least, rows[COLUMN, k]), max(most, rows[COLUMN, k])
    return least / most if most > 0.0 else 1.0


@inline
def _multiply(maps, lane, scaled, basis, image, rows):
    """image = B Q, or C Q; whether it is finite."""
    n, total = basis.shape[0], 0.0
    for i in range(n):
        for j in range(n):
            image[i, j] = 0.0
        for k in range(n):
            factor = maps[k, i, lane]
            if scaled:
                factor = factor / rows[COLUMN, k] if rows[COLUMN, k] > 0.0 else 0.0
            for j in range(n):
                image[i, j] += factor * basis[j, k]
        for j in range(n):
            total += abs(image[i, j])
    return total < math.inf


@inline
def _scale(basis, image, rows):
    """image = diag(sizes) Q."""
    n = basis.shape[0]
    for i in range(n):
        for j in range(n):
            image[i, j] = rows[COLUMN, i] * basis[j, i]


@inline
def _sweep_on(image, rows, basis, logs, upper):
    """The QR sweep of an image; the smallest |R_ii| relative to its row."""
    _sort(image, rows)
    _triangularise(image, rows)
    _form(image, rows, basis)
    return _extend(image, rows, logs, upper)


@inline
def _sort(image, rows):
    """Sort the rows of the image by size, the largest first."""
    n = image.shape[0]
    for i in range(n):
        size, at = 0.0, i
        for j in range(n):
            size = max(size, abs(image[i, j]))
        while at > 0 and rows[SIZE, at - 1] < size:
            rows[ORDER, at], rows[SIZE, at] = rows[ORDER, at - 1], rows[SIZE, at - 1]
            for j in range(n):
                image[at, j], image[at - 1, j] = image[at - 1, j], image[at, j]
            at -= 1
        rows[ORDER, at], rows[SIZE, at] = i, size


@inline
def _triangularise(image, rows):
    """R in the upper triangle of the image, below it the reflections 1 - f v v', v = (1, below the diagonal)."""
    n = image.shape[0]
    for k in range(n):
        size, square = 0.0, 0.0
        for i in range(k, n):
            size = max(size, abs(image[i, k]))
        rows[FACTOR, k] = 0.0
        if size == 0.0 or k == n - 1:
            continue
        for i in range(k, n):
            square += (image[i, k] / size) ** 2
        corner = image[k, k]
        length = -math.copysign(size * math.sqrt(square), corner)
        image[k, k] = length
        rows[FACTOR, k] = factor = (length - corner) / length
        for i in range(k + 1, n):
            image[i, k] /= corner - length
        for j in range(k + 1, n):
            along = image[k, j]
            for i in range(k + 1, n):
                along += image[i, k] * image[i, j]
            along *= factor
            image[k, j] -= along
            for i in range(k + 1, n):
                image[i, j] -= along * image[i, k]


@inline
def _form(image, rows, basis):
    """The columns of Q as rows of basis, their units in the order of the system, signs such that R_ii > 0."""
    n = image.shape[0]
    for j in range(n):
        for i in range(n):
            rows[SPARE, i] = 0.0
        rows[SPARE, j] = -1.0 if image[j, j] < 0.0 else 1.0
        for k in range(j, -1, -1):
            along = rows[SPARE, k]
            for i in range(k + 1, n):
                along += image[i, k] * rows[SPARE, i]
            along *= rows[FACTOR, k]
            rows[SPARE, k] -= along
            for i in range(k + 1, n):
                rows[SPARE, i] -= along * image[i, k]
        for i in range(n):
            basis[j, int(rows[ORDER, i])] = rows[SPARE, i]


@inline
def _extend(image, rows, logs, upper):
    """exp(logs) U becomes R exp(logs) U; returns the smallest |R_ii| relative to its row, zeros left out."""
    n, least = image.shape[0], 1.0
    for i in range(n):
        growth = abs(image[i, i])
        if growth <= ROUNDING * n * rows[SIZE, i] or logs[0, i] == -math.inf:
            logs[0, i] = -math.inf
            continue
        least = min(least, growth / rows[SIZE, i])
        for j in range(i + 1, n):
            if logs[0, j] != -math.inf:
                factor = image[i, j] / image[i, i] * math.exp(logs[0, j] - logs[0, i])
                for k in range(j, n):
                    upper[i, k] += factor * upper[j, k]
        _add(logs, i, math.log(growth))
    return least


@inline
def _add(logs, i, more):
    """Add to a sum of millions, which keeps what its roundings leave behind (Neumaier)."""
    total = logs[0, i] + more
    if abs(logs[0, i]) >= abs(more):
        logs[1, i] += (logs[0, i] - total) + more
    else:
        logs[1, i] += (more - total) + logs[0, i]
    logs[0, i] = total


@inline
def _normalise(upper, logs, i):
    n, square = upper.shape[1], 0.0
    for k in range(n):
        square += upper[i, k] * upper[i, k]
    length = math.sqrt(square)
    for k in range(n):
        upper[i, k] /= length
    logs[i] += math.log(length)


@inline
def _sweep(upper, logs):
    """Turn every pair of rows that are not yet orthogonal; whether there was one."""
    n, turned = upper.shape[0], False
    for i in range(n):
        for j in range(i + 1, n):
            if logs[i] == -math.inf or logs[j] == -math.inf:
                continue
            p, q = (i, j) if logs[i] >= logs[j] else (j, i)
            cosine = _dot(upper, p, q)
            if abs(cosine) > _EPS * math.sqrt(n):
                _turn(upper, logs, p, q, cosine)
                turned = True
    return turned


@inline
def _dot(upper, p, q):
    n = upper.shape[1]
    a, b, c, d = 0.0, 0.0, 0.0, 0.0  # four sums: each addition waits for the one before
    for k in range(0, n - 3, 4):
        a += upper[p, k] * upper[q, k]
        b += upper[p, k + 1] * upper[q, k + 1]
        c += upper[p, k + 2] * upper[q, k + 2]
        d += upper[p, k + 3] * upper[q, k + 3]
    for k in range(n - n % 4, n):
        a += upper[p, k] * upper[q, k]
    return (a + b) + (c + d)


@inline
def _turn(upper, logs, p, q, cosine):
    """Make row q orthogonal to row p, the longer one; t / ratio stays finite where the ratio of lengths vanishes."""
    ratio = math.exp(logs[q] - logs[p])
    difference = (1.0 - ratio) * (1.0 + ratio)
    scaled = 2.0 * cosine / (difference + math.sqrt(difference * difference + (2.0 * ratio * cosine) ** 2))
    tangent = ratio * scaled
    factor = 1.0 / math.sqrt(1.0 + tangent * tangent)
    # their new lengths, as both were unit vectors
    length = factor * math.sqrt(1.0 + tangent * ratio * (2.0 * cosine + tangent * ratio))
    apart = max(0.0, 1.0 - cosine * cosine)
    other_length = factor * math.sqrt((1.0 - scaled * cosine) ** 2 + scaled * scaled * apart)
    if other_length == 0.0:  # one direction twice
        logs[q] = -math.inf
        return
    first, second = factor / length, factor / other_length
    for k in range(upper.shape[1]):
        one, other = upper[p, k], upper[q, k]
        upper[p, k] = first * (one + tangent * ratio * other)
        upper[q, k] = second * (other - scaled * one)
    logs[p] += math.log(length)
    logs[q] += math.log(other_length)


@kernel(types.void(_STACK, types.int64, types.int64, _STACK, _STACK, _STACK, _VECTOR, _MATRIX, _MATRIX))
def chain(maps, first, last, bases, logs, uppers, least, image, rows):
    """Multiply the products of all points by the maps of consecutive segments.

    maps (n, n, lanes): [j, i, lane] is the derivative of unit i with respect to unit j; the lanes from `first` to
    `last` are the points' first segment, then their second and so on. Of every point: bases (points, n, n),
    whose rows are the columns of Q; logs (points, 2, n) and what their roundings left behind; uppers (points, n, n);
    least (points,), the smallest entry |R_ii| relative to its row of B. Working space: image (n, n), rows (5, n).
    """
    points, n = bases.shape[0], bases.shape[1]
    for lane in range(first, last):
        point = (lane - first) % points
        scaled = _column_sizes(maps, lane, rows) < GRADED
        if scaled:
            _scale(bases[point], image, rows)
            least[point] = min(least[point], _sweep_on(image, rows, bases[point], logs[point], uppers[point]))
        if _multiply(maps, lane, scaled, bases[point], image, rows):
            least[point] = min(least[point], _sweep_on(image, rows, bases[point], logs[point], uppers[point]))
        else:
            for i in range(n):
                logs[point, 0, i] = math.nan


@kernel(types.void(_MATRIX, _STACK))
def singular_values(logs, uppers):
    """ln of the singular values of exp(logs) U (cases, n), in place and not sorted; uppers (cases, n, n) are spent."""
    for case in range(logs.shape[0]):
        upper, own = uppers[case], logs[case]
        turned, sweeps = True, 0
        while turned and sweeps < _SWEEPS:
            for i in range(own.shape[0]):
                _normalise(upper, own, i)
            turned = _sweep(upper, own)
            sweeps += 1
