"""Networks: models whose rule is written with whole vectors and matrices, for any number of units."""

import dataclasses
import functools
import inspect
import math
from collections.abc import Callable, Mapping

import numpy as np

from lyapkit.kernels.generated import load_module
from lyapkit.systems import matrices as mx
from lyapkit.systems import multilinear
from lyapkit.systems import network_codegen as codegen
from lyapkit.systems.inputs import INPUT, checked_input
from lyapkit.systems.layout import Data, Lanes, Spread, rows_of, spread
from lyapkit.systems.network_adjoint import adjoint_source
from lyapkit.systems.system import Model, construct
from lyapkit.systems.vector_tracing import TracedNetwork

# From this many units on a network is spread over the lanes, and its products are BLAS calls. A step of a full
# spectrum (microseconds, one network / one of 64 that share blocks): 16 units 3.1 / 0.45 by lanes, 1.1 / 1.1
# spread; 24 units 9.4 / 1.2 by lanes, 2.2 / 2.2 spread.
SPREAD_UNITS = 20


class NetworkCell:
    """The kernels of a network's rule: one text for every size, both layouts and all kinds of matrices."""

    tangent = "exact (traced)"
    additive = True

    def __init__(self, net, kind):
        self.net, self.kind = net, kind
        self.movable = (*net.numbers, *net.vectors)  # with derivatives: numbers, and vectors moved as a whole
        net.set_volume(kind)
        self.places = codegen.Places(net)
        self.rows = self.raw_rows = len(net.numbers)
        self.has_volume = net.has_volume
        self._working = {}

    def _load(self, name, source):
        text, self._working[name] = source
        return getattr(load_module(text), name.split()[0])

    @functools.cached_property
    def function(self):
        """Rate, tangent action and divergence (see abi)."""
        return self._load("cell", codegen.cell_source(self.net, self.places, False))

    @functools.cached_property
    def function_with_parameters(self):
        """The same with directions of the numbers among the parameters."""
        return self._load("cell with parameters", codegen.cell_source(self.net, self.places, True))

    @functools.cached_property
    def adjoint(self):
        """Adjoint action on cotangents, for the state and the numbers among the parameters."""
        return self._load("adjoint", adjoint_source(self.net, self.places))

    @functools.cache  # noqa: B019 - a cell lives as long as its model
    def multilinear(self, order, with_parameters=False):
        """The derivative of some order along as many directions, also of the `movable` where asked."""
        source = multilinear.network_source(self.net, self.places, order, with_parameters and self.movable)
        return self._load(f"multilinear {order} {with_parameters}", source)

    def scratch_rows(self, data, columns):
        """Rows of working space that suffice for all kernels loaded so far."""
        return max((sum(_rows(working, data, columns)) for working in self._working.values()), default=0)

    def adjoint_rows(self, data, columns):
        """Rows of what the adjoint keeps from its first half to its second, and of the second's working space."""
        return _rows(self._working["adjoint"], data, columns)

    def prepare(self, raw):
        """The prepared parameters: the raw ones (raw_rows, L) as they are."""
        return np.ascontiguousarray(raw)


def _rows(working, data, columns):
    """Rows of the working vectors that there are once, and of those that there are for each column."""
    once = sum(data.rows[space] for space, per_column in working if not per_column)
    return once, columns * sum(data.rows[space] for space, per_column in working if per_column)


