"""Limit cycles of flows: found on trajectories or from guesses, solved and refined, many at once."""

import dataclasses

import numpy as np

from lyapkit.analyses.cycles import shooting
from lyapkit.analyses.cycles.multipliers import NEUTRAL, floquet
from lyapkit.analyses.cycles.shooting import NODES, Cycles, Section, Silent
from lyapkit.analyses.orbits import recurrence
from lyapkit.analyses.orbits.clock import Clock
from lyapkit.analyses.orbits.equilibria import AT_REST, beside_stable, extent, resting
from lyapkit.analyses.orbits.points import groups, select
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.flags import STATUS

_FEWEST = 4.0  # first steps between two nodes
_FINEST = 1 / 2048  # and the shortest, in such steps
_FIRST_WINDOW, _MOST_SAMPLES = 512, 4096  # steps of the first orbit that is searched, samples of any
_RETRIES, _FINER_RETRY = 2, 16
_ROUNDS, _MOST_FINER = 40, 64
_QUADRATIC = 1e-5  # a Newton change below this leaves its square
GONE = 1e-5  # of its first size: Newton's method has run into a fixed point
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31)  # numbers of turns that are looked for
_BACK, _SAME = 1e-2, 1e-6  # about back after a turn; the single turn's start is the same, relative to the size
_ABOUT_NEUTRAL, _WANDERED = 2e-5, 0.1  # |ln multiplier|, and how far from the orbit, relative to its size
_ROUNDING = 1e-12


@dataclasses.dataclass(frozen=True)
class Search:
    """How cycles are looked for: `clock` of the trajectories, bounds of periods, section (unit, level), refinement."""

    clock: Clock
    low: float
    high: float
    section: tuple | None
    rtol: float
    longest: float  # time searched on each trajectory
    coarse: float = 4.0  # first steps of the eighth-order method, in steps that serve the fourth order

    @property
    def dt(self):
        return self.clock.dt

    def with_finer_steps(self, times):
        """The same with shorter steps."""
        clock = dataclasses.replace(self.clock, dt=self.dt / times, transient=self.clock.transient * times)
        return dataclasses.replace(self, clock=clock, coarse=1.0)

    def first_steps(self, periods, finer=1):
        """Steps of a period (P,), nodes times a power of 2 (and times `finer`)."""
        wanted = np.maximum(periods / (self.coarse * self.dt * NODES), _FEWEST)
        return (NODES * 2 ** np.ceil(np.log2(wanted))).astype(int) * finer


def from_trajectories(system, values, states, search, monitor):
    """Attracting cycles that orbits from states (P, n) settle on; returns Cycles and status (P,).

    Orbits that diverge are tried again with finer steps, in case that these were too long for a stiff system.
    """
    cycles, status = _from_trajectories(system, values, states, search, monitor)
    for _ in range(_RETRIES):
        index = np.flatnonzero(status == STATUS["diverged"])
        if not len(index):
            break
        search = search.with_finer_steps(_FINER_RETRY)
        own = select(values, index)
        found, status[index] = _from_trajectories(system, own, states[index], search, monitor)
        cycles.put(index, found)
    return cycles, status


def _from_trajectories(system, values, states, search, monitor):
    points, n = states.shape
    cycles = _none(points, n)
    status = np.full(points, STATUS["aperiodic"], dtype=np.int8)
    # for each orbit: how many of its returns make a period, and by how much the steps of a solution are shorter
    tuning, x = np.ones((points, 2), dtype=int), states.copy()
    open_, window, spent = np.arange(points), _FIRST_WINDOW, 0.0
    before = search.clock.transient
    while len(open_) and spent < search.longest:
        own = select(values, open_)
        x[open_], record, spacing = _record(system, own, x[open_], search, before, window, monitor)
        spent, before, window = spent + window * search.dt, 0, 2 * window
        outcome = _examine(system, own, x[open_], record, spacing, tuning[open_], search, monitor)
        found, verdict, tuning[open_] = outcome
        closed = verdict >= 0
        cycles.put(open_[closed], found.chosen(closed))
        status[open_[closed]] = verdict[closed]
        open_ = open_[~closed]
    return cycles, status


def _none(points, n):
    return Cycles(np.full((points, NODES, n), np.nan), np.full(points, np.nan), np.zeros(points, dtype=int))


