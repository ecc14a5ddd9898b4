"""Adaptive steps: their coefficients, and what rtol promises of orbits and exponents."""

import functools
import json
import math
import pathlib

import numpy as np
import pytest
import scipy.integrate
from test_conformance import difference

import lyapkit as lk
from lyapkit.analyses.exponents.checks import starting_frame
from lyapkit.flags import STATUS
from lyapkit.kernels import steps
from lyapkit.systems import evaluate

METHODS = [name for name in steps.names() if steps.is_adaptive(steps.propagator(name))]
REFERENCE = json.loads((pathlib.Path(__file__).parent / "reference_values.json").read_text())
FINE = {"method": "dop853", "rtol": 1e-12, "atol": 1e-14}


def test_both_are_found():
    assert METHODS == ["dop853", "tsit5"]


# ------------------------------------------------------------------ coefficients


@functools.cache
def _trees(order):
    """Rooted trees of so many nodes, each the sorted tuple of its branches."""
    return sorted({tuple(sorted(forest)) for forest in _forests(order - 1)})


def _forests(nodes):
    """Collections of trees with so many nodes together."""
    if nodes == 0:
        return [()]
    return [(tree, *rest) for size in range(1, nodes + 1) for tree in _trees(size) for rest in _forests(nodes - size)]


def _nodes(tree):
    return 1 + sum(map(_nodes, tree))


def _density(tree):
    return _nodes(tree) * math.prod(map(_density, tree))


def _stages(matrix, tree):
    """What the tree's elementary differential is weighted with at each stage."""
    product = np.ones(len(matrix))
    for branch in tree:
        product = product * (matrix @ _stages(matrix, branch))
    return product


def _order(matrix, weights, most):
    """Largest order up to which sum_i b_i Phi_i(t) = 1 / density(t) for every tree t (Butcher)."""
    for order in range(1, most + 1):
        for tree in _trees(order):
            if abs(weights @ _stages(matrix, tree) - 1.0 / _density(tree)) > 1e-13:
                return order - 1
    return most


def test_number_of_trees():
    assert [len(_trees(order)) for order in range(1, 9)] == [1, 1, 2, 4, 9, 20, 48, 115]


@pytest.mark.parametrize(("method", "embedded"), [("tsit5", [4]), ("dop853", [5, 3])])
def test_order_conditions(method, embedded):
    module = steps.propagator(method)
    matrix, weights = module.TABLEAU[:-1, 1:], module.TABLEAU[-1, 1:]
    assert _order(matrix, weights, module.ORDER + 1) == module.ORDER
    assert [_order(matrix, weights - row, module.ORDER) for row in module.ESTIMATES] == embedded


def test_dop853_is_the_one_of_scipy():
    from scipy.integrate._ivp import dop853_coefficients as wanted

    module = steps.propagator("dop853")
    np.testing.assert_array_equal(module.TABLEAU[:-1, 1:], wanted.A[:12, :12])
    np.testing.assert_array_equal(module.TABLEAU[-1, 1:], wanted.B)
    np.testing.assert_array_equal(module.TABLEAU[:-1, 0], wanted.C[:12])
    np.testing.assert_array_equal(module.ESTIMATES, [wanted.E5[:12], wanted.E3[:12]])


# ------------------------------------------------------------------ errors follow rtol


def _by_scipy(system, start, times):
    """The orbit at these times by SciPy's own step control and coefficients."""
    solution = scipy.integrate.solve_ivp(
        lambda t, x: evaluate.value(system, x, t), (0, times[-1]), start, method="DOP853", t_eval=times,
        rtol=1e-13, atol=1e-15,
    )  # fmt: skip
    return solution.y.T


SMOOTH = {
    "van_der_pol": (lk.systems.van_der_pol(), [2.0, 0.0]),
    "lorenz96": (lk.systems.lorenz96(n=6, F=1.0), 1.0 + 0.1 * np.cos(1.0 + np.arange(6) ** 2)),
    "rotation_flow": (lk.systems.rotation_flow(alpha=2.5, theta=0.9), [0.3, 0.1]),
}


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("method", METHODS)
def test_errors_are_proportional_to_rtol(method, name):
    """Over eight decades, and whatever the length of the step that the substeps fill.

    Substeps err by rtol at most; on these stable orbits of 20 time units, with a substep or two in each, at most
    ten of them add up. Errors below rtol are no fault, as a long step's division rounds up.
    """
    system, start = SMOOTH[name]
    exact = _by_scipy(system, start, [20.0])[-1]
    for dt in (1.0, 4.0):
        for rtol in 10.0 ** -np.arange(4, 12):
            keywords = {"method": method, "dt": dt, "rtol": rtol, "atol": rtol}
            ds = lk.trajectory(system, initial_state=start, duration=20, **keywords)
            assert abs(ds.state.values[-1] - exact).max() < 10 * rtol


@pytest.mark.parametrize("method", METHODS)
def test_the_length_of_substeps_follows_the_order(method):
    """err is of the order q in the length: a tolerance 10^q times as small makes the work tenfold, here half of that.

    Measured by the smallest rtol at which a step of the length h is still taken at once and errs as a fixed one does.
    """
    system, start = SMOOTH["lorenz96"]
    q = steps.propagator(method).ORDER
    least = []
    for h in (0.2, 0.1) if method == "tsit5" else (0.5, 0.25):
        at_once = lk.trajectory(system, initial_state=start, duration=h, dt=h, method=method, rtol=1e30, atol=1e30)
        low, high = -16.0, 0.0
        for _ in range(30):
            middle = 0.5 * (low + high)
            keywords = {"method": method, "rtol": 1e-15, "atol": 10.0**middle}
            ds = lk.trajectory(system, initial_state=start, duration=h, dt=h, **keywords)
            low, high = (low, middle) if np.array_equal(ds.state, at_once.state) else (middle, high)
        least.append(high)
    assert abs((least[0] - least[1]) / math.log10(2) - q) < 0.5


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["van_der_pol", "lorenz96"])
def test_trajectories_against_scipy(method, name):
    """Samples in between, at rtol 1e-12: 30 substeps' errors, and what scipy's own 1e-13 leaves."""
    system, start = SMOOTH[name]
    ds = lk.trajectory(system, initial_state=start, duration=10, dt=0.5, **{**FINE, "method": method})
    np.testing.assert_allclose(ds.state, _by_scipy(system, start, ds.time.values), rtol=0, atol=2e-11)


