"""Interval arithmetic encloses what real arithmetic gives, checked with 40 digits, operation by operation."""

import fractions
import math

import hypothesis.strategies as st
import mpmath
import numpy as np
import pytest
from hypothesis import assume, example, given, settings

import lyapkit as lk
from lyapkit.systems import intervals, operations
from lyapkit.systems.enclosure import Enclosure
from lyapkit.systems.evaluate import jacobian_matrix, value
from lyapkit.systems.expression import Graph, apply
from lyapkit.systems.tracing import Traced
from lyapkit.systems.unrolled import unrolled

MP = mpmath.mp.clone()
MP.dps = 40


def _softplus(x):
    return max(x, MP.mpf(0)) + MP.log1p(MP.exp(-abs(x)))


EXACT = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": lambda a, b: a / b,
    "neg": lambda a: -a, "power": lambda a, b: MP.power(a, b), "mod": lambda a, b: _exact_mod(a, b),
    "atan2": MP.atan2, "sech2": lambda a: MP.sech(a) ** 2, "sigmoid": lambda a: 1 / (1 + MP.exp(-a)),
    "sigmoid_slope": lambda a: 1 / (2 + 2 * MP.cosh(a)), "softplus": _softplus, "absolute": abs, "sign": MP.sign,
    "floor": MP.floor, "sqrt": MP.sqrt, "exp": MP.exp, "expm1": MP.expm1, "log": MP.log, "log1p": MP.log1p,
    "sin": MP.sin, "cos": MP.cos, "tan": MP.tan, "asin": MP.asin, "acos": MP.acos, "atan": MP.atan, "sinh": MP.sinh,
    "cosh": MP.cosh, "tanh": MP.tanh, "asinh": MP.asinh, "acosh": MP.acosh, "atanh": MP.atanh, "erf": MP.erf,
}  # fmt: skip
OF_TWO = ("add", "sub", "mul", "div", *operations.OF_TWO)
NUMBERS = st.one_of(
    st.floats(-4.0, 4.0), st.floats(-300.0, 300.0), st.integers(-5, 5).map(float), st.floats(-1e-9, 1e-9)
)


def _interval(a, b):
    return np.array([min(a, b)]), np.array([max(a, b)])


def _exact(op, *numbers):
    """The real value, None where the function is not defined or not real."""
    try:
        result = EXACT[op](*map(MP.mpf, numbers))
    except (ValueError, ZeroDivisionError):
        return None
    return None if isinstance(result, MP.mpc) or not MP.isfinite(result) else result


def _exact_mod(a, b):
    """In fractions, as a small number less a multiple of a large one has more digits than any precision."""
    a, b = fractions.Fraction(float(a)), fractions.Fraction(float(b))
    rest = a - b * math.floor(a / b)
    return MP.mpf(rest.numerator) / rest.denominator


def test_every_operation_has_an_interval_form():
    assert set(operations.NUMBERS) == set(EXACT)
    assert set(operations.NUMBERS) | set(operations.BOOLEANS) | {"where"} == set(intervals.FUNCTIONS)


@pytest.mark.parametrize("op", sorted(EXACT))
@settings(max_examples=300)
@given(data=st.data())
def test_operation_encloses_its_values(op, data):
    count = 2 if op in OF_TWO else 1
    ends = [(data.draw(NUMBERS), data.draw(NUMBERS)) for _ in range(count)]
    shares = [data.draw(st.sampled_from([0.0, 1.0, 0.5, 0.3])) for _ in range(count)]
    boxes = [_interval(*pair) for pair in ends]
    inside = [float(np.clip(lo[0] + s * (hi[0] - lo[0]), lo[0], hi[0])) for (lo, hi), s in zip(boxes, shares)]
    wanted = _exact(op, *inside)
    assume(wanted is not None)
    with np.errstate(all="ignore"):
        low, high = intervals.FUNCTIONS[op](*boxes)
    assert MP.mpf(low[0]) <= wanted <= MP.mpf(high[0])


@pytest.mark.parametrize("op", sorted(set(EXACT) - {*OF_TWO, "tan"}))
@settings(max_examples=100)
@given(x=NUMBERS)
@example(x=1.0)
@example(x=710.0)
@example(x=-745.0)
@example(x=1e9)
def test_thin_intervals_stay_narrow(op, x):
    """Of one number: within 64 units in the last place; sin and cos near their zeros, relative to 1.

    The slopes of tan are not bounded, so that its poles are told apart only to the rounding of the argument.
    """
    wanted = _exact(op, x)
    assume(wanted is not None and abs(wanted) < 1e300)
    thin = np.array([x])
    with np.errstate(all="ignore"):
        low, high = intervals.FUNCTIONS[op]((thin, thin))
    assert MP.mpf(low[0]) <= wanted <= MP.mpf(high[0])
    if op in ("sin", "cos"):
        assert high[0] - low[0] < 1e-14 or high[0] == 1.0 or low[0] == -1.0
    else:
        assert high[0] - low[0] <= 64 * np.finfo(float).eps * abs(float(wanted)) + 1e-299


