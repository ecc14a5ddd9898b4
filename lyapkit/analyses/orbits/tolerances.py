"""The keywords rtol and atol of adaptive steps, and what a lane says that such steps have given up."""

import numpy as np

from lyapkit.analyses.verb import real
from lyapkit.flags import STATUS
from lyapkit.kernels import steps

_LEAST = 1e-15  # of rtol: more digits than a number has


def tolerances(system, method, rtol, atol):
    """(rtol, atol) of the method, its defaults where None; (None, None) of steps of fixed length."""
    step = steps.propagator(method)
    if steps.is_adaptive(step):
        return (
            _checked("rtol", step.RTOL if rtol is None else rtol, _LEAST),
            _checked("atol", step.ATOL if atol is None else atol, 0.0),
        )
    for name, value in (("rtol", rtol), ("atol", atol)):
        if value is not None:
            fixed = f"{system.name} is a map" if system.kind == "map" else f"method {method} has steps of fixed length"
            raise ValueError(f"{name}: given {value!r}, but {fixed}; accepted: flows with tsit5 or dop853")
    return None, None


def _checked(name, value, least):
    number = real(name, value)
    if not number > 0 or number < least:
        raise ValueError(f"{name}: given {value!r}, accepted: a number {f'from {least:g}' if least else 'above 0'}")
    return number


def control(clock, lanes):
    """Rows of `control` and the arrays of the call table that an adaptive step needs; the first try is a whole step."""
    if clock.rtol is None:
        return 0, {}
    from lyapkit.kernels.steps import _control

    rows = np.zeros((_control.CONTROLS, lanes))
    rows[_control.PROPOSAL], rows[_control.GROWTH] = clock.dt, 1.0
    return len(rows), {"control": rows, "tolerance": np.array([clock.rtol, clock.atol])}


def failure(clock, states):
    """Status (L,) of orbits from states (..., n, L): ok, diverged, or where an adaptive step gave up step_too_small."""
    others = tuple(range(states.ndim - 1))
    lost = ~np.isfinite(states).all(axis=others)
    given_up = np.isnan(states).any(axis=others) & (clock.rtol is not None)
    status = np.where(lost, STATUS["diverged"], STATUS["ok"])
    return np.where(given_up, STATUS["step_too_small"], status).astype(np.int8)
