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


def mean_of(record):
    """Means (n, P) of a record (samples, n, P); by halves, so that bits do not depend on the lanes."""
    total, count = record, len(record)
    while len(total) > 1:
        half = len(total) // 2
        rest = total[2 * half :]
        total = np.concatenate([total[:half] + total[half : 2 * half], rest])
    return total[0] / count
