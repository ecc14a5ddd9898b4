"""Expressions of traced rules: a graph in which equal subexpressions are one node.

A rule written in ordinary Python is called once with nodes in place of numbers (see `tracing`). The graph that
results is differentiated by `derivatives` and printed as lane kernels by `codegen`. tanh and its slope
sech^2 are both primitive, so that the slope is never formed as 1 - tanh^2.
"""

import math
import operator

import numpy as np

from lyapkit.systems.operations import BOOLEANS, COMPARISONS, NUMBERS


class Branch(Exception):
    """A rule asked for the truth of a comparison that nobody has decided."""


class Untraceable(Exception):
    """A rule does something to a node that has no expression."""


class Node:
    """One value in the graph: an operation on other nodes, a constant or a variable.

    `op` is "constant", "variable" or the name of an operation; `key` is the constant's value, the
    variable's name or None.
    """

    __slots__ = ("graph", "op", "args", "key", "number")
    __array_priority__ = 1000

    def __init__(self, graph, op, args, key, number):
        self.graph, self.op, self.args, self.key, self.number = graph, op, args, key, number

    def __repr__(self):
        if self.op in ("constant", "variable"):
            return str(self.key)
        return f"{self.op}({', '.join(map(repr, self.args))})"

    def __bool__(self):
        return self.graph.decide(self if self.op in BOOLEANS else self != 0.0)

    def __float__(self):
        raise Untraceable("the rule turns a traced value into a plain number")

    __int__ = __index__ = __complex__ = __float__

    def __array_function__(self, function, types, args, keywords):
        if function in (np.where, np.clip) and len(args) == 3 and not keywords:
            return (where if function is np.where else UFUNCS["clip"])(*args)
        raise Untraceable(f"np.{function.__name__} has no traced form")

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        if any(isinstance(value, np.ndarray) and value.ndim for value in inputs):
            arrays = [np.asarray(boxed(value), dtype=object) for value in inputs]
            return getattr(ufunc, method)(*arrays, **keywords)
        operation = UFUNCS.get(ufunc.__name__)
        if method != "__call__" or operation is None or keywords:
            raise Untraceable(f"np.{ufunc.__name__} has no traced form")
        return operation(*(v.item() if isinstance(v, np.ndarray) else v for v in inputs))


def boxed(value):
    """A node as a 0-d object array, so that NumPy broadcasts it instead of asking it."""
    if not isinstance(value, Node):
        return value
    box = np.empty((), dtype=object)
    box[()] = value
    return box


class Graph:
    """The nodes of one rule, each kept once; `choices` maps comparisons to their decided truth."""

    def __init__(self):
        self._nodes = {}
        self.choices = {}

    def node(self, op, *args, key=None):
        # +0.0 and -0.0 are equal as keys but not as numbers
        identity = (op, tuple(a.number for a in args), repr(key))
        found = self._nodes.get(identity)
        if found is None:
            found = self._nodes[identity] = Node(self, op, args, key, len(self._nodes))
        return found

    def constant(self, value):
        return self.node("constant", key=float(value))

    def variable(self, name):
        return self.node("variable", key=name)

    def decide(self, comparison):
        if comparison not in self.choices:
            raise Branch(comparison)
        return self.choices[comparison]


def lift(graph, value):
    """`value` as a node of the graph."""
    if isinstance(value, Node):
        return value
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return lift(graph, value.item())
    try:
        return graph.constant(value)
    except (TypeError, ValueError):
        raise Untraceable(f"the rule mixes a traced value with {type(value).__name__}") from None


def is_number(node, value):
    return node.op == "constant" and node.key == value


def apply(op, *values):
    """The node of `op` on `values`; constants are folded."""
    graph = next(v.graph for v in values if isinstance(v, Node))
    args = [lift(graph, v) for v in values]
    kept = 1 if op == "where" else len(args) if op in BOOLEANS else 0  # arguments that may be truth values
    args[kept:] = [_as_number(a) for a in args[kept:]]
    if all(a.op == "constant" for a in args) and op in NUMBERS:
        with np.errstate(all="ignore"):
            return graph.constant(NUMBERS[op](*(a.key for a in args)))
    return SIMPLIFY[op](graph, *args) if op in SIMPLIFY else graph.node(op, *args)


