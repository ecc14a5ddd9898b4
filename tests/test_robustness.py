"""What survives of zero exponents under disturbances: laws of line attractors, cycles, noise and locking."""

import math

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

import lyapkit as lk
from lyapkit.flags import ATTRACTOR_KIND
from lyapkit.systems.evaluate import jacobian_matrix, value
from lyapkit.systems.free_weights import as_network, freed

CYCLE = lk.systems.rotation_flow(alpha=2.0, theta=math.pi / 4)
LINE = lk.systems.bounded_line_attractor_flow()
QUIET = {"progress": False}


def lines(direction, sizes):
    ds = lk.robustness(LINE, directions=[np.array(direction, dtype=float)], sizes=sizes, **QUIET)
    assert int(ds.kind_before) == ATTRACTOR_KIND["continuous_attractor"] and int(ds.n_zeros_before) == 1
    return ds


def test_a_line_attractor_that_leaks_in_one_unit():
    # W11 = -eps: the Jacobian [[-1 - eps, -1], [-1, -1]] holds all along, with determinant eps
    eps = np.array([1e-3, 1e-2, 1e-1])
    ds = lines([[-1, 0], [0, 0]], eps)
    exact = (-(2.0 + eps) + np.sqrt(4.0 + eps**2)) / 2.0  # -eps / 2 + eps^2 / 8 ...
    np.testing.assert_allclose(ds.lyapunov_exponent[:, 0, 0], exact, rtol=1e-5)
    assert float(ds.zero_slope[0]) == pytest.approx(0.5 - eps.mean() / 8.0, abs=1e-4)
    assert float(ds.zero_power[0]) == pytest.approx(1.0, abs=0.02)  # d ln / d ln = 1 - eps / 4 at the last
    np.testing.assert_array_equal(ds.share_with_zeros, [1.0, 0.0, 0.0])  # 5e-4 lies within the margin
    assert float(ds.largest_kept_size) == 1e-3
    assert (ds.attractor_kind == ATTRACTOR_KIND["fixed_point"]).all()


def test_a_line_attractor_that_is_left():
    # W11 = eps: the orbit ends where unit 1 rests at 1 / (1 - eps) and unit 2 is silent: -1 + eps and -1
    ds = lines([[1, 0], [0, 0]], [1e-2, 1e-1])
    np.testing.assert_allclose(ds.lyapunov_exponent[:, 0], [[-0.99, -1.0], [-0.9, -1.0]], rtol=1e-9)
    np.testing.assert_array_equal(ds.share_with_zeros, 0.0)
    assert np.isnan(ds.largest_kept_size) and np.isnan(ds.zero_slope[0]) and float(ds.linear_share[0]) == 0.0


def test_a_line_attractor_whose_weights_shrink():
    ds = lines([[0, 1], [1, 0]], [1e-2, 1e-1])  # W -> (1 - eps) W: exactly -eps
    np.testing.assert_allclose(ds.lyapunov_exponent[:, 0, 0], [-1e-2, -1e-1], rtol=1e-9)
    assert float(ds.zero_slope[0]) == pytest.approx(1.0, rel=1e-9)


def test_a_limit_cycle_keeps_its_zero():
    ds = lk.robustness(CYCLE, members=40, **QUIET)
    assert int(ds.kind_before) == ATTRACTOR_KIND["limit_cycle"]
    np.testing.assert_array_equal(ds.share_with_zeros, 1.0)
    assert (ds.attractor_kind == ATTRACTOR_KIND["limit_cycle"]).all() and (ds.n_zeros == 1).all()
    assert float(ds.largest_kept_size) == 0.1
    # what a window of 200 of a cycle of rk4 leaves of the zero
    assert float(abs(ds.lyapunov_exponent[..., 0]).max()) < 1e-4
    assert np.isnan(ds.zero_slope[1])


def test_a_random_line_attractor_is_lost_at_once():
    ds = lk.robustness(LINE, members=40, sizes=[1e-2, 1e-1], **QUIET)
    assert float(ds.share_with_zeros.max()) <= 0.1  # a margin of 1e-3 beside exponents of some 0.5e-2


