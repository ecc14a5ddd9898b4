"""What the flow and the map of coupled oscillators share."""

from lyapkit.systems.models._networks import tanh
from lyapkit.systems.network import weights

COMPONENTS = {"y": "y", "z": "y"}
MATRICES = {"W": ("y", "y"), "Wdot": ("y", "y"), "V": ("y", "input")}
W, WDOT = weights(4, 1.0, 0), weights(4, 0.5, 1)


def force(y, z, u, W, Wdot, b, V, gamma, epsilon):
    """z' of coupled damped oscillators."""
    return tanh(W @ y + Wdot @ z + b + V @ u) - gamma * y - epsilon * z
