"""How long gradients stay inside the ranges of floating-point numbers."""

import numpy as np
import pytest

import lyapkit as lk
from lyapkit.analyses.gradient_horizon import RANGES

LOGS = {name: np.log(pair) for name, pair in RANGES.items()}


def test_ranges_are_those_of_the_formats():
    for name in ("float16", "float32", "float64"):
        info = np.finfo(name)
        assert RANGES[name] == (float(info.tiny), float(info.max))
    assert RANGES["bfloat16"] == (float(np.float32(2) ** -126), 3.3895313892515355e38)


@pytest.mark.parametrize(("rate", "end"), [(0.3, 1), (-0.7, -1)])
def test_a_diagonal_map_leaves_at_its_rate(rate, end):
    ds = lk.gradient_horizon(lk.systems.linear_map(A=np.diag(np.exp([rate, rate - 1.0]))), initial_state=[0.0, 0.0])
    for name, (low, high) in LOGS.items():
        expected = (high if rate > 0 else low) / rate
        one = ds.sel(dtype=name)
        np.testing.assert_allclose([one.horizon, one.asymptotic_horizon], expected, rtol=1e-9)
        assert int(one.gradient_end) == end
        inside = sum((low <= mode * ds.delay) & (mode * ds.delay <= high) for mode in (rate, rate - 1.0))
        np.testing.assert_array_equal(one.directions_inside, inside)


def test_transient_growth_ends_the_range_of_float16_of_a_stable_map():
    """|M_d| of .9^d [[1, 1e6 d / .9], [0, 1]] is above 65504 after one step, though it vanishes in the long run."""
    ds = lk.gradient_horizon(lk.systems.linear_map(A=[[0.9, 1e6], [0.0, 0.9]]), initial_state=[0.0, 0.0])
    assert ds.horizon.sel(dtype="float16") < 1 and int(ds.gradient_end.sel(dtype="float16")) == 1
    assert ds.asymptotic_horizon.sel(dtype="float16") == pytest.approx(np.log(2.0**-14) / np.log(0.9), rel=0.05)
    delay = float(ds.horizon.sel(dtype="float32"))
    left = np.log(0.9) * delay + np.arcsinh(0.5e6 * delay / 0.9)
    assert left == pytest.approx(np.log(2.0**-126), abs=0.1)  # between delays on a straight line
    assert int(ds.gradient_end.sel(dtype="float32")) == -1


def test_on_a_cycle_the_gradient_stays_and_beside_it_one_direction():
    ds = lk.gradient_horizon(lk.systems.rotation_flow(alpha=2.0, theta=np.pi / 4))
    assert (ds.gradient_end == 0).all() and (ds.horizon == np.inf).all() and (ds.asymptotic_horizon == np.inf).all()
    np.testing.assert_array_equal(ds.directions_inside[:, -1], [1, 1, 1, 2])  # e^-153 is left in float64


def test_a_chaotic_flow_explodes_beyond_the_longest_delay():
    ds = lk.gradient_horizon(lk.systems.lorenz63(), delays=[1.0, 10.0, 20.0])
    assert (ds.gradient_end == 1).all()
    last = ds.sensitivity_log_norm[-1]
    expected = 20.0 + (LOGS["float64"][1] - last) / ds.lyapunov_exponent[0]
    np.testing.assert_allclose(ds.horizon.sel(dtype="float64"), expected, rtol=1e-12)
    assert ds.asymptotic_horizon.sel(dtype="float64") == pytest.approx(709.78 / 0.9056, rel=0.1)


def test_an_open_sign_is_undecided():
    """A short chaotic run whose exponent's interval holds zero and is wider than the margin."""
    ds = lk.gradient_horizon(lk.systems.lorenz63(), delays=[0.5], transient=5, duration=2.0, margin=1e-6)
    open_sign = abs(ds.lyapunov_exponent[0]) < 2.326 * ds.lyapunov_exponent_stderr[0]
    assert bool(open_sign) == bool((ds.gradient_end == 2).all())
    assert bool(open_sign) == bool(np.isnan(ds.asymptotic_horizon).all())


def test_collapse_ends_every_range_at_once():
    system = lk.systems.rnn_map(W=[[0.5, 0.0], [0.0, 0.5]], b=[-1.0, -1.0], activation="relu")
    ds = lk.gradient_horizon(system, delays=[1, 2, 3], transient=0, initial_state=[5.0, 5.0])
    assert (ds.gradient_end == -1).all() and (ds.horizon <= 3).all() and (ds.directions_inside[:, -1] == 0).all()


def test_a_scan_and_a_file_keep_every_bit(tmp_path):
    grid = {"alpha": np.array([0.8, 2.0]), "theta": np.array([0.3, 0.9])}
    keywords = {"delays": [1.0, 8.0, 64.0], "transient": 20, "duration": 80}
    ds = lk.scan(lk.gradient_horizon, lk.systems.rotation_flow, grid, **keywords)
    one = lk.gradient_horizon(lk.systems.rotation_flow(alpha=0.8, theta=0.9), **keywords)
    for name in one.data_vars:
        np.testing.assert_array_equal(ds[name].sel(alpha=0.8, theta=0.9), one[name], err_msg=name)
    lk.save(ds, tmp_path / "horizon.nc")
    assert lk.load(tmp_path / "horizon.nc").identical(ds)


def test_misuse_is_named():
    with pytest.raises(ValueError, match="margin: given 0, accepted: a number above 0"):
        lk.gradient_horizon(lk.systems.henon(), margin=0)
