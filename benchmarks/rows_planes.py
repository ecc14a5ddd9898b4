"""Rows about maps of bifurcations: a plane of points, and what its orbits alone would take."""

import time

import numpy as np
from row import Row, under

import lyapkit as lk
from lyapkit.analyses.orbits.clock import Clock
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.progress import Monitor
from lyapkit.scanning.grid import points
from lyapkit.scanning.pool import cores

SIDE, SECONDS = 400, 10.0
# the least that tells a regime: transient and half a first window without a frame
STEPS = {"rotation_flow": (Clock("rk4", 0.05, 0, 1500), 1500), "rotation_map": (Clock("iterate", 1.0, 0, 768), 768)}


def hopf_map(rounds):
    """hopf_map over 400 x 400 points of the plane, whole machine, and the bare orbits' share of its time."""
    grid = {"alpha": np.linspace(0.5, 4.0, SIDE), "theta": np.linspace(0.0, np.pi / 2, SIDE)}
    rows = []
    for name, (clock, steps) in STEPS.items():
        constructor = getattr(lk.systems, name)
        lk.hopf_map(constructor, {k: v[::40] for k, v in grid.items()}, progress=False)
        best = np.inf
        for _ in range(min(rounds, 3)):
            start = time.perf_counter()
            lk.hopf_map(constructor, grid, progress=False)
            best = min(best, time.perf_counter() - start)
        bare = _bare(constructor(), {k: v[::8] for k, v in grid.items()}, clock, steps) * SIDE**2 / cores()
        work = f"hopf_map of {name}, {SIDE} x {SIDE}"
        rows += [
            under(work, best, SECONDS, "s", f", {SIDE**2 / best:.0f} points/s"),
            Row("the same: share of its time that one bare orbit of each point would take", f"{bare / best:.2f}"),
        ]
    return rows


def _bare(system, grid, clock, steps):
    """Seconds on one core of the orbit of one point."""
    values = points(grid)
    count = len(next(iter(values.values())))
    ensemble = Ensemble(system, values, np.repeat(system.initial_state[None], count, axis=0), clock, 0)
    start = time.perf_counter()
    ensemble.run(steps, Monitor(1, "orbits", False))
    return (time.perf_counter() - start) / count


ROWS = {"hopf-map": hopf_map}
