"""x <- tanh(alpha R(theta) x)."""

import math

import numpy as np

from lyapkit.systems.models import _rotation
from lyapkit.systems.system import model


def _curves(ranges, parameters):
    theta = np.linspace(*ranges["theta"][:2], 401)
    unit_gain = {"alpha": np.ones_like(theta), "theta": theta}
    return {"Neimark-Sacker": unit_gain, "SNIC": _rotation.snic_curve(ranges)}


@model(
    "map",
    "x <- tanh(alpha R(theta) x)",
    _rotation.INITIAL_STATE,
    box=_rotation.box,
    ranges=_rotation.FLOW_RANGES,
    curves=_curves,
    as_network=_rotation.as_network("rotation_map"),
)
def rotation_map(x, alpha=2.0, theta=math.pi / 4):
    """x <- tanh(alpha R(theta) x): a map of two units, the Euler step h = 1 of rotation_flow.

    Neimark-Sacker bifurcation at alpha = 1 for every theta (multipliers exp(+-i theta)). Above it
    quasi-periodic circles (one zero exponent) and, more and more with alpha, locked cycles (none).

    >>> import lyapkit as lk
    >>> lk.systems.rotation_map().kind
    'map'
    """
    return _rotation.rotated_tanh(x, alpha, theta)
