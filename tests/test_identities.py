"""What must hold exactly: traces, linear systems, symmetries of the plane, nested and transformed spectra."""

import functools
import math

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import lyapkit as lk

SYSTEMS = lk.systems.names()
FINE = {"method": "rk8", "dt": 0.05}


@functools.cache
def _system(name):
    constructor = getattr(lk.systems, name)
    return constructor(**dict.fromkeys(constructor.model.sizes, 6))


def _exponents(system, **keywords):
    return lk.lyapunov_spectrum(system, **keywords).lyapunov_exponent.values


# ------------------------------------------------------------------ sums


@pytest.mark.parametrize("name", SYSTEMS)
def test_sum_of_exponents_is_the_mean_divergence(name):
    """Maps: equal to rounding. Flows: to the error of rk8, of order dt^8, at half the model's step.

    Networks whose ln |det Df| has no closed form sample it; in a short run all states are samples.
    """
    system = _system(name)
    rough = {} if system.kind == "map" else {"method": "rk8", "dt": system.model.dt / 2}
    rough |= {} if system.cell.has_volume else {"duration": 150}
    ds = lk.lyapunov_spectrum(system, estimator="mean", **rough)
    total = float(ds.lyapunov_exponent.sum())
    assert abs(total - float(ds.mean_divergence)) < 1e-10 * max(1.0, abs(total))
    assert abs(float(ds.exponent_sum_error)) < 1e-10 * max(1.0, abs(total))
    # the error said is the difference of what is shown, up to the rounding of the sums
    difference = total - float(ds.mean_divergence)
    assert abs(float(ds.exponent_sum_error) - difference) < 1e-14 * max(1.0, abs(total))
    assert float(ds.frame_orthogonality) < 1e-10


@pytest.mark.parametrize(
    ("name", "total"),
    [("lorenz63", -41 / 3), ("henon", math.log(0.3)), ("cat_map", 0.0), ("standard_map", 0.0),
     ("lorenz96", -6.0), ("ikeda", 2 * math.log(0.9))],
)  # fmt: skip
def test_known_sums(name, total):
    ds = lk.lyapunov_spectrum(_system(name))
    assert abs(float(ds.mean_divergence) - total) < 1e-11
    # rk4 keeps the sum to its own error, of order dt^4
    assert abs(float(ds.lyapunov_exponent.sum()) - total) < 1e-3


@pytest.mark.parametrize(("method", "order", "dt"), [("euler", 1, 0.0125), ("rk4", 4, 0.05)])
def test_sum_error_is_that_of_the_method(method, order, dt):
    """The difference shrinks with dt as the method's error does: it is a check, not a definition."""
    system = lk.systems.rotation_flow(alpha=2.0, theta=0.8)
    errors = [abs(float(lk.lyapunov_spectrum(system, method=method, dt=h).exponent_sum_error)) for h in (dt, dt / 2)]
    assert errors[0] > 1e-9
    assert abs(math.log2(errors[0] / errors[1]) - order) < 0.2


def test_no_sum_without_all_exponents():
    ds = lk.lyapunov_spectrum(lk.systems.lorenz63(), n_exponents=2, duration=20)
    assert np.isnan(ds.exponent_sum_error)
    assert abs(float(ds.mean_divergence) + 41 / 3) < 1e-11


# ------------------------------------------------------------------ linear systems


def _matrix(values, seed):
    """A matrix with these real eigenvalues in a random, well-conditioned basis."""
    n = len(values)
    generator = np.random.default_rng(seed)
    orthogonal = np.linalg.qr(generator.standard_normal((n, n)))[0]
    triangle = np.triu(generator.uniform(-1, 1, (n, n)), 1) + np.diag(values)
    return orthogonal @ triangle @ orthogonal.T


MODULI = st.lists(st.integers(1, 12), min_size=1, max_size=4, unique=True)


@hypothesis.settings(max_examples=25)
@hypothesis.given(MODULI, st.integers(0, 2**32 - 1))
def test_linear_map(steps, seed):
    """ln |eigenvalues|, separated by factors of 0.8 and more and of either sign.

    The frame converges as 0.8^t during the transient: its error is long below rounding. A frame of condition
    1e6 then gives growth to 1e6 eps a step, 2e-10.
    """
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], len(steps))
    A = _matrix(signs * 1.2 * 0.8 ** np.array(steps), seed)
    found = _exponents(lk.systems.linear_map(A=A), initial_state=np.zeros(len(A)))
    wanted = np.sort(np.log(abs(np.linalg.eigvals(A))))[::-1]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=3e-10)


@hypothesis.settings(max_examples=25)
@hypothesis.given(MODULI, st.integers(0, 2**32 - 1))
def test_linear_flow(steps, seed):
    """Real parts of the eigenvalues, 0.25 apart: the frame converges as exp(-0.25 t) within the transient of 100.

    rk8 with dt = 0.05 errs by (3 * 0.05)^9 / 9! / 0.05, far below 1e-10.
    """
    A = _matrix(0.25 * np.array(steps) - 2.0, seed)
    found = _exponents(lk.systems.linear_flow(A=A), initial_state=np.zeros(len(A)), duration=50, **FINE)
    wanted = np.sort(np.linalg.eigvals(A).real)[::-1]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("damping", "turn"), [(-0.3, 2.0), (0.1, 0.7)])
