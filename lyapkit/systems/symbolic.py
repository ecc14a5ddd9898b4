"""Systems from formulas: SymPy expressions, or text parsed against a small grammar (never executed)."""

import ast
import inspect
import math

import numpy as np

from lyapkit.systems import expression, operations
from lyapkit.systems.define import define_flow, define_map

_CONSTANTS = {"pi": math.pi, "e": math.e, "E": math.e}
_OPERATORS = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "power",
    ast.Mod: "mod",
}
_ALIASES = {
    "abs": "absolute", "Abs": "absolute", "ln": "log", "arcsin": "asin", "arccos": "acos",
    "arctan": "atan", "arctan2": "atan2", "arcsinh": "asinh", "arccosh": "acosh",
    "arctanh": "atanh", "Mod": "mod", "pow": "power",
}  # fmt: skip


def symbolic_flow(equations, *, parameters=None, initial_state=None, dt=0.01, name="symbolic_flow"):
    """A flow from formulas: {"x": "-x + tanh(a*y)", "y": "..."} means x' = -x + tanh(a y), y' = ...

    equations   mapping from the names of the units, in their order, to SymPy expressions or text in
                Python notation (+ - * / ** %, sin, tanh, exp, ..., pi; ``t`` is the time)
    parameters  mapping from names to numbers

    Text is parsed against a grammar of numbers, names, operators and functions; anything else is refused with
    ValueError. All derivatives are exact, as with `define_flow`.

    >>> import lyapkit as lk
    >>> flow = lk.symbolic_flow({"x": "y", "y": "mu*(1 - x**2)*y - x"}, parameters={"mu": 1.0})
    >>> flow.dimension, flow.equation
    (2, "x' = y, y' = mu*(1 - x**2)*y - x")
    """
    rule = _rule(equations, parameters or {}, "'", " = ")
    return define_flow(
        rule, parameters=parameters, dimension=len(equations), initial_state=initial_state, dt=dt,
        name=name,
    )  # fmt: skip


def symbolic_map(equations, *, parameters=None, initial_state=None, name="symbolic_map"):
    """A map from formulas: {"x": "1 - a*x**2 + y", "y": "b*x"}; see `symbolic_flow`.

    >>> import lyapkit as lk
    >>> lk.symbolic_map({"x": "r*x*(1 - x)"}, parameters={"r": 3.7})
    symbolic_map(r=3.7)
    """
    rule = _rule(equations, parameters or {}, "", " <- ")
    return define_map(rule, parameters=parameters, dimension=len(equations), initial_state=initial_state, name=name)


def _rule(equations, parameters, prime, arrow):
    """An ordinary rule rule(x, **parameters) that evaluates the formulas."""
    if not hasattr(equations, "items") or not equations:
        raise ValueError(f"equations: given {equations!r}, accepted: a mapping from units to expressions or text")
    units = [str(unit) for unit in equations]
    for unit in units:
        if unit in parameters:
            raise ValueError(f"parameters: {unit!r} is a unit of the state already")
    texts = {unit: str(formula) for unit, formula in zip(units, equations.values(), strict=True)}
    trees = {unit: _parsed(unit, text) for unit, text in texts.items()}
    named = {*units, *parameters}
    known = {*named, *_CONSTANTS, "t"}
    for unit, tree in trees.items():
        _check(unit, tree.body, known)
    takes_time = "t" not in named and any(_uses(tree, "t") for tree in trees.values())

    def evaluate(x, values):
        names = _CONSTANTS | dict(zip(units, x, strict=True)) | values
        return [_value(tree.body, names) for tree in trees.values()]

    rule = _with_signature(evaluate, list(parameters), takes_time)
    rule.equation = ", ".join(f"{unit}{prime}{arrow}{text}" for unit, text in texts.items())
    return rule


def _with_signature(evaluate, names, takes_time):
    """A function rule(x, a, b, ...[, t]) with named parameters, as the tracer reads them."""

    def rule(x, *args, **values):
        return evaluate(np.asarray(x, dtype=object), {**dict(zip(names, args, strict=False)), **values})

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    arguments = ["x", *names, *(["t"] if takes_time else [])]
    rule.__signature__ = inspect.Signature([inspect.Parameter(a, kind) for a in arguments])
    return rule


def _parsed(unit, text):
    try:
        return ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        raise ValueError(f"equations: {unit!r} is {text!r}: {error.msg}") from None


def _uses(tree, name):
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(tree))


def _check(unit, node, known):
    """Refuse whatever is not in the grammar, naming it."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return
    if isinstance(node, ast.Name):
        if node.id not in known:
            raise ValueError(f"equations: {unit!r} uses {node.id!r}, which is neither a unit nor a parameter")
        return
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        children = [node.left, node.right]
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd | ast.USub):
        children = [node.operand]
    elif isinstance(node, ast.Call) and _function_name(node) and not node.keywords:
        children = node.args
        wanted = 2 if _function_name(node) in operations.OF_TWO else 1
        if len(children) != wanted:
            raise ValueError(f"equations: {unit!r} has {ast.unparse(node)!r}; accepted: {wanted} argument(s)")
    else:
        raise ValueError(
            f"equations: {unit!r} has {ast.unparse(node)!r}; accepted: numbers, names, + - * / ** % and "
            f"the functions {', '.join(operations.FUNCTIONS)}"
        )
    for child in children:
        _check(unit, child, known)


def _function_name(node):
    """The operation that a call means, or None."""
    name = node.func.id if isinstance(node.func, ast.Name) else None
    name = _ALIASES.get(name, name)
    return name if name in operations.FUNCTIONS else None


def _value(node, names):
    """The value of a checked formula, with nodes or numbers as `names`."""
    if isinstance(node, ast.Constant):
        return float(node.value)
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.UnaryOp):
        value = _value(node.operand, names)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp):
        return _operate(_OPERATORS[type(node.op)], [node.left, node.right], names)
    return _operate(_function_name(node), node.args, names)


def _operate(operation, arguments, names):
    values = [_value(a, names) for a in arguments]
    if any(isinstance(v, expression.Node) for v in values):
        return expression.function(operation)(*values)
    return operations.NUMBERS[operation](*values)


def number(text):
    """The value of a formula of numbers and pi, such as "pi/2" or "8/3"."""
    try:
        tree = _parsed("number", text)
        _check("number", tree.body, set(_CONSTANTS))
        with np.errstate(all="raise"):
            return float(_value(tree.body, _CONSTANTS))
    except (ValueError, ArithmeticError):
        raise ValueError(f"given {text!r}, accepted: a number or a formula such as pi/2") from None
