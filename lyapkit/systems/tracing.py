"""From an ordinary Python rule to expressions: call it with nodes, branch by branch."""

import inspect
import math
import types

import numpy as np

from lyapkit.systems import expression, notation, operations
from lyapkit.systems.derivatives import derivative
from lyapkit.systems.expression import Branch, Graph, Node, Untraceable
from lyapkit.systems.node_array import NodeArray

# A rule that branches on the state is called once for every way through it, up to this many.
MAX_PATHS = 64


def rule_signature(rule, given=()):
    """(names of the parameters after x, their defaults, those of t and u that it takes).

    An argument t is the time and u the input, unless it has a default or is among the `given` parameters.
    """
    arguments = list(inspect.signature(rule).parameters.values())
    if not arguments:
        raise ValueError("rule: takes no argument; the first one must be the state")
    special = {p.name for p in arguments[1:] if p.name in ("t", "u") and p.default is p.empty} - set(given)
    named = [p for p in arguments[1:] if p.name not in special]
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in named):
        raise ValueError("rule: *args and **kwargs are not accepted; name its parameters")
    defaults = {p.name: p.default for p in named if p.default is not p.empty}
    return [p.name for p in named], defaults, special


class Traced:
    """The expressions of a rule: `outputs` in the variables `state`, `raw` (parameters) and `time`."""

    def __init__(self, graph, outputs, dimension, raw, branches, inputs=0):
        self.graph, self.outputs, self.dimension = graph, outputs, dimension
        self.raw = raw
        self.state = [graph.variable(f"x{i}") for i in range(dimension)]
        self.time = graph.variable("t")
        self.inputs = [graph.variable(f"u{i}") for i in range(inputs)]
        self.branches = branches  # ways through the rule; 1: it does not branch

    def jacobian(self):
        """Entries d f_i / d x_j, None where zero."""
        columns = [self.along({x: self.graph.constant(1.0)}) for x in self.state]
        return [[column[i] for column in columns] for i in range(self.dimension)]

    def parameter_jacobian(self):
        """Entries d f_i / d (raw parameter)_m, None where zero."""
        columns = [self.along({p: self.graph.constant(1.0)}) for p in self.raw]
        return [[column[i] for column in columns] for i in range(self.dimension)]

    def along(self, direction, of=None):
        """Derivatives of `of` (default: the outputs) along a mapping variable -> node."""
        memory = {}
        roots = self.outputs if of is None else of
        return [None if f is None else derivative(f, direction.get, memory) for f in roots]


def trace(rule, parameters, dimension, inputs=0):
    """Trace rule(x, **parameters) for a state of `dimension` units and `inputs` inputs.

    parameters maps names to numbers or arrays; each number becomes a variable of its own. Raises
    Untraceable where the rule needs actual numbers.
    """
    graph = Graph()
    raw, arguments = _parameter_nodes(graph, parameters)
    special = rule_signature(rule, parameters)[2]
    if "t" in special:
        arguments = {**arguments, "t": graph.variable("t")}
    if "u" in special:
        arguments = {**arguments, "u": _variables(graph, "u", inputs)}
    state = _variables(graph, "x", dimension)
    symbolic = _with_symbolic_math(rule)
    leaves = []

    def explore(depth):
        """Outputs along the branches decided so far, merged over the undecided ones."""
        try:
            outputs = _outputs(graph, symbolic(state.copy(), **arguments), dimension)
        except Branch as branch:
            condition = branch.args[0]
        else:
            leaves.append(outputs)
            return outputs
        if depth >= MAX_PATHS or len(leaves) >= MAX_PATHS:
            raise Untraceable(f"the rule branches in more than {MAX_PATHS} ways")
        sides = []
        for truth in (True, False):
            graph.choices[condition] = truth
            sides.append(explore(depth + 1))
        del graph.choices[condition]
        where = expression.function("where")
        return [where(condition, a, b) for a, b in zip(*sides, strict=True)]

    outputs = explore(0)
    return Traced(graph, outputs, dimension, raw, len(leaves), inputs)


