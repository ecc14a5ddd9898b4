"""Kernels of networks from their traced rules: loops over units, and products between them.

A network's expressions are cut into levels: a product reads what the level before it has computed. Within a level
all operations are elementwise and go through one loop over the rows of each space; what a later level or a product
needs is kept in the working space `scratch`. The text knows no sizes: those stand in the shared integers
(see `systems.layout`), so that one kernel serves every size, every kind of matrix, and both layouts.
"""

from lyapkit.systems.codegen import Printer
from lyapkit.systems.derivatives import reachable
from lyapkit.systems.expression import lift
from lyapkit.systems.operations import BOOLEANS

HEADER = """from math import inf, nan

from lyapkit.kernels.abi import CALL, PREPARE, field, number
from lyapkit.kernels.activations import *
from lyapkit.kernels.jit import kernel
from lyapkit.kernels.products import multiply, total
from lyapkit.kernels.simd import WIDTH, absolute, floor, load, splat, sqrt, store, where
from lyapkit.kernels.views import block, merged
from lyapkit.kernels.vmath import *


@kernel(CALL)
def {name}(call):
    p, x, frame, t = field(call, "p"), field(call, "x"), field(call, "frame"), field(call, "t")
    shared, index, scratch = field(call, "shared"), field(call, "index"), field(call, "scratch")
    spread = number(call, "spread")
    rate, frame_rate, u = field(call, "rate"), field(call, "frame_rate"), field(call, "u")
    divergence, parameter_part, dp = field(call, "divergence"), field(call, "parameter_part"), field(call, "dp")
    k, lanes, half, taped = frame.shape[0], x.shape[1], number(call, "half"), number(call, "taped")
    operand, cotangent = field(call, "operand"), field(call, "cotangent")
    column_scratch = field(call, "column_scratch")
    x_block, u_block = block(x, 0, 1, x.shape[0]), block(u, 0, 1, u.shape[0])
    rate_block, operand_block = block(rate, 0, 1, rate.shape[0]), block(operand, 0, 1, operand.shape[0])
    scratch_at, column_scratch_at = 0, 0
"""


class Places:
    """Where the shared integers of a network stand, known when its kernels are printed.

    First the rows of each space and its units, then the first row of each component, the offsets of the vectors in the
    shared numbers, and the headers of the matrices.
    """

    def __init__(self, net):
        self.spaces = list(dict.fromkeys([*net.components.values(), *_all_spaces(net)]))
        self.components, self.vectors, self.matrices = list(net.components), list(net.vectors), list(net.matrices)
        names = [("rows", s) for s in self.spaces] + [("units", s) for s in self.spaces]
        names += [("first", c) for c in self.components] + [("vector", v) for v in self.vectors]
        names += [("matrix", m) for m in self.matrices] + [("log", m) for m in net.log_matrices]
        self.position = {name: i for i, name in enumerate(names)}

    def read(self, kind, name):
        """Text that reads an integer."""
        return f"index[{self.position[kind, name]}]"


def _all_spaces(net):
    return [space for pair in net.matrices.values() for space in pair] + list(net.vectors.values())


