"""`scan`: a verb at every point of a grid, in blocks of lanes on a pool of threads."""

import dataclasses
import math

import numpy as np

from lyapkit.analyses.orbits.points import select
from lyapkit.analyses.verb import whole
from lyapkit.flags import STATUS
from lyapkit.kernels.blas import one_thread
from lyapkit.kernels.simd import WIDTH
from lyapkit.progress import Monitor
from lyapkit.results import check_target, dataset, save
from lyapkit.scanning.grid import checked_grid, points
from lyapkit.scanning.pool import cores, run_all
from lyapkit.systems.system import as_system
from lyapkit.vocabulary import empty

# Points of one task, at most: enough that the work around the kernels is small beside them. Each worker gets some
# tasks, so that all are busy to the end and an interrupted scan keeps what was finished.
BLOCK, TASKS_EACH = 512, 3


class ScanInterrupted(KeyboardInterrupt):
    """Ctrl-C during a scan; `partial` is the Dataset of what was finished."""

    def __init__(self, partial, path):
        super().__init__("the scan was interrupted")
        self.partial = partial
        count, status = partial.status.size, partial.status.values
        done = count - int((status == STATUS["not_computed"]).sum())
        self.kept = f": {done} of {count} points are kept" + (f" in {path}" if path else "")


def scan(
    verb, system, grid=None, *, store=None, overwrite=False, workers=None, progress=None, block=None,
    **verb_keywords,
):  # fmt: skip
    """Run a verb at every point of a grid of parameters.

    Returns the verb's variables in one Dataset, dims in grid order, then the verb's. A point that fails is
    NaN with its ``status``; the scan goes on. Results depend, to the last bit, on neither
    `workers` nor `block`.

    verb        a verb such as lyapkit.lyapunov_spectrum; its keywords follow as `verb_keywords`
    system      a System, or its constructor
    grid        mapping from parameter names to 1-d arrays; default: the system's own ranges
    store       path of a netCDF file to write as well; refused where it exists, unless `overwrite`
    workers     threads, default one for each core
    progress    True, False, or None: a bar with the remaining time where stderr is a terminal
    block       points of one task, default at most 512 (of cycles 2048) and three tasks for each worker

    `initial_state` is (unit,) for all points, or (*grid, unit). Ctrl-C raises `ScanInterrupted` with what was
    finished as ``partial``, which is also stored; where `store` existed, beside it as <name>.partial.nc, so that a
    finished file is not lost.

    >>> import lyapkit as lk, numpy as np
    >>> grid = {"r": np.array([2.0, 3.2, 4.0])}
    >>> ds = lk.scan(lk.lyapunov_spectrum, lk.systems.logistic, grid, initial_state=[0.3])
    >>> ds.lyapunov_sign.values.ravel()
    array([-1, -1,  1], dtype=int8)
    """
    plan, axes = prepare(verb, system, grid, verb_keywords)
    workers = cores() if workers is None else whole("workers", workers, 1, 1024)
    count = math.prod(len(axis) for axis in axes.values())
    block = _block(count, workers, getattr(plan, "block", BLOCK)) if block is None else whole("block", block, 1, 2**20)
    if store is not None:
        store = check_target(store, overwrite)
    arrays, error = _run(plan, axes, block, workers, progress, verb.__name__)
    ds = _assemble(plan, axes, arrays, verb.__name__)
    if error is not None and store is not None and store.exists():
        store = store.with_suffix(".partial.nc")
        overwrite = True
    if store is not None:
        save(ds, store, overwrite=overwrite)
    if error is not None:
        raise ScanInterrupted(ds, store) from error
    return ds


def _block(count, workers, most):
    """Points of a task, at most so many: whole vectors of lanes."""
    fair = -(-count // (TASKS_EACH * workers))
    return min(most, -(-fair // WIDTH) * WIDTH)


def prepare(verb, system, grid, verb_keywords):
    """The verb's plan for the system and the grid's axes, all keywords checked."""
    if not callable(getattr(verb, "plan", None)):
        raise TypeError(f"verb: given {verb!r}, accepted: a verb such as lyapkit.lyapunov_spectrum")
    system = as_system(system)
    axes = checked_grid(system, grid)
    plan = verb.plan(system, **verb_keywords)
    for name in axes.keys() & (plan.variables.keys() | plan.coords.keys() | {"time", "mode", "unit"}):
        raise ValueError(f"grid: a parameter named {name!r} cannot be scanned, as the result has a {name} too")
    shape = tuple(len(axis) for axis in axes.values())
    if plan.initial_state.ndim > 1 and plan.initial_state.shape[:-1] != shape:
        raise ValueError(
            f"initial_state: given shape {plan.initial_state.shape}, accepted: {(system.dimension,)} or "
            f"{(*shape, system.dimension)}"
        )
    return plan, axes


def _run(plan, axes, block, workers, progress, label):
    """The variables' arrays (points, ...), and the KeyboardInterrupt that ended the run, if any."""
    values = points(axes)
    count = len(next(iter(values.values())))
    n = plan.system.dimension
    states = np.broadcast_to(plan.initial_state.reshape(-1, n), (count, n))
    sizes = {name: len(coordinate) for name, coordinate in plan.coords.items()}
    arrays = {name: empty(name, (count, *(sizes[d] for d in dims))) for name, dims in plan.variables.items()}
    _ = plan.system.cell.function  # compile before the clock of the progress bar starts

    def task(start):
        chosen = slice(start, start + block)
        part = select(values, chosen)
        for name, result in _measured(plan, part, states[chosen], monitor).items():
            arrays[name][chosen] = result

    with one_thread(plan.system.data.layout.spread), Monitor(count * plan.work, label, progress) as monitor:
        error = run_all(task, range(0, count, block), workers, monitor)
    return arrays, error


def _measured(plan, values, states, monitor):
    """What the plan measures; points whose structural parameters (a seed) differ are systems of their own."""
    names = [name for name in values if name in plan.system.model.structural]
    if not names:
        return plan.measure(values, states, monitor)
    kinds, place = np.unique([values[name] for name in names], axis=1, return_inverse=True)
    rest = {name: column for name, column in values.items() if name not in names}
    result = {}
    for number, kind in enumerate(kinds.T):
        chosen = np.flatnonzero(place.ravel() == number)
        system = plan.system.with_(**{name: int(value) for name, value in zip(names, kind, strict=True)})
        own = dataclasses.replace(plan, system=system)
        part = select(rest, chosen)
        for name, array in own.measure(part, states[chosen], monitor).items():
            result.setdefault(name, np.empty((len(states), *array.shape[1:]), array.dtype))[chosen] = array
    return result


def _assemble(plan, axes, arrays, verb_name):
    shape = tuple(len(axis) for axis in axes.values())
    variables = {
        name: ((*axes, *dims), arrays[name].reshape(*shape, *arrays[name].shape[1:]))
        for name, dims in plan.variables.items()
    }
    return dataset(plan.system, variables, {**axes, **plan.coords}, {**plan.attrs, "verb": verb_name})
