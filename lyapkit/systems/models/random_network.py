"""A rate network with independent Gaussian weights, as a flow or a map."""

import functools
import math

import numpy as np

from lyapkit import systems
from lyapkit.systems.models._networks import row_sums, tanh
from lyapkit.systems.network import network_model
from lyapkit.systems.system import System


@functools.lru_cache(maxsize=8)
def _gaussian(n, seed):
    """N(0, 1) / sqrt(n)."""
    matrix = np.random.default_rng(seed).standard_normal((n, n)) / math.sqrt(n)
    matrix.setflags(write=False)
    return matrix


def _weights(parameters):
    return {"J": _gaussian(parameters["n"], parameters["seed"])}


def _box(parameters):
    side = abs(parameters["gain"]) * row_sums(_gaussian(parameters["n"], parameters["seed"]))
    return -side, side


def _flow(x, u, J, gain):
    return gain * (J @ tanh(x)) - x


def _map(x, u, J, gain):
    return gain * (J @ tanh(x))


def _as_network(parameters):
    J, kind = parameters["gain"] * parameters["J"], parameters["kind"]
    return getattr(systems, f"rate_{kind}")(J=J)


_EQUATIONS = {"flow": "x' = -x + gain J tanh(x)", "map": "x <- gain J tanh(x)"}
_MODELS = {
    kind: network_model(
        rule, "random_network", kind, f"{_EQUATIONS[kind]}, J = N(0, 1) / sqrt(n)", {"x": "x"}, {"J": ("x", "x")}, {},
        {"kind": {kind: None}}, 0.1, {"n": 100, "gain": 1.5, "kind": kind, "seed": 0},
        sizes=("n",), structural=("seed",), make=_weights, box=_box, as_network=_as_network,
    )
    for kind, rule in (("flow", _flow), ("map", _map))
}  # fmt: skip


def random_network(n=100, gain=1.5, kind="flow", seed=0):
    """A rate network with weights gain N(0, 1) / sqrt(n): x' = -x + J tanh(x), or x <- J tanh(x) where kind="map".

    Sompolinsky, Crisanti & Sommers, Phys. Rev. Lett. 61 (1988) 259: for large n at rest below gain 1, chaotic above.
    `gain` and `seed` may be scanned; the same seed gives the same weights and, with them, the same start.

    >>> import lyapkit as lk
    >>> lk.random_network(n=50, gain=2.0)
    random_network(n=50, gain=2.0, kind='flow', seed=0)
    """
    if kind not in _MODELS:
        raise ValueError(f"kind: given {kind!r}, accepted: flow, map")
    return System(_MODELS[kind], {"n": n, "gain": gain, "kind": kind, "seed": seed})


random_network.model = _MODELS["flow"]
