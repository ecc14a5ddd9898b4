"""What a user may say of a cycle, checked: guesses, periods, sections."""

import math

import numpy as np

from lyapkit.analyses.orbits.clock import depends_on_time
from lyapkit.analyses.trajectory import trajectory
from lyapkit.analyses.verb import positive, real, whole
from lyapkit.systems import inputs


def iterates(system, state, count):
    if count == 1:
        return state[None]
    return trajectory(system, initial_state=state, duration=count - 1, progress=False).state.values


def refuse_driven(system):
    if inputs.drive(system).count > 0 or depends_on_time(system):
        raise ValueError(f"system: {system.name} depends on time or an input, accepted: one that does not")


def orbit_of_result(guess, period):
    """Orbit and period of an earlier result."""
    for name in ("state", "period"):
        if name not in guess or (name == "state" and guess.state.dims != ("phase", "unit")):
            raise ValueError(f"guess: a Dataset without {name}, accepted: a result of limit_cycle for one system")
    if not np.isfinite(guess.period):
        raise ValueError("guess: a Dataset that holds no cycle, accepted: one in which it was found")
    orbit = guess.state.values
    return orbit[np.isfinite(orbit).all(axis=1)], float(guess.period) if period is None else period


def checked_guess(system, guess):
    try:
        array = np.array(guess, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"guess: given {guess!r}, accepted: real numbers") from None
    n = system.dimension
    if array.ndim not in (1, 2) or array.shape[-1] != n or not array.size:
        raise ValueError(f"guess: given shape {array.shape}, accepted: ({n},) or (phase, {n})")
    if not np.isfinite(array).all():
        raise ValueError("guess: given a number that is not finite, accepted: finite numbers")
    return array


def checked_period(period, guess, least, most):
    """(starting value or None, (low, high)) of the keyword; `most` is what can be computed in reasonable time."""
    if period is None:
        if guess is not None and (np.ndim(guess) == 1 or least != 1):
            raise ValueError("period: not given, accepted with a guess: how long it takes")
        return None, (least, np.inf)
    if np.ndim(period) == 0:
        about = positive("period", period)
        if about > most:
            raise ValueError(f"period: given {period!r}, accepted: at most {most:g}")
        return about, ((least, np.inf) if guess is not None else (max(least, about / 2), 1.5 * about))
    if np.shape(period) != (2,):
        raise ValueError(f"period: given {period!r}, accepted: a number or (low, high)")
    low, high = (positive("period", value) for value in period)
    if low > most:
        raise ValueError(f"period: given {tuple(period)!r}, accepted: at most {most:g}")
    if low >= high:
        raise ValueError(f"period: given {tuple(period)!r}, accepted: (low, high) with low < high")
    return math.sqrt(low * high), (low, high)


def checked_section(system, section):
    if np.shape(section) != (2,):
        raise ValueError(f"section: given {section!r}, accepted: (unit, level)")
    unit, level = section
    number = real("section", unit)
    number = int(number) if number.is_integer() else unit
    return whole("section", number, 0, system.dimension - 1), real("section", level)


def resampled(orbit, count):
    """An orbit (phases, n) of equal times at `count` equal times, linearly between its samples."""
    at = np.arange(count) / count
    given = np.arange(len(orbit) + 1) / len(orbit)
    closed = np.concatenate([orbit, orbit[:1]])
    return np.stack([np.interp(at, given, column) for column in closed.T], axis=1)
