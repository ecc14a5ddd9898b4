"""The systems of the (alpha, theta) plane as networks of two units, whose weights are free: W for alpha R(theta)."""

import numpy as np

from lyapkit.systems.expression import function
from lyapkit.systems.network import network_model
from lyapkit.systems.system import System

_tanh = function("tanh")


def _flow(x, u, W):
    return _tanh(W @ x) - x


def _map(x, u, W):
    return _tanh(W @ x)


def _euler(x, u, W, h):
    return x + h * (_tanh(W @ x) - x)


def _literal_map(x, u, W):
    return x + _tanh(W @ x)


def _gru_flow(x, u, W):
    return 0.5 * (_tanh(0.5 * (W @ x)) - x)


def _gru_map(x, u, W):
    return 0.5 * (x + _tanh(0.5 * (W @ x)))


_RULES = {
    "rotation_flow": (_flow, "flow", "x' = -x + tanh(W x)"),
    "rotation_map": (_map, "map", "x <- tanh(W x)"),
    "rotation_euler": (_euler, "map", "x <- x + h (-x + tanh(W x))"),
    "rotation_literal_flow": (_map, "flow", "x' = tanh(W x)"),
    "rotation_literal_map": (_literal_map, "map", "x <- x + tanh(W x)"),
    "rotation_gru_flow": (_gru_flow, "flow", "h' = (-h + tanh(W h / 2)) / 2"),
    "rotation_gru_map": (_gru_map, "map", "h <- (h + tanh(W h / 2)) / 2"),
}


def _model(rule, kind, equation):
    numbers = {"h": 1.0} if rule is _euler else {}
    return network_model(
        rule, rule.__name__, kind, equation, {"x": "x"}, {"W": ("x", "x")}, {}, {}, 0.05, {"W": np.eye(2)} | numbers
    )


_MODELS = {name: _model(*described) for name, described in _RULES.items()}


def network(name, parameters):
    """The network of two units with W = alpha R(theta)."""
    c, s = (parameters["alpha"] * f(parameters["theta"]) for f in (np.cos, np.sin))
    numbers = {name: value for name, value in parameters.items() if name == "h"}
    return System(_MODELS[name], {"W": np.array([[c, -s], [s, c]]), **numbers})
