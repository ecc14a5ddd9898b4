"""The pair of eigenvalues that crosses the stability border, as a real block of two rows.

Where eigenvalues meet and become complex, they are not smooth; the invariant plane of a pair that stays apart from
all others is, and so are trace and determinant of the Jacobian within it: d tr H = tr(Y' dJ X), d det H =
tr(adj(H) Y' dJ X) for bases with J X = X H, Y' J = H Y', Y' X = 1. Hence curves of Hopf and Neimark-Sacker points pass
double zeros and resonances 1:1 and 1:2 without trouble.
"""

import dataclasses
import itertools

import numpy as np
import scipy.linalg

_CANDIDATES = 8  # pairs nearest to the border, among which the one that was followed is looked for
_RIVALS = 0.02  # if about as near to it as the nearest, in the largest eigenvalue


@dataclasses.dataclass(frozen=True)
class Pair:
    """Bases X, Y (n, 2) of the pair's planes, the block H (2, 2), and the other eigenvalues (n - 2,)."""

    right: np.ndarray
    left: np.ndarray
    block: np.ndarray
    others: np.ndarray

    @property
    def determinant(self):
        """The product of the two eigenvalues."""
        return self.block[0, 0] * self.block[1, 1] - self.block[0, 1] * self.block[1, 0]

    @property
    def discriminant(self):
        """Positive where the pair is complex: the square of its imaginary part."""
        return self.determinant - 0.25 * np.trace(self.block) ** 2

    @property
    def turn(self):
        """The block's antisymmetric part: on the border it vanishes just where the block is a multiple of 1."""
        return 0.5 * (self.block[1, 0] - self.block[0, 1])


def critical_pair(jacobian, gap, plane):
    """The pair (see `Pair`) of a Jacobian (n, n) for which gap(a, b) is least, None where there is no such pair.

    plane: basis (n, 2) of the pair that has been followed, to which this one is the nearest; None: only complex pairs
    count. The basis is oriented as the plane is.
    """
    n = len(jacobian)
    if n == 2:
        values = np.linalg.eigvals(jacobian)
        if plane is None and not np.iscomplexobj(values):
            return None
        return Pair(np.eye(2), np.eye(2), jacobian, np.empty(0))
    triangle, basis = scipy.linalg.schur(jacobian)
    values = _eigenvalues(triangle)
    pairs = [
        (i, j) for i, j in itertools.combinations(range(n), 2)
        if (j == i + 1 and values[i].imag > 0) or (plane is not None and values[i].imag == values[j].imag == 0)
    ]  # fmt: skip
    gaps = {(i, j): abs(gap(values[i], values[j])) for i, j in pairs}
    rivals = min(gaps.values(), default=0.0) + _RIVALS * abs(values).max()
    pairs = sorted((pair for pair in pairs if gaps[pair] <= rivals), key=gaps.get)
    found = [_planes(triangle, basis, values, pair) for pair in pairs[: 1 if plane is None else _CANDIDATES]]
    if not found:
        return None
    if plane is None:
        return found[0]
    best = max(found, key=lambda pair: abs(np.linalg.det(plane.T @ pair.right)))
    return best if np.linalg.det(plane.T @ best.right) >= 0.0 else _mirrored(best)


def _eigenvalues(triangle):
    """Eigenvalues of a real Schur form, in the order of its diagonal, of a pair the one above the axis first."""
    values = np.diagonal(triangle).astype(complex)
    for i in np.flatnonzero(np.diagonal(triangle, -1)):
        block = triangle[i : i + 2, i : i + 2]
        middle, half = 0.5 * np.trace(block), 0.5 * (block[0, 0] - block[1, 1])
        height = np.sqrt(max(-(half * half + block[0, 1] * block[1, 0]), 0.0))
        values[i], values[i + 1] = middle + 1j * height, middle - 1j * height
    return values


def _planes(triangle, basis, values, pair):
    """The pair's planes: its eigenvalues are brought to the front of the Schur form."""
    select = np.zeros(len(values), dtype=np.int32)
    select[list(pair)] = 1
    ordered, q = scipy.linalg.lapack.dtrsen(select, triangle, basis, job="N")[:2]
    ordered = np.triu(ordered, -1)
    block, rest = ordered[:2, :2], ordered[2:, 2:]
    across = scipy.linalg.solve_sylvester(block, -rest, ordered[:2, 2:])
    left = q[:, :2] + q[:, 2:] @ across.T
    return Pair(q[:, :2], left, block, np.delete(values, pair))


def _mirrored(pair):
    swap = [1, 0]
    return Pair(pair.right[:, swap], pair.left[:, swap], pair.block[np.ix_(swap, swap)], pair.others)
