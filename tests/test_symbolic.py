"""Systems from formulas: what the grammar means, and that nothing else is ever executed."""

import math

import numpy as np
import pytest
import sympy

import lyapkit as lk
from lyapkit.systems import evaluate

PARAMETERS = {"alpha": 2.0, "theta": 0.8}
START = [0.5, 0.2]


def _same_as_the_plane(own):
    """Orbit averages agree to rounding with the built-in flow, and the tangent is exact."""
    ours, theirs = (
        lk.lyapunov_spectrum(s, initial_state=START, estimator="mean", duration=20, dt=0.05)
        for s in (own, lk.systems.rotation_flow(**PARAMETERS))
    )
    np.testing.assert_allclose(ours.lyapunov_exponent, theirs.lyapunov_exponent, rtol=0, atol=1e-12)
    assert ours.attrs["tangent"] == "exact (traced)"


FLOW = {
    "x": "-x + tanh(alpha*(cos(theta)*x - sin(theta)*y))",
    "y": "-y + tanh(alpha*(sin(theta)*x + cos(theta)*y))",
}


def test_symbolic_flow_from_text():
    own = lk.symbolic_flow(FLOW, parameters=PARAMETERS)
    assert own.kind == "flow" and own.dimension == 2
    assert own.equation.startswith("x' = -x + tanh(")
    _same_as_the_plane(own)


def test_symbolic_map_from_text():
    own = lk.symbolic_map({"u": "1 - a*u**2 + v", "v": "b*u"}, parameters={"a": 1.4, "b": 0.3})
    assert own.kind == "map"
    ours, theirs = (lk.lyapunov_spectrum(s, initial_state=[0.1, 0.1], duration=50) for s in (own, lk.systems.henon()))
    np.testing.assert_allclose(ours.lyapunov_exponent, theirs.lyapunov_exponent, rtol=0, atol=1e-8)


def test_symbolic_flow_from_sympy():
    x, y, alpha, theta = sympy.symbols("x y alpha theta")
    u, v = alpha * (sympy.cos(theta) * x - sympy.sin(theta) * y), alpha * (sympy.sin(theta) * x + sympy.cos(theta) * y)
    own = lk.symbolic_flow({x: -x + sympy.tanh(u), y: -y + sympy.tanh(v)}, parameters=PARAMETERS)
    _same_as_the_plane(own)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2*x + 3", 3.5), ("x**2", 0.0625), ("-x**2", -0.0625), ("2**-1*x", 0.125), ("1/x", 4.0), ("x % 0.1", 0.05),
        ("exp(x)", math.exp(0.25)), ("sqrt(x)", 0.5), ("abs(-x)", 0.25), ("pi*x", math.pi / 4), ("+x", 0.25),
        ("1e-3*x", 2.5e-4), ("log(x) + ln(x)", 2 * math.log(0.25)), ("atan2(x, 1)", math.atan2(0.25, 1)),
        ("(x + 1)*(x - 1)", -0.9375), ("3", 3.0), ("  x", 0.25), ("x - 1 - 1", -1.75), ("2**3**x", 2 ** (3**0.25)),
    ],
)  # fmt: skip
def test_grammar(text, value):
    own = lk.symbolic_map({"x": text})
    assert abs(evaluate.value(own, [0.25])[0] - value) < 1e-14 * max(1, abs(value))


def test_symbolic_rule_of_time():
    own = lk.symbolic_flow({"x": "-x + cos(t)"}, initial_state=[0.5])
    ds = lk.trajectory(own, method="rk8", dt=0.05, duration=5)
    t = ds.time.values
    np.testing.assert_allclose(ds.state[:, 0], (np.cos(t) + np.sin(t)) / 2, rtol=0, atol=1e-11)


def test_a_unit_may_be_called_t():
    """Then t is the unit, not the time."""
    own = lk.symbolic_map({"t": "2*t"})
    assert evaluate.value(own, [1.5])[0] == 3.0


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')", "__import__('os').system('true')", "x.__class__", "().__class__", "open('f')", "eval('1')",
        "exec('1')", "lambda: x", "[x for x in (1,)]", "x if x > 0 else 1", "x[0]", "(x, x)", "'text'", "f'{x}'",
        "x := 1", "import os", "x; x", "x = 1", "globals()", "getattr(x, 'real')", "exp(x, y=1)", "exp(*x)",
        "True", "None", "1j*x", "x and x", "not x", "x < 1", "~x", "x @ x", "x << 1", "b'x'", "...", "",
        "unknown(x)", "z", "print(x)", "x.real", "{}", "exp", "pi(x)", "x(1)", "await x", "yield x",
    ],
)  # fmt: skip
def test_text_is_parsed_not_executed(text):
    """Whatever is not in the grammar is refused with the unit's or argument's name."""
    with pytest.raises(ValueError, match="equations"):
        lk.symbolic_flow({"x": text})


@pytest.mark.parametrize("text", ["exp()", "exp(x, x)", "atan2(x)", "power(x)"])
def test_wrong_number_of_arguments(text):
    with pytest.raises((ValueError, TypeError), match=r"equations|argument"):
        lk.symbolic_map({"x": text})


@pytest.mark.parametrize(
    ("equations", "keywords", "match"),
    [
        ({}, {}, "equations"),
        ("x", {}, "equations"),
        (["x"], {}, "equations"),
        ({"x": "a*x"}, {}, "'a'"),
        ({"x": "a*x"}, {"parameters": {"a": 1.0, "x": 2.0}}, "parameters: 'x'"),
        ({"x": "a*x"}, {"parameters": {"a": math.nan}}, "^a:"),
        ({"x": "x"}, {"initial_state": [1.0, 2.0]}, "initial_state"),
    ],
)
@pytest.mark.parametrize("define", [lk.symbolic_flow, lk.symbolic_map])
def test_symbolic_refused(define, equations, keywords, match):
    with pytest.raises(ValueError, match=match):
        define(equations, **keywords)


@pytest.mark.parametrize("name", ["x-1", "1x", "", "lambda", "a b", "exp", "pi"])
def test_names_of_units_that_formulas_cannot_use(name):
    """A unit that no formula can name, or that hides a function or constant, is refused or just works."""
    try:
        own = lk.symbolic_map({name: "0.5"})
    except ValueError as error:
        assert "equations" in str(error)
    else:
        assert evaluate.value(own, [1.0])[0] == 0.5
