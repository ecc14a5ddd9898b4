"""Limit cycles of x' = -x + tanh(alpha R(theta) x) as a careful scipy user finds them: what limit_cycle must outrun.

A transient, the time between two crossings of a section, then single shooting: Newton on the section with DOP853 on
state and variational equation (six numbers) until the orbit closes to 1e-10. One point at a time, on one core.

    python benchmarks/cycles_by_scipy.py

The right-hand sides are plain Python on the entries of NumPy arrays, which for so few entries is faster than arithmetic
of whole arrays. `compiled=True` takes the same ones compiled by numba; it saves only a seventh of the time, since the
rest is scipy's own Python code around each stage.
"""

import math
import time

import numba
import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import brentq, minimize_scalar

TRANSIENT = 100.0
LONGEST = 2000.0  # a cycle that takes longer than half of this is not found
CLOSED = 1e-10


def _state(t, x, a, b):
    velocity = np.empty(2)
    velocity[0] = math.tanh(a * x[0] - b * x[1]) - x[0]
    velocity[1] = math.tanh(b * x[0] + a * x[1]) - x[1]
    return velocity


def _variational(t, z, a, b):
    """z: both units, then the derivative by the start, row by row."""
    u, v = math.tanh(a * z[0] - b * z[1]), math.tanh(b * z[0] + a * z[1])
    s, r = 1.0 - u * u, 1.0 - v * v
    velocity = np.empty(6)
    velocity[0] = u - z[0]
    velocity[1] = v - z[1]
    velocity[2] = s * (a * z[2] - b * z[4]) - z[2]
    velocity[3] = s * (a * z[3] - b * z[5]) - z[3]
    velocity[4] = r * (b * z[2] + a * z[4]) - z[4]
    velocity[5] = r * (b * z[3] + a * z[5]) - z[5]
    return velocity


PLAIN = (_state, _variational)
COMPILED = tuple(numba.njit(rule) for rule in PLAIN)


def _crossing(t, x, a, b):
    return x[1]


_crossing.direction = 1.0
_crossing.terminal = 2


def cycle(alpha, theta, compiled=False):
    """Period and multiplier of the cycle; RuntimeError where none is found."""
    state, variational = COMPILED if compiled else PLAIN
    constants = alpha * math.cos(theta), alpha * math.sin(theta)
    settled = solve_ivp(state, (0.0, TRANSIENT), [0.3, 0.1], method="DOP853", args=constants, rtol=1e-6, atol=1e-8)
    found = solve_ivp(
        state, (0.0, LONGEST), settled.y[:, -1],
        method="DOP853", args=constants, rtol=1e-8, atol=1e-10, events=_crossing,
    )  # fmt: skip
    if len(found.t_events[0]) < 2:
        raise RuntimeError(f"no cycle at alpha {alpha}, theta {theta}")
    return _shoot(variational, constants, found.y_events[0][1][0], found.t_events[0][1] - found.t_events[0][0])


def _shoot(variational, constants, radius, period):
    for _ in range(10):
        start = np.array([radius, 0.0, 1.0, 0.0, 0.0, 1.0])
        z = solve_ivp(
            variational, (0.0, period), start, method="DOP853", args=constants, rtol=1e-12, atol=1e-13
        ).y[:, -1]  # fmt: skip
        monodromy = z[2:].reshape(2, 2)
        wrong = z[:2] - start[:2]
        if np.hypot(*wrong) < CLOSED:
            return period, np.trace(monodromy) - 1.0
        system = np.column_stack([monodromy[:, 0] - [1.0, 0.0], variational(0.0, z, *constants)[:2]])
        change = np.linalg.solve(system, wrong)
        radius, period = radius - change[0], period - change[1]
    raise RuntimeError(f"the orbit does not close: {wrong}")


def fold_angle(alpha):
    """theta_SN: the largest angle between u and tanh(u) among |u| = alpha |tanh u|, where fixed points still exist."""

    def angle(direction):
        c, s = math.cos(direction), math.sin(direction)
        r = brentq(lambda r: r - alpha * math.hypot(math.tanh(r * c), math.tanh(r * s)), 1e-3, 2.0 * alpha)
        return direction - math.atan2(math.tanh(r * s), math.tanh(r * c))

    found = minimize_scalar(lambda d: -abs(angle(d)), bounds=(0.0, math.pi / 4), method="bounded")
    return -found.fun


def points(margin=0.03, count=7):
    """Of a grid over the plane, the points with a cycle, off the fold and the Hopf curve by the margin."""
    return [
        (float(alpha), float(theta))
        for alpha in np.linspace(1.05, 5.0, count)
        for theta in np.linspace(0.02, 1.5, count)
        if fold_angle(alpha) + margin < theta < math.acos(1.0 / alpha) - margin
    ]


def seconds_per_cycle(points, compiled=False, rounds=1):
    """Mean seconds of `cycle` over the points in the fastest round; what is compiled is compiled before."""
    cycle(*points[0], compiled=compiled)
    best = math.inf
    for _ in range(rounds):
        start = time.perf_counter()
        for alpha, theta in points:
            cycle(alpha, theta, compiled=compiled)
        best = min(best, time.perf_counter() - start)
    return best / len(points)


if __name__ == "__main__":
    chosen = points()
    for rules, compiled in {"plain": False, "compiled": True}.items():
        seconds = seconds_per_cycle(chosen, compiled, rounds=3)
        print(f"{len(chosen)} points, {rules} right-hand sides: {1e3 * seconds:.1f} ms a cycle")
