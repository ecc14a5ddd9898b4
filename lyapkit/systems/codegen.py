"""Lane kernels from expressions: state, tangent and adjoint.

Each kernel is printed as a Python module (see `kernels.generated`). What depends on the parameters alone is
hoisted into ``prepare``, run once per block: p holds the raw parameters first, then the hoisted ones.
"""

from lyapkit.systems.derivatives import reachable
from lyapkit.systems.operations import BOOLEANS, COMPARISONS

_HEADER = """from math import inf, nan

from lyapkit.kernels import lanes
from lyapkit.kernels.abi import CALL, PREPARE, field, number
from lyapkit.kernels.jit import kernel
from lyapkit.kernels.simd import WIDTH, absolute, floor, load, splat, sqrt, store, where
from lyapkit.kernels.activations import *
from lyapkit.kernels.vmath import *

"""
_LOOP = "    for lane in range(0, x.shape[1], WIDTH):\n"
_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
# two functions of one argument that are computed together
_PAIRS = {
    op: (name, pair)
    for name, pair in (
        ("tanh_sech2", ("tanh", "sech2")),
        ("sin_cos", ("sin", "cos")),
        ("sigmoid_pair", ("sigmoid", "sigmoid_slope")),
    )
    for op in pair
}
# of these, two independent calls are printed as one, `<name>_two`
_IN_TWOS = ("tanh_sech2",)
_COMPARE = dict(zip(COMPARISONS, ("<", "<=", ">", ">=", "==", "!="), strict=True))
_LOGIC = {"and_": "{} & {}", "or_": "{} | {}", "not_": "~{}"}
# Determinants of up to this size are printed as expressions, larger ones eliminated at run time.
_CLOSED_DETERMINANT = 4


def hoist(traced, roots):
    """Nodes that depend on parameters alone and are used by others: worth computing once per block."""
    moving, users = set(), {}
    for node in reachable(roots):
        if node is traced.time or node in {*traced.state, *traced.inputs} or any(a in moving for a in node.args):
            moving.add(node)
            for a in node.args:
                users.setdefault(a, True)
    fixed = [n for n in reachable(roots) if n not in moving and n.op not in ("constant", "variable")]
    wanted = set()
    for node in reversed(fixed):  # users first
        if node in users or node in set(roots) or node in wanted:
            wanted.discard(node)
            # a sign is taken up by sums, a truth value is no number: both are printed where they are used
            wanted |= set(node.args) if node.op in ("neg", *BOOLEANS) else {node}
    return [n for n in fixed if n in wanted]


class Printer:
    """Prints nodes as assignments; `names` says how the known ones are read."""

    def __init__(self, names, indent):
        self.names, self.indent, self.lines = dict(names), indent, []
        self.paired = set()

    def reserve(self, roots):
        """Note where both functions of a pair are wanted of one argument."""
        found = {}
        for node in reachable(roots):
            if node.op in _PAIRS:
                found.setdefault((_PAIRS[node.op], node.args[0]), []).append(node)
        self.paired |= {key for key, nodes in found.items() if len(nodes) == 2}

    def print(self, roots):
        """Assignments for the roots; returns the expression of each."""
        roots = list(roots)
        wanted = [r for r in roots if r is not None]
        needed = self._needed(wanted)
        for i, node in enumerate(needed):
            if node not in self.names:
                self._assign(node, needed[i + 1 :])
        return ["0.0" if r is None else self._read(r) for r in roots]

    def _needed(self, roots):
        """Nodes to compute, arguments first; stops at those whose names are known."""
        found, waiting = {}, list(roots)
        while waiting:
            node = waiting.pop()
            if node.number not in found and node not in self.names and node.op != "constant":
                found[node.number] = node
                waiting.extend(node.args)
        return [found[n] for n in sorted(found)]

    def _read(self, node):
        return repr(node.key) if node.op == "constant" else self.names[node]

    def _assign(self, node, later):
        pair = self._pair(node)
        if pair is None:
            self._define([node], self._formula(node))
            return
        name, operations = pair
        partner = self._partner(pair, node, later) if name in _IN_TWOS else None
        arguments = [node.args[0]] if partner is None else [node.args[0], partner]
        function = name if partner is None else f"{name}_two"
        values = [node.graph.node(op, argument) for argument in arguments for op in operations]
        self._define(values, f"{function}({', '.join(map(self._read, arguments))})")

    def _define(self, nodes, formula):
        self.names.update({node: f"v{node.number}" for node in nodes})
        self.line(f"{', '.join(self.names[node] for node in nodes)} = {formula}")

    def _pair(self, node):
        """The pair of functions that the node is one of, where both are wanted."""
        pair = _PAIRS.get(node.op)
        return pair if pair and (pair, node.args[0]) in self.paired else None

    def _partner(self, pair, node, later):
        """Another argument of the same pair that needs no such function first; it is printed now."""
        for other in later:
            if self._pair(other) != pair or other in self.names or other.args[0] is node.args[0]:
                continue
            needed = self._needed([other.args[0]])
            if not any(n is node or self._pair(n) for n in needed):
                for one in needed:
                    self._assign(one, [])
                return other.args[0]
        return None

    def _formula(self, node):
        args = [self._read(a) for a in node.args]
        if node.op in _INFIX:
            return f"{args[0]} {_INFIX[node.op]} {args[1]}"
        if node.op in _COMPARE:
            return f"{args[0]} {_COMPARE[node.op]} {args[1]}"
        if node.op in _LOGIC:
            return _LOGIC[node.op].format(*args)
        if node.op == "neg":
            return f"-{args[0]}"
        if node.op == "where":
            return f"where({args[0]}, {self._vector(node.args[1])}, {self._vector(node.args[2])})"
        return f"{node.op}({', '.join(map(self._vector, node.args))})"

    def _vector(self, node):
        """A constant as lanes, for functions that take nothing else."""
        return f"splat({node.key!r})" if node.op == "constant" else self.names[node]

    def line(self, text):
        self.lines.append(self.indent + text)

    def store(self, array, index, value, node):
        constant = node is None or node.op == "constant"
        self.line(f"store({array}, {index}, {f'splat({value})' if constant else value})")


