"""What the block-diagonal networks share: their weights, and the blocks as systems of their own."""

import numpy as np

from lyapkit.systems.expression import function
from lyapkit.systems.inputs import INPUT
from lyapkit.systems.matrices import dense

tanh = function("tanh")
ALPHA, THETA = np.array([1.5, 2.0]), np.array([0.7, 1.1])


def weights(parameters):
    """W: alpha_i R(theta_i) on the diagonal, sparse; with a coupling dense."""
    import scipy.sparse

    alpha, theta, coupling = parameters["alpha"], parameters["theta"], parameters["coupling"]
    if not alpha.size:
        raise ValueError("alpha: given no block, accepted: at least one")
    if alpha.shape != theta.shape:
        raise ValueError(f"theta: given shape {theta.shape}, accepted: {alpha.shape}, one angle for each block")
    c, s = alpha * np.cos(theta), alpha * np.sin(theta)
    blocks = np.stack([np.stack([c, -s], -1), np.stack([s, c], -1)], -2)
    diagonal = scipy.sparse.csr_array(scipy.sparse.block_diag(list(blocks), format="csr"))
    if coupling is None:
        return {"W": diagonal}
    if coupling.shape != diagonal.shape:
        raise ValueError(f"coupling: given shape {coupling.shape}, accepted: {diagonal.shape}")
    return {"W": diagonal.toarray() + (coupling if isinstance(coupling, np.ndarray) else coupling.toarray())}


def blocks(block, parameters):
    """(system of one block, its parameters (blocks,)) where the blocks do not know of each other, else None."""
    if parameters["coupling"] is not None or parameters["input"] is not None or np.any(parameters["b"]):
        return None
    return block, {"alpha": parameters["alpha"], "theta": parameters["theta"]}


def as_network(network):
    """parameters -> the network without blocks that it is; `network` is the name of its constructor."""

    def made(parameters):
        from lyapkit import systems

        numbers = {name: parameters[name] for name in ("b", "V", *INPUT)}
        return getattr(systems, network)(W=dense(parameters["W"]), **numbers)

    return made


KEYWORDS = {
    "box": lambda parameters: (-1.0, 1.0),
    "components": {"x": "x"},
    "matrices": {"W": ("x", "x"), "V": ("x", "input")},
    "vectors": {"b": "x"},
    "ingredients": {"alpha": "vector", "theta": "vector", "coupling": "matrix"},
    "make": weights,
}
