"""A system's right-hand side and its derivatives at single points, as NumPy arrays.

For tests, normal forms and the curious; the analyses call the kernels themselves.
"""

import numpy as np

from lyapkit.kernels.abi import Call
from lyapkit.kernels.blas import addresses
from lyapkit.systems import inputs
from lyapkit.systems.layout import BRIEF_LANES, padded


def _state(system, x):
    x = np.asarray(x, dtype=float)
    if x.shape != (system.dimension,):
        raise ValueError(f"x: given shape {x.shape}, accepted: ({system.dimension},)")
    return x[None]


def _call(system, states, columns, t, cell, kernel, dp=None, column_rows=0, **values):
    """Call a kernel for states (points, n), one in each lane or a single one spread over them.

    `values`: parameters (points,) that differ. Returns what the kernel writes, the points last.
    """
    n = system.dimension
    columns = np.asarray(columns, dtype=float)
    if columns.ndim != 2 or columns.shape[1] != n:
        raise ValueError(f"columns: given shape {columns.shape}, accepted: (k, {n})")
    data, k = system.data, len(columns)
    layout, drive = data.layout, inputs.drive(system)
    lanes = layout.lanes(len(states))
    dp = np.empty((0, cell.raw_rows)) if dp is None else np.asarray(dp, dtype=float)
    written = {
        "rate": np.empty((layout.rows, lanes)),
        "frame_rate": np.empty((k, layout.rows, lanes)),
        "divergence": np.empty(lanes),
        "parameter_part": np.empty((k, cell.raw_rows, lanes)),
    }
    working = data.working(k, lanes)
    sizes = {
        "lanes": lanes, "n": layout.rows, "k": k, "rows": cell.rows, "raw": cell.raw_rows,
        "directions": len(dp), "scratch_rows": cell.scratch_rows(data, k), "column_rows": column_rows, **working[0],
        **drive.sizes(layout), **(addresses() if layout.spread else {}),
    }  # fmt: skip
    read = {
        "t": np.full(lanes, float(t)),
        "x": layout.pack(states),
        "frame": np.ascontiguousarray(layout.pack_columns(columns, lanes)),
        "p": cell.prepare(padded(system.raw_parameters(len(states), **values), lanes)),
        "dp": np.repeat(dp[..., None], lanes, axis=-1),
        "scratch": np.zeros((sizes["scratch_rows"], lanes)),
        "column_scratch": np.zeros((column_rows, lanes)),
        **working[1],
        **drive.arrays(layout, lanes),
    }
    call = Call(sizes, read | written)
    if drive.count:
        drive.kernel(call.address)
    kernel(call.address)
    result = {name: layout.unpack(written[name]) for name in ("rate", "frame_rate")}
    result |= {"divergence": written["divergence"], "parameters": written["parameter_part"]}
    return {name: array[..., : len(states)] for name, array in result.items()}


def linearise(system, x, frame, t=0.0, parameter_directions=None):
    """f(x) and D_x f(x) frame (+ D_p f dp) for the columns `frame` (k, n).

    Returns (f (n,), tangent (k, n), divergence): tr D_x f of a flow, det D_x f of a map; ln |det D_x f| of a network
    that is a map, NaN where that has no closed form. `parameter_directions` (k, m) are directions of the raw
    parameters (of a network: its numbers).
    """
    cell = system.cell
    function = cell.function if parameter_directions is None else cell.function_with_parameters
    columns = np.atleast_2d(np.asarray(frame, dtype=float))
    out = _call(system, _state(system, x), columns, t, cell, function, parameter_directions)
    divergence = float(out["divergence"][0]) if cell.has_volume else np.nan
    return out["rate"][..., 0].copy(), out["frame_rate"][..., 0].copy(), divergence


def value(system, x, t=0.0):
    """f(x): the velocity of a flow, the image of a map (n,)."""
    return linearise(system, x, np.empty((0, system.dimension)), t)[0]


def jacobian_matrix(system, x, t=0.0):
    """D_x f(x), rows d f_i / d x_j (n, n)."""
    return linearise(system, x, np.eye(system.dimension), t)[1].T


def adjoint(system, x, cotangents, t=0.0):
    """(D_x f' w, D_p f' w) for the rows w of `cotangents` (k, n): shapes (k, n) and (k, m)."""
    cotangents = np.atleast_2d(np.asarray(cotangents, dtype=float))
    kernel = system.cell.adjoint  # printed now: it tells how much working space it takes
    rows = system.cell.adjoint_rows(system.data, len(cotangents))[1]
    out = _call(system, _state(system, x), cotangents, t, system.cell, kernel, column_rows=rows)
    return out["frame_rate"][..., 0].copy(), out["parameters"][..., 0].copy()


def multilinear(system, x, directions, t=0.0):
    """D^d f(x)[v_1, ..., v_d] (n,) for the d rows of `directions` (d, n), d = 2 or 3."""
    cell = system.cell
    kernel = cell.multilinear(len(directions))
    return _call(system, _state(system, x), directions, t, cell, kernel)["rate"][..., 0].copy()


def values_and_jacobians(system, states, values, t=0.0):
    """f (points, n) and D_x f (points, n, n), rows d f_i / d x_j, at states (points, n).

    `values`: parameters (points,) that differ.
    """
    parts = list(_in_blocks(system, states, values, np.eye(system.dimension), t))
    jacobians = [np.moveaxis(out["frame_rate"], -1, 0).swapaxes(1, 2) for out in parts]
    return np.concatenate([out["rate"].T for out in parts]), np.concatenate(jacobians)


def values_at(system, states, values, t=0.0):
    """f (points, n) at states (points, n); `values`: parameters (points,) that differ."""
    parts = _in_blocks(system, states, values, np.empty((0, system.dimension)), t)
    return np.concatenate([out["rate"].T for out in parts])


def _in_blocks(system, states, values, columns, t):
    """What the cell writes for the states (points, n), a block of lanes after the other."""
    size = system.data.layout.points(len(columns), BRIEF_LANES)
    for at in range(0, max(len(states), 1), size):
        part = {name: column[at : at + size] for name, column in values.items()}
        yield _call(system, states[at : at + size], columns, t, system.cell, system.cell.function, **part)


def volume_rates(system, states, values, t=0.0):
    """tr D_x f (maps: ln |det D_x f|) (points,) at states (points, n), from the whole Jacobian.

    `values`: parameters (points,) that differ.
    """
    jacobians = values_and_jacobians(system, states, values, t)[1]
    finite = np.isfinite(jacobians).all(axis=(1, 2))
    jacobians = np.where(finite[:, None, None], jacobians, np.eye(system.dimension))
    traced = np.trace(jacobians, axis1=1, axis2=2) if system.kind == "flow" else np.linalg.slogdet(jacobians)[1]
    return np.where(finite, traced, np.nan)
