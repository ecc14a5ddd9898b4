"""Rows about networks: against the bare products, a NumPy loop, pynamicalsys, and lyapkit's other paths."""

import resource

import measure
import networks_by_numpy
import numpy as np
import scipy.sparse
from row import Row, at_least, at_most, not_installed, under
from rows_kernel import peer

import lyapkit as lk
from lyapkit.analyses.exponents.checks import starting_frame
from lyapkit.kernels.blas import one_thread
from lyapkit.systems import network

SETTLE = 96  # steps after which orthonormalisation intervals are what the condition allows
GIB = 2.0**30


def weights(n, gain, seed=0):
    return gain * np.random.default_rng(seed).standard_normal((n, n)) / np.sqrt(n)


def spectrum(system, steps, transient=SETTLE, **keywords):
    """A callable that computes the exponents over so many steps."""
    unit = 1.0 if system.kind == "map" else system.model.dt
    options = {"transient": transient * unit, "duration": steps * unit, "estimator": "mean", "progress": False}

    def run():
        return lk.lyapunov_spectrum(system, **options, **keywords)

    return run


def seconds_per_step(make, rounds, short, long):
    """Seconds of one step more: make(steps) is a callable of so many steps; what is done once cancels."""
    best = measure.interleaved({steps: make(steps) for steps in (short, long)}, rounds)
    return (best[long] - best[short]) / (long - short)


def _difference(system, by_numpy, J, steps, dt):
    """Differences from the exponents with QR at every step, the largest exponent first."""
    n = len(J)
    ours = spectrum(system, steps, transient=0)().lyapunov_exponent.values
    wanted = by_numpy(J, system.initial_state, starting_frame(n, n, 0).T, steps, dt)
    return abs(ours - wanted)


