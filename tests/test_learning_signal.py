"""Sensitivity over delays: singular values of long products against closed forms and many digits."""

import mpmath
import numpy as np
import pytest

import lyapkit as lk
from lyapkit.systems.evaluate import jacobian_matrix


def log_singular_values(matrices, digits):
    """ln of the singular values of the product of matrices, the first one applied first."""
    with mpmath.workdps(digits):
        product = mpmath.eye(len(matrices[0]))
        for matrix in matrices:
            product = mpmath.matrix(np.asarray(matrix).tolist()) * product
        return np.array([float(mpmath.log(s)) for s in mpmath.svd_r(product, compute_uv=False)])


def along(system, state, steps):
    """Tangent maps of the iterates of a map from a state."""
    matrices = []
    for _ in range(steps):
        matrices.append(jacobian_matrix(system, state))
        state = lk.trajectory(system, initial_state=state, duration=1).state.values[1]
    return matrices


# --- closed forms


def test_a_jordan_block_grows_and_then_decays_as_its_closed_form_says():
    """.5^d [[1, 20 d], [0, 1]] has the singular values .5^d exp(+-asinh(10 d))."""
    delays = np.array([1, 2, 5, 30, 1000, 100_000])
    ds = lk.learning_signal(lk.systems.linear_map(A=[[0.5, 10.0], [0.0, 0.5]]), delays=delays)
    spread = np.arcsinh(10.0 * delays)
    expected = np.log(0.5) * delays[:, None] + np.stack([spread, -spread], axis=1)
    np.testing.assert_allclose(ds.log_singular_value, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(ds.finite_time_growth_rate, expected / delays[:, None], rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(ds.sensitivity_log_norm, ds.log_singular_value[:, 0])


def test_a_diagonal_map_keeps_every_rate_over_a_million_steps():
    rates = np.array([1.5, 0.0, -0.2, -7.0])
    system = lk.systems.linear_map(A=np.diag(np.exp(rates)))
    ds = lk.learning_signal(system, delays=[10, 1_000_000], initial_state=np.zeros(4))
    np.testing.assert_allclose(ds.finite_time_growth_rate, [rates, rates], rtol=0, atol=1e-13)


def test_a_linear_flow_has_the_singular_values_of_its_exponential():
    matrix = np.array([[-0.1, 3.0, 0.0], [-1.0, -0.3, 1.0], [0.0, 0.5, -2.0]])
    delays = [0.05, 1.0, 10.0, 100.0]
    ds = lk.learning_signal(lk.systems.linear_flow(A=matrix), delays=delays, method="rk8")
    for delay, logs in zip(delays, ds.log_singular_value.values, strict=True):
        with mpmath.workdps(120):
            flow = mpmath.expm(mpmath.matrix(matrix.tolist()) * delay)
            expected = [float(mpmath.log(s)) for s in mpmath.svd_r(flow, compute_uv=False)]
        np.testing.assert_allclose(logs, expected, rtol=0, atol=1e-9)


# --- many digits


@pytest.mark.parametrize("gain", [0.9, 5.0])
@pytest.mark.parametrize("units", [3, 8])
def test_small_networks_agree_with_products_of_many_digits(units, gain):
    system = lk.random_network(units, kind="map", gain=gain, seed=3)
    ds = lk.learning_signal(system, delays=[1, 7, 40], transient=0)
    matrices = along(system, system.initial_state, 40)
    for delay in (1, 7, 40):
        expected = log_singular_values(matrices[:delay], 700)
        np.testing.assert_allclose(ds.log_singular_value.sel(delay=delay), expected, rtol=1e-11, atol=1e-11)


def test_a_large_network_agrees_with_a_product_of_many_digits():
    system = lk.random_network(64, kind="map", gain=1.5, seed=1)
    ds = lk.learning_signal(system, delays=[1, 4], transient=0)
    expected = log_singular_values(along(system, system.initial_state, 4), 60)
    # the smallest of a product of four Gaussian matrices of 64 units
    np.testing.assert_allclose(ds.log_singular_value[1], expected, rtol=0, atol=1e-12)


def test_contraction_by_many_orders_in_every_step_leaves_small_values_their_digits():
    """alpha = 40: one of the directions contracts by up to e^-80 in a step."""
    system = lk.systems.rotation_map(alpha=40.0, theta=0.7)
    ds = lk.learning_signal(system, delays=[1, 5, 30], transient=20)
    start = lk.trajectory(system, transient=20, duration=1).state.values[0]
    matrices = along(system, start, 30)
    for delay in (1, 5, 30):
        expected = log_singular_values(matrices[:delay], 3000)
        np.testing.assert_allclose(ds.log_singular_value.sel(delay=delay), expected, rtol=1e-12)
    assert ds.log_singular_value[2, 1] < -2000 and ds.status == 0


# --- orbits


# |f| |Z| and Z where the second unit crosses zero upwards, by Taylor series of 40 digits
CYCLES = [
    (2.0, np.pi / 4, 1.762656116330927, [-1.8225115076801484, 1.5197738435385113]),
    (1.5, 0.6, 1.3723994417414975, [-1.8007141891667664, 2.024954090411235]),
    (3.0, 1.0, 2.3196473502030353, [-2.076478983818045, 1.4756528302223362]),
    (1.2, 0.5, 1.1633210099966287, [-2.7401233144501562, 4.594897721485874]),
]


@pytest.mark.parametrize(("alpha", "theta", "norm", "phase_gradient"), CYCLES)
def test_on_a_cycle_the_norm_is_velocity_times_phase_gradient(alpha, theta, norm, phase_gradient):
    system = lk.systems.rotation_flow(alpha=alpha, theta=theta)
    cycle = lk.limit_cycle(system, section=(1, 0.0), n_phase=64)
    quarters = float(cycle.period) / 4 * np.array([200, 201, 202, 203, 400, 4000])
    ds = lk.learning_signal(
        system, delays=quarters, initial_state=cycle.state[0].values, transient=0, dt=0.02, method="rk8"
    )
    np.testing.assert_allclose(np.exp(ds.sensitivity_log_norm), norm, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(ds.delay, quarters)
    surviving = ds.state_gradient[-1] / (ds.loss_gradient[-1] @ cycle.velocity[0])
    np.testing.assert_allclose(surviving, phase_gradient, rtol=0, atol=1e-8)


def test_everywhere_on_the_cycle_the_norm_stays_between_its_bounds():
    system = lk.systems.rotation_flow(alpha=2.0, theta=np.pi / 4)
    start = lk.limit_cycle(system, section=(1, 0.0), n_phase=64).state[0].values
    ds = lk.learning_signal(system, delays=np.arange(400, 600) * 0.05, initial_state=start, transient=0)
    norms = np.exp(ds.sensitivity_log_norm)
    assert 1.14 <= norms.min() and norms.max() <= 1.92


def test_growth_at_long_delays_is_the_exponents():
    ds = lk.learning_signal(lk.systems.henon(), delays=[1000, 200_000])
    np.testing.assert_allclose(ds.finite_time_growth_rate[-1], [0.419217, -1.623190], rtol=0, atol=2e-3)
    by_hand = ds.sensitivity_log_norm - ds.lyapunov_exponent[0] * ds.delay
    np.testing.assert_allclose(ds.non_normal_growth, by_hand, rtol=0, atol=1e-12)
    total = ds.log_singular_value.sum("mode")
    np.testing.assert_allclose(total, np.log(0.3) * ds.delay, rtol=1e-12)


def test_blocks_that_do_not_know_of_each_other_give_the_union_of_their_signals():
    alpha, theta = np.array([1.3, 2.0, 0.8]), np.array([0.5, 0.9, 1.2])
    system = lk.systems.block_rotation_map(alpha=alpha, theta=theta)
    keywords = {"delays": [1, 30, 400], "transient": 50, "duration": 100}
    ds = lk.learning_signal(system, **keywords)
    starts = system.initial_state.reshape(3, 2)
    parts = [
        lk.learning_signal(lk.systems.rotation_map(alpha=a, theta=t), initial_state=x, **keywords)
        for a, t, x in zip(alpha, theta, starts, strict=True)
    ]
    union = -np.sort(-np.concatenate([part.log_singular_value for part in parts], axis=1), axis=1)
    np.testing.assert_array_equal(ds.log_singular_value, union)
    # a coupling of zeros makes them one system
    coupled = system.with_(coupling=np.zeros((6, 6)))
    np.testing.assert_allclose(lk.learning_signal(coupled, **keywords).log_singular_value, union, rtol=1e-10, atol=1e-9)


def test_dead_units_give_minus_infinity():
    """The first unit is silent from the second step on, the second doubles."""
    system = lk.systems.rnn_map(W=[[0.5, 0.0], [0.0, 2.0]], b=[-1.0, 0.0], activation="relu")
    ds = lk.learning_signal(system, delays=[1, 3], initial_state=[2.5, 1.0], transient=0)
    np.testing.assert_allclose(ds.log_singular_value[:, 0], np.log(2.0) * ds.delay, rtol=1e-14)
    np.testing.assert_allclose(ds.log_singular_value[:, 1], [np.log(0.5), -np.inf], rtol=1e-14)
    assert ds.status.flag_meanings.split()[list(ds.status.flag_values).index(int(ds.status))] == "collapsed"


def test_an_orbit_that_ends_gives_nan_from_then_on():
    ds = lk.learning_signal(lk.systems.logistic(r=4.2), delays=[1, 1000], initial_state=[0.4], transient=0)
    assert np.isfinite(ds.log_singular_value[0]).all() and np.isnan(ds.log_singular_value[1]).all()
    assert int(ds.status) == 1


def test_a_driven_map_is_followed_along_its_input():
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((60, 2))
    system = lk.systems.rnn_map(W=[[0.9, -0.8], [0.7, 0.8]], V=np.eye(2), input=inputs)
    ds = lk.learning_signal(system, delays=[5, 20], transient=10)
    state, matrices = system.initial_state, []
    for t in range(30):
        matrices.append(jacobian_matrix(system, state, t))
        state = lk.trajectory(system, duration=t + 1).state.values[-1]
    for delay in (5, 20):
        expected = log_singular_values(matrices[10 : 10 + delay], 60)
        np.testing.assert_allclose(ds.log_singular_value.sel(delay=delay), expected, rtol=0, atol=1e-12)


# --- many points, files, keywords


def test_a_scan_gives_each_point_its_own_bits(tmp_path):
    grid = {"alpha": np.array([1.2, 2.0, 3.0]), "theta": np.array([0.3, 0.9])}
    keywords = {"delays": [0.7, 2.0, 31.4], "transient": 20, "duration": 40}
    ds = lk.scan(lk.learning_signal, lk.systems.rotation_flow, grid, **keywords)
    one = lk.learning_signal(lk.systems.rotation_flow(alpha=2.0, theta=0.9), **keywords)
    at = ds.sel(alpha=2.0, theta=0.9)
    for name in one.data_vars:
        np.testing.assert_array_equal(at[name], one[name], err_msg=name)
    lk.save(ds, tmp_path / "signal.nc")
    assert lk.load(tmp_path / "signal.nc").identical(ds)


def test_delays_are_hit_exactly_or_said_to_be_rounded():
    system = lk.systems.lorenz63()
    exact = lk.learning_signal(system, delays=[0.123, 0.246, 0.41], transient=1, duration=1)
    np.testing.assert_array_equal(exact.delay, [0.123, 0.246, 0.41])
    assert exact.attrs["dt"] <= system.model.dt and abs(0.123 / exact.attrs["dt"] % 1) < 1e-9
    wild = lk.learning_signal(system, delays=[0.1, 0.1 * np.pi, 1.0], transient=1, duration=1)
    steps = wild.delay.values / wild.attrs["dt"]
    np.testing.assert_allclose(steps, np.rint(steps), rtol=1e-12)
    assert abs(wild.delay - [0.1, 0.1 * np.pi, 1.0]).max() <= wild.attrs["dt"] / 2


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"delays": [2, 1]}, "delays: given"),
        ({"delays": []}, "delays: given"),
        ({"delays": [0.0, 1.0]}, "delays: given"),
        ({"delays": [0.5]}, "whole numbers of iterates"),
        ({"seed": -1}, "seed: given -1"),
    ],
)
def test_misuse_is_named(keywords, message):
    with pytest.raises(ValueError, match=message):
        lk.learning_signal(lk.systems.henon(), **keywords)


def test_delays_of_more_steps_than_any_run_are_refused():
    for system in (lk.systems.henon(), lk.systems.lorenz63()):
        with pytest.raises(ValueError, match=r"delays: 1e\+20 in steps of .*, accepted: less than"):
            lk.learning_signal(system, delays=[1, 1e20])


def test_adaptive_methods_are_refused():
    with pytest.raises(ValueError, match="method: given 'tsit5', accepted: rk4, rk8, euler"):
        lk.learning_signal(lk.systems.lorenz63(), method="tsit5")
