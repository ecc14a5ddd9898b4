"""A system's right-hand side and its derivatives at single points, as NumPy arrays.

For tests, normal forms and the curious; the analyses call the kernels themselves.
"""

import numpy as np

from lyapkit.kernels.abi import Call
from lyapkit.kernels.simd import WIDTH


def _lanes(values):
    return np.ascontiguousarray(np.repeat(np.asarray(values, dtype=float)[..., None], WIDTH, axis=-1))


def _call(system, x, columns, t, dp=None):
    """A call table for one point in every lane, and the arrays that its kernels write."""
    x, cell, n = np.asarray(x, dtype=float), system.cell, system.dimension
    if x.shape != (n,):
        raise ValueError(f"x: given shape {x.shape}, accepted: ({n},)")
    columns = np.asarray(columns, dtype=float)
    if columns.ndim != 2 or columns.shape[1] != n:
        raise ValueError(f"columns: given shape {columns.shape}, accepted: (k, {n})")
    k = len(columns)
    dp = _lanes(np.empty((0, cell.raw_rows)) if dp is None else dp)
    written = {
        "rate": np.empty((n, WIDTH)),
        "frame_rate": np.empty((k, n, WIDTH)),
        "divergence": np.empty(WIDTH),
        "parameter_part": np.empty((k, cell.raw_rows, WIDTH)),
    }
    sizes = {
        "lanes": WIDTH, "n": n, "k": k, "rows": cell.rows, "raw": cell.raw_rows,
        "directions": len(dp), "scratch_rows": cell.scratch_rows,
    }  # fmt: skip
    read = {
        "t": np.full(WIDTH, float(t)),
        "x": _lanes(x),
        "frame": _lanes(columns),
        "p": cell.prepare(system.raw_parameters(WIDTH)),
        "dp": dp,
        "scratch": np.empty((cell.scratch_rows, WIDTH)),
    }
    return Call(sizes, read | written), written


def linearise(system, x, frame, t=0.0, parameter_directions=None):
    """f(x) and D_x f(x) frame (+ D_p f dp) for the columns `frame` (k, n).

    Returns (f (n,), tangent (k, n), divergence): tr D_x f of a flow, det D_x f of a map.
    `parameter_directions` (k, m) are directions of the raw parameters.
    """
    columns = np.atleast_2d(np.asarray(frame, dtype=float))
    call, out = _call(system, x, columns, t, parameter_directions)
    cell = system.cell
    function = cell.function if parameter_directions is None else cell.function_with_parameters
    function(call.address)
    return out["rate"][:, 0].copy(), out["frame_rate"][..., 0].copy(), float(out["divergence"][0])


def value(system, x, t=0.0):
    """f(x): the velocity of a flow, the image of a map (n,)."""
    return linearise(system, x, np.empty((0, system.dimension)), t)[0]


def jacobian_matrix(system, x, t=0.0):
    """D_x f(x), rows d f_i / d x_j (n, n)."""
    return linearise(system, x, np.eye(system.dimension), t)[1].T


def adjoint(system, x, cotangents, t=0.0):
    """(D_x f' w, D_p f' w) for the rows w of `cotangents` (k, n): shapes (k, n) and (k, m)."""
    call, out = _call(system, x, np.atleast_2d(np.asarray(cotangents, dtype=float)), t)
    system.cell.adjoint(call.address)
    return out["frame_rate"][..., 0].copy(), out["parameter_part"][..., 0].copy()


def multilinear(system, x, directions, t=0.0):
    """D^d f(x)[v_1, ..., v_d] (n,) for the d rows of `directions` (d, n), d = 2 or 3."""
    call, out = _call(system, x, directions, t)
    system.cell.multilinear(len(directions))(call.address)
    return out["rate"][:, 0].copy()
