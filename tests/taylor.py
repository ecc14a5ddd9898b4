"""Integration by Taylor series in mpmath's arithmetic: states, transition matrices and parameter derivatives.

An equation is written with +, -, * and `tanh`; the coefficients of the solution's Taylor series follow order by order
from the recurrences of the product and of tanh (v' = (1 - v^2) u'). Every quantity carries its derivatives along given
directions, whose series obey the differentiated recurrences: they solve the variational equation exactly as the state
solves its own. Each step starts its own directions, so that a step's transition matrix is close to the identity and
products of them lose no digits. No line is shared with lyapkit.
"""

import math
from dataclasses import dataclass

from mpmath import mp


class Series:
    """Coefficients of a quantity (part 0) and of its derivatives (parts 1, 2, ...), grown by `rule` order by order."""

    def __init__(self, tape, rule=None):
        self.tape, self.rule = tape, rule
        self.parts = [[] for _ in range(1 + tape.directions)]
        tape.nodes.append(self)

    def extend(self, order):
        for part, value in zip(self.parts, self.rule(order)):
            part.append(value)

    def __add__(self, other):
        other = other.series(self.tape) if isinstance(other, Parameter) else other
        if isinstance(other, Series):
            return Series(self.tape, lambda k: [p[k] + q[k] for p, q in zip(self.parts, other.parts)])
        return Series(self.tape, lambda k: [p[k] + (k == j == 0) * other for j, p in enumerate(self.parts)])

    def __mul__(self, other):
        if isinstance(other, Series):
            return Series(self.tape, lambda k: _product(self.parts, other.parts, k))
        if isinstance(other, Parameter):
            return Series(self.tape, lambda k: other.times(self.parts, k))
        return Series(self.tape, lambda k: [p[k] * other for p in self.parts])

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return -self + other

    def tanh(self):
        return Tanh(self)


class Tanh(Series):
    """v = tanh(u) with its slope w = 1 - v^2: v' = w u', and dv = w du for every direction."""

    def __init__(self, argument):
        super().__init__(argument.tape)
        self.argument, self.slope = argument.parts, []

    def extend(self, k):
        value, u = self.parts[0], self.argument[0]
        if k == 0:
            value.append(mp.tanh(u[0]))
        else:
            weighted = [j * u[j] for j in range(1, k + 1)]
            value.append(mp.fdot(weighted, self.slope[k - 1 :: -1]) / k)
        self.slope.append((k == 0) - _cauchy(value, value, k))
        for part, direction in zip(self.parts[1:], self.argument[1:]):
            part.append(_cauchy(self.slope, direction, k))


@dataclass(frozen=True)
class Parameter:
    """A constant with its derivatives along the directions (none along those of the state)."""

    value: object
    gradient: tuple

    def times(self, parts, k):
        return [self.value * p[k] + (g * parts[0][k] if g else 0) for p, g in zip(parts, (0, *self.gradient))]

    def __neg__(self):
        return Parameter(-self.value, tuple(-g for g in self.gradient))

    def series(self, tape):
        return Series(tape, lambda k: [g if k == 0 else mp.zero for g in (self.value, *self.gradient)])


def tanh(u):
    """Of a Series, of an mpmath number or of a float."""
    if isinstance(u, Series):
        return u.tanh()
    return math.tanh(u) if isinstance(u, float) else mp.tanh(u)


def _cauchy(a, b, k):
    return mp.fdot(a[: k + 1], b[k::-1])


def _product(a, b, k):
    tangents = [_cauchy(p, b[0], k) + _cauchy(a[0], q, k) for p, q in zip(a[1:], b[1:])]
    return [_cauchy(a[0], b[0], k), *tangents]


class Tape:
    """The equation's quantities in the order in which their coefficients can be computed."""

    def __init__(self, equation, constants, state, directions, extra=None):
        """`constants`: pairs (value, gradient by the parameters); without directions nothing is differentiated."""
        self.nodes, self.directions, n = [], directions, len(state)
        self.state = [Series(self) for _ in state]
        self.nodes.clear()  # the state is grown by integration, not by a rule
        padding = (mp.zero,) * n
        parameters = [Parameter(v, (*padding, *g)[:directions]) for v, g in constants]
        self.velocity = equation(self.state, parameters)
        self.extra = extra(self.state, parameters) if extra else None
        for i, (x, value) in enumerate(zip(self.state, state)):
            for j, part in enumerate(x.parts):
                part.append(mp.mpf(value) if j == 0 else mp.mpf(i == j - 1))

    def run(self, order):
        for k in range(order + 1):
            for node in self.nodes:
                node.extend(k)
            if k < order:
                for x, velocity in zip(self.state, self.velocity):
                    for part, rate in zip(x.parts, velocity.parts):
                        part.append(rate[k] / (k + 1))
        return self


def value(coefficients, s):
    return mp.polyval(coefficients[::-1], s)


@dataclass(frozen=True)
class Step:
    """One step's polynomials in the time since its start."""

    start: object
    length: object
    parts: list  # [unit][0: state, 1 + j: derivative along direction j]

    def state(self, s=None):
        return mp.matrix([value(x[0], self.length if s is None else s) for x in self.parts])

    def derivatives(self, s=None):
        """Rows: units; columns: the units at the start of the step, then the parameters."""
        s = self.length if s is None else s
        return mp.matrix([[value(p, s) for p in x[1:]] for x in self.parts])


def _longest(tape, accuracy):
    """The step at which the last two terms of every series fall below the accuracy."""
    pairs = [(abs(p[k]), k) for x in tape.state for p in x.parts for k in (len(p) - 2, len(p) - 1)]
    return min((accuracy / c) ** (mp.one / k) for c, k in pairs if c)


def integrate(equation, constants, state, duration, order, accuracy):
    """Steps from 0 to `duration`, with derivatives along every unit and every parameter."""
    steps, t = [], mp.zero
    directions = len(state) + len(constants[0][1])
    while t < duration:
        tape = Tape(equation, constants, state, directions).run(order)
        length = min(_longest(tape, accuracy), duration - t)
        step = Step(t, length, [x.parts for x in tape.state])
        steps.append(step)
        t = duration if length == duration - t else t + length
        state = step.state()
    return steps


def integral(equation, constants, steps, integrand, order):
    """Of `integrand` along the steps' states, term by term; each step is expanded anew."""
    total = mp.zero
    for step in steps:
        tape = Tape(equation, constants, step.state(mp.zero), 0, integrand).run(order)
        terms = [c / (k + 1) for k, c in enumerate(tape.extra.parts[0])]
        total += step.length * value(terms, step.length)
    return total
