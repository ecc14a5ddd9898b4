"""What a rule may write: Python's operators and NumPy's functions, on nodes.

Importing this module teaches `Node` its operators.
"""

import math
import operator

import numpy as np

from lyapkit.systems.expression import Node, Untraceable, apply, as_truth, boxed, function, lift, where
from lyapkit.systems.operations import COMPARISONS, NUMBERS

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
        return graph.node(op, *(as_truth(lift(graph, v)) for v in values))

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


def _array_function(self, function, types, args, keywords):
    if function in (np.where, np.clip) and len(args) == 3 and not keywords:
        return (where if function is np.where else UFUNCS["clip"])(*args)
    raise Untraceable(f"np.{function.__name__} has no traced form")


def _array_ufunc(self, ufunc, method, *inputs, **keywords):
    if any(isinstance(value, np.ndarray) and value.ndim for value in inputs):
        arrays = [np.asarray(boxed(value), dtype=object) for value in inputs]
        return getattr(ufunc, method)(*arrays, **keywords)
    operation = UFUNCS.get(ufunc.__name__)
    if method != "__call__" or operation is None or keywords:
        raise Untraceable(f"np.{ufunc.__name__} has no traced form")
    return operation(*(v.item() if isinstance(v, np.ndarray) else v for v in inputs))


Node.__array_function__, Node.__array_ufunc__ = _array_function, _array_ufunc


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
