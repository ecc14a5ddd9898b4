"""Flows against their Euler maps: stability limits, exponents, frequencies and tongues by independent means."""

import math

import numpy as np
import pytest

import lyapkit as lk
from lyapkit.flags import FLOW_REGIME, OUTCOME, SAFE_H_SOURCE

ALPHA = 2.0


@pytest.fixture(scope="module")
def plane():
    grid = {"h": np.array([0.05, 0.1, 0.3, 0.9, 1.0]), "theta": np.array([0.1, math.pi / 4, 0.95, 1.2, 1.5])}
    return lk.discretisation_map(grid, system=lk.systems.rotation_flow(alpha=ALPHA))


def names(variable):
    table = dict(zip(variable.flag_values.tolist(), variable.flag_meanings.split(), strict=True))
    return np.vectorize(table.get)(variable.values)


def test_rest_becomes_a_cycle_beyond_the_closed_form_step(plane):
    theta = plane.theta.values[3:]
    limit = 2 * (1 - ALPHA * np.cos(theta)) / (1 - 2 * ALPHA * np.cos(theta) + ALPHA**2)
    np.testing.assert_allclose(plane.largest_safe_h[3:], limit, rtol=1e-10)
    assert (plane.safe_h_source[3:] == SAFE_H_SOURCE["eigenvalue"]).all()
    found = names(plane.outcome[:, 3:])
    beyond = plane.h.values[:, None] > limit
    assert (found == np.where(beyond, "cycle_made_by_the_step", "both_rest")).all()
    # on the curve, alpha is what NUMERICS gives for h and theta
    c, h = np.cos(plane.curve_theta.values), plane.curve_h.values
    gain = (-(1 - h) * c + np.sqrt((1 - h) ** 2 * c**2 + h * (2 - h))) / h
    np.testing.assert_allclose(gain, ALPHA, rtol=1e-8)


def test_below_the_fold_the_limit_is_that_of_the_nodes(plane):
    points = lk.fixed_points(lk.systems.rotation_flow(alpha=ALPHA, theta=0.1))
    stable = points.eigenvalue.values[points.stable.values == 1]
    limits = (-2 * stable.real / abs(stable) ** 2).min(axis=1)
    np.testing.assert_allclose(plane.largest_safe_h[0], limits, rtol=1e-9)
    assert set(names(plane.outcome[:, 0])) == {"both_rest"} and plane.flow_regime[0] == FLOW_REGIME["rest"]


def test_exponents_and_frequencies_are_those_of_the_map_iterated_by_hand(plane):
    h, theta = 0.3, 0.95
    x, y, c, s = 0.5, 0.2, ALPHA * math.cos(theta), ALPHA * math.sin(theta)
    turns, logarithm, w, count = 0.0, 0.0, np.array([1.0, 0.0]), 40_000
    for step in range(2000 + count):
        u, v = c * x - s * y, s * x + c * y
        a, b = math.tanh(u), math.tanh(v)
        slopes = np.array([[c * (1 - a * a), -s * (1 - a * a)], [s * (1 - b * b), c * (1 - b * b)]])
        w = w + h * (slopes @ w - w)
        old = math.atan2(y, x)
        x, y = x + h * (a - x), y + h * (b - y)
        size = math.hypot(*w)
        w = w / size
        if step >= 2000:
            turns += ((math.atan2(y, x) - old) / (2 * math.pi) + 0.5) % 1.0 - 0.5
            logarithm += math.log(size)
    here = plane.sel(h=h, theta=theta)
    assert abs(here.rotation_number - turns / count) < 2 / count
    bias = turns / count / h * float(here.flow_period) - 1
    assert abs(here.frequency_bias - bias) < 2 / count / h * float(here.flow_period)
    assert abs(here.map_exponent[0] - logarithm / count / h) < 10 / count / h
    assert names(here.outcome) == "both_cycle"