def test_undefined_parts_are_empty_and_poles_unbounded():
    with np.errstate(all="ignore"):
        for op, outside in (("sqrt", (-2, -1)), ("log", (-2, 0)), ("acosh", (0, 0.9)), ("asin", (1.1, 2))):
            low, high = intervals.FUNCTIONS[op](_interval(*map(float, outside)))
            assert np.isnan(low[0]) and np.isnan(high[0])
        one = np.ones(1)
        assert intervals.div((one, one), _interval(-1.0, 1.0)) == (-np.inf, np.inf)
        assert np.isnan(intervals.div((one, one), _interval(0.0, 0.0))[0])
        assert intervals.mul(_interval(0.0, 0.0), (-np.inf * one, np.inf * one))[1] < 1e-300
        assert intervals.FUNCTIONS["tan"](_interval(1.0, 2.0)) == (-np.inf, np.inf)


def test_choices():
    less = intervals.lt(_interval(0.0, 1.0), _interval(2.0, 3.0))
    assert less[0] and less[1]
    open_one = intervals.le(_interval(0.0, 2.0), _interval(1.0, 3.0))
    assert not open_one[0] and open_one[1]
    assert intervals.where(open_one, _interval(0.0, 1.0), _interval(5.0, 6.0)) == (0.0, 6.0)
    assert not intervals.not_(less)[1]


SMOOTH = ["neg", "tanh", "sin", "cos", "exp", "sigmoid", "softplus", "atan", "sech2", "absolute", "erf", "asinh"]


@st.composite
def expressions(draw, depth=4):
    """A node in x0, x1 and the parameter p."""
    graph = Graph()
    leaves = [graph.variable(name) for name in ("x0", "x1", "p")]

    def node(depth):
        kind = draw(st.integers(0, 9))
        if depth == 0 or kind == 0:
            return draw(st.sampled_from([*leaves, graph.constant(draw(st.integers(-3, 3)))]))
        if kind < 5:
            return apply(draw(st.sampled_from(SMOOTH)), node(depth - 1))
        if kind == 9:
            a, b = node(depth - 1), node(depth - 1)
            return apply("where", graph.node("ge", a, b), a, b)
        return apply(draw(st.sampled_from(["add", "sub", "mul"])), node(depth - 1), node(depth - 1))

    return graph, [node(depth), node(depth)]


@settings(max_examples=150)
@given(built=expressions(), middle=st.tuples(*[st.floats(-2, 2)] * 2), p=st.floats(-2, 2), width=st.floats(0, 1))
def test_boxes_enclose_values_and_difference_quotients(built, middle, p, width):
    """f(y) - f(x) = A (y - x) with A in the enclosed Jacobian, whatever x and y in the box: the mean value theorem."""
    graph, outputs = built
    assume(all(node.op != "constant" for node in outputs))
    rule = Traced(graph, outputs, 2, [graph.variable("p")], 1)
    enclosure = Enclosure(rule, "flow")
    centre = np.array(middle)[:, None]
    low, high, at = centre - width, centre + width, np.zeros(1, dtype=int)
    with np.errstate(all="ignore"):
        fixed = enclosure.fixed(np.array([[p]]))
        (f_low, f_high), (j_low, j_high), smooth, _ = enclosure.value_and_jacobian(low, high, fixed, at)
        points = np.random.default_rng(0).uniform(low, high, (2, 12))
        values = [enclosure.value(x[:, None], x[:, None], fixed, at) for x in points.T]
    assume(np.isfinite(f_low).all() and np.isfinite(f_high).all() and smooth[0])
    for a, b in values:
        assert (a <= f_high).all() and (b >= f_low).all()
    for (a_low, a_high), (b_low, b_high), x, y in zip(values, values[1:], points.T, points.T[1:]):
        step = (y - x)[:, None]
        reach = np.minimum(j_low[:, :, 0] * step.T, j_high[:, :, 0] * step.T).sum(axis=1)
        most = np.maximum(j_low[:, :, 0] * step.T, j_high[:, :, 0] * step.T).sum(axis=1)
        slack = 1e-12 * (1.0 + abs(reach) + abs(most))
        assert ((b_high - a_low)[:, 0] >= reach - slack).all()
        assert ((b_low - a_high)[:, 0] <= most + slack).all()


