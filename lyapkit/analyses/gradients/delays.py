"""The delays of a learning signal, and steps that end on them."""

import math

import numpy as np

from lyapkit.analyses.orbits.clock import MOST_STEPS, check_input, clock
from lyapkit.analyses.verb import choice
from lyapkit.systems import inputs

FIXED_METHODS = ("rk4", "rk8", "euler")  # of flows; the tangent map of an adaptive step is not that of a fixed one
# by default: iterates or time units of the longest delay, and about how many
_LONGEST, _DELAYS = {"map": 10_000, "flow": 300.0}, 60
_SEGMENT = 8  # default delays of a flow are whole segments (see `tangent_product`), which is fast
_FINEST = 10  # the step is divided by at most so many for the delays' sake
_SAME = 1e-9  # of the longest delay: what is this close is equal


def delay_clock(system, delays, transient, dt, method):
    """(clock, stops, delays): a clock whose steps end on the delays after `stops` steps.

    A flow's dt is shortened to a common divisor of the delays; where they have none of dt / 10 or more, or an input
    fixes the step, delays are rounded to whole steps.
    """
    if method is not None and system.kind == "flow":
        choice("method", method, FIXED_METHODS)
    transient = (100 if system.kind == "flow" else 1000) if transient is None else transient
    whole = clock(system, transient, 1, dt, method)
    step = whole.dt
    if delays is None:
        stops = _default_stops(system, whole)
        delays = stops * step
    else:
        delays = _checked(system, delays)
        if system.kind == "flow" and inputs.drive(system).duration is None:
            step = _shortened(delays, step)
        if not delays[-1] / step < MOST_STEPS:
            raise ValueError(f"delays: {delays[-1]:g} in steps of {step:g}, accepted: less than {MOST_STEPS:g} steps")
        stops = np.maximum(np.rint(delays / step), 1).astype(np.int64)
        stops, chosen = np.unique(stops, return_index=True)
        rounded = abs(stops * step - delays[chosen]) > _SAME * delays[-1]
        delays = np.where(rounded, stops * step, delays[chosen])
    final = clock(system, transient, int(stops[-1]) * step, None if system.kind == "map" else step, method)
    check_input(system, final)
    return final, stops, delays


def _default_stops(system, time):
    """Stops at equal ratios, the first after one segment, the last as late as wanted and as the input lasts."""
    longest, segment = _LONGEST[system.kind] / time.dt, 1 if system.kind == "map" else _SEGMENT
    available = inputs.drive(system).duration
    if available is not None:
        longest = min(longest, math.floor(available / time.dt + 1e-9) - time.transient)
        if longest < segment:
            raise ValueError(f"transient: the input ends after {available:g}, accepted: a transient that leaves delays")
    return segment * np.unique(np.rint(np.geomspace(1, longest // segment, _DELAYS)).astype(np.int64))


def _checked(system, delays):
    try:
        delays = np.atleast_1d(np.array(delays, dtype=float))
    except (TypeError, ValueError):
        raise TypeError(f"delays: given {delays!r}, accepted: numbers") from None
    ascending = delays.ndim == 1 and len(delays) and np.isfinite(delays).all() and (np.diff(delays) > 0).all()
    if not ascending or not delays[0] > 0:
        raise ValueError(f"delays: given {delays!r}, accepted: finite numbers above 0, ascending")
    if system.kind == "map" and (delays != np.rint(delays)).any():
        raise ValueError(f"delays: given {delays!r}, accepted: whole numbers of iterates, {system.name} is a map")
    return delays


def _shortened(delays, dt):
    """The longest step up to dt of which all delays are multiples; dt itself where that is below dt / 10."""
    same, common = _SAME * delays[-1], delays[0]
    for delay in delays[1:]:
        rest = delay
        while rest > same:  # Euclid's algorithm, with the remainder nearest zero
            common, rest = rest, abs(common - round(common / rest) * rest)
        if common < dt / _FINEST:
            return dt
    step = common / math.ceil(common / dt - 1e-9)
    fits = (abs(np.rint(delays / step) * step - delays) <= same).all()
    return step if fits and step >= dt / _FINEST else dt
