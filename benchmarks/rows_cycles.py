"""Rows about limit cycles: against a scipy loop, over a plane, one of them, and of a network."""

import time

import cycles_by_scipy
import numpy as np
from row import Row, at_least, under

import lyapkit as lk
from lyapkit.flags import STATUS

RESIDUAL = 1e-10


def plane(rounds):
    """The (alpha, theta) plane, and the same cycles one after the other by scipy (one core)."""
    grid = {"alpha": np.linspace(1.05, 5.0, 100), "theta": np.linspace(0.02, 1.5, 100)}
    lk.limit_cycle(lk.systems.rotation_flow(), progress=False)
    best, points = np.inf, cycles_by_scipy.points()
    theirs = np.inf
    for _ in range(min(rounds, 5)):
        start = time.perf_counter()
        ds = lk.scan(lk.limit_cycle, lk.systems.rotation_flow, grid, progress=False)
        best = min(best, time.perf_counter() - start)
        theirs = min(theirs, cycles_by_scipy.seconds_per_cycle(points))
    found = int((ds.status == STATUS["ok"]).sum())
    worst = float(ds.residual.max())
    ours = best / found
    work = "limit cycles of rotation_flow, 100 x 100"
    return [
        under(work, best, 20.0, "s", f", {found} cycles, residual at most {worst:.1e}"),
        Row(f"{work}: residual", f"{worst:.1e}", None, f"below {RESIDUAL:g}", worst < RESIDUAL),
        at_least(
            "the same: scipy DOP853 + Newton, one core / lyapkit, whole machine, a cycle",
            f"{1e3 * theirs:.1f} ms / {1e3 * ours:.2f} ms", theirs / ours, 50.0,
        ),
    ]  # fmt: skip


def one(rounds):
    """One cycle of van der Pol's oscillator, from a trajectory, warm."""
    system, best = lk.systems.van_der_pol(mu=5.0), np.inf
    for _ in range(rounds + 1):
        start = time.perf_counter()
        lk.limit_cycle(system, progress=False)
        best = min(best, time.perf_counter() - start)
    return [under("one cycle of van_der_pol, mu = 5, from a trajectory", 1e3 * best, 50.0, "ms")]


def network(rounds):
    """A cycle of 100 units with all multipliers: time over the number of segments, all else equal."""
    system = lk.systems.rate_flow(J=_turning(100))
    lk.limit_cycle(system, n_phase=64, progress=False)
    seconds = {}
    for count in (256, 512, 1024):
        start = time.perf_counter()
        ds = lk.limit_cycle(system, n_phase=count, progress=False)
        seconds[count] = time.perf_counter() - start
    rows = [
        Row(
            f"cycle of a rate network of 100 units, all multipliers, {count} segments",
            f"{value:.2f} s, {1e3 * value / count:.2f} ms a segment, liouville_error {float(ds.liouville_error):.0e}",
        )
        for count, value in seconds.items()
    ]
    slope = (seconds[1024] - seconds[512]) / (seconds[512] - seconds[256])
    return [
        *rows,
        Row("the same: seconds added by the last doubling over those by the one before", f"{slope:.2f} (2: linear)"),
    ]


def _turning(n):
    """Weights of a network with a stable cycle: a turning plane besides random ones."""
    rng = np.random.default_rng(0)
    plane = np.linalg.qr(rng.standard_normal((n, 2)))[0]
    turn = np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])
    return 2.0 * plane @ turn @ plane.T + 0.5 * rng.standard_normal((n, n)) / np.sqrt(n)


ROWS = {"cycle-plane": plane, "cycle": one, "cycle-network": network}
