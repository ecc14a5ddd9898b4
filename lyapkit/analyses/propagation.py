"""Orbits of many points at once: a block of lanes, its working arrays and calls of the driver."""

import dataclasses
import math
import time

import numpy as np

from lyapkit.analyses.verb import choice, positive, real
from lyapkit.kernels import steps, tangent
from lyapkit.kernels.simd import WIDTH
from lyapkit.systems.cell import no_input

# A driver call ends after about this long, so that Ctrl-C and the progress bar are prompt.
CALL_SECONDS = 0.1
FIRST_CHUNK = 4 * tangent.WINDOW  # steps of the first call, before the speed is known
# Lanes of a block: the arrays of a small system then fit the first-level cache, and the two
# indirect calls of a step are shared by many points.
LANES = 128
FLOW_METHODS = [name for name in steps.names() if name != "iterate"]
INTERVALS = [2**i for i in range(tangent.WINDOW.bit_length())]


@dataclasses.dataclass(frozen=True)
class Clock:
    """The steps of a run: `method` with step `dt`, `transient` steps first, then `steps`."""

    method: str
    dt: float
    transient: int
    steps: int

    @property
    def duration(self):
        """Time (iterates) of the steps after the transient."""
        return self.steps * self.dt


def clock(system, transient, duration, dt, method):
    """Check the keywords of time; durations are rounded up to whole steps."""
    if system.kind == "map":
        if dt is not None:
            raise ValueError(f"dt: given {dt!r}, but {system.name} is a map, which has no dt")
        if method is not None:
            raise ValueError(f"method: given {method!r}, but {system.name} is a map and is iterated")
        dt, method = 1.0, "iterate"
    else:
        dt = positive("dt", system.model.dt if dt is None else dt)
        method = choice("method", method or "rk4", FLOW_METHODS)
    before = real("transient", transient)
    if before < 0:
        raise ValueError(f"transient: given {transient!r}, accepted: a number of at least 0")
    return Clock(method, dt, _steps(before, dt), _steps(positive("duration", duration), dt))


def _steps(span, dt):
    return math.ceil(span / dt - 1e-9)


def checked_state(system, state):
    """The initial state (n,), the system's own where None."""
    if state is None:
        return system.initial_state
    try:
        state = np.array(state, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"initial_state: given {state!r}, accepted: real numbers") from None
    if state.shape[-1:] != (system.dimension,):
        raise ValueError(
            f"initial_state: given shape {state.shape}, accepted: ({system.dimension},), one number for "
            "each unit"
        )
    if not np.isfinite(state).all():
        raise ValueError("initial_state: given a number that is not finite, accepted: finite numbers")
    return state


class Ensemble:
    """Orbits and tangent frames of many points of one system, in blocks that fit the nearest cache.

    values: parameter name -> (points,); states (points, n); `columns` of the starting `frame` (k, n) are
    carried, all orthonormalised every `interval` steps (None: under control of the condition).
    """

    def __init__(self, system, values, states, clock, columns, frame=None, interval=None):
        self.points, self._chunk = len(states), FIRST_CHUNK
        cuts = [slice(at, at + LANES) for at in range(0, self.points, LANES)]
        self._blocks = [
            _Block(
                system, {k: v[cut] for k, v in values.items()}, states[cut], clock, columns, frame,
                interval,
            )
            for cut in cuts
        ]  # fmt: skip

    def run(self, count, monitor, *, settle=0, batch=None, stride=0):
        """Advance by `count` steps as one phase.

        Returns sums (WEIGHTS + batches, k + 2, L) and recorded states (samples, n, L) as `tangent.advance`
        fills them. While the first `settle` steps last, orthonormalisation intervals may grow. `batch` is
        the steps of one batch (default: all), `stride` the steps between recorded states (0: none).
        """
        sums, records = [], []
        for block in self._blocks:
            self._chunk, total, record = block.run(
                count, self._chunk, monitor, settle, batch or max(count, 1), stride
            )
            sums.append(total)
            records.append(record)
        return np.concatenate(sums, axis=-1), np.concatenate(records, axis=-1)

    def gather(self, name):
        """The blocks' arrays `name` (x, frame, quality) side by side."""
        return np.concatenate([getattr(block, name) for block in self._blocks], axis=-1)

    def forget_condition(self):
        """Start the record of the worst condition anew."""
        for block in self._blocks:
            block.quality[0] = 1.0


