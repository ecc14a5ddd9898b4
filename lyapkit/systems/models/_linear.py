"""What the two linear systems share: the check of their matrix."""

import numpy as np


def dimension(parameters):
    """Size of the square matrix A; ValueError where it is not one."""
    shape = np.shape(parameters["A"])
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] == 0:
        raise ValueError(f"A: given shape {shape}, accepted: a square matrix (n, n)")
    return shape[0]


def start(parameters, bounded):
    """Ones where orbits stay bounded, else the origin, whose exponents are the same."""
    stable = bounded(np.linalg.eigvals(parameters["A"]))
    return np.ones(dimension(parameters)) if stable else np.zeros(dimension(parameters))
