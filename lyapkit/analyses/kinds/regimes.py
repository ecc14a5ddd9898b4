"""What orbits do in the long run, told with as few steps as possible; where it takes more, it is left undecided.

An orbit runs without a frame until it is seen to rest at a stable fixed point or to leave the finite numbers. Of a
flow of two units without stable fixed points nothing more is needed: a bounded orbit that cannot rest tends to a
cycle (Poincare & Bendixson). Of all others the two largest Lyapunov exponents tell, as weighted Birkhoff means, over
windows that are doubled while they leave it undecided.
"""

import dataclasses

import numpy as np

from lyapkit.analyses.exponents import estimators
from lyapkit.analyses.exponents.checks import starting_frame
from lyapkit.analyses.orbits.clock import Clock
from lyapkit.analyses.orbits.points import mean_of, select
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.analyses.tori.locking import first_return
from lyapkit.flags import REGIME, STABLE
from lyapkit.kernels import tangent

_LARGEST = 1e8  # states of an orbit that has left
_SAMPLES = 32  # of a window in which rest is looked for
_BESIDE = 1e-2  # distance from a stable fixed point, relative to 1 + |x|, at which an orbit may have come to rest
_NEARER = 0.9  # and by how much its second half must be nearer than its first
_GROWING = 1.1  # largest state of the second half over that of the first, from which an orbit may be unbounded
_BACK = 0.25  # distance from an earlier state, in the orbit's extent, at which it has come back
_THERE = 1e-10  # an orbit this near is there
_SURE = 3.0  # standard errors
_FINE = 1e-5  # standard error of an exponent, per step, that counts as zero
_ZERO = 1e-9  # of an exponent per step, besides its standard error: rounding of weighted means
_SETTLED = 5.0  # nats that an orbit has contracted towards its cycle
_RETURNED = 1e-6  # of a locked orbit, relative to its size


@dataclasses.dataclass(frozen=True)
class Watch:
    """How orbits are watched: a clock whose steps are the first window, how often it is doubled, longest period."""

    clock: Clock
    doublings: int
    longest_period: int

    @property
    def work(self):
        return self.clock.transient + self.clock.steps


