"""Limit cycles of flows and periodic orbits of maps."""

import dataclasses
import math

import numpy as np
import xarray as xr

from lyapkit.analyses.cycles import cycle_measures as measures
from lyapkit.analyses.cycles import flow_cycles, map_cycles, shooting
from lyapkit.analyses.cycles.cycle_guess import (
    checked_guess,
    checked_period,
    checked_section,
    iterates,
    orbit_of_result,
    refuse_driven,
    resampled,
)
from lyapkit.analyses.cycles.flow_cycles import Search
from lyapkit.analyses.cycles.multipliers import NEUTRAL
from lyapkit.analyses.orbits.clock import checked_state, clock
from lyapkit.analyses.orbits.points import select
from lyapkit.analyses.verb import positive, real, verb, whole
from lyapkit.flags import STABLE, STATUS
from lyapkit.systems.system import System
from lyapkit.vocabulary import blank

_LONGEST_PERIOD, _MOST_ITERATES = 128, 2**14  # of periodic orbits of maps: by default, and that are accepted
_MOST_STEPS = 1e6  # of a period that is asked for
# Mismatch of a cycle, relative to its size; what slides towards a weakly attracting fixed point stays above it.
_CLOSED, _ROUNDING = 1e-11, 1e-13
_SMALL = 4  # units of systems of which a great many cycles fit into the memory at once
_WORK = 100  # units of progress for each point
_SINGLE = (
    "period", "frequency", "trivial_mode", "trivial_error", "liouville_error", "residual", "stable", "status",
)  # fmt: skip
_OF_FLOWS = ("gradient_swing", "section_level", "mesh_error")


