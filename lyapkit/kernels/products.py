"""Products of a network's matrices with its state and with all columns of its frame.

A matrix lies in the shared data, described by a header among the shared integers: [kind, m, n, ...]. The
kind says how: dense rows; compressed sparse rows; or a diagonal plus left times right, never multiplied out.

Vectors come in blocks (count, rows, lanes): either a lane is a system and a row a unit, or one system is spread
over the lanes (`spread` in the call table) and a vector is the block's rows read one after the other,
filled up with zeros. Then dense products are BLAS calls.
"""

from numba import types

from lyapkit.kernels.abi import field, number
from lyapkit.kernels.blas import address, dgemm, dgemv, sgemm
from lyapkit.kernels.jit import inline, pointer_maker
from lyapkit.kernels.simd import WIDTH, fma, load, pick, repeat, splat, store

DENSE, SPARSE, LOW_RANK = range(3)
_T, _N = ord("T"), ord("N")
_DOUBLE = 8  # bytes


# call, header, transposed, then of the source its address, columns, rows and first row, of the target address and rows:
# integers alone, as an array by value costs as much as a small product
MULTIPLY = types.void(*[types.int64] * 9)
_multiply_at = pointer_maker(types.FunctionType(MULTIPLY))


@inline
def multiply(call, header, transposed, source, row, target):
    """target[c] = M source[c, row:] (or M' ...) for all c, M the matrix whose header stands at `header`.

    Calls the kernel `product.product`, which is compiled once and not into every cell.
    """
    arguments = (address(source), source.shape[0], source.shape[1], row, address(target), target.shape[1])
    _multiply_at(number(call, "product"))(call, header, int(transposed), *arguments)


@inline
def by_kind(call, header, transposed, source, row, target):
    """The product, by the kind of the matrix."""
    index, shared = field(call, "index"), field(call, "shared")
    kind = index[header]
    if kind == DENSE:
        _dense(call, index, shared, header, transposed, source, row, target)
    elif kind == SPARSE:
        _sparse(call, index, shared, header, transposed, source, row, target)
    else:
        _low_rank(call, index, shared, header, transposed, source, row, target)


@inline
def _dense(call, index, shared, header, transposed, source, row, target):
    m, n, at = index[header + 1], index[header + 2], index[header + 3]
    if number(call, "spread") == 1:
        _by_blas(call, shared, at, m, n, transposed, source, row, target, 0.0)
    elif transposed:
        _over_lanes_transposed(shared, at, m, n, source, row, target, 0.0)
    else:
        _over_lanes(shared, at, m, n, source, row, target, 0.0)


@inline
def _by_blas(call, shared, at, m, n, transposed, source, row, target, kept):
    """target = M source + kept target: M's rows are the columns of what BLAS sees."""
    width, wide = source.shape[1] * WIDTH, target.shape[1] * WIDTH
    matrix, first = address(shared) + _DOUBLE * at, address(source) + _DOUBLE * WIDTH * row
    form, length = (_N, n) if transposed else (_T, m)
    inner = m if transposed else n
    if source.shape[0] == 1:
        arguments = (form, n, m, 1.0, matrix, n, first, 1, kept, address(target), 1)
        dgemv(number(call, "dgemv"), *arguments)
    elif number(call, "single") == 1 and kept == 0.0:
        _in_single_precision(call, at, form, length, inner, n, source, row, target)
    else:
        arguments = (
            form, _N, length, source.shape[0], inner, 1.0, matrix, n, first, width, kept, address(target), wide,
        )  # fmt: skip
        dgemm(number(call, "dgemm"), *arguments)


