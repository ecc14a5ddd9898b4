"""Cells: the compiled kernels of one rule for given shapes, each compiled when first asked for."""

import functools

import numba
import numpy as np

from lyapkit.kernels.abi import CALL, field, number
from lyapkit.kernels.generated import load_module
from lyapkit.kernels.jit import Kernel, announce, inline
from lyapkit.systems import codegen, multilinear
from lyapkit.systems.expression import Untraceable
from lyapkit.systems.tracing import rule_signature, trace


class TracedCell:
    """The kernels of a traced rule; tangent, adjoint and higher derivatives are exact."""

    has_volume = True

    def __init__(self, traced, kind):
        self._traced, self._kind = traced, kind
        self._hoisted = codegen.hoisted_nodes(traced)
        self.dimension = traced.dimension
        self.raw_rows = len(traced.raw)
        self.rows = self.raw_rows + len(self._hoisted)
        self.additive = kind == "flow"
        paths = traced.branches
        self.tangent = "exact (traced)" + (f" along {paths} branches" if paths > 1 else "")

    @functools.cached_property
    def function(self):
        """Rate, tangent action and divergence (see abi)."""
        source = codegen.cell_source(self._traced, self._kind, self._hoisted, False)
        return load_module(source).cell

    @functools.cached_property
    def function_with_parameters(self):
        """The same with directions of the raw parameters."""
        source = codegen.cell_source(self._traced, self._kind, self._hoisted, True)
        return load_module(source).cell

    @functools.cached_property
    def adjoint(self):
        """Adjoint action on cotangents, for the state and the raw parameters."""
        return load_module(codegen.adjoint_source(self._traced, self._hoisted)).adjoint

    @functools.cache  # noqa: B019 - a cell lives as long as its model
    def multilinear(self, order, with_parameters=False):
        """The derivative of some order along as many directions, also of the parameters where asked."""
        source = multilinear.traced_source(self._traced, self._hoisted, order, with_parameters)
        return load_module(source).multilinear

    @functools.cached_property
    def _prepare(self):
        return load_module(codegen.prepare_source(self._traced, self._hoisted)).prepare

    def scratch_rows(self, data, columns):
        """Rows of working space: a whole Jacobian."""
        return self.dimension**2

    def adjoint_rows(self, data, columns):
        """Rows of working space of the adjoint: none."""
        return 0, 0

    def prepare(self, raw):
        """The prepared parameters (rows, L) from the raw ones (raw_rows, L)."""
        p = np.empty((self.rows, raw.shape[1]))
        self._prepare(np.ascontiguousarray(raw), p)
        return p


_NUMERIC_CELL = """
def cell(call):
    t, x, frame, p = field(call, "t"), field(call, "x"), field(call, "frame"), field(call, "p")
    scratch, divergence, u = field(call, "scratch"), field(call, "divergence"), field(call, "u")
    rate, frame_rate = field(call, "rate"), field(call, "frame_rate")
    n = x.shape[0]
    y, f = np.empty(n), np.empty(n)
    for one in range(x.shape[1]):
        for i in range(n):
            y[i] = x[i, one]
        value = rule(y{arguments})
        for i in range(n):
            rate[i, one] = value[i]
        if frame.shape[0] > 0:
            for j in range(n):
                slope(y, j, p, t, u, one, f)
                for i in range(n):
                    scratch[i * n + j, one] = f[i]
            for c in range(frame.shape[0]):
                for i in range(n):
                    f[i] = 0.0
                    for j in range(n):
                        f[i] += scratch[i * n + j, one] * frame[c, j, one]
                for i in range(n):
                    frame_rate[c, i, one] = f[i]
    if frame.shape[0] > 0:
        for lane in range(0, x.shape[1], WIDTH):
            {volume}
"""
_NUMERIC_ADJOINT = """
def adjoint(call):
    t, x, frame, p = field(call, "t"), field(call, "x"), field(call, "frame"), field(call, "p")
    u, half, rate = field(call, "u"), number(call, "half"), field(call, "rate")
    frame_rate, parameter_part = field(call, "frame_rate"), field(call, "parameter_part")
    n = x.shape[0]
    y, f = np.empty(n), np.empty(n)
    for one in range(x.shape[1]):
        for i in range(n):
            y[i] = x[i, one]
        if half != 2:
            value = rule(y{arguments})
            for i in range(n):
                rate[i, one] = value[i]
        if half == 1:
            continue
        for j in range(n):
            slope(y, j, p, t, u, one, f)
            for c in range(frame.shape[0]):
                frame_rate[c, j, one] = 0.0
                for i in range(n):
                    frame_rate[c, j, one] += f[i] * frame[c, i, one]
        for m in range(p.shape[0]):
            kept = p[m, one]
            h = 6e-6 * max(1.0, abs(kept))
            p[m, one] = kept + h
            above = rule(y{arguments})
            p[m, one] = kept - h
            below = rule(y{arguments})
            p[m, one] = kept
            for c in range(frame.shape[0]):
                parameter_part[c, m, one] = 0.0
                for i in range(n):
                    parameter_part[c, m, one] += (above[i] - below[i]) / (2.0 * h) * frame[c, i, one]
"""
_DIFFERENCE = """
def slope(y, j, p, t, u, one, f):
    kept = y[j]
    h = 6e-6 * max(1.0, abs(kept))
    here = rule(y{arguments})
    y[j] = kept + h
    above = rule(y{arguments})
    y[j] = kept - h
    below = rule(y{arguments})
    y[j] = kept
    for i in range(y.shape[0]):
        right, left = (above[i] - here[i]) / h, (here[i] - below[i]) / h
        if abs(right - left) > 1e-2 * max(1.0, min(abs(right), abs(left))):
            f[i] = right if abs(right) < abs(left) else left  # the other one crosses a jump or a kink
        else:
            f[i] = 0.5 * (right + left)
"""
_GIVEN = """
def slope(y, j, p, t, u, one, f):
    matrix = jacobian(y{arguments})
    for i in range(y.shape[0]):
        f[i] = matrix[i][j]
"""
_TRACE = """for one in range(lane, lane + WIDTH):
                divergence[one] = 0.0
                for i in range(n):
                    divergence[one] += scratch[i * n + i, one]"""
