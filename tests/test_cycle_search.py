"""Limit cycles of flows: how they are found, beside bifurcations, stiff ones, from guesses; where there are none."""

import numpy as np
import pytest
import scipy.special
from test_limit_cycle import TRUTH, status_of

import lyapkit as lk
from lyapkit.flags import STABLE, STATUS


def _escape(x):
    return 2.0 * x[0] + x[1], 2.0 * x[1] - x[0]


@pytest.mark.parametrize(
    "system, wanted",
    [
        (lk.systems.rotation_flow(alpha=1.0, theta=0.5), "fixed_point"),
        (lk.systems.rotation_flow(alpha=2.0, theta=0.1), "fixed_point"),
        (lk.systems.rotation_flow(alpha=0.999 / np.cos(0.5), theta=0.5), "fixed_point"),
        (lk.systems.lorenz63(rho=15.0), "fixed_point"),
        (lk.systems.lorenz63(), "aperiodic"),
        (lk.systems.rossler(), "aperiodic"),
        (lk.systems.block_rotation_flow(alpha=[2.0, 2.0], theta=[0.7, 0.9]), "aperiodic"),
        (lk.systems.linear_flow(A=[[2.0, 1.0], [-1.0, 2.0]]), "fixed_point"),  # it starts there
        (lk.define_flow(_escape, dimension=2, initial_state=[0.1, 0.0]), "diverged"),
        (lk.systems.bounded_line_attractor_flow(), "fixed_point"),
    ],
    ids=repr,
)
def test_systems_without_a_cycle(system, wanted):
    ds = lk.limit_cycle(system, duration=500)
    assert status_of(ds) == wanted
    assert np.isnan(ds.period) and np.isnan(ds.state).all() and np.isnan(ds.floquet_multiplier).all()
    assert int(ds.trivial_mode) == 0 and int(ds.stable) == STABLE["absent"]


@pytest.mark.parametrize("mu", [1e-3, 1e-4, 1e-5])
def test_beside_hopf(mu):
    """r^2 = 4 mu / alpha^2 and T = 2 pi / tan theta, to O(mu); ln multiplier -2 mu T."""
    theta = 0.5
    alpha = (1 + mu) / np.cos(theta)
    ds = lk.limit_cycle(lk.systems.rotation_flow(alpha=alpha, theta=theta))
    assert status_of(ds) == "ok"
    radius = np.linalg.norm(ds.state, axis=1)
    np.testing.assert_allclose(radius, 2 * np.sqrt(mu) / alpha, rtol=3 * np.sqrt(mu))
    np.testing.assert_allclose(float(ds.period), 2 * np.pi / np.tan(theta), rtol=3 * mu)
    np.testing.assert_allclose(float(ds.log_abs_multiplier[1]), -2 * mu * float(ds.period), rtol=10 * mu)


def test_period_doubling_is_seen():
    """Rossler's c = 2.5, 3.5, 4: periods near 6, 12, 24; never a multiple of the least one."""
    periods = [float(lk.limit_cycle(lk.systems.rossler(a=0.2, b=0.2, c=c)).period) for c in (2.5, 3.5, 4.0)]
    np.testing.assert_allclose(periods, [5.748991183278, 11.5452182878, 23.177001056], rtol=1e-9)


def _backwards(x, mu):
    return -x[1], -mu * (1 - x[0] ** 2) * x[1] + x[0]


def test_unstable_cycle_from_a_guess():
    """Backwards in time van der Pol's cycle repels: same period, inverse multiplier."""
    forward = lk.limit_cycle(lk.systems.van_der_pol(mu=1.0))
    backward = lk.define_flow(_backwards, parameters={"mu": 1.0}, dimension=2)
    orbit = forward.state.values[::-1] * 1.01
    ds = lk.limit_cycle(backward, guess=orbit, period=6.5)
    assert status_of(ds) == "ok" and int(ds.stable) == -1 and int(ds.trivial_mode) == 2
    np.testing.assert_allclose(float(ds.period), float(forward.period), rtol=1e-10)
    np.testing.assert_allclose(float(ds.log_abs_multiplier[0]), -float(forward.log_abs_multiplier[1]), rtol=1e-9)
    np.testing.assert_allclose((ds.velocity * ds.adjoint).sum("unit"), 1.0, atol=1e-8)
    assert status_of(lk.limit_cycle(backward, initial_state=[0.1, 0.1])) == "fixed_point"