@dataclasses.dataclass(frozen=True)
class _LimitCycle:
    system: System
    initial_state: np.ndarray
    guess: np.ndarray | None
    period: float | None
    bounds: tuple
    n_phase: int
    section: tuple | None
    transient: float
    duration: float
    search: Search | None

    @property
    def work(self):
        return _WORK

    @property
    def block(self):
        """Points of a task of a scan: many, so that the work around the kernels is done for all of them at once."""
        return 2048 if self.system.dimension <= _SMALL else 64

    @property
    def variables(self):
        per_mode = ("floquet_multiplier", "floquet_exponent", "log_abs_multiplier", "lyapunov_exponent")
        names = {"state": ("phase", "unit"), **dict.fromkeys(per_mode, ("mode",)), **dict.fromkeys(_SINGLE, ())}
        if self.system.kind == "map":
            return names
        names |= {"velocity": ("phase", "unit"), "adjoint": ("phase", "unit"), **dict.fromkeys(_OF_FLOWS, ())}
        return names | ({"period_derivative": ("parameter",)} if len(self.scalars) else {})

    @property
    def coords(self):
        n = self.system.dimension
        phases = np.arange(self.bounds[1]) if self.system.kind == "map" else np.arange(self.n_phase) / self.n_phase
        parameters = {"parameter": np.array(self.scalars)} if self.system.kind == "flow" and self.scalars else {}
        return {"phase": phases, "unit": np.arange(n), "mode": np.arange(1, n + 1), **parameters}

    @property
    def scalars(self):
        """Names of the parameters that are numbers, in which the period is differentiated."""
        model, parameters = self.system.model, self.system.parameters
        if not hasattr(self.system.cell, "function_with_parameters"):
            return []
        return [name for name in model.lane_parameters(parameters) if not np.ndim(parameters[name])]

    @property
    def _directions(self):
        """Unit directions (m, raw) of those parameters among the raw ones."""
        parameters, names = self.system.parameters, self.system.model.lane_parameters(self.system.parameters)
        ends = np.cumsum([np.size(parameters[name]) for name in names], dtype=int)
        places = [ends[names.index(name)] - 1 for name in self.scalars]
        return np.eye(self.system.cell.raw_rows)[places]

    @property
    def attrs(self):
        named = {"transient": self.transient, "duration": self.duration, "logarithm": "natural"}
        if self.search is not None:
            named |= {"method": shooting.METHOD, "dt": self.search.dt, "rtol": self.search.rtol}
            unit = self.section[0] if self.section else self.system.dimension - 1
            named["phase_0"] = f"unit {unit} crosses section_level upwards"
        else:
            named["phase_0"] = "the iterate with the largest value of unit 0"
        return named

    def measure(self, values, states, monitor):
        found = self._of_map(values, states, monitor) if self.search is None else self._of_flow(values, states, monitor)
        monitor.add(_WORK * len(states))
        return found

    def _of_flow(self, values, states, monitor):
        points, search = len(states), self.search
        if self.guess is None:
            cycles, status = flow_cycles.from_trajectories(self.system, values, states, search, monitor)
        else:
            cycles, status = self._from_guess(values, points, monitor)
        result = self._blank(points)
        index = np.flatnonzero(status == STATUS["ok"])
        if len(index):
            own = select(values, index)
            found, status[index] = self._solved(own, cycles.chosen(index), monitor)
            for name, array in found.items():
                result[name][index] = array
        return self._finish(result, status)

    def _from_guess(self, values, points, monitor):
        """Cycles near the guess, which is an orbit of equal times, or one state of it."""
        periods = np.full(points, self.period)
        steps = self.search.first_steps(periods)
        if self.guess.ndim == 1:
            starts = np.broadcast_to(self.guess, (points, len(self.guess))).copy()
            cycles = flow_cycles.along_orbits(self.system, values, starts, periods, steps, monitor)
        else:
            nodes = resampled(self.guess, shooting.NODES)
            cycles = shooting.Cycles(np.repeat(nodes[None], points, axis=0), periods, steps)
        first = cycles.size
        solved, _ = flow_cycles.converge(self.system, values, cycles, self.search, monitor)
        gone = ~solved & ((first == 0) | (cycles.size <= flow_cycles.GONE * first))
        status = np.where(gone, STATUS["fixed_point"], STATUS["not_converged"])
        return cycles, np.where(solved, STATUS["ok"], status).astype(np.int8)

    def _solved(self, values, cycles, monitor):
        """Variables and status of cycles that have been found: turned onto the section, refined and measured."""
        search, points = self.search, len(cycles.period)
        section, crossed = flow_cycles.onto_section(self.system, values, cycles, search, monitor)
        error = flow_cycles.solve_on_section(self.system, values, cycles, section, search, monitor)
        good = crossed & ~np.isnan(error)
        status = np.where(crossed, STATUS["not_converged"], STATUS["section_missed"]).astype(np.int8)
        result, index = self._blank(points), np.flatnonzero(good)
        if len(index):
            own = select(values, index)
            found = measures.measure(
                self.system, own, cycles.chosen(index), error[index], section.chosen(index), self.n_phase,
                self._directions, search.dt, monitor,
            )  # fmt: skip
            found |= {"section_level": section.level[index], "mesh_error": error[index]}
            orbits = abs(found["state"]).max(axis=(1, 2))
            closed = found["residual"] <= _CLOSED + _ROUNDING * orbits / found["size"]
            for name in result.keys() & found.keys():
                result[name][index[closed]] = found[name][closed]
            status[index[closed]] = np.where(found["lost"], STATUS["ill_conditioned"], STATUS["ok"])[closed]
        return result, status

    def _of_map(self, values, states, monitor):
        low, high = self.bounds
        points = len(states)
        if self.guess is None:
            nodes, period, status = map_cycles.from_trajectories(
                self.system, values, states, low, high, int(self.transient), monitor
            )
        else:
            guess = np.repeat(self.guess[None], points, axis=0)
            solved, period, orbit, _ = map_cycles.solve(self.system, values, guess)
            nodes = np.full((points, high, self.system.dimension), np.nan)
            nodes[:, : orbit.shape[1]] = orbit
            found = np.where(period == 1, STATUS["fixed_point"], STATUS["ok"])
            status = np.where(solved, found, STATUS["not_converged"]).astype(np.int8)
        result, index = self._blank(points), np.flatnonzero(status == STATUS["ok"])
        if len(index):
            own = select(values, index)
            for name, array in map_cycles.measure(self.system, own, nodes[index], period[index], monitor).items():
                result[name][index] = array
        return self._finish(result, status)

    def _blank(self, points):
        return blank(self.variables, self.coords, points)

    def _finish(self, result, status):
        """Stability and status besides: a cycle of a family keeps its numbers, and is called so."""
        logs, phases = result["log_abs_multiplier"], result["floquet_multiplier"]
        trivial = result["trivial_mode"]
        others = np.where(np.arange(1, logs.shape[1] + 1) == trivial[:, None], -np.inf, logs)
        with np.errstate(invalid="ignore"):
            family = ((abs(others) <= NEUTRAL) & (phases.real > 0)).any(axis=1)
            largest = others.max(axis=1)
            stable = np.where(largest < -NEUTRAL, 1, np.where(largest > NEUTRAL, -1, 0))
        ok = np.isin(status, [STATUS["ok"], STATUS["ill_conditioned"]])
        result["status"] = np.where(ok & family, STATUS["not_isolated"], status).astype(np.int8)
        result["stable"] = np.where(ok, stable, STABLE["absent"]).astype(np.int8)
        return result