@dataclasses.dataclass(frozen=True, eq=False)
class NetworkModel(Model):
    """A model whose parameters are matrices, vectors, numbers and options.

    `components` maps the parts of the state to spaces, `matrices` names to (space of the result, space of the vector),
    `vectors` names to spaces, `options` names to {word: what the rule gets}. "input" is the space of the input.
    Of the `ingredients` (name -> "matrix" or "vector"), which the rule does not see, `make` makes matrices.
    """

    components: Mapping = dataclasses.field(default_factory=dict)
    matrices: Mapping = dataclasses.field(default_factory=dict)
    vectors: Mapping = dataclasses.field(default_factory=dict)
    options: Mapping = dataclasses.field(default_factory=dict)
    ingredients: Mapping = dataclasses.field(default_factory=dict)
    make: Callable | None = None

    def derived(self, parameters):
        """The matrices that are made of the parameters."""
        return self.make(parameters) if self.make else {}

    def checked(self, name, value):
        """A parameter as it is kept; refuses what does not fit."""
        if name in self.options:
            if not isinstance(value, str) or value not in self.options[name]:
                raise ValueError(f"{name}: given {value!r}, accepted: {', '.join(self.options[name])}")
            return value
        if self.ingredients.get(name) == "vector":
            return _checked_vector(name, np.atleast_1d(value))
        if name in self.matrices or name in self.ingredients:
            return None if value is None and self.defaults[name] is None else mx.checked(name, value)
        if name in INPUT:
            return checked_input(name, value)
        if name in self.vectors and np.ndim(value):
            return _checked_vector(name, value)
        return super().checked(name, value)

    def check_together(self, parameters):
        """Refuse shapes that do not fit each other."""
        sizes = self.sizes_of(parameters)
        for name, space in self.vectors.items():
            shape = np.shape(parameters[name])
            if shape and shape != (sizes[space],):
                raise ValueError(f"{name}: given shape {shape}, accepted: a number or ({sizes[space]},)")
        given = parameters.get("input")
        if given is not None and "input" not in sizes:
            names = [name for name, (_, columns) in self.matrices.items() if columns == "input"]
            raise ValueError(f"input: given, but no input weights; accepted: {', '.join(names)} as well")
        if given is None and "input" in sizes:
            names = [n for n, (_, c) in self.matrices.items() if c == "input" and parameters[n] is not None]
            raise ValueError(f"{names[0]}: given, but no input; accepted: input= as well")
        if isinstance(given, np.ndarray) and given.shape[1] != sizes["input"]:
            raise ValueError(
                f"input: given shape {given.shape}, accepted: (time, {sizes['input']}), as many columns as the "
                "input weights"
            )

    def input_count(self, parameters):
        """Components of the input."""
        return self.sizes_of(parameters).get("input", 0)

    def sizes_of(self, parameters):
        """Units of each space, from the shapes of the matrices; refuses those that do not fit."""
        sizes, source = {}, {}
        for name, spaces in self.matrices.items():
            if parameters[name] is None:
                continue
            shape = parameters[name].shape
            for axis, (space, size) in enumerate(zip(spaces, shape, strict=True)):
                if sizes.setdefault(space, size) != size and source.get(space, name) == name:
                    raise ValueError(f"{name}: given shape {shape}, accepted: square, as {(shape[0], shape[0])}")
                if sizes[space] != size:
                    wanted = tuple(sizes.get(s, "n") for s in spaces) if axis else (sizes[space], shape[1])
                    wanted = (wanted[0], wanted[0]) if spaces[0] == spaces[1] else wanted
                    raise ValueError(
                        f"{name}: given shape {shape}, accepted: {wanted}, to go with "
                        f"{source[space]} of shape {parameters[source[space]].shape}"
                    )
                source.setdefault(space, name)
        return sizes

    def lane_parameters(self, parameters):
        """Names of the numbers, which may differ from lane to lane."""
        special = {*self.matrices, *self.vectors, *self.options, *INPUT, *self.ingredients}
        special |= {*self.sizes, *self.structural}
        return [name for name in parameters if name not in special]

    def cell(self, parameters):
        """The compiled cell for these parameters' structure."""
        absent = tuple(name for name in self.matrices if parameters[name] is None)
        driven = parameters.get("input") is not None
        words = tuple(parameters[name] for name in self.options)
        with self._lock:
            key = (absent, driven, words)
            if key not in self._cells:
                self._cells[key] = NetworkCell(self._trace(parameters, absent, driven), self.kind)
        return self._cells[key]

    def _trace(self, parameters, absent, driven):
        present = {name: spaces for name, spaces in self.matrices.items() if name not in absent}
        options = {name: table[parameters[name]] for name, table in self.options.items()}
        options = {name: value for name, value in options.items() if value is not None}
        numbers = self.lane_parameters(parameters)
        return TracedNetwork(self.rule, self.components, present, self.vectors, numbers, absent, options, driven)

    def data(self, parameters):
        """The shared arrays and the layout of a system."""
        cell, sizes = self.cell(parameters), self.sizes_of(parameters)
        units = tuple(sizes[space] for space in self.components.values())
        layout = Spread(units) if sum(units) >= SPREAD_UNITS else Lanes(sum(units))
        return _network_data(cell, parameters, sizes, layout)


