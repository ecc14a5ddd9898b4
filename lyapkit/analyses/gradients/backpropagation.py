"""Gradients of the end of an orbit, swept back to its start: by its state, its parameters and its weights.

The orbit is not kept whole: states are kept at the ends of segments, and a segment's states are computed again when it
is swept (Griewank & Walther, Evaluating Derivatives (2008), ch. 12). All is kept as mantissas and logarithms, as
cotangents may grow or vanish by any power of ten.
"""

import dataclasses
import math

import numpy as np

from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.kernels import steps as propagators
from lyapkit.kernels.abi import Call
from lyapkit.kernels.backward import sweep
from lyapkit.kernels.blas import addresses
from lyapkit.systems import inputs
from lyapkit.systems.layout import padded
from lyapkit.systems.network import NetworkModel
from lyapkit.systems.network_adjoint import taped

_SEGMENT_NUMBERS = 2**23  # of the states and tapes of a segment: 64 MB
_MAP = np.array([[0.0, 0.0], [0.0, 1.0]])  # a map as a method of one stage


@dataclasses.dataclass
class Gradients:
    """What cotangents become that are put in at the ends of several `stops` and swept back to the start.

    cotangent (stops, points, k, n) times exp(log_scale (stops, points, k)); numbers (stops, points, k, raw), of the raw
    parameters, and weights name -> (stops, points, k, rows, columns) or, of a vector, (stops, points, k, units), all
    times exp(gradient_log_scale (stops, points, k)).
    """

    cotangent: np.ndarray
    log_scale: np.ndarray
    numbers: np.ndarray
    weights: dict
    gradient_log_scale: np.ndarray


def backpropagate(system, values, states, clock, cotangents, stops, monitor, *, steps=None, time=0.0, weights=False):
    """Sweep cotangents (stops, points, k, n) of the states after `stops` steps (ascending) back to the start.

    values: parameter name -> (points,); states (points, n) at `time`; steps: step sizes (points,), not the clock's.
    weights: whether the gradients by a network's matrices and vectors are wanted besides those by its numbers.
    """
    count = cotangents.shape[2] * len(stops)
    size = system.data.layout.points(count)
    parts = []
    for at in range(0, len(states), size):
        chosen = slice(at, at + size)
        orbit = _Orbit(
            system, {k: v[chosen] for k, v in values.items()}, states[chosen], clock,
            None if steps is None else steps[chosen], time,
        )  # fmt: skip
        parts.append(_of_block(orbit, cotangents[:, chosen], np.asarray(stops), monitor, weights))
    return _joined(parts)


@dataclasses.dataclass
class _Orbit:
    """The orbits of a block of points, computed again from wherever it is asked."""

    system: object
    values: dict
    states: np.ndarray
    clock: object
    steps: np.ndarray | None
    time: float

    @property
    def tableau(self):
        """The method's Butcher tableau; a map is a method of one stage."""
        return _MAP if self.system.kind == "map" else propagators.propagator(self.clock.method).TABLEAU

    def ensemble(self, states, after):
        """An ensemble that goes on from states (points, n) after so many steps."""
        start = self.time + after * self.clock.dt
        return Ensemble(self.system, self.values, states, self.clock, 0, steps=self.steps, time=start)

    def begins(self, ends, monitor):
        """The states (points, n) where segments begin that end after `ends` steps."""
        found, now = [self.states], self.ensemble(self.states, 0)
        for length in np.diff([0, *ends])[:-1]:
            now.run(int(length), monitor)
            found.append(now.gather("x")[:, : len(self.states)].T)
        return found


def _of_block(orbit, cotangents, stops, monitor, weights):
    """`Gradients` of one block."""
    points, k = cotangents.shape[1:3]
    tape = Tape(orbit.system, weights)
    ends = _segment_ends(stops, _longest(orbit, tape, len(stops) * k))
    begins = orbit.begins(ends, monitor)
    backward = _Backward(orbit, tape, k)
    for begin, length, end in reversed(list(zip(begins, np.diff([0, *ends]), ends, strict=True))):
        if end in stops:
            backward.put_in(cotangents[np.flatnonzero(stops == end)[0]])
        backward.sweep(begin, int(end - length), int(length), monitor)
    return backward.gradients(points)


