"""pynamicalsys 1.7 on the benchmark's systems: its public classes, compiled rules, its default QR.

Every function returns a callable that runs `steps` steps at each of a handful of points, one after the
other, which is how that package scans. Importing this module raises ImportError where it is not installed.
"""

import functools

import numpy as np
from numba import njit
from pynamicalsys import ContinuousDynamicalSystem, DiscreteDynamicalSystem


@njit
def _map(x, parameters):
    alpha, theta = parameters
    a, b = alpha * np.cos(theta), alpha * np.sin(theta)
    return np.array([np.tanh(a * x[0] - b * x[1]), np.tanh(b * x[0] + a * x[1])])


@njit
def _map_jacobian(x, parameters, *_):
    alpha, theta = parameters
    a, b = alpha * np.cos(theta), alpha * np.sin(theta)
    s = 1.0 - np.tanh(a * x[0] - b * x[1]) ** 2
    r = 1.0 - np.tanh(b * x[0] + a * x[1]) ** 2
    return np.array([[s * a, -s * b], [r * b, r * a]])


@njit
def _flow(time, x, parameters):
    alpha, theta = parameters
    a, b = alpha * np.cos(theta), alpha * np.sin(theta)
    return np.array([np.tanh(a * x[0] - b * x[1]) - x[0], np.tanh(b * x[0] + a * x[1]) - x[1]])


@njit
def _flow_jacobian(time, x, parameters):
    alpha, theta = parameters
    a, b = alpha * np.cos(theta), alpha * np.sin(theta)
    s = 1.0 - np.tanh(a * x[0] - b * x[1]) ** 2
    r = 1.0 - np.tanh(b * x[0] + a * x[1]) ** 2
    return np.array([[s * a - 1.0, -s * b], [r * b, r * a - 1.0]])


def _over_points(exponents, points):
    def run():
        return np.array([exponents(parameters=point) for point in points])

    run()  # compile
    return run


def rotation_map(points, steps):
    system = DiscreteDynamicalSystem(mapping=_map, jacobian=_map_jacobian, system_dimension=2, number_of_parameters=2)
    return _over_points(functools.partial(system.lyapunov, [0.3, 0.1], steps), points)


def _flow_runner(system, start, points, steps, dt):
    system.integrator("rk4", time_step=dt)
    # its end point adds one step to the given time
    return _over_points(functools.partial(system.lyapunov, start, (steps - 1) * dt), points)


def rotation_flow(points, steps, dt):
    system = ContinuousDynamicalSystem(
        equations_of_motion=_flow, jacobian=_flow_jacobian, system_dimension=2, number_of_parameters=2
    )
    return _flow_runner(system, [0.3, 0.1], points, steps, dt)


def lorenz63(points, steps, dt):
    system = ContinuousDynamicalSystem(model="lorenz system")
    return _flow_runner(system, [1.0, 2.0, 20.0], points, steps, dt)


def rate_map(J, dt, steps):
    """A callable that iterates the rate network x <- (1 - dt) x + dt J tanh(x), all exponents."""
    n = len(J)

    @njit
    def mapping(x, parameters):
        return (1.0 - dt) * x + dt * (J @ np.tanh(x))

    @njit
    def jacobian(x, parameters, *_):
        return (1.0 - dt) * np.eye(n) + dt * J / np.cosh(x) ** 2

    system = DiscreteDynamicalSystem(mapping=mapping, jacobian=jacobian, system_dimension=n, number_of_parameters=1)
    start = np.random.default_rng(0).uniform(-0.5, 0.5, n)
    return _over_points(functools.partial(system.lyapunov, start, steps), [[0.0]])
