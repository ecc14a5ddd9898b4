"""Systems that users write: styles of rules, branches, given Jacobians, and what is refused."""

import math
from math import tanh

import numba
import numpy as np
import pytest

import lyapkit as lk
from lyapkit.systems import evaluate

GAIN, ANGLE = 2.0, 0.8
PARAMETERS = {"alpha": GAIN, "theta": ANGLE}
R = np.array([[math.cos(ANGLE), -math.sin(ANGLE)], [math.sin(ANGLE), math.cos(ANGLE)]])
START = [0.5, 0.2]


def scalar_numpy(x, alpha, theta):
    c, s = alpha * np.cos(theta), alpha * np.sin(theta)
    return np.tanh(c * x[0] - s * x[1]), np.tanh(s * x[0] + c * x[1])


def scalar_math(x, alpha, theta):
    c, s = alpha * math.cos(theta), alpha * math.sin(theta)
    return [math.tanh(c * x[0] - s * x[1]), math.tanh(s * x[0] + c * x[1])]


def imported_function(x, alpha, theta):
    c, s = alpha * math.cos(theta), alpha * math.sin(theta)
    return tanh(c * x[0] - s * x[1]), tanh(s * x[0] + c * x[1])


def _turned(x, theta):
    c, s = np.cos(theta), np.sin(theta)
    return np.array([c * x[0] - s * x[1], s * x[0] + c * x[1]])


def with_helper(x, alpha, theta):
    return np.tanh(alpha * _turned(x, theta))


@numba.njit
def _jitted_turn(a, b, theta):
    return math.cos(theta) * a - math.sin(theta) * b


def with_jitted_helper(x, alpha, theta):
    first = _jitted_turn(x[0], x[1], theta)
    return np.tanh(alpha * first), np.tanh(alpha * (np.sin(theta) * x[0] + np.cos(theta) * x[1]))


@numba.njit
def jitted(x, alpha, theta):
    c, s = alpha * np.cos(theta), alpha * np.sin(theta)
    return np.tanh(c * x[0] - s * x[1]), np.tanh(s * x[0] + c * x[1])


def unpacked(x, alpha, theta):
    a, b = x
    c, s = alpha * np.cos(theta), alpha * np.sin(theta)
    return np.tanh(c * a - s * b), np.tanh(s * a + c * b)


def with_loop(x, alpha, theta):
    matrix = [[math.cos(theta), -math.sin(theta)], [math.sin(theta), math.cos(theta)]]
    return [np.tanh(alpha * sum(m * v for m, v in zip(row, x, strict=True))) for row in matrix]


def with_defaults(x, alpha=GAIN, theta=ANGLE):
    return scalar_numpy(x, alpha, theta)


def stacked(x, alpha, theta):
    matrix = np.array([[np.cos(theta), -np.sin(theta)], [np.sin(theta), np.cos(theta)]])
    return np.tanh(alpha * np.dot(matrix, x))


STYLES = [
    scalar_numpy, scalar_math, imported_function, with_helper, with_jitted_helper, jitted, unpacked, with_loop,
    with_defaults, stacked, lambda x, alpha, theta: np.tanh(alpha * _turned(x, theta)),
]  # fmt: skip


def _same(own, built_in, **keywords):
    """Exponents and orbits agree to rounding; all of an own rule's tangent is exact."""
    ours, theirs = (lk.lyapunov_spectrum(s, initial_state=START, estimator="mean", **keywords) for s in (own, built_in))
    np.testing.assert_allclose(ours.lyapunov_exponent, theirs.lyapunov_exponent, rtol=0, atol=1e-12)
    np.testing.assert_allclose(ours.mean_divergence, theirs.mean_divergence, rtol=0, atol=1e-12)
    assert ours.attrs["tangent"] == "exact (traced)"


@pytest.mark.parametrize("rule", STYLES, ids=lambda rule: rule.__name__)
def test_styles_of_scalar_rules(rule):
    own = lk.define_map(rule, parameters=PARAMETERS, dimension=2)
    _same(own, lk.systems.rotation_map(**PARAMETERS), duration=500)


def test_matrix_in_a_closure():
    W = GAIN * R
    own = lk.define_map(lambda x: np.tanh(W @ x), dimension=2)
    _same(own, lk.systems.rotation_map(**PARAMETERS), duration=500)
    own = lk.define_flow(lambda x: -x + np.tanh(W @ x), dimension=2)
    _same(own, lk.systems.rotation_flow(**PARAMETERS), duration=20, dt=0.05)


