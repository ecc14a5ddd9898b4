"""What the flow and the map of coupled oscillators share."""

import numpy as np

from lyapkit.systems.models._networks import tanh
from lyapkit.systems.network import weights

COMPONENTS = {"y": "y", "z": "y"}
MATRICES = {"W": ("y", "y"), "Wdot": ("y", "y"), "V": ("y", "input")}
W, WDOT = weights(4, 1.0, 0), weights(4, 0.5, 1)


def box(parameters):
    """z = 0 and |gamma y| = |tanh| < 1."""
    gamma = abs(parameters["gamma"])
    if gamma == 0.0 or parameters.get("dt") == 0.0:
        return None
    side = np.repeat([1.0 / gamma, 1.0], parameters["W"].shape[0])
    return -side, side


def force(y, z, u, W, Wdot, b, V, gamma, epsilon):
    """z' of coupled damped oscillators."""
    return tanh(W @ y + Wdot @ z + b + V @ u) - gamma * y - epsilon * z
