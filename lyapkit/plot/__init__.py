"""Plots: Dataset in, Axes out. Each function takes ``ax=``; without it a new figure is made.

matplotlib is loaded when the first plot is asked for.
"""

import importlib

# public name -> its module; never the same word, or importing the module would hide the function
_PUBLIC = {
    "plane": "planes", "spectrum": "spectra", "phase_portrait": "portraits", "cycle": "cycles", "atlas": "atlases",
    "bifurcation_diagram": "diagrams", "branch": "branches", "tongues": "tongue_plot",
    "learning_signal": "learning_signals", "adjoint": "learning_signals", "horizon": "learning_signals",
    "robustness": "robustness_plot",
}  # fmt: skip

__all__ = list(_PUBLIC)


def __getattr__(name):
    if name in _PUBLIC:
        value = getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
