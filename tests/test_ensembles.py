"""Networks of blocks, random networks, noise, single precision: what goes beyond a single cell."""

import numpy as np
import pytest

import lyapkit as lk
from lyapkit.systems import evaluate

ALPHA, THETA = np.array([2.0, 0.5, 1.3, 1.7]), np.array([0.9, 0.3, 0.2, 1.2])


@pytest.mark.parametrize("kind", ["map", "flow"])
def test_a_network_of_blocks_has_the_union_of_their_spectra(kind):
    network, block = (getattr(lk.systems, f"{name}_{kind}") for name in ("block_rotation", "rotation"))
    keywords = {"duration": 2000} if kind == "map" else {"duration": 200, "method": "rk8"}
    system = network(alpha=ALPHA, theta=THETA)
    ds = lk.lyapunov_spectrum(system, **keywords)
    parts = [
        lk.lyapunov_spectrum(block(a, t), initial_state=start, **keywords)
        for a, t, start in zip(ALPHA, THETA, system.initial_state.reshape(-1, 2), strict=True)
    ]
    wanted = np.sort(np.concatenate([part.lyapunov_exponent for part in parts]))[::-1]
    np.testing.assert_allclose(ds.lyapunov_exponent, wanted, atol=1e-9)
    assert abs(ds.exponent_sum_error) < 1e-9
    few = lk.lyapunov_spectrum(system, n_exponents=3, **keywords)
    np.testing.assert_array_equal(few.lyapunov_exponent, ds.lyapunov_exponent[:3])


@pytest.mark.parametrize("blocks", [4, 12])
def test_blocks_by_blocks_are_the_network_taken_whole(blocks):
    """A coupling of zeros takes the path of any network: below and above 20 units.

    The frame of the whole sorts equal exponents (its zeros) into columns only as 1 / T^2: 500 time units leave 1e-5.
    """
    alpha, theta = np.linspace(1.6, 2.8, blocks), np.full(blocks, 0.7)
    system = lk.systems.block_rotation_flow(alpha=alpha, theta=theta)
    coupled = system.with_(coupling=np.zeros((2 * blocks, 2 * blocks)))
    x = np.random.default_rng(0).normal(size=2 * blocks)
    np.testing.assert_allclose(evaluate.value(system, x), evaluate.value(coupled, x), atol=1e-14)
    keywords = {"method": "rk8", "duration": 500, "transient": 500}
    apart, whole = lk.lyapunov_spectrum(system, **keywords), lk.lyapunov_spectrum(coupled, **keywords)
    np.testing.assert_allclose(apart.lyapunov_exponent, whole.lyapunov_exponent, atol=3e-5)


def test_blocks_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"^theta: given shape \(2,\), accepted: \(3,\)"):
        lk.systems.block_rotation_map(alpha=[1, 2, 3], theta=[1, 2])
    with pytest.raises(ValueError, match=r"^coupling: given shape \(2, 2\), accepted: \(4, 4\)"):
        lk.systems.block_rotation_map(coupling=np.zeros((2, 2)))


def test_random_networks_over_gain_and_realisation():
    grid = {"gain": np.array([0.5, 2.0, 3.0]), "seed": np.array([3, 1])}
    keywords = {"duration": 100, "transient": 50}
    for n in (6, 24):
        ds = lk.scan(lk.lyapunov_spectrum, lk.random_network(n=n, kind="map"), grid, workers=2, **keywords)
        assert ds.lyapunov_exponent.dims == ("gain", "seed", "mode")
        alone = lk.lyapunov_spectrum(lk.random_network(n=n, kind="map", gain=2.0, seed=1), **keywords)
        np.testing.assert_array_equal(ds.lyapunov_exponent.values[1, 1], alone.lyapunov_exponent)
        assert (ds.lyapunov_exponent.values[0] < 0).all()


def test_the_onset_of_chaos_is_near_gain_one():
    """Below gain 1 the origin attracts, and the largest exponent is ln of the spectral radius."""
    system = lk.random_network(n=200, gain=0.8, kind="map")
    ds = lk.lyapunov_spectrum(system, n_exponents=2, transient=500, duration=500)
    J = np.random.default_rng(0).standard_normal((200, 200)) / np.sqrt(200)
    radius = 0.8 * abs(np.linalg.eigvals(J)).max()
    # a complex pair turns inside its plane: the mean over T has an error of the order 1 / T
    np.testing.assert_allclose(ds.lyapunov_exponent[0], np.log(radius), atol=5e-3)
    above = lk.lyapunov_spectrum(system.with_(gain=1.6), n_exponents=1, transient=500, duration=2000)
    assert above.lyapunov_exponent[0] > 10 * above.lyapunov_exponent_stderr[0] > 0


def test_single_precision_costs_little():
    system, keywords = lk.random_network(n=64, kind="map"), {"transient": 0, "duration": 100, "estimator": "mean"}
    double = lk.lyapunov_spectrum(system, **keywords)
    single = lk.lyapunov_spectrum(system, precision="single", **keywords)
    error = abs(double.lyapunov_exponent - single.lyapunov_exponent).max()
    # growth factors are off by the rounding of single precision times the condition, some 1e3, in the last ones
    assert 0 < error < 2.0**-24 * 1e4
    assert abs(double.lyapunov_exponent - single.lyapunov_exponent)[:10].max() < 1e-6
    with pytest.raises(ValueError, match="precision: given 'single'"):
        lk.lyapunov_spectrum(lk.systems.henon(), precision="single")


