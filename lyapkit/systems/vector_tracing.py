"""Rules of networks as expressions of whole vectors: elementwise operations, and products with matrices.

A rule such as ``np.tanh(W @ x + b)`` is called once with one node for each vector. Every vector belongs to a space (a
name; spaces have sizes only when the parameters are known), numbers to none; a product leads from one
space to another. So a network of any size is a handful of nodes, and its derivatives are taken by the same
chain rule as those of small systems.
"""

import dataclasses

from lyapkit.systems.derivatives import SLOPES, derivative, reachable
from lyapkit.systems.expression import Graph, Node, Untraceable, apply, lift
from lyapkit.systems.operations import BOOLEANS


@dataclasses.dataclass(frozen=True)
class Matrix:
    """A matrix in a rule: ``W @ x`` gives the product's node."""

    graph: Graph
    name: str

    def __matmul__(self, vector):
        if not isinstance(vector, Node):
            return vector  # nothing times anything: an input that is not there
        return self.graph.node("product", vector, key=self.name)


class NoMatrix:
    """A matrix that was not given: its products are zero."""

    def __matmul__(self, vector):
        return 0.0


def transposed(name):
    """The name of the transposed matrix."""
    return name.removesuffix("'") if name.endswith("'") else f"{name}'"


class TracedNetwork:
    """The expressions of a network's rule.

    components  state component -> its space; `state` and `outputs` hold a node for each
    matrices    name -> (space of the result, space of the vector)
    vectors     name -> space; numbers: names in the order of the prepared parameters
    """

    def __init__(self, rule, components, matrices, vectors, numbers, absent, options, driven):
        self.graph = graph = Graph()
        self.components, self.matrices, self.vectors = dict(components), dict(matrices), dict(vectors)
        self.state = [graph.variable(f"state {name}") for name in components]
        self.time, self.input = graph.variable("time"), graph.variable("input")
        self.numbers = {name: graph.variable(f"number {name}") for name in numbers}
        self.vector_nodes = {name: graph.variable(f"vector {name}") for name in vectors}
        self._spaces = dict(zip(self.state, components.values(), strict=True))
        self._spaces |= {node: vectors[name] for name, node in self.vector_nodes.items()}
        self._spaces[self.input] = "input"
        arguments = {name: Matrix(graph, name) for name in matrices} | self.vector_nodes | self.numbers
        arguments |= {name: NoMatrix() for name in absent} | options
        given = self.input if driven else 0.0
        values = rule(*self.state, given, **arguments)
        values = values if isinstance(values, tuple) else (values,)
        self.outputs = [lift(graph, value) for value in values]
        if len(self.outputs) != len(self.state):
            raise ValueError(f"rule: returned {len(self.outputs)} vectors for {len(self.state)} components")
        for node in self.outputs:
            self.space(node)
        self.volume = ([], None)  # see `set_volume`
        self.has_volume, self.log_matrices = False, []

    def space(self, node):
        """The space of a node, None for a number."""
        for one in reachable([node]):
            if one in self._spaces:
                continue
            if one.op == "product":
                self._spaces[one] = self._product_space(one)
                continue
            found = {self._spaces[a] for a in one.args} - {None}
            if len(found) > 1:
                raise Untraceable(f"vectors of the spaces {sorted(found)} are combined")
            self._spaces[one] = found.pop() if found else None
        return self._spaces[node]

    def _product_space(self, node):
        name = node.key
        rows, columns = self.matrices[name.removesuffix("'")]
        rows, columns = (columns, rows) if name.endswith("'") else (rows, columns)
        if self._spaces[node.args[0]] not in (columns, None):
            raise Untraceable(f"{name} takes vectors of the space {columns}")
        return rows

    def set_volume(self, kind):
        """Find vectors whose sums over the units give tr D_x f (maps: ln |det D_x f|), where there are such.

        `volume` is ([(vector, space)], name of a matrix whose ln |det| is added, or None).
        """
        form = self._trace() if kind == "flow" else self._log_determinant()
        if form is not None:
            space = next(iter(self.components.values()))
            self.volume = [(node, self.space(node) or space) for node in form[0]], form[1]
            self.has_volume, self.log_matrices = True, [form[1]] if form[1] else []

    def number(self, label):
        """A new variable without a space."""
        node = self.graph.variable(label)
        self._spaces[node] = None
        return node

    def directions(self, label):
        """New variables like the state, for directions or cotangents."""
        nodes = [self.graph.variable(f"{label} {name}") for name in self.components]
        self._spaces |= dict(zip(nodes, self.components.values(), strict=True))
        return nodes

    def along(self, seeds, of=None):
        """Derivatives of the outputs (or `of`) along a mapping variable -> node; None where zero."""
        memory = {}
        roots = self.outputs if of is None else of
        return [None if f is None else derivative(f, seeds.get, memory) for f in roots]

    def backward(self, cotangents):
        """D f' w by reverse accumulation: node (of a state component, a product, a vector) -> its cotangent."""
        collected = {}

        def add(node, value):
            collected[node] = collected[node] + value if node in collected else value

        for output, w in zip(self.outputs, cotangents, strict=True):
            add(output, w)
        for node in reversed(reachable(self.outputs)):
            if node not in collected or node.op in ("variable", "constant"):
                continue
            for argument, value in self._passed_on(node, collected[node]):
                if self.space(argument) is not None:
                    add(argument, value)
        return collected

    def _passed_on(self, node, value):
        """What a node's cotangent gives to its arguments."""
        if node.op == "product":
            return [(node.args[0], self.graph.node("product", value, key=transposed(node.key)))]
        if node.op == "where":
            condition, a, b = node.args
            return [(a, apply("where", condition, value, 0.0)), (b, apply("where", condition, 0.0, value))]
        if node.op in BOOLEANS:
            return []
        slopes = [slope(node, *node.args) for slope in SLOPES[node.op]]
        return [(a, apply("mul", slope, value)) for a, slope in zip(node.args, slopes, strict=True)]

    def _trace(self):
        """Vectors whose sums give tr D_x f; see `_diagonal`."""
        total = []
        for i, x in enumerate(self.state):
            d = self.directions(f"diagonal{i}")[i]
            (linear,) = self.along({x: d}, [self.outputs[i]])
            try:
                total.append(None if linear is None else self._diagonal(linear, d))
            except Untraceable:
                return None
        return [node for node in total if node is not None], None

    def _diagonal(self, node, d):
        """The diagonal of the linear map d -> node, as a vector (None: zero).

        Through one product it needs the matrix's diagonal; through two, diag(A diag(e) B) is the elementwise
        product of A and B' times e.
        """
        if node is d:
            return self.graph.constant(1.0)
        if not self._depends(node, d):
            raise Untraceable("the tangent has a part that is not linear")
        if node.op == "neg":
            part = self._diagonal(node.args[0], d)
            return None if part is None else -part
        if node.op in ("add", "sub"):
            return self._sum(node, [self._diagonal(a, d) if self._depends(a, d) else None for a in node.args])
        if node.op == "mul":
            a, b = node.args if self._depends(node.args[1], d) else node.args[::-1]
            part = self._diagonal(b, d)
            return None if part is None else a * part
        if node.op == "product":
            return self._diagonal_of_product(node, d)
        if node.op == "where":
            self._refuse_constants(node, d)
            a, b = (self._diagonal(v, d) if self._depends(v, d) else None for v in node.args[1:])
            zero = self.graph.constant(0.0)
            return apply("where", node.args[0], zero if a is None else a, zero if b is None else b)
        raise Untraceable(f"the tangent has a part {node.op}")

    def _refuse_constants(self, node, d):
        """Both sides of a choice must be linear; a constant one must be zero."""
        for part in node.args[1:]:
            if not self._depends(part, d) and not (part.op == "constant" and part.key == 0.0):
                raise Untraceable("a choice with a constant")

    @staticmethod
    def _sum(node, parts):
        a, b = parts
        if b is None:
            return a
        b = -b if node.op == "sub" else b
        return b if a is None else a + b

    def _diagonal_of_product(self, node, d):
        """diag of d -> M v(d), v a sum of terms e d and e N (e' d)."""
        total = None
        rows, columns = self.matrices[node.key]
        for term in _terms(node.args[0]):
            factor, inner = self._factors(term, d)
            if inner is d:
                if rows != self._spaces[d]:
                    continue
                part = self.vector(f"diag {node.key}", rows) * factor
            elif inner.op == "product":
                name = f"both {node.key} {inner.key}"
                self.matrices.setdefault(name, (rows, columns))
                further, core = self._factors(inner.args[0], d)
                if core is not d:
                    raise Untraceable("three products in a row")
                part = self.graph.node("product", lift(self.graph, factor), key=name) * further
            else:
                raise Untraceable(f"a product of {inner.op}")
            total = part if total is None else total + part
        return total

    def _factors(self, node, d):
        """(e, v) with node = e v, v the direction or a product."""
        if node is d or node.op == "product":
            return 1.0, node
        if node.op == "neg":
            factor, core = self._factors(node.args[0], d)
            return -factor, core
        if node.op == "mul":
            a, b = node.args if self._depends(node.args[1], d) else node.args[::-1]
            factor, core = self._factors(b, d)
            return a * factor, core
        if node.op == "where":
            return self._either(node, d)
        raise Untraceable(f"a factor {node.op}")

    def _either(self, node, d):
        """(e, v) of a choice between multiples of the same v, or of it and zero."""
        factors, core = [], None
        for part in node.args[1:]:
            if part.op == "constant" and part.key == 0.0:
                factors.append(0.0)
                continue
            factor, one = self._factors(part, d)
            if core is not None and one is not core:
                raise Untraceable("a choice between different products")
            factors, core = [*factors, factor], one
        return apply("where", node.args[0], *factors), core

    def vector(self, name, space):
        """The node of a derived vector parameter."""
        if name not in self.vector_nodes:
            self.vectors[name] = space
            self.vector_nodes[name] = self.graph.variable(f"vector {name}")
            self._spaces[self.vector_nodes[name]] = space
        return self.vector_nodes[name]

    def _log_determinant(self):
        """(vectors whose sums give ln |det D_x f| up to ln |det M|, name of M), or None where there is no such form.

        There is one for D M E with diagonal D and E: one state component, one product.
        """
        if len(self.state) != 1:
            return None
        (d,) = self.directions("volume")
        (linear,) = self.along({self.state[0]: d})
        try:
            outer, core = self._factors(linear, d)
            if core.op != "product":
                return None
            inner, last = self._factors(core.args[0], d)
        except (Untraceable, AttributeError):
            return None
        if last is not d:
            return None
        parts = [lift(self.graph, v) for v in (outer, inner)]
        logs = [apply("log", apply("absolute", v)) for v in parts if v.op != "constant" or abs(v.key) != 1.0]
        return logs, core.key

    def _depends(self, node, variable):
        return variable in set(reachable([node]))


def _terms(node):
    """The terms of a sum, signs included."""
    if node.op == "neg":
        return [-term for term in _terms(node.args[0])]
    if node.op == "add":
        return [term for a in node.args for term in _terms(a)]
    if node.op == "sub":
        return [*_terms(node.args[0]), *(-term for term in _terms(node.args[1]))]
    return [node]