@pytest.mark.parametrize("n", [2, 10])  # in lanes, and one after the other
def test_exponents_of_disturbed_weights_are_the_eigenvalues_at_rest(n):
    rng = np.random.default_rng(4)
    w, delta = 0.4 * np.eye(n), rng.standard_normal((3, n, n))
    ds = lk.robustness(lk.systems.rnn_flow(W=w), directions=delta, sizes=[0.01, 0.05], **QUIET)
    for i, size in enumerate(ds["size"].values):
        for m in range(3):
            exact = np.sort(np.linalg.eigvals(w + size * delta[m]).real - 1.0)[::-1]
            np.testing.assert_allclose(ds.lyapunov_exponent[i, m], exact, atol=1e-8)
    assert np.isnan(ds.share_with_zeros).all()  # it had none


def test_disturbed_lanes_are_the_systems_with_these_weights():
    delta = np.random.default_rng(0).standard_normal((2, 3, 2, 2))  # of Wz and Wh
    gru = lk.systems.gru_flow(Wz=np.zeros((2, 2)), Wr=np.zeros((2, 2)), Wh=[[2.1, -2.1], [2.1, 2.1]])
    ds = lk.robustness(gru, directions={"Wz": delta[0], "Wh": delta[1]}, sizes=[0.1], **QUIET)
    for m in range(3):
        changed = {name: gru.parameters[name] + 0.1 * delta[i, m] for i, name in enumerate(("Wz", "Wh"))}
        one = lk.lyapunov_spectrum(gru.with_(**changed), transient=500, duration=2000, **QUIET)
        np.testing.assert_allclose(ds.lyapunov_exponent[0, m], one.lyapunov_exponent, atol=1e-4)


def test_every_small_system_is_the_one_with_its_numbers_set_free():
    rng = np.random.default_rng(1)
    for name in lk.systems.names():
        system = getattr(lk.systems, name)()
        if system.dimension > 4:
            continue
        x = system.initial_state + 0.1 * rng.standard_normal(system.dimension)
        free = freed(as_network(system) or system)
        np.testing.assert_allclose(value(free.system, x), value(system, x), atol=1e-14, err_msg=name)
        np.testing.assert_allclose(jacobian_matrix(free.system, x), jacobian_matrix(system, x), atol=1e-14)


def test_the_euler_map_of_a_flow_has_the_weights_of_the_flow():
    delta = np.random.default_rng(2).standard_normal((2, 2, 2))
    keywords = {"directions": delta, "sizes": [0.05], **QUIET}
    made = lk.robustness(lk.euler_map(lk.systems.rotation_flow(alpha=2.0, theta=0.8), h=0.3), **keywords)
    known = lk.robustness(lk.systems.rotation_euler(alpha=2.0, theta=0.8, h=0.3), **keywords)
    np.testing.assert_allclose(made.lyapunov_exponent, known.lyapunov_exponent, atol=1e-9)


def test_numbers_of_systems_without_weights_are_disturbed_relative_to_themselves():
    ds = lk.robustness(lk.systems.lorenz63(), members=4, sizes=[1e-3], **QUIET)
    assert ds.attrs["disturbed"] == "sigma, rho, beta, each relative to itself"
    assert (ds.attractor_kind == ATTRACTOR_KIND["chaos"]).all() and float(ds.share_with_zeros[0]) == 1.0


def test_given_directions_are_added_to_numbers_as_they_are():
    system = lk.systems.lorenz63(rho=15.0)
    ds = lk.robustness(system, directions={"rho": [1.0]}, sizes=[0.1])
    expected = lk.attractors(lk.systems.lorenz63(rho=15.1), n_starts=2).lyapunov_exponent[0]
    np.testing.assert_allclose(ds.lyapunov_exponent[0, 0], expected, rtol=1e-9)