def _as_number(node):
    """A truth value used in arithmetic counts as 1 or 0."""
    if node.op not in BOOLEANS:
        return node
    return node.graph.node("where", node, node.graph.constant(1.0), node.graph.constant(0.0))


def _as_truth(node):
    return node if node.op in BOOLEANS else node != 0.0


def _add(graph, a, b):
    if is_number(a, 0.0):
        return b
    if is_number(b, 0.0):
        return a
    if b.op == "neg":
        return apply("sub", a, b.args[0])
    return graph.node("add", *sorted((a, b), key=lambda n: n.number))


def _sub(graph, a, b):
    if is_number(b, 0.0):
        return a
    if is_number(a, 0.0):
        return apply("neg", b)
    if b.op == "neg":
        return apply("add", a, b.args[0])
    return graph.node("sub", a, b)


def _mul(graph, a, b):
    if b.op == "constant":
        a, b = b, a
    if is_number(a, 0.0):
        return a
    if is_number(a, 1.0):
        return b
    if is_number(a, -1.0):
        return apply("neg", b)
    if a.op == "neg" or b.op == "neg":  # signs go outwards, where a sum takes them up for nothing
        positive = [n.args[0] if n.op == "neg" else n for n in (a, b)]
        product = apply("mul", *positive)
        return product if a.op == b.op else apply("neg", product)
    if a.op == "constant":
        return graph.node("mul", a, b)
    return graph.node("mul", *sorted((a, b), key=lambda n: n.number))


def _div(graph, a, b):
    if is_number(a, 0.0) or is_number(b, 1.0):
        return a
    if b.op == "constant" and math.frexp(b.key)[0] in (0.5, -0.5) and abs(b.key) > 1e-300:
        return apply("mul", a, 1.0 / b.key)  # exact: a power of two
    if is_number(a, 1.0) and b.op == "add" and any(is_number(n, 1.0) for n in b.args):
        other = b.args[1] if is_number(b.args[0], 1.0) else b.args[0]
        if other.op == "exp":  # 1 / (1 + exp(z)), whose slope would overflow where it vanishes
            return apply("sigmoid", -other.args[0])
    return graph.node("div", a, b)


def _neg(graph, a):
    return a.args[0] if a.op == "neg" else graph.node("neg", a)


def _power(graph, a, b):
    """Small whole powers by multiplication, roots by sqrt, the rest through the library's pow."""
    if b.op == "constant" and b.key.is_integer() and abs(b.key) <= 64:
        return _whole_power(graph, a, int(b.key))
    if is_number(b, 0.5):
        return apply("sqrt", a)
    return graph.node("power", a, b)


