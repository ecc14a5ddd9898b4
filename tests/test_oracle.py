"""The package against the slow oracle of naive.py, on the same orbits with the same starting frame."""

import math

import naive
import numpy as np
import pytest
import scipy.integrate

import lyapkit as lk
from lyapkit.analyses.lyapunov_spectrum import starting_frame

# system, parameters, step, steps of transient, steps of averaging. Two computations of one orbit part by
# rounding as exp(lambda_1 t): the lengths keep 1e-16 exp(lambda_1 t) below 1e-11.
CASES = [
    ("rotation_map", {"alpha": 1.5, "theta": 0.6}, None, 100, 300),
    ("rotation_map", {"alpha": 2.0, "theta": math.pi / 4}, None, 50, 300),
    # the oracle's own QR loses eps cond(R): at larger gains than this it needs more digits
    ("rotation_map", {"alpha": 3.0, "theta": 0.2}, None, 30, 200),
    ("rotation_euler", {"alpha": 2.0, "theta": 0.7, "h": 0.5}, None, 100, 300),
    ("rotation_literal_map", {"alpha": 1.8, "theta": 2.5}, None, 100, 300),
    ("rotation_gru_map", {"alpha": 4.0, "theta": 0.8}, None, 100, 300),
    ("henon", {"a": 1.4, "b": 0.3}, None, 5, 20),
    ("henon", {"a": 1.0, "b": 0.3}, None, 100, 300),  # period 4
    ("ikeda", {}, None, 3, 15),
    ("logistic", {"r": 3.5}, None, 100, 300),  # period 4
    ("cat_map", {}, None, 3, 8),
    ("standard_map", {"k": 0.5}, None, 50, 200),  # an invariant circle
    ("linear_map", {"A": [[0.9, 0.3, 0.0], [-0.2, 0.7, 0.4], [0.1, 0.0, 0.5]]}, None, 20, 200),
    ("rotation_flow", {"alpha": 2.0, "theta": math.pi / 4}, 0.05, 100, 400),
    ("rotation_flow", {"alpha": 12.0, "theta": 1.0}, 0.02, 50, 400),
    ("rotation_literal_flow", {"alpha": 1.0, "theta": 2.0}, 0.05, 50, 300),
    ("rotation_gru_flow", {"alpha": 4.0, "theta": 0.8}, 0.1, 100, 300),
    ("stuart_landau", {"mu": 0.3, "omega": 1.1, "c": 0.4}, 0.05, 100, 300),
    ("van_der_pol", {"mu": 1.0}, 0.02, 100, 500),
    ("brusselator", {"A": 1.0, "B": 3.0}, 0.02, 100, 500),
    ("linear_flow", {"A": [[-0.1, 2.0, 0.3], [-2.0, -0.3, 0.1], [0.0, 0.5, -1.0]]}, 0.05, 50, 300),
    ("lorenz63", {}, 0.01, 100, 400),
    ("rossler", {}, 0.02, 100, 500),
    ("lorenz96", {"n": 7, "F": 8.0}, 0.02, 50, 200),
    ("bounded_line_attractor_flow", {"w": 0.9}, 0.05, 50, 200),
    ("unbounded_line_attractor_flow", {"w": 1.0}, 0.05, 50, 200),
    ("ring_attractor_flow", {"mu": 0.7}, 0.05, 50, 200),
    ("identity_relu_map", {"n": 3}, None, 5, 50),
    ("linear_integrator_flow", {"tau": 0.7}, 0.05, 20, 200),
    ("rnn_map", {}, None, 50, 100),
    ("rnn_flow", {"tau": 0.8}, 0.05, 50, 200),
    ("rate_map", {"dt": 0.3}, None, 50, 200),
    ("rate_flow", {}, 0.05, 50, 200),
    ("gru_map", {"bz": 0.1, "br": 0.3, "bh": -0.2, "bn": 0.1}, None, 50, 200),
    ("gru_flow", {"reset": "before"}, 0.1, 50, 200),
    ("lstm_map", {"bi": 0.2, "bo": 0.1}, None, 50, 200),
    ("cornn_map", {"epsilon": 0.3}, None, 50, 200),
    ("cornn_flow", {"gamma": 1.3}, 0.05, 50, 200),
    ("block_rotation_map", {"coupling": 0.05 * np.ones((4, 4))}, None, 50, 200),
    ("block_rotation_flow", {"coupling": 0.05 * np.ones((4, 4))}, 0.05, 50, 200),
    ("random_network", {"n": 6}, 0.1, 50, 200),
]
IDS = [f"{name}-{i}" for i, (name, *_) in enumerate(CASES)]
CASE = ("name", "parameters", "dt", "transient", "steps")


def _both(name, parameters, dt):
    system = getattr(lk.systems, name)(**parameters)
    return system, naive.Plain(system), {} if dt is None else {"dt": dt}, 1.0 if dt is None else dt


