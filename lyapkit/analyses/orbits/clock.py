"""The steps of a run, and what is asked of them: methods, durations, initial states, inputs that last."""

import dataclasses
import inspect
import math

import numpy as np

from lyapkit.analyses.orbits.tolerances import tolerances
from lyapkit.analyses.verb import choice, positive, real
from lyapkit.kernels import steps
from lyapkit.systems import inputs

MOST_STEPS = 1e15  # years of computing
FLOW_METHODS = [name for name in steps.names() if name != "iterate"]
SINGLE_RTOL = 1e-6  # products in single precision err by some 1e-7


@dataclasses.dataclass(frozen=True)
class Clock:
    """The steps of a run: `method` with step `dt`, `transient` steps first, then `steps`."""

    method: str
    dt: float
    transient: int
    steps: int
    rtol: float | None = None  # of adaptive steps
    atol: float | None = None

    @property
    def duration(self):
        """Time (iterates) of the steps after the transient."""
        return self.steps * self.dt

    @property
    def attrs(self):
        """How a run was made, for the attributes of its result."""
        return {
            "method": self.method, "dt": self.dt, "rtol": self.rtol, "atol": self.atol,
            "transient": self.transient * self.dt,
        }  # fmt: skip

    @property
    def keywords(self):
        """The keywords dt and method that ask for these steps; none of a map."""
        return {} if self.method == "iterate" else {"dt": self.dt, "method": self.method}


def clock(system, transient, duration, dt, method, rtol=None, atol=None):
    """Check the keywords of time; durations are rounded up to whole steps."""
    if system.kind == "map":
        if dt is not None:
            raise ValueError(f"dt: given {dt!r}, but {system.name} is a map, which has no dt")
        if method is not None:
            raise ValueError(f"method: given {method!r}, but {system.name} is a map and is iterated")
        dt, method = 1.0, "iterate"
    else:
        method = choice("method", method or "rk4", FLOW_METHODS)
        dt = _step(system, method, dt)
    before = real("transient", transient)
    if before < 0:
        raise ValueError(f"transient: given {transient!r}, accepted: a number of at least 0")
    counts = _steps("transient", before, dt), _steps("duration", positive("duration", duration), dt)
    return Clock(method, dt, *counts, *tolerances(system, method, rtol, atol))


def _step(system, method, dt):
    """dt; by default the model's, some of them of adaptive methods, and a whole fraction of the input's."""
    if dt is not None:
        return positive("dt", dt)
    step = steps.propagator(choice("method", method or "rk4", FLOW_METHODS))
    drive, dt = inputs.drive(system), system.model.dt * steps.span(step)
    return dt if drive.duration is None else drive.input_dt / math.ceil(drive.input_dt / dt - 1e-9)


def spectrum_clock(system, transient, duration, dt, method, rtol=None, atol=None):
    """The clock of a spectrum: 100 and 300 time units, 1000 and 10,000 iterates, or what the input allows."""
    before, span = (100, 300) if system.kind == "flow" else (1000, 10_000)
    available = inputs.drive(system).duration
    if available is not None:
        step = 1.0 if system.kind == "map" else _step(system, method, dt)
        before = min(before, available // (4 * step) * step)
        rest = available - (before if transient is None else real("transient", transient))
        span = math.floor(rest / step + 1e-9) * step if rest > step else available
    before, span = before if transient is None else transient, span if duration is None else duration
    time = clock(system, before, span, dt, method, rtol, atol)
    check_input(system, time)
    return time


def input_covers(system, end):
    """Whether the samples of the input, if it has any, last until this time."""
    available = inputs.drive(system).duration
    return available is None or end <= available * (1 + 1e-9)


def check_input(system, time):
    """Refuse a run that the input's samples do not cover, or whose steps do not end on their borders."""
    drive = inputs.drive(system)
    if drive.duration is None:
        return
    whole_run = (time.transient + time.steps) * time.dt
    if not input_covers(system, whole_run):
        raise ValueError(
            f"duration: {whole_run:g} with the transient, accepted: at most {drive.duration:g}, the time that the "
            "input covers"
        )
    steps = drive.input_dt / time.dt
    if abs(steps - round(steps)) > 1e-9 * steps:
        raise ValueError(f"dt: {time.dt:g}, accepted: a whole fraction of input_dt, {drive.input_dt:g}")


def depends_on_time(system):
    """Whether the rule itself takes the time t."""
    return "t" in inspect.signature(system.model.rule).parameters and "t" not in system.parameters


def time_direction(system):
    """Attributes that explain a zero that is missing, in words."""
    if system.kind == "map" or system.parameters.get("input") is None:
        return {}
    return {
        "time_direction": "driven by an input: exponents are conditional on it, and the direction of time is not "
        "counted among them, so that a periodic orbit has no exponent of zero"
    }


def checked_precision(system, precision, rtol=None):
    """The precision of products with the frame; "single" for systems that are spread over the lanes.

    Steps of a smaller `rtol` than such products' own errors would shrink to nothing.
    """
    choice("precision", precision, ("double", "single"))
    if precision == "single" and not system.data.layout.spread:
        raise ValueError("precision: given 'single', accepted for networks of 20 and more units only; else double")
    if precision == "single" and rtol is not None and rtol < SINGLE_RTOL:
        raise ValueError(f"precision: given 'single' with rtol {rtol:g}, accepted: rtol of {SINGLE_RTOL:g} and more")
    return precision


def _steps(name, span, dt):
    steps = span / dt
    if not steps < MOST_STEPS:
        raise ValueError(f"{name}: {span:g} in steps of {dt:g}, accepted: less than {MOST_STEPS:g} steps")
    return math.ceil(steps - 1e-9)


def checked_state(system, state):
    """The initial state (n,), the system's own where None."""
    if state is None:
        return system.initial_state
    try:
        state = np.array(state, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"initial_state: given {state!r}, accepted: real numbers") from None
    if system.dimension == 1 and not state.ndim:
        state = state[None]
    if state.shape[-1:] != (system.dimension,):
        raise ValueError(
            f"initial_state: given shape {state.shape}, accepted: ({system.dimension},), one number for each unit"
        )
    if not np.isfinite(state).all():
        raise ValueError("initial_state: given a number that is not finite, accepted: finite numbers")
    return state