def _phase_gradient_slope(W, dt):
    """<|Z'(phase)|^2> per time of x' = -x + tanh(W x), by plain rk4: Z solves the adjoint equation, Z . f = 1."""

    def f(x):
        return np.tanh(W @ x) - x

    def jacobian(x):
        return W / np.cosh(W @ x)[:, None] ** 2 - np.eye(2)

    def step(g, y, h):
        a = g(y)
        b = g(y + h / 2 * a)
        c = g(y + h / 2 * b)
        return y + h / 6 * (a + 2 * b + 2 * c + g(y + h * c))

    x = np.array([0.5, 0.2])
    for _ in range(8000):
        x = step(f, x, dt)
    # backwards in time the orbit is unstable: keep it, then run the adjoint back over it
    orbit = [x]
    for _ in range(8000):
        orbit.append(step(f, orbit[-1], dt))
    z, gradients = np.array([1.0, 0.0]), []
    for i in range(len(orbit) - 1, 0, -1):
        here, middle, before = orbit[i], 0.5 * (orbit[i] + orbit[i - 1]), orbit[i - 1]
        middle = middle - dt / 8 * (f(here) - f(before))  # Hermite's cubic at half the step
        a = jacobian(here).T @ z
        b = jacobian(middle).T @ (z + dt / 2 * a)
        c = jacobian(middle).T @ (z + dt / 2 * b)
        z = z + dt / 6 * (a + 2 * b + 2 * c + jacobian(before).T @ (z + dt * c))
        gradients.append(z)
    gradients = np.array(gradients[4000:7000])
    gradients /= np.einsum("ti,ti->t", gradients, [f(x) for x in orbit[3999:999:-1]]).mean()
    return (np.gradient(gradients, dt, axis=0) ** 2).sum(axis=1).mean()


def test_common_noise_follows_the_phase_reduction():
    """lambda_1 = -(sigma^2 / 2) <|Z'|^2> for weak additive noise on the cycle of x' = -x + tanh(W x).

    With y = W x this is the rate network y' = -y + W tanh(y) + sigma W xi. The mean of lambda_1 over T scatters by
    sigma |Z'| / sqrt(T); the next order in sigma and the noise's step of 0.05 cost some per cent.
    """
    theta, sigma, dt, duration = np.pi / 4, 0.05, 0.05, 1e5
    W = 2.0 * np.array([[np.cos(theta), -np.sin(theta)], [np.sin(theta), np.cos(theta)]])
    law = -(sigma**2) / 2 * _phase_gradient_slope(W, 0.01)
    noise = lk.white_noise(2, duration + 100, dt, seed=3)
    system = lk.systems.rate_flow(J=W, V=sigma * W, input=noise, input_dt=dt)
    ds = lk.lyapunov_spectrum(system, transient=100, duration=duration, dt=dt)
    scatter = np.sqrt(-2 * law / duration)
    assert abs(ds.lyapunov_exponent[0] - law) < 4 * scatter + 0.05 * abs(law)
    assert ds.lyapunov_sign[0] == -1
    assert "direction of time is not counted" in ds.attrs["time_direction"]


def test_noise_is_repeatable():
    np.testing.assert_array_equal(lk.white_noise(2, 10, 0.1, seed=1), lk.white_noise(2, 10, 0.1, seed=1))
    samples = lk.white_noise(1, 1e4, 0.01)
    assert abs(samples.std() * 0.1 - 1) < 5 / np.sqrt(2 * len(samples))


def test_strong_gains_of_three_units():
    """tanh with a gain of 40: the third column is 45 digits shorter than the first, and keeps its own.

    -129.8366 by arithmetic with 700 digits; the determinant, computed without the frame, knows more of them.
    """
    W = np.random.default_rng(0).standard_normal((3, 3)) / np.sqrt(3)
    system = lk.define_map(lambda x, g: np.tanh(g * (W @ x)), dimension=3, parameters={"g": 10.0})
    keywords = {"initial_state": [0.3, 0.2, 0.1], "duration": 1000}
    for g in (10.0, 40.0):
        ds = lk.lyapunov_spectrum(system.with_(g=g), **keywords)
        assert ds.status == 0 and ds.lyapunov_exponent_stderr.max() < 1e-9
        assert abs(ds.exponent_sum_error) < 1e-9
    assert abs(ds.lyapunov_exponent[2] + 129.8366) < 1e-4


@pytest.mark.parametrize("n", [5, 24])
def test_digits_that_are_lost_are_said(n):
    """At a gain of 125 no frame of double precision follows the last columns: errors or the status say so."""
    W = np.random.default_rng(1).standard_normal((n, n)) / np.sqrt(n)
    ds = lk.lyapunov_spectrum(lk.systems.rnn_map(W=125.0 * W), duration=300, transient=100)
    wrong = abs(ds.exponent_sum_error)
    assert ds.status != 0 or wrong < 10 * ds.lyapunov_exponent_stderr.sum() + 1e-9
    assert ds.frame_orthogonality < 1e-10


def test_a_rule_that_ignores_a_unit_has_an_exponent_of_minus_infinity():
    system = lk.define_map(lambda x: [3.9 * x[0] * (1 - x[0]), np.sin(x[0])], dimension=2)
    ds = lk.lyapunov_spectrum(system)
    assert ds.lyapunov_exponent[1] == -np.inf and ds.status == 2
    assert ds.kaplan_yorke_dimension == 1.0