def test_matrix_as_a_parameter():
    own = lk.define_map(lambda x, W, b: np.tanh(W @ x + b), parameters={"W": GAIN * R, "b": 0.0}, dimension=2)
    _same(own, lk.systems.rotation_map(**PARAMETERS), duration=500)
    turned = own.with_(W=3.0 * R, b=0.1)
    np.testing.assert_allclose(evaluate.value(turned, START), np.tanh(3.0 * R @ START + 0.1), rtol=1e-15)


def test_transposed_product():
    """x @ W is W' x, not W x."""
    own = lk.define_map(lambda x, W: np.tanh(x @ W), parameters={"W": GAIN * R}, dimension=2)
    _same(own, lk.systems.rotation_map(alpha=GAIN, theta=-ANGLE), duration=500)


def test_same_bits_as_the_built_in_system():
    """The same operations in the same order are the same kernel."""
    own = lk.define_map(
        lambda x, a, b: (1.0 - a * x[0] ** 2 + x[1], b * x[0]), parameters={"a": 1.4, "b": 0.3}, dimension=2
    )
    ours, theirs = (lk.lyapunov_spectrum(s, initial_state=[0.1, 0.1]) for s in (own, lk.systems.henon()))
    for name in theirs.variables:
        np.testing.assert_array_equal(ours[name], theirs[name])


FUNCTIONS = [
    lambda x: np.exp(x) - 2,
    lambda x: np.log(1.5 + x**2),
    lambda x: np.sqrt(1 + x),
    lambda x: np.sin(x) * np.cos(2 * x),
    lambda x: np.arctan(x) + np.tan(x / 2),
    lambda x: np.sinh(x) / np.cosh(x),
    lambda x: np.arcsin(x / 2) + np.arccos(x / 3),
    lambda x: np.expm1(x) + np.log1p(x),
    lambda x: math.erf(x),
    lambda x: math.atan2(x, 1 + x),
    lambda x: np.arctan2(1 - x, x),
    lambda x: x**3 - x**-2 + x**0.5 + x**2.5,
    lambda x: 2**x + math.pow(x, 3),
    lambda x: x**x,
    lambda x: np.arcsinh(x) + np.arccosh(1 + x) + np.arctanh(x / 2),
    lambda x: 1 / (1 + math.exp(-x)),
    lambda x: x * abs(x),
    lambda x: np.square(x) + np.reciprocal(x) + np.log2(x) + np.log10(x),
    lambda x: x % 0.25,
    lambda x: x // 0.25 + x,
    lambda x: np.maximum(x, 0.5) * np.minimum(x, 0.5),
    lambda x: np.abs(x - 0.5) + np.sign(x - 0.5),
]


@pytest.mark.parametrize("number", range(len(FUNCTIONS)))
def test_functions(number):
    """Value to a few ulp of NumPy's, slope to the error of a five-point difference (1e-11 at this step)."""
    f = FUNCTIONS[number]
    own = lk.define_map(lambda x: [f(x[0])], dimension=1)
    assert own.cell.tangent.startswith("exact")
    h = 1e-4
    for x in (0.31, 0.62, 0.93):
        assert abs(evaluate.value(own, [x])[0] - f(x)) < 1e-14 * max(1, abs(f(x)))
        slope = (8 * (f(x + h) - f(x - h)) - f(x + 2 * h) + f(x - 2 * h)) / (12 * h)
        assert abs(evaluate.jacobian_matrix(own, [x])[0, 0] - slope) < 1e-9 * max(1, abs(slope))


# ------------------------------------------------------------------ what is refused


def _plain(x, a):
    return [a * x[0], x[1]]


@pytest.mark.parametrize("define", [lk.define_flow, lk.define_map])
@pytest.mark.parametrize(
    ("rule", "keywords", "error", "match"),
    [
        (_plain, {"parameters": {"a": 1.0}, "dimension": 3}, ValueError, "rule|x"),
        (lambda x: [x[0]], {"dimension": 2}, ValueError, "rule: returned 1 values"),
        (lambda x: [x[0], x[1], x[0]], {"dimension": 2}, ValueError, "rule: returned 3 values"),
        (_plain, {"dimension": 2}, ValueError, "parameters: 'a'"),
        (_plain, {"parameters": {"a": 1.0, "b": 2.0}, "dimension": 2}, ValueError, "parameters: 'b'"),
        (_plain, {"parameters": {"a": 1.0}}, ValueError, "dimension: not given"),
        (_plain, {"parameters": {"a": 1.0}, "dimension": 0}, ValueError, "dimension: given 0"),
        (_plain, {"parameters": {"a": 1.0}, "dimension": 2.0}, ValueError, "dimension: given 2.0"),
        (_plain, {"parameters": {"a": 1.0}, "dimension": True}, ValueError, "dimension: given True"),
        (_plain, {"parameters": {"a": math.nan}, "dimension": 2}, ValueError, "^a: .*finite"),
        (_plain, {"parameters": {"a": "one"}, "dimension": 2}, TypeError, "^a: given 'one'"),
        (_plain, {"parameters": {"a": 1.0}, "initial_state": [1.0], "dimension": 2}, ValueError, "initial_state"),
        (_plain, {"parameters": {"a": 1.0}, "initial_state": [1, math.inf]}, ValueError, "initial_state"),
        (lambda: [1.0], {"dimension": 1}, ValueError, "rule: takes no argument"),
        (lambda x, *a: [x[0]], {"dimension": 1}, ValueError, r"rule: \*args"),
        (lambda x, **a: [x[0]], {"dimension": 1}, ValueError, r"rule: \*args"),
        (3.0, {"dimension": 1}, TypeError, "rule: given 3.0"),
        ("x", {"dimension": 1}, TypeError, "rule: given 'x'"),
    ],
)  # fmt: skip
def test_refused(define, rule, keywords, error, match):
    with pytest.raises(error, match=match):
        define(rule, **keywords)