class Writer:
    """Prints levels of loops and products; `working` collects the vectors of the working space."""

    def __init__(self, net, places, column_space="scratch"):
        self.net, self.places, self._column_space = net, places, column_space
        self.allocations, self.lines, self.working = [], [], []
        self.buffers = {}  # node -> name of the block that holds it
        self.reads = {}  # variable -> (block, first row, its column "0" or "c")
        self.extra_numbers = {}  # variable without a space -> text that reads it
        for name, node in zip(net.components, net.state, strict=True):
            self.reads[node] = ("x_block", places.read("first", name), "0")
        self.reads[net.input] = ("u_block", "0", "0")

    def line(self, text, indent=1):
        self.lines.append("    " * indent + text)

    def allocate(self, space, columns):
        """A new block of the working space for vectors of a space, one or one for each column."""
        name = f"held{len(self.working)}"
        self.working.append((space, columns))
        rows, where = self.places.read("rows", space), self._column_space if columns else "scratch"
        self.allocations.append(f"    {name} = block({where}, {where}_at, {'k' if columns else '1'}, {rows})")
        self.allocations.append(f"    {where}_at += {'k * ' if columns else ''}{rows}")
        return name

    def text(self, name):
        """The kernel's whole text. Blocks are laid out first, so that its parts find them wherever it begins."""
        return HEADER.format(name=name) + "\n".join([*self.allocations, *self.lines]) + "\n"

    def under(self, condition, write, *arguments, **keywords):
        """What `write` writes, under a condition."""
        self.line(f"if {condition}:")
        mark = len(self.lines)
        write(*arguments, **keywords)
        self.line("pass")
        self.lines[mark:] = [f"    {line}" for line in self.lines[mark:]]

    def _known(self, node):
        return node in self.reads or node in self.buffers

    def levels(self, roots):
        """The level of every node that is to be computed for the roots; 0 for what is known."""
        level, needed, waiting = {}, {}, list(roots)
        while waiting:
            node = waiting.pop()
            if node.number not in needed:
                needed[node.number] = node
                waiting.extend(() if self._known(node) else node.args)
        for node in (needed[number] for number in sorted(needed)):
            inner = 0 if self._known(node) else max((level[a] for a in node.args), default=0)
            level[node] = inner + (node.op == "product" and not self._known(node))
        return level

    def run(self, keep, outputs, columns):
        """Compute `keep` (node, space) into the working space and `outputs` (node, space, target).

        A target is (block, first row). columns: once for each column of the frame, else once.
        """
        level = self.levels([node for node, *_ in [*keep, *outputs]])
        last = max(level.values(), default=0)
        wanted = {node: space for node, space in keep if node.op != "product"}
        ends, users = {node for node, *_ in outputs}, {}
        for user in level:
            for argument in () if self._known(user) else user.args:
                users.setdefault(argument, []).append(user)
        for node in level:
            if node.op in ("constant", "variable", "product", *BOOLEANS) or self._known(node):
                continue
            late = any(u.op == "product" or level[u] > level[node] for u in users.get(node, ()))
            if (late or (node in ends and level[node] < last)) and self.net.space(node) is not None:
                wanted.setdefault(node, self.net.space(node))
        for depth in range(last + 1):
            for node in [n for n in level if n.op == "product" and level[n] == depth and not self._known(n)]:
                self._product(node, columns)
            here = [n for n in wanted if level[n] == depth and n not in self.buffers]
            stored = outputs if depth == last else []
            for space in dict.fromkeys([*(wanted[n] for n in here), *(s for _, s, _ in stored)]):
                chosen = [n for n in here if wanted[n] == space]
                self._loop(space, chosen, [(n, to) for n, s, to in stored if s == space], columns)

    def _product(self, node, columns):
        transposed = node.key.endswith("'")
        name = node.key.removesuffix("'")
        block, row, _ = self.place(node.args[0])
        target = self.allocate(self.net.space(node), columns)
        header = self.places.read("matrix", name)
        self.line(f"multiply(call, {header}, {transposed}, {block}, {row}, {target})")
        self.buffers[node] = (target, "0", "c" if columns else "0")

    def place(self, node):
        """(block, first row, column) of a node that is known."""
        return self.reads.get(node) or self.buffers[node]

    def _loop(self, space, kept, ends, columns):
        """One loop over the rows of a space: loads, elementwise operations, stores."""
        targets = [(node, (self.allocate(space, columns), "0")) for node in kept] + ends
        indent = 2 if columns else 1
        if columns:
            self.line("for c in range(k):")
        self.line("for lane in range(0, lanes, WIDTH):", indent)
        outer = Printer({}, "    " * (indent + 1))
        inner = Printer({}, "    " * (indent + 2))
        self._load(outer, inner, [node for node, _ in targets])
        values = inner.print([node for node, _ in targets])
        column = "c" if columns else "0"
        for (node, (block, row)), value in zip(targets, values, strict=True):
            inner.store(block, f"({column}, {row} + i, lane)", value, node)
        self.lines += outer.lines
        self.line(f"for i in range({self.places.read('rows', space)}):", indent + 1)
        self.lines += inner.lines
        for node, (block, row) in targets[: len(kept)]:
            self.buffers[node] = (block, row, column)

    def _load(self, outer, inner, roots):
        """Loads of all that the loop reads; numbers and what is made of them alone stand before it."""
        net, waiting, seen, scalars = self.net, list(roots), set(), []
        while waiting:
            node = waiting.pop()
            if node in seen:
                continue
            seen.add(node)
            if node in self.reads or node in self.buffers:
                block, row, column = self.place(node)
                inner.names[node] = f"w{node.number}"
                inner.line(f"w{node.number} = load({block}, ({column}, {row} + i, lane))")
            elif node.op == "constant":
                continue
            elif net.space(node) is None:
                scalars.append(node)
            elif node.op == "variable":
                name = next(n for n, v in net.vector_nodes.items() if v is node)
                offset = self.places.read("vector", name)
                inner.names[node] = f"w{node.number}"
                inner.line(f"w{node.number} = load(shared, ({offset} + WIDTH * i,))")
            else:
                waiting.extend(node.args)
        self._load_numbers(outer, scalars)
        outer.reserve(scalars)
        outer.print(scalars)
        inner.names |= {node: outer.names[node] for node in scalars}
        inner.reserve([r for r in roots if r not in inner.names])

    def _load_numbers(self, outer, scalars):
        for node in reachable(scalars):
            if node is self.net.time:
                outer.names[node] = "time"
                outer.line("time = load(t, (lane,))")
            elif node in self.extra_numbers:
                outer.names[node] = f"w{node.number}"
                outer.line(f"w{node.number} = {self.extra_numbers[node]}")
            elif node.op == "variable":
                m = next(i for i, n in enumerate(self.net.numbers.values()) if n is node)
                outer.names[node] = f"w{node.number}"
                outer.line(f"w{node.number} = load(p, ({m}, lane))")


