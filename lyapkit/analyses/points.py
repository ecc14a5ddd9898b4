"""Many points of a scan at once: their parameter values name -> (points,), chosen, repeated and grouped."""

import numpy as np


def select(values, index):
    """The values of some points."""
    return {name: column[index] for name, column in values.items()}


def repeated(values, count):
    """The values of every point `count` times, for as many states of each."""
    return {name: np.repeat(column, count) for name, column in values.items()}


def groups(*keys):
    """(values of the keys, indices) of all points that share them."""
    table = np.array(keys).T
    for row in np.unique(table, axis=0):
        yield (*row.tolist(), np.flatnonzero((table == row).all(axis=1)))