def _dense(name, system, J, by_numpy, dt, products, rounds, bounds):
    n = len(J)
    window = 32  # steps between orthonormalisations, at most
    steps = window * max(3, 2**17 // n**2)
    with one_thread():
        ours = seconds_per_step(lambda count: spectrum(system, count), rounds, window, steps)
        bare = measure.interleaved({"bare": networks_by_numpy.products(J, n, 8)}, rounds)["bare"] / 8 * products
        frame, x = starting_frame(n, n, 0).T, system.initial_state
        few = max(2, 2**20 // n**2)
        loop = measure.interleaved({"loop": lambda: by_numpy(J, x, frame, few, dt)}, 2)["loop"] / few
        wrong = _difference(system, by_numpy, J, 64 if n < 1024 else 32, dt)
    work = f"{name}, N = {n}"
    shown = f"{1e3 * ours:.2f} ms a step"
    limit, against = bounds
    text = f"{shown}, bare dgemm {1e3 * bare:.2f} ms"
    yield at_most(work, text, ours / bare, limit) if limit else Row(work, text, ours / bare, "for comparison")
    yield at_least(work, f"{shown}, NumPy loop {1e3 * loop:.2f} ms", loop / ours, against)
    yield under(f"{work}: off QR at every step", wrong.max() * 1e6, 1, "e-6")
    if wrong.max() > 1e-6:
        yield under(f"{work}: the first {9 * n // 10} alone", wrong[: 9 * n // 10].max() * 1e6, 1, "e-6")


def calm(rounds):
    """rate_map with dt = 0.1 and rate_flow: full spectra."""
    for n in (256, 512, 1024):
        J = weights(n, 1.5)
        few = min(rounds, 3 if n < 1024 else 1)
        the_map, the_flow = lk.systems.rate_map(J=J, dt=0.1), lk.systems.rate_flow(J=J)
        yield from _dense("rate_map dt = 0.1", the_map, J, networks_by_numpy.rate_map, 0.1, 1, few, (1.4, 4))
        dt = the_flow.model.dt
        yield from _dense("rate_flow rk4", the_flow, J, networks_by_numpy.rate_flow, dt, 4, few, (1.4, 4))


def strong(rounds):
    """rate_map with dt = 1: steps that need QR often."""
    for gain in (1.5, 4.0):
        J = weights(256, gain)
        system = lk.systems.rate_map(J=J)
        name = f"rate_map dt = 1, gain {gain:g}"
        yield from _dense(name, system, J, networks_by_numpy.rate_map, 1.0, 1, min(rounds, 3), (None, 1.5))


def hundred(rounds):
    """rate_map with 100 units, dt = 0.1, against the peer; 100,000 steps, of which the peer does a few."""
    J = weights(100, 1.5)
    ours = seconds_per_step(lambda count: spectrum(lk.systems.rate_map(J=J, dt=0.1), count), 2, 20_000, 100_000)
    slow = peer("peer_pynamicalsys")
    work = "rate_map N = 100, 100,000 steps"
    if slow is None:
        yield not_installed(work, "pynamicalsys")
        return
    theirs = seconds_per_step(lambda count: slow.rate_map(J, 0.1, count), 2, 10, 60)
    yield at_least(work, f"{1e6 * ours:.0f} us a step, pynamicalsys {1e6 * theirs:.0f} us", theirs / ours, 5)


def blocks(rounds):
    """Networks of two-unit blocks: linear in their number, and against the dense path."""
    generator = np.random.default_rng(0)
    alpha, theta = generator.uniform(1.0, 2.0, 500), generator.uniform(0.0, 1.5, 500)
    make = lk.systems.block_rotation_map
    calls = {count: spectrum(make(alpha=alpha[:count], theta=theta[:count]), 2000, transient=0) for count in (250, 500)}
    seconds = measure.interleaved(calls, min(rounds, 5))
    measured = f"250 blocks {1e3 * seconds[250]:.1f} ms, 500 blocks {1e3 * seconds[500]:.1f} ms"
    yield at_most("blocks, twice as many", measured, seconds[500] / seconds[250], 2.2)
    dense = make(alpha=alpha, theta=theta, coupling=np.zeros((1000, 1000)))
    per_step = seconds_per_step(lambda count: spectrum(dense, count, transient=0), 1, 4, 20)
    ours = seconds[500] / 2000
    measured = f"{1e3 * ours:.4f} ms a step, dense {1e3 * per_step:.1f} ms"
    yield at_least("500 blocks, full spectrum", measured, per_step / ours, 100)


def sparse(rounds):
    """2000 units, 10 exponents, 5 % of the weights."""
    J = scipy.sparse.random_array((2000, 2000), density=0.05, format="csr", rng=np.random.default_rng(0))
    J.data = 1.5 * np.random.default_rng(1).standard_normal(J.nnz) / np.sqrt(100)
    system = lk.systems.rate_map(J=J, dt=0.1)
    ours = seconds_per_step(lambda count: spectrum(system, count, n_exponents=10), 3, 100, 400)
    calls = {columns: networks_by_numpy.sparse_products(J, columns, 20) for columns in (1, 10)}
    bare = sum(measure.interleaved(calls, rounds).values()) / 20  # the state's product and the frame's
    measured = f"{1e3 * ours:.2f} ms a step, products alone {1e3 * bare:.2f} ms"
    yield at_most("N = 2000, k = 10, sparse 5 %", measured, ours / bare, 2)
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / GIB
    yield under("memory of this process so far", peak, 1, "GiB")


def many(rounds):
    """64 networks of 16 units in lanes, and one after the other through the path of large ones."""
    gains, steps = np.linspace(0.5, 3.0, 64), 5000
    base = lk.random_network(n=16, kind="map")
    options = {"transient": 500, "duration": steps, "estimator": "mean", "progress": False}

    def together():
        return lk.scan(lk.lyapunov_spectrum, base, {"gain": gains}, workers=1, **options)

    def one_by_one():
        kept, network.SPREAD_UNITS = network.SPREAD_UNITS, 1
        try:
            for gain in gains:
                lk.lyapunov_spectrum(lk.random_network(n=16, kind="map", gain=gain), **options)
        finally:
            network.SPREAD_UNITS = kept

    seconds = measure.interleaved({"scan": together, "loop": one_by_one}, min(rounds, 3))
    measured = f"scan {seconds['scan']:.2f} s, one by one {seconds['loop']:.2f} s"
    yield at_least("64 networks of 16 units", measured, seconds["loop"] / seconds["scan"], 5)


ROWS = {
    "networks": calm,
    "networks-dt1": strong,
    "network-100": hundred,
    "blocks": blocks,
    "sparse": sparse,
    "many": many,
}
