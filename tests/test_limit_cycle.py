"""Limit cycles of flows: 25-digit values, closed forms, identities, and systems that have none."""

import json
import pathlib

import numpy as np
import pytest
import scipy.special

import lyapkit as lk
from lyapkit.flags import STATUS

FOLDER = pathlib.Path(__file__).parent
TRUTH = json.loads((FOLDER / "cycle_values.json").read_text())["flows"]
REFERENCE = json.loads((FOLDER / "reference_values.json").read_text())
# What halving the steps changes is below 1e-9 of a cycle's size (rtol); of eighth order, the rest is 100 times smaller.
CLOSE = 1e-10


def named(value):
    return f"{value['api']['constructor']}-{'-'.join(value['parameters'].values())}"


def solve(value, **keywords):
    """The cycle of an entry, phase 0 where the entry has it."""
    system = getattr(lk.systems, value["api"]["constructor"])(**value["api"]["arguments"])
    section = (system.dimension - 1, float(value["level"]))
    return lk.limit_cycle(system, section=section, **keywords)


def status_of(ds):
    return {code: name for name, code in STATUS.items()}[int(ds.status)]


@pytest.mark.parametrize("value", TRUTH, ids=named)
def test_known_cycle(value):
    """Period, multipliers, orbit, phase gradient, slopes of the period; conditions as stated beside them.

    The arguments are the nearest floats of the parameters: a period with a slope of 1e5 moves by 1e-11 of it.
    """
    ds = solve(value)
    period, slopes = float(value["period"]), np.array(value["period_derivative"], dtype=float)
    assert status_of(ds) == "ok" and int(ds.stable) == 1 and int(ds.trivial_mode) == 1
    rounded = abs(slopes).max() * 4e-16
    np.testing.assert_allclose(float(ds.period), period, rtol=CLOSE, atol=rounded)
    np.testing.assert_allclose(1.0 / float(ds.frequency), period, rtol=CLOSE, atol=rounded)
    logs = np.array(value["log_abs_multiplier"], dtype=float)
    # a multiplier's logarithm changes as the time over which it grows
    np.testing.assert_allclose(ds.log_abs_multiplier[1:], logs, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(ds.floquet_exponent.real[1:], logs / period, rtol=1e-9, atol=1e-10)
    at = ds.sel(phase=np.arange(8) / 8)
    for name in ("state", "adjoint"):
        wanted = np.array(value[name], dtype=float)
        np.testing.assert_allclose(at[name], wanted, rtol=0, atol=1e-8 * abs(wanted).max())
    np.testing.assert_allclose(ds.velocity[0], np.array(value["velocity"], dtype=float), rtol=0, atol=1e-8)
    sensitivity = np.linalg.norm(ds.velocity[0]) * np.linalg.norm(ds.adjoint[0])
    np.testing.assert_allclose(sensitivity, float(value["sensitivity"]), rtol=1e-8)
    # a parabola through samples at most a fortieth of the fast parts apart
    np.testing.assert_allclose(float(ds.gradient_swing), float(value["gradient_swing"]), rtol=1e-4)
    np.testing.assert_allclose(ds.period_derivative, slopes, rtol=1e-7, atol=1e-7 * abs(slopes).max())


@pytest.mark.parametrize("value", TRUTH, ids=named)
def test_cross_checks_of_a_cycle(value):
    """Two routes to the exponents, Liouville's formula, the trivial multiplier, Z . f = 1."""
    ds = solve(value)
    assert float(ds.residual) < 1e-12
    assert float(ds.trivial_error) < 1e-9 and float(ds.mesh_error) <= 1e-9
    scale = max(1.0, abs(ds.log_abs_multiplier.values).max())
    np.testing.assert_allclose(ds.lyapunov_exponent, ds.floquet_exponent.real, rtol=0, atol=1e-10 * scale)
    assert abs(float(ds.liouville_error)) < 1e-9 * scale
    np.testing.assert_allclose((ds.velocity * ds.adjoint).sum("unit"), 1.0, rtol=0, atol=1e-9)


def test_multipliers_stated_by_their_logarithms():
    ds = lk.limit_cycle(lk.systems.rotation_flow(alpha=1.5, theta=np.pi / 21))
    assert float(ds.floquet_multiplier[1].real) == pytest.approx(1.1e-92, rel=0.1)
    np.testing.assert_allclose(float(ds.log_abs_multiplier[1]), -211.70975750, rtol=1e-9)
    assert float(ds.gradient_swing) == pytest.approx(142.8, rel=1e-3)
    ds = lk.limit_cycle(lk.systems.van_der_pol(mu=5.0))
    np.testing.assert_allclose(float(ds.log_abs_multiplier[1]), -85.452018544883540651, rtol=1e-10)


@pytest.mark.parametrize("mu, omega, c", [(1.0, 2.0, 0.5), (0.25, 1.0, -1.0), (0.01, 3.0, 2.0)])
def test_stuart_landau(mu, omega, c):
    """w = sqrt(mu) exp(i W t), W = omega - c mu; Z = (phi gradient of arg w - c ln |w|) / W."""
    ds = lk.limit_cycle(lk.systems.stuart_landau(mu=mu, omega=omega, c=c))
    speed = omega - c * mu
    np.testing.assert_allclose(float(ds.period), 2 * np.pi / speed, rtol=1e-11)
    np.testing.assert_allclose(ds.log_abs_multiplier, [0.0, -4 * np.pi * mu / speed], rtol=1e-9, atol=1e-9)
    x, y = ds.state.values.T
    np.testing.assert_allclose(x**2 + y**2, mu, rtol=1e-9)
    gradient = np.stack([-y - c * x, x - c * y], axis=1) / (mu * speed)
    np.testing.assert_allclose(ds.adjoint, gradient, rtol=0, atol=1e-8 * abs(gradient).max())
    np.testing.assert_allclose(float(ds.gradient_swing), 1.0, atol=1e-9)
    derivative = np.array([c, -1.0, mu]) * 2 * np.pi / speed**2  # by mu, omega, c
    np.testing.assert_allclose(ds.period_derivative, derivative, rtol=1e-8)
    assert ds.parameter.values.tolist() == ["mu", "omega", "c"]


def test_phase_and_section():
    ds = lk.limit_cycle(lk.systems.rotation_flow(), n_phase=100)
    np.testing.assert_allclose(ds.phase, np.arange(100) / 100)
    assert abs(float(ds.state[0, 1]) - float(ds.section_level)) < 1e-12 and float(ds.velocity[0, 1]) > 0
    assert abs(float(ds.section_level) - float(ds.state[:, 1].mean())) < 1e-9
    other = lk.limit_cycle(lk.systems.rotation_flow(), section=(0, 0.25), n_phase=100)
    assert abs(float(other.state[0, 0]) - 0.25) < 1e-12 and float(other.velocity[0, 0]) > 0
    np.testing.assert_allclose(other.period, ds.period, rtol=1e-11)


@pytest.mark.parametrize("n_phase", [2, 17, 97, 256, 1000])
def test_any_number_of_phases(n_phase):
    ds = lk.limit_cycle(lk.systems.rotation_flow(), n_phase=n_phase)
    assert ds.sizes["phase"] == n_phase
    np.testing.assert_allclose(float(ds.period), float(TRUTH[0]["period"]), rtol=1e-11)
    assert float(ds.residual) < 1e-12


def test_quarter_turn_symmetry():
    """x(t + T/4) = R(pi/2) x(t)."""
    state = lk.limit_cycle(lk.systems.rotation_flow(alpha=3.0, theta=0.6)).state.values
    turned = np.stack([-state[:, 1], state[:, 0]], axis=1)
    np.testing.assert_allclose(np.roll(state, -64, axis=0), turned, rtol=0, atol=1e-10)


def test_gradients_are_periodic():
    """|dx(kT)/dx(0)| tends to |f| |Z|, computed without the adjoint."""
    ds = lk.limit_cycle(lk.systems.rotation_flow())
    h, start, ends = 1e-6, ds.state[0].values, []
    for push in (*np.eye(2), *-np.eye(2)):
        end = lk.trajectory(
            lk.systems.rotation_flow(), initial_state=start + h * push, duration=10 * float(ds.period),
            dt=float(ds.period) / 512, method="rk8", every=5120,
        )  # fmt: skip
        ends.append(end.state[-1].values)
    slope = np.stack([ends[0] - ends[2], ends[1] - ends[3]], axis=1) / (2 * h)
    wanted = np.outer(ds.velocity[0], ds.adjoint[0])
    np.testing.assert_allclose(slope, wanted, rtol=0, atol=1e-6)
    assert np.linalg.norm(slope, 2) == pytest.approx(1.762656116330927, abs=1e-6)


@pytest.mark.parametrize("amplitude", [0.3, 0.8])
def test_hamiltonian_centre(amplitude):
    """Period (4 / alpha) K(m = tanh^2(alpha x0)); one of a family, so no finding of a cycle that attracts."""
    system = lk.systems.rotation_literal_flow(alpha=2.0, theta=np.pi / 2)
    exact = 2.0 * scipy.special.ellipk(np.tanh(2.0 * amplitude) ** 2)
    guessed = lk.limit_cycle(system, guess=[amplitude, 0.0], period=exact * 1.00001)
    alone = lk.limit_cycle(system, initial_state=[amplitude, 0.0], transient=0)
    for ds in (guessed, alone):
        assert status_of(ds) == "not_isolated" and int(ds.stable) == 0
        start = float(ds.state[0, 0])  # phase 0, where x2 = 0
        assert abs(abs(start) - amplitude) < 0.02
        period = 2.0 * scipy.special.ellipk(np.tanh(2.0 * abs(start)) ** 2)
        np.testing.assert_allclose(float(ds.period), period, rtol=1e-9)


@pytest.mark.parametrize("entry", REFERENCE["large_gain_limit"], ids=lambda entry: entry["params"]["theta"])
def test_large_gain(entry):
    """T = -4 ln tan(theta - pi/4), multiplier tan^4, approached as 1 / alpha: extrapolated from two gains."""
    theta = float(entry["params"]["theta"])
    runs = [lk.limit_cycle(lk.systems.rotation_flow(alpha=alpha, theta=theta)) for alpha in (200.0, 400.0, 800.0)]
    assert [status_of(ds) for ds in runs] == ["ok"] * 3
    periods = np.array([float(ds.period) for ds in runs])
    logs = np.array([float(ds.log_abs_multiplier[1]) for ds in runs])
    for values, limit in ((periods, entry["value"][0]), (logs, np.log(entry["value"][2]))):
        errors = values - limit
        assert errors[0] / errors[1] == pytest.approx(2.0, rel=0.05)  # first order in 1 / alpha
        assert errors[1] / errors[2] == pytest.approx(2.0, rel=0.03)
        # what is left of second order: a quarter of the change between extrapolations, with room for logarithms
        first = 2 * values[1:] - values[:-1]
        np.testing.assert_allclose(first[1], limit, atol=abs(first[1] - first[0]))


def test_networks():
    """Block networks are cycles of their blocks where one block rests; a network of 24 units goes by BLAS."""
    single = lk.limit_cycle(lk.systems.rotation_flow(alpha=2.0, theta=0.7))
    for blocks in (2, 12):
        thetas = [0.7] + [1.4] * (blocks - 1)
        system = lk.systems.block_rotation_flow(alpha=[2.0] * blocks, theta=thetas)
        ds = lk.limit_cycle(system, section=(1, 0.0))
        assert status_of(ds) == "ok"
        np.testing.assert_allclose(float(ds.period), float(single.period), rtol=1e-10)
        others = -1 + 2 * np.cos(1.4)
        logs = np.sort([*single.log_abs_multiplier.values, *[others * float(ds.period)] * (2 * blocks - 2)])[::-1]
        np.testing.assert_allclose(ds.log_abs_multiplier, logs, rtol=1e-8, atol=1e-8)
        turns = np.exp(1j * 2 * np.sin(1.4) * float(ds.period))
        pair = ds.floquet_multiplier.values[np.argsort(abs(logs - others * float(ds.period)), kind="stable")[:2]]
        np.testing.assert_allclose(np.sort(np.angle(pair)), np.sort([np.angle(turns), -np.angle(turns)]), atol=1e-6)


def test_scan_equals_single_calls_whatever_the_blocks():
    grid = {"alpha": np.array([1.2, 2.0, 3.0]), "theta": np.array([0.1, 0.45, 0.9, 1.5])}
    whole = lk.scan(lk.limit_cycle, lk.systems.rotation_flow, grid, workers=1, block=12)
    parts = lk.scan(lk.limit_cycle, lk.systems.rotation_flow, grid, workers=2, block=5)
    assert whole.identical(parts)
    for i, alpha in enumerate(grid["alpha"]):
        for j, theta in enumerate(grid["theta"]):
            one = lk.limit_cycle(lk.systems.rotation_flow(alpha=alpha, theta=theta))
            for name in one.data_vars:
                np.testing.assert_array_equal(whole[name].values[i, j], one[name].values, err_msg=name)


def test_results_are_stored(tmp_path):
    ds = lk.limit_cycle(lk.systems.rotation_flow())
    lk.save(ds, tmp_path / "cycle.nc")
    assert lk.load(tmp_path / "cycle.nc").identical(ds)


SYSTEM = lk.systems.rotation_flow()


@pytest.mark.parametrize(
    "keywords, said",
    [
        ({"period": (8.0, 3.0)}, "period: given (8.0, 3.0), accepted: (low, high) with low < high"),
        ({"period": -1.0}, "period: given -1.0"),
        ({"period": (1.0, 2.0, 3.0)}, "period: given (1.0, 2.0, 3.0)"),
        ({"guess": [0.1, 0.2, 0.3], "period": 6.0}, "guess: given shape (3,), accepted: (2,) or (phase, 2)"),
        ({"guess": np.ones((5, 3)), "period": 6.0}, "guess: given shape (5, 3)"),
        ({"guess": [0.1, np.nan], "period": 6.0}, "guess: given a number that is not finite"),
        ({"guess": [0.1, 0.2]}, "period: not given, accepted with a guess"),
        ({"n_phase": 1}, "n_phase: given 1"),
        ({"section": 3}, "section: given 3, accepted: (unit, level)"),
        ({"section": (2, 0.0)}, "section: given 2"),
        ({"rtol": 0.0}, "rtol: given 0.0"),
        ({"duration": -5.0}, "duration: given -5.0"),
        ({"initial_state": [1.0]}, "initial_state: given shape (1,)"),
    ],
)
def test_misuse(keywords, said):
    with pytest.raises(ValueError) as caught:
        lk.limit_cycle(SYSTEM, **keywords)
    assert said in str(caught.value)


def test_driven_systems_are_refused():
    driven = lk.systems.rnn_flow(input=np.zeros(10), V=np.ones((lk.systems.rnn_flow().dimension, 1)))
    with pytest.raises(ValueError, match="depends on time or an input"):
        lk.limit_cycle(driven)
    with pytest.raises(ValueError, match="depends on time"):
        lk.limit_cycle(lk.define_flow(lambda x, t: (-x[0] + np.sin(t),), dimension=1))