@inline
def _in_single_precision(call, at, form, length, inner, n, source, row, target):
    """The product of all columns in single precision: the frame is rounded before, the matrix was once."""
    rounded, images = field(call, "rounded"), field(call, "images")
    count, width, wide = source.shape[0], source.shape[1] * WIDTH, target.shape[1] * WIDTH
    flat, result = source.reshape(-1), target.reshape(-1)
    for c in range(count):
        for i in range(inner):
            rounded[c * inner + i] = flat[c * width + row * WIDTH + i]
    matrix = address(field(call, "shared_single")) + 4 * at
    arguments = (
        form, _N, length, count, inner, 1.0, matrix, n, address(rounded), inner, 0.0, address(images), length,
    )  # fmt: skip
    sgemm(number(call, "sgemm"), *arguments)
    for c in range(count):
        for i in range(length):
            result[c * wide + i] = images[c * length + i]


@inline
def _over_lanes(shared, at, m, n, source, row, target, kept):
    """target[c, i] = sum_j M_ij source[c, row + j] + kept target[c, i], in tiles of four rows and two columns."""
    count = source.shape[0]
    for lane in range(0, source.shape[2], WIDTH):
        for c in range(0, count - 1, 2):
            for i in range(0, m - 3, 4):
                _tile(shared, at + i * n, n, source, row, target, kept, c, i, lane)
            for i in range(m - m % 4, m):
                _single(shared, at + i * n, n, source, row, target, kept, c, i, lane)
                _single(shared, at + i * n, n, source, row, target, kept, c + 1, i, lane)
        for c in range(count - count % 2, count):
            for i in range(m):
                _single(shared, at + i * n, n, source, row, target, kept, c, i, lane)


@inline
def _tile(shared, at, n, source, row, target, kept, c, i, lane):
    """Rows i to i + 3 of the columns c and c + 1: eight sums in registers share what is loaded."""
    a0, a1, a2, a3 = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
    b0, b1, b2, b3 = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
    for j in range(n):
        v, w = load(source, (c, row + j, lane)), load(source, (c + 1, row + j, lane))
        m0, m1 = repeat(shared, at + j), repeat(shared, at + n + j)
        m2, m3 = repeat(shared, at + 2 * n + j), repeat(shared, at + 3 * n + j)
        a0, a1, a2, a3 = fma(m0, v, a0), fma(m1, v, a1), fma(m2, v, a2), fma(m3, v, a3)
        b0, b1, b2, b3 = fma(m0, w, b0), fma(m1, w, b1), fma(m2, w, b2), fma(m3, w, b3)
    _put(target, c, i, lane, a0, kept)
    _put(target, c, i + 1, lane, a1, kept)
    _put(target, c, i + 2, lane, a2, kept)
    _put(target, c, i + 3, lane, a3, kept)
    _put(target, c + 1, i, lane, b0, kept)
    _put(target, c + 1, i + 1, lane, b1, kept)
    _put(target, c + 1, i + 2, lane, b2, kept)
    _put(target, c + 1, i + 3, lane, b3, kept)


@inline
def _single(shared, at, n, source, row, target, kept, c, i, lane):
    total = splat(0.0)
    for j in range(n):
        total = fma(repeat(shared, at + j), load(source, (c, row + j, lane)), total)
    _put(target, c, i, lane, total, kept)


@inline
def _put(target, c, i, lane, value, kept):
    if kept != 0.0:
        value += kept * load(target, (c, i, lane))
    store(target, (c, i, lane), value)


@inline
def _over_lanes_transposed(shared, at, m, n, source, row, target, kept):
    for lane in range(0, source.shape[2], WIDTH):
        for c in range(source.shape[0]):
            for j in range(n):
                total = splat(0.0)
                for i in range(m):
                    total += shared[at + i * n + j] * load(source, (c, row + i, lane))
                _put(target, c, j, lane, total, kept)