def _network_data(cell, parameters, sizes, layout):
    """Fill the shared numbers and integers in the order of the cell's places."""
    net, shared = cell.net, mx.SharedData()
    rows = {space: rows_of(size) if layout.spread else size for space, size in sizes.items()}
    as_rows = spread if layout.spread else lambda vector: np.repeat(vector, 8)
    table = np.zeros(len(cell.places.position), dtype=np.int64)
    shared.add_integers(table)
    first = 0
    known, rank, sparse = parameters, 0, False
    for (what, name), i in cell.places.position.items():
        if what == "rows":
            table[i] = rows[name]
        elif what == "units":
            table[i] = sizes[name]
        elif what == "first":
            table[i], first = first, first + rows[net.components[name]]
        elif what == "vector":
            table[i] = shared.add_numbers(as_rows(_vector(name, known, sizes[net.vectors[name]])))
        elif what == "matrix":
            matrix = _matrix(name, known)
            sparse = sparse or mx.is_sparse(matrix)
            rank = max(rank, matrix.left.shape[1] if isinstance(matrix, mx.LowRank) else 0)
            table[i] = shared.add_matrix(matrix, as_rows)
        else:
            table[i] = shared.add_numbers([mx.log_determinant(parameters[name])])
    numbers, integers = shared.arrays()
    integers[: len(table)] = table
    turned = max(rows.values()) * 8 if sparse and layout.spread else 0
    return Data(layout, numbers, integers, rows, rows_of(rank) if layout.spread else rank, turned)


def _vector(name, known, size):
    if name.startswith("diag "):
        return mx.diagonal(known[name.removeprefix("diag ")])
    return np.broadcast_to(np.asarray(known[name], dtype=float), (size,))


def _matrix(name, known):
    if name.startswith("both "):
        _, a, b = name.split()
        return mx.both(known[a], known[b])
    return known[name]


def _checked_vector(name, value):
    array = mx.real_array(name, value)
    if array.ndim != 1:
        raise ValueError(f"{name}: given shape {array.shape}, accepted: a number or one for each unit")
    if not np.isfinite(array).all():
        at = int(np.flatnonzero(~np.isfinite(array))[0])
        raise ValueError(f"{name}: {array[at]} at index {at}, accepted: finite numbers")
    array.setflags(write=False)
    return array


def small_state(n, seed=0):
    """Where a network starts unless told otherwise: seeded numbers between -0.5 and 0.5."""
    return np.random.default_rng(seed).uniform(-0.5, 0.5, n)


def weights(n=8, gain=1.5, seed=0):
    """Default weights: gain N(0, 1) / sqrt(n)."""
    return gain * np.random.default_rng(seed).standard_normal((n, n)) / math.sqrt(n)


def network(kind, equation, *, components, matrices, vectors=None, options=None, dt=0.05, **more):
    """Make a rule of vectors the constructor of a built-in network.

    The rule takes the state's components, then the input, then parameters as keywords; its defaults are theirs.
    """

    def decorate(rule):
        described = network_model(
            rule, rule.__name__, kind, equation, components, matrices, vectors or {}, options or {}, dt, **more
        )
        return construct(rule, described)

    return decorate


def network_model(
    rule, name, kind, equation, components, matrices, vectors, options, dt, defaults=None, **more
):  # fmt: skip
    """The model of a network's rule; `defaults` of its parameters, else the rule's own; `more` fields of it."""
    if defaults is None:
        arguments = inspect.signature(rule).parameters.values()
        defaults = {p.name: p.default for p in arguments if p.default is not p.empty}
    if any(columns == "input" for _, columns in matrices.values()):
        defaults = defaults | INPUT
    dimension = lambda p: sum(model.sizes_of(p)[space] for space in components.values())  # noqa: E731
    model = NetworkModel(
        name, kind, rule, defaults, dimension, lambda p: small_state(dimension(p)), equation, dt=dt,
        components=components, matrices=matrices, vectors=vectors, options=options, **more,
    )  # fmt: skip
    return model
