"""The atlas: everything that is known of a plane of parameters in one Dataset."""

import dataclasses
import json
import math
import time
from collections.abc import Mapping

import numpy as np

from lyapkit.analyses.limit_cycle import limit_cycle
from lyapkit.analyses.lyapunov_spectrum import lyapunov_spectrum
from lyapkit.analyses.orbits.points import select
from lyapkit.analyses.verb import truth, whole
from lyapkit.flags import REGIME, SIGN, STATUS
from lyapkit.kernels.blas import one_thread
from lyapkit.progress import Monitor
from lyapkit.results import check_target, dataset, load, save
from lyapkit.scanning.grid import checked_grid, points
from lyapkit.scanning.hopf_map import hopf_map
from lyapkit.scanning.pool import cores, run_all
from lyapkit.scanning.scan import ScanInterrupted
from lyapkit.systems.system import as_system
from lyapkit.vocabulary import describe, empty

_BLOCK = {"spectrum": 512, "cycle": 128}  # points of one task
_SAVED_EVERY = 20.0  # seconds between files of what is done
_SPECTRUM = ("lyapunov_exponent", "lyapunov_exponent_stderr", "lyapunov_sign")
_PER_POINT = ("n_zeros", "period", "largest_multiplier", "cycle_status")
_CYCLES = {"flow": "limit_cycle", "map": "locked"}  # regimes of orbits that close


@dataclasses.dataclass(frozen=True)
class _Atlas:
    """What is to be measured over a grid, besides its map of bifurcations, and what is known of it so far."""

    spectrum: object  # plans of the verbs
    cycle: object
    values: dict  # name -> (points,)
    known: dict  # variable -> (points, ...), filled as it is found

    def open_spectra(self):
        return np.flatnonzero(self.known["status"] == STATUS["not_computed"])

    def open_cycles(self):
        return np.flatnonzero(self.known["cycle_status"] == STATUS["not_computed"])

    def find_spectra(self, chosen, monitor):
        found = self.spectrum.measure(select(self.values, chosen), self._states(chosen), monitor)
        for name in (*_SPECTRUM, "status"):
            self.known[name][chosen] = found[name]
        self.known["n_zeros"][chosen] = (found["lyapunov_sign"] == SIGN["zero"]).sum(axis=1)

    def find_cycles(self, chosen, monitor):
        found = self.cycle.measure(select(self.values, chosen), self._states(chosen), monitor)
        growth, trivial = found["log_abs_multiplier"], np.asarray(found["trivial_mode"])
        others = np.arange(1, growth.shape[1] + 1) != trivial[:, None]
        with np.errstate(all="ignore"):
            self.known["largest_multiplier"][chosen] = np.fmax.reduce(np.where(others, growth, -np.inf), axis=1)
        nothing = ~np.isfinite(growth).any(axis=1)
        self.known["largest_multiplier"][chosen[nothing]] = np.nan
        self.known["period"][chosen], self.known["cycle_status"][chosen] = found["period"], found["status"]
        rates = found["floquet_exponent"].real
        closed = np.isfinite(found["period"]) & np.isfinite(rates).all(axis=1)
        zeros = (abs(rates) < self.spectrum.attrs["margin"]).sum(axis=1)
        self.known["n_zeros"][chosen[closed]] = zeros[closed]

    def _states(self, chosen):
        return np.repeat(self.spectrum.initial_state[None], len(chosen), axis=0)


def atlas(
    system, grid=None, *, store=None, overwrite=False, resume=True, regimes=None, spectrum=None, cycle=None,
    workers=None, progress=None,
):  # fmt: skip
    """atlas(system, grid=None, *, store=None, overwrite=False, resume=True, regimes=None, spectrum=None, ...)

    Exponents, zeros, cycles, regimes and bifurcation curves of a system over a plane, in one Dataset.

    Returns what `hopf_map` does, and over the grid

    lyapunov_exponent, lyapunov_exponent_stderr, lyapunov_sign (mode)   see `lyapunov_spectrum`
    n_zeros              number of exponents that are zero within the margin; of a cycle that was found by its
                         multipliers, which leave none undecided
    period               of the orbit's cycle (time units; of the locked orbit of a map in iterates), else NaN
    largest_multiplier   ln of the modulus of the cycle's largest multiplier, the flow's own direction left out
    cycle_status         of `limit_cycle`; "not_isolated", "aperiodic" ...: why there is no cycle; "ok" with a period of
                         NaN where orbit_regime is not that of a cycle, so that none was looked for
    status               of the spectrum

    grid        mapping from two parameters to 1-d arrays; default: the system's own ranges
    store       path of a netCDF file. It is written while the work goes on, and a file of the same atlas that is not
                finished is gone on with, unless `resume` is False; any other one is refused, unless `overwrite`
    regimes, spectrum, cycle   keywords of `hopf_map`, `lyapunov_spectrum` and `limit_cycle`, each a mapping
    workers     threads, default one for each core; no result depends on them
    progress    True, False, or None: a bar with the remaining time where stderr is a terminal

    Ctrl-C raises `ScanInterrupted` with what was finished as ``partial``, which is also stored.

    >>> import lyapkit as lk, numpy as np
    >>> grid = {"alpha": np.linspace(1.5, 4, 3), "theta": np.linspace(0.1, 1.0, 4)}
    >>> ds = lk.atlas(lk.systems.rotation_flow, grid)
    >>> ds.n_zeros.values.tolist(), round(float(ds.period[2, 2]), 6)
    ([[0, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1]], 9.672443)
    """
    system, workers = as_system(system), cores() if workers is None else whole("workers", workers, 1, 1024)
    axes = checked_grid(system, grid)
    if len(axes) != 2:
        raise ValueError(f"grid: given {len(axes)} parameters, accepted: two")
    asked = {"regimes": regimes, "spectrum": spectrum, "cycle": cycle}
    keywords = {name: _mapping(name, given) for name, given in asked.items()}
    plans = lyapunov_spectrum.plan(system, **keywords["spectrum"]), limit_cycle.plan(system, **keywords["cycle"])
    if plans[0].initial_state.ndim != 1:
        raise ValueError("spectrum: given states that differ by point, accepted: one initial_state")
    attrs = {"verb": "atlas", "keywords": json.dumps(keywords, default=repr, sort_keys=True)}
    attrs |= {f"spectrum_{name}": plans[0].attrs[name] for name in ("transient", "duration", "margin")}
    attrs["margin"] = attrs.pop("spectrum_margin")
    blank = dataset(system, {}, axes, attrs)
    ds = _begun(store, blank, truth("resume", resume), overwrite)
    if ds is None:
        common = {"workers": workers, "progress": progress}
        ds = _blank(hopf_map(system, axes, **keywords["regimes"], **common), plans[0], attrs)
    return _finished(ds, plans, axes, store, workers, progress)


