"""Eigenvalues of Jacobians, in order, and what they say of stability as far as rounding lets them."""

import numpy as np

from lyapkit.results import STABLE

_EPS = np.finfo(float).eps


def eigenvalues(jacobians, kind):
    """(eigenvalues (count, n) complex, stability (count,)) of Jacobians (count, n, n) of a "flow" or a "map".

    Sorted by real part (flow) or modulus (map), largest first, of a pair the one above the real axis first. A
    stability is undecided where the largest lies on the border but for the possible error of its computation.
    """
    found = np.full(jacobians.shape[:2], np.nan + 0j)
    stability = np.full(len(jacobians), STABLE["undecided"], dtype=np.int8)
    for i in np.flatnonzero(np.isfinite(jacobians).all(axis=(1, 2))):
        values, vectors = np.linalg.eig(jacobians[i])
        values = values.astype(complex)
        errors = _errors(jacobians[i], vectors, kind)
        size = values.real if kind == "flow" else abs(values)
        order = np.lexsort((-values.imag, -size))
        found[i] = values[order]
        border = 0.0 if kind == "flow" else 1.0
        if (size - errors > border).any():
            stability[i] = STABLE["unstable"]
        elif (size + errors < border).all():
            stability[i] = STABLE["stable"]
    return found, stability


def _errors(jacobian, vectors, kind):
    """What eigenvalues (n,) may err: the Jacobian's own rounding, by the condition of each, and that of the state.

    A state that is known to eps |J^-1| |J| moves the Jacobian by about as much. Of a defective pair the square root
    of the rounding remains, which bounds both.
    """
    n = len(jacobian)
    with np.errstate(all="ignore"):
        scale = max(1.0, np.linalg.norm(jacobian))
        residual = jacobian if kind == "flow" else jacobian - np.eye(n)
        conditions = np.full(n, np.inf)
        if np.linalg.det(vectors) != 0.0:
            conditions = np.linalg.norm(np.linalg.inv(vectors), axis=1)
        smallest = np.linalg.svd(residual, compute_uv=False)[-1]
        errors = 8 * n * _EPS * scale * (conditions + scale / smallest)
        return np.fmin(errors, 8 * np.sqrt(_EPS) * scale)
