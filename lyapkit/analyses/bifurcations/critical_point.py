"""The derivatives at one critical point, its critical eigenvectors and what is solved for with them."""

import numpy as np

_CRITICAL = 1e-6  # distance of a critical eigenvalue from its line, of the largest eigenvalue
_SINGULAR = 1e-4  # smallest singular value, of the largest, that a located point of codimension two has
_DIAGONAL = 1e-6  # the other singular value of a double eigenvalue, of the derivatives, where its block is diagonal


class CriticalPoint:
    """A, B and C at one point, and the vectors of critical eigenvalues; not a number where those are not there."""

    def __init__(self, jets, x, p):
        self._jets, self._x, self._p = jets, x, p
        self.matrix = jets.first(x, p)[1]
        self.n, self.is_map = len(self.matrix), jets.system.kind == "map"
        self.unit = 1.0 if self.is_map else 0.0  # the eigenvalue of a fold
        self.extent = max(1.0, float(np.abs(x).max()))
        self.finite = bool(np.isfinite(self.matrix).all())

    def _whole(self, vectors):
        """Directions of the state as those of the state and the parameters."""
        rows = np.atleast_2d(vectors)
        return np.concatenate([rows, np.zeros((len(rows), self._jets.m))], axis=1)

    def B(self, a, b):
        """D^2 F [a, b], of vectors (n,) or of rows (k, n)."""
        return self._jets.second(self._x, self._p, self._whole(a), self._whole(b)).reshape(np.shape(a))

    def C(self, a, b, c):
        """D^3 F [a, b, c] (n,)."""
        return self._jets.third(self._x, self._p, *map(self._whole, (a, b, c)))[0]

    def size(self, w, *terms):
        """What a coefficient <w, sum of terms> could be."""
        return float(np.linalg.norm(w) * sum(map(np.linalg.norm, terms)))

    def critical_eigenvalue(self):
        """The complex eigenvalue of positive imaginary part on the imaginary axis (maps: the unit circle), or None."""
        if not self.finite:
            return None
        eigenvalues = np.linalg.eigvals(self.matrix)
        above = eigenvalues[eigenvalues.imag > 0]
        if not len(above):
            return None
        off = abs(abs(above) - 1.0) if self.is_map else abs(above.real)
        best = int(off.argmin())
        if off[best] > _CRITICAL * abs(eigenvalues).max() + 1e-9:
            return None
        return complex(above[best])

    def null(self, eigenvalue):
        """(q, p) of the eigenvalue: |q| = 1, <p, q> = 1."""
        if not self.finite:
            return np.full((2, self.n), np.nan)
        left, sizes, right = np.linalg.svd(self._minus(eigenvalue))
        if sizes[-1] > _SINGULAR * max(1.0, sizes[0]):
            return np.full((2, self.n), np.nan)
        q, w = _turned(right[-1].conj()), left[:, -1]
        with np.errstate(all="ignore"):
            return q, w / np.conj(pair(w, q))

    def chain(self, eigenvalue):
        """(q0, q1, p0, p1) of a double eigenvalue's Jordan block, (A - mu) q1 = q0, (A - mu)' p0 = p1.

        None where the block is diagonal. <q0, q1> = 0, <p0, q0> = <p1, q1> = 1, <p0, q1> = <p1, q0> = 0.
        """
        if not self.finite or self.n < 2:
            return np.full((4, self.n), np.nan)
        matrix = self._minus(eigenvalue)
        left, sizes, right = np.linalg.svd(matrix)
        if sizes[-1] > _SINGULAR * max(1.0, sizes[0]):
            return np.full((4, self.n), np.nan)
        q0, p1 = _turned(right[-1]), left[:, -1]
        natural = max(sizes[0], *(np.linalg.norm(v) for v in (self.B(q0, q0), self.C(q0, q0, q0))))
        if sizes[-2] <= _DIAGONAL * natural:
            return None
        border = _bordered_matrix(matrix, q0, p1)
        q1 = _solve(border, np.append(q0, 0.0))[:-1]
        p0 = _solve(border.T, np.append(p1, 0.0))[:-1]
        with np.errstate(all="ignore"):
            p0, p1 = p0 / (p1 @ q1), p1 / (p1 @ q1)
            return q0, q1, p0 - (p0 @ q1) * p1, p1

    def resolvent(self, number, v):
        """(number - A)^-1 v."""
        return _solve(-self._minus(number), v)

    def bordered(self, eigenvalue, q, w, v):
        """(A - eigenvalue)^-1 v on the complement of q: <w, result> = 0."""
        return _solve(_bordered_matrix(self._minus(eigenvalue), w.conj(), q), np.append(v, 0.0))[:-1]

    def _minus(self, number):
        return self.matrix - number * np.eye(self.n)


def _bordered_matrix(matrix, row, column):
    return np.block([[matrix, column[:, None]], [row[None], np.zeros((1, 1))]])


def _solve(matrix, v):
    try:
        return np.linalg.solve(matrix, v)
    except np.linalg.LinAlgError:  # exactly singular
        return np.full(len(v), np.nan)


def _turned(q):
    """q with its first large component positive, so that signs and phases do not depend on the platform."""
    leading = q[np.argmax(abs(q) > 0.5 * abs(q).max())]
    return q * (abs(leading) / leading)


def pair(w, v):
    """<w, v>, a Python number."""
    found = np.vdot(w, v)
    return complex(found) if np.iscomplexobj(found) else float(found)