def test_cycle_of_lorenz_from_a_guess():
    """The unstable orbit of symbolic code LR of the classical parameters; T = 1.5586522107162 (Viswanath 2003)."""
    orbit = lk.trajectory(lk.systems.lorenz63(), transient=50, duration=200, dt=0.01).state.values
    distance = np.linalg.norm(orbit[156:] - orbit[:-156], axis=1)
    at = int(np.argmin(distance))
    ds = lk.limit_cycle(lk.systems.lorenz63(), guess=orbit[at : at + 156], period=1.56)
    assert status_of(ds) == "ok" and int(ds.stable) == -1
    np.testing.assert_allclose(float(ds.period), 1.558652210716175, rtol=1e-10)
    np.testing.assert_allclose(float(ds.floquet_multiplier[0].real), 4.71, rtol=2e-3)
    assert abs(float(ds.log_abs_multiplier.sum()) - float(ds.period) * (-41 / 3)) < 1e-8


def test_earlier_result_as_guess():
    near = lk.limit_cycle(lk.systems.rotation_flow(alpha=2.0, theta=0.8))
    ds = lk.limit_cycle(lk.systems.rotation_flow(alpha=2.0, theta=np.pi / 4), near)
    np.testing.assert_allclose(float(ds.period), float(TRUTH[0]["period"]), rtol=1e-11)


def test_bounds_of_the_period():
    system = lk.systems.rossler(a=0.2, b=0.2, c=3.5)
    assert status_of(lk.limit_cycle(system, period=(3.0, 8.0), duration=400)) != "ok"
    assert float(lk.limit_cycle(system, period=(8.0, 14.0)).period) == pytest.approx(11.5452182878, rel=1e-9)
    assert float(lk.limit_cycle(system, period=11.0).period) == pytest.approx(11.5452182878, rel=1e-9)


def test_section_that_is_missed():
    ds = lk.limit_cycle(lk.systems.rotation_flow(), section=(0, 5.0))
    assert status_of(ds) == "section_missed" and np.isnan(ds.period)


def test_plane_has_cycles_just_between_hopf_and_snic():
    grid = {"alpha": np.linspace(1.05, 5.0, 12), "theta": np.linspace(0.02, 1.5, 14)}
    ds = lk.scan(lk.limit_cycle, lk.systems.rotation_flow, grid)
    fold = _snic(grid["alpha"])[:, None]
    hopf = np.arccos(1 / grid["alpha"])[:, None]
    theta = grid["theta"][None]
    inside = (theta > fold) & (theta < hopf)
    clear = abs(theta - fold) > 1e-4
    np.testing.assert_array_equal((ds.status == STATUS["ok"]).values[clear], inside[clear])
    np.testing.assert_array_equal((ds.status == STATUS["fixed_point"]).values[clear], ~inside[clear])
    assert float(ds.residual.max()) < 1e-12


def _snic(alphas):
    """theta_SN(alpha), from the model's closed form."""
    curve = lk.systems.rotation_flow.model.curves({"alpha": (1.01, 6.0, 2), "theta": (0.0, 1.5, 2)}, {})["SNIC"]
    order = np.argsort(curve["alpha"])
    return np.interp(alphas, np.asarray(curve["alpha"])[order], np.asarray(curve["theta"])[order])


