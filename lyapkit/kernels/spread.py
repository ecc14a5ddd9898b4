"""QR of a frame that is spread over the lanes: one large system, whose products are BLAS calls.

A spread vector of m numbers lies in rows of eight lanes, filled up with zeros; a frame is then k such vectors
one after the other, which BLAS sees as a column-major matrix of k columns.

**Block Gram-Schmidt with Cholesky QR inside the blocks** (Stewart, SIAM J. Sci. Comput. 31 (2008) 761; Yamamoto,
Nakatsukasa, Yanagisawa & Fukaya, ETNA 44 (2015) 306): a block of columns loses its parts along all earlier ones by two
matrix products, and is orthonormalised by the Cholesky factor of its Gram matrix. Where columns have lost much of
their length the block goes through both once more ("twice is enough"). Columns grow at similar rates
inside a block, so that its Gram matrix is tame even where the whole frame is not; where it still
has no factor, its columns are taken one by one.
"""

import math

from lyapkit.kernels.abi import CALL, field, number
from lyapkit.kernels.blas import address, dgemm, dgemv, dpotrf, dsyrk, dtrsm
from lyapkit.kernels.jit import inline, kernel
from lyapkit.kernels.simd import WIDTH, load, pick, splat, store
from lyapkit.kernels.tangent import CONDITION, LENGTH

_U, _T, _N, _R = ord("U"), ord("T"), ord("N"), ord("R")
_DOUBLE = 8  # bytes
_BLOCK = 32  # columns
# (|v_j| / R_jj)^2 from which one pass would leave a block less orthogonal than some 1e-12: Cholesky's error is
# eps times it, Gram-Schmidt's eps times its root
_SECOND_PASS_INSIDE, _SECOND_PASS = 1e3, 1e6
_PASSES = 8  # of Gram-Schmidt at most, see kernels.lanes
_BREAKDOWN = 1e12  # from here on the Gram matrix is singular to rounding
_SMALL, _LARGE = 1e-240, 1e240  # squares outside are scaled first


@inline
def _scale_extremes(frame, growth):
    """Bring columns whose squares come near the ends of the double range to size 1; growth[:, 1] keeps the squares."""
    for j in range(frame.shape[0]):
        growth[j, 0], growth[j, 1] = 1.0, _square(frame, j)
        if not (_SMALL < growth[j, 1] < _LARGE):
            size = 0.0
            for i in range(frame.shape[1]):
                for lane in range(WIDTH):
                    size = max(size, abs(frame[j, i, lane]))
            if 0.0 < size < math.inf:
                for i in range(frame.shape[1]):
                    for lane in range(WIDTH):
                        frame[j, i, lane] /= size
                growth[j, 0], growth[j, 1] = size, _square(frame, j)


@inline
def _square(frame, j):
    total = splat(0.0)
    for i in range(frame.shape[1]):
        entry = load(frame, (j, i, 0))
        total += entry * entry
    return _sum(total)


@inline
def _sum(lanes):
    from_first = 0.0
    for lane in range(WIDTH):
        from_first += pick(lanes, lane)
    return from_first


@inline
def _project(call, first, count, done, work, width):
    """Subtract from `count` columns at `first` their parts along the `done` columns at the frame's start."""
    basis = address(field(call, "frame"))
    inner = (_T, _N, done, count, width, 1.0, basis, width, first, width, 0.0, work, done)
    dgemm(number(call, "dgemm"), *inner)
    outer = (_N, _N, width, count, done, -1.0, basis, width, work, done, 1.0, first, width)
    dgemm(number(call, "dgemm"), *outer)