def test_common_noise_makes_the_zero_negative_as_phase_reduction_says():
    sizes = [0.01, 0.02, 0.05, 0.1, 0.4]
    ds = lk.robustness(CYCLE, disturbance="input", sizes=sizes, members=16, **QUIET)
    measured, error = ds.conditional_exponent.values, ds.conditional_exponent_stderr.values
    predicted = ds.predicted_exponent.values
    # Z' of the prediction by the cycle's Fourier series, in place of -J' Z
    cycle = lk.limit_cycle(CYCLE, **QUIET)
    modes = np.fft.fftfreq(cycle.sizes["phase"], 1.0 / cycle.sizes["phase"])[:, None]
    slope = np.fft.ifft(
        2j * np.pi / float(cycle.period) * modes * np.fft.fft(cycle.adjoint.values, axis=0), axis=0
    ).real
    np.testing.assert_allclose(predicted, -0.5 * np.square(sizes) * (slope**2).sum(axis=1).mean(), rtol=1e-6)
    small = slice(0, 3)  # the next order of the law is size^2 relative to the cycle's 0.5: a per cent or so at 0.05
    assert (abs(measured - predicted)[small] < 4.0 * error[small] + 0.05 * abs(predicted[small])).all()
    # values of longer runs by other means
    assert (abs(measured[1:] - [-0.0010, -0.0071, -0.037, -0.21]) < 4.0 * error[1:] + 0.05 * abs(measured[1:])).all()
    assert float(ds.share_with_zeros[-1]) == 0.0


def test_noise_on_a_map():
    # x <- a x + noise: the exponent is ln a whatever the noise
    ds = lk.robustness(
        lk.systems.rate_map(J=np.zeros((2, 2)), dt=0.5), disturbance="input", sizes=[0.1], members=2, **QUIET
    )
    np.testing.assert_allclose(ds.lyapunov_exponent, math.log(0.5), rtol=1e-9)
    assert np.isnan(ds.predicted_exponent).all()


def test_two_blocks_lock_where_averaging_says():
    alpha, theta = [2.0, 2.0], [0.8, 0.802]
    one, two = (
        lk.limit_cycle(lk.systems.rotation_flow(alpha=a, theta=t), n_phase=512, **QUIET)
        for a, t in zip(alpha, theta, strict=True)
    )
    # block 2 drives block 1 through eps inside tanh: x1' += eps sech^2(W x1) x2, so that the turns of block 1 speed up
    # by the relative eps h(psi), h the mean of Z1 . sech^2(W x1) x2 at a difference psi of their phases
    c, s = 2.0 * math.cos(0.8), 2.0 * math.sin(0.8)
    first, second = one.state.values, two.state.values
    slope = 1.0 / np.cosh(first @ np.array([[c, -s], [s, c]]).T) ** 2
    h = [(one.adjoint.values * slope * np.roll(second, k, axis=0)).sum(axis=1).mean() for k in range(512)]
    f1, f2 = float(one.frequency), float(two.frequency)
    border = (f2 - f1) / f1 / max(h)  # f2 is the larger
    assert 0.0 < border < 0.02
    drive = np.zeros((1, 4, 4))
    drive[0, :2, 2:] = np.eye(2)
    system = lk.systems.block_rotation_flow(alpha=alpha, theta=theta)
    sizes = border * np.array([0.5, 0.9, 1.1, 1.5])  # averaging errs by the order of eps, 2 %
    ds = lk.robustness(system, disturbance="coupling", directions=drive, sizes=sizes, **QUIET)
    np.testing.assert_allclose(ds.frequency_before, [f1, f2], rtol=1e-6)
    np.testing.assert_array_equal(ds.locking_p[:, 0, 0], [0, 0, 1, 1])
    np.testing.assert_array_equal(ds.locking_q[:, 0, 0], [0, 0, 1, 1])
    assert float(ds.lock_size[0, 0]) == sizes[2] and int(ds.lock_p[0, 0]) == 1
    # far from locking, the detuning is that of Adler: sqrt of the difference of squares, for a sine
    np.testing.assert_array_equal(ds.n_zeros[[0, 3], 0], [2, 1])


