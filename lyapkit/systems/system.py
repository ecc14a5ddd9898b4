"""`System`: a model with its parameters set; and the decorator that makes a rule a model."""

import dataclasses
import functools
import html
import inspect
import numbers
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from lyapkit import systems
from lyapkit.nearest import nearest
from lyapkit.systems.cell import make_cell
from lyapkit.systems.inputs import INPUT, checked_input
from lyapkit.systems.layout import Data, Lanes
from lyapkit.systems.matrices import equal


@dataclasses.dataclass(frozen=True, eq=False)
class Model:
    """What all systems of one name share.

    `dimension` and `initial_state` are functions of the parameters (of those that cannot be scanned); `sizes`
    are parameters that the rule does not see (they only fix the dimension). `ranges` maps parameters to
    (start, stop, count), the plane that a scan takes by default; curves(ranges, parameters) gives
    closed-form bifurcation curves over it as label -> {parameter: values}.
    box(parameters) gives (low, high), numbers or (n,), of a box that holds all fixed points, or None.
    `dt` is the step with which fourth order leaves errors far below what a plot shows.
    """

    name: str
    kind: str
    rule: Callable
    defaults: Mapping
    dimension: Callable
    initial_state: Callable
    equation: str
    sizes: tuple = ()
    ranges: Mapping = dataclasses.field(default_factory=dict)
    curves: Callable | None = None
    dt: float = 0.05
    jacobian: Callable | None = None
    box: Callable | None = None  # parameters -> (low, high) around all fixed points, or None where not known
    blocks: Callable | None = None  # parameters -> independent parts or None, see `models._blocks`
    inputs: int = 0  # components of the input that the rule takes as u
    structural: tuple = ()  # whole numbers that change more than numbers in lanes, but may be scanned
    as_network: Callable | None = None  # parameters -> the System of weights that it is, where it is written otherwise
    pickled: tuple = ()  # (function, arguments before the parameters) that makes a system again, of no built-in name
    _cells: dict = dataclasses.field(default_factory=dict)
    _lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    def checked(self, name, value):
        """A parameter as it is kept: a number or an unwritable array of the default's dimensions."""
        if self.inputs and name in INPUT:
            return checked_input(name, value)
        if name in self.sizes:
            return _checked_size(name, value)
        if name in self.structural:
            return _checked_size(name, value, 0)
        return _checked_numbers(name, value, len(np.shape(self.defaults[name])))

    def derived(self, parameters):
        """What is made of the parameters once for each system, such as random weights: name -> value."""
        return {}

    def check_together(self, parameters):
        """Refuse parameters that do not fit each other."""
        self.dimension(parameters)
        given = parameters["input"] if self.inputs else None
        if self.inputs and given is None:
            raise ValueError("input: given None, but the rule takes u; accepted: samples, or a function of time")
        if isinstance(given, np.ndarray) and given.shape[1] != self.inputs:
            raise ValueError(f"input: given shape {given.shape}, accepted: (time, {self.inputs})")

    def input_count(self, parameters):
        """Components of the input."""
        return self.inputs

    def lane_parameters(self, parameters):
        """Names of the parameters that may differ from lane to lane."""
        idle = {*self.sizes, *(INPUT if self.inputs else ())}
        return [name for name in parameters if name not in idle]

    def data(self, parameters):
        """What all lanes of a system share."""
        return Data(Lanes(self.dimension(parameters)))

    def cell(self, parameters):
        """The compiled cell for these parameters' shapes."""
        visible = {k: parameters[k] for k in self.lane_parameters(parameters)}
        key = (self.dimension(parameters), *((k, np.shape(v)) for k, v in visible.items()))
        with self._lock:
            if key not in self._cells:
                self._cells[key] = make_cell(self.rule, self.kind, key[0], visible, self.jacobian, self.inputs)
        return self._cells[key]