@inline
def _cholesky(call, frame, start, count, gram, growth, info):
    """Orthonormalise a block by Cholesky QR; the worst (|v_j| / R_jj)^2 in it, infinity where there is no factor."""
    width = frame.shape[1] * WIDTH
    first = address(frame) + _DOUBLE * start * width
    dsyrk(number(call, "dsyrk"), _U, _T, count, width, 1.0, first, width, 0.0, address(gram), count)
    flat = gram.reshape(-1)
    for j in range(count):
        growth[start + j, 2] = flat[j * count + j]
    dpotrf(number(call, "dpotrf"), _U, count, address(gram), count, address(info))
    if info[0] != 0:
        return math.inf
    worst = 1.0
    for j in range(count):
        r = flat[j * count + j]
        worst = max(worst, growth[start + j, 2] / (r * r))
    if not worst < _BREAKDOWN:
        return math.inf
    dtrsm(number(call, "dtrsm"), _R, _U, _N, _N, width, count, 1.0, address(gram), count, first, width)
    for j in range(count):
        growth[start + j, 0] *= flat[j * count + j]
    return worst


@inline
def _column_by_column(call, frame, start, count, gram, growth):
    """Classical Gram-Schmidt of a block's columns against all before them, each until it loses no length.

    A column that loses it in every pass lies in the span of those before, down to the noise of its own rounding (as all
    do once the rank of the tangent map is reached): it is dead, and grows by 0.
    """
    width, basis, along = frame.shape[1] * WIDTH, address(frame), address(gram)
    for j in range(start, start + count):
        column, length, before = basis + _DOUBLE * j * width, math.sqrt(_square(frame, j)), math.inf
        for _ in range(_PASSES if j > 0 else 0):
            if length > 0.5 * before:
                break
            dgemv(number(call, "dgemv"), _T, width, j, 1.0, basis, width, column, 1, 0.0, along, 1)
            dgemv(number(call, "dgemv"), _N, width, j, -1.0, basis, width, along, 1, 1.0, column, 1)
            before, length = length, math.sqrt(_square(frame, j))
        if j > 0 and not length > 0.5 * before:
            length = 0.0
        growth[j, 0] *= length
        inverse = 1.0 / length if length > 0.0 else 0.0
        for i in range(frame.shape[1]):
            store(frame, (j, i, 0), load(frame, (j, i, 0)) * inverse)


@inline
def _orthonormalise_block(call, frame, start, count, gram, growth, info):
    """Once, and where much was lost once more."""
    width = frame.shape[1] * WIDTH
    first = address(frame) + _DOUBLE * start * width
    for j in range(start, start + count):
        growth[j, 3] = growth[j, 0]  # what the column was scaled by
    for _ in range(2):
        if start > 0:
            _project(call, first, count, start, address(gram), width)
        inside = _cholesky(call, frame, start, count, gram, growth, info)
        if inside == math.inf:
            _column_by_column(call, frame, start, count, gram, growth)
            return
        lost = 1.0
        for j in range(start, start + count):
            r = growth[j, 0] / growth[j, 3]
            lost = max(lost, growth[j, 1] / (r * r))
        if inside < _SECOND_PASS_INSIDE and lost < _SECOND_PASS:
            return


@kernel(CALL)
def orthonormalise(call):
    """QR of the frame: its growth to `growth`; raises the rows CONDITION and LENGTH of `quality`.

    As `lanes.orthonormalise` does for each lane.
    """
    frame, gram, growth = field(call, "frame"), field(call, "gram"), field(call, "growth")
    quality, info = field(call, "quality"), field(call, "info")
    k, worst, longest = frame.shape[0], 1.0, 1.0
    _scale_extremes(frame, growth)
    for start in range(0, k, _BLOCK):
        _orthonormalise_block(call, frame, start, min(_BLOCK, k - start), gram, growth, info)
    for j in range(k):
        r = growth[j, 0]
        lost = growth[j, 3] / r if r > 0.0 else 0.0
        worst = max(worst, growth[j, 1] * lost * lost)
        longest = max(longest, r, 1.0 / r if r > 0.0 else math.inf)
        for lane in range(WIDTH):
            growth[j, lane] = r
    for lane in range(WIDTH):
        quality[CONDITION, lane] = max(quality[CONDITION, lane], worst)
        quality[LENGTH, lane] = max(quality[LENGTH, lane], longest)
