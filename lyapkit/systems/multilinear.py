"""Kernels of the derivatives of any order along directions of the state, and of the parameters.

D^d F [z_1, ..., z_d] by differentiating d times, each time along directions of its own: never a tensor. The state's
part of direction z_j stands in column j of the frame, the parameters' part in column j of dp; every lane has its own.
"""

from lyapkit.systems.codegen import function_text, used_loads
from lyapkit.systems.derivatives import reachable
from lyapkit.systems.expression import lift
from lyapkit.systems.network_codegen import Writer


def traced_source(traced, hoisted, order, with_parameters):
    """Text of the kernel of a small rule; parameters are its raw ones."""
    result, directions = traced.outputs, {}
    for d in range(order):
        along = {x: (f"d{d}_{i}", f"load(frame, ({d}, {i}, lane))") for i, x in enumerate(traced.state)}
        if with_parameters:
            along |= {p: (f"e{d}_{m}", f"load(dp, ({d}, {m}, lane))") for m, p in enumerate(traced.raw)}
        nodes = {variable: traced.graph.variable(name) for variable, (name, _) in along.items()}
        directions |= {nodes[variable]: read for variable, read in along.items()}
        result = traced.along(nodes, of=result)
    out = used_loads(traced, hoisted, result)
    wanted = set(reachable([node for node in result if node is not None]))
    for node, (name, text) in directions.items():
        if node not in wanted:
            continue
        out.names[node] = name
        out.line(f"{name} = {text}")
    for i, value in enumerate(out.print(result)):
        out.store("rate", f"({i}, lane)", value, result[i])
    return function_text("multilinear", ["t", "x", "u", "frame", "p", "dp", "rate"], out.lines)


def network_source(net, places, order, movable):
    """(text, working vectors) of the kernel of a network.

    movable: names of the numbers, and of the vectors moved as a whole, that dp moves; none where it is not read.
    """
    writer = Writer(net, places)
    result = net.outputs
    for d in range(order):
        directions = net.directions(f"direction{d}")
        writer.line(f"column{d} = block(merged(frame), {d} * x.shape[0], 1, x.shape[0])")
        for node, name in zip(directions, net.components, strict=True):
            writer.reads[node] = (f"column{d}", places.read("first", name), "0")
        seeds = dict(zip(net.state, directions, strict=True))
        for m, name in enumerate(movable or ()):
            moved = net.number(f"change{d} {name}")
            seeds[net.numbers[name] if name in net.numbers else net.vector_nodes[name]] = moved
            writer.extra_numbers[moved] = f"load(dp, ({d}, {m}, lane))"
        result = net.along(seeds, of=result)
        result = [lift(net.graph, 0.0) if v is None else v for v in result]
    ends = [
        (node, space, ("rate_block", places.read("first", name)))
        for node, (name, space) in zip(result, net.components.items(), strict=True)
    ]
    writer.run([], ends, columns=False)
    return writer.text("multilinear"), writer.working