class System:
    """A dynamical system with all its parameters; frozen.

    >>> import lyapkit as lk
    >>> system = lk.systems.rotation_flow(alpha=2.0, theta=0.7)
    >>> system
    rotation_flow(alpha=2.0, theta=0.7)
    >>> system.kind, system.dimension, system.with_(alpha=3.0).parameters["alpha"]
    ('flow', 2, 3.0)
    """

    __slots__ = ("_model", "_parameters", "_derived", "_data")

    def __init__(self, model, parameters):
        object.__setattr__(self, "_model", model)
        object.__setattr__(self, "_parameters", MappingProxyType(_checked(model, parameters)))
        derived = {**self._parameters, **model.derived(self._parameters)}
        object.__setattr__(self, "_derived", MappingProxyType(derived))
        object.__setattr__(self, "_data", None)
        model.check_together(self._derived)

    def __setattr__(self, name, value):
        raise AttributeError("a System is frozen; with_(**changes) gives a changed copy")

    def __copy__(self):
        return self  # frozen

    def __deepcopy__(self, memory):
        return self

    def __reduce__(self):
        """A built-in system is pickled by name; an own one cannot be, as its rule is a local thing."""
        if self._model.pickled:
            made_by, arguments = self._model.pickled
            return made_by, (*arguments, self.parameters)
        if self.name in systems.names() and _built_in(self.name, self.parameters).model is self._model:
            return _built_in, (self.name, self.parameters)
        raise TypeError(f"{self.name} is no built-in system and cannot be pickled; define it again instead")

    @property
    def name(self):
        """Its model's name."""
        return self._model.name

    @property
    def kind(self):
        """ "flow" or "map"."""
        return self._model.kind

    @property
    def model(self):
        """What it shares with all systems of its name (see `Model`)."""
        return self._model

    @property
    def parameters(self):
        """Its parameters, as a new dict."""
        return dict(self._parameters)

    @property
    def derived_parameters(self):
        """Its parameters and what is made of them once, such as random weights, as a new dict."""
        return dict(self._derived)

    def box(self, **values):
        """(low (n,), high (n,)) around all its fixed points with these numbers changed; None where not known."""
        found = self._model.box(self._derived | values) if self._model.box else None
        if found is None:
            return None
        return tuple(np.array(np.broadcast_to(side, self.dimension), dtype=float) for side in found)

    @property
    def dimension(self):
        """Number of units of the state."""
        return self._model.dimension(self._derived)

    @property
    def equation(self):
        """Its equation as text."""
        return self._model.equation

    @property
    def initial_state(self):
        """The state (unit,) from which the verbs start unless told otherwise."""
        return np.array(self._model.initial_state(self._derived), dtype=float)

    @property
    def cell(self):
        """Its compiled kernels."""
        return self._model.cell(self._derived)

    @property
    def data(self):
        """What all its lanes share (see `systems.layout`), made when first asked for."""
        if self._data is None:
            object.__setattr__(self, "_data", self._model.data(self._derived))
        return self._data

    def with_(self, **changes):
        """A copy with some parameters changed."""
        return System(self._model, {**self._parameters, **changes})

    def raw_parameters(self, lanes=1, **values):
        """The numbers that the cell prepares (rows, lanes); `values` holds what differs by lane."""
        rows = []
        for name in self._model.lane_parameters(self._parameters):
            value = self._parameters[name]
            if name in values:
                rows.append(np.asarray(values[name], dtype=float)[None])
            else:
                rows.append(np.repeat(np.ravel(value)[:, None], lanes, axis=1))
        return np.concatenate(rows) if rows else np.empty((0, lanes))

    @property
    def given_parameters(self):
        """The parameters that say something: without those that are not there, and how they would be taken."""
        idle = ("input_dt", "interpolation") if self._parameters.get("input", "") is None else ()
        return {k: v for k, v in self._parameters.items() if v is not None and k not in idle}

    def __eq__(self, other):
        if not isinstance(other, System):
            return NotImplemented
        same = self._model is other._model and self._parameters.keys() == other._parameters.keys()
        return same and all(equal(v, other._parameters[k]) for k, v in self._parameters.items())

    __hash__ = None

    def __repr__(self):
        return f"{self.name}({', '.join(f'{k}={_short(v)}' for k, v in self.given_parameters.items())})"

    def _repr_html_(self):
        rows = "".join(
            f"<tr><td>{html.escape(k)}</td><td>{html.escape(_short(v))}</td></tr>"
            for k, v in self.given_parameters.items()
        )
        return (
            f"<b>{html.escape(self.name)}</b> ({self.kind}, {self.dimension} units)<br>"
            f"<code>{html.escape(self.equation)}</code><table>{rows}</table>"
        )


