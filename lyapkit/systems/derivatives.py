"""The chain rule on expressions: directional derivatives, to any order."""

import math

from lyapkit.systems.expression import apply, function, is_number
from lyapkit.systems.operations import BOOLEANS, NUMBERS


def reachable(roots):
    """All nodes that the roots are made of, arguments before their users."""
    found, waiting = {}, list(roots)
    while waiting:
        node = waiting.pop()
        if node.number not in found:
            found[node.number] = node
            waiting.extend(node.args)
    return [found[number] for number in sorted(found)]


def derivative(root, seed, memory):
    """The directional derivative of `root`: seed(variable) is the derivative of each variable, or None.

    `memory` keeps the derivatives already formed for this seed; None stands for zero.
    """
    for node in reachable([root]):
        if node in memory:
            continue
        parts = [memory[a] for a in node.args]
        if node.op == "variable":
            result = seed(node)
        elif node.op in BOOLEANS or all(p is None for p in parts):
            result = None
        else:
            result = _chain(node, parts)
            if result is not None and is_number(result, 0.0):
                result = None
        memory[node] = result
    return memory[root]


def _chain(node, parts):
    """Chain rule: the sum of slope_i * parts_i, with None for zero."""
    if node.op == "product":  # linear
        return node.graph.node("product", *parts, key=node.key)
    if node.op == "where":
        zero = node.graph.constant(0.0)
        return apply("where", node.args[0], *(zero if p is None else p for p in parts[1:]))
    total = None
    for slope, part in zip(SLOPES[node.op], parts, strict=True):
        if part is not None:
            term = slope(node, *node.args) * part
            total = term if total is None else total + term
    return total


_f = {name: function(name) for name in NUMBERS}
# operation -> one slope for each argument, as functions (the node itself, *arguments) of nodes
SLOPES = {
    "add": (lambda y, a, b: _one(y), lambda y, a, b: _one(y)),
    "sub": (lambda y, a, b: _one(y), lambda y, a, b: -_one(y)),
    "mul": (lambda y, a, b: b, lambda y, a, b: a),
    "div": (lambda y, a, b: 1.0 / b, lambda y, a, b: -y / b),
    "neg": (lambda y, a: -_one(y),),
    "power": (
        lambda y, a, b: b * a ** (b - 1.0),
        lambda y, a, b: function("where")(a == 0.0, 0.0, y * _f["log"](a)),
    ),
    "mod": (lambda y, a, b: _one(y), lambda y, a, b: -_f["floor"](a / b)),
    "atan2": (
        lambda y, a, b: b / (a * a + b * b),
        lambda y, a, b: -a / (a * a + b * b),
    ),
    "sech2": (lambda y, a: -2.0 * _f["tanh"](a) * y,),
    "sigmoid": (lambda y, a: _f["sigmoid_slope"](a),),
    "sigmoid_slope": (lambda y, a: y * (1.0 - 2.0 * _f["sigmoid"](a)),),
    "softplus": (lambda y, a: _f["sigmoid"](a),),
    "absolute": (lambda y, a: _f["sign"](a),),
    "sign": (lambda y, a: y.graph.constant(0.0),),
    "floor": (lambda y, a: y.graph.constant(0.0),),
    "sqrt": (lambda y, a: 0.5 / y,),
    "exp": (lambda y, a: y,),
    "expm1": (lambda y, a: _f["exp"](a),),
    "log": (lambda y, a: 1.0 / a,),
    "log1p": (lambda y, a: 1.0 / (1.0 + a),),
    "sin": (lambda y, a: _f["cos"](a),),
    "cos": (lambda y, a: -_f["sin"](a),),
    "tan": (lambda y, a: 1.0 + y * y,),
    "asin": (lambda y, a: 1.0 / _f["sqrt"](1.0 - a * a),),
    "acos": (lambda y, a: -1.0 / _f["sqrt"](1.0 - a * a),),
    "atan": (lambda y, a: 1.0 / (1.0 + a * a),),
    "sinh": (lambda y, a: _f["cosh"](a),),
    "cosh": (lambda y, a: _f["sinh"](a),),
    "tanh": (lambda y, a: _f["sech2"](a),),
    "asinh": (lambda y, a: 1.0 / _f["sqrt"](1.0 + a * a),),
    "acosh": (lambda y, a: 1.0 / _f["sqrt"](a * a - 1.0),),
    "atanh": (lambda y, a: 1.0 / (1.0 - a * a),),
    "erf": (lambda y, a: (2.0 / math.sqrt(math.pi)) * _f["exp"](-(a * a)),),
}


def _one(node):
    return node.graph.constant(1.0)
