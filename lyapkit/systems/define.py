"""Own systems from ordinary Python rules, and the guard on Jacobians that come with them."""

import inspect

import numpy as np

from lyapkit.systems.evaluate import jacobian_matrix
from lyapkit.systems.inputs import checked_input
from lyapkit.systems.system import Model, System
from lyapkit.systems.tracing import rule_signature


def define_flow(
    rule,
    *,
    parameters=None,
    dimension=None,
    jacobian=None,
    initial_state=None,
    dt=0.01,
    name=None,
    input=None,
    input_dt=1.0,
    interpolation="hold",
):
    """An own flow x' = rule(x, **parameters).

    `rule(x, a, ...)` takes the state (an array of `dimension` numbers) and the parameters by name, and returns
    one value for each unit; it may take keywords `t` (time) and `u` (input). math.*, np.*, indexing and ``W @ x`` are
    allowed. `parameters` gives each a value (numbers or small arrays; default: the rule's own defaults). `u` is
    an array of the components of `input`: samples (time, n_inputs) every `input_dt`, held or with
    interpolation="linear" joined by lines, or a function of time that numba can compile.

    The rule is traced once: tangent, adjoint and higher derivatives come out exact, and what depends on
    parameters alone is computed once. A rule that branches on the state is traced along each branch; one
    that cannot be traced is compiled by numba as it is, with `jacobian` or central differences as tangent
    (attribute ``tangent`` of the results says which). A `jacobian(x, a, ...)`, rows d rule_i / d x_j, is
    checked against the traced one and refused with ValueError where they differ.

    `dt` is the default step of the verbs, `initial_state` where they start (default: small seeded numbers).

    >>> import lyapkit as lk, math
    >>> def rule(x, mu):
    ...     return x[1], mu * (1 - x[0] ** 2) * x[1] - x[0]
    >>> lk.define_flow(rule, parameters={"mu": 1.0}, dimension=2)
    rule(mu=1.0)
    """
    drive = {"input": input, "input_dt": input_dt, "interpolation": interpolation}
    return _define("flow", rule, parameters, dimension, jacobian, initial_state, dt, name, drive)


def define_map(
    rule,
    *,
    parameters=None,
    dimension=None,
    jacobian=None,
    initial_state=None,
    name=None,
    input=None,
    input_dt=1.0,
    interpolation="hold",
):
    """An own map x <- rule(x, **parameters); see `define_flow`.

    >>> import lyapkit as lk
    >>> lk.define_map(lambda x, r: r * x * (1 - x), parameters={"r": 3.7}, dimension=1, name="own")
    own(r=3.7)
    """
    drive = {"input": input, "input_dt": input_dt, "interpolation": interpolation}
    return _define("map", rule, parameters, dimension, jacobian, initial_state, 1.0, name, drive)


def _define(kind, rule, parameters, dimension, jacobian, initial_state, dt, name, drive):
    if not callable(rule):
        raise TypeError(f"rule: given {rule!r}, accepted: a function rule(x, ...)")
    if parameters is not None and not hasattr(parameters, "items"):
        raise TypeError(f"parameters: given {parameters!r}, accepted: a mapping from names to values")
    if not (isinstance(dt, int | float) and 0 < dt < np.inf):
        raise ValueError(f"dt: given {dt!r}, accepted: a number above 0")
    names, defaults, special = rule_signature(rule, parameters or {})
    values = {**defaults, **(parameters or {})}
    for given in values:
        if given not in names:
            raise ValueError(f"parameters: {given!r} is not an argument of the rule ({names})")
    missing = [n for n in names if n not in values]
    if missing:
        raise ValueError(f"parameters: {missing[0]!r} has no value")
    values = {n: values[n] for n in names}
    inputs = _input_count(drive["input"], "u" in special)
    values |= drive if inputs else {}
    state = _initial_state(initial_state, dimension)
    described = Model(
        name or getattr(rule, "__name__", "rule"), kind, rule, values, lambda p: len(state),
        lambda p: state, _equation_text(kind, rule), dt=dt, jacobian=jacobian, inputs=inputs,
    )  # fmt: skip
    system = System(described, values)
    system.cell  # noqa: B018 - trace now, so that a bad rule is refused here
    if jacobian is not None:
        check_jacobian(system, jacobian)
    return system


