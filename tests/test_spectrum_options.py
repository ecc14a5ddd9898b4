"""Every keyword of trajectory and lyapunov_spectrum acts or is refused; errors said are honest."""

import inspect
import math

import numpy as np
import pytest

import lyapkit as lk
from lyapkit.flags import STATUS
from lyapkit.kernels import steps

FLOW, MAP = lk.systems.rotation_flow(), lk.systems.rotation_map()
VERBS = [lk.trajectory, lk.lyapunov_spectrum]
SHORT = {"duration": 20, "transient": 5}


def exponents(system=FLOW, **keywords):
    return lk.lyapunov_spectrum(system, **{**SHORT, **keywords}).lyapunov_exponent.values


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
    ("rtol", 1e-8, ValueError),
    ("atol", 1e-8, ValueError),
]
REFUSED_BY_MAPS = [
    ("dt", 0.1, ValueError),
    ("dt", 1.0, ValueError),
    ("method", "rk4", ValueError),
    ("rtol", 1e-8, ValueError),
    ("atol", 1e-8, ValueError),
]
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
    "rtol": (1e-5, 1e-8),
    "atol": (1e-3, 1e-9),
    "estimator": ("mean", "birkhoff"),
    "margin": (1e-9, 10.0),
    "until": (None, 1e-4),
    "history": (False, True),
    "frame_interval": (1, 4),
    "precision": ("double", "single"),
    "seed": (0, 1),
}
LARGE = lk.random_network(n=24, kind="map")  # what "single" is accepted for
ADAPTIVE = ("rtol", "atol")  # keywords of tsit5 and dop853 alone
SILENT = {"system", "progress"}  # says more, changes nothing


def test_every_keyword_has_its_test():
    for verb, covered in ((lk.lyapunov_spectrum, set(ACTS)), (lk.trajectory, {*ACTS, "every"})):
        assert set(inspect.signature(verb).parameters) - SILENT <= covered


@pytest.mark.parametrize("keyword", ACTS)
def test_keyword_acts(keyword):
    start = {"duration": 20, "transient": 0} | ({"method": "tsit5"} if keyword in ADAPTIVE else {})
    system = LARGE if keyword == "precision" else lk.systems.lorenz63() if keyword in ADAPTIVE else FLOW
    one, other = (lk.lyapunov_spectrum(system, **{**start, keyword: value}) for value in ACTS[keyword])
    assert not one.drop_attrs().identical(other.drop_attrs())


@pytest.mark.parametrize("method", [name for name in steps.names() if name != "iterate"])
def test_methods_are_named_in_the_result(method):
    ds = lk.lyapunov_spectrum(FLOW, method=method, **SHORT)
    assert (ds.attrs["method"], ds.attrs["dt"]) == (method, FLOW.model.dt * steps.span(steps.propagator(method)))


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
    assert ds.status == STATUS["ok"]


@pytest.mark.parametrize("duration", [1, 2, 3, 8, 32, 100])
def test_birkhoff_of_short_runs(duration):
    """The bump weighs a run of one or two steps with nothing: refused by name, or the mean all the same."""
    try:
        ds = lk.lyapunov_spectrum(STILL, duration=duration, estimator="birkhoff")
    except ValueError as error:
        assert duration < 8 and "duration" in str(error)
    else:
        np.testing.assert_allclose(ds.lyapunov_exponent, np.log([0.5, 0.25]), rtol=1e-13)
        assert ds.status == STATUS["ok"]


def test_progress_is_drawn_on_stderr_only(capsys, monkeypatch):
    from lyapkit import progress

    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    lk.lyapunov_spectrum(FLOW, progress=True, **SHORT)
    out, err = capsys.readouterr()
    assert out == "" and "%" in err
    lk.lyapunov_spectrum(FLOW, progress=False, **SHORT)
    assert capsys.readouterr() == ("", "")
