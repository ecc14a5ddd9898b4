"""Every keyword of trajectory and lyapunov_spectrum acts or is refused; errors said are honest."""

import inspect
import math

import numpy as np
import pytest

import lyapkit as lk
from lyapkit.kernels import steps

FLOW, MAP = lk.systems.rotation_flow(), lk.systems.rotation_map()
VERBS = [lk.trajectory, lk.lyapunov_spectrum]
SHORT = {"duration": 20, "transient": 5}


def exponents(system=FLOW, **keywords):
    return lk.lyapunov_spectrum(system, **{**SHORT, **keywords}).lyapunov_exponent.values


def status_word(code):
    """The meaning of a status code, from the flags of any result."""
    attrs = lk.trajectory(MAP, duration=1).status.attrs
    return dict(zip(attrs["flag_values"].tolist(), attrs["flag_meanings"].split(), strict=True))[int(code)]


# ------------------------------------------------------------------ refused

REFUSED = [
    ("duration", 0, ValueError),
    ("duration", -1.0, ValueError),
    ("duration", math.nan, ValueError),
    ("duration", math.inf, ValueError),
    ("duration", "long", TypeError),
    ("duration", [1.0], TypeError),
    ("transient", -1, ValueError),
    ("transient", math.nan, ValueError),
    ("initial_state", [0.1], ValueError),
    ("initial_state", [0.1, 0.2, 0.3], ValueError),
    ("initial_state", [[0.1, 0.2]], ValueError),
    ("initial_state", 0.1, ValueError),
    ("initial_state", [0.1, math.nan], ValueError),
    ("initial_state", [0.1, math.inf], ValueError),
    ("initial_state", ["a", "b"], TypeError),
    ("initial_state", [0.1, 0.2j], TypeError),
]
REFUSED_BY_FLOWS = [
    ("dt", 0, ValueError),
    ("dt", -0.1, ValueError),
    ("dt", math.nan, ValueError),
    ("dt", math.inf, ValueError),
    ("dt", "small", TypeError),
    ("method", "rk5", ValueError),
    ("method", "iterate", ValueError),
    ("method", 4, ValueError),
]
REFUSED_BY_MAPS = [("dt", 0.1, ValueError), ("dt", 1.0, ValueError), ("method", "rk4", ValueError)]
REFUSED_BY_SPECTRA = [
    ("n_exponents", 0, ValueError),
    ("n_exponents", 3, ValueError),
    ("n_exponents", -1, ValueError),
    ("n_exponents", 1.5, ValueError),
    ("n_exponents", True, ValueError),
    ("estimator", "median", ValueError),
    ("estimator", None, ValueError),
    ("margin", 0, ValueError),
    ("margin", -1e-3, ValueError),
    ("margin", math.nan, ValueError),
    ("until", 0, ValueError),
    ("until", -1.0, ValueError),
    ("until", math.inf, ValueError),
    ("frame_interval", 0, ValueError),
    ("frame_interval", 3, ValueError),
    ("frame_interval", 64, ValueError),
    ("frame_interval", -1, ValueError),
    ("seed", -1, ValueError),
    ("seed", 0.5, ValueError),
]


def _refused(verb, system, keyword, value, error):
    """An error of one line that names the keyword, raised before any long work."""
    with pytest.raises(error, match=keyword) as caught:
        verb(system, **{keyword: value})
    assert "\n" not in str(caught.value)
    assert "accepted" in str(caught.value) or "given" in str(caught.value)


@pytest.mark.parametrize("system", [FLOW, MAP], ids=["flow", "map"])
@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__name__)
@pytest.mark.parametrize(("keyword", "value", "error"), REFUSED)
def test_refused(verb, system, keyword, value, error):
    _refused(verb, system, keyword, value, error)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__name__)
@pytest.mark.parametrize(("keyword", "value", "error"), REFUSED_BY_FLOWS)
def test_refused_by_flows(verb, keyword, value, error):
    _refused(verb, FLOW, keyword, value, error)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__name__)
@pytest.mark.parametrize(("keyword", "value", "error"), REFUSED_BY_MAPS)
def test_refused_by_maps(verb, keyword, value, error):
    _refused(verb, MAP, keyword, value, error)


@pytest.mark.parametrize(("keyword", "value", "error"), REFUSED_BY_SPECTRA)
def test_refused_by_spectra(keyword, value, error):
    _refused(lk.lyapunov_spectrum, FLOW, keyword, value, error)


@pytest.mark.parametrize("every", [0, -1, 1.5, True, "2"])
def test_trajectory_refuses_every(every):
    _refused(lk.trajectory, FLOW, "every", every, (ValueError, TypeError))


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__name__)
def test_unknown_keyword(verb):
    with pytest.raises(TypeError, match="durations"):
        verb(FLOW, durations=3)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__name__)
@pytest.mark.parametrize("system", ["rotation_flow", None, 3, np.tanh, lambda x: x])
def test_not_a_system(verb, system):
    with pytest.raises(TypeError, match="system: given"):
        verb(system)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__name__)
