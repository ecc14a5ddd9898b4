"""Orbits of many points at once: a block of lanes, its working arrays and calls of the driver."""

from time import perf_counter

import numpy as np

from lyapkit.analyses.orbits.tolerances import control
from lyapkit.kernels import steps, tangent
from lyapkit.kernels.abi import Call
from lyapkit.kernels.simd import WIDTH
from lyapkit.systems import inputs
from lyapkit.systems.layout import BRIEF_LANES, MOST_LANES, padded

# A driver call ends after about this long, so that Ctrl-C and the progress bar are prompt.
CALL_SECONDS = 0.1
FIRST_CHUNK = 4 * tangent.WINDOW  # steps of the first call, before the speed is known
INTERVALS = [2**i for i in range(tangent.WINDOW.bit_length())]


# Steps between the first orthonormalisations of a large system: what is too many is soon found out.
_FIRST_INTERVAL = 4


class Ensemble:
    """Orbits and tangent frames of many points of one system, in blocks that fit the nearest cache.

    values: parameter name -> (points,); states (points, n); `columns` of the starting `frame` (k, n) are
    carried, all orthonormalised every `interval` steps (None: under control of the condition).
    single: products with a large network's frame in single precision. steps: step sizes (points,) in place of
    the clock's. directions (k, m): of the raw parameters, that the columns follow besides. brief: for a few steps.
    time: of the states.
    """

    def __init__(
        self, system, values, states, clock, columns, frame=None, interval=None, single=False, steps=None,
        directions=None, brief=False, time=0.0,
    ):  # fmt: skip
        self.points, self.values, self.dimension = len(states), values, system.dimension
        self._chunk, self._frame = FIRST_CHUNK, frame
        most = WIDTH if clock.rtol is not None else BRIEF_LANES if brief else MOST_LANES
        size = system.data.layout.points(columns, most)
        self._cuts = cuts = [slice(at, at + size) for at in range(0, self.points, size)]
        self._blocks = [
            _Block(
                system, {k: v[cut] for k, v in values.items()}, states[cut], clock, columns, frame,
                interval, single, clock.dt if steps is None else steps[cut], directions, time,
            )
            for cut in cuts
        ]  # fmt: skip

    def run(self, count, monitor, *, settle=0, batch=None, stride=0, orthonormalise=True):
        """Advance by `count` steps as one phase; without orthonormalisation the frame is multiplied up.

        Returns sums (WEIGHTS + batches, k + 2, L) and recorded states (samples, n, L) as `tangent.advance`
        fills them. While the first `settle` steps last, orthonormalisation intervals may grow. `batch` is
        the steps of one batch (default: all), `stride` the steps between recorded states (0: none).
        """
        sums, records = [], []
        for block in self._blocks:
            block.orthonormalise(orthonormalise)
            self._chunk, total, record = block.run(count, self._chunk, monitor, settle, batch or max(count, 1), stride)
            sums.append(total)
            records.append(record)
        return np.concatenate(sums, axis=-1), np.concatenate(records, axis=-1)

    def gather(self, name):
        """The blocks' arrays `name` (x, frame, quality) side by side, the lanes last."""
        return np.concatenate([block.get(name) for block in self._blocks], axis=-1)

    @property
    def time(self):
        """Time (iterates) that has been run."""
        return float(self._blocks[0].t[0])

    def set_frames(self, frames):
        """Go on with the frames (k, n, points), the last one also in the lanes that are left over."""
        at, last = 0, frames.shape[2] - 1
        for block in self._blocks:
            for lane in range(block.lanes_of(block.quality).shape[-1]):
                block.set_frame(lane, frames[:, :, min(at, last)])
                at += 1

    def set_states(self, states):
        """Go on from the states (n, points), at the time that it is."""
        for block, cut in zip(self._blocks, self._cuts, strict=True):
            block.x[:] = block.layout.pack(states.T[cut])

    def restart_frames(self):
        """Begin the measurement: columns that died on a critical point start afresh, conditions at 1."""
        for block in self._blocks:
            block.quality[tangent.WORST] = 1.0
            frame = block.get("frame")
            dead = (frame == 0.0).all(axis=1)
            for lane in np.flatnonzero(dead.any(axis=0)):
                columns = np.where(dead[:, lane, None], self._frame, frame[:, :, lane])
                block.set_frame(lane, np.linalg.qr(columns.T)[0].T)


