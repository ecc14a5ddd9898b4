"""Periodic orbits of maps: 25-digit values, closed forms, and maps that have none."""

import json
import pathlib

import numpy as np
import pytest
from test_limit_cycle import status_of

import lyapkit as lk
from lyapkit.flags import STABLE

TRUTH = json.loads((pathlib.Path(__file__).parent / "cycle_values.json").read_text())["maps"]


@pytest.mark.parametrize(
    "value", TRUTH, ids=lambda v: f"{v['api']['constructor']}-{'-'.join(v['parameters'].values())}"
)
def test_known_orbit(value):
    system = getattr(lk.systems, value["api"]["constructor"])(**value["api"]["arguments"])
    ds = lk.limit_cycle(system)
    p = value["period"]
    assert status_of(ds) == "ok" and int(ds.stable) == 1 and int(ds.trivial_mode) == 0
    assert float(ds.period) == p and float(ds.frequency) == 1 / p
    assert "adjoint" not in ds and np.isnan(ds.state[p:]).all()
    orbit = ds.state.values[:p]
    wanted = np.array(value["orbit"], dtype=float).reshape(p, -1)
    # a symmetric map has several such orbits; the one found is one of their images
    images = [wanted, -wanted] if "rotation" in system.name else [wanted]
    images += [np.stack([-w[:, 1], w[:, 0]], axis=1) for w in images[:2] if w.shape[1] == 2]
    images += [w[:, ::-1] for w in images[:4] if w.shape[1] == 2]
    distances = [abs(np.roll(w, k, axis=0) - orbit).max() for w in images for k in range(p)]
    assert min(distances) < 1e-12
    logs = np.array(value["log_abs_multiplier"], dtype=float)
    np.testing.assert_allclose(ds.log_abs_multiplier, logs, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(ds.lyapunov_exponent, logs / p, rtol=1e-7, atol=1e-12)
    multipliers = np.array([complex(float(re), float(im)) for re, im in value["multiplier"]])
    found = ds.floquet_multiplier.values
    for one in multipliers:
        assert abs(found - one).min() < 1e-9 * abs(multipliers).max()
    assert orbit[0, 0] == orbit[:, 0].max()


@pytest.mark.parametrize(
    "system, wanted",
    [
        (lk.systems.rotation_map(alpha=1.2, theta=0.7), "aperiodic"),
        (lk.systems.rotation_map(alpha=3.0, theta=0.2), "fixed_point"),
        (lk.systems.rotation_map(alpha=0.5, theta=0.2), "fixed_point"),
        (lk.systems.logistic(r=4.0), "aperiodic"),
        (lk.systems.logistic(r=2.5), "fixed_point"),
        (lk.systems.henon(), "aperiodic"),
        (lk.systems.linear_map(A=[[2.0, 1.0], [0.0, 1.5]]), "fixed_point"),  # it starts there
        (lk.systems.henon(a=3.0), "diverged"),
    ],
    ids=repr,
)
def test_maps_without_a_periodic_orbit(system, wanted):
    ds = lk.limit_cycle(system)
    assert status_of(ds) == wanted
    assert np.isnan(ds.period) and np.isnan(ds.state).all() and int(ds.stable) == STABLE["absent"]


@pytest.mark.parametrize(
    "system, start",
    [(lk.systems.standard_map(k=0.0), [0.3, 1.0]), (lk.systems.linear_map(A=[[0.0, -1.0], [1.0, 0.0]]), [1.0, 0.0])],
    ids=repr,
)
def test_families_are_told_apart(system, start):
    ds = lk.limit_cycle(system, initial_state=start)
    assert status_of(ds) in ("not_isolated", "aperiodic") and int(ds.stable) != 1


def test_superstable_orbit():
    """r = 1 + sqrt(5): the critical point has period 2, so that the multiplier is 0."""
    ds = lk.limit_cycle(lk.systems.logistic(r=1 + 5**0.5), initial_state=[0.5])
    assert float(ds.period) == 2.0
    assert float(abs(ds.floquet_multiplier[0])) < 1e-14


def test_unstable_orbit_from_a_guess():
    """Logistic r = 4 is conjugate to angle doubling: period 3 is sin^2(pi k / 7), its multiplier 8 or -8."""
    guess = np.sin(np.pi * np.array([1, 2, 4]) / 7)[:, None] ** 2
    ds = lk.limit_cycle(lk.systems.logistic(r=4.0), guess=guess + 1e-3)
    assert status_of(ds) == "ok" and int(ds.stable) == -1
    np.testing.assert_allclose(np.sort(ds.state.values[:3, 0]), np.sort(guess[:, 0]), atol=1e-14)
    np.testing.assert_allclose(abs(ds.floquet_multiplier), 8.0, rtol=1e-12)
    again = lk.limit_cycle(lk.systems.logistic(r=4.0), guess=guess[0], period=3)
    np.testing.assert_allclose(float(again.log_abs_multiplier[0]), np.log(8.0), rtol=1e-12)
    twice = lk.limit_cycle(lk.systems.logistic(r=4.0), guess=np.concatenate([guess, guess]))
    assert float(twice.period) == 3.0


def test_period_doubling_cascade():
    """r = 3.2, 3.5, 3.55, 3.566: 2, 4, 8, 16."""
    grid = {"r": np.array([3.2, 3.5, 3.55, 3.566])}
    ds = lk.scan(lk.limit_cycle, lk.systems.logistic, grid, initial_state=[0.3])
    np.testing.assert_array_equal(ds.period, [2, 4, 8, 16])
    np.testing.assert_allclose(ds.lyapunov_exponent[:, 0], ds.floquet_exponent.real[:, 0], atol=1e-12)


def test_scan_equals_single_calls():
    grid = {"alpha": np.array([0.8, 2.0, 5.0]), "theta": np.array([0.2, np.pi / 4, 1.3])}
    whole = lk.scan(lk.limit_cycle, lk.systems.rotation_map, grid, workers=1, block=9)
    assert whole.identical(lk.scan(lk.limit_cycle, lk.systems.rotation_map, grid, workers=2, block=2))
    for i, alpha in enumerate(grid["alpha"]):
        for j, theta in enumerate(grid["theta"]):
            one = lk.limit_cycle(lk.systems.rotation_map(alpha=alpha, theta=theta))
            for name in one.data_vars:
                np.testing.assert_array_equal(whole[name].values[i, j], one[name].values, err_msg=name)


def test_bounds_of_the_period():
    system = lk.systems.rotation_map(alpha=2.0, theta=np.pi / 4)
    assert float(lk.limit_cycle(system, period=(2, 20)).period) == 8
    assert status_of(lk.limit_cycle(system, period=(2, 7))) == "aperiodic"
    assert lk.limit_cycle(system, period=(2, 20)).sizes["phase"] == 20
    assert status_of(lk.limit_cycle(lk.systems.logistic(r=3.2), period=(3, 5))) == "aperiodic"


@pytest.mark.parametrize(
    "name, value", [("n_phase", 64), ("section", (0, 0.0)), ("dt", 0.1), ("rtol", 1e-9), ("duration", 9)]
)
def test_keywords_of_flows_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name}: given .* is a map; accepted for flows"):
        lk.limit_cycle(lk.systems.henon(), **{name: value})


def test_reversed_bounds_are_refused():
    with pytest.raises(ValueError, match="low < high"):
        lk.limit_cycle(lk.systems.henon(), period=(9, 2))
