"""What orbits settle on: kind, dimension, exponents and zeros of many at once.

An orbit is first looked at for rest (see `still_points`), then for its exponents over windows that are doubled while
they leave it undecided. Where a flow moves one exponent is zero, exactly: the one nearest to zero. What else is zero,
or not, decides between cycle, torus and chaos. For the kind an exponent counts as zero where it is zero to its error;
`zeros` counts those that lie within the margin, as `lyapunov_spectrum` does.
"""

import dataclasses

import numpy as np

from lyapkit.analyses.exponents import estimators, zero_verdict
from lyapkit.analyses.exponents.checks import starting_frame
from lyapkit.analyses.kinds.block_kinds import merged
from lyapkit.analyses.orbits.clock import Clock, clock
from lyapkit.analyses.orbits.points import mean_of, select
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.analyses.orbits.recurrence import returns
from lyapkit.analyses.stationary.still_points import still_points
from lyapkit.analyses.tori.locking import first_return
from lyapkit.flags import ATTRACTOR_KIND, SIGN
from lyapkit.kernels import tangent
from lyapkit.systems.evaluate import values_at

_LARGEST = 1e8  # states of an orbit that has left
_SAMPLES = 128  # of a window
_BESIDE, _NEARER, _THERE = 3e-2, 0.9, 1e-10  # distance from a point of rest, relative to 1 + |x|, and its shrinking
_NEUTRAL = 1e-7  # per time unit: what the exponent of a point that attracts exceeds 0 by at most
_FINE = 1e-6  # per time unit or iterate: error of integration, by which an exponent of zero may differ from it
_SURE = 3.0  # standard errors
_SETTLED, _FOR_SURE = 5.0, 40.0  # nats that neighbours have parted, or met; beyond rounding
_STEADY = 0.97  # standard deviation of a regular orbit's one half over that of its other, unless it changes
_DRIFT = 0.45  # of what the halves of an orbit cover, the distance of their means; half of it where it goes straight
_DENSE = 2048  # samples among which a cycle's period is looked for
_RETURNED = 1e-6  # of a closed orbit of a map, relative to its size


@dataclasses.dataclass(frozen=True)
class Watch:
    """How orbits are watched: a clock whose steps are the first window, how often it is doubled, the longest period of
    a map's cycle, how many exponents, the half-width within which one counts as zero, and whether to look for the
    periods of cycles of flows, and to go on without one."""

    clock: Clock
    doublings: int
    longest_period: int
    n_exponents: int
    margin: float
    periods: bool = True

    @property
    def work(self):
        return self.clock.transient + self.clock.steps


def watch(
    system, *, transient=None, duration=None, dt=None, method=None, doublings=5, longest_period=256, n_exponents=None,
    margin=1e-3,
):  # fmt: skip
    """A Watch; by default 100 time units of transient and 200 of window, maps 1000 and 4096 iterates."""
    before, span = (100, 200) if system.kind == "flow" else (1000, 4096)
    before, span = before if transient is None else transient, span if duration is None else duration
    time = clock(system, before, span, dt, method)
    return Watch(time, doublings, longest_period, n_exponents or system.dimension, margin)


@dataclasses.dataclass
class Labels:
    """Of orbits (P,): kinds, dimensions (independent frequencies; of a continuous attractor its own), dimensions of
    the families they belong to, zeros, periods (NaN: none), speeds; exponents, their errors (P, k); states (P, n)."""

    kind: np.ndarray
    dimension: np.ndarray
    family_dimension: np.ndarray
    zeros: np.ndarray
    confidence: np.ndarray
    exponents: np.ndarray
    stderr: np.ndarray
    state: np.ndarray
    period: np.ndarray
    speed: np.ndarray

    @classmethod
    def unknown(cls, states, k):
        count = len(states)
        whole = [np.zeros(count, dtype=np.int64) for _ in range(3)]
        numbers = [np.full((count, k), np.nan) for _ in range(2)]
        kind = np.full(count, ATTRACTOR_KIND["undecided"], dtype=np.int8)
        single = [np.full(count, np.nan) for _ in range(3)]
        return cls(kind, *whole, single[0], *numbers, states.copy(), *single[1:])

    def chosen(self, index):
        """The labels of some orbits."""
        return Labels(**{name: column[index] for name, column in vars(self).items()})

    def put(self, index, **columns):
        """Columns (len(index), ...) of some orbits."""
        for name, column in columns.items():
            getattr(self, name)[index] = column