def _built_in(name, parameters):
    return getattr(systems, name)(**parameters)


def _short(value):
    shape = getattr(value, "shape", ())
    return f"<array {'x'.join(map(str, shape))}>" if shape else repr(value)


def _checked(model, parameters):
    """The parameters, complete and converted; refuses unknown names and bad values."""
    for name in parameters:
        if name not in model.defaults:
            raise ValueError(unknown_parameter(model, name))
    return {name: model.checked(name, parameters.get(name, d)) for name, d in model.defaults.items()}


def unknown_parameter(model, name):
    """The message for a parameter that the model does not have."""
    accepted = ", ".join(model.defaults) or "none"
    return f"parameter {name!r} is unknown to {model.name}{nearest(name, model.defaults)}; accepted: {accepted}"


def _checked_size(name, value, least=1):
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or value < least or value % 1:
        raise ValueError(f"{name}: given {value!r}, accepted: a whole number of at least {least}")
    return int(value)


def _checked_numbers(name, value, dimensions):
    try:
        array = np.array(value, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: given {value!r}, accepted: real numbers") from None
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: given {value!r}, accepted: finite numbers")
    if array.ndim != dimensions:
        wanted = "a number" if not dimensions else f"an array of {dimensions} dimensions"
        raise ValueError(f"{name}: given an array of shape {array.shape}, accepted: {wanted}")
    if array.ndim == 0:
        return float(array)
    array.setflags(write=False)
    return array


def model(
    kind, equation, initial_state, *, dimension=None, sizes=(), ranges=None, curves=None, dt=0.05, box=None,
    as_network=None,
):  # fmt: skip
    """Make a rule the constructor of a built-in system; its keyword defaults are the parameters'."""

    def decorate(rule):
        if not callable(initial_state):
            state = lambda parameters: initial_state  # noqa: E731
        else:
            state = initial_state
        size = dimension or (lambda parameters: len(state(parameters)))
        defaults = {p.name: p.default for p in inspect.signature(rule).parameters.values() if p.default is not p.empty}
        described = Model(
            rule.__name__, kind, _without_sizes(rule, sizes), defaults, size, state, equation,
            tuple(sizes), ranges or {}, curves, dt, box=box, as_network=as_network,
        )  # fmt: skip
        return construct(rule, described)

    return decorate


def _without_sizes(rule, sizes):
    """The rule as its cell sees it: the sizes, which it needs no more, left at their defaults."""
    if not sizes:
        return rule
    signature = inspect.signature(rule)
    kept = [p for p in signature.parameters.values() if p.name not in sizes]

    @functools.wraps(rule)
    def seen(*args, **keywords):
        return rule(*args, **keywords)

    seen.__signature__ = signature.replace(parameters=kept)
    return seen


def construct(rule, described):
    """The constructor of a model's systems, documented as its rule is."""

    @functools.wraps(rule)
    def constructor(*args, **parameters):
        if len(args) > len(described.defaults):
            raise TypeError(f"{described.name} takes {len(described.defaults)} parameters at most")
        positional = dict(zip(described.defaults, args, strict=False))
        for name in positional.keys() & parameters.keys():
            raise TypeError(f"{name}: given twice, by position and by name")
        return System(described, {**positional, **parameters})

    keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, keyword, default=d) for name, d in described.defaults.items()]
    constructor.__signature__ = inspect.Signature(parameters)
    constructor.model = described
    return constructor


def as_system(argument):
    """The System meant by a System or one of its constructors."""
    if isinstance(argument, System):
        return argument
    if callable(argument) and isinstance(getattr(argument, "model", None), Model):
        return argument()
    raise TypeError(
        f"system: given {argument!r}, accepted: a System such as lyapkit.systems.rotation_flow() or its constructor"
    )
