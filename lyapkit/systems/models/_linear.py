"""What the two linear systems share: the check of their matrix."""

import numpy as np


def dimension(parameters):
    """Size of the square matrix A; ValueError where it is not one."""
    shape = np.shape(parameters["A"])
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] == 0:
        raise ValueError(f"A: given shape {shape}, accepted: a square matrix (n, n)")
    return shape[0]


def box(matrix):
    """Around the origin, the only zero of a regular matrix (n, n); None where it may not be the only one."""
    singular = np.linalg.svd(matrix, compute_uv=False)
    return (-1.0, 1.0) if singular[-1] > 1e-12 * singular[0] else None


def start(parameters, bounded):
    """Ones where orbits stay bounded, else the origin, whose exponents are the same."""
    stable = bounded(np.linalg.eigvals(parameters["A"]))
    return np.ones(dimension(parameters)) if stable else np.zeros(dimension(parameters))
