"""Dynamical systems: `lyapkit.systems.<name>(**parameters)`, and own ones.

``names()`` lists the built-in systems. Each is one file in the folder ``models``, found by walking it.
"""

import importlib
import pathlib

from lyapkit.nearest import nearest

_MODELS = pathlib.Path(__file__).parent / "models"


def names():
    """Names of all built-in systems.

    >>> import lyapkit as lk
    >>> "rotation_flow" in lk.systems.names()
    True
    """
    return sorted(p.stem for p in _MODELS.glob("*.py") if not p.stem.startswith("_"))


def __getattr__(name):
    if name.startswith("_") or name not in names():
        raise AttributeError(f"there is no system {name!r}{nearest(name, names())}")
    return getattr(importlib.import_module(f"{__name__}.models.{name}"), name)


def __dir__():
    return [*names(), "names"]
