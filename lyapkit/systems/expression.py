"""Expressions of traced rules: a graph in which equal subexpressions are one node.

A rule written in ordinary Python is called once with nodes in place of numbers (see `tracing`). The graph that
results is differentiated by `derivatives` and printed as lane kernels by `codegen`. tanh and its slope
sech^2 are both primitive, so that the slope is never formed as 1 - tanh^2.
"""

import math

import numpy as np

from lyapkit.systems.operations import BOOLEANS, NUMBERS


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


def as_truth(node):
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
    return a if a is b else graph.node("where", as_truth(condition), a, b)


SIMPLIFY = {
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "div": _div,
    "neg": _neg,
    "power": _power,
    "where": _where,
}


def function(name):
    """The operation `name` as a function of numbers or nodes (at least one a node)."""
    return lambda *values: apply(name, *values)


where = function("where")
