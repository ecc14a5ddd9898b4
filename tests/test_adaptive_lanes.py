"""Adaptive steps: lanes that do not feel each other, inputs, orbits that end, keywords."""

import math

import numpy as np
import pytest
from test_adaptive import FINE, METHODS
from test_determinism import assert_same_bits

import lyapkit as lk
from lyapkit.analyses.exponents.checks import starting_frame
from lyapkit.analyses.orbits import propagation
from lyapkit.analyses.orbits.clock import clock
from lyapkit.flags import STATUS
from lyapkit.kernels import steps

BLOWS_UP = lk.define_flow(lambda x, a: [a * x[0] ** 2], parameters={"a": 1.0}, dimension=1)  # at t = 1 / (a x)


# ------------------------------------------------------------------ lanes


def _ensemble(system, method, interval, points=3):
    """Points that differ, with two columns, orthonormalised every `interval` steps from the start."""
    time = clock(system, 0, 64 * 0.16, 0.16, method)
    states = system.initial_state + 0.1 * np.arange(points)[:, None]
    frame = starting_frame(2, 2, 0)
    ensemble = propagation.Ensemble(system, {}, states, time, 2, frame)
    for block in ensemble._blocks:
        block._interval[0], block._interval[1] = interval, 1.0 / interval
        block._call.set(collect=2)
        block.quality[3] = 2.0  # the longest interval allowed
    return ensemble


class _Monitor:
    def add(self, count):
        pass


@pytest.mark.parametrize("method", METHODS)
def test_a_window_that_is_run_again_repeats_its_bits(method):
    """Stiff lanes halve their interval after the first window: as if they had begun with it."""
    system = lk.systems.van_der_pol(mu=50.0)
    again, wanted = _ensemble(system, method, 2), _ensemble(system, method, 1)
    sums, others = again.run(64, _Monitor())[0], wanted.run(64, _Monitor())[0]
    assert (again._blocks[0]._interval[0, :3] == 1.0).all()  # they were halved
    np.testing.assert_array_equal(sums, others)
    for name in ("x", "frame"):
        np.testing.assert_array_equal(again.gather(name), wanted.gather(name))


def test_a_lane_feels_no_neighbour_that_needs_more_substeps():
    grid = {"mu": np.array([0.1, 100.0, 1.0, 3.0, 30.0, 0.5, 2.0, 7.0, 11.0])}
    keywords = {"method": "tsit5", "transient": 2, "duration": 10}
    ds = lk.scan(lk.lyapunov_spectrum, lk.systems.van_der_pol, grid, **keywords)
    for mu in grid["mu"]:
        alone = lk.lyapunov_spectrum(lk.systems.van_der_pol(mu=mu), **keywords)
        assert_same_bits(alone, ds.sel(mu=mu).drop_vars("mu"))


@pytest.mark.parametrize("method", METHODS)
def test_one_large_network_has_one_length(method):
    """Forty units over rows of eight lanes: the same orbit and exponents as rk8's with short steps."""
    system = lk.random_network(n=40, gain=2.0, kind="flow", seed=3)
    orbit = lk.trajectory(system, duration=10, dt=0.25, **{**FINE, "method": method})
    wanted = lk.trajectory(system, duration=10, dt=0.01, every=25, method="rk8")
    np.testing.assert_allclose(orbit.state, wanted.state, rtol=0, atol=1e-10)
    keywords = {"transient": 0, "duration": 10, "estimator": "mean"}
    ds = lk.lyapunov_spectrum(system, dt=0.25, **{**FINE, "method": method}, **keywords)
    wanted = lk.lyapunov_spectrum(system, dt=0.01, method="rk8", **keywords)
    np.testing.assert_allclose(ds.lyapunov_exponent, wanted.lyapunov_exponent, rtol=0, atol=1e-10)


def test_padding_does_not_count():
    """Equal units without couplings: a mean over 24 or 25 of them (in 32 places) is what each one errs."""
    orbits = []
    for size in (24, 25):
        system = lk.systems.rnn_flow(W=0.5 * np.eye(size))
        keywords = {"method": "tsit5", "rtol": 1e-5, "atol": 1e-30, "duration": 8, "dt": 4.0}
        orbits.append(lk.trajectory(system, initial_state=np.full(size, 0.7), **keywords).state)
    # were empty places counted, lengths would differ by 2 per cent and states by a tenth of rtol
    np.testing.assert_allclose(orbits[0], orbits[1][:, :24], rtol=1e-13)


# ------------------------------------------------------------------ inputs


def pushed(x, a, u):
    return [-x[0] + math.tanh(a * x[1]) + u[0], -x[1] - math.tanh(a * x[0]) + 0.5 * u[0]]


def _driven(**given):
    return lk.define_flow(pushed, parameters={"a": 2.0}, dimension=2, **given)


