"""x <- relu(x)."""

import numpy as np

from lyapkit.systems.system import model


def _as_network(parameters):
    from lyapkit.systems.models.rnn_map import rnn_map  # for those who ask only

    return rnn_map(W=np.eye(parameters["n"]), activation="relu")


@model(
    "map",
    "x <- relu(x)",
    lambda p: np.full(p["n"], 0.5),
    dimension=lambda p: p["n"],
    sizes=("n",),
    as_network=_as_network,
)
def identity_relu_map(x, n=2):
    """The identity of n units with relu: x <- relu(x), every point of the positive orthant rests.

    Le, Jaitly & Hinton, arXiv:1504.00941 (2015), as initialisation. All exponents are 0.

    >>> import lyapkit as lk
    >>> lk.lyapunov_spectrum(lk.systems.identity_relu_map(n=3)).lyapunov_exponent.values
    array([0., 0., 0.])
    """
    return np.maximum(x, 0.0)