def test_a_chaotic_orbit_against_scipy():
    """lorenz63 over three time units: errors grow by exp(3) at most tenfold above that."""
    system = lk.systems.lorenz63()
    ds = lk.trajectory(system, duration=3, dt=0.1, **FINE)
    wanted = _by_scipy(system, system.initial_state, ds.time.values)
    np.testing.assert_allclose(ds.state, wanted, rtol=0, atol=1e-8)


# ------------------------------------------------------------------ frames


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SMOOTH)
def test_tangent_of_a_step(method, name):
    """The frame over steps of many substeps is the derivative of the flow, as displaced orbits have it.

    To what errors of the displaced orbits, over the displacement, allow: the derivative of the substeps' own lengths
    is not in the frame.
    """
    system, start = SMOOTH[name]
    keywords = {"dt": 1.0, "duration": 3, **FINE, "method": method}
    for seed in range(3):
        direction = starting_frame(system.dimension, 1, seed)[0]

        def end(shift, direction=direction):
            return lk.trajectory(system, initial_state=start + shift * direction, **keywords).state.values[-1]

        wanted = np.linalg.norm(difference(end))
        ds = lk.lyapunov_spectrum(
            system, initial_state=start, n_exponents=1, transient=0, estimator="mean", seed=seed, **keywords
        )
        # of h = 1e-3, errors of the orbits being some 1e-12
        assert abs(math.exp(3 * float(ds.lyapunov_exponent[0])) - wanted) < 5e-9 * max(1.0, wanted)


ENTRIES = [e for e in REFERENCE["lyapunov_exponents"] if e["api"]["constructor"] == "rotation_flow"]


@pytest.mark.parametrize(("method", "rtol"), [("tsit5", 1e-5), ("tsit5", 1e-8), ("dop853", 1e-8), ("dop853", 1e-11)])
def test_reference_values(method, rtol):
    """Growth of the frame's columns errs by rtol a substep, some five a time unit, signs alternating."""
    assert len(ENTRIES) > 3
    for entry in ENTRIES:
        system = lk.systems.rotation_flow(**entry["api"]["arguments"])
        snic = math.isclose(system.parameters["theta"], math.pi / 21)  # with a period of 311.8
        long = {"transient": 1000, "duration": 40 * 311.8} if snic else {"duration": 2000}
        ds = lk.lyapunov_spectrum(system, method=method, rtol=rtol, atol=rtol / 100, estimator="birkhoff", **long)
        wanted = np.array(entry["value_str"], dtype=float)
        close = 1e-10 + entry["tolerance"] + rtol
        np.testing.assert_allclose(ds.lyapunov_exponent, wanted, rtol=0, atol=close)
        assert ds.status == STATUS["ok"]


@pytest.mark.parametrize("method", METHODS)
def test_at_rest_the_frame_chooses(method):
    """A fixed point has no error of its own: its exponents still err by rtol, at a step of any length."""
    matrix = np.array([[-1.0, 5.0, 0.0], [-5.0, -1.0, 0.0], [0.3, 0.0, -4.0]])
    for dt in (0.5, 2.0):
        ds = lk.lyapunov_spectrum(lk.systems.linear_flow(A=matrix), initial_state=np.zeros(3), dt=dt, method=method)
        # contraction by exp(-4) and rotation by 5: some ten substeps a time unit, each of rtol at most
        close = 10 * steps.propagator(method).RTOL
        np.testing.assert_allclose(ds.lyapunov_exponent, [-1.0, -1.0, -4.0], rtol=0, atol=close)


@pytest.mark.parametrize("method", METHODS)
def test_the_sum_is_the_divergence(method):
    """Divergence by the method's weights substep by substep, growth by the frame: equal to rtol."""
    for system in (lk.systems.lorenz63(), lk.systems.van_der_pol(mu=3.0), lk.systems.rotation_gru_flow()):
        ds = lk.lyapunov_spectrum(system, method=method, duration=50)
        rtol = steps.propagator(method).RTOL
        # lorenz63 takes a hundred substeps a time unit
        assert abs(float(ds.exponent_sum_error)) < 100 * rtol


@pytest.mark.parametrize("method", METHODS)
def test_stiff(method):
    """van_der_pol at mu = 50: substeps from 1e-3 to 1e-1, contraction by exp(-150) a time unit."""
    system = lk.systems.van_der_pol(mu=50.0)
    keywords = {"duration": 1000, "estimator": "birkhoff"}
    ds = lk.lyapunov_spectrum(system, method=method, rtol=1e-9, atol=1e-11, **keywords)
    wanted = lk.lyapunov_spectrum(system, method="rk8", dt=0.001, **keywords)
    # rates of up to 150 that jump within 0.02 time units, weighted by what changes by 1e-4 over steps of 0.16
    np.testing.assert_allclose(ds.lyapunov_exponent, wanted.lyapunov_exponent, rtol=0, atol=1e-5)
    assert abs(float(ds.exponent_sum_error)) < 1e-6 and ds.status == STATUS["ok"]
