"""What the network models share: activation functions, and the words of their equations."""

from lyapkit.systems.expression import function
from lyapkit.systems.network import weights
from lyapkit.systems.notation import maximum, minimum

WEIGHTS = weights()  # of the networks that were given none

tanh, sigmoid = function("tanh"), function("sigmoid")


def identity(u):
    """u."""
    return u


def relu(u):
    """max(u, 0)."""
    return maximum(u, 0.0)


def hard_tanh(u):
    """u cut off at -1 and 1."""
    return minimum(maximum(u, -1.0), 1.0)


ACTIVATIONS = {
    "tanh": tanh,
    "relu": relu,
    "sigmoid": sigmoid,
    "softplus": function("softplus"),
    "erf": function("erf"),
    "identity": identity,
    "hard_tanh": hard_tanh,
    "hard tanh": hard_tanh,
}