def _parameter_nodes(graph, parameters):
    """Variables of all numbers in the parameters, in order, and the arguments made of them."""
    raw, arguments = [], {}
    for name, value in parameters.items():
        value = np.asarray(value, dtype=float)
        nodes = np.empty(value.shape, dtype=object)
        for where in np.ndindex(value.shape):
            suffix = "_".join(map(str, where))
            nodes[where] = graph.variable(f"p{len(raw)}_{name}{'_' + suffix if suffix else ''}")
            raw.append(nodes[where])
        arguments[name] = nodes.view(NodeArray) if value.shape else nodes[()]
    return raw, arguments


def _variables(graph, letter, count):
    """An array of so many variables."""
    nodes = np.empty(count, dtype=object)
    for i in range(count):
        nodes[i] = graph.variable(f"{letter}{i}")
    return nodes.view(NodeArray)


def _outputs(graph, values, dimension):
    """The rule's return value as a list of nodes; a number where the length is one is accepted."""
    if isinstance(values, Node) or np.ndim(values) == 0:
        values = [values]
    values = list(np.ravel(np.array(list(values), dtype=object)))
    if len(values) != dimension:
        raise ValueError(f"rule: returned {len(values)} values, expected one for each of the {dimension} units")
    return [expression.lift(graph, value) for value in values]


def _symbolic_math():
    """A stand-in for the module math whose functions accept nodes."""
    module = types.SimpleNamespace(**{k: v for k, v in vars(math).items() if k[0] != "_"})
    named = {"fabs": "absolute", "pow": "power"}
    named |= {name: name for name in operations.FUNCTIONS if hasattr(math, name)}
    traced = {name: expression.function(operation) for name, operation in named.items()}
    traced |= {name: notation.UFUNCS[name] for name in ("fmod", "exp2", "hypot") if hasattr(math, name)}
    for name, form in traced.items():
        setattr(module, name, _on_nodes(getattr(math, name), form))
    return module


def _on_nodes(plain, traced):
    def call(*values):
        return (traced if any(isinstance(v, Node) for v in values) else plain)(*values)

    return call


_MATH = _symbolic_math()
_REPLACED = {id(value): getattr(_MATH, name) for name, value in vars(math).items() if callable(value)}


# Functions of these packages take nodes as they are, or not at all.
_OPAQUE = ("numpy", "scipy", "lyapkit")


def _with_symbolic_math(function, copies=None):
    """A copy of the function, and of the Python functions that it calls, that accepts nodes."""
    if not isinstance(function, types.FunctionType):
        return function
    copies = {} if copies is None else copies
    if function not in copies:
        space = dict(function.__globals__)
        cells = tuple(types.CellType() for _ in function.__closure__ or ())
        copy = types.FunctionType(function.__code__, space, function.__name__, function.__defaults__, cells)
        copy.__kwdefaults__ = function.__kwdefaults__
        copies[function] = copy  # before its callees, which may call it
        for name in _names(function.__code__) & space.keys():
            space[name] = _replacement(space[name], copies)
        for new, old in zip(cells, function.__closure__ or (), strict=True):
            new.cell_contents = _replacement(old.cell_contents, copies)
    return copies[function]


def _names(code):
    """Global names that the code uses, nested functions and comprehensions included."""
    nested = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return set(code.co_names).union(*map(_names, nested))


def _replacement(value, copies):
    """What a rule should see in place of `value`: math and its functions in their symbolic form."""
    if value is math:
        return _MATH
    function = getattr(value, "py_func", value)  # also a helper that the user compiled with numba
    if isinstance(function, types.FunctionType):
        opaque = (function.__module__ or "").split(".")[0] in _OPAQUE
        return value if opaque else _with_symbolic_math(function, copies)
    return _REPLACED.get(id(value), value)