@verb
def limit_cycle(
    system, guess=None, period=None, *, n_phase=None, section=None, initial_state=None, transient=None,
    duration=None, dt=None, rtol=None,
):  # fmt: skip
    """limit_cycle(system, guess=None, period=None, *, n_phase=256, section=None, initial_state=None, ...)

    The limit cycle of a flow, or the periodic orbit of a map, with its Floquet multipliers.

    Without a guess the cycle that the orbit of `initial_state` settles on: no bifurcation point is needed, and what is
    returned is attracting (or one of a family of neutral ones, status "not_isolated"). From a guess also
    unstable ones. Returns a Dataset:

    state(phase, unit)        the orbit at equal times, phase = t / T in [0, 1); maps: its iterates, NaN beyond them
    period, frequency         T in time units (maps: iterates), and 1 / T
    floquet_multiplier(mode)  complex, largest modulus first; log_abs_multiplier(mode) also where that underflows
    floquet_exponent(mode)    (ln |multiplier| + i arg) / T, imaginary part in (-pi / T, pi / T]
    lyapunov_exponent(mode)   the same rates by the QR engine, run once around the cycle: an independent check
    trivial_mode              mode of the multiplier 1 that belongs to the flow's direction (0: none), never to be
                              counted as a finding; trivial_error is its distance from 1
    liouville_error           ln of the product of all multipliers less the integral of the divergence (maps: sum of
                              ln |det|), before what rounding took from the smallest is made good by it (maps, and
                              flows of two units that contract by more than tangent maps can hold)
    stable                    1, -1, 0 where a multiplier besides the trivial one is 1 within 1e-6, -2 without a cycle
    residual                  largest mismatch of the closed orbit, relative to its size; status

    and for flows

    velocity(phase, unit), adjoint(phase, unit)   f and the phase gradient Z, Z . f = 1 (time per state unit): a small
                              push d shifts the phase by Z . d time units (the infinitesimal phase response)
    gradient_swing            largest over smallest norm, in time t, of the learning signal dx(t)/dx(0) that the cycle
                              carries: it tends to |f(x(t))| |Z(x(0))|, neither vanishing nor exploding
    period_derivative(parameter)  dT / dp for every parameter that is a number, from Z
    mesh_error                change, relative to size and period, when the steps were doubled last: 100 times the error
    section_level             where phase 0 is, see `section`

    guess          (unit,) a state near the cycle or (phase, unit) an orbit of equal times, with `period`; or an earlier
                   result of this verb
    period         about how long (with a guess: to start from; else within a half of it), or (low, high)
    n_phase        phases, default 256 (flows)
    section        (unit, level): phase 0 is where that unit crosses the level upwards; default the last unit through
                   its mean (flows). Maps start at the iterate with the largest first unit
    initial_state  (unit,), default the system's own
    transient      run before an orbit is searched, default 100 time units or 1000 iterates (maps: at least this)
    duration       longest time searched for a return, default 3000 time units (flows)
    dt             step of the orbits that are searched, and unit of those of the solution (flows)
    rtol           relative change when the steps are doubled from which they are short enough, default 1e-9 (flows)
    progress       True, False, or None: a bar on a terminal

    The cycle solves a boundary-value problem by multiple shooting and Newton's method, with an explicit method of
    eighth order whose steps are halved until the solution stands; multipliers come from a periodic QR iteration,
    which never forms the product of tangent maps. dT/dp = -sum Z . d phi / dp. Sources: Ascher, Mattheij & Russell,
    Numerical Solution of Boundary Value Problems (1995), ch. 4 and 7; Lust, Int. J. Bifurcation Chaos 11 (2001) 2389
    (multipliers); Govaerts & Sautois, Neural Comput. 18 (2006) 817 (phase response as an adjoint).

    Status: "fixed_point", "aperiodic" (chaos, a torus, no return within `duration`), "diverged", "not_converged",
    "section_missed" with NaN; with numbers "not_isolated" (one of a family of cycles, or too weakly attracting to
    tell) and "ill_conditioned" (the smallest multipliers are lost to rounding, see liouville_error).

    >>> import lyapkit as lk
    >>> ds = lk.limit_cycle(lk.systems.stuart_landau(mu=1.0, omega=2.0, c=0.5))
    >>> round(float(ds.period), 9), ds.floquet_exponent.values.real.round(8) + 0.0
    (4.188790205, array([ 0., -2.]))
    """
    refuse_driven(system)
    state = checked_state(system, initial_state)
    if isinstance(guess, xr.Dataset):
        guess, period = orbit_of_result(guess, period)
    if guess is not None:
        guess = checked_guess(system, guess)
    if system.kind == "map":
        return _plan_of_map(
            system, state, guess, period, transient,
            {"n_phase": n_phase, "section": section, "duration": duration, "dt": dt, "rtol": rtol},
        )  # fmt: skip
    count = whole("n_phase", 256 if n_phase is None else n_phase, 2, 2**14)
    span = positive("duration", 3000.0 if duration is None else duration)
    time = clock(system, 100.0 if transient is None else transient, span, dt, None)
    about, bounds = checked_period(period, guess, 8 * time.dt, _MOST_STEPS * time.dt)
    where = None if section is None else checked_section(system, section)
    accuracy = positive("rtol", 1e-9 if rtol is None else rtol)
    search = Search(time, *bounds, where, accuracy, span)
    before = time.transient * time.dt
    return _LimitCycle(system, state, guess, about, bounds, count, where, before, span, search)


def _plan_of_map(system, state, guess, period, transient, others):
    for name, value in others.items():
        if value is not None:
            raise ValueError(f"{name}: given {value!r}, but {system.name} is a map; accepted for flows")
    about, (low, high) = checked_period(period, guess, 1, _MOST_ITERATES)
    low, high = max(1, math.ceil(low)), _LONGEST_PERIOD if high == np.inf else min(math.floor(high), _MOST_ITERATES)
    if guess is not None:
        about = int(about) if about is not None and about == int(about) else period
        about = len(guess) if guess.ndim == 2 else whole("period", about, 1, _MOST_ITERATES)
        guess = guess if guess.ndim == 2 else iterates(system, guess, about)
        high = max(about, 1)
    before = 1000 if transient is None else math.ceil(real("transient", transient))
    if before < 0:
        raise ValueError(f"transient: given {transient!r}, accepted: a number of at least 0")
    return _LimitCycle(system, state, guess, about, (low, high), high, None, before, before, None)
