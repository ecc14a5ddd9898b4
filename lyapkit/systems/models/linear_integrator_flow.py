"""tau x' = -x + W x + V u."""

import numpy as np

from lyapkit.systems.matrices import dense
from lyapkit.systems.models import _linear
from lyapkit.systems.network import network

# eigenvalue 1 along (1, 1): a line of fixed points
_TUNED = np.full((2, 2), 0.5)


def _box(parameters):
    if parameters["V"] is not None:
        return None
    W = dense(parameters["W"])
    return _linear.box(W - np.eye(len(W)))


@network(
    "flow",
    "tau x' = -x + W x + V u",
    components={"x": "x"},
    matrices={"W": ("x", "x"), "V": ("x", "input")},
    box=_box,
)
def linear_integrator_flow(x, u, W=_TUNED, V=None, tau=1.0):
    """The linear integrator: tau x' = -x + W x + V u, a continuous attractor where W has the eigenvalue 1.

    Seung, PNAS 93 (1996) 13339. Exponents are (Re eig(W) - 1) / tau, 0 and -1 / tau at the defaults.

    >>> import lyapkit as lk
    >>> lk.lyapunov_spectrum(lk.systems.linear_integrator_flow()).lyapunov_exponent.values.round(6)
    array([ 0., -1.])
    """
    return (W @ x - x + V @ u) / tau