SAMPLES = np.random.default_rng(5).standard_normal(60)
INPUTS = {
    "held": {"input": SAMPLES, "input_dt": 0.5},
    "linear": {"input": SAMPLES, "input_dt": 0.5, "interpolation": "linear"},
    "function": {"input": lambda t: math.sin(3.0 * t)},
}


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("method", METHODS)
def test_inputs(method, kind):
    """Stages see the input at their own times, and no substep steps over the border of two samples."""
    system = _driven(**INPUTS[kind])
    keywords = {"transient": 2, "duration": 20}
    orbit = lk.trajectory(system, dt=0.5, **{**FINE, "method": method}, **keywords)
    wanted = lk.trajectory(system, method="rk8", dt=0.01, every=50, **keywords)
    np.testing.assert_allclose(orbit.state, wanted.state, rtol=0, atol=1e-10)
    keywords = {**keywords, "estimator": "mean"}
    ds = lk.lyapunov_spectrum(system, dt=0.5, **{**FINE, "method": method}, **keywords)
    wanted = lk.lyapunov_spectrum(system, method="rk8", dt=0.01, **keywords)
    np.testing.assert_allclose(ds.lyapunov_exponent, wanted.lyapunov_exponent, rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", ["held", "linear"])
def test_default_steps_end_on_the_borders_of_samples(kind):
    system = _driven(**INPUTS[kind])
    ratio = 0.5 / lk.trajectory(system, duration=5, method="dop853").attrs["dt"]
    assert abs(ratio - round(ratio)) < 1e-12


# ------------------------------------------------------------------ orbits that end


@pytest.mark.parametrize("method", METHODS)
def test_finite_time_blow_up(method):
    """x' = x^2 from 1 leaves every bound at t = 1: NaN from there on, exact before."""
    ds = lk.trajectory(BLOWS_UP, initial_state=[1.0], duration=3, dt=0.3, method=method)
    assert ds.status == STATUS["step_too_small"]
    before = ds.time.values < 1.0
    np.testing.assert_allclose(ds.state.values[before, 0], 1 / (1 - ds.time.values[before]), rtol=1e-5)
    assert np.isnan(ds.state.values[~before]).all()
    for verb in (lk.lyapunov_spectrum, lk.covariant_vectors):
        ds = verb(BLOWS_UP, initial_state=[1.0], duration=3, method=method)
        assert ds.status == STATUS["step_too_small"] and np.isnan(ds.lyapunov_exponent).all()


def test_neighbours_of_a_lane_that_ends():
    grid = {"a": np.array([1.0, -1.0, 0.02, 5.0, -2.0])}
    keywords = {"initial_state": [0.8], "method": "tsit5", "transient": 0, "duration": 30}
    ds = lk.scan(lk.lyapunov_spectrum, BLOWS_UP, grid, **keywords)
    ended, ok = STATUS["step_too_small"], STATUS["ok"]
    assert ds.status.values.tolist() == [ended, ok, ok, ended, ok]
    for a in (-1.0, 0.02, -2.0):
        alone = lk.lyapunov_spectrum(BLOWS_UP.with_(a=a), **keywords)
        assert_same_bits(alone, ds.sel(a=a).drop_vars("a"))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [2, 24])
def test_escape_to_infinity(method, size):
    """x' = x passes the largest double at t = 710: diverged, whether in lanes or spread over them."""
    system = lk.systems.linear_flow(A=np.eye(2)) if size == 2 else lk.systems.rnn_flow(
        W=2.0 * np.eye(size), activation="identity"
    )  # fmt: skip
    ds = lk.trajectory(system, initial_state=np.ones(size), duration=800, dt=10.0, method=method)
    assert ds.status == STATUS["diverged"]
    assert np.isfinite(ds.state.values[ds.time < 700]).all() and np.isnan(ds.state.values[ds.time > 720]).all()


def test_too_many_substeps():
    """Decay by 1e7 in a time unit wants 3e6 substeps: given up after 1e5, not after minutes."""
    ds = lk.trajectory(lk.systems.linear_flow(A=[[-1e7]]), initial_state=[1.0], duration=2, dt=1.0, method="tsit5")
    assert ds.status == STATUS["step_too_small"]


# ------------------------------------------------------------------ keywords

REFUSED = [
    ({"method": "rk4", "rtol": 1e-6}, r"^rtol: given 1e-06, but method rk4 has steps of fixed length; .*tsit5"),
    ({"atol": 1e-6}, r"^atol: given 1e-06, but method rk4"),
    ({"method": "tsit5", "rtol": 0}, r"^rtol: given 0, accepted"),
    ({"method": "tsit5", "rtol": 1e-17}, r"^rtol: given 1e-17, accepted: a number from 1e-15"),
    ({"method": "dop853", "atol": -1.0}, r"^atol: given -1.0, accepted: a number above 0"),
    ({"method": "dop853", "atol": math.nan}, r"^atol: given nan"),
]


@pytest.mark.parametrize("verb", [lk.trajectory, lk.lyapunov_spectrum, lk.covariant_vectors])
@pytest.mark.parametrize(("keywords", "message"), REFUSED)
def test_refused(verb, keywords, message):
    with pytest.raises(ValueError, match=message):
        verb(lk.systems.rotation_flow(), **keywords)


def test_single_precision_takes_a_loose_rtol():
    """Its products err by more than a tight one allows: substeps would shrink without end."""
    system = lk.random_network(n=24, kind="flow")
    keywords = {"method": "tsit5", "precision": "single", "transient": 0, "duration": 2}
    with pytest.raises(ValueError, match=r"^precision: given 'single' with rtol 1e-07, accepted: rtol of 1e-06"):
        lk.lyapunov_spectrum(system, **keywords)
    single = lk.lyapunov_spectrum(system, rtol=1e-6, **keywords)
    double = lk.lyapunov_spectrum(system, rtol=1e-6, **{**keywords, "precision": "double"})
    np.testing.assert_allclose(single.lyapunov_exponent, double.lyapunov_exponent, rtol=0, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_tolerances_are_named_in_the_result(method):
    module = steps.propagator(method)
    ds = lk.trajectory(lk.systems.rotation_flow(), duration=1, method=method)
    assert (ds.attrs["rtol"], ds.attrs["atol"]) == (module.RTOL, module.ATOL)
    assert "rtol" not in lk.trajectory(lk.systems.rotation_flow(), duration=1).attrs
