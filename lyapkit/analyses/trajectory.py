"""Trajectories."""

import dataclasses

import numpy as np

from lyapkit.analyses.orbits.clock import Clock, check_input, checked_state, clock, time_direction
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.analyses.orbits.tolerances import failure
from lyapkit.analyses.verb import verb, whole
from lyapkit.systems.system import System


@dataclasses.dataclass(frozen=True)
class _Trajectory:
    system: System
    initial_state: np.ndarray
    clock: Clock
    every: int

    @property
    def work(self):
        return self.clock.transient + self.clock.steps

    @property
    def variables(self):
        return {"state": ("time", "unit"), "status": ()}

    @property
    def coords(self):
        samples = np.arange(self.clock.steps // self.every + 1)
        return {
            "time": samples * self.every * self.clock.dt,
            "unit": np.arange(self.system.dimension),
        }

    @property
    def attrs(self):
        return self.clock.attrs | time_direction(self.system)

    def measure(self, values, states, monitor):
        ensemble = Ensemble(self.system, values, states, self.clock, 0)
        ensemble.run(self.clock.transient, monitor)
        start = ensemble.gather("x")
        _, record = ensemble.run(self.clock.steps, monitor, stride=self.every)
        state = np.concatenate([start[None], record])
        status = failure(self.clock, state)
        state[~np.isfinite(state)] = np.nan
        return {
            "state": np.moveaxis(state, -1, 0)[: ensemble.points],
            "status": status[: ensemble.points],
        }


@verb
def trajectory(
    system, *, initial_state=None, transient=0, duration=100, dt=None, method=None, rtol=None, atol=None, every=1
):
    """trajectory(system, *, initial_state=None, transient=0, duration=100, dt=None, method=None, rtol=None, atol=None,
               every=1)

    The orbit of one initial state.

    Returns a Dataset with state(time, unit) at times 0, every dt, ... after the transient, and status.

    initial_state  (unit,), default the system's own
    transient      time units (maps: iterates) run before the record starts
    duration       time units (maps: iterates) recorded
    dt, method     step and Runge-Kutta method of a flow: "rk4" (default), "rk8", "euler", or "tsit5" and "dop853",
                   which divide dt (then by default 4 and 8 steps of "rk4") into as many substeps as rtol and
                   atol ask; maps refuse both
    rtol, atol     relative and absolute error of a substep of tsit5 (1e-7, 1e-9) and dop853 (1e-10, 1e-12)
    every          steps between samples
    progress       True, False, or None: a bar on a terminal

    A state that leaves the finite numbers is NaN from there on, with status "diverged"; "step_too_small" where the
    substeps of an adaptive method fell below what the time resolves, or were more than 100,000 in one dt.

    >>> import lyapkit as lk
    >>> ds = lk.trajectory(lk.systems.logistic(r=2.0), initial_state=[0.1], duration=20)
    >>> round(float(ds.state[-1, 0]), 12)
    0.5
    """
    time = clock(system, transient, duration, dt, method, rtol, atol)
    check_input(system, time)
    return _Trajectory(
        system,
        checked_state(system, initial_state),
        time,
        whole("every", every, 1, 10**9),
    )
