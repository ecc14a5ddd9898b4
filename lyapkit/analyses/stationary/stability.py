"""Eigenvalues of Jacobians, in order, and what they say of stability as far as rounding lets them."""

import numpy as np

from lyapkit.flags import STABLE

_EPS = np.finfo(float).eps


def eigenvalues(jacobians, kind):
    """(eigenvalues (count, n) complex, stability (count,)) of Jacobians (count, n, n) of a "flow" or a "map".

    Sorted by real part (flow) or modulus (map), largest first, of a pair the one above the real axis first. A
    stability is undecided where the largest lies on the border but for the possible error of its computation.
    """
    found = np.full(jacobians.shape[:2], np.nan + 0j)
    stability = np.full(len(jacobians), STABLE["undecided"], dtype=np.int8)
    finite = np.flatnonzero(np.isfinite(jacobians).all(axis=(1, 2)))
    values, vectors = (array.astype(complex) for array in np.linalg.eig(jacobians[finite]))
    errors = _errors(jacobians[finite], vectors, kind)
    size, border = (values.real, 0.0) if kind == "flow" else (abs(values), 1.0)
    found[finite] = np.take_along_axis(values, np.lexsort((-values.imag, -size), axis=1), axis=1)
    unstable, stable = (size - errors > border).any(axis=1), (size + errors < border).all(axis=1)
    stability[finite[unstable]], stability[finite[stable]] = STABLE["unstable"], STABLE["stable"]
    return found, stability


def leading(jacobians, kind):
    """The first of `eigenvalues` (count,) alone, and the stability (count,), of many Jacobians at once."""
    roots = np.linalg.eigvals(jacobians).astype(complex)
    size = roots.real if kind == "flow" else abs(roots)
    order = np.lexsort((-roots.imag, -size), axis=1)[:, :1]
    first, largest = (np.take_along_axis(array, order, axis=1)[:, 0] for array in (roots, size))
    above = largest - (0.0 if kind == "flow" else 1.0)
    stability = np.where(above > 0.0, STABLE["unstable"], STABLE["stable"]).astype(np.int8)
    most = 8 * np.sqrt(_EPS) * np.maximum(1.0, np.linalg.norm(jacobians, axis=(1, 2)))
    near = np.flatnonzero(abs(above) <= most)  # an error may be this large: look at it closely
    stability[near] = eigenvalues(jacobians[near], kind)[1]
    return first, stability


def _errors(jacobians, vectors, kind):
    """What eigenvalues (count, n) may err: the Jacobians' own rounding, by the condition of each, and the states'.

    A state that is known to eps |J^-1| |J| moves the Jacobian by about as much. Of a defective pair the square root
    of the rounding remains, which bounds both.
    """
    n = jacobians.shape[1]
    with np.errstate(all="ignore"):
        scale = np.maximum(1.0, np.linalg.norm(jacobians, axis=(1, 2)))[:, None]
        residual = jacobians if kind == "flow" else jacobians - np.eye(n)
        conditions = np.full((len(jacobians), n), np.inf)
        regular = np.linalg.det(vectors) != 0.0
        conditions[regular] = np.linalg.norm(np.linalg.inv(vectors[regular]), axis=2)
        smallest = np.linalg.svd(residual, compute_uv=False)[:, -1:]
        errors = 8 * n * _EPS * scale * (conditions + scale / smallest)
        return np.fmin(errors, 8 * np.sqrt(_EPS) * scale)