def boundary(net, roots, moving):
    """Nodes that do not depend on the `moving` variables but are used by nodes that do; vectors only."""
    depends = set()
    for node in reachable(roots):
        if node in moving or any(a in depends for a in node.args):
            depends.add(node)
    found = {}
    for node in reachable(roots):
        if node in depends:
            _collect(net, [a for a in node.args if a not in depends], found)
    _collect(net, [root for root in roots if root not in depends], found)
    return found


def _collect(net, nodes, found):
    """Note vectors that must be kept; of truth values, what they compare."""
    for node in nodes:
        if node.op in BOOLEANS:
            _collect(net, node.args, found)
        elif node.op != "constant" and net.space(node) is not None and not _is_parameter(net, node):
            found[node] = net.space(node)


def _is_parameter(net, node):
    return node.op == "variable" and node in set(net.vector_nodes.values())


def cell_source(net, places, with_parameters):
    """(text of the cell, its working vectors): rate, tangent and, where there is a form, divergence."""
    writer = Writer(net, places)
    directions = net.directions("direction")
    seeds = dict(zip(net.state, directions, strict=True))
    if with_parameters:
        for m, (name, node) in enumerate(net.numbers.items()):
            moved = net.number(f"change {name}")
            seeds[node] = moved
            writer.extra_numbers[moved] = f"load(dp, (c, {m}, lane))"
    tangent = [lift(net.graph, 0.0) if v is None else v for v in net.along(seeds)]
    vectors, matrix = net.volume
    spaces = list(net.components.values())
    moving = {*directions, *writer.extra_numbers}
    kept = boundary(net, tangent, moving)
    for node, space in vectors:
        kept.setdefault(node, space)
    firsts = [places.read("first", name) for name in net.components]
    outputs = [(node, s, ("rate_block", first)) for node, s, first in zip(net.outputs, spaces, firsts, strict=True)]
    writer.run(list(kept.items()), outputs, columns=False)
    _sum_up(writer, vectors, matrix)
    # from here on the state may have been overwritten: what columns need of it lies in the working space
    for x in net.state:
        writer.reads.pop(x)
    for node, name in zip(directions, net.components, strict=True):
        writer.reads[node] = ("frame", places.read("first", name), "c")
    ends = [(node, s, ("frame_rate", first)) for node, s, first in zip(tangent, spaces, firsts, strict=True)]
    writer.under("k > 0", writer.run, [], ends, columns=True)
    return writer.text("cell"), writer.working


def _sum_up(writer, vectors, matrix):
    """The divergence: sums over units, and the logarithm of a matrix's determinant."""
    start = "0.0" if matrix is None else f"shared[{writer.places.read('log', matrix)}]"
    writer.line("for lane in range(0, lanes, WIDTH):")
    writer.line(f"store(divergence, (lane,), splat({start}))", 2)
    for node, space in vectors:
        block = writer.buffers[node][0]
        writer.line(f"total({block}, {writer.places.read('units', space)}, spread == 1, divergence)")