class _Block:
    """The moving arrays of the points of one block, padded to whole vectors of lanes."""

    def __init__(self, system, values, states, clock, columns, frame, interval, single, h, directions, time):
        data, cell, step = system.data, system.cell, steps.propagator(clock.method)
        self.points, self.layout = len(states), data.layout
        rows, lanes = self.layout.rows, self.layout.lanes(self.points)
        self._is_map = system.kind == "map"
        self.x, self.t = self.layout.pack(states), np.full(lanes, float(time))
        self.frame = np.zeros((columns, rows, lanes))
        if frame is not None:
            self.frame[:] = self.layout.pack_columns(frame, lanes)
        self.quality = np.zeros((tangent.QUALITY, lanes))
        longest = tangent.WINDOW // steps.span(step) if data.layout.spread else step.LONGEST_INTERVAL
        self.quality[tangent.WORST], self.quality[tangent.CEILING] = 1.0, longest
        stages = 0 if self._is_map else len(step.TABLEAU) - 1
        function = cell.function if directions is None else cell.function_with_parameters
        cell_address = function.address  # printed now: it tells how much working space it takes
        drive, (controls, controlled) = inputs.drive(system), control(clock, lanes)
        working = data.working(columns, lanes)
        dp = np.empty((0, cell.raw_rows, lanes))
        if directions is not None:
            dp = np.repeat(directions[:, :, None], lanes, axis=2)
        sizes = {
            "lanes": lanes, "n": rows, "k": columns, "rows": cell.rows, "raw": cell.raw_rows, "directions": len(dp),
            "scratch_rows": cell.scratch_rows(data, columns), "stages": stages, "growths": columns + 2,
            "controls": controls, "units": system.dimension,
            "qualities": tangent.QUALITY, "spare_rows": tangent.spare_rows(rows, columns, controls),
            "cell": cell_address, "step": step.step.address, "drive": drive.address,
            "additive": cell.additive, "fixed": interval is not None, "carry_rows": 2 * (columns + 1),
            "collect": interval or longest, **drive.sizes(data.layout), **working[0],
        }  # fmt: skip
        arrays = {
            "t": self.t,
            "h": padded(np.broadcast_to(np.asarray(h, dtype=float), (self.points,))[None], lanes)[0],
            "x": self.x,
            "frame": self.frame,
            "p": cell.prepare(padded(system.raw_parameters(self.points, **values), lanes)),
            "dp": dp,
            "scratch": np.zeros((sizes["scratch_rows"], lanes)),
            "quality": self.quality,
            "carry": np.zeros((2 * (columns + 1), lanes)),
            "interval": np.full((2, lanes), float(interval or (_FIRST_INTERVAL if data.layout.spread else 1))),
            "growth": np.zeros((columns + 2, lanes)),
            "spare": np.empty((sizes["spare_rows"], lanes)),
            **controlled,
            **working[1],
        }
        arrays["carry"][: columns + 1] = 1.0  # nothing has grown yet
        if cell.additive:
            arrays["carry"][columns] = 0.0
        arrays["interval"][1] = 1.0 / arrays["interval"][0]
        self._interval = arrays["interval"]
        arrays |= self._outputs(stages, lanes) | drive.arrays(data.layout, lanes)
        if data.layout.spread:
            more = data.linear_algebra(columns, single)
            sizes, arrays = sizes | more[0], arrays | more[1]
        self._call = Call(sizes, arrays)

    def _outputs(self, stages, lanes):
        """Where the cell and the step write; a map writes over its own state."""
        divergence = np.zeros(lanes)
        if self._is_map:
            return {
                "rate": self.x, "frame_rate": self.frame, "divergence": divergence,
                "mean_divergence": divergence,
            }  # fmt: skip
        slopes = np.empty((stages, *self.x.shape))
        frame_slopes = np.empty((stages, *self.frame.shape))
        return {
            "rate": slopes[0], "frame_rate": frame_slopes[0], "divergence": divergence,
            "mean_divergence": np.zeros(lanes), "slopes": slopes, "frame_slopes": frame_slopes,
            "stage_t": np.empty(lanes), "stage_x": np.empty_like(self.x),
            "stage_frame": np.empty_like(self.frame),
        }  # fmt: skip

    def get(self, name):
        """The array `name`, its lanes (one for each system, also where one is spread over them) last."""
        array = getattr(self, name)
        return self.lanes_of(array) if name == "quality" else self.layout.unpack(array)

    def orthonormalise(self, wanted):
        """Whether the frame is orthonormalised from now on; only for fixed intervals."""
        if not wanted:
            self._interval[0] = 0.0

    def set_frame(self, lane, columns):
        """Give the system in a lane the columns (k, n)."""
        if self.layout.spread:
            self.frame[:] = self.layout.pack_columns(columns, 1)
        else:
            self.frame[:, :, lane] = columns

    def lanes_of(self, array):
        """The lanes of an array (..., lanes) of numbers for each system: all, or one where all are the same."""
        return array[..., :1] if self.layout.spread else array

    def run(self, count, chunk, monitor, settle, batch, stride):
        """One phase (see Ensemble.run), `chunk` steps a call; also returns a chunk for the next block."""
        k, n, lanes = self.frame.shape
        sums = np.zeros((tangent.WEIGHTS + max(1, -(-count // batch)), k + 2, lanes))
        record = np.empty((count // stride if stride else 0, n, lanes))
        self._call.set(
            total=count, settle=settle, batch=batch, stride=stride, sum_rows=len(sums),
            samples=len(record),
        )  # fmt: skip
        self._call.point(sums=sums, record=record)
        done = 0
        while done < count:
            todo = min(chunk, count - done)
            self._call.set(start=done, steps=todo)
            start = perf_counter()
            tangent.advance(self._call.address)
            spent = perf_counter() - start
            done += todo
            monitor.add(todo * self.points)
            chunk = _next_chunk(todo, spent)
        return chunk, self.lanes_of(sums), self.layout.unpack(record)


def _next_chunk(steps, spent):
    """The next call's steps, whole windows: as many as fit CALL_SECONDS at the last call's speed."""
    fitting = steps * min(CALL_SECONDS / max(spent, 1e-6), 64.0)
    return max(int(fitting) // tangent.WINDOW, 1) * tangent.WINDOW