def test_linear_flow_that_turns(damping, turn):
    """A complex pair gives its real part twice; the weighted mean takes the oscillation away."""
    A = np.array([[damping, -4.0 * turn], [turn / 4.0, damping]])
    found = _exponents(lk.systems.linear_flow(A=A), initial_state=[0, 0], estimator="birkhoff", **FINE)
    np.testing.assert_allclose(found, [damping, damping], rtol=0, atol=1e-9)


def test_linear_map_that_turns():
    A = 0.7 * np.array([[math.cos(1), -3 * math.sin(1)], [math.sin(1) / 3, math.cos(1)]])
    found = _exponents(lk.systems.linear_map(A=A), estimator="birkhoff")
    np.testing.assert_allclose(found, math.log(0.7), rtol=0, atol=1e-9)


def test_decay_over_a_long_time():
    """x' = -x over T = 1e4: -1 to 1e-6, although the state underflows on the way."""
    system = lk.define_flow(lambda x: -x, dimension=1, initial_state=[1.0], name="decay")
    for method in ("rk4", "rk8"):
        ds = lk.lyapunov_spectrum(system, duration=1e4, dt=0.05, transient=0, method=method)
        # rk4's factor per step is off by dt^5 / 120: 5e-8 in the exponent
        assert abs(float(ds.lyapunov_exponent[0]) + 1.0) < 1e-6
        assert ds.status == 0


@pytest.mark.parametrize("estimator", ["auto", "mean", "birkhoff"])
@pytest.mark.parametrize("transient", [0, 100])
def test_superstable_logistic(estimator, transient):
    """r = 2 from the critical point 1/2: a multiplier of zero, so -inf, said by the status."""
    ds = lk.lyapunov_spectrum(lk.systems.logistic(r=2.0), initial_state=[0.5], estimator=estimator, transient=transient)
    assert float(ds.lyapunov_exponent[0]) == -math.inf
    assert float(ds.mean_divergence) == -math.inf
    assert ds.status == lk_status(ds, "collapsed")
    assert ds.lyapunov_sign[0] == -1
    assert float(ds.exponent_sum_error) == 0.0


def lk_status(ds, word):
    """The code of a word, read from the flags as a reader of the file would."""
    attrs = ds.status.attrs
    return dict(zip(attrs["flag_meanings"].split(), attrs["flag_values"], strict=True))[word]


def test_collapse_of_one_direction():
    """A projection: one exponent ln 0.5, the other -inf."""
    system = lk.systems.linear_map(A=[[0.5, 0.2], [0.0, 0.0]])
    ds = lk.lyapunov_spectrum(system, initial_state=[0.1, 0.2])
    assert abs(float(ds.lyapunov_exponent[0]) - math.log(0.5)) < 1e-12
    assert float(ds.lyapunov_exponent[1]) == -math.inf
    assert ds.status == lk_status(ds, "collapsed")


# ------------------------------------------------------------------ nested, transformed and known spectra


@pytest.mark.parametrize(
    ("name", "parameters", "keywords"),
    [
        ("lorenz63", {}, {"duration": 30, "transient": 60}),
        ("henon", {}, {"duration": 3000}),
        ("rossler", {}, {"transient": 500}),
        ("rotation_map", {"alpha": 1.5, "theta": 0.6}, {}),
        ("rotation_flow", {}, {"transient": 200}),
    ],
)
def test_first_exponents(name, parameters, keywords):
    """k exponents are the k leading ones: the orbit is the same to the bit, the flags converge in the transient."""
    system = getattr(lk.systems, name)(**parameters)
    full = _exponents(system, estimator="mean", **keywords)
    for k in range(1, system.dimension):
        ds = lk.lyapunov_spectrum(system, estimator="mean", n_exponents=k, **keywords)
        assert ds.sizes["mode"] == k
        np.testing.assert_allclose(ds.lyapunov_exponent, full[:k], rtol=0, atol=1e-8)


@pytest.mark.parametrize(("mu", "omega", "c"), [(0.5, 1.0, 0.0), (1.0, 2.0, 0.7), (0.1, -1.0, 0.3)])
def test_stuart_landau(mu, omega, c):
    """The cycle |w|^2 = mu: exponents 0 and -2 mu."""
    system = lk.systems.stuart_landau(mu=mu, omega=omega, c=c)
    found = _exponents(system, transient=40 / mu, estimator="birkhoff", **FINE)
    np.testing.assert_allclose(found, [0.0, -2.0 * mu], rtol=0, atol=1e-10)


def test_stuart_landau_at_rest():
    """Below the bifurcation both are mu."""
    found = _exponents(lk.systems.stuart_landau(mu=-0.4), initial_state=[0, 0], **FINE)
    np.testing.assert_allclose(found, -0.4, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["lorenz63", "rossler", "henon", "lorenz96"])
def test_dimension_and_entropy(name):
    """Kaplan-Yorke dimension and entropy rate by their definitions, from the exponents shown."""
    ds = lk.lyapunov_spectrum(_system(name), duration=300)
    values = np.where(ds.lyapunov_sign == 0, 0.0, ds.lyapunov_exponent)
    j = int(np.argmax(np.cumsum(values) < 0))
    assert np.cumsum(values)[j] < 0
    wanted = j + values[:j].sum() / abs(values[j])
    assert abs(float(ds.kaplan_yorke_dimension) - wanted) < 1e-12
    assert abs(float(ds.entropy_rate) - values[values > 0].sum()) < 1e-12
