"""The adjoint kernel of a network: cotangents of its state, of its numbers, and what makes those of its weights."""

from lyapkit.systems.derivatives import reachable
from lyapkit.systems.expression import lift
from lyapkit.systems.network_codegen import Writer, boundary


def adjoint_source(net, places):
    """(text, working vectors) of the adjoint action on cotangents of the state, of the numbers, and of the weights.

    Half 1 writes the rate and keeps in `scratch` what half 2, the columns, reads; both where the call says neither.
    Where it is taped, the vectors that the matrices multiply go to `operand`, the cotangents of the products and then
    of the vectors among the parameters to `cotangent`: the gradients of the weights are their outer products.
    """
    writer, spaces = Writer(net, places, "column_scratch"), list(net.components.values())
    cotangents = net.directions("cotangent")
    back = net.backward(cotangents)
    by_state = [lift(net.graph, 0.0) if x not in back else back[x] for x in net.state]
    by_number = [
        [lift(net.graph, 0.0) if v is None else v for v in net.along({node: lift(net.graph, 1.0)})]
        for node in net.numbers.values()
    ]
    products, vectors = taped(net)
    weights = [(back.get(node, lift(net.graph, 0.0)), net.space(node)) for node in (*products, *vectors)]
    kept = boundary(net, [*by_state, *(node for node, _ in weights)], set(cotangents))
    for parts in by_number:
        for node, space in zip(parts, spaces, strict=True):
            if node.op != "constant":
                kept.setdefault(node, space)
    firsts = [places.read("first", name) for name in net.components]
    rates = [(node, s, ("rate_block", first)) for node, s, first in zip(net.outputs, spaces, firsts, strict=True)]
    operands = [(node.args[0], _operand_space(net, node)) for node in products]
    writer.under("half != 2", _values, writer, kept, rates, _stacked(places, operands, "operand_block"))
    for node, name in zip(cotangents, net.components, strict=True):
        writer.reads[node] = ("frame", places.read("first", name), "c")
    ends = [(node, s, ("frame_rate", first)) for node, s, first in zip(by_state, spaces, firsts, strict=True)]
    writer.under("half != 1", _columns, writer, by_number, ends, _stacked(places, weights, "cotangent"))
    return writer.text("adjoint"), writer.working


def taped(net):
    """(products, vectors): the nodes whose cotangents give the gradients of matrices and of vectors of parameters."""
    reached = reachable(net.outputs)
    products = [node for node in reached if node.op == "product"]
    vectors = [node for node in net.vector_nodes.values() if node in set(reached)]
    return products, vectors


def _operand_space(net, product):
    return net.matrices[product.key][1]


def _stacked(places, nodes, target):
    """Outputs of nodes (node, space), one below the other in a block."""
    outputs, first = [], "0"
    for node, space in nodes:
        outputs.append((node, space, (target, first)))
        first += f" + {places.read('rows', space)}"
    return outputs


def _values(writer, kept, rates, operands):
    """Half 1 of the adjoint; what only a tape needs is not there for half 2."""
    writer.run(list(kept.items()), rates, columns=False)
    buffers = dict(writer.buffers)
    writer.under("taped == 1", writer.run, [], operands, columns=False)
    writer.buffers = buffers


def _columns(writer, by_number, ends, weights):
    """Half 2 of the adjoint."""
    _number_parts(writer, by_number)
    writer.run([], ends, columns=True)
    writer.under("taped == 1", writer.run, [], weights, columns=True)


def _number_parts(writer, by_number):
    """parameter_part: cotangents times the derivatives along the numbers."""
    net, places = writer.net, writer.places
    spaces, firsts = list(net.components.values()), [places.read("first", name) for name in net.components]
    for m, parts in enumerate(by_number):
        writer.line("for c in range(k):")
        writer.line(f"parameter_part[c, {m}, :] = 0.0", 2)
        for node, space, first in zip(parts, spaces, firsts, strict=True):
            if node.op == "constant" and node.key == 0.0:
                continue
            writer.line(f"for i in range({places.read('rows', space)}):", 2)
            writer.line("for lane in range(lanes):", 3)
            value = repr(node.key) if node.op == "constant" else f"{writer.place(node)[0]}[0, i, lane]"
            writer.line(f"parameter_part[c, {m}, lane] += {value} * frame[c, {first} + i, lane]", 4)
        writer.line("if spread == 1:", 2)
        writer.line(f"parameter_part[c, {m}, :] = parameter_part[c, {m}, :].sum()", 3)