@pytest.mark.parametrize(CASE, CASES, ids=IDS)
def test_spectrum(name, parameters, dt, transient, steps):
    """Growth rates agree to 1e-9: the bound on the orbits (1e-11) over the curvature of the logarithms."""
    system, plain, given, unit = _both(name, parameters, dt)
    n = system.dimension
    frame = starting_frame(n, n, 3).T
    wanted = naive.spectrum(plain, system.initial_state, frame, transient, steps, unit)
    ds = lk.lyapunov_spectrum(
        system, estimator="mean", transient=transient * unit, duration=steps * unit, seed=3, **given
    )
    np.testing.assert_allclose(ds.lyapunov_exponent, wanted, rtol=0, atol=1e-9)


@pytest.mark.parametrize(CASE, CASES[:16:3] + CASES[19:], ids=IDS[:16:3] + IDS[19:])
def test_fewer_exponents(name, parameters, dt, transient, steps):
    """One column less, so that the frame is not square."""
    system, plain, given, unit = _both(name, parameters, dt)
    n = system.dimension
    k = max(1, n - 1)
    wanted = naive.spectrum(plain, system.initial_state, starting_frame(n, k, 0).T, transient, steps, unit)
    ds = lk.lyapunov_spectrum(
        system, estimator="mean", transient=transient * unit, duration=steps * unit, n_exponents=k, **given
    )
    np.testing.assert_allclose(ds.lyapunov_exponent, wanted, rtol=0, atol=1e-9)


@pytest.mark.parametrize("interval", [1, 2, 8, 32])
def test_frame_interval_changes_only_rounding(interval):
    """QR of a product is the product of QRs: a calm orbit bears any interval."""
    system = lk.systems.rotation_flow(alpha=2.0, theta=0.8)
    wanted = naive.spectrum(naive.Plain(system), system.initial_state, starting_frame(2, 2, 0).T, 40, 333, 0.05)
    ds = lk.lyapunov_spectrum(
        system, estimator="mean", transient=2, duration=333 * 0.05, dt=0.05, frame_interval=interval
    )
    # the frame's condition after 32 steps of 0.05 is a few units: a few eps a step
    np.testing.assert_allclose(ds.lyapunov_exponent, wanted, rtol=0, atol=1e-12)


# steps that keep the rounding amplification exp(lambda_1 t) of chaotic orbits below 1e3
SHORT = {"henon": 14, "ikeda": 10, "cat_map": 6, "lorenz63": 300, "rossler": 400, "lorenz96": 150}


@pytest.mark.parametrize(CASE, CASES, ids=IDS)
def test_trajectory(name, parameters, dt, transient, steps):
    """States agree to 1e-12 relative to the orbit's size."""
    system, plain, given, unit = _both(name, parameters, dt)
    count = SHORT.get(name, 200)
    wanted = naive.orbit(plain, system.initial_state, count, unit)
    ds = lk.trajectory(system, duration=count * unit, **given)
    assert ds.state.shape == wanted.shape
    np.testing.assert_allclose(ds.state, wanted, rtol=0, atol=1e-12 * abs(wanted).max())
    np.testing.assert_allclose(ds.time, unit * np.arange(count + 1), rtol=1e-14)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [(c[0], c[1]) for c in CASES if c[2] is not None],
    ids=[i for i, c in zip(IDS, CASES, strict=True) if c[2] is not None],
)
def test_rk8_against_dop853(name, parameters):
    """Both within 1e-10 of the true orbit over three time units: rtol 1e-13 there, an error of order dt^8 here."""
    system = getattr(lk.systems, name)(**parameters)
    rule, parameters = naive.RULES[name], naive.parameters_of(system)
    solution = scipy.integrate.solve_ivp(
        lambda _, x: rule(x, **parameters), (0, 3), system.initial_state, method="DOP853",
        rtol=1e-13, atol=1e-14, t_eval=np.linspace(0, 3, 7),
    )  # fmt: skip
    ds = lk.trajectory(system, method="rk8", dt=0.005, duration=3, every=100)
    np.testing.assert_allclose(ds.state, solution.y.T, rtol=0, atol=1e-10 * (1 + abs(solution.y).max()))


def test_every_system_has_an_oracle():
    assert set(lk.systems.names()) <= set(naive.RULES)


@pytest.mark.parametrize("seed", [4, 7])  # quasi-periodic orbits
def test_jacobian_is_not_transposed(seed):
    """A random map of three units: each exponent as with J, none as with J'."""
    generator = np.random.default_rng(seed)
    W, b = 1.2 * generator.standard_normal((3, 3)), 0.3 * generator.standard_normal(3)
    system = lk.define_map(lambda x: np.tanh(W @ x + b), dimension=3)
    plain = naive.Plain(system, lambda x: np.tanh(W @ x + b))
    start, frame = system.initial_state, starting_frame(3, 3, 0).T
    wanted = naive.spectrum(plain, start, frame, 20, 200)
    plain.jacobian = lambda x: naive.jacobian(plain.rule, x).T
    transposed = naive.spectrum(plain, start, frame, 20, 200)
    assert (abs(transposed - wanted) > 1e-3).all()  # so that the comparison below decides
    ds = lk.lyapunov_spectrum(system, estimator="mean", transient=20, duration=200)
    np.testing.assert_allclose(ds.lyapunov_exponent, wanted, rtol=0, atol=1e-9)
