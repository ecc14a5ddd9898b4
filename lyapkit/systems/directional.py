"""Exact derivatives of a system at one point after another, with all buffers made once.

For Newton's method and normal forms, which ask for a few directions at a time, thousands of times; `evaluate` does the
same for the curious, anew at every call.
"""

import numpy as np

from lyapkit.kernels.abi import Call
from lyapkit.kernels.blas import addresses
from lyapkit.kernels.simd import WIDTH

_MOST = 8 * WIDTH  # directions of one call of a kernel


def movable(system):
    """Parameter name -> its row in dp, of the numbers along which there are exact derivatives.

    Of a network also its vectors that are given as one number for all units. ValueError where the rule is not traced.
    """
    cell, given = system.cell, system.parameters
    if not hasattr(cell, "multilinear"):
        raise ValueError(
            f"system: given {system.name}, with derivatives by {cell.tangent}; accepted: a system with exact "
            "derivatives, whose rule takes symbols in place of numbers"
        )
    if hasattr(cell, "movable"):
        return {name: m for m, name in enumerate(cell.movable) if name in given and np.ndim(given[name]) == 0}
    rows, at = {}, 0
    for name in system.model.lane_parameters(given):
        if np.ndim(given[name]) == 0:
            rows[name] = at
        at += np.size(given[name])
    return rows


class Directional:
    """f and its derivatives along directions of the state and of the parameters `names`, which are all `movable`.

    Directions are rows (n + m,), the state's part first. Not to be shared by threads: the buffers are its own.
    """

    def __init__(self, system, names):
        rows = movable(system)
        self._system, self._cell = system, system.cell
        self._rows = np.array([rows[name] for name in names], dtype=int)
        self._raw = np.ascontiguousarray(system.raw_parameters(WIDTH))
        self._vectors = [(i, name) for i, name in enumerate(names) if rows[name] >= len(self._raw)]
        self._numbers = [i for i, name in enumerate(names) if rows[name] < len(self._raw)]
        self._shared = system.data.shared.copy()
        self._calls, self._now = {}, None
        self.dimension, self.count = system.dimension, len(names)
        self._units = np.concatenate([np.zeros((self.count, self.dimension)), np.eye(self.count)], axis=1)

    def linearise(self, x, p):
        """f (n,), D_x f (n, n) and D_p f (n, m) at x (n,), p (m,)."""
        self._move(p)
        value, columns = self._call(0, WIDTH).linearise(x, self._prepared)
        return value, columns.T, self.along(x, p, [self._units]).T

    def along(self, x, p, directions):
        """D^d f [z_1, ..., z_d] (k, n) at x (n,), p (m,) along d real arrays of directions (k, n + m)."""
        self._move(p)
        order, k = len(directions), len(directions[0])
        result = np.empty((k, self.dimension))
        size = 1 if self._system.data.layout.spread else min(max(-(-k // WIDTH) * WIDTH, WIDTH), _MOST)
        call = self._call(order, size)
        for at in range(0, k, size):
            part = [one[at : at + size] for one in directions]
            result[at : at + size] = call.along(x, self._prepared, part)
        return result

    def _move(self, p):
        """Go to the parameters p (m,)."""
        now = p.tobytes()
        if now == self._now:
            return
        for i in self._numbers:
            self._raw[self._rows[i]] = p[i]
        for i, name in self._vectors:
            self._fill(name, p[i])
        self._prepared, self._now = self._cell.prepare(self._raw), now

    def _fill(self, name, value):
        """Write a network's vector of equal entries; what fills up the last row of a spread one stays zero."""
        cell, data = self._cell, self._system.data
        space = cell.net.vectors[name]
        at = data.index[cell.places.position["vector", name]]
        units = self._system.model.sizes_of(self._system.derived_parameters)[space]
        self._shared[at : at + units * (1 if data.layout.spread else WIDTH)] = value

    def _call(self, order, lanes):
        if (order, lanes) not in self._calls:
            self._calls[order, lanes] = _Call(self, order, lanes)
        return self._calls[order, lanes]


class _Call:
    """A kernel with its buffers: the derivative of some order, or where that is 0 the cell itself."""

    def __init__(self, owner, order, lanes):
        system, cell = owner._system, owner._cell
        data, self._layout, self._n = system.data, system.data.layout, system.dimension
        self._kernel = cell.multilinear(order, True) if order else cell.function
        k, lanes, rows = order or self._n, max(lanes, WIDTH), self._layout.rows
        directions = len(getattr(cell, "movable", ())) or cell.raw_rows
        self._rows = owner._rows
        self._written = {
            "rate": np.empty((rows, lanes)), "frame_rate": np.empty((k, rows, lanes)), "divergence": np.empty(lanes)
        }  # fmt: skip
        sizes, arrays = data.working(k, lanes)
        sizes |= {
            "lanes": lanes, "n": rows, "k": k, "rows": cell.rows, "raw": directions, "directions": order,
            "scratch_rows": cell.scratch_rows(data, k), **(addresses() if self._layout.spread else {}),
        }  # fmt: skip
        self._x, self._p = np.zeros((rows, lanes)), np.zeros((cell.rows, lanes))
        self._frame, self._dp = np.zeros((k, rows, lanes)), np.zeros((order, directions, lanes))
        if not order:
            self._frame[:] = self._layout.pack_columns(np.eye(self._n), lanes)
        arrays |= {"shared": owner._shared} if "shared" in arrays else {}
        arrays |= {"x": self._x, "p": self._p, "frame": self._frame, "dp": self._dp, "t": np.zeros(lanes)}
        arrays |= {"scratch": np.zeros((sizes["scratch_rows"], lanes))}
        self._call = Call(sizes, arrays | self._written)
        self._address = self._call.address

    def _run(self, x, prepared):
        self._x[:] = self._layout.pack(x[None]) if self._layout.spread else x[:, None]
        self._p[:] = prepared[:, :1]
        self._kernel(self._address)

    def linearise(self, x, prepared):
        """f (n,) and D f e_j, a row each (n, n)."""
        self._run(x, prepared)
        unpack = self._layout.unpack
        return unpack(self._written["rate"])[:, 0].copy(), unpack(self._written["frame_rate"])[:, :, 0].copy()

    def along(self, x, prepared, directions):
        """D^d f (k, n) along d arrays of directions (k, n + m)."""
        count, n = len(directions[0]), self._n
        for d, one in enumerate(directions):
            if self._layout.spread:
                self._frame[d] = self._layout.pack(one[:, :n])
                self._dp[d, self._rows] = one[0, n:, None]
            else:
                self._frame[d, :, :count] = one[:, :n].T
                self._dp[d, self._rows, :count] = one[:, n:].T
        self._run(x, prepared)
        return self._layout.unpack(self._written["rate"])[:, :count].T