def regimes(system, values, states, points, watch, monitor):
    """REGIME (P,) of the orbits from states (P, n), their periods (P,) where locked, and their mean states (P, n).

    values: name -> (P,); points: the fixed points (see `CountedPoints`) of each.
    """
    count = len(states)
    kind = np.full(count, REGIME["undecided"], dtype=np.int8)
    period, middle = np.zeros(count, dtype=np.int64), np.full(states.shape, np.nan)
    open_, x = np.arange(count), states.copy()
    lengths = [watch.clock.steps * 2**number for number in range(watch.doublings + 1)]
    with np.errstate(all="ignore"):
        for number, steps in enumerate([2 * max(watch.clock.transient, 1), *lengths]):
            own, near = select(values, open_), points.of(open_)
            verdict, x[open_], middle[open_] = _at_rest(system, own, x[open_], near, watch.clock, steps // 2, monitor)
            kind[open_] = verdict
            open_ = open_[verdict == REGIME["undecided"]]
            if number and len(open_) and not (system.kind == "flow" and system.dimension == 1):
                own = select(values, open_)
                kind[open_], period[open_], x[open_] = _moving(system, own, x[open_], watch, steps, monitor)
                open_ = open_[kind[open_] == REGIME["undecided"]]
            if not len(open_):
                break
    return kind, period, middle


def _at_rest(system, values, states, points, clock, steps, monitor):
    """Verdicts (P,) of orbits that rest, leave or cannot but cycle; last states and means (P, n)."""
    count = len(states)
    ensemble = Ensemble(system, values, states, clock, 0)
    _, record = ensemble.run(steps, monitor, stride=max(steps // _SAMPLES, 1))
    record = record[..., :count]  # (samples, n, P)
    x = np.ascontiguousarray(record[-1].T)
    gone = ~(abs(record) <= _LARGEST).all(axis=(0, 1))
    stable = points.stable == STABLE["stable"]
    scale = 1.0 + abs(x).max(axis=1)
    distance = abs(points.states - x[:, None]).max(axis=2)
    nearest = np.argmin(np.where(stable, distance, np.inf), axis=1)
    target = np.take_along_axis(points.states, nearest[:, None, None], axis=1)[:, 0]
    away = abs(record - target.T).max(axis=1) / scale  # (samples, P)
    half = len(away) // 2
    early, late = away[:half].max(axis=0), away[half:].max(axis=0)
    rests = stable.any(axis=1) & (late <= _BESIDE) & ((late <= _NEARER * early) | (late <= _THERE))
    verdict = np.where(rests, REGIME["fixed_point"], REGIME["undecided"])
    if system.kind == "flow" and system.dimension == 2:
        at_unstable = (distance <= _THERE * scale[:, None]).any(axis=1)
        cycles = only_cycles(system, points) & ~at_unstable & _recurs(record)
        verdict = np.where(cycles, REGIME["limit_cycle"], verdict)
    verdict = np.where(gone, REGIME["diverging"], verdict)
    middle = np.where(rests[:, None], x, mean_of(record[half:]).T)
    return verdict.astype(np.int8), x, middle


def _recurs(record):
    """Whether orbits (P,) of a record (samples, n, P) do not grow and have come back to where they are: are bounded."""
    half = len(record) // 2
    reach = abs(record).max(axis=1)  # (samples, P)
    extent = np.ptp(record, axis=0).max(axis=0)
    back = abs(record[:half] - record[-1]).max(axis=1).min(axis=0)
    return (reach[half:].max(axis=0) <= _GROWING * reach[:half].max(axis=0)) & (back <= _BACK * extent)


def only_cycles(system, points):
    """Where (P,) a bounded orbit, in general, can but tend to a cycle: in a plane with no fixed point that attracts."""
    if system.kind == "map" or system.dimension != 2:
        return np.zeros(len(points.count), dtype=bool)
    repelling = (points.stable == STABLE["unstable"]) | (points.stable == STABLE["absent"])
    return points.complete & ~points.full & repelling.all(axis=1)


def _moving(system, values, states, watch, steps, monitor):
    """Verdicts, periods and last states of orbits that move, from their two largest exponents."""
    count, n, clock = len(states), system.dimension, watch.clock
    k = min(n, 2)
    ensemble = Ensemble(system, values, states, clock, k, starting_frame(n, k, 0))
    batch = estimators.batch_steps(steps, tangent.WINDOW, estimators.BATCHES)
    sums, _ = ensemble.run(steps, monitor, settle=steps // 16, batch=batch)
    batches = sums[tangent.WEIGHTS :, :, :count]
    plain, error = estimators.plain_mean(batches, 1.0, 0 < steps % batch < batch // 2)
    mean, spread = estimators.weighted_mean(sums[: tangent.WEIGHTS, :, :count], 1.0)
    regular = estimators.is_regular(mean[:k], spread[:k], plain[:k], error[:k])
    mean, spread = mean[:k], estimators.guarded(spread, error)[:k]
    chaotic = ~regular & (system.kind == "map" or n > 2) & (plain[0] > _SURE * error[0]) & (plain[0] * steps > _SETTLED)
    zero = regular & (abs(mean) <= _SURE * spread + _ZERO) & (spread <= _FINE * clock.dt)
    contracts = regular & (mean < -_SURE * spread - _ZERO) & (mean * steps < -_SETTLED)
    x = ensemble.gather("x").T[:count]
    period = np.zeros(count, dtype=np.int64)
    if system.kind == "flow":
        cycle, torus = zero[0] & contracts[-1] & (k > 1), zero.all(axis=0) & (n > 2)
        choices = [chaotic, cycle, torus]
        kinds = [REGIME[name] for name in ("chaotic", "limit_cycle", "quasi_periodic")]
    else:
        chosen = np.flatnonzero(contracts[0])
        if len(chosen):
            period[chosen] = _periods(system, select(values, chosen), x[chosen], watch, monitor)
        choices, kinds = [chaotic, period > 0], [REGIME["chaotic"], REGIME["locked"]]
        if n > 1:
            choices, kinds = [*choices, zero[0]], [*kinds, REGIME["quasi_periodic"]]
    verdict = np.select(choices, kinds, REGIME["undecided"])
    return verdict.astype(np.int8), period, x


def _periods(system, values, states, watch, monitor):
    """Periods (P,) of contracting orbits of a map; 0 where they have not closed."""
    clock = watch.clock
    record = Ensemble(system, values, states, clock, 0).run(watch.longest_period, monitor, stride=1)[1]
    record = record[..., : len(states)]
    period, distance, size = first_return(states.T, record)
    extent = abs(record - states.T).max(axis=(0, 1))
    closed = (distance <= _RETURNED * size) & (extent > _RETURNED * size)
    return np.where(closed, period, 0)