_DETERMINANT = "lanes.determinant(scratch, n, lane, divergence)"


class NumericCell:
    """The cell of a rule that cannot be traced: compiled by numba as it is, lane by lane.

    Its tangent is the user's Jacobian, or a central difference (relative error about 1e-10; one-sided,
    and good to 1e-5, where the step crosses a branch).
    """

    has_volume = True

    def __init__(self, rule, jacobian, kind, dimension, parameters):
        self._rule, self._jacobian, self._kind = rule, jacobian, kind
        self._names = list(parameters)
        self.dimension = dimension
        self.rows = self.raw_rows = len(parameters)
        self.additive = kind == "flow"
        self.tangent = "the given Jacobian" if jacobian else "central difference (rule not traceable)"

    @functools.cached_property
    def function(self):
        """Rate, tangent action and divergence (see abi)."""
        announce(self._rule.__name__)
        return self._compiled("cell", _NUMERIC_CELL, volume=_TRACE if self._kind == "flow" else _DETERMINANT)

    @functools.cached_property
    def adjoint(self):
        """Adjoint action on cotangents, for the state and the raw parameters."""
        return self._compiled("adjoint", _NUMERIC_ADJOINT)

    def _compiled(self, name, text, **more):
        """The kernel `name` of a text in which the rule's arguments are filled in."""
        from lyapkit.kernels import lanes
        from lyapkit.kernels.simd import WIDTH

        names, _, special = rule_signature(self._rule, self._names)
        arguments = "".join(f", {one}=p[{m}, one]" for m, one in enumerate(names))
        arguments += ", t=t[one]" if "t" in special else ""
        arguments += ", u=u[:, one]" if "u" in special else ""
        compiled = {key: _jitted(f) for key, f in self._functions().items()}
        space = {"np": np, "lanes": lanes, "WIDTH": WIDTH, "field": field, "number": number, **compiled}
        slope = _GIVEN if self._jacobian else _DIFFERENCE
        exec(slope.format(arguments=arguments), space)  # our own text; only names are filled in
        space["slope"] = inline(space["slope"])
        exec(text.format(arguments=arguments, **more), space)
        dispatcher = inline(space[name])
        dispatcher.compile(CALL)
        return Kernel(dispatcher, CALL)

    def _functions(self):
        functions = {"rule": self._rule}
        return functions | ({"jacobian": self._jacobian} if self._jacobian else {})

    def scratch_rows(self, data, columns):
        """Rows of working space: a whole Jacobian."""
        return self.dimension**2

    def adjoint_rows(self, data, columns):
        """Rows of working space of the adjoint: none."""
        return 0, 0

    def prepare(self, raw):
        """The raw parameters (raw_rows, L) as they are."""
        return np.ascontiguousarray(raw)


def _jitted(function):
    return function if hasattr(function, "py_func") else inline(function)


def make_cell(rule, kind, dimension, parameters, jacobian=None, inputs=0):
    """The cell of a rule: traced where that is possible, else numeric."""
    try:
        plain = getattr(rule, "py_func", rule)  # of a rule that is compiled by numba already
        return TracedCell(trace(plain, parameters, dimension, inputs), kind)
    except (Untraceable, TypeError, AttributeError, OverflowError) as reason:
        return _numeric(rule, kind, dimension, parameters, jacobian, reason)


def _numeric(rule, kind, dimension, parameters, jacobian, reason):
    arrays = [name for name, value in parameters.items() if np.ndim(value)]
    if arrays:
        raise ValueError(
            f"parameters: {arrays[0]!r} is an array, but this rule cannot be traced ({reason}) and "
            "then takes numbers only"
        )
    cell = NumericCell(rule, jacobian, kind, dimension, parameters)
    try:
        cell.function  # noqa: B018 - compile now, so that a rule that does not is refused here
    except numba.core.errors.NumbaError as error:
        first = next((line for line in str(error).splitlines() if line.strip()), "")
        raise ValueError(f"rule: can neither be traced ({reason}) nor compiled by numba ({first})") from None
    return cell