def test_coupling_leaves_the_blocks_themselves_alone():
    system = lk.systems.block_rotation_map(alpha=[1.2, 1.3, 1.2], theta=[0.5, 0.9, 0.7])
    ds = lk.robustness(system, disturbance="coupling", sizes=[1e-4], members=3, **QUIET)
    np.testing.assert_allclose(ds.block_frequency[0], np.tile(ds.frequency_before, (3, 1)), atol=1e-5)
    np.testing.assert_array_equal(ds.pair_first, [0, 0, 1])
    np.testing.assert_array_equal(ds.pair_second, [1, 2, 2])


def test_a_scan_is_the_single_calls_to_the_last_bit(tmp_path):
    grid = {"alpha": np.array([0.7, 1.7, 2.0])}
    for keywords in (
        {"members": 3, "sizes": [1e-3, 1e-2]},
        {"disturbance": "input", "members": 2, "sizes": [0.05, 0.1], "duration": 50.0},
    ):
        ds = lk.scan(lk.robustness, lk.systems.rotation_flow, grid, **keywords, **QUIET)
        for alpha in grid["alpha"]:
            one = lk.robustness(lk.systems.rotation_flow(alpha=alpha), **keywords, **QUIET)
            for name in one:
                np.testing.assert_array_equal(ds[name].sel(alpha=alpha).values, one[name].values, err_msg=name)
        lk.save(ds, tmp_path / "a.nc")
        assert lk.load(tmp_path / "a.nc").identical(ds)


def test_the_plot_shows_members_slope_share_and_law():
    ds = lk.robustness(LINE, directions=[[[-1.0, 0.0], [0.0, 0.0]]], sizes=[1e-3, 1e-2, 1e-1], **QUIET)
    ax = lk.plot.robustness(ds)
    assert ax.get_xlabel() == "size of the disturbance of the weights" and "nats per time unit" in ax.get_ylabel()
    drawn = {line.get_label(): line for line in ax.get_lines()}
    np.testing.assert_allclose(drawn["slope 0.495"].get_ydata(), float(ds.zero_slope[0]) * ds["size"])
    np.testing.assert_allclose(drawn["median of the members"].get_ydata(), abs(ds.lyapunov_exponent[:, 0, 0]))
    right = next(other for other in ax.figure.axes if other is not ax)
    np.testing.assert_array_equal(right.get_lines()[0].get_ydata(), ds.share_with_zeros)
    noisy = lk.robustness(CYCLE, disturbance="input", sizes=[0.05, 0.1], members=2, duration=50.0, **QUIET)
    law = {line.get_label(): line for line in lk.plot.robustness(noisy).get_lines()}["phase reduction"]
    np.testing.assert_allclose(law.get_ydata(), -noisy.predicted_exponent)
    with pytest.raises(ValueError, match="a scan over alpha"):
        lk.plot.robustness(ds.expand_dims(alpha=[1.0]))


@pytest.mark.parametrize(
    ("system", "keywords", "message"),
    [
        (CYCLE, {"disturbance": "heat"}, "disturbance: given 'heat'"),
        (CYCLE, {"disturbance": "coupling"}, "block_rotation_flow"),
        (CYCLE, {"sizes": [0.1, 0.01]}, "sizes: .* rising"),
        (CYCLE, {"order": 3}, "order: given with"),
        (lk.systems.random_network(n=9), {"disturbance": "input"}, "disturbance: given 'input' with 9 units"),
        (lk.systems.rnn_flow(W=np.eye(2), V=np.eye(2), input=np.ones((5, 2))), {}, "depends on time or an input"),
        (CYCLE, {"disturbance": "input", "directions": np.ones((1, 2, 2))}, "directions: given with"),
        (CYCLE, {"directions": np.ones((1, 3, 3))}, r"directions: given shape \(1, 3, 3\) for W"),
        (CYCLE, {"directions": {"U": np.ones((1, 2, 2))}}, "directions: given for 'U', accepted: W"),
        (CYCLE, {"directions": np.ones((2, 2, 2)), "members": 3}, "members: given 3"),
        (lk.systems.cat_map(), {}, "neither weights nor numbers"),
    ],
)
def test_misuse_is_refused(system, keywords, message):
    with pytest.raises(ValueError, match=message):
        lk.robustness(system, **keywords)