@pytest.mark.parametrize("dt", [0.0, -0.1, math.nan, math.inf, "small"])
def test_default_step_is_checked(dt):
    """A bad default step is refused where it is given, or at the latest by the verb, by its name."""
    with pytest.raises((ValueError, TypeError), match="dt"):
        lk.trajectory(lk.define_flow(lambda x: -x, dimension=1, dt=dt))


def test_rule_that_nothing_can_run():
    """Neither traced nor compiled: refused when defined, naming the rule."""

    def rule(x):
        return [len(float(x[0]).hex())]

    with pytest.raises((ValueError, TypeError), match="rule"):
        lk.define_map(rule, dimension=1)


def test_rule_with_an_error_of_its_own():
    """A mistake in the rule is seen as such."""

    def rule(x):
        return [x[0] * undefined_name]  # noqa: F821

    with pytest.raises((NameError, ValueError), match="undefined_name"):
        lk.define_map(rule, dimension=1)


@pytest.mark.parametrize("change", [{"beta": 1.0}, {"alpha": math.inf}, {"alpha": [1.0, 2.0]}])
def test_with_checks_as_the_constructor_does(change):
    own = lk.define_map(scalar_numpy, parameters=PARAMETERS, dimension=2)
    with pytest.raises(ValueError, match=next(iter(change))):
        own.with_(**change)


def test_rule_is_called_with_its_names_only():
    """Parameters are passed by name: their order in the mapping does not matter."""
    own = lk.define_map(scalar_numpy, parameters={"theta": ANGLE, "alpha": GAIN}, dimension=2)
    assert list(own.parameters) == ["alpha", "theta"]
    _same(own, lk.systems.rotation_map(**PARAMETERS), duration=200)


def test_rules_named_as_kernels_name_things():
    """Parameters called p, x0, lane, nan or inf do not meet the generated code's own names."""
    own = lk.define_map(
        lambda x, p, x0, lane, nan, inf, load: p * x[0] + x0 * lane + nan * inf - load,
        parameters={"p": 0.5, "x0": 2.0, "lane": 3.0, "nan": 5.0, "inf": 7.0, "load": 11.0}, dimension=1,
    )  # fmt: skip
    assert evaluate.value(own, [1.0])[0] == 0.5 + 6.0 + 35.0 - 11.0


def test_own_system_in_a_scan():
    own = lk.define_map(scalar_numpy, parameters=PARAMETERS, dimension=2, initial_state=START)
    grid = {"theta": np.linspace(0.1, 1.0, 3), "alpha": np.array([0.5, 2.0])}
    ours, theirs = (
        lk.scan(lk.lyapunov_spectrum, s, grid, duration=300, initial_state=START, estimator="mean")
        for s in (own, lk.systems.rotation_map())
    )
    assert ours.lyapunov_exponent.dims == ("theta", "alpha", "mode")
    np.testing.assert_allclose(ours.lyapunov_exponent, theirs.lyapunov_exponent, rtol=0, atol=1e-11)


def test_large_own_map():
    """Six units: the determinant is eliminated at run time, with its sign and pivots."""
    A = np.roll(np.diag([0.9, -0.8, 0.7, -0.6, 0.5, 0.4]), 1, axis=0) + 1e-3
    own = lk.define_map(lambda x: A @ x, dimension=6)
    divergence = evaluate.linearise(own, np.zeros(6), np.eye(6))[2]
    assert abs(divergence - np.linalg.det(A)) < 1e-15
    ds = lk.lyapunov_spectrum(own, duration=500)
    assert abs(float(ds.mean_divergence) - np.linalg.slogdet(A)[1]) < 1e-12