def _mapping(name, given):
    if given is not None and not isinstance(given, Mapping):
        raise TypeError(f"{name}: given {given!r}, accepted: a mapping from keywords to values")
    for word in {"workers", "progress"} & set(given or {}):
        raise ValueError(f"{name}: given {word}, accepted: as a keyword of atlas itself")
    return dict(given or {})


def _begun(store, blank, resume, overwrite):
    """The unfinished (or finished) atlas that `store` holds, None where there is none to go on with."""
    if store is None:
        return None
    try:
        check_target(store)
        return None
    except FileExistsError:
        if not resume:
            check_target(store, overwrite)
            return None
    try:
        ds = load(store)
    except ValueError:
        check_target(store, overwrite)
        return None
    same = all(np.array_equal(value, ds.attrs.get(name)) for name, value in blank.attrs.items())
    if same and all(name in ds.coords and np.array_equal(blank[name], ds[name]) for name in blank.coords):
        return ds
    if not overwrite:
        raise FileExistsError(f"store: {store} holds something else; overwrite=True (--overwrite) replaces it")
    return None


def _blank(ds, plan, attrs):
    """The map of bifurcations with room for the rest."""
    axes, count = ds.n_fixed_points.dims, plan.n_exponents
    shape = ds.n_fixed_points.shape
    ds = ds.assign_coords(mode=np.arange(1, count + 1))
    kind = ds.attrs["kind"]
    for name in _SPECTRUM:
        ds[name] = ((*axes, "mode"), empty(name, (*shape, count)))
    for name in (*_PER_POINT, "status"):
        ds[name] = (axes, empty(name, shape))
    closes = ds.orbit_regime.values == REGIME[_CYCLES[kind]]
    ds["cycle_status"].values[~closes] = STATUS["ok"]
    for name in (*_SPECTRUM, *_PER_POINT, "status", "mode"):
        ds[name].attrs |= describe(name, kind)
    ds.attrs |= attrs
    return ds


def _finished(ds, plans, axes, store, workers, progress):
    """The atlas with all its points measured, which is stored in between."""
    count = math.prod(len(axis) for axis in axes.values())
    names = (*_SPECTRUM, *_PER_POINT, "status")
    known = {name: ds[name].values.reshape(count, *ds[name].shape[2:]) for name in names}  # views into the Dataset
    job = _Atlas(*plans, points(axes), known)
    tasks = [
        (job.find_spectra, job.open_spectra(), _BLOCK["spectrum"]),
        (job.find_cycles, job.open_cycles(), _BLOCK["cycle"]),
    ]
    work = plans[0].work * len(tasks[0][1]) + plans[1].work * len(tasks[1][1])
    saved, system = time.monotonic(), plans[0].system
    _ = system.cell.function  # compile before the clock of the progress bar starts
    with one_thread(system.data.layout.spread), Monitor(work, "atlas", progress) as monitor:
        for find, open_, block in tasks:
            waves = np.array_split(open_, max(1, -(-len(open_) // (4 * workers * block))))
            for wave in waves:

                def task(at, find=find, wave=wave, block=block):
                    find(wave[at : at + block], monitor)

                interrupt = run_all(task, range(0, len(wave), block), workers, monitor)
                if store is not None and (interrupt is not None or time.monotonic() - saved > _SAVED_EVERY):
                    save(ds, store)
                    saved = time.monotonic()
                if interrupt is not None:
                    raise ScanInterrupted(ds, store) from interrupt
    if store is not None and work:
        save(ds, store)
    return ds