def test_the_bias_is_of_first_order_in_the_step():
    grid = {"h": np.array([0.01, 0.02]), "theta": np.array([0.7])}
    ds = lk.discretisation_map(grid, system=lk.systems.rotation_flow(alpha=ALPHA)).isel(theta=0)
    bias = ds.frequency_bias.values
    assert bias[0] < 0 and 1.9 < bias[1] / bias[0] < 2.1
    ahead = (ds.map_exponent - ds.flow_exponent).sel(mode=2).values
    assert 1.9 < ahead[1] / ahead[0] < 2.1


def test_the_cycle_is_safe_up_to_the_edge_of_the_tongue(plane):
    here = plane.sel(theta=math.pi / 4)
    assert names(here.outcome).tolist() == ["both_cycle"] * 4 + ["locked"] and here.locking_q[-1] == 8
    assert here.safe_h_source == SAFE_H_SOURCE["bisection"]
    edge = float(here.largest_safe_h)
    assert 0.9 < edge < 1.0
    system = lk.systems.rotation_euler(alpha=ALPHA, theta=math.pi / 4)
    for h, locked in ((edge - 1e-3, 0), (edge + 1e-3, 1)):
        assert int(lk.rotation_number(system.with_(h=h)).locked) == locked


def test_other_flows_and_other_failures():
    ds = lk.discretisation_map({"h": [0.05, 1.5], "mu": [1.0]}, system=lk.systems.van_der_pol, workers=1)
    assert names(ds.outcome)[:, 0].tolist() == ["both_cycle", "diverged"]
    assert 0.05 < float(ds.largest_safe_h[0]) < 1.5
    ds = lk.discretisation_map(
        {"rho": np.array([10.0, 28.0]), "h": np.array([0.005])}, system=lk.systems.lorenz63, duration=100.0
    )
    assert ds.outcome.dims == ("rho", "h") and names(ds.outcome)[:, 0].tolist() == ["both_rest", "both_chaotic"]
    assert ds.safe_h_source.values.tolist() == [SAFE_H_SOURCE["eigenvalue"], SAFE_H_SOURCE["above_grid"]]
    pair = lk.fixed_points(lk.systems.lorenz63(rho=10.0))
    stable = pair.eigenvalue.values[pair.stable.values == 1][0]
    assert abs(ds.largest_safe_h[0] - (-2 * stable.real / abs(stable) ** 2).min()) < 1e-9


def test_it_is_drawn_as_a_plane_and_kept_in_a_file(plane, tmp_path):
    ax = lk.plot.plane(plane, "outcome")
    assert ax.get_xlabel() == "$h$"
    lk.save(plane, tmp_path / "map.nc")
    assert lk.load(tmp_path / "map.nc").identical(plane)
    assert plane.outcome.flag_meanings.split() == list(OUTCOME)


def test_misuse_is_named():
    for grid in ({"h": [0.1]}, {"theta": [0.1]}, {"h": [0.0], "theta": [0.1]}, {"h": [0.1], "speed": [1.0]}):
        with pytest.raises(ValueError, match=r"grid|speed"):
            lk.discretisation_map(grid)
    with pytest.raises(ValueError, match="a map"):
        lk.discretisation_map({"h": [0.1], "a": [1.0]}, system=lk.systems.henon)


def test_results_depend_on_neither_workers_nor_the_rest_of_the_grid():
    system = lk.systems.rotation_flow(alpha=ALPHA)
    h, theta = np.array([0.1, 0.3, 0.9]), np.array([0.6, 0.95, 1.3])
    one, two = (lk.discretisation_map({"h": h, "theta": theta}, system=system, workers=w) for w in (1, 2))
    assert one.identical(two)
    part = lk.discretisation_map({"h": h[1:], "theta": theta[1:2]}, system=system)
    for name in ("map_exponent", "rotation_number", "frequency_bias", "outcome", "flow_period"):
        whole = one[name].sel(theta=theta[1:2])
        np.testing.assert_array_equal(part[name], whole.sel(h=h[1:]) if "h" in whole.dims else whole)