class _Block:
    """The moving arrays of at most LANES points, padded to whole vectors of lanes."""

    def __init__(self, system, values, states, clock, columns, frame, interval):
        points, n = states.shape
        lanes = -(-points // WIDTH) * WIDTH
        self.points = points
        self._cell, self._step = system.cell, steps.propagator(clock.method)
        raw = system.raw_parameters(points, **values)
        self.p = self._cell.prepare(_padded(raw, lanes))
        self.t = np.zeros((2, lanes))
        self.x = _padded(states.T, lanes)
        self.frame = np.zeros((columns, n, lanes))
        if columns:
            self.frame[:] = frame[:, :, None]
        self._is_map = system.kind == "map"
        self._h = np.full(lanes, clock.dt)
        self._carry = np.zeros((2, lanes))
        self._carry[0] = 1.0 if self._is_map else 0.0
        self._interval = np.full((2, lanes), float(interval or 1))
        self._interval[1] = 1.0 / self._interval[0]
        self._fixed = interval is not None
        self.quality = np.zeros((tangent.QUALITY, lanes))
        self.quality[0], self.quality[3] = 1.0, self._step.LONGEST_INTERVAL
        stages = self._step.TABLEAU.shape[0]
        self._work = (
            np.empty((self._cell.scratch_rows, lanes)),
            np.empty((stages, n, lanes)),
            np.empty((stages, columns, n, lanes)),
            np.zeros((2, lanes)),
        )
        self._spare = np.empty((tangent.spare_rows(n, columns), lanes))

    def run(self, count, chunk, monitor, settle, batch, stride):
        """One phase (see Ensemble.run), `chunk` steps a call; also returns a chunk for the next block."""
        k, n, lanes = self.frame.shape
        sums = np.zeros((tangent.WEIGHTS + max(1, -(-count // batch)), k + 2, lanes))
        record = np.empty((count // stride if stride else 0, n, lanes))
        plan = np.zeros(tangent.PLAN, dtype=np.int64)
        plan[tangent.TOTAL], plan[tangent.SETTLE], plan[tangent.BATCH] = count, settle, batch
        plan[tangent.IS_MAP], plan[tangent.STRIDE] = self._is_map, stride
        plan[tangent.FIXED] = self._fixed
        done = 0
        while done < count:
            todo = min(chunk, count - done)
            plan[tangent.START], plan[tangent.STEPS] = done, todo
            start = time.perf_counter()
            self._advance(plan, sums, record)
            spent = time.perf_counter() - start
            done += todo
            monitor.add(todo * self.points)
            chunk = _next_chunk(todo, spent)
        return chunk, sums, record

    def _advance(self, plan, sums, record):
        n, lanes = self.x.shape
        scratch, stages, frame_stages, divergence = self._work
        no_rows = np.empty((0, lanes))
        tangent.advance(
            self._step.step.address, self._cell.function.address, no_input.address, plan, self._step.TABLEAU, self._h, self.t,
            self.x, self.frame, no_rows, np.empty((0, 0)), self.p,
            np.empty((0, self._cell.raw_rows, lanes)), np.empty(0), np.empty(0, dtype=np.int64),
            scratch, stages, frame_stages, divergence, self._carry, self._interval, sums,
            self.quality, record, self._spare,
        )  # fmt: skip


def _next_chunk(steps, spent):
    """The next call's steps, whole windows: as many as fit CALL_SECONDS at the last call's speed."""
    fitting = steps * min(CALL_SECONDS / max(spent, 1e-6), 64.0)
    return max(int(fitting) // tangent.WINDOW, 1) * tangent.WINDOW


def _padded(rows, lanes):
    """Rows (m, points) with their last point repeated up to (m, lanes)."""
    missing = lanes - rows.shape[1]
    return np.ascontiguousarray(np.pad(rows, ((0, 0), (0, missing)), mode="edge"))
