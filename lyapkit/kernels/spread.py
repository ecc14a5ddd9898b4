"""QR of a frame that is spread over the lanes: one large system, whose products are BLAS calls.

A spread vector of m numbers lies in rows of eight lanes, filled up with zeros; a frame is then k such vectors
one after the other, which BLAS sees as a column-major matrix of k columns.

**Cholesky QR** (Yamamoto, Nakatsukasa, Yanagisawa & Fukaya, ETNA 44 (2015) 306): R from the Cholesky factor
of the Gram matrix, then Q = V R^-1, both at the speed of a matrix product. One pass leaves errors of
eps cond^2, so an ill-conditioned frame takes a second one, which leaves eps. Where Cholesky breaks down,
columns are orthogonalised one by one (classical Gram-Schmidt, twice: Giraud, Langou & Rozloznik 2005).
"""

import math

from lyapkit.kernels.abi import CALL, field, number
from lyapkit.kernels.blas import address, dgemv, dpotrf, dsyrk, dtrsm
from lyapkit.kernels.jit import inline, kernel
from lyapkit.kernels.simd import WIDTH, load, pick, splat, store
from lyapkit.kernels.tangent import CONDITION, LENGTH

_U, _T, _N, _R = ord("U"), ord("T"), ord("N"), ord("R")
_SECOND_PASS = 1e3  # loss (see below) from which one pass would leave more than 1e-10
_BREAKDOWN = 1e13  # loss from which the Gram matrix is numerically singular
_SMALL, _LARGE = 1e-240, 1e240  # squares outside are scaled first


@inline
def _gram(call, frame, gram):
    """Upper triangle (as Fortran sees it) of the columns' scalar products."""
    k, width = frame.shape[0], frame.shape[1] * WIDTH
    arguments = (_U, _T, k, width, 1.0, address(frame), width, 0.0, address(gram), k)
    dsyrk(number(call, "dsyrk"), *arguments)


@inline
def _factorise(call, gram, info):
    """Cholesky factor of the Gram matrix in place; whether it exists."""
    k = gram.shape[0]
    dpotrf(number(call, "dpotrf"), _U, k, address(gram), k, address(info))
    return info[0] == 0


@inline
def _divide(call, frame, gram):
    """frame <- frame R^-1."""
    k, width = frame.shape[0], frame.shape[1] * WIDTH
    arguments = (_R, _U, _N, _N, width, k, 1.0, address(gram), k, address(frame), width)
    dtrsm(number(call, "dtrsm"), *arguments)


@inline
def _scale_extremes(frame, gram, growth):
    """Bring columns whose squares come near the ends of the double range to size 1; whether there were any."""
    any_scaled = False
    for j in range(frame.shape[0]):
        growth[j, 0] = 1.0
        if not (_SMALL < gram[j, j] < _LARGE):
            size = 0.0
            for i in range(frame.shape[1]):
                for lane in range(WIDTH):
                    size = max(size, abs(frame[j, i, lane]))
            if 0.0 < size < math.inf:
                any_scaled = True
                growth[j, 0] = size
                for i in range(frame.shape[1]):
                    for lane in range(WIDTH):
                        frame[j, i, lane] /= size
    return any_scaled


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
def _column_by_column(call, frame, gram, growth):
    """Classical Gram-Schmidt, two passes a column; returns the worst (|v_j| / R_jj)^2."""
    k, width, worst = frame.shape[0], frame.shape[1] * WIDTH, 1.0
    for j in range(k):
        before = _square(frame, j)
        column = address(frame) + 8 * j * width
        for _ in range(2):
            if j > 0:
                basis, along = address(frame), address(gram)
                dgemv(number(call, "dgemv"), _T, width, j, 1.0, basis, width, column, 1, 0.0, along, 1)
                dgemv(number(call, "dgemv"), _N, width, j, -1.0, basis, width, along, 1, 1.0, column, 1)
        after = _square(frame, j)
        length = math.sqrt(after)
        growth[j, 0] *= length
        inverse = 1.0 / length if length > 0.0 else 0.0
        for i in range(frame.shape[1]):
            store(frame, (j, i, 0), load(frame, (j, i, 0)) * inverse)
        if length > 0.0:
            worst = max(worst, before / after)
    return worst


@inline
def _cholesky(call, frame, gram, growth, info):
    """Up to two passes of Cholesky QR; the worst (|v_j| / R_jj)^2, or infinity where it broke down."""
    k, worst = frame.shape[0], 1.0
    for j in range(k):
        growth[j, 1] = gram[j, j]
    if not _factorise(call, gram, info):
        return math.inf
    for j in range(k):
        worst = max(worst, growth[j, 1] / (gram[j, j] * gram[j, j]))
    if not worst < _BREAKDOWN:
        return math.inf
    _divide(call, frame, gram)
    for j in range(k):
        growth[j, 0] *= gram[j, j]
    if worst > _SECOND_PASS:
        _gram(call, frame, gram)
        if not _factorise(call, gram, info):
            return math.inf
        _divide(call, frame, gram)
        for j in range(k):
            growth[j, 0] *= gram[j, j]
    return worst


@kernel(CALL)
def orthonormalise(call):
    """QR of the frame: its growth to `growth`; raises the rows CONDITION and LENGTH of `quality`.

    As `lanes.orthonormalise` does for each lane. An interval that got too long for Cholesky is not rescued: the driver
    runs its window again with half of it.
    """
    frame, gram, growth = field(call, "frame"), field(call, "gram"), field(call, "growth")
    quality, interval, info = field(call, "quality"), field(call, "interval"), field(call, "info")
    k = frame.shape[0]
    _gram(call, frame, gram)
    if _scale_extremes(frame, gram, growth):
        _gram(call, frame, gram)
    worst = _cholesky(call, frame, gram, growth, info)
    if not worst < math.inf and (interval[0, 0] == 1.0 or number(call, "fixed") == 1):
        worst = _column_by_column(call, frame, gram, growth)
    longest = 1.0
    for j in range(k):
        r = growth[j, 0]
        longest = max(longest, r, 1.0 / r if r > 0.0 else math.inf)
        for lane in range(WIDTH):
            growth[j, lane] = r
    for lane in range(WIDTH):
        quality[CONDITION, lane] = max(quality[CONDITION, lane], worst)
        quality[LENGTH, lane] = max(quality[LENGTH, lane], longest)
