"""Bifurcation diagrams against closed forms, hysteresis at known points, and an independent integrator's maxima."""

import math

import numpy as np
import pytest
import scipy.integrate

import lyapkit as lk
from lyapkit.flags import STATUS


def cusp():
    return lk.define_flow(lambda x, p: p + x - x**3, parameters={"p": 0.0}, dimension=1, name="cusp")


def test_fixed_point_two_cycle_period_three_and_chaos_of_the_logistic_map():
    values = [2.5, 3.2, 3.835, 4.0]
    ds = lk.bifurcation_diagram(lk.systems.logistic, "r", values, n_samples=60)
    assert (ds.status == 0).all() and ds.state.dims == ("direction", "r", "sample", "unit")
    for direction in range(2):
        state = ds.state[direction, :, :, 0].values
        assert abs(state[0] - (1 - 1 / 2.5)).max() < 1e-14
        r = 3.2
        pair = (r + 1 + np.array([-1, 1]) * math.sqrt((r - 3) * (r + 1))) / (2 * r)
        np.testing.assert_allclose(np.unique(state[1].round(12)), pair, atol=1e-12)
        assert len(np.unique(state[2].round(12))) == 3
        # multiplier of the 2-cycle: r^2 (1 - 2 a)(1 - 2 b) = 1 - (r - 3)(r + 1)
        exponents = ds.lyapunov_exponent[direction, :, 0].values
        assert abs(exponents[0] - math.log(abs(2 - 2.5))) < 1e-10
        assert abs(exponents[1] - 0.5 * math.log(abs(1 - (r - 3) * (r + 1)))) < 1e-10
        assert abs(exponents[3] - math.log(2)) < 4 * ds.lyapunov_exponent_stderr[direction, 3, 0]
        assert ds.lyapunov_sign[direction, :, 0].values.tolist() == [-1, -1, -1, 1]


def test_henon_period_doubling_is_where_theory_says():
    a = np.array([0.36, 0.375])  # the fixed point doubles at 3 (1 - b)^2 / 4 = 0.3675 for b = 0.3
    ds = lk.bifurcation_diagram(lk.systems.henon(b=0.3), "a", a, n_samples=20, transient=5000)
    spread = np.ptp(ds.state[..., 0].values, axis=-1)
    assert (spread[:, 0] < 1e-10).all() and (spread[:, 1] > 0.05).all()
    b = 0.3
    x = (-(1 - b) + np.sqrt((1 - b) ** 2 + 4 * a[0])) / (2 * a[0])
    assert abs(ds.state[:, 0, :, 0] - x).max() < 1e-12


def test_jumps_of_the_cusp_show_hysteresis_where_the_folds_are():
    values = np.linspace(-0.6, 0.6, 121)
    ds = lk.bifurcation_diagram(cusp(), "p", values, initial_state=[0.1], n_samples=3, duration=200, n_exponents=1)
    fold = 2 / (3 * math.sqrt(3))
    state = ds.state[..., 0].values
    assert np.ptp(state, axis=-1).max() == 0.0  # at rest: one value
    assert abs(values[None, :, None] + state - state**3).max() < 1e-13
    for direction, jump in ((0, fold), (1, -fold)):
        upper = state[direction, :, 0] > 0
        assert (upper == (values > jump)).all()
    np.testing.assert_allclose(ds.lyapunov_exponent[..., 0], 1 - 3 * state[..., 0] ** 2, atol=1e-6)


def test_subcritical_hopf_has_two_attractors_between_its_fold_and_itself():
    def rule(x, mu):
        square = x[0] ** 2 + x[1] ** 2
        growth = mu + square - square**2
        return growth * x[0] - x[1], x[0] + growth * x[1]

    system = lk.define_flow(rule, parameters={"mu": 0.0}, dimension=2, name="bautin", initial_state=[0.2, 0.1])
    mu = np.linspace(-0.4, 0.2, 13)  # bistable from -1/4 to 0
    ds = lk.bifurcation_diagram(system, "mu", mu, n_samples=5, method="rk8", transient=300, duration=100)
    largest = ds.state[..., 0].max("sample").values
    large = np.sqrt(0.5 + np.sqrt(np.maximum(0.25 + mu, 0.0)))
    inside = (mu > -0.24) & (mu < -0.01)
    assert abs(largest[0][mu < -0.01]).max() < 1e-8
    np.testing.assert_allclose(largest[1][inside], large[inside], atol=1e-8)
    np.testing.assert_allclose(largest[:, mu > 0.01], np.tile(large[mu > 0.01], (2, 1)), atol=1e-8)
    assert abs(largest[1][mu < -0.26]).max() < 1e-8
    np.testing.assert_allclose(np.ptp(ds.state[1, inside, :, 0].values, axis=-1), 0.0, atol=1e-8)


@pytest.mark.parametrize("section", [None, (0, 0.5)])
def test_events_of_a_flow_are_located_to_rounding(section):
    system = lk.systems.rossler(c=4.0)
    ds = lk.bifurcation_diagram(system, "a", [0.1, 0.2], n_samples=20, section=section, method="rk8", duration=300)
    for a, found in zip(ds.a.values, ds.state[0].values, strict=True):
        x, y, z = found.T
        assert (abs(y + z) < 1e-10).all() if section is None else (abs(x - 0.5) < 1e-10).all()
        assert (-x - a * y - (0.2 + z * (x - 4.0)) < 0).all() if section is None else (-y - z > 0).all()