def label(system, values, states, how, monitor):
    """Labels of the orbits of an autonomous system from states (P, n); `values`: parameters (P,) that differ.

    `how` is a `watch`. A torus has as many dimensions as zeros; whether all of them move is not asked here.
    """
    parts = system.model.blocks and not values and system.model.blocks(system.parameters)
    if parts:
        return _of_blocks(system, *parts, states, how, monitor)
    labels = Labels.unknown(states, how.n_exponents)
    open_, steps = np.arange(len(states)), how.clock.steps
    with np.errstate(all="ignore"):
        for number in range(how.doublings + 2):
            own = select(values, open_)
            window = max(2 * how.clock.transient, 2) if not number else steps
            measured = _followed(system, own, labels.state[open_], how, window, bool(number), monitor)
            _judge(system, own, measured, how, labels, open_, number > how.doublings, monitor)
            open_ = open_[labels.kind[open_] == ATTRACTOR_KIND["undecided"]]
            steps *= 2 if number else 1
            if not len(open_):
                break
        rates = values_at(system, labels.state, values)
        labels.speed = np.linalg.norm(rates if system.kind == "flow" else rates - labels.state, axis=1)
    return labels


def _of_blocks(system, block, columns, states, how, monitor):
    """Labels of a network of independent blocks."""
    part, blocks = block(), len(next(iter(columns.values())))
    each = dataclasses.replace(how, n_exponents=part.dimension)
    values = {name: np.tile(column, len(states)) for name, column in columns.items()}
    labels = label(part, values, states.reshape(len(states) * blocks, -1), each, monitor)
    alike = np.unique(np.stack(list(columns.values())), axis=1, return_inverse=True)[1]
    return Labels(**merged(labels, np.ravel(alike), system.kind == "flow", how.n_exponents))


@dataclasses.dataclass
class _Window:
    """A window of orbits: record (samples, n, P), what the steps sum to, and time between samples."""

    record: np.ndarray
    exponents: np.ndarray | None  # (P, k)
    errors: np.ndarray | None
    regular: np.ndarray | None
    spacing: float
    steps: int

    @property
    def states(self):
        return np.ascontiguousarray(self.record[-1].T)


