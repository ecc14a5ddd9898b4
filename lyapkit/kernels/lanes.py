"""Linear algebra of small frames over lanes: Gram-Schmidt with condition control, determinants."""

from lyapkit.kernels.jit import inline
from lyapkit.kernels.simd import absolute, any_lane, load, splat, sqrt, store, where

# A column that loses this share of its length to its predecessors is orthogonalised once more: one pass
# leaves an error of eps / share, two leave eps ("twice is enough", Giraud, Langou & Rozloznik 2005).
_SECOND_PASS = 1e-2
# Outside this range the square of a column comes near the ends of the double range: it is scaled first.
_SMALL, _LARGE = 1e-240, 1e240


@inline
def _largest(frame, j, lane):
    """Largest entry of column j, 1 where that is zero or not finite."""
    size = absolute(load(frame, (j, 0, lane)))
    for i in range(1, frame.shape[1]):
        entry = absolute(load(frame, (j, i, lane)))
        size = where(entry > size, entry, size)
    return where((size > 0.0) & (size < 1e308), size, splat(1.0))


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
    """Subtract from column j its parts along the columns before it, in the lanes where `chosen` is 1."""
    n = frame.shape[1]
    for other in range(j):
        overlap = splat(0.0)
        for i in range(n):
            overlap += load(frame, (other, i, lane)) * load(frame, (j, i, lane))
        overlap = where(chosen > 0.5, overlap, splat(0.0))
        for i in range(n):
            entry = load(frame, (j, i, lane)) - overlap * load(frame, (other, i, lane))
            store(frame, (j, i, lane), entry)


@inline
def orthonormalise(frame, lane, due, growth, condition, stretch):
    """Modified Gram-Schmidt of the frame's columns, in the eight lanes from `lane`, where `due` is 1 (else 0).

    Writes R_jj to growth (k, L); raises condition (L,) to max_j (|v_j| / R_jj)^2: the relative
    error of R_jj exceeds machine precision by the root of it (the condition number of R up to the
    scale of its columns); raises stretch (L,) to max_j max(R_jj, 1 / R_jj). A column without
    length stays zero and grows by 0.
    """
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
            lossy = (due > 0.5) & (after < _SECOND_PASS * _SECOND_PASS * before)
            if any_lane(lossy):
                _project(frame, j, lane, where(lossy, splat(1.0), splat(0.0)))
                after = _square(frame, j, lane)
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
    _raise_to(condition, lane, due, worst)
    _raise_to(stretch, lane, due, longest)


@inline
def _raise_to(maximum, lane, due, value):
    old = load(maximum, (lane,))
    store(maximum, (lane,), where((due > 0.5) & (value > old), value, old))


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
