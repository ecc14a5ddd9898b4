"""What all verbs share: a plan that measures many points at once, and the call for a single one."""

import functools

import numpy as np

from lyapkit.kernels.blas import one_thread
from lyapkit.progress import Monitor
from lyapkit.results import dataset
from lyapkit.systems.system import as_system


def verb(plan):
    """Make a function that returns a plan a verb: it then runs the plan for one system.

    A plan has ``system``, ``work`` (steps for one point, for the progress bar), ``variables`` (name -> dims),
    ``coords`` (name -> values), ``attrs`` and measure(values, states, monitor), which gives name ->
    array (points, ...) for parameter values name -> (points,) and initial states (points, n). `scan` runs
    the same plan over a grid. A plan may have trimmed(dataset), which takes from a single system's Dataset the
    room that is not filled, and a block, the points that `scan` gives it at a time.
    """

    @functools.wraps(plan)
    def run(system, *arguments, progress=None, **keywords):
        prepared = plan(as_system(system), *arguments, **keywords)
        if prepared.initial_state.ndim != 1:
            given, n = prepared.initial_state.shape, prepared.system.dimension
            raise ValueError(f"initial_state: given shape {given}, accepted: ({n},) for one system")
        with one_thread(prepared.system.data.layout.spread), Monitor(prepared.work, plan.__name__, progress) as monitor:
            states = prepared.initial_state[None]
            measured = prepared.measure({}, states, monitor)
        variables = {name: (dims, np.asarray(measured[name][0])) for name, dims in prepared.variables.items()}
        ds = dataset(prepared.system, variables, prepared.coords, prepared.attrs)
        return prepared.trimmed(ds) if hasattr(prepared, "trimmed") else ds

    run.plan = plan
    return run


def positive(name, value):
    """`value` as a positive finite number; ValueError names it otherwise."""
    number = real(name, value)
    if not number > 0:
        raise ValueError(f"{name}: given {value!r}, accepted: a number above 0")
    return number


def real(name, value):
    """`value` as a finite number."""
    try:
        number = float("nan" if isinstance(value, bool | np.bool_) else value)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: given {value!r}, accepted: a number") from None
    except OverflowError:
        number = np.inf
    if not np.isfinite(number):
        raise ValueError(f"{name}: given {value!r}, accepted: a finite number")
    return number


def interval(name, given):
    """`given` as (low, high), two finite numbers, low below high."""
    try:
        low, high = (float(value) for value in given)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: given {given!r}, accepted: (low, high), two numbers") from None
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ValueError(f"{name}: given {given!r}, accepted: two finite numbers, low below high")
    return low, high


def whole(name, value, low, high):
    """`value` as a whole number from low to high."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ValueError(f"{name}: given {value!r}, accepted: a whole number from {low} to {high}")
    return int(value)


def truth(name, value):
    """`value` if it is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name}: given {value!r}, accepted: True or False")
    return bool(value)


def choice(name, value, accepted):
    """`value` if it is one of the accepted ones."""
    if isinstance(value, bool) or not isinstance(value, str | int) or value not in accepted:
        raise ValueError(f"{name}: given {value!r}, accepted: {', '.join(map(str, accepted))}")
    return value
