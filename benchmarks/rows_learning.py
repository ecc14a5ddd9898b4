"""Rows about gradients and attractors: against the forward orbit, JAX's reverse mode, and the clock."""

import time

import measure
import numpy as np
from row import Row, at_most, not_installed, under
from rows_kernel import peer
from rows_networks import weights

import lyapkit as lk
from lyapkit.analyses.gradients.backpropagation import backpropagate
from lyapkit.analyses.orbits.clock import clock
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.kernels.blas import one_thread
from lyapkit.progress import Monitor

UNITS, STEPS = 256, 1000


def _networks():
    yield "rnn_map", lk.systems.rnn_map(W=weights(UNITS, 1.5))
    yield "rnn_flow rk4", lk.systems.rnn_flow(W=weights(UNITS, 1.5))
    gates = {name: weights(UNITS, 1.0, seed) for seed, name in enumerate(("Wz", "Wr", "Wh"))}
    yield "gru_map", lk.systems.gru_map(**gates)


def adjoint(rounds):
    """The gradient of a loss at the end of 1000 steps, 256 units, one thread; forward run included."""
    quiet = Monitor(1, "adjoint", False)
    cotangent = np.random.default_rng(0).standard_normal((1, 1, 1, UNITS))
    for name, system in _networks():
        unit = 1.0 if system.kind == "map" else system.model.dt
        time_, x = clock(system, 0, STEPS * unit, None, None), system.initial_state[None]

        def forward(system=system, time_=time_, x=x):
            Ensemble(system, {}, x, time_, 0).run(STEPS, quiet)

        def back(wanted, system=system, time_=time_, x=x):
            backpropagate(system, {}, x, time_, cotangent, [STEPS], quiet, weights=wanted)

        calls = {"forward": forward, "state": lambda back=back: back(False), "weights": lambda back=back: back(True)}
        jax = peer("peer_jax_gradient") if name == "rnn_map" else None
        if jax is not None:
            W = system.parameters["W"]
            calls |= {f"jax {w}": jax.gradient(W, x[0], cotangent[0, 0, 0], STEPS, w) for w in (False, True)}
        with one_thread():
            best = measure.interleaved(calls, rounds)
        work, base = f"adjoint of {name}, N = {UNITS}, {STEPS} steps", best["forward"]
        text = f"{1e3 * best['state']:.1f} ms, the forward orbit {1e3 * base:.1f} ms"
        yield at_most(work, text, best["state"] / base, 3)
        yield Row(
            "the same with the gradients of all weights", f"{1e3 * best['weights']:.1f} ms", best["weights"] / base
        )
        if jax is not None:
            for wanted, ours in ((False, "state"), (True, "weights")):
                shown = f"{1e3 * best[f'jax {wanted}']:.1f} ms"
                yield Row(f"JAX's reverse mode, by the {ours}", shown, best[f"jax {wanted}"] / best[ours])
        elif name == "rnn_map":
            yield not_installed("JAX's reverse mode", "JAX")


def _best(call, rounds):
    call()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def attractors(rounds):
    """Attractors of two-unit systems from 1000 initial states, warm."""
    for name, system in (
        ("rotation_flow, cycle", lk.systems.rotation_flow()),
        ("rotation_flow, nine fixed points", lk.systems.rotation_flow(alpha=2.0, theta=0.1)),
        ("rotation_map", lk.systems.rotation_map(alpha=1.3, theta=0.7)),
    ):
        seconds = _best(lambda system=system: lk.attractors(system, n_starts=1000, progress=False), min(rounds, 3))
        yield under(f"attractors of {name}, 1000 starts", seconds, 2.0, "s")


def robustness(rounds):
    """1000 perturbed two-unit networks, warm: ten sizes of a hundred members."""
    system, sizes = lk.systems.rotation_flow(), np.geomspace(1e-4, 1e-1, 10)
    seconds = _best(lambda: lk.robustness(system, sizes=sizes, members=100, progress=False), min(rounds, 3))
    yield under("robustness of rotation_flow, 1000 members", seconds, 5.0, "s")


def initial_weights(rounds):
    """Certified blocks, warm."""
    seconds = _best(lambda: lk.block_diagonal_weights(128, progress=False), min(rounds, 3))
    yield Row("block_diagonal_weights, 64 blocks", f"{seconds:.2f} s")


ROWS = {"adjoint": adjoint, "attractors": attractors, "robustness": robustness, "initial-weights": initial_weights}