def _inputs(traced, hoisted):
    """How a kernel reads the state, the time and the prepared parameters."""
    names, loads = {}, []
    for i, node in enumerate(traced.state):
        names[node] = f"x{i}"
        loads.append((node, f"x{i} = load(x, ({i}, lane))"))
    names[traced.time] = "time"
    loads.append((traced.time, "time = load(t, (lane,))"))
    for i, node in enumerate(traced.inputs):
        names[node] = f"u{i}"
        loads.append((node, f"u{i} = load(u, ({i}, lane))"))
    for m, node in enumerate([*traced.raw, *hoisted]):
        names[node] = f"p{m}"
        loads.append((node, f"p{m} = load(p, ({m}, lane))"))
    return names, loads


def used_loads(traced, hoisted, roots):
    """A printer, and the loads of what the roots read."""
    names, loads = _inputs(traced, hoisted)
    known = set(names)
    needed, waiting = set(), [r for r in roots if r is not None]
    while waiting:
        node = waiting.pop()
        if node in needed:
            continue
        needed.add(node)
        if node not in known:
            waiting.extend(node.args)
    printer = Printer(names, " " * 8)
    for node, text in loads:
        if node in needed:
            printer.line(text)
    printer.reserve([r for r in roots if r is not None and r not in known])
    return printer


def _bare(node):
    """A node without its sign, which the sums that use it take up."""
    return node.args[0] if node is not None and node.op == "neg" else node


def _flat(rows):
    return [entry for row in rows for entry in row]


def cell_source(traced, kind, hoisted, with_parameters):
    """Text of the cell: rate, tangent and divergence; with D_p f dp where `with_parameters`."""
    n = traced.dimension
    jacobian = traced.jacobian()
    by_parameter = traced.parameter_jacobian() if with_parameters else [[]] * n
    volume = _divergence(traced, kind, jacobian)
    roots = [*traced.outputs, *_flat(jacobian), *_flat(by_parameter), volume]
    out = used_loads(traced, hoisted, roots)
    for i, value in enumerate(out.print(traced.outputs)):
        out.store("rate", f"({i}, lane)", value, traced.outputs[i])
    out.line("if frame.shape[0] > 0:")
    out.indent += "    "
    entries = out.print(map(_bare, _flat(jacobian)))
    slopes = out.print(map(_bare, _flat(by_parameter)))
    if kind == "map" and n > _CLOSED_DETERMINANT:
        out.line(f"for i in range({n * n}):")
        out.line("    store(scratch, (i, lane), splat(0.0))")
        for i, (value, node) in enumerate(zip(out.print(_flat(jacobian)), _flat(jacobian), strict=True)):
            if node is not None:
                out.store("scratch", f"({i}, lane)", value, node)
        out.line(f"lanes.determinant(scratch, {n}, lane, divergence)")
    else:
        out.store("divergence", "(lane,)", out.print([volume])[0], volume)
    out.line("for c in range(frame.shape[0]):")
    out.indent += "    "
    for j in range(n):
        out.line(f"q{j} = load(frame, (c, {j}, lane))")
    for i in range(n):
        terms = _products(entries[i * n : i * n + n], jacobian[i], "q{}")
        if with_parameters:
            count = len(traced.raw)
            terms += _products(slopes[i * count : i * count + count], by_parameter[i], "load(dp, (c, {}, lane))")
        out.line(f"store(frame_rate, (c, {i}, lane), {_sum(terms)})")
    fields = ["t", "x", "u", "frame", "p", "dp", "scratch", "rate", "frame_rate", "divergence"]
    return function_text("cell", fields, out.lines)


