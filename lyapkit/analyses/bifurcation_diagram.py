"""Bifurcation diagrams: attractors against a parameter, swept up and down."""

import dataclasses

import numpy as np

from lyapkit.analyses.cycles.cycle_guess import checked_section, refuse_driven
from lyapkit.analyses.lyapunov_spectrum import lyapunov_spectrum
from lyapkit.analyses.orbits import attractor_samples
from lyapkit.analyses.orbits.attractor_samples import Event, Samples
from lyapkit.analyses.orbits.clock import Clock, checked_state, clock
from lyapkit.analyses.orbits.points import repeated
from lyapkit.analyses.verb import choice, real, verb, whole
from lyapkit.flags import DIRECTION, STATUS
from lyapkit.systems.system import System, unknown_parameter

_OF_SPECTRUM = ("lyapunov_exponent", "lyapunov_exponent_stderr", "lyapunov_sign")
_BLOCK = 16  # points of a task of a scan: each one is a whole diagram


@dataclasses.dataclass(frozen=True)
class _Diagram:
    system: System
    initial_state: np.ndarray
    parameter: str
    swept: np.ndarray
    directions: tuple
    n_samples: int
    clock: Clock
    event: Event | None
    kick: float
    spectrum: object

    block = _BLOCK

    @property
    def work(self):
        lanes = len(self.directions) * len(self.swept)
        sampled = self.n_samples if self.event is None else self.clock.steps
        return lanes * (self.clock.transient + sampled + (self.spectrum.work if self.spectrum else 0))

    @property
    def variables(self):
        each = ("direction", self.parameter)
        exponents = dict.fromkeys(_OF_SPECTRUM, (*each, "mode")) if self.spectrum else {}
        return {"state": (*each, "sample", "unit"), **exponents, "status": each}

    @property
    def coords(self):
        modes = {"mode": self.spectrum.coords["mode"]} if self.spectrum else {}
        return {
            "direction": np.array([DIRECTION[word] for word in self.directions], dtype=np.int8),
            self.parameter: self.swept, "sample": np.arange(self.n_samples),
            "unit": np.arange(self.system.dimension), **modes,
        }  # fmt: skip

    @property
    def attrs(self):
        time, event = self.clock, self.event
        named = {"swept": self.parameter, "transient": time.transient * time.dt, "kick": self.kick}
        named |= {"logarithm": "natural"} if self.spectrum else {}
        if event is None:
            return named | {"sampled": "iterates"}
        where = "is largest" if event.level is None else f"crosses {event.level!r} upwards"
        longest = {"method": time.method, "dt": time.dt, "duration": time.duration}
        return named | longest | {"rtol": time.rtol, "atol": time.atol, "sampled": f"where unit {event.unit} {where}"}

    def measure(self, values, states, monitor):
        ways = len(self.directions)
        own, state = repeated(values, ways), np.repeat(states, ways, axis=0)
        start, visits, samples = state, self._visits(len(states)), []
        for visit in visits:
            samples.append(self._sampled(own | {self.parameter: self.swept[visit]}, state, monitor))
            end = samples[-1].end
            lost = samples[-1].lost[:, None]
            state = np.where(lost, state, end)  # where the orbit was lost, go on from the last state that was not
            state = state + self.kick * (start - state)
        together = self._in_order(samples, visits)
        swept = {self.parameter: np.tile(self.swept, len(state))}
        found = self._results(repeated(own, len(self.swept)) | swept, together, monitor)
        shape = (len(states), ways, len(self.swept))
        return {name: array.reshape(*shape, *array.shape[1:]) for name, array in found.items()}

    def _visits(self, points):
        """Which of the values each lane (points x directions) has at each step of its sweep."""
        rising = np.argsort(self.swept, kind="stable")
        ways = np.stack([rising if word == "up" else rising[::-1] for word in self.directions])
        return np.tile(ways, (points, 1)).T

    def _sampled(self, values, state, monitor):
        with np.errstate(all="ignore"):
            if self.event is None:
                return attractor_samples.of_map(self.system, values, state, self.clock, self.n_samples, monitor)
            return attractor_samples.of_flow(
                self.system, values, state, self.clock, self.n_samples, self.event, monitor
            )

    def _in_order(self, samples, visits):
        """All samples, (lanes x values, ...), each lane's in the order of the values."""
        order = np.argsort(visits, axis=0)[:, :, None]

        def joined(arrays):
            stacked = np.stack(arrays)
            taken = np.take_along_axis(stacked, order.reshape(*order.shape[:2], *[1] * (stacked.ndim - 2)), axis=0)
            return np.swapaxes(taken, 0, 1).reshape(-1, *stacked.shape[2:])

        share = None if self.event is None else joined([one.share for one in samples])
        state, end, lost = (joined([getattr(one, name) for one in samples]) for name in ("state", "end", "lost"))
        return Samples(state, end, lost, share)

    def _results(self, values, samples, monitor):
        """Variables (lanes x values, ...)."""
        state = samples.state
        if self.event is not None:
            state = self._located(values, samples, monitor)
        finite = np.isfinite(state).all(axis=2)
        lost = ~finite.all(axis=1) if self.event is None else ~finite.any(axis=1)
        state = np.where((finite & ~lost[:, None])[..., None], state, np.nan)
        status = np.where(lost, self._reason(samples), STATUS["ok"])
        result = {"state": state}
        if self.spectrum:
            spectra = self.spectrum.measure(values, np.where(lost[:, None], np.nan, samples.end), monitor)
            result |= {name: spectra[name] for name in _OF_SPECTRUM}
            status = np.where(lost, status, spectra["status"])
        return result | {"status": status.astype(np.int8)}

    def _located(self, values, samples, monitor):
        """The samples of a flow, each one where its event is."""
        state, count = samples.state.reshape(-1, self.system.dimension), self.n_samples
        there = np.flatnonzero(np.isfinite(samples.share.ravel()))
        found = np.full_like(state, np.nan)
        if len(there):
            own = {name: column[there // count] for name, column in values.items()}
            share = samples.share.ravel()[there]
            found[there] = attractor_samples.located(
                self.system, own, state[there], share, self.clock.dt, self.event, monitor
            )
        return found.reshape(samples.state.shape)

    def _reason(self, samples):
        """Why there are no samples."""
        if self.event is None:
            return STATUS["diverged"]
        none = STATUS["not_converged"] if self.event.level is None else STATUS["section_missed"]
        return np.where(samples.lost, STATUS["diverged"], none)


@verb
def bifurcation_diagram(
    system, parameter, values, *, n_samples=100, unit=None, section=None, direction="both", initial_state=None,
    kick=1e-4, transient=None, duration=None, n_exponents=None, dt=None, method=None, rtol=None, atol=None,
):  # fmt: skip
    """bifurcation_diagram(system, parameter, values, *, n_samples=100, unit=0, section=None, direction="both", ...)

    What orbits settle on, against one parameter that is swept up and down, with the Lyapunov exponents there.

    Each sweep carries the state from one value of the parameter to the next, so that hysteresis shows as a difference
    between the two directions. Returns a Dataset:

    state(direction, <parameter>, sample, unit)   maps: iterates; flows: the states where `unit` is largest for the
                                  moment, or crosses a `section` upwards, NaN where `duration` holds fewer; an orbit
                                  that rests is its fixed point in all samples
    lyapunov_exponent(direction, <parameter>, mode), lyapunov_exponent_stderr, lyapunov_sign   of the orbits from where
                                  the samples end, as from `lyapunov_spectrum`
    status(direction, <parameter>); direction is 0 (up) or 1 (down)

    parameter      name of a parameter that is a number
    values         (values,) of it, in any order: sweeps go by size
    n_samples      of each value, default 100
    unit           the unit of a flow whose maxima are sampled, default 0
    section        (unit, level) instead: a flow is sampled where that unit crosses the level upwards
    direction      "both", "up" or "down"
    initial_state  (unit,) where sweeps begin, default the system's own
    kick           share of the way back to `initial_state` by which a state that is carried on is moved, so that an
                   orbit leaves a fixed point that has lost its stability; default 1e-4
    transient      run at each value before it is sampled, default 100 time units, 1000 iterates
    duration       averaged over for the exponents; of a flow also the longest time in which samples are sought;
                   default 1000 time units, 10,000 iterates
    n_exponents    how many, default all; 0: none
    dt, method, rtol, atol   of flows, see `lyapunov_spectrum`
    progress       True, False, or None: a bar on a terminal

    A sample of a flow is a zero of x_unit' (or of x_unit - level), located by Newton's method along a step of eighth
    order from the orbit's last step before it: its error is that of the orbit. Status: "diverged", with NaN, and the
    sweep goes on from the last state that was finite; "not_converged" or "section_missed" where there is no sample;
    else that of the exponents. Sources: May, Nature 261 (1976) 459 (diagrams); Ott, Chaos in Dynamical Systems (2002),
    ch. 2 and 8 (hysteresis, crises).

    >>> import lyapkit as lk
    >>> ds = lk.bifurcation_diagram(lk.systems.logistic, "r", [2.5, 3.2, 4.0], n_samples=64)
    >>> len(set(ds.state[0, 1, :, 0].values.round(9).tolist()))
    2
    >>> ds.lyapunov_sign[0, :, 0].values
    array([-1, -1,  1], dtype=int8)
    """
    refuse_driven(system)
    axis = _checked_values(system, parameter, values)
    state = checked_state(system, initial_state)
    span = duration if duration is not None else 1000 if system.kind == "flow" else 10_000
    before = transient if transient is not None else 100 if system.kind == "flow" else 1000
    time = clock(system, before, span, dt, method, rtol, atol)
    wanted = system.dimension if n_exponents is None else whole("n_exponents", n_exponents, 0, system.dimension)
    spectrum = None
    if wanted:
        spectrum = lyapunov_spectrum.plan(
            system, n_exponents=wanted, initial_state=state, transient=before, duration=span, dt=dt, method=method,
            rtol=rtol, atol=atol,
        )  # fmt: skip
    share = real("kick", kick)
    if not 0.0 <= share < 1.0:
        raise ValueError(f"kick: given {kick!r}, accepted: a number from 0 to below 1")
    ways = ("up", "down") if choice("direction", direction, ("both", "up", "down")) == "both" else (direction,)
    count = whole("n_samples", n_samples, 1, 10**6)
    return _Diagram(system, state, parameter, axis, ways, count, time, _event(system, unit, section), share, spectrum)


def _event(system, unit, section):
    """The Event that is sampled; None for maps."""
    if system.kind == "map":
        for name, value in (("unit", unit), ("section", section)):
            if value is not None:
                raise ValueError(f"{name}: given {value!r}, but {system.name} is a map; accepted for flows")
        return None
    if section is not None:
        if unit is not None:
            raise ValueError(f"unit: given {unit!r} with section, accepted: one of the two")
        return Event(*checked_section(system, section))
    return Event(whole("unit", 0 if unit is None else unit, 0, system.dimension - 1), None)


def _checked_values(system, parameter, values):
    if not isinstance(parameter, str) or parameter not in system.model.defaults:
        raise ValueError(unknown_parameter(system.model, parameter))
    names = system.model.lane_parameters(system.parameters)
    if parameter not in names or np.ndim(system.parameters[parameter]):
        raise ValueError(f"parameter: given {parameter!r}, accepted: a parameter that is a number")
    if parameter in ("state", "status", "direction", "sample", "unit", "mode"):
        raise ValueError(f"parameter: given {parameter!r}, which the result has too; accepted: another name")
    try:
        axis = np.array(values, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"values: given {values!r}, accepted: a 1-d array of numbers") from None
    if axis.ndim != 1 or not axis.size or not np.isfinite(axis).all() or len(np.unique(axis)) < len(axis):
        raise ValueError(f"values: given {values!r}, accepted: a 1-d array of finite numbers that differ")
    return axis
