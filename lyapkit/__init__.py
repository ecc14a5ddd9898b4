"""lyapkit: dynamical-systems analysis of recurrent networks.

Public names are loaded when first used, so that importing lyapkit costs next to nothing.
"""

import importlib

__version__ = "0.1.0"

# public name -> the module that defines it
_PUBLIC = {
    "System": "systems.system",
    "define_flow": "systems.define",
    "define_map": "systems.define",
    "symbolic_flow": "systems.symbolic",
    "symbolic_map": "systems.symbolic",
    "euler_map": "systems.euler_map",
    "LowRank": "systems.matrices",
    "white_noise": "systems.inputs",
    "random_network": "systems.models.random_network",
    "trajectory": "analyses.trajectory",
    "lyapunov_spectrum": "analyses.lyapunov_spectrum",
    "learning_signal": "analyses.learning_signal",
    "gradient_horizon": "analyses.gradient_horizon",
    "covariant_vectors": "analyses.covariant_vectors",
    "limit_cycle": "analyses.limit_cycle",
    "rotation_number": "analyses.rotation_number",
    "torus_frequencies": "analyses.torus_frequencies",
    "fixed_points": "analyses.fixed_points",
    "attractors": "analyses.attractors",
    "bifurcation_curve": "analyses.bifurcation_curve",
    "convert_coefficient": "analyses.conventions",
    "perturbation": "analyses.perturbation",
    "robustness": "analyses.robustness",
    "bifurcation_diagram": "analyses.bifurcation_diagram",
    "continuation": "analyses.continuation",
    "scan": "scanning",
    "hopf_map": "scanning.hopf_map",
    "atlas": "scanning.atlas",
    "discretisation_map": "scanning.discretisation_map",
    "tongues": "scanning.tongues",
    "save": "results",
    "load": "results",
    "load_network": "systems.weights",
    "block_diagonal_weights": "analyses.block_diagonal_weights",
    "torch_weights": "analyses.initial_weights.block_network",
    "save_weights": "analyses.initial_weights.block_network",
    "checkpoints": "analyses.checkpoints",
}
_MODULES = ("systems", "plot")

__all__ = ["__version__", *_PUBLIC, *_MODULES]


def __getattr__(name):
    if name in _PUBLIC:
        value = getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)
        globals()[name] = value
        return value
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
