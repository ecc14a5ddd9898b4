"""A system's right-hand side and its derivatives at single points, as NumPy arrays.

For tests, normal forms and the curious; the analyses call the kernels themselves.
"""

import numpy as np

from lyapkit.kernels.simd import WIDTH


def _point(system, x, t):
    """The arrays that all kernels take, for one point in every lane."""
    x = np.asarray(x, dtype=float)
    if x.shape != (system.dimension,):
        raise ValueError(f"x: given shape {x.shape}, accepted: ({system.dimension},)")
    cell = system.cell
    p = cell.prepare(system.raw_parameters(WIDTH))
    return cell, _lanes(x), np.full(WIDTH, float(t)), p


def _lanes(values):
    return np.ascontiguousarray(np.repeat(np.asarray(values, dtype=float)[..., None], WIDTH, axis=-1))


def _no_input():
    return np.empty((0, WIDTH))


def _shared(cell):
    return np.empty(0), np.empty(0, dtype=np.int64), np.empty((cell.scratch_rows, WIDTH))


def linearise(system, x, frame, t=0.0, parameter_directions=None):
    """f(x) and D_x f(x) frame (+ D_p f dp) for the columns `frame` (k, n).

    Returns (f (n,), tangent (k, n), divergence): tr D_x f of a flow, det D_x f of a map.
    `parameter_directions` (k, m) are directions of the raw parameters.
    """
    cell, state, time, p = _point(system, x, t)
    columns = np.atleast_2d(np.asarray(frame, dtype=float))
    function, dp = cell.function, np.empty((0, cell.raw_rows, WIDTH))
    if parameter_directions is not None:
        function, dp = cell.function_with_parameters, _lanes(parameter_directions)
    rate, divergence = np.empty_like(state), np.empty(WIDTH)
    frame, tangent = _lanes(columns), np.empty((*columns.shape, WIDTH))
    function(time, state, frame, _no_input(), p, dp, *_shared(cell), rate, tangent, divergence)
    return rate[:, 0].copy(), tangent[..., 0].copy(), float(divergence[0])


def value(system, x, t=0.0):
    """f(x): the velocity of a flow, the image of a map (n,)."""
    return linearise(system, x, np.empty((0, system.dimension)), t)[0]


def jacobian_matrix(system, x, t=0.0):
    """D_x f(x), rows d f_i / d x_j (n, n)."""
    return linearise(system, x, np.eye(system.dimension), t)[1].T


def adjoint(system, x, cotangents, t=0.0):
    """(D_x f' w, D_p f' w) for the rows w of `cotangents` (k, n): shapes (k, n) and (k, m)."""
    cell, state, time, p = _point(system, x, t)
    rows = np.atleast_2d(np.asarray(cotangents, dtype=float))
    by_state = np.empty((*rows.shape, WIDTH))
    by_parameter = np.empty((len(rows), cell.raw_rows, WIDTH))
    cell.adjoint(
        time, state, _lanes(rows), _no_input(), p, *_shared(cell), by_state, by_parameter
    )
    return by_state[..., 0].copy(), by_parameter[..., 0].copy()


def multilinear(system, x, directions, t=0.0):
    """D^d f(x)[v_1, ..., v_d] (n,) for the d rows of `directions` (d, n), d = 2 or 3."""
    cell, state, time, p = _point(system, x, t)
    directions = _lanes(directions)
    out = np.empty_like(state)
    kernel = cell.multilinear(len(directions))
    kernel(time, state, directions, _no_input(), p, *_shared(cell), out)
    return out[:, 0].copy()
