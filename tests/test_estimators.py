"""Running estimates, stopping rule, choice of the estimator, honest errors, outcomes."""

import math

import numpy as np
import pytest

import lyapkit as lk
from lyapkit.flags import STATUS

FLOW = lk.systems.rotation_flow()
SHORT = {"duration": 20, "transient": 5}


def status_word(code):
    return next(word for word, number in STATUS.items() if number == code)


# ------------------------------------------------------------------ history, until, estimators


@pytest.mark.parametrize("duration", [40, 500, 10_000, 12_345])
def test_history_ends_at_the_plain_mean(duration):
    ds = lk.lyapunov_spectrum(lk.systems.henon(), duration=duration, history=True, estimator="mean")
    assert ds.running_exponent.dims == ("time", "mode")
    np.testing.assert_allclose(ds.running_exponent[-1], ds.lyapunov_exponent, rtol=1e-13)
    assert float(ds.time[-1]) == duration
    assert (np.diff(ds.time) > 0).all()


def test_history_is_the_mean_up_to_each_time():
    ds = lk.lyapunov_spectrum(lk.systems.henon(), duration=4096, history=True, estimator="mean")
    i = ds.sizes["time"] // 3
    # batches are the same multiple of the window where the duration is cut at their border
    short = lk.lyapunov_spectrum(lk.systems.henon(), duration=int(ds.time[i]), estimator="mean")
    np.testing.assert_allclose(ds.running_exponent[i], short.lyapunov_exponent, rtol=1e-12)


def test_without_history_no_time():
    assert "time" not in lk.lyapunov_spectrum(FLOW, **SHORT).variables


@pytest.mark.parametrize("wanted", [0.01, 0.004])
def test_until_is_reached(wanted):
    ds = lk.lyapunov_spectrum(lk.systems.henon(), until=wanted, duration=200)
    assert status_word(ds.status) == "ok"
    assert (ds.lyapunov_exponent_stderr <= wanted).all()
    doublings = math.log2(float(ds.averaging_duration) / 200)
    assert doublings == int(doublings) and doublings >= 1
    # one doubling earlier it was not: an error falls as the root of the duration, so not by more than 4
    assert (ds.lyapunov_exponent_stderr.max() > wanted / 4).item()


def test_until_that_is_met_at_once_changes_nothing():
    plain = lk.lyapunov_spectrum(lk.systems.henon())
    met = lk.lyapunov_spectrum(lk.systems.henon(), until=0.5)
    np.testing.assert_array_equal(plain.lyapunov_exponent, met.lyapunov_exponent)
    assert float(met.averaging_duration) == 10_000


def test_until_that_cannot_be_met():
    ds = lk.lyapunov_spectrum(lk.systems.henon(), until=1e-9, duration=100)
    assert status_word(ds.status) == "not_converged"
    assert float(ds.averaging_duration) == 100 * 2**10
    assert np.isfinite(ds.lyapunov_exponent).all()  # the best there is


def test_history_with_until():
    """The record belongs to the run that the exponents are from; or the pair is refused by name."""
    keywords = {"until": 0.01, "duration": 200, "history": True, "estimator": "mean"}
    try:
        ds = lk.lyapunov_spectrum(lk.systems.henon(), **keywords)
    except ValueError as error:
        assert "history" in str(error) and "until" in str(error)
    else:
        np.testing.assert_allclose(ds.running_exponent[-1], ds.lyapunov_exponent, rtol=1e-12)
        assert float(ds.time[-1]) == float(ds.averaging_duration)


REGULAR = [
    lk.systems.rotation_flow(alpha=2.0, theta=0.8),
    lk.systems.rotation_flow(alpha=0.7, theta=0.8),
    lk.systems.rotation_map(alpha=1.2, theta=0.7),
    lk.systems.rotation_map(alpha=2.0, theta=math.pi / 4),
    lk.systems.van_der_pol(),
    lk.systems.brusselator(),
    lk.systems.stuart_landau(),
    lk.systems.logistic(r=3.2),
    lk.systems.henon(a=1.0),
]
CHAOS = [
    lk.systems.henon(),
    lk.systems.logistic(r=3.9),
    lk.systems.lorenz63(),
    lk.systems.ikeda(),
    lk.systems.standard_map(k=6.0),
    lk.systems.lorenz96(n=6),
]


@pytest.mark.parametrize("system", REGULAR, ids=repr)
def test_auto_on_regular_orbits(system):
    ds = lk.lyapunov_spectrum(system)
    assert _estimator(ds) == "birkhoff"
    wanted = lk.lyapunov_spectrum(system, estimator="birkhoff")
    np.testing.assert_array_equal(ds.lyapunov_exponent, wanted.lyapunov_exponent)


@pytest.mark.parametrize("system", CHAOS, ids=repr)
def test_auto_on_chaos(system):
    ds = lk.lyapunov_spectrum(system)
    assert _estimator(ds) == "mean"
    wanted = lk.lyapunov_spectrum(system, estimator="mean")
    np.testing.assert_array_equal(ds.lyapunov_exponent, wanted.lyapunov_exponent)
    np.testing.assert_array_equal(ds.lyapunov_exponent_stderr, wanted.lyapunov_exponent_stderr)