def _record(system, values, states, search, before, window, monitor):
    """Run `before` and then `window` steps: last states, samples (P, count, n), and the time between them."""
    stride = max(1, window // _MOST_SAMPLES)
    ensemble = Ensemble(system, values, states, search.clock, 0)
    ensemble.run(before, Silent(monitor))
    _, record = ensemble.run(window, Silent(monitor), stride=stride)
    record = np.ascontiguousarray(np.moveaxis(record, -1, 0)[: ensemble.points])
    return ensemble.gather("x").T[: ensemble.points], record, stride * search.dt


def _examine(system, values, x, record, spacing, tuning, search, monitor):
    """What the orbits' last windows show: Cycles, a status (P,) or -1 where it takes longer, and new tuning."""
    points = len(x)
    verdict, cycles = np.full(points, -1, dtype=np.int8), _none(points, x.shape[1])
    escaped = ~np.isfinite(x).all(axis=1)
    verdict[escaped] = STATUS["diverged"]
    lately = extent(record[:, 3 * record.shape[1] // 4 :])
    verdict[~escaped & resting(system, values, x, lately)] = STATUS["fixed_point"]
    looking = np.flatnonzero(verdict < 0)
    starts, periods = recurrence.returns(record[looking], spacing, search.low, search.high, tuning[looking, 0])
    back = ~np.isnan(periods)
    looking, starts, periods = looking[back], starts[back], periods[back]
    if not len(looking):
        return cycles, verdict, tuning
    own = select(values, looking)
    steps = search.first_steps(periods, tuning[looking, 1])
    found = along_orbits(system, own, starts, periods, steps, monitor)
    solved, tangent = converge(system, own, found, search, monitor)
    logs, phases = _others(tangent)
    # coarse steps break up families of cycles, and Newton's method then wanders along them
    wandered = abs(logs) <= _ABOUT_NEUTRAL
    wandered &= abs(found.nodes[:, 0] - starts).max(axis=1) > _WANDERED * found.size
    solved &= ~wandered
    attracting = solved & (logs <= NEUTRAL)
    collapsed = ~solved & (found.size <= AT_REST)
    beside = beside_stable(system, own, found.nodes[:, 0], collapsed)
    verdict[looking[attracting]] = STATUS["ok"]
    verdict[looking[beside]] = STATUS["fixed_point"]
    cycles.put(looking[attracting], found.chosen(attracting))
    tuning = tuning.copy()
    # a cycle that is unstable by a negative multiplier has one of twice its period beside it
    tuning[looking[solved & ~attracting & (phases.real < -0.5)], 0] *= 2
    tuning[looking[~solved & ~collapsed], 1] = np.minimum(4 * tuning[looking[~solved & ~collapsed], 1], _MOST_FINER)
    return cycles, verdict, tuning


def _others(tangent):
    """ln and phase (P,) of the largest multiplier besides the one nearest to 1."""
    logs, phases, *_ = floquet(tangent)
    if logs.shape[1] == 1:
        return np.full(len(logs), -np.inf), np.ones(len(logs), dtype=complex)
    trivial = trivial_column(logs, phases)
    other = np.where(trivial == 0, 1, 0)[:, None]
    logs, phases = (np.take_along_axis(a, other, axis=1)[:, 0] for a in (logs, phases))
    return np.where(np.isnan(logs), np.inf, logs), phases


def trivial_column(logs, phases):
    """Column (P,) of the multiplier nearest to 1."""
    with np.errstate(all="ignore"):
        distance = abs(np.exp(np.minimum(logs, 700.0)) * phases - 1.0)
    return np.argmin(np.where(np.isnan(distance), np.inf, distance), axis=1)


def along_orbits(system, values, starts, periods, steps, monitor):
    """Cycles of so many steps (P,), whose nodes lie on the orbits of `starts` (P, n), a guessed period long."""
    cycles = Cycles(np.empty((len(starts), NODES, starts.shape[1])), periods.copy(), steps)
    for steps, index in groups(cycles.steps):
        own = select(values, index)
        stride = steps // NODES
        record = shooting.flow_over(system, own, starts[index], periods[index], steps, monitor, stride=stride)[2]
        cycles.nodes[index, 0], cycles.nodes[index, 1:] = starts[index], record[:, :-1]
    return cycles


def converge(system, values, cycles, search, monitor, section=None):
    """Newton's method at the cycles' own steps, in place; returns where it has converged (P,), and last tangents."""
    points, nodes, n = cycles.nodes.shape
    solved, active, first = np.zeros(points, dtype=bool), np.arange(points), cycles.size
    tangents = np.full((points, nodes, n, n), np.nan)
    for _ in range(_ROUNDS):
        own = select(values, active)
        part = cycles.chosen(active)
        own_section = None if section is None else section.chosen(active)
        change, tangents[active] = shooting.newton_step(system, own, part, own_section, monitor)[1:]
        cycles.put(active, part)
        with np.errstate(invalid="ignore"):
            done = change <= _QUADRATIC
            going = (part.size > GONE * first[active]) & (part.period > 0.2 * search.low)
            going &= part.period < 5.0 * search.high
        solved[active[done]] = True
        active = active[going & ~done]
        if not len(active):
            break
    with np.errstate(invalid="ignore"):
        solved &= (cycles.period >= search.low) & (cycles.period <= search.high)
        solved &= cycles.size > _ROUNDING * abs(cycles.nodes).max(axis=(1, 2))
    return solved, tangents


def turns(system, values, cycles, monitor):
    """A prime number of turns (P,) that each cycle may make, as it is about back after one of them; or 1."""
    times = np.ones(len(cycles.period), dtype=int)
    for steps, index in groups(cycles.steps):
        own, part = select(values, index), cycles.chosen(index)
        states = shooting.samples(system, own, part, steps, monitor)
        for count in _PRIMES:
            at, rest = divmod(steps, count)
            there = states[:, at] + rest / count * (states[:, (at + 1) % steps] - states[:, at])
            times[index[abs(there - states[:, 0]).max(axis=1) <= _BACK * part.size]] = count
    return times


def onto_section(system, values, cycles, search, monitor):
    """Turn cycles so that node 0 lies on the section, in place.

    Returns the Section and where it is crossed at all (P,).
    """
    points, _, n = cycles.nodes.shape
    unit = search.section[0] if search.section else n - 1
    level, crossed, starts = np.empty(points), np.empty(points, dtype=bool), np.empty((points, n))
    for steps, index in groups(cycles.steps):
        own, part = select(values, index), cycles.chosen(index)
        states = shooting.samples(system, own, part, steps, monitor)
        height = np.ascontiguousarray(states[:, :, unit])
        level[index] = height.mean(axis=1) if search.section is None else search.section[1]
        crossed[index], at, rest = _steepest_rise(height - level[index, None])
        spans = rest * part.period / steps
        starts[index] = shooting.flow_over(system, own, states[np.arange(len(at)), at], spans, 4, monitor)[0]
    cycles.nodes = along_orbits(system, values, starts, cycles.period, cycles.steps, monitor).nodes
    return Section(unit, level), crossed


def _steepest_rise(height):
    """Whether heights (P, count) cross zero upwards, the sample before they do so fastest, and the share of a step."""
    rise = np.roll(height, -1, axis=1) - height
    upwards = (height < 0) & (height + rise >= 0)
    crossed, at = upwards.any(axis=1), np.argmax(np.where(upwards, rise, -np.inf), axis=1)
    row = np.arange(len(at))
    with np.errstate(all="ignore"):
        return crossed, at, np.clip(np.where(crossed, -height[row, at] / rise[row, at], 0.0), 1e-9, 1.0)


def solve_on_section(system, values, cycles, section, search, monitor):
    """Cycles that start on their section, solved and refined, in place; the error of half the steps (P,), or NaN.

    Where Newton's method fails it is tried again with finer steps; a cycle that turns out to be gone around several
    times is solved once more for a single turn.
    """
    error = _solve_from(system, values, cycles, section, search, monitor)
    index = np.flatnonzero(~np.isnan(error))
    while len(index):
        own, part = select(values, index), cycles.chosen(index)
        times = turns(system, own, part, monitor)
        index, own, part = index[times > 1], select(own, times > 1), part.chosen(times > 1)
        if not len(index):
            break
        starts, period = part.nodes[:, 0], part.period / times[times > 1]
        once = along_orbits(system, own, starts, period, search.first_steps(period), monitor)
        any_period = dataclasses.replace(search, low=0.0)
        errors = _solve_from(system, own, once, section.chosen(index), any_period, monitor)
        same = abs(once.nodes[:, 0] - starts).max(axis=1) <= _SAME * part.size  # and no other one beside it
        same &= abs(once.period - period) <= _SAME * period
        index = index[same & ~np.isnan(errors)]
        cycles.put(index, once.chosen(same & ~np.isnan(errors)))
        error[index] = errors[same & ~np.isnan(errors)]
    with np.errstate(invalid="ignore"):
        return np.where((cycles.period >= search.low) & (cycles.period <= search.high), error, np.nan)


def _solve_from(system, values, cycles, section, search, monitor):
    starts, periods, steps = cycles.nodes[:, 0].copy(), cycles.period.copy(), cycles.steps.copy()
    error, open_, finer = np.full(len(periods), np.nan), np.arange(len(periods)), 1
    while len(open_) and finer <= _MOST_FINER:
        own, part = select(values, open_), cycles.chosen(open_)
        if finer > 1:
            part = along_orbits(system, own, starts[open_], periods[open_], steps[open_] * finer, monitor)
        own_section = section.chosen(open_)
        solved = converge(system, own, part, search, monitor, own_section)[0]
        cycles.put(open_, part)
        if solved.any():
            chosen = np.flatnonzero(solved)
            own, part = select(own, chosen), part.chosen(chosen)
            error[open_[chosen]] = refine(system, own, part, own_section.chosen(chosen), search, monitor)
            cycles.put(open_[chosen], part)
        open_, finer = open_[np.isnan(error[open_])], 4 * finer
    return error


def refine(system, values, cycles, section, search, monitor):
    """Double the steps, with one Newton step each time, until that changes nothing, in place.

    Returns the last change (P,) relative to size and period, the error of half the steps; NaN where the steps got
    too short.
    """
    points = len(cycles.period)
    error, active = np.full(points, np.nan), np.arange(points)
    while len(active):
        part, own = cycles.chosen(active), select(values, active)
        part.steps = 2 * part.steps
        change = shooting.newton_step(system, own, part, section.chosen(active), monitor)[1]
        cycles.put(active, part)
        with np.errstate(invalid="ignore"):
            fine = change <= search.rtol
            error[active[fine]] = change[fine]
            active = active[(change < np.inf) & ~fine & (part.period / part.steps > _FINEST * search.dt)]
    return error