def _products(values, nodes, factor):
    """(sign, text) of the terms value * factor over the nonzero entries, values without their signs."""
    terms = []
    for j, (value, node) in enumerate(zip(values, nodes, strict=True)):
        if node is None:
            continue
        other = factor.format(j)
        if node.op == "constant" and node.key in (1.0, -1.0):
            terms.append(("-" if node.key < 0 else "+", other))
        else:
            terms.append(("-" if node.op == "neg" else "+", f"{value} * {other}"))
    return terms


def _sum(terms):
    if not terms:
        return "splat(0.0)"
    terms = sorted(terms, key=lambda term: term[0] != "+")  # a leading plus where there is one
    first, *rest = terms
    text = first[1] if first[0] == "+" else f"-{first[1]}"
    return text + "".join(f" {sign} {term}" for sign, term in rest)


def _divergence(traced, kind, jacobian):
    """tr Df of a flow, det Df of a map as a node (None: zero, or eliminated at run time)."""
    n = traced.dimension
    if kind == "flow":
        total = None
        for i in range(n):
            term = jacobian[i][i]
            total = term if total is None else total if term is None else total + term
        return total
    return _determinant(jacobian) if n <= _CLOSED_DETERMINANT else None


def _determinant(matrix):
    """Laplace expansion along the first row; None is zero."""
    if len(matrix) == 1:
        return matrix[0][0]
    total = None
    for j, entry in enumerate(matrix[0]):
        minor = _determinant([row[:j] + row[j + 1 :] for row in matrix[1:]])
        if entry is None or minor is None:
            continue
        term = entry * minor if j % 2 == 0 else -(entry * minor)
        total = term if total is None else total + term
    return total


def adjoint_source(traced, hoisted):
    """Text of the adjoint action: cotangents of the state and of the raw parameters; half 1 writes the rate alone."""
    n, count = traced.dimension, len(traced.raw)
    jacobian, by_parameter = traced.jacobian(), traced.parameter_jacobian()
    out = used_loads(traced, hoisted, [*traced.outputs, *_flat(jacobian), *_flat(by_parameter)])
    rates = out.print(traced.outputs)
    out.line("if half != 2:")
    out.indent += "    "
    for i, value in enumerate(rates):
        out.store("rate", f"({i}, lane)", value, traced.outputs[i])
    out.indent = out.indent[4:]
    out.line("if half == 1:")
    out.line("    continue")
    entries = out.print(map(_bare, _flat(jacobian)))
    slopes = out.print(map(_bare, _flat(by_parameter)))
    out.line("for c in range(frame.shape[0]):")
    out.indent += "    "
    for i in range(n):
        out.line(f"w{i} = load(frame, (c, {i}, lane))")
    for j in range(n):
        terms = _products(entries[j::n], [row[j] for row in jacobian], "w{}")
        out.line(f"store(frame_rate, (c, {j}, lane), {_sum(terms)})")
    for m in range(count):
        terms = _products(slopes[m::count], [row[m] for row in by_parameter], "w{}")
        out.line(f"store(parameter_part, (c, {m}, lane), {_sum(terms)})")
    fields = ["t", "x", "u", "frame", "p", "rate", "frame_rate", "parameter_part"]
    return function_text("adjoint", fields, out.lines, ["half"])


def prepare_source(traced, hoisted):
    """Text of the kernel that computes the prepared parameters from the raw ones."""
    out = Printer({}, " " * 8)
    for m, node in enumerate(traced.raw):
        out.names[node] = f"p{m}"
        out.line(f"p{m} = load(raw, ({m}, lane))")
        out.line(f"store(p, ({m}, lane), p{m})")
    for h, value in enumerate(out.print(hoisted)):
        out.line(f"store(p, ({len(traced.raw) + h}, lane), {value})")
    loop = "    for lane in range(0, p.shape[1], WIDTH):\n"
    body = "\n".join(out.lines) or "        pass"
    return f"{_HEADER}\n@kernel(PREPARE)\ndef prepare(raw, p):\n{loop}{body}\n"


def function_text(name, fields, lines, numbers=()):
    """Text of a kernel that takes these fields and numbers from its call table."""
    reads = "".join(f'    {f} = field(call, "{f}")\n' for f in fields)
    reads += "".join(f'    {m} = number(call, "{m}")\n' for m in numbers)
    body = "\n".join(lines) or "        pass"
    return f"{_HEADER}\n@kernel(CALL)\ndef {name}(call):\n{reads}{_LOOP}{body}\n"


def hoisted_nodes(traced):
    """What `prepare` computes for this rule: the fixed parts of the rate and of the tangent."""
    return hoist(traced, [*traced.outputs, *[e for e in _flat(traced.jacobian()) if e is not None]])