def _estimator(ds):
    attrs = ds.estimator.attrs
    return attrs["flag_meanings"].split()[attrs["flag_values"].tolist().index(int(ds.estimator))]


def test_signs():
    """-, 0, +, undecided, by the interval and the margin."""
    lorenz = lk.lyapunov_spectrum(lk.systems.lorenz63(), duration=2000, margin=0.01)
    assert lorenz.lyapunov_sign.values.tolist() == [1, 0, -1]
    cycle = lk.lyapunov_spectrum(FLOW, method="rk8")
    assert cycle.lyapunov_sign.values.tolist() == [0, -1]
    strict = lk.lyapunov_spectrum(lk.systems.lorenz63(), duration=20, margin=1e-12)
    assert strict.lyapunov_sign[1] == 2


def _coverage(system, axis, value, count, keywords, references, modes):
    """Share of `count` runs from perturbed states whose 95 % intervals hold the references."""
    generator = np.random.default_rng(11)
    states = system.initial_state + 0.05 * generator.standard_normal((count, system.dimension))
    ds = lk.scan(
        lk.lyapunov_spectrum, system, {axis: np.full(count, value)}, initial_state=states,
        estimator="mean", **keywords,
    )  # fmt: skip
    assert (ds.status == 0).all()
    reach = 1.96 * ds.lyapunov_exponent_stderr.values[:, modes]
    return (abs(ds.lyapunov_exponent.values[:, modes] - references[modes]) <= reach).mean(axis=0)


@pytest.mark.parametrize(
    ("name", "axis", "modes", "keywords"),
    [
        ("henon", "a", [0, 1], {"duration": 4000}),
        ("lorenz63", "rho", [0, 2], {"duration": 150, "transient": 20}),
        ("logistic", "r", [0], {"duration": 2000}),
    ],
)
def test_standard_errors_are_honest(name, axis, modes, keywords):
    """95 % intervals of 60 runs hold the value of runs 60 times as long, at least 85 % of the time.

    Were the true coverage 95 %, fewer than 51 of 60 would have a probability below 0.3 %; the long runs' own error
    is an eighth of the interval.
    """
    system = getattr(lk.systems, name)(**({"r": 3.9} if name == "logistic" else {}))
    value = system.parameters[axis]
    long = keywords | {"duration": 60 * keywords["duration"]}
    reference = lk.lyapunov_spectrum(system, estimator="mean", **long)
    share = _coverage(system, axis, value, 60, keywords, reference.lyapunov_exponent.values, modes)
    assert (share >= 0.85).all(), share


# ------------------------------------------------------------------ outcomes


def _explosion(start):
    return lk.define_flow(lambda x, a: a * x * x, parameters={"a": 1.0}, dimension=1, initial_state=[start])


@pytest.mark.parametrize("method", ["rk4", "rk8", "euler"])
def test_diverging_orbit(method):
    """x' = x^2 from 1 leaves the numbers at t = 1."""
    system = _explosion(1.0)
    ds = lk.lyapunov_spectrum(system, method=method)
    assert status_word(ds.status) == "diverged"
    for name in ("lyapunov_exponent", "lyapunov_exponent_stderr", "mean_divergence", "entropy_rate"):
        assert np.isnan(ds[name]).all(), name
    assert (ds.lyapunov_sign == 2).all()
    path = lk.trajectory(system, duration=3, method=method)
    assert status_word(path.status) == "diverged"
    finite = np.isfinite(path.state.values[:, 0])
    assert finite[:80].all() and not finite[-1]
    assert not np.isinf(path.state).any()


def test_divergence_during_the_transient_only_counts_too():
    ds = lk.lyapunov_spectrum(lk.systems.henon(a=3.0), transient=1000, duration=200)
    assert status_word(ds.status) == "diverged"


def test_diverging_point_of_a_scan():
    """Only that point is NaN."""
    rates = np.array([-1.0, -0.5, 1.0, -0.2])
    ds = lk.scan(lk.lyapunov_spectrum, _explosion(1.0), {"a": rates}, duration=40, transient=2)
    assert [status_word(code) for code in ds.status] == ["ok", "ok", "diverged", "ok"]
    assert np.isnan(ds.lyapunov_exponent[:, 0]).values.tolist() == [False, False, True, False]
    # the others decay as 1 / t: their exponent is -2 ln(1 + |a| t) / t, by the solution in closed form
    for i in (0, 1, 3):
        growth = 2 * math.log((1 - rates[i] * 42) / (1 - rates[i] * 2)) / 40
        one = lk.lyapunov_spectrum(_explosion(1.0).with_(a=rates[i]), duration=40, transient=2, estimator="mean")
        assert abs(float(one.lyapunov_exponent[0]) + growth) < 1e-6