def _segment_ends(stops, longest):
    """Steps after which segments end: at all stops, and nowhere more than `longest` apart."""
    ends, last = [], 0
    for stop in stops:
        pieces = math.ceil((stop - last) / longest)
        ends += [last + (stop - last) * (i + 1) // pieces for i in range(pieces)]
        last = int(stop)
    return ends


def _longest(orbit, tape, columns):
    """Steps of the longest segment; it does not depend on how many points there are, so that bits do not."""
    system, stages = orbit.system, len(orbit.tableau) - 1
    layout = system.data.layout
    system.cell.adjoint  # noqa: B018 - printed now: it tells how much working space it takes
    kept = system.cell.adjoint_rows(system.data, columns)[0] + layout.rows
    per_step = stages * (kept + tape.operand_rows + columns * tape.cotangent_rows) + columns * system.cell.raw_rows
    return max(_SEGMENT_NUMBERS // (per_step * layout.lanes(layout.points(columns))), 1)


class Tape:
    """Where a network's adjoint writes the vectors whose outer products are the gradients of its weights."""

    def __init__(self, system, wanted):
        self.system, self.products, self.vectors = system, [], []
        if wanted and isinstance(system.model, NetworkModel):
            net = system.cell.net
            products, vectors = taped(net)
            names = {node: name for name, node in net.vector_nodes.items()}
            self.products = [(node.key, *net.matrices[node.key]) for node in products]
            self.vectors = [(names[node], net.vectors[names[node]]) for node in vectors]
            self._rows, self._units = system.data.rows, system.model.sizes_of(system.derived_parameters)

    @property
    def operand_rows(self):
        return sum(self._rows[columns] for _, _, columns in self.products)

    @property
    def cotangent_rows(self):
        spaces = [space for _, space, _ in self.products] + [space for _, space in self.vectors]
        return sum(self._rows[space] for space in spaces)

    def gradients(self, operands, cotangents):
        """name -> gradients (lanes, k, ...) from operands (T, rows, lanes) and cotangents (T, k, rows, lanes)."""
        found, first, top = {}, 0, 0
        for name, space, columns in self.products:
            pulled = self._part(cotangents, top, space)
            read = self._part(operands[:, None], first, columns)[:, :, 0]
            lanes, steps, k, rows = pulled.shape
            outer = pulled.reshape(lanes, steps, k * rows).swapaxes(1, 2) @ read
            gradient = outer.reshape(lanes, k, rows, read.shape[2])
            found[name] = found[name] + gradient if name in found else gradient
            first, top = first + self._rows[columns], top + self._rows[space]
        for name, space in self.vectors:
            found[name] = self._part(cotangents, top, space).sum(axis=1)
            top += self._rows[space]
        return found

    def _part(self, tape, first, space):
        """One vector's rows of a tape (T, k, rows, lanes) as (lanes, T, k, units)."""
        rows = tape[:, :, first : first + self._rows[space]]
        return np.ascontiguousarray(np.moveaxis(self.system.data.layout.vectors(rows, self._units[space]), -1, 0))


class _Backward:
    """The cotangents of a block on their way back; later columns belong to earlier stops."""

    def __init__(self, orbit, tape, k):
        self._orbit, self._tape, self._k = orbit, tape, k
        system = orbit.system
        self._layout, self._lanes = system.data.layout, system.data.layout.lanes(len(orbit.states))
        rows, raw = self._layout.rows, system.cell.raw_rows
        self._frame, self._scale = np.zeros((0, rows, self._lanes)), np.zeros((0, self._lanes))
        self._numbers, self._top = np.zeros((0, raw, self._lanes)), np.zeros((0, self._lanes))
        self._weights = {}

    def put_in(self, cotangents):
        """Add the columns (points, k, n)."""
        packed = self._layout.packed(padded_points(cotangents, self._lanes if not self._layout.spread else 1))
        of_column = (1, 2) if self._layout.spread else 1
        sizes = abs(packed).max(axis=of_column, keepdims=True)
        exponents = np.where((sizes > 0) & np.isfinite(sizes), np.frexp(sizes)[1], 0)
        self._frame = np.ascontiguousarray(np.concatenate([self._frame, np.ldexp(packed, -exponents)]))
        more = np.broadcast_to(exponents[:, 0].astype(float), (len(packed), self._lanes))
        self._scale, self._top = np.concatenate([self._scale, more]), np.concatenate([self._top, more])
        self._numbers = np.concatenate([self._numbers, np.zeros((len(packed), *self._numbers.shape[1:]))])
        for name, array in self._weights.items():
            self._weights[name] = np.concatenate([array, np.zeros((len(array), len(packed), *array.shape[2:]))], 1)

    def sweep(self, begin, after, length, monitor):
        """Go back over the steps from `after` to `after` + `length`, which begin with the states `begin`."""
        sizes, arrays = self._tables(begin, length, self._orbit.time + after * self._orbit.clock.dt)
        call = Call(sizes, arrays)  # kept while the kernel runs: another thread would be given its memory
        sweep(call.address)
        monitor.add(length * len(begin))
        with np.errstate(all="ignore"):  # an orbit that diverges has gradients that are no numbers
            self._collect(arrays)

    def _tables(self, begin, length, time):
        """Numbers and arrays of the call table."""
        system, clock, tape = self._orbit.system, self._orbit.clock, self._tape
        cell, data, layout, lanes = system.cell, system.data, self._layout, self._lanes
        is_map, tableau = system.kind == "map", self._orbit.tableau
        k, n, stages, drive = len(self._frame), layout.rows, len(tableau) - 1, inputs.drive(system)
        working, (scratch, column_rows) = data.working(k, lanes), cell.adjoint_rows(data, k)
        operands, cotangents = tape.operand_rows, tape.cotangent_rows
        sizes = {
            "lanes": lanes, "n": n, "k": k, "rows": cell.rows, "raw": cell.raw_rows, "scratch_rows": scratch,
            "stages": stages, "tableau_rows": stages + 1, "steps": length, "tape_steps": length,
            "adjoint": cell.adjoint.address, "drive": drive.address, "is_map": is_map,
            "taped": bool(cotangents), "operand_rows": operands, "cotangent_rows": cotangents,
            "column_rows": column_rows, **drive.sizes(layout), **working[0], **(addresses() if layout.spread else {}),
        }  # fmt: skip
        h = clock.dt if self._orbit.steps is None else self._orbit.steps
        points = len(self._orbit.states)
        arrays = {
            "t": np.empty(lanes), "begin": np.full(lanes, time),
            "h": padded(np.broadcast_to(np.asarray(h, dtype=float), (points,))[None], lanes)[0],
            "p": cell.prepare(padded(system.raw_parameters(points, **self._orbit.values), lanes)),
            "x": layout.pack(begin), "frame": self._frame, "scale": self._scale, "tableau": tableau,
            "stage_scratch": np.zeros((length, stages, scratch, lanes)),
            "column_scratch": np.zeros((column_rows, lanes)),
            "stage_u": np.zeros((length, stages, sizes.get("inputs", 0), lanes)),
            "stage_states": np.empty((length, stages, n, lanes)),
            "slopes": np.empty((stages, n, lanes)), "frame_slopes": np.empty((stages, k, n, lanes)),
            "stage_frame": np.empty((k, n, lanes)), "parameter_part": np.empty((k, cell.raw_rows, lanes)),
            "scales": np.empty((length, k, lanes)), "parameter_parts": np.empty((length, k, cell.raw_rows, lanes)),
            "operands": np.empty((length, stages, operands, lanes)),
            "cotangents": np.empty((length, stages, k, cotangents, lanes)),
            **working[1], **drive.arrays(layout, lanes),
        }  # fmt: skip
        return sizes, {name: np.ascontiguousarray(array) for name, array in arrays.items()}

    def _collect(self, arrays):
        """Add a segment's parts of the gradients, on the largest scale so far."""
        scales = arrays["scales"]
        top = np.maximum(self._top, scales.max(axis=0))
        kept, factors = np.exp2(self._top - top), np.exp2(scales - top)
        self._frame, self._scale, self._top = arrays["frame"], arrays["scale"], top
        parts = arrays["parameter_parts"]
        self._numbers = self._numbers * kept[:, None]
        for i in range(len(parts)):
            self._numbers += factors[i, :, None] * parts[i]
        if not self._tape.cotangent_rows:
            return
        cotangents = arrays["cotangents"] * factors[:, None, :, None]
        operands = arrays["operands"].reshape(-1, *arrays["operands"].shape[2:])
        found = self._tape.gradients(operands, cotangents.reshape(-1, *cotangents.shape[2:]))
        for name, new in found.items():
            lanes = kept[:, : len(new)].T
            old = self._weights.get(name, np.zeros_like(new))
            self._weights[name] = old * lanes.reshape(*lanes.shape, *[1] * (new.ndim - 2)) + new

    def gradients(self, points):
        """`Gradients` of the block, stops ascending."""
        scale = math.log(2.0)
        return Gradients(
            self._by_stop(np.moveaxis(self._layout.unpack(self._frame), -1, 0), points),
            self._by_stop(self._scale.T, points) * scale,
            self._by_stop(np.moveaxis(self._numbers, -1, 0), points),
            {name: self._by_stop(array, points) for name, array in self._weights.items()},
            self._by_stop(self._top.T, points) * scale,
        )

    def _by_stop(self, columns, points):
        """Columns (lanes, stops k, ...), the last stop first, as (stops, points, k, ...), the first one first."""
        stops = columns.shape[1] // self._k
        return columns[:points].reshape(points, stops, self._k, *columns.shape[2:]).swapaxes(0, 1)[::-1]


def padded_points(columns, lanes):
    """Columns (points, k, n) as (k, n, lanes), the last one repeated in the lanes that are left over."""
    chosen = np.minimum(np.arange(lanes), len(columns) - 1)
    return np.ascontiguousarray(np.moveaxis(np.asarray(columns, dtype=float)[chosen], 0, 2))


def _joined(parts):
    """The blocks' gradients side by side."""
    together = lambda arrays: np.concatenate(arrays, axis=1)  # noqa: E731
    return Gradients(
        together([p.cotangent for p in parts]), together([p.log_scale for p in parts]),
        together([p.numbers for p in parts]),
        {name: together([p.weights[name] for p in parts]) for name in parts[0].weights},
        together([p.gradient_log_scale for p in parts]),
    )  # fmt: skip