def _input_count(given, wanted):
    """Components of the input of a rule that wants one (0: none); refuses one without the other."""
    if not wanted and given is None:
        return 0
    if not wanted:
        raise ValueError("input: given, but the rule takes no u; accepted: a rule with an argument u")
    if given is None:
        raise ValueError("input: not given, but the rule takes u; accepted: samples, or a function of time")
    return np.size(given(0.0)) if callable(given) else checked_input("input", given).shape[1]


def _initial_state(initial_state, dimension):
    if dimension is None and initial_state is None:
        raise ValueError("dimension: not given; accepted: the number of units of the state")
    if dimension is not None and (
        isinstance(dimension, bool) or not isinstance(dimension, int | np.integer) or dimension < 1
    ):
        raise ValueError(f"dimension: given {dimension!r}, accepted: a whole number of at least 1")
    if initial_state is None:
        return np.random.default_rng(0).uniform(0.1, 0.5, dimension)
    try:
        state = np.atleast_1d(np.asarray(initial_state, dtype=float))
    except (TypeError, ValueError):
        raise TypeError(f"initial_state: given {initial_state!r}, accepted: real numbers") from None
    if state.ndim != 1 or (dimension is not None and len(state) != dimension):
        raise ValueError(f"initial_state: given shape {state.shape}, accepted: ({dimension},)")
    if not np.isfinite(state).all():
        raise ValueError(f"initial_state: given {state.tolist()}, accepted: finite numbers")
    return state


def _equation_text(kind, rule):
    if hasattr(rule, "equation"):  # a symbolic system knows its formulas
        return rule.equation
    left = "x' = " if kind == "flow" else "x <- "
    return left + f"{getattr(rule, '__name__', 'rule')}{inspect.signature(rule)}"


def check_jacobian(system, jacobian, states=None):
    """Compare a given Jacobian with the system's own tangent; ValueError shows both where they differ.

    At `states` (points, n), default three near the initial one.
    """
    generator = np.random.default_rng(1)
    if states is None:
        states = system.initial_state + 0.3 * generator.standard_normal((3, system.dimension))
    exact = system.cell.tangent.startswith("exact")
    tolerance = 1e-8 if exact else 1e-5
    arguments = _arguments(system)
    for x in states:
        given = np.asarray(jacobian(x, **arguments), dtype=float)
        own = jacobian_matrix(system, x) if exact else _differences(system, x)
        if given.shape != own.shape:
            raise ValueError(f"jacobian: returned shape {given.shape}, accepted: {own.shape}")
        wrong = ~np.isclose(given, own, rtol=tolerance, atol=tolerance, equal_nan=True)
        if wrong.any():
            i, j = map(int, np.argwhere(wrong)[0])
            raise ValueError(
                f"jacobian: entry [{i}, {j}] at x = {np.round(x, 6).tolist()} is {given[i, j]:.10g}, "
                f"but the rule's own derivative is {own[i, j]:.10g}"
            )


def _arguments(system):
    """The rule's keywords, the time 0 and the input then included where it takes them."""
    visible = {k: system.parameters[k] for k in system.model.lane_parameters(system.parameters)}
    special = rule_signature(system.model.rule, visible)[2]
    now = {"t": 0.0} if "t" in special else {}
    if "u" in special:
        given = system.parameters["input"]
        now["u"] = np.atleast_1d(given(0.0)) if callable(given) else given[0]
    return visible | now


def _differences(system, x):
    """Central differences of the rule itself, to check a Jacobian that the cell will use."""
    rule, parameters = system.model.rule, _arguments(system)
    step = 6e-6 * max(1.0, float(np.abs(x).max()))
    columns = [
        (np.ravel(rule(x + e, **parameters)) - np.ravel(rule(x - e, **parameters))) / (2 * step)
        for e in step * np.eye(len(x))
    ]
    return np.array(columns, dtype=float).T
