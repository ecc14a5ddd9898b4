"""Propagators, one per file: each advances the state and its tangent frame together.

A file states ``ORDER`` (None for a map), ``SOURCE``, ``LONGEST_INTERVAL`` (most steps between two
orthonormalisations of the frame, a power of 2 up to `tangent.WINDOW`), ``TABLEAU`` (an explicit Runge-Kutta method as
rows (c_i, a_i0, a_i1, ...), the weights b in the last row) and the kernel ``step``.

A file with ``ADAPTIVE = True`` also states ``ESTIMATES`` (weights of the error), ``SPAN`` (steps of a model that its
own step spans by default), ``RTOL`` and ``ATOL``. Its step ends where a fixed one would, see `_control`.
"""

import importlib
import pkgutil


def names():
    """All propagators, found by walking this folder."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))


def propagator(name):
    """The module of the propagator `name`."""
    return importlib.import_module(f"{__name__}.{name}")


def is_adaptive(module):
    """Whether the propagator chooses the length of its substeps."""
    return getattr(module, "ADAPTIVE", False)


def span(module):
    """Steps of a model that one step of the propagator spans by default."""
    return module.SPAN if is_adaptive(module) else 1