@inline
def _sparse(call, index, shared, header, transposed, source, row, target):
    """Rows in compressed form: [kind, m, n, values, pointers, columns] (and of the transposed matrix behind)."""
    step = 6 if transposed else 0
    m, values = index[header + step + 1], index[header + step + 3]
    pointers, columns = index[header + step + 4], index[header + step + 5]
    if number(call, "spread") == 1 and source.shape[0] == 1:
        flat, result, shift = source.reshape(-1), target.reshape(-1), row * WIDTH
        for i in range(m):
            one = 0.0
            for entry in range(index[pointers + i], index[pointers + i + 1]):
                one += shared[values + entry] * flat[index[columns + entry] + shift]
            result[i] = one
    elif number(call, "spread") == 1:
        for first in range(0, source.shape[0], WIDTH):
            count = min(WIDTH, source.shape[0] - first)
            _sparse_eight(call, index, shared, m, values, pointers, columns, source, row, target, first, count)
    else:
        for lane in range(0, source.shape[2], WIDTH):
            for c in range(source.shape[0]):
                for i in range(m):
                    total = splat(0.0)
                    for entry in range(index[pointers + i], index[pointers + i + 1]):
                        total += repeat(shared, values + entry) * load(source, (c, row + index[columns + entry], lane))
                    store(target, (c, i, lane), total)


@inline
def _sparse_eight(call, index, shared, m, values, pointers, columns, source, row, target, first, count):
    """Eight columns of a spread frame at once: turned, so that their entries stand in one vector."""
    turned, flat, result = field(call, "turned"), source.reshape(-1), target.reshape(-1)
    width, wide = source.shape[1] * WIDTH, target.shape[1] * WIDTH
    for j in range(turned.shape[0]):
        if row * WIDTH + j < width:
            for c in range(count):
                turned[j, c] = flat[(first + c) * width + row * WIDTH + j]
    for i in range(m):
        total = splat(0.0)
        for entry in range(index[pointers + i], index[pointers + i + 1]):
            total = fma(repeat(shared, values + entry), load(turned, (index[columns + entry], 0)), total)
        for c in range(count):
            result[(first + c) * wide + i] = pick(total, c)


@inline
def _low_rank(call, index, shared, header, transposed, source, row, target):
    """diag(d) + left right: [kind, n, n, d, rank, left (n, rank), right (rank, n), row of its working space]."""
    n, diagonal, rank = index[header + 1], index[header + 3], index[header + 4]
    left, right = index[header + 5], index[header + 6]
    small = field(call, "low_rank")[: source.shape[0]]
    spread = number(call, "spread") == 1
    for c in range(source.shape[0]):
        for lane in range(0, source.shape[2], WIDTH):
            for i in range(target.shape[1]):
                # the diagonal is stored as vectors are: in eight equal lanes, or spread
                factor = load(shared, (diagonal + WIDTH * i,))
                store(target, (c, i, lane), factor * load(source, (c, row + i, lane)))
    if rank == 0:
        return
    if spread and transposed:
        _by_blas(call, shared, left, n, rank, True, source, row, small, 0.0)
        _by_blas(call, shared, right, rank, n, True, small, 0, target, 1.0)
    elif spread:
        _by_blas(call, shared, right, rank, n, False, source, row, small, 0.0)
        _by_blas(call, shared, left, n, rank, False, small, 0, target, 1.0)
    elif transposed:
        _over_lanes_transposed(shared, left, n, rank, source, row, small, 0.0)
        _over_lanes_transposed(shared, right, rank, n, small, 0, target, 1.0)
    else:
        _over_lanes(shared, right, rank, n, source, row, small, 0.0)
        _over_lanes(shared, left, n, rank, small, 0, target, 1.0)


@inline
def total(source, length, spread, divergence):
    """Sum over the units of the first vector of a block into divergence, lane by lane or over all lanes."""
    if spread:
        flat, result = source.reshape(-1), 0.0
        for i in range(length):
            result += flat[i]
        for lane in range(divergence.shape[0]):
            divergence[lane] += result
    else:
        for lane in range(0, divergence.shape[0], WIDTH):
            result = load(divergence, (lane,))
            for i in range(length):
                result += load(source, (0, i, lane))
            store(divergence, (lane,), result)