def _whole_power(graph, a, exponent):
    if exponent < 0:
        return apply("div", 1.0, _whole_power(graph, a, -exponent))
    if exponent == 0:
        return graph.constant(1.0)
    half = _whole_power(graph, a, exponent // 2) if exponent > 1 else graph.constant(1.0)
    square = apply("mul", half, half)
    return apply("mul", square, a) if exponent % 2 else square


def _where(graph, condition, a, b):
    if condition.op == "constant":
        return a if condition.key else b
    return a if a is b else graph.node("where", _as_truth(condition), a, b)


SIMPLIFY = {
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "div": _div,
    "neg": _neg,
    "power": _power,
    "where": _where,
}


_NUMPY_NAMES = {
    "absolute": "absolute",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
    "atan2": "arctan2",
    "mod": "remainder",
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "div": "divide",
    "neg": "negative",
}


def function(name):
    """The operation `name` as a function of numbers or nodes (at least one a node)."""
    return lambda *values: apply(name, *values)


where = function("where")


def maximum(a, b):
    return where(a >= b, a, b)


def minimum(a, b):
    return where(a <= b, a, b)


def fmod(a, b):
    """Remainder with the sign of a."""
    quotient, floor = a / b, function("floor")
    return a - b * where(quotient >= 0.0, floor(quotient), -floor(-quotient))


def _truth_values(op):
    """and_, or_, not_ of truth values, numbers counting as their difference from 0."""

    def combine(*values):
        graph = next(v.graph for v in values if isinstance(v, Node))
        return graph.node(op, *(_as_truth(lift(graph, v)) for v in values))

    return combine


# NumPy's name of a ufunc -> its traced form; object arrays call methods of the same names on each node
UFUNCS = {_NUMPY_NAMES.get(name, name): function(name) for name in NUMBERS if name != "sech2"}
UFUNCS |= {
    "square": lambda a: a * a,
    "reciprocal": lambda a: 1.0 / a,
    "positive": lambda a: a,
    "float_power": function("power"),
    "maximum": maximum,
    "minimum": minimum,
    "fmod": fmod,
    "fmax": maximum,
    "fmin": minimum,
    "clip": lambda a, low, high: minimum(maximum(a, low), high),
    "ceil": lambda a: -function("floor")(-a),
    "exp2": lambda a: function("exp")(a * math.log(2.0)),
    "hypot": lambda a, b: function("sqrt")(a * a + b * b),
    "expit": function("sigmoid"),
    "logaddexp": lambda a, b: b + function("softplus")(a - b),
    "logical_and": _truth_values("and_"),
    "logical_or": _truth_values("or_"),
    "logical_not": _truth_values("not_"),
    "bitwise_and": _truth_values("and_"),
    "bitwise_or": _truth_values("or_"),
    "invert": _truth_values("not_"),
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.eq,
    "not_equal": operator.ne,
    "log10": lambda a: function("log")(a) * (1.0 / math.log(10.0)),
    "log2": lambda a: function("log")(a) * (1.0 / math.log(2.0)),
    "deg2rad": lambda a: a * (math.pi / 180.0),
    "rad2deg": lambda a: a * (180.0 / math.pi),
}


def _method(operation):
    return lambda self, *others: operation(self, *others)


for _name, _operation in UFUNCS.items():
    setattr(Node, _name, _method(_operation))


def _binary(op):
    def forward(self, other):
        if isinstance(other, np.ndarray) and other.ndim:
            return NotImplemented
        return apply(op, self, other)

    def reflected(self, other):
        return apply(op, other, self)

    return forward, reflected


for _op, _dunder in (
    ("add", "add"),
    ("sub", "sub"),
    ("mul", "mul"),
    ("div", "truediv"),
    ("mod", "mod"),
    ("power", "pow"),
):
    _forward, _reflected = _binary(_op)
    setattr(Node, f"__{_dunder}__", _forward)
    setattr(Node, f"__r{_dunder}__", _reflected)
Node.__floor__ = lambda self: apply("floor", self)
Node.__ceil__ = lambda self: -apply("floor", -self)
Node.__and__ = Node.__rand__ = _method(_truth_values("and_"))
Node.__or__ = Node.__ror__ = _method(_truth_values("or_"))
Node.__invert__ = _method(_truth_values("not_"))
Node.__neg__ = lambda self: apply("neg", self)
Node.__pos__ = lambda self: self
Node.__abs__ = lambda self: apply("absolute", self)
Node.__floordiv__ = lambda self, other: apply("floor", apply("div", self, other))


def _comparison(op):
    decided = getattr(operator, op)

    def compare(self, other):
        if isinstance(other, np.ndarray) and other.ndim:
            return NotImplemented
        other = lift(self.graph, other)
        if self.op == other.op == "constant":
            return decided(self.key, other.key)
        return self.graph.node(op, self, other)

    return compare


for _op in COMPARISONS:
    setattr(Node, f"__{_op}__", _comparison(_op))
Node.__hash__ = object.__hash__  # defining == would have taken it away