def test_constructor_in_place_of_a_system(verb):
    one, other = verb(lk.systems.henon, duration=150), verb(lk.systems.henon(), duration=150)
    assert one.identical(other)


# ------------------------------------------------------------------ every keyword acts

# keyword -> two values that must give different results (or, for the second pair, different attributes)
ACTS = {
    "n_exponents": (1, 2),
    "initial_state": ([0.5, 0.2], [0.1, -0.4]),
    "transient": (0, 3),
    "duration": (10, 20),
    "dt": (0.05, 0.1),
    "method": ("rk4", "rk8"),
    "estimator": ("mean", "birkhoff"),
    "margin": (1e-9, 10.0),
    "until": (None, 1e-4),
    "history": (False, True),
    "frame_interval": (1, 4),
    "seed": (0, 1),
}
SILENT = {"system", "progress"}  # says more, changes nothing


def test_every_keyword_has_its_test():
    for verb, covered in ((lk.lyapunov_spectrum, set(ACTS)), (lk.trajectory, {*ACTS, "every"})):
        assert set(inspect.signature(verb).parameters) - SILENT <= covered


@pytest.mark.parametrize("keyword", ACTS)
def test_keyword_acts(keyword):
    start = {"duration": 20, "transient": 0}
    one, other = (lk.lyapunov_spectrum(FLOW, **{**start, keyword: value}) for value in ACTS[keyword])
    assert not one.drop_attrs().identical(other.drop_attrs())


@pytest.mark.parametrize("method", [name for name in steps.names() if name != "iterate"])
def test_methods_are_named_in_the_result(method):
    ds = lk.lyapunov_spectrum(FLOW, method=method, **SHORT)
    assert (ds.attrs["method"], ds.attrs["dt"]) == (method, FLOW.model.dt)


def test_default_method_is_rk4():
    assert np.array_equal(exponents(), exponents(method="rk4", dt=FLOW.model.dt))


def test_every():
    """Every third state of the same orbit."""
    full, thin = lk.trajectory(FLOW, duration=3), lk.trajectory(FLOW, duration=3, every=3)
    np.testing.assert_array_equal(thin.state, full.state[::3])
    np.testing.assert_array_equal(thin.time, full.time[::3])


def test_transient_of_a_trajectory():
    """What is left out is what a longer record begins with."""
    full = lk.trajectory(MAP, duration=50)
    late = lk.trajectory(MAP, duration=20, transient=30)
    np.testing.assert_array_equal(late.state, full.state[30:])
    np.testing.assert_array_equal(late.time, np.arange(21))


def test_initial_state_is_where_it_starts():
    ds = lk.trajectory(FLOW, initial_state=[0.25, -0.75], duration=1)
    assert ds.state[0].values.tolist() == [0.25, -0.75]
    assert lk.trajectory(FLOW, duration=1).state[0].values.tolist() == FLOW.initial_state.tolist()


def test_initial_state_is_not_changed():
    start = np.array([0.25, -0.75])
    lk.lyapunov_spectrum(FLOW, initial_state=start, **SHORT)
    assert start.tolist() == [0.25, -0.75]


@pytest.mark.parametrize(("duration", "steps"), [(1.0, 10), (0.95, 10), (0.3, 3), (0.01, 1)])
def test_durations_are_rounded_up_to_whole_steps(duration, steps):
    assert lk.trajectory(FLOW, duration=duration, dt=0.1).sizes["time"] == steps + 1


STILL = lk.systems.linear_map(A=[[0.5, 0.0], [0.0, 0.25]])


@pytest.mark.parametrize("duration", [1, 2, 31, 32, 33, 64, 95, 96, 97, 128, 1000])
@pytest.mark.parametrize("estimator", ["auto", "mean"])
def test_any_duration(duration, estimator):
    """Short runs give exponents too: the frame stands still after the transient, every step grows alike."""
    ds = lk.lyapunov_spectrum(STILL, duration=duration, estimator=estimator)
    np.testing.assert_allclose(ds.lyapunov_exponent, np.log([0.5, 0.25]), rtol=1e-13)
    assert float(ds.averaging_duration) == duration
    assert status_word(ds.status) == "ok"


@pytest.mark.parametrize("duration", [1, 2, 3, 8, 32, 100])
def test_birkhoff_of_short_runs(duration):
    """The bump weighs a run of one or two steps with nothing: refused by name, or the mean all the same."""
    try:
        ds = lk.lyapunov_spectrum(STILL, duration=duration, estimator="birkhoff")
    except ValueError as error:
        assert duration < 8 and "duration" in str(error)
    else:
        np.testing.assert_allclose(ds.lyapunov_exponent, np.log([0.5, 0.25]), rtol=1e-13)
        assert status_word(ds.status) == "ok"


def test_progress_is_drawn_on_stderr_only(capsys, monkeypatch):
    from lyapkit import progress

    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    lk.lyapunov_spectrum(FLOW, progress=True, **SHORT)
    out, err = capsys.readouterr()
    assert out == "" and "%" in err
    lk.lyapunov_spectrum(FLOW, progress=False, **SHORT)
    assert capsys.readouterr() == ("", "")


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