def test_stiff_cycle():
    """Steps of 0.02 are too long, and are made shorter; T = (3 - 2 ln 2) mu + 7.01 mu^(-1/3) - ... (Dorodnitsyn)."""
    ds = lk.limit_cycle(lk.systems.van_der_pol(mu=50.0))
    assert status_of(ds) == "ok"
    mu = 50.0
    period = (3 - 2 * np.log(2)) * mu + 7.01432 / mu ** (1 / 3) - 22 / 9 * np.log(mu) / mu + 0.0087 / mu
    np.testing.assert_allclose(float(ds.period), period, rtol=2e-3)
    np.testing.assert_allclose(ds.lyapunov_exponent, ds.floquet_exponent.real, rtol=1e-9, atol=1e-9)
    assert abs(float(ds.liouville_error)) < 1e-9 * abs(float(ds.log_abs_multiplier[1]))


def _bursting(x, drive, slowness):
    fast = x[1] - x[0] ** 3 + 3 * x[0] ** 2 - x[2] + drive
    return fast, 1 - 5 * x[0] ** 2 - x[1], slowness * (4 * (x[0] + 1.6) - x[2])


@pytest.mark.parametrize("slowness, period", [(0.002, 259.3426), (0.001, 452.1175)])
def test_bursts_are_gone_around_once(slowness, period):
    """Hindmarsh and Rose's neuron, of many spikes a period; intervals between bursts by LSODA at rtol 1e-10."""
    parameters = {"drive": 2.5, "slowness": slowness}
    system = lk.define_flow(_bursting, parameters=parameters, dimension=3, initial_state=[-1.0, 0.0, 2.0])
    ds = lk.limit_cycle(system)
    assert status_of(ds) == "ok"
    np.testing.assert_allclose(float(ds.period), period, rtol=2e-7)


@pytest.mark.parametrize("turns", [2, 3, 9, 10, 11])
def test_guesses_of_several_turns(turns):
    period = 6.663286859323130
    ds = lk.limit_cycle(lk.systems.van_der_pol(mu=1.0), guess=[2.0, 0.0], period=turns * period * 1.0001)
    np.testing.assert_allclose(float(ds.period), period, rtol=1e-10)
    bounded = lk.limit_cycle(lk.systems.van_der_pol(mu=1.0), period=(turns * period - 0.1, turns * period + 0.1))
    assert status_of(bounded) != "ok" and np.isnan(bounded.period)


def _weak_spiral(x):
    return x[1], -x[0] - 0.1 * x[1] ** 3


def test_weak_spirals_are_no_cycles():
    """Damped by y^3 alone, an orbit approaches rest as t^-1/2, so that each turn nearly closes."""
    ds = lk.limit_cycle(lk.define_flow(_weak_spiral, dimension=2, initial_state=[0.5, 0.1]))
    assert status_of(ds) == "aperiodic" and np.isnan(ds.period)


def _double_well(x):
    return x[1], x[0] - x[0] ** 3


def test_orbit_of_a_family_is_that_of_the_initial_state():
    """x'' = x - x^3 from rest at x0 = 1.3: period by quadrature of dx / x'."""
    ds = lk.limit_cycle(lk.define_flow(_double_well, dimension=2, initial_state=[1.3, 0.0]), transient=0)
    assert status_of(ds) == "not_isolated"
    right = float(ds.state[:, 0].max())
    assert right == pytest.approx(1.3, abs=0.01)
    amplitude2 = float(ds.state[0, 0]) ** 2  # phase 0: where y = 0, an end of the orbit
    ends = np.sort([amplitude2, 2 - amplitude2])  # x'^2 = (ends[1] - x^2) (x^2 - ends[0]) / 2
    modulus = 1 - ends[0] / ends[1]
    period = 2 * np.sqrt(2 / ends[1]) * scipy.special.ellipk(modulus)
    np.testing.assert_allclose(float(ds.period), period, rtol=1e-9)


@pytest.mark.slow
def test_more_contraction_than_tangent_maps_can_hold():
    """The divergence's integral by a stiff integrator: -7717.126."""
    ds = lk.limit_cycle(lk.systems.brusselator(A=1.0, B=20.0))
    np.testing.assert_allclose(float(ds.log_abs_multiplier[1]), -7717.126, rtol=1e-6)
