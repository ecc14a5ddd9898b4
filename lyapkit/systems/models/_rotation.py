"""What the systems of the (alpha, theta) plane share: tanh(alpha R(theta) x) and its curves."""

import math

import numpy as np

INITIAL_STATE = (0.5, 0.2)  # on no line of symmetry of the plane
FLOW_RANGES = {"alpha": (0.5, 4.0, 200), "theta": (0.0, math.pi / 2, 200)}


def box(parameters):
    """All fixed points are values of tanh."""
    return None if parameters.get("h") == 0.0 else (-1.0, 1.0)


def literal_box(parameters):
    """The origin is the only fixed point, unless all are."""
    return None if parameters["alpha"] == 0.0 else (-1.0, 1.0)


def rotated_tanh(x, alpha, theta):
    """tanh(alpha R(theta) x), R = [[cos, -sin], [sin, cos]]."""
    c, s = alpha * np.cos(theta), alpha * np.sin(theta)
    return np.tanh(c * x[0] - s * x[1]), np.tanh(s * x[0] + c * x[1])


def hopf_curve(ranges):
    """Hopf curve of x' = -x + tanh(alpha R x): alpha cos(theta) = 1, frequency tan(theta)."""
    alpha = np.linspace(1.0, max(1.0, ranges["alpha"][1]), 801)
    theta = np.arccos(1.0 / alpha)
    return {"alpha": alpha, "theta": theta}


def snic_curve(ranges):
    """Fold of fixed points on the invariant circle: theta_SN(alpha), below it nine fixed points."""
    alpha = np.linspace(1.0, max(1.0, ranges["alpha"][1]), 401)[1:]
    return {"alpha": np.append(1.0, alpha), "theta": np.append(0.0, snic_angle(alpha))}


def snic_angle(alpha):
    """theta_SN of each alpha > 1.

    A fixed point u = alpha R tanh(u) in the direction phi needs |u| = alpha |tanh u| and
    theta = arg tanh u - phi (up to its sign). Over phi in (0, pi/4) this theta has one maximum: the fold.
    """
    alpha = np.asarray(alpha, dtype=float)
    low, high = np.zeros_like(alpha), np.full_like(alpha, math.pi / 4)
    shrink = (math.sqrt(5.0) - 1.0) / 2.0
    for _ in range(45):  # golden section; the value at a maximum is exact to the square of 1e-8
        left, right = high - shrink * (high - low), low + shrink * (high - low)
        rising = _angle(alpha, left) < _angle(alpha, right)
        low, high = np.where(rising, left, low), np.where(rising, high, right)
    return _angle(alpha, 0.5 * (low + high))


def _angle(alpha, phi):
    """theta for which there is a fixed point with u in the direction phi."""
    c, s = np.cos(phi), np.sin(phi)
    low, high = np.zeros_like(alpha), 1.5 * alpha  # |tanh u| < sqrt(2)
    for _ in range(60):
        middle = 0.5 * (low + high)
        short = middle < alpha * np.hypot(np.tanh(middle * c), np.tanh(middle * s))
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    length = 0.5 * (low + high)
    return np.arctan2(np.tanh(length * s), np.tanh(length * c)) - phi


def as_network(name):
    """parameters -> the network of two units that the rotation system `name` is."""

    def network(parameters):
        from lyapkit.systems.models import _rotation_networks  # for those who ask only

        return _rotation_networks.network(name, parameters)

    return network
