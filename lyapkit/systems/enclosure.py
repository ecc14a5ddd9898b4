"""What a traced rule and its Jacobian can be over boxes of states: their expressions over intervals."""

import operator

import numpy as np

from lyapkit.systems.derivatives import reachable
from lyapkit.systems.expression import apply, lift
from lyapkit.systems.intervals import FUNCTIONS, JUMPS, contains_zero, mul, sub
from lyapkit.systems.operations import BOOLEANS, COMPARISONS


class Enclosure:
    """Residual and Jacobian of fixed points, f(x) of a flow and f(x) - x of a map, over many boxes at once.

    traced is the rule's expressions, kind "flow" or "map".
    """

    def __init__(self, traced, kind):
        graph = traced.graph
        outputs, self._turns = list(traced.outputs), [None] * len(traced.outputs)
        if kind == "map":
            pairs = [_difference(f, x, traced.state) for f, x in zip(outputs, traced.state, strict=True)]
            outputs, self._turns = (list(part) for part in zip(*pairs, strict=True))
        zero = graph.constant(0.0)
        columns = [traced.along({x: graph.constant(1.0)}, outputs) for x in traced.state]
        entries = [[zero if column[i] is None else column[i] for column in columns] for i in range(len(outputs))]
        self._outputs, self._entries, self._state, self._raw = outputs, entries, traced.state, traced.raw
        roots = [*outputs, *(turn for turn in self._turns if turn is not None)]
        self._value_nodes = reachable(roots)
        self._all_nodes = reachable([*roots, *(e for row in entries for e in row)])
        self._jumps = [node for node in self._value_nodes if _may_jump(node)]
        self.autonomous = all(n.op != "variable" or n in {*traced.state, *traced.raw} for n in self._value_nodes)

    def fixed(self, raw):
        """Intervals of all that does not depend on the state, for raw parameters (m, points): each a thin interval."""
        moving = set(self._state)
        known = dict(zip(self._raw, ((row, row) for row in np.ascontiguousarray(raw)), strict=True))
        for node in self._all_nodes:
            if node in moving or any(a in moving for a in node.args):
                moving.add(node)
            elif node not in known:
                known[node] = _constant(node) if node.op == "constant" else _applied(node, known)
        return known

    def turns(self, fixed, points):
        """Lengths (n, points) of the circles on which units of a map live, NaN where they do not: see `_difference`."""
        rows = [np.nan if turn is None else fixed[turn][0] for turn in self._turns]
        return np.array([np.broadcast_to(row, points) for row in rows], dtype=float)

    def _start(self, low, high, fixed, points):
        """Intervals of the state and of what does not depend on it, for boxes of these points."""
        values = {node: _at(pair, points) for node, pair in fixed.items()}
        return values | {x: (low[i], high[i]) for i, x in enumerate(self._state)}

    def value(self, low, high, fixed, points, rounds=None):
        """Bounds of the residual (n, boxes) over the boxes low, high (n, boxes), which belong to these points (boxes,).

        `fixed` is that of all points; `rounds` as `value_and_jacobian` gives them, else the nearest ones.
        """
        values = self._start(low, high, fixed, points)
        for node in self._value_nodes:
            if node not in values:
                values[node] = _applied(node, values)
        return self._residual(values, low.shape, rounds)[0]

    def value_and_jacobian(self, low, high, fixed, points):
        """Residual and Jacobian over boxes: ((low, high), (low, high), smooth, rounds).

        Bounds of the residual are (n, boxes), those of the Jacobian (n, n, boxes). Where `smooth` (boxes,) is false the
        residual may jump. `rounds` (n, boxes) are the turns of units on a circle that were taken off.
        """
        values = self._start(low, high, fixed, points)
        for node in self._all_nodes:
            if node not in values:
                values[node] = _applied(node, values)
        residual, smooth, rounds = self._residual(values, low.shape, None)
        for node in self._jumps:
            smooth &= ~_jumps(node, values)
        rows = [_stacked([values[e] for e in row], low.shape) for row in self._entries]
        jacobian = tuple(np.stack([row[side] for row in rows]) for side in (0, 1))
        return residual, jacobian, smooth, rounds

    def _residual(self, values, shape, rounds):
        """(bounds (n, boxes), where all of a box needs the same rounds (boxes,), the rounds (n, boxes))."""
        low, high = _stacked([values[f] for f in self._outputs], shape)
        smooth = np.ones(shape[1], dtype=bool)
        taken = np.zeros(shape)
        for i, turn in enumerate(self._turns):
            if turn is None:
                continue
            way, length = (low[i], high[i]), values[turn]
            nearest = np.rint((way[0] + 0.5 * (way[1] - way[0])) / length[0])
            taken[i] = np.where(np.isfinite(nearest), nearest, 0.0) if rounds is None else rounds[i]
            for other in (taken[i] - 1.0, taken[i] + 1.0):
                smooth &= ~contains_zero(sub(way, mul(length, (other, other))))
            low[i], high[i] = sub(way, mul(length, (taken[i], taken[i])))
        return (low, high), smooth, taken


def _difference(image, x, state):
    """(image - x, None); where the image is mod(a, b), (a - x, b).

    mod jumps, and its interval over a jump is all of [0, b]. But where mod(a, b) = x, a - x is a whole number of turns
    b; it is one also at some x outside [0, b).
    """
    if image.op != "mod" or set(state) & set(reachable([image.args[1]])):
        return image - x, None
    a, turn = image.args
    return a - x, turn


def _at(pair, points):
    """A parameter's interval in the boxes of these points; thin ones stay thin."""
    low = pair[0][points] if np.ndim(pair[0]) else pair[0]
    if pair[0] is pair[1]:
        return low, low
    return low, pair[1][points] if np.ndim(pair[1]) else pair[1]


def _constant(node):
    value = np.float64(node.key)
    return value, value


def _applied(node, values):
    return FUNCTIONS[node.op](*(values[a] for a in node.args))


def _stacked(pairs, shape):
    """Intervals of components as two arrays."""
    return tuple(np.stack([np.broadcast_to(pair[side], shape[1:]) for pair in pairs]) for side in (0, 1))


def _may_jump(node):
    return node.op in JUMPS or (node.op == "where" and not _is_continuous(node))


def _jumps(node, values):
    arguments = [values[a] for a in node.args]
    if node.op == "where":
        certain, possible = arguments[0]
        return possible & ~certain
    return JUMPS[node.op](*arguments)


def _is_continuous(node):
    """Whether both sides of a choice are the same expression wherever the two sides of its comparison are equal."""
    condition, *sides = node.args
    if condition.op not in COMPARISONS or condition.op in ("eq", "ne"):
        return False
    border, value = condition.args
    if border.op == "constant":
        border, value = value, border
    one, other = (_replaced(side, border, value) for side in sides)
    same_number = one.op == other.op == "constant" and one.key == other.key
    return one is other or same_number


def _replaced(root, old, new):
    """The expression with one of its nodes replaced."""
    memory = {old: new}
    for node in reachable([root]):
        if node in memory:
            continue
        arguments = [memory[a] for a in node.args]
        changed = any(a is not b for a, b in zip(arguments, node.args, strict=True))
        memory[node] = _rebuilt(node, arguments) if changed else node
    return memory[root]


def _rebuilt(node, arguments):
    if node.op in COMPARISONS:
        return lift(node.graph, getattr(operator, node.op)(*arguments))  # a truth value where both are constants
    if node.op in BOOLEANS:
        return node.graph.node(node.op, *arguments)
    return apply(node.op, *arguments)
