"""Samples of what orbits settle on: iterates of maps; of flows the maxima of a unit, or crossings of a section.

An event of a flow is found between two steps by the sign of a signal, and then located by Newton's method with the
step of eighth order from the first of them, whose own error is far below that of the orbit's steps.
"""

import dataclasses

import numpy as np

from lyapkit.analyses.orbits.clock import Clock
from lyapkit.analyses.orbits.equilibria import extent, resting
from lyapkit.analyses.orbits.points import repeated, select
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.analyses.stationary.newton import polished
from lyapkit.systems.evaluate import values_and_jacobians, values_at

_WINDOW = 512  # steps after which it is seen who has enough
_ROUNDS, _SLACK = 8, 0.1  # of Newton's method; how far outside its step, in steps, an event may turn out to be


@dataclasses.dataclass(frozen=True)
class Event:
    """A signal rises through zero: where `unit` is largest, or crosses `level` upwards."""

    unit: int
    level: float | None

    def signal(self, system, values, states):
        """The signal (points,) at states (points, n)."""
        if self.level is not None:
            return states[:, self.unit] - self.level
        return -values_at(system, states, values)[:, self.unit]

    def with_slope(self, system, values, states):
        """The signal and its derivative in time (points,)."""
        rate, jacobian = values_and_jacobians(system, states, values)
        if self.level is not None:
            return states[:, self.unit] - self.level, rate[:, self.unit]
        return -rate[:, self.unit], -(jacobian[:, self.unit] * rate).sum(axis=1)


@dataclasses.dataclass
class Samples:
    """`state` (points, count, n), of flows where the steps begin that hold the events, and `share` of those steps."""

    state: np.ndarray
    end: np.ndarray  # (points, n) where the orbits have got to
    lost: np.ndarray  # (points,) whether that is nowhere
    share: np.ndarray | None = None


def of_map(system, values, states, clock, count, monitor):
    """The next `count` iterates after the clock's transient."""
    ensemble = Ensemble(system, values, states, clock, 0)
    ensemble.run(clock.transient, monitor)
    record = np.moveaxis(ensemble.run(count, monitor, stride=1)[1], -1, 0)[: len(states)]
    return Samples(record, record[:, -1], ~np.isfinite(record).all(axis=(1, 2)))


def of_flow(system, values, states, clock, count, event, monitor):
    """The first `count` events after the clock's transient; NaN where its steps hold fewer.

    An orbit at rest is its own sample: all of them are the fixed point. Where an orbit's run ends depends on it alone.
    """
    points, n = states.shape
    ensemble = Ensemble(system, values, states, clock, 0)
    ensemble.run(clock.transient, monitor)
    last = ensemble.gather("x")[:, :points]
    found, done = np.zeros(points, dtype=int), np.zeros(points, dtype=bool)
    nothing = np.full((points, count, n), np.nan)
    samples = Samples(nothing, np.empty((points, n)), np.zeros(points, dtype=bool), nothing[:, :, 0].copy())
    for at in range(0, clock.steps, _WINDOW):
        record = ensemble.run(min(_WINDOW, clock.steps - at), monitor, stride=1)[1][..., :points]
        window = np.concatenate([last[None], record])
        last = record[-1]
        _collect(system, values, window, event, found, done, samples)
        rest = ~done & resting(system, values, last.T, extent(np.moveaxis(window, -1, 0)))
        index = np.flatnonzero(rest)
        if len(index):
            samples.state[index] = polished(system, last.T[index], select(values, index))[:, None]
            samples.share[index] = 0.0
        ended = ~done & (rest | (found >= count) | ~np.isfinite(last).all(axis=0))
        samples.end[ended | ~done] = last.T[ended | ~done]
        done |= ended
        if done.all():
            break
    samples.lost = ~np.isfinite(samples.end).all(axis=1)
    return samples


def _collect(system, values, window, event, found, done, samples):
    """Add the events of a window of states (steps + 1, n, points)."""
    steps, n, points = window.shape
    flat = np.moveaxis(window, -1, 0).reshape(-1, n)
    with np.errstate(all="ignore"):
        signal = event.signal(system, repeated(values, steps), flat).reshape(points, steps)
    lane, step = np.nonzero((signal[:, :-1] < 0) & (signal[:, 1:] >= 0) & ~done[:, None])
    place = found[lane] + np.arange(len(lane)) - np.searchsorted(lane, lane)
    kept = place < samples.state.shape[1]
    lane, step, place = lane[kept], step[kept], place[kept]
    samples.state[lane, place] = window[step, :, lane]
    before, after = signal[lane, step], signal[lane, step + 1]
    samples.share[lane, place] = before / (before - after)
    found += np.bincount(lane, minlength=points)


def located(system, values, starts, share, dt, event, monitor):
    """The states (points, n) at the events: from `starts`, about so far into the step."""
    share = share.copy()
    moving = share > 0.0  # a fixed point is where it is
    with np.errstate(all="ignore"):
        for _ in range(_ROUNDS):
            signal, slope = event.with_slope(system, values, _advanced(system, values, starts, share * dt, monitor))
            change = np.where(moving & (slope > 0), signal / (slope * dt), 0.0)
            share = np.clip(share - change, np.where(moving, -_SLACK, 0.0), 1.0 + _SLACK)
    return _advanced(system, values, starts, share * dt, monitor)


def _advanced(system, values, states, times, monitor):
    ensemble = Ensemble(system, values, states, Clock("rk8", 1.0, 0, 1), 0, steps=times, brief=True)
    ensemble.run(1, monitor)
    return ensemble.gather("x").T[: len(states)]
