"""What the network models share: activation functions, and the words of their equations."""

from lyapkit.systems.expression import function
from lyapkit.systems.matrices import dense
from lyapkit.systems.network import weights
from lyapkit.systems.notation import maximum, minimum, where

WEIGHTS = weights()  # of the networks that were given none

tanh, sigmoid = function("tanh"), function("sigmoid")


def identity(u):
    """u."""
    return u


def relu(u):
    """max(u, 0), with the slope 1 at 0 (PyTorch: 0); NaN of NaN, so that an orbit that overflows does not rest at 0."""
    return where(u < 0.0, 0.0, u)


def hard_tanh(u):
    """u cut off at -1 and 1."""
    return minimum(maximum(u, -1.0), 1.0)


# activation -> the interval that holds all its values
RANGES = {
    "tanh": (-1.0, 1.0), "erf": (-1.0, 1.0), "sigmoid": (0.0, 1.0), "hard_tanh": (-1.0, 1.0), "hard tanh": (-1.0, 1.0),
}  # fmt: skip


def range_box(parameters):
    """The range of the activation, in which x = phi(...) lies; None where it has no bound."""
    return RANGES.get(parameters["activation"])


def rate_box(parameters):
    """|x| = |J phi(x) + b + V u| for a bounded phi; None where it has none."""
    if parameters["activation"] not in RANGES:
        return None
    if parameters.get("dt") == 0.0:  # everything rests
        return None
    side = row_sums(parameters["J"]) + abs(parameters["b"]) + drive(parameters, "V")
    return -side, side


def row_sums(matrix):
    """Sums of |weights| (n,), a little more than exact."""
    return abs(dense(matrix)).sum(axis=1) * (1.0 + 1e-9)


def drive(parameters, name):
    """The largest |V u| (n,), 0 without input."""
    given, matrix = parameters.get("input"), parameters[name]
    if given is None or matrix is None:
        return 0.0
    return abs(dense(matrix)) @ abs(given).max(axis=0) * (1.0 + 1e-9)


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