NETWORKS = {
    "rnn": lambda W, b: lk.systems.rnn_flow(W=W, b=b, activation="softplus", tau=2.0),
    "relu": lambda W, b: lk.systems.rnn_map(W=W, b=b, activation="relu"),
    "hard tanh": lambda W, b: lk.systems.rnn_map(W=W, b=b, activation="hard tanh"),
    "rate": lambda W, b: lk.systems.rate_map(J=W, b=b, dt=0.5, activation="erf"),
    "gru": lambda W, b: lk.systems.gru_flow(Wz=W, Wr=W.T, Wh=2 * W, bz=b),
    "gru before": lambda W, b: lk.systems.gru_map(Wz=W, Wr=W.T, Wh=2 * W, bz=b, reset="before"),
    "lstm": lambda W, b: lk.systems.lstm_map(Wi=W[:2, :2], Wf=W[2:, :2], Wg=W[:2, 2:], Wo=W[2:, 2:]),
    "cornn": lambda W, b: lk.systems.cornn_map(W=W[:2, :2], Wdot=W[2:, :2], b=b[:2]),
    "input": lambda W, b: lk.systems.rnn_flow(W=W, V=W[:, :1], input=np.full((3, 1), 0.7)),
    "low rank": lambda W, b: lk.systems.rnn_flow(W=lk.LowRank(b, W[:, :1], W[:1])),
    "blocks": lambda W, b: lk.systems.block_rotation_flow(alpha=[1.5, 2.0], theta=[0.3, 0.4], b=b),
    "random": lambda W, b: lk.random_network(n=4, gain=2.0),
    "lorenz96": lambda W, b: lk.systems.lorenz96(n=4),
    "lorenz63": lambda W, b: lk.systems.lorenz63(),
    "cat": lambda W, b: lk.systems.cat_map(),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_written_out_rules_are_the_kernels(name):
    """Units one by one give what the compiled cell gives: to its rounding, 1e-12 of the size."""
    generator = np.random.default_rng(3)
    system = NETWORKS[name](generator.standard_normal((4, 4)), generator.standard_normal(4))
    traced, further = unrolled(system)
    enclosure = Enclosure(traced, system.kind)
    n = system.dimension
    for _ in range(5):
        x = generator.uniform(0.1, 0.9, n)
        raw = np.concatenate([system.raw_parameters(), further[:, None]])
        with np.errstate(all="ignore"):
            fixed = enclosure.fixed(raw)
            box, at = x[:, None], np.zeros(1, int)
            residual, jacobian, _, _ = enclosure.value_and_jacobian(box, box, fixed, at)
        wanted, slopes = value(system, x), jacobian_matrix(system, x)
        if system.kind == "map":
            wanted, slopes = wanted - x, slopes - np.eye(n)
        if name == "cat":  # on a circle, up to whole turns
            wanted = wanted - np.rint(wanted)
        for (low, high), exact in ((residual, wanted), (jacobian, slopes)):
            size = 1e-12 * max(1.0, abs(exact).max())
            assert (low[..., 0] <= exact + size).all() and (high[..., 0] >= exact - size).all()
            assert (high - low).max() < 1e-11 * max(1.0, abs(exact).max())


def _jumps(rule, low, high, n=1):
    system = lk.define_flow(rule, dimension=n)
    enclosure = Enclosure(unrolled(system)[0], "flow")
    with np.errstate(all="ignore"):
        box = (np.full((n, 1), float(low)), np.full((n, 1), float(high)))
        return not enclosure.value_and_jacobian(*box, enclosure.fixed(np.empty((0, 1))), np.zeros(1, int))[2][0]


def test_jumps_are_told_from_kinks():
    assert not _jumps(lambda x: [np.maximum(x[0], 0.0)], -1, 1)
    assert not _jumps(lambda x: [np.where(x[0] > 0, x[0], 0.1 * x[0])], -1, 1)
    assert not _jumps(lambda x: [abs(x[0]) + np.clip(x[0], -0.5, 0.5)], -1, 1)
    assert not _jumps(lambda x: [math.tanh(x[0]) if x[0] > 0 else math.sin(x[0])], -1, 1)
    assert _jumps(lambda x: [np.where(x[0] > 0, x[0], 0.1 * x[0] - 1)], -1, 1)
    assert not _jumps(lambda x: [np.where(x[0] > 0, x[0], 0.1 * x[0] - 1)], 0.5, 1)
    assert _jumps(lambda x: [np.sign(x[0])], -1, 1)
    assert _jumps(lambda x: [np.floor(x[0])], -0.5, 0.5) and not _jumps(lambda x: [np.floor(x[0])], 0.2, 0.5)
    assert _jumps(lambda x: [np.mod(x[0], 1.0)], 0.5, 1.5) and not _jumps(lambda x: [np.mod(x[0], 1.0)], 1.1, 1.5)
    assert _jumps(lambda x: [np.where((x[0] > 0) & (x[0] < 2), 1.0, x[0])], -1, 1)
