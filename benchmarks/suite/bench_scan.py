"""scan over the plane: time with one and two workers, and peak memory against steps and points."""

import numpy as np

import lyapkit as lk


def plane(system, points, **keywords):
    grid = {"alpha": np.linspace(0.5, 4.0, points), "theta": np.linspace(0.0, np.pi / 2, points)}
    return lk.scan(lk.lyapunov_spectrum, system, grid, progress=False, **keywords)


class Plane:
    params = [1, 2]
    param_names = ["workers"]
    timeout = 300

    def setup(self, workers):
        plane(lk.systems.rotation_map, 2, duration=10)
        plane(lk.systems.rotation_flow, 2, duration=1.0)

    def time_map(self, workers):
        plane(lk.systems.rotation_map, 64, duration=2000, transient=0, workers=workers)

    def time_flow(self, workers):
        plane(lk.systems.rotation_flow, 64, duration=100.0, transient=0, dt=0.05, workers=workers)


class Memory:
    params = ([64, 256], [200, 2000])
    param_names = ["points per side", "steps"]
    timeout = 300

    def peakmem_map(self, points, steps):
        plane(lk.systems.rotation_map, points, duration=steps, transient=0)
