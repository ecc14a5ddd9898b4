"""Matrices of networks: dense, sparse, or a diagonal plus a product of low rank; and how kernels find them."""

import dataclasses

import numpy as np

from lyapkit.kernels.products import DENSE, LOW_RANK, SPARSE


@dataclasses.dataclass(frozen=True, eq=False)
class LowRank:
    """diag(diagonal) + left @ right, never multiplied out: diagonal (n,), left (n, r), right (r, n).

    >>> import numpy as np, lyapkit as lk
    >>> W = lk.LowRank(np.zeros(100), np.ones((100, 1)), np.ones((1, 100)) / 100)
    >>> W.shape, float(W.toarray()[3, 4])
    ((100, 100), 0.01)
    """

    diagonal: np.ndarray
    left: np.ndarray
    right: np.ndarray

    def __post_init__(self):
        for name in ("diagonal", "left", "right"):
            array = real_array(f"LowRank.{name}", getattr(self, name))
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        n, rank = self.diagonal.size, self.left.shape[-1] if self.left.ndim else 0
        if self.diagonal.ndim != 1 or self.left.shape != (n, rank) or self.right.shape != (rank, n):
            raise ValueError(
                f"LowRank: given shapes {self.diagonal.shape}, {self.left.shape}, {self.right.shape}; accepted: "
                "(n,), (n, r), (r, n)"
            )

    @property
    def shape(self):
        return (len(self.diagonal),) * 2

    def toarray(self):
        """The dense matrix."""
        return np.diag(self.diagonal) + self.left @ self.right


def is_sparse(value):
    """Whether it is a matrix of scipy.sparse."""
    return hasattr(value, "tocsr") and hasattr(value, "nnz")


def checked(name, value):
    """A matrix parameter as an unwritable array, a CSR array or a LowRank; ValueError tells where it is not finite."""
    if is_sparse(value):
        import scipy.sparse

        if len(value.shape) != 2 or np.iscomplexobj(value.data):
            raise ValueError(f"{name}: given {value!r}, accepted: a matrix (rows, columns) of real numbers")
        matrix = scipy.sparse.csr_array(value, dtype=float, copy=True)
        matrix.sum_duplicates()
        bad = np.flatnonzero(~np.isfinite(matrix.data))
        if len(bad):
            row = int(np.searchsorted(matrix.indptr, bad[0], side="right")) - 1
            where = [row, int(matrix.indices[bad[0]])]
            raise ValueError(f"{name}: {matrix.data[bad[0]]} at index {where}, accepted: finite numbers")
        for part in (matrix.data, matrix.indices, matrix.indptr):
            part.setflags(write=False)
        return matrix
    if isinstance(value, LowRank):
        for part in ("diagonal", "left", "right"):
            _finite(f"{name}.{part}", getattr(value, part))
        return value
    array = real_array(name, value)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"{name}: given shape {array.shape}, accepted: a matrix (rows, columns)")
    _finite(name, array)
    array.setflags(write=False)
    return array


def real_array(name, value):
    """`value` as a new array of doubles; TypeError for what is none, complex numbers included."""
    try:
        array = np.array(value)
        if array.dtype.kind in "biuf":
            return array.astype(float)
    except ValueError:  # ragged
        pass
    given = " ".join(repr(value).split())
    given = given if len(given) < 60 else f"{given[:57]}..."
    raise TypeError(f"{name}: given {given}, accepted: an array of real numbers") from None


def _finite(name, array):
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        where = bad[0].tolist()
        raise ValueError(f"{name}: {array[tuple(bad[0])]} at index {where}, accepted: finite numbers")


def equal(a, b):
    """Whether two parameters are the same, whatever they are."""
    if type(a) is not type(b):
        return False
    if isinstance(a, LowRank):
        return all(np.array_equal(getattr(a, n), getattr(b, n)) for n in ("diagonal", "left", "right"))
    if is_sparse(a):
        return a.shape == b.shape and (a != b).nnz == 0
    if callable(a):
        return a is b
    return np.array_equal(a, b)


def dense(matrix):
    """Any matrix as an array."""
    return matrix if isinstance(matrix, np.ndarray) else matrix.toarray()


def diagonal(matrix):
    """Its diagonal."""
    if isinstance(matrix, LowRank):
        return matrix.diagonal + np.einsum("ir,ri->i", matrix.left, matrix.right)
    return matrix.diagonal()


def both(a, b):
    """The elementwise product of a and b'."""
    if is_sparse(a):
        return a.multiply(b.T if is_sparse(b) else dense(b).T).tocsr()
    return dense(a) * dense(b).T


def log_determinant(matrix):
    """ln |det|, -inf of a singular matrix; by sparse elimination where the matrix is not dense.

    det(D + L R) is that of [[D, L], [-R, 1]].
    """
    if isinstance(matrix, np.ndarray):
        return float(np.linalg.slogdet(matrix)[1])
    import scipy.sparse
    import scipy.sparse.linalg

    if isinstance(matrix, LowRank):
        one = scipy.sparse.eye_array(matrix.left.shape[1])
        blocks = [[scipy.sparse.diags_array(matrix.diagonal), matrix.left], [-matrix.right, one]]
        matrix = scipy.sparse.block_array(blocks)
    try:
        factors = scipy.sparse.linalg.splu(scipy.sparse.csc_array(matrix))
    except RuntimeError:  # exactly singular
        return -np.inf
    with np.errstate(divide="ignore"):
        return float(np.log(abs(factors.U.diagonal())).sum())


class SharedData:
    """The flat arrays of a network's parameters, filled part by part."""

    def __init__(self):
        self.numbers, self.integers = [], []
        self._number_count = self._integer_count = 0

    def add_numbers(self, array):
        """Append numbers; returns where they stand."""
        at = self._number_count
        self.numbers.append(np.ravel(array))
        self._number_count += np.size(array)
        return at

    def add_integers(self, array):
        """Append integers; returns where they stand."""
        at = self._integer_count
        self.integers.append(np.ravel(np.asarray(array, dtype=np.int64)))
        self._integer_count += np.size(array)
        return at

    def add_matrix(self, matrix, as_rows):
        """Append a matrix and its header; `as_rows` lays vectors out. Returns where the header stands."""
        m, n = matrix.shape
        if is_sparse(matrix):
            return self.add_integers([*self._sparse(matrix), *self._sparse(matrix.T.tocsr())])
        if isinstance(matrix, LowRank):
            diagonal_at = self.add_numbers(as_rows(matrix.diagonal))
            left, right = self.add_numbers(matrix.left), self.add_numbers(matrix.right)
            return self.add_integers([LOW_RANK, m, n, diagonal_at, matrix.left.shape[1], left, right])
        return self.add_integers([DENSE, m, n, self.add_numbers(matrix)])

    def _sparse(self, matrix):
        m, n = matrix.shape
        values = self.add_numbers(matrix.data)
        return SPARSE, m, n, values, self.add_integers(matrix.indptr), self.add_integers(matrix.indices)

    def arrays(self):
        """(numbers, integers) as flat arrays."""
        numbers = np.concatenate([np.zeros(0), *self.numbers])
        return numbers, np.concatenate([np.zeros(0, dtype=np.int64), *self.integers])
