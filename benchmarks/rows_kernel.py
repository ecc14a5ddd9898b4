"""Rows timed inside this process: lyapkit against pynamicalsys, JAX, the limit, a scalar loop, itself."""

import importlib

import limits
import measure
import numpy as np
import scalar_loops
from row import Row, at_least, at_most, not_installed

import lyapkit as lk

STEPS = 2000
LIBRARY_QR_STEPS = 100  # its LAPACK calls are 50 times slower than all else
FLOW_DT, LORENZ_DT = 0.05, 0.01
ALPHA, THETA = np.linspace(0.5, 4.0, 64), np.linspace(0.0, np.pi / 2, 64)
GRID = {"alpha": ALPHA, "theta": THETA}
POINTS = np.stack(np.meshgrid(ALPHA, THETA, indexing="ij"), -1).reshape(-1, 2)
RHO = np.linspace(24.5, 60.0, 4096)
A_FEW = slice(0, 8 * 521, 521)  # the peer's time per point is the same everywhere, so a few points do


def peer(module):
    """The named peer module, or None where its package is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


def scan(system, grid, workers=1, **keywords):
    """A callable that scans `grid` with lyapkit, its defaults for all that is not given."""

    def run():
        return lk.scan(lk.lyapunov_spectrum, system, grid, workers=workers, progress=False, transient=0, **keywords)

    return run


def nanoseconds(candidates, rounds):
    """{name: ns per point and step} of {name: (callable, points x steps in a call)}."""
    seconds = measure.interleaved({name: call for name, (call, _) in candidates.items()}, rounds)
    return {name: 1e9 * seconds[name] / count for name, (_, count) in candidates.items()}


def pair(ns, other):
    return f"{ns['lyapkit']:.1f} ns, {other} {ns[other]:.1f} ns", ns[other] / ns["lyapkit"]


def faster(work, ns, other, bound, package=None):
    """Row: lyapkit is at least `bound` times as fast as `other`, where that was timed."""
    if other not in ns:
        return not_installed(work, package or other)
    return at_least(work, *pair(ns, other), bound)


def within(work, ns, other, bound):
    """Row: lyapkit takes at most `bound` times as long as `other`."""
    measured, ratio = pair(ns, other)
    return at_most(work, measured, 1.0 / ratio, bound)


def rotation_map(rounds):
    """64 x 64 points, 2000 iterates, two exponents."""
    points = len(POINTS)
    candidates = {
        "lyapkit": (scan(lk.systems.rotation_map, GRID, duration=STEPS), points * STEPS),
        "limit": (lambda: limits.map_exponents(*POINTS.T, steps=STEPS), points * STEPS),
    }
    slow, jax = peer("peer_pynamicalsys"), peer("peer_jax")
    if slow:
        few = POINTS[A_FEW]
        candidates["pynamicalsys"] = slow.rotation_map(few, STEPS), len(few) * STEPS
    for form in jax.FORMS if jax else ():
        steps = LIBRARY_QR_STEPS if form == "library_qr" else STEPS
        candidates[f"JAX {form}"] = jax.rotation_map(form, POINTS, steps), points * steps
    ns = nanoseconds(candidates, rounds)
    work = "rotation_map, two exponents"
    yield faster(work, ns, "pynamicalsys", 45)
    yield faster(work, ns, "JAX general", 5, "JAX")
    for form in ("library_qr", "written_out") if jax else ():
        yield Row(work, *pair(ns, f"JAX {form}"), "for comparison")
    yield within(work, ns, "limit", 2.5)


def rotation_flow(rounds):
    """64 x 64 points, 2000 Runge-Kutta steps of 0.05, two exponents."""
    count = len(POINTS) * STEPS
    ours = scan(lk.systems.rotation_flow, GRID, duration=STEPS * FLOW_DT, dt=FLOW_DT, method="rk4")
    candidates = {
        "lyapkit": (ours, count),
        "limit": (lambda: limits.flow_exponents(*POINTS.T, steps=STEPS, dt=FLOW_DT), count),
    }
    slow = peer("peer_pynamicalsys")
    if slow:
        few = POINTS[A_FEW]
        candidates["pynamicalsys"] = slow.rotation_flow(few, STEPS, FLOW_DT), len(few) * STEPS
    ns = nanoseconds(candidates, rounds)
    work = "rotation_flow, RK4, two exponents"
    yield faster(work, ns, "pynamicalsys", 40)
    yield within(work, ns, "limit", 2)


def lorenz63(rounds):
    """4096 values of rho, 2000 Runge-Kutta steps of 0.01, three exponents."""
    ours = scan(lk.systems.lorenz63, {"rho": RHO}, duration=STEPS * LORENZ_DT, dt=LORENZ_DT, method="rk4")
    candidates = {"lyapkit": (ours, len(RHO) * STEPS)}
    slow = peer("peer_pynamicalsys")
    if slow:
        few = [(10.0, rho, 8.0 / 3.0) for rho in RHO[A_FEW]]
        candidates["pynamicalsys"] = slow.lorenz63(few, STEPS, LORENZ_DT), len(few) * STEPS
    ns = nanoseconds(candidates, rounds)
    yield faster("lorenz63, RK4, three exponents", ns, "pynamicalsys", 25)


def workers(rounds):
    """128 x 64 points (64 blocks of lanes), two workers on two cores against one."""
    work = "two workers against one, 64 blocks"
    if len(measure.CORES) < 2:
        yield Row(work, "this process may use one core only")
        return
    grid = {"alpha": np.linspace(0.5, 4.0, 128), "theta": THETA}
    candidates = {
        name: scan(lk.systems.rotation_map, grid, workers=count, duration=2 * STEPS)
        for name, count in (("one", 1), ("two", 2))
    }
    pinned = measure.pin(measure.CORES)
    seconds = measure.interleaved(candidates, rounds)
    measure.pin(pinned)
    measured = f"one {seconds['one']:.3f} s, two {seconds['two']:.3f} s"
    yield at_least(work, measured, seconds["one"] / seconds["two"], 1.8)


def one_system(rounds):
    """One system of two units for 100 000 steps: few lanes must not cost a full block."""
    steps, alpha, theta = 100_000, 2.0, np.pi / 4
    options = {"transient": 0, "progress": False}
    the_map, the_flow = lk.systems.rotation_map(alpha, theta), lk.systems.rotation_flow(alpha, theta)
    loops = {
        "map": (
            lambda: lk.lyapunov_spectrum(the_map, duration=steps, **options),
            lambda: scalar_loops.map_exponents(alpha, theta, steps),
        ),
        "flow": (
            lambda: lk.lyapunov_spectrum(the_flow, duration=steps * FLOW_DT, dt=FLOW_DT, method="rk4", **options),
            lambda: scalar_loops.flow_exponents(alpha, theta, steps, FLOW_DT),
        ),
    }
    for kind, (ours, loop) in loops.items():
        ns = nanoseconds({"lyapkit": (ours, steps), "scalar loop": (loop, steps)}, rounds)
        yield within(f"one rotation_{kind}, 1e5 steps", ns, "scalar loop", 2)


ROWS = {
    "map": rotation_map,
    "flow": rotation_flow,
    "lorenz": lorenz63,
    "workers": workers,
    "one-system": one_system,
}
