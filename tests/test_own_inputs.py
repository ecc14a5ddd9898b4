"""Inputs of own rules: what u is at each time, driven orbits, conditional exponents, and what is refused."""

import math

import numpy as np
import pytest

import lyapkit as lk
from lyapkit.systems import evaluate

SAMPLES = np.random.default_rng(0).normal(size=(60, 2))
A = np.array([[-0.5, 0.3], [0.1, -0.8]])


def pushed(x, u, g):
    return -g * x[0] + u[0], -x[1] + math.tanh(x[0]) * u[1]


def pushed_in_steps(x, u, g):
    """A loop over numbers, which cannot be traced."""
    k, y = int(2.0 * g), x[0]
    while k > 0:
        y = 0.5 * y
        k -= 1
    return [y + u[0], 0.5 * x[1] + u[1]]


def driven(**keywords):
    return lk.define_flow(pushed, parameters={"g": 1.0}, dimension=2, input=SAMPLES, **keywords)


def test_samples_are_held():
    system, x = driven(input_dt=0.5), np.array([0.3, -0.2])
    for t, sample in ((0.0, 0), (0.4, 0), (0.5, 1), (7.9, 15)):
        u = SAMPLES[sample]
        wanted = [-x[0] + u[0], -x[1] + np.tanh(x[0]) * u[1]]
        np.testing.assert_allclose(evaluate.value(system, x, t), wanted, atol=1e-15)


def test_samples_are_joined_by_lines():
    system, x = driven(input_dt=0.5, interpolation="linear"), np.array([0.3, -0.2])
    u = 0.75 * SAMPLES[2] + 0.25 * SAMPLES[3]
    np.testing.assert_allclose(evaluate.value(system, x, 1.125)[0], -x[0] + u[0], atol=1e-14)


def test_a_function_of_time():
    system = lk.define_flow(
        lambda x, u: [-x[0] + u[0]], dimension=1, input=lambda t: math.sin(3.0 * t), initial_state=[0.0]
    )
    ds = lk.trajectory(system, duration=5, dt=0.01, method="rk8")
    t = ds.time.values
    # x' = -x + sin 3t from 0
    wanted = (np.sin(3 * t) - 3 * np.cos(3 * t) + 3 * np.exp(-t)) / 10
    np.testing.assert_allclose(ds.state.values[:, 0], wanted, atol=1e-12)


def test_tangent_and_adjoint_see_the_input():
    system, x = driven(), np.array([0.3, -0.2])
    u = SAMPLES[4]
    wanted = np.array([[-1.0, 0.0], [u[1] / np.cosh(x[0]) ** 2, -1.0]])
    np.testing.assert_allclose(evaluate.jacobian_matrix(system, x, 4.0), wanted, atol=1e-15)
    np.testing.assert_allclose(evaluate.adjoint(system, x, np.eye(2), 4.0)[0], wanted, atol=1e-15)


def test_an_untraceable_rule_takes_an_input_too():
    system = lk.define_map(pushed_in_steps, parameters={"g": 1.5}, dimension=2, input=SAMPLES)
    assert "difference" in system.cell.tangent
    ds = lk.trajectory(system, initial_state=[1.0, 2.0], duration=30)
    x = np.array([1.0, 2.0])
    for i in range(30):
        x = np.array([0.125 * x[0], 0.5 * x[1]]) + SAMPLES[i]
    np.testing.assert_allclose(ds.state.values[-1], x, atol=1e-12)


def test_exponents_are_conditional_on_the_input():
    """A linear system's do not depend on it; the run ends with the samples."""
    system = lk.define_flow(
        lambda x, u: A @ x + u, dimension=2, input=np.resize(SAMPLES, (400, 2)), input_dt=0.5, name="linear"
    )
    ds = lk.lyapunov_spectrum(system, method="rk8")
    np.testing.assert_allclose(ds.lyapunov_exponent, np.sort(np.linalg.eigvals(A).real)[::-1], atol=1e-9)
    assert "direction of time" in ds.attrs["time_direction"]
    assert ds.attrs["transient"] + ds.attrs["duration"] <= 200.0


def test_a_scan_of_a_driven_rule():
    grid = {"g": np.array([0.5, 1.0])}
    ds = lk.scan(lk.lyapunov_spectrum, driven(), grid, transient=10, duration=40)
    alone = lk.lyapunov_spectrum(driven().with_(g=0.5), transient=10, duration=40)
    np.testing.assert_array_equal(ds.lyapunov_exponent.values[0], alone.lyapunov_exponent)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: lk.define_flow(pushed, parameters={"g": 1.0}, dimension=2), "^input: not given, but"),
        (lambda: lk.define_map(lambda x: x, dimension=1, input=[1.0]), r"^input: given, but the rule takes no u"),
        (lambda: driven().with_(input=None), r"^input: given None"),
        (lambda: driven().with_(input=np.zeros((5, 3))), r"^input: given shape \(5, 3\), accepted: \(time, 2\)"),
        (lambda: driven(interpolation="cubic"), r"^interpolation: given 'cubic'"),
        (lambda: lk.trajectory(driven(), duration=100), r"^duration: 100 with the transient, accepted: at most 60"),
        (lambda: lk.trajectory(driven(input_dt=0.5), dt=0.3, duration=3), r"^dt: 0.3, accepted: a whole fraction"),
    ],
)
def test_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
