"""The Euler map of a flow, x <- x + h f(x), as a system of its own with exact derivatives."""

import dataclasses
import inspect
import threading

import numpy as np

from lyapkit.systems.network import NetworkModel
from lyapkit.systems.system import System, as_system
from lyapkit.systems.tracing import rule_signature


def euler_map(system, h=0.1):
    """euler_map(system, h=0.1)

    The map x <- x + h f(x) that Euler's method with the step `h` makes of a flow x' = f(x).

    Returns a System with the flow's parameters and `h`, which may be scanned and followed like any other. Its fixed
    points are the flow's, with multipliers 1 + h lambda; exponents, periods and rotation numbers are per iterate:
    divided by h (periods: times h) they approach the flow's as O(h).

    system  a flow that depends on neither time nor an input, or its constructor; one that is traced (see define_flow)
    h       step, in time units

    >>> import lyapkit as lk
    >>> step = lk.euler_map(lk.systems.van_der_pol, h=0.01)
    >>> step.kind, step.parameters
    ('map', {'mu': 1.0, 'h': 0.01})
    """
    system = as_system(system)
    model = system.model
    if system.kind != "flow":
        raise ValueError(f"system: given {system.name}, a map; accepted: a flow")
    if "h" in model.defaults:
        raise ValueError(f"system: {system.name} has a parameter h of its own, accepted: a flow without one")
    if not system.cell.tangent.startswith("exact"):
        raise ValueError(f"system: the rule of {system.name} cannot be traced, accepted: one that can")
    network = isinstance(model, NetworkModel)
    if system.parameters.get("input") is not None or (not network and _special(model, system)):
        raise ValueError(f"system: {system.name} depends on time or an input, accepted: one that does not")
    rule = _of_vectors(model.rule, len(model.components)) if network else _of_numbers(model.rule, model, system)
    described = dataclasses.replace(
        model, name=f"{model.name}_euler", kind="map", rule=rule, defaults={**model.defaults, "h": 0.1},
        equation=f"x <- x + h f(x), f: {model.equation}", curves=None, blocks=None, jacobian=None, dt=1.0,
        box=_box(model.box), as_network=_as_network(model.as_network), pickled=(_again, (system,)),
        _cells={}, _lock=threading.Lock(),
    )  # fmt: skip
    return System(described, {**system.parameters, "h": h})


def _again(system, parameters):
    """The same map, of the flow that made it."""
    return euler_map(system).with_(**parameters)


def _special(model, system):
    return rule_signature(model.rule, model.lane_parameters(system.parameters))[2]


def _as_network(of_flow):
    """The network that the map is, from that of the flow."""
    if of_flow is None:
        return None

    def network(parameters):
        rest = {name: value for name, value in parameters.items() if name != "h"}
        return euler_map(of_flow(rest), parameters["h"])

    return network


def _box(of_flow):
    """The flow's box around all fixed points, but without a step all points are fixed."""
    if of_flow is None:
        return None
    return lambda parameters: None if parameters["h"] == 0.0 else of_flow(parameters)


def _of_numbers(rule, model, system):
    """The rule of the map, of a flow's rule that takes a state of numbers."""
    flow = getattr(rule, "py_func", rule)

    def euler(x, h, **parameters):
        rate = flow(x, **parameters)
        rate = [rate] if np.ndim(rate) == 0 else rate
        return [x[i] + h * rate[i] for i in range(len(x))]

    names = [*model.lane_parameters(system.parameters), "h"]
    keyword = inspect.Parameter.KEYWORD_ONLY
    first = inspect.Parameter("x", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    euler.__signature__ = inspect.Signature([first, *(inspect.Parameter(name, keyword) for name in names)])
    return euler


def _of_vectors(rule, components):
    """The rule of the map, of a network's rule that takes the components of the state and the input."""

    def euler(*vectors, h, **parameters):
        rates = rule(*vectors, **parameters)
        rates = rates if isinstance(rates, tuple) else (rates,)
        moved = [x + h * rate for x, rate in zip(vectors[:components], rates, strict=True)]
        return tuple(moved)

    return euler
