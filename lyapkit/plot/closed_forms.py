"""Bifurcation curves that a system knows in closed form, drawn over a plane."""

import numpy as np
from matplotlib import patheffects

from lyapkit import systems
from lyapkit.plot.labels import fixed_parameters

_DASHES = ("solid", (0, (5, 2)), (0, (1, 1.4)), (0, (6, 2, 1, 2)))


def curves_of(ds):
    """The curves label -> {"alpha": values, "theta": values} of the system that a scan ran; {} if none.

    A system of the user's own may bear the name of a built-in one: the equation decides.
    """
    name = ds.attrs.get("system", "")
    if name not in systems.names():
        return {}
    model = getattr(systems, name).model
    if model.curves is None or model.equation != ds.attrs.get("equation"):
        return {}
    ranges = {k: (float(ds[k].min()), float(ds[k].max())) for k in ("alpha", "theta")}
    return model.curves(ranges, {**model.defaults, **fixed_parameters(ds)})


def draw_curves(ax, ds):
    """Draw them within the present limits of the Axes; returns the lines that are seen."""
    limits = ax.get_xlim(), ax.get_ylim()
    lines = []
    for (label, curve), dashes in zip(curves_of(ds).items(), _DASHES, strict=False):
        seen = _inside(curve["alpha"], limits[0]) & _inside(curve["theta"], limits[1])
        if seen.any():
            lines += ax.plot(
                curve["alpha"], curve["theta"], color="black", lw=1.4, ls=dashes, label=label,
                path_effects=[patheffects.Stroke(linewidth=2.6, foreground="white", alpha=0.75),
                              patheffects.Normal()],
            )  # fmt: skip
    ax.set(xlim=limits[0], ylim=limits[1])
    return lines


def _inside(values, limits):
    return (np.asarray(values) >= limits[0]) & (np.asarray(values) <= limits[1])
