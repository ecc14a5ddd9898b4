"""The rule of any system as expressions of single units, where it has one."""

import numpy as np

from lyapkit.systems.cell import TracedCell
from lyapkit.systems.derivatives import reachable
from lyapkit.systems.expression import Graph, apply
from lyapkit.systems.matrices import dense
from lyapkit.systems.network import NetworkModel
from lyapkit.systems.operations import BOOLEANS
from lyapkit.systems.tracing import Traced, trace


def unrolled(system):
    """(expressions of a system as `Traced`, further raw parameters (m,)); None where it has no expressions.

    The raw parameters of the expressions are those of `System.raw_parameters`, then the further ones. The graph belongs
    to the caller alone.
    """
    model = system.model
    if isinstance(model, NetworkModel):
        traced, numbers, _ = unrolled_network(system)
        return traced, numbers[len(system.cell.net.numbers) :]
    if not isinstance(system.cell, TracedCell):
        return None
    visible = {name: system.parameters[name] for name in model.lane_parameters(system.parameters)}
    traced = trace(model.rule, visible, system.dimension, model.inputs)
    traced.raw = [*traced.raw, *traced.inputs]
    return traced, system.parameters["input"][0] if model.inputs else np.empty(0)


class _Entries:
    """Every number of a network's matrices and vectors as a variable of its own; exact zeros stay zeros, or not."""

    def __init__(self, graph, zeros_too):
        self.graph, self.zeros_too, self.nodes, self.values = graph, zeros_too, [], []

    def add(self, value, zero_too=False):
        """The node of a number."""
        if value == 0.0 and not (zero_too or self.zeros_too):
            return self.graph.constant(0.0)
        self.nodes.append(self.graph.variable(f"entry {len(self.nodes)}"))
        self.values.append(float(value))
        return self.nodes[-1]


def unrolled_network(system, zeros_too=False):
    """A network's graph of vectors, written out unit by unit in a graph of its own.

    Returns its expressions as `Traced`, the numbers (m,) of its raw parameters, and name -> (first, shape) of each
    matrix and number among them; `zeros_too`: whether a weight of zero is a parameter like any other.
    """
    known, net = system.derived_parameters, system.cell.net
    sizes = system.model.sizes_of(known)
    graph = Graph()
    entries = _Entries(graph, zeros_too)
    scalars = {node: [entries.add(known[name], zero_too=True)] for name, node in net.numbers.items()}
    places = {name: (i, ()) for i, name in enumerate(net.numbers)}
    units = iter(range(system.dimension))
    for node, space in zip(net.state, net.components.values(), strict=True):
        scalars[node] = [graph.variable(f"x{next(units)}") for _ in range(sizes[space])]
    for name, node in net.vector_nodes.items():
        if name in known:
            scalars[node] = [entries.add(v) for v in np.broadcast_to(known[name], sizes[net.vectors[name]])]
    if known.get("input") is not None:
        scalars[net.input] = [entries.add(v) for v in known["input"][0]]
    matrices = {}
    for name in net.matrices:
        if known.get(name) is not None:
            places[name] = len(entries.nodes), known[name].shape
            matrices[name] = [[entries.add(v) for v in row] for row in dense(known[name])]
    for node in reachable(net.outputs):
        if node not in scalars:
            scalars[node] = _written_out(node, [scalars[a] for a in node.args], matrices, graph)
    outputs = []
    for node, space in zip(net.outputs, net.components.values(), strict=True):
        outputs += _repeated(scalars[node], sizes[space])
    return Traced(graph, outputs, len(outputs), entries.nodes, 1), np.array(entries.values), places


def _written_out(node, arguments, matrices, graph):
    """The nodes of a vector's units, from those of its arguments' units."""
    if not node.args:
        return [graph.node(node.op, key=node.key)]
    if node.op == "product":
        return [_dot(row, _repeated(arguments[0], len(row)), graph) for row in matrices[node.key]]
    size = max(map(len, arguments))
    columns = zip(*(_repeated(a, size) for a in arguments), strict=True)
    if node.op in BOOLEANS:
        return [graph.node(node.op, *column) for column in columns]
    return [apply(node.op, *column) for column in columns]


def _repeated(nodes, size):
    """A number as so many units."""
    return nodes if len(nodes) == size else nodes * size


def _dot(row, vector, graph):
    total = graph.constant(0.0)
    for weight, value in zip(row, vector, strict=True):
        total = apply("add", total, apply("mul", weight, value))
    return total