def test_maxima_of_the_rossler_flow_agree_with_another_integrator():
    ds = lk.bifurcation_diagram(lk.systems.rossler(), "c", [3.0], n_samples=8, method="rk8", direction="up")
    first, later = ds.state[0, 0, 0].values, ds.state[0, 0, 1:, 0].values

    def rule(t, x):
        return -x[1] - x[2], x[0] + 0.2 * x[1], 0.2 + x[2] * (x[0] - 3.0)

    def event(t, x):
        return -x[1] - x[2]

    event.direction = -1.0
    run = scipy.integrate.solve_ivp(
        rule, (0, 60), first, method="DOP853", events=event, rtol=1e-12, atol=1e-13, max_step=0.05
    )
    at = run.t_events[0] > 1.0
    np.testing.assert_allclose(later, run.y_events[0][at][:7, 0], atol=1e-8)


def test_networks_spread_over_the_lanes_are_swept_as_well():
    weights = 1.8 * np.random.default_rng(0).standard_normal((24, 24)) / np.sqrt(24)
    ds = lk.bifurcation_diagram(
        lk.systems.rnn_flow(W=weights), "tau", [0.5, 1.0], n_samples=4, n_exponents=1, duration=100, direction="up"
    )
    assert (ds.status == 0).all() and ds.state.shape == (1, 2, 4, 24)
    # tau is the unit of time: the same attractor, and its exponent in proportion
    here, there = ds.lyapunov_exponent[0, :, 0].values
    error = 4 * ds.lyapunov_exponent_stderr[0, :, 0].values
    assert abs(0.5 * here - there) < 0.5 * error[0] + error[1] + 1e-3


def test_lost_orbits_are_nan_and_the_sweep_goes_on_from_the_last_state():
    ds = lk.bifurcation_diagram(lk.systems.logistic, "r", [3.2, 4.5, 3.3], n_samples=4)
    assert ds.status[:, 1].values.tolist() == [1, 1] and ds.r.values.tolist() == [3.2, 4.5, 3.3]
    assert np.isnan(ds.state[:, 1]).all() and np.isnan(ds.lyapunov_exponent[:, 1]).all()
    assert np.isfinite(ds.state[:, [0, 2]]).all() and (ds.status[:, [0, 2]] == 0).all()
    missed = lk.bifurcation_diagram(
        lk.systems.stuart_landau, "mu", [1.0], section=(0, 5.0), n_samples=2, duration=50, n_exponents=0
    )
    assert (missed.status == STATUS["section_missed"]).all() and np.isnan(missed.state).all()


def test_a_scan_of_diagrams_equals_each_diagram_to_the_last_bit():
    values = np.linspace(0.9, 1.4, 5)
    grid = {"b": np.array([0.1, 0.2, 0.3])}
    one = {"parameter": "a", "values": values, "n_samples": 7, "duration": 500}
    ds = lk.scan(lk.bifurcation_diagram, lk.systems.henon, grid, workers=2, block=1, **one)
    again = lk.scan(lk.bifurcation_diagram, lk.systems.henon, grid, workers=1, block=3, **one)
    assert ds.identical(again)
    single = lk.bifurcation_diagram(lk.systems.henon(b=0.2), **one)
    np.testing.assert_array_equal(ds.state[1], single.state)
    np.testing.assert_array_equal(ds.lyapunov_exponent[1], single.lyapunov_exponent)
    assert "parameter_a" not in ds.attrs and "parameter_a" not in single.attrs
    flows = {"parameter": "c", "values": [3.0, 4.0], "n_samples": 5, "duration": 60, "n_exponents": 0}
    grid = {"a": np.array([0.1, 0.2])}
    ds = lk.scan(lk.bifurcation_diagram, lk.systems.rossler, grid, **flows)
    np.testing.assert_array_equal(ds.state[0], lk.bifurcation_diagram(lk.systems.rossler(a=0.1), **flows).state)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"parameter": "q"}, "'q' is unknown"),
        ({"values": [[1.0]]}, "values"),
        ({"values": [1.0, 1.0]}, "differ"),
        ({"values": [np.nan]}, "finite"),
        ({"unit": 0}, "unit: .* is a map"),
        ({"section": (0, 1.0)}, "section: .* is a map"),
        ({"direction": "left"}, "direction"),
        ({"kick": 1.0}, "kick"),
        ({"n_samples": 0}, "n_samples"),
        ({"n_exponents": 3}, "n_exponents"),
        ({"dt": 0.1}, "dt"),
    ],
)
def test_misuse_is_named(keywords, message):
    with pytest.raises(ValueError, match=message):
        lk.bifurcation_diagram(lk.systems.henon, **({"parameter": "a", "values": [1.0, 1.1]} | keywords))


def test_it_is_drawn_with_its_exponents_below():
    ds = lk.bifurcation_diagram(cusp(), "p", np.linspace(-0.5, 0.5, 11), initial_state=[0.1], n_samples=2, duration=50)
    ax = lk.plot.bifurcation_diagram(ds)
    assert len(ax.figure.axes) == 2 and [t.get_text() for t in ax.get_legend().get_texts()] == [
        "sweep up",
        "sweep down",
    ]
    figure = ax.figure
    assert lk.plot.bifurcation_diagram(ds, exponents=0).figure is not figure
    given = figure.add_subplot()
    assert lk.plot.bifurcation_diagram(ds, ax=given) is given
    with pytest.raises(ValueError, match="unit"):
        lk.plot.bifurcation_diagram(ds, unit=3)
    with pytest.raises(ValueError, match="exponents"):
        lk.plot.bifurcation_diagram(ds, exponents=-1)
