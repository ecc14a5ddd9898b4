"""Systems whose every weight, or number, is a parameter that may differ from lane to lane, and noise on every unit."""

import dataclasses

import numpy as np

from lyapkit.systems.cell import TracedCell
from lyapkit.systems.expression import apply
from lyapkit.systems.inputs import INPUT
from lyapkit.systems.network import NetworkModel
from lyapkit.systems.system import Model, System
from lyapkit.systems.tracing import Traced, trace
from lyapkit.systems.unrolled import unrolled_network

MOST_UNITS = 8  # whose network of n^2 weights is written out as expressions
NOISE = "noise"  # the parameter: standard deviation of the noise on every unit, times the root of time


@dataclasses.dataclass(frozen=True, eq=False)
class FreeModel(Model):
    """A model whose expressions are there already; its parameters are the numbers in them."""

    made: TracedCell = None

    def cell(self, parameters):
        """The compiled cell."""
        return self.made


@dataclasses.dataclass(frozen=True)
class Free:
    """A system with its numbers set free: `system`, the numbers' names, and (first, shape) of each thing that they are
    the entries of, such as the matrix "W"."""

    system: System
    names: tuple
    places: dict

    def numbers(self):
        """The numbers (m,) as they are."""
        return np.array([self.system.parameters[name] for name in self.names])

    def values(self, numbers):
        """Parameters name -> (points,) from numbers (points, m)."""
        return dict(zip(self.names, np.ascontiguousarray(numbers.T), strict=True))


def as_network(system):
    """The network that a system is, itself where it is one; None where it is none."""
    made = system.model.as_network
    if made is not None:
        return made(system.derived_parameters)
    return system if isinstance(system.model, NetworkModel) else None


def recurrent(system):
    """Names of the matrices from the state to the state; none of systems that have no weights."""
    known, model = system.derived_parameters, system.model
    if isinstance(model, NetworkModel):
        spaces = model.components.values()
        return [name for name, (_, of) in model.matrices.items() if of in spaces and known[name] is not None]
    square = (system.dimension, system.dimension)
    return [name for name in model.lane_parameters(known) if np.shape(known[name]) == square]


def freed(system, noise=None, input_dt=1.0):
    """`Free` of a system; of one that is no expression, which has no arrays among its numbers, it is the system itself.

    noise: samples (time, n), held for input_dt each; parameter `NOISE` times them is added to x' (maps: the image).
    """
    expressions, kind = _expressions(system, noise is not None), system.kind
    if expressions is None:
        names = tuple(system.model.lane_parameters(system.parameters))
        return Free(system, names, {name: (i, ()) for i, name in enumerate(names)})
    cell, values, places = expressions
    names = tuple(f"number_{i}" for i in range(len(values)))
    parameters = dict(zip(names, map(float, values), strict=True))
    if noise is not None:
        parameters |= {NOISE: 0.0} | INPUT | {"input": noise, "input_dt": input_dt}
    n, start = system.dimension, system.initial_state
    model = FreeModel(
        system.name, kind, _no_rule, parameters, lambda p: n, lambda p: start, system.equation, dt=system.model.dt,
        inputs=n if noise is not None else 0, made=cell,
    )  # fmt: skip
    return Free(System(model, parameters), names, places)


def _no_rule(x):
    """The rule of a model of expressions."""
    return x


def _expressions(system, noisy):
    """(cell, numbers (m,), places), or None of a rule that cannot be traced; systems of one shape share their cell."""
    model = system.model
    if isinstance(model, NetworkModel):
        traced, numbers, places = unrolled_network(system, zeros_too=True)
    elif isinstance(system.cell, TracedCell):
        visible = {name: system.parameters[name] for name in model.lane_parameters(system.parameters)}
        traced = trace(model.rule, visible, system.dimension)
        places, count = {}, 0
        for name, value in visible.items():
            places[name] = count, np.shape(value)
            count += np.size(value)
        numbers = np.concatenate([np.zeros(0), *map(np.ravel, visible.values())])
    else:
        return None
    words = tuple(system.parameters[name] for name in getattr(model, "options", ()))
    key = ("free", tuple(places.items()), system.dimension, noisy, words)
    if key not in model._cells:
        model._cells[key] = TracedCell(_with_noise(traced) if noisy else traced, system.kind)
    return model._cells[key], numbers, places


def _with_noise(traced):
    """The expressions with a further parameter that multiplies an input on every unit."""
    graph, n = traced.graph, traced.dimension
    sigma = graph.variable(NOISE)
    outputs = [
        apply("add", value, apply("mul", sigma, graph.variable(f"u{i}"))) for i, value in enumerate(traced.outputs)
    ]
    return Traced(graph, outputs, n, [*traced.raw, sigma], traced.branches, n)