def _followed(system, values, states, how, steps, framed, monitor):
    """The window of `steps` steps; `framed`: with exponents, after as much of a transient as a quarter of it."""
    count, k, time = len(states), how.n_exponents if framed else 0, how.clock
    frame = starting_frame(system.dimension, k, 0) if framed else None
    ensemble = Ensemble(system, values, states, time, k, frame)
    if framed:
        ensemble.run(steps // 4, monitor, settle=steps // 4)
        ensemble.restart_frames()
    batch = estimators.batch_steps(steps, tangent.WINDOW, estimators.BATCHES) if framed else None
    stride = max(steps // _SAMPLES, 1)
    sums, record = ensemble.run(steps // stride * stride, monitor, settle=steps // 16, batch=batch, stride=stride)
    record = record[..., :count]
    if not framed:
        return _Window(record, None, None, None, stride * time.dt, steps)
    short = 0 < steps % batch < batch // 2
    sums, batches = sums[: tangent.WEIGHTS], sums[tangent.WEIGHTS :]
    mean, error, regular = estimators.estimated(sums, batches, time.dt, k, steps // 4 * time.dt, short)
    mean, error = mean[:k, :count].T, error[:k, :count].T
    order = np.argsort(-mean, axis=1, kind="stable")
    mean, error = (np.take_along_axis(array, order, axis=1) for array in (mean, error))
    return _Window(record, mean, error, regular[:count], stride * time.dt, steps)


def _judge(system, values, window, how, labels, index, last, monitor):
    """Enter what can be told of a window of orbits into the labels of `index`; the others go on from its end."""
    states = window.states
    labels.put(index, state=states)
    gone = ~(abs(window.record) <= _LARGEST).all(axis=(0, 1))
    labels.put(index[gone], kind=ATTRACTOR_KIND["diverging"])
    left = np.flatnonzero(~gone)
    left = left[~_rest(system, select(values, left), window.record[..., left], how, labels, index[left], monitor)]
    if system.kind == "map" and len(left):
        left = left[~_closed(system, select(values, left), states[left], how, labels, index[left], monitor)]
    if window.exponents is not None and len(left):
        _moving(system, select(values, left), window, left, how, labels, index[left], last, monitor)


def _rest(system, values, record, how, labels, index, monitor):
    """Which orbits of the record rest, or are about to; they are entered."""
    rests = np.zeros(len(index), dtype=bool)
    half, scale = len(record) // 2, 1.0 + abs(record[-1]).max(axis=0)
    near = np.ptp(record[half:], axis=0).max(axis=0) <= _BESIDE * scale
    beside = np.flatnonzero(near)
    if not len(beside):
        return rests
    part = select(values, beside)
    period = 1 if system.kind == "map" else 0
    points = still_points(system, part, record[-1].T[beside], how.clock, period, monitor)
    away = abs(record[..., beside] - points.state.T).max(axis=1) / scale[beside]
    early, late = away[:half].max(axis=0), away[half:].max(axis=0)
    comes = (late <= _BESIDE) & (late <= _NEARER * early) & (points.exponents[:, 0] <= _NEUTRAL)
    stays = points.found & (comes | (late <= _THERE))
    rests[beside] = stays
    _enter(labels, index[beside[stays]], points, stays, how, ("fixed_point", "continuous_attractor"), 0)
    return rests


def _closed(system, values, states, how, labels, index, monitor):
    """Which orbits of a map have closed; they are entered."""
    period = _periods(system, values, states, how, monitor)
    for q in np.unique(period[period > 1]):
        same = np.flatnonzero(period == q)
        points = still_points(system, select(values, same), states[same], how.clock, int(q), monitor)
        size = 1.0 + abs(states[same]).max(axis=1)
        near = abs(points.state - states[same]).max(axis=1) <= 10.0 * _RETURNED * size
        sure = points.found & near & (points.exponents[:, 0] <= _NEUTRAL)
        period[same[~sure]] = 0
        kinds = ("limit_cycle", "continuous_family")
        _enter(labels, index[same[sure]], points, sure, how, kinds, int(q))
    return period > 1


def _enter(labels, index, points, chosen, how, kinds, period):
    """Enter still points: those alone are of the first kind, those of a continuum of the second."""
    k = how.n_exponents
    exponents, errors, still = points.exponents[chosen, :k], points.errors[chosen, :k], points.continuum[chosen]
    kind = np.where(still > 0, ATTRACTOR_KIND[kinds[1]], ATTRACTOR_KIND[kinds[0]])
    zeros = _zeros(exponents, errors, zero_verdict.signs(exponents, errors, how.margin), how)
    labels.put(
        index, kind=kind, exponents=exponents, stderr=errors, **zeros, state=points.state[chosen],
        dimension=np.where(period < 2, still, 0), family_dimension=still,
    )  # fmt: skip
    if period > 1:
        labels.put(index, period=float(period))


def _periods(system, values, states, how, monitor):
    """Periods (P,) of orbits of a map that return; 0 where they have not."""
    record = Ensemble(system, values, states, how.clock, 0).run(how.longest_period, monitor, stride=1)[1]
    record = record[..., : len(states)]
    period, distance, size = first_return(states.T, record)
    extent = abs(record - states.T).max(axis=(0, 1))
    return np.where((distance <= _RETURNED * size) & (extent > 10.0 * _RETURNED * size), period, 0)


def _moving(system, values, window, left, how, labels, index, last, monitor):
    """Enter the orbits `left` of a window that move and whose exponents decide what they are on."""
    exponents, errors, regular = window.exponents[left], window.errors[left], window.regular[left]
    span, is_flow = window.steps * how.clock.dt, system.kind == "flow"
    whole = zero_verdict.signs(exponents, errors, how.margin)
    strict = _strict_signs(exponents, errors, whole)
    steady, flow = ~_drifts(window.record[..., left]), np.full((len(left), 1), -1)
    if is_flow:
        flow = np.argmin(abs(exponents), axis=1)[:, None]  # the flow's own direction
        rate, doubt = (np.take_along_axis(array, flow, axis=1)[:, 0] for array in (exponents, errors))
        beyond = (strict == SIGN["positive"]).all(axis=1) & (exponents.shape[1] < system.dimension)  # not followed
        steady &= beyond | (abs(rate) <= _SURE * doubt + np.where(regular, _FINE, how.margin))
        steady &= ~(regular & _changes(window.record[..., left]))
        for verdict in (strict, whole):
            verdict[~beyond[:, None] & (np.arange(verdict.shape[1]) == flow)] = SIGN["zero"]
        flow[beyond] = -1
    zeros, nats = (strict == SIGN["zero"]).sum(axis=1), exponents[:, 0] * span
    settled = steady & np.isin(strict, (SIGN["zero"], SIGN["negative"])).all(axis=1)
    grows = steady & (strict[:, 0] == SIGN["positive"]) & (nats > np.where(regular, _FOR_SURE, _SETTLED))
    cycles = settled & (zeros == int(is_flow))
    if is_flow and how.periods:
        chosen = np.flatnonzero(cycles)
        period = _flow_periods(system, select(values, chosen), window.states[left[chosen]], how, window, monitor)
        labels.put(index[chosen], period=period)
        cycles[chosen] &= last | ~np.isnan(period)
    if not is_flow:  # its period is longer than was looked for
        cycles &= last & (nats < -_SETTLED)
    moves = settled & (zeros > int(is_flow))
    frequencies = np.minimum(zeros, system.dimension - 1)  # a torus fills no space that it lies in
    names = ("chaos", "limit_cycle", "torus", "continuous_family")
    where = (grows, cycles, moves & (zeros == frequencies), moves)
    kind = np.select(where, [ATTRACTOR_KIND[name] for name in names], ATTRACTOR_KIND["undecided"])
    dimension = np.where(settled, frequencies, 0)
    labels.put(
        index, kind=kind, exponents=exponents, stderr=errors, **_zeros(exponents, errors, whole, how, flow[:, 0] + 1),
        dimension=dimension, family_dimension=np.where(settled, zeros - dimension, 0),
    )  # fmt: skip


def _zeros(exponents, errors, verdicts, how, own=0):
    """Number of zeros and the confidence in it, of exponents (P, k); own: see `zero_verdict.zeros`."""
    zero, wrong = zero_verdict.zeros(exponents.T, errors.T, verdicts.T, how.margin, own)
    number, confidence = zero_verdict.counted(zero, wrong)
    return {"zeros": number, "confidence": confidence}


def _strict_signs(exponents, errors, verdicts):
    """Signs (P, k): those beyond their errors, however small; zero, if within the margin; else undecided."""
    above, below = (sign * exponents - _FINE > zero_verdict.ONE_SIDED_99 * errors for sign in (1.0, -1.0))
    rest = np.where(verdicts == SIGN["zero"], SIGN["zero"], SIGN["undecided"])
    rest = np.where(below | (exponents == -np.inf), SIGN["negative"], rest)
    return np.where(above, SIGN["positive"], rest)


def _drifts(record):
    """Whether orbits (samples, n, P) go on somewhere else: the halves' means are farther apart than either is wide."""
    half = len(record) // 2
    parts = record[:half], record[half : 2 * half]
    apart = abs(mean_of(parts[0]) - mean_of(parts[1]))
    wide = np.maximum(*(np.ptp(part, axis=0) for part in parts))
    return (apart > _DRIFT * wide).any(axis=0)


def _changes(record):
    """Whether the second half of orbits (samples, n, P) is smaller or larger than the first."""
    half = len(record) // 2
    sizes = []
    for part in (record[:half], record[half : 2 * half]):
        variances = mean_of((part - mean_of(part)) ** 2)
        sizes.append(sum(variances))  # one unit after the other, whatever the number of lanes
    return np.minimum(*sizes) < _STEADY**2 * np.maximum(*sizes)


def _flow_periods(system, values, states, how, window, monitor):
    """Periods (P,) of cycles of a flow, to about a thousandth; NaN where the orbit does not come back in time."""
    period, time, steps = np.full(len(states), np.nan), how.clock, window.steps
    for length in (min(steps, _DENSE), steps):
        open_ = np.flatnonzero(np.isnan(period))
        if not len(open_):
            break
        stride = max(length // _DENSE, 1)
        ensemble = Ensemble(system, select(values, open_), states[open_], time, 0)
        record = ensemble.run(length // stride * stride, monitor, stride=stride)[1][..., : len(open_)]
        spacing = stride * time.dt
        once = np.ones(len(open_), dtype=np.int64)
        orbits = np.ascontiguousarray(np.moveaxis(record, -1, 0))
        period[open_] = returns(orbits, spacing, 2.0 * spacing, length * time.dt, once)[1]
    return period
