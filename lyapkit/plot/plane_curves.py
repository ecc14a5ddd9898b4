"""Bifurcation curves over a plane: those of the Dataset, else those that the system knows in closed form."""

import numpy as np
from matplotlib import patheffects

from lyapkit import systems
from lyapkit.flags import CODIMENSION_TWO, CURVE_KIND, CURVE_SOURCE
from lyapkit.plot.labels import fixed_parameters

_DASHES = ("solid", (0, (5, 2)), (0, (1, 1.4)), (0, (6, 2, 1, 2)))
_LABELS = {"hopf": "Hopf", "fold": "fold", "neimark_sacker": "Neimark-Sacker", "period_doubling": "period doubling"}
# points of codimension two as they are called on a curve
_SHORT = {
    "cusp": "CP", "bogdanov_takens": "BT", "bautin": "GH", "zero_hopf": "ZH", "hopf_hopf": "HH", "resonance_1_1": "1:1",
    "resonance_1_2": "1:2", "resonance_1_3": "1:3", "resonance_1_4": "1:4", "chenciner": "CH",
    "generalized_period_doubling": "GPD", "fold_flip": "FF", "fold_neimark_sacker": "FNS",
    "flip_neimark_sacker": "PDNS", "double_neimark_sacker": "NSNS",
}  # fmt: skip
_HALO = [patheffects.Stroke(linewidth=2.6, foreground="white", alpha=0.75), patheffects.Normal()]
_SAME = 0.01  # distance, in the axes' widths, of special points that one mark stands for


def curves_of(ds):
    """The curves label -> {"alpha": values, "theta": values} of the system that a scan ran; {} if none.

    A system of the user's own may bear the name of a built-in one: the equation decides.
    """
    name = ds.attrs.get("system", "")
    if name not in systems.names() or not {"alpha", "theta"} <= set(ds.coords):
        return {}
    model = getattr(systems, name).model
    if model.curves is None or model.equation != ds.attrs.get("equation"):
        return {}
    ranges = {k: (float(ds[k].min()), float(ds[k].max())) for k in ("alpha", "theta")}
    return model.curves(ranges, {**model.defaults, **fixed_parameters(ds)})


def stored_curves(ds, horizontal, vertical):
    """The Dataset's own curves label -> values (points, 2), NaN between separate ones; of each kind those computed."""
    place = [ds[f"curve_{name}"].values for name in (horizontal, vertical)]
    kinds, sources, numbers = (ds[f"curve_{name}"].values for name in ("kind", "source", "number"))
    found = {}
    for name, code in CURVE_KIND.items():
        of_kind = kinds == code
        computed = of_kind & (sources == CURVE_SOURCE["computed"])
        chosen = np.flatnonzero(computed if computed.any() else of_kind)
        if len(chosen):
            points = np.stack([column[chosen] for column in place], axis=1)
            found[_LABELS[name]] = np.insert(points, np.flatnonzero(np.diff(numbers[chosen])) + 1, np.nan, axis=0)
    return found


def draw_curves(ax, ds, horizontal, vertical):
    """Draw them within the present limits of the Axes; returns the lines that are seen."""
    limits = ax.get_xlim(), ax.get_ylim()
    stored = {"curve_kind", f"curve_{horizontal}", f"curve_{vertical}"} <= set(ds.variables)
    if stored:
        curves = stored_curves(ds, horizontal, vertical)
    else:
        known = curves_of(ds) if {horizontal, vertical} == {"alpha", "theta"} else {}
        curves = {k: np.stack([curve[horizontal], curve[vertical]], axis=1) for k, curve in known.items()}
    lines = []
    for number, (label, points) in enumerate(curves.items()):
        dashes = _DASHES[list(_LABELS.values()).index(label) if stored else number % len(_DASHES)]
        if (_inside(points[:, 0], limits[0]) & _inside(points[:, 1], limits[1])).any():
            lines += ax.plot(*points.T, color="black", lw=1.4, ls=dashes, label=label, path_effects=_HALO)
    if stored and "curve_codimension_two" in ds:
        _mark(ax, ds, horizontal, vertical, limits)
    ax.set(xlim=limits[0], ylim=limits[1])
    return lines


def _mark(ax, ds, horizontal, vertical, limits):
    """Dots and short names at points of codimension two."""
    place = np.stack([ds[f"curve_{name}"].values for name in (horizontal, vertical)], axis=1)
    codes = ds.curve_codimension_two.values
    names = {code: _SHORT[name] for name, code in CODIMENSION_TWO.items() if name in _SHORT}
    low, width = np.array(limits)[:, 0], np.diff(np.array(limits), axis=1)[:, 0]
    seen = []
    for point, code in zip(place, codes, strict=True):
        inside = _inside(point[0], limits[0]) & _inside(point[1], limits[1])
        known = any(code == other and (abs(point - there) <= _SAME * width).all() for other, there in seen)
        if code not in names or not inside or known:
            continue
        seen.append((code, point))
        left = (point[0] - low[0]) > 0.9 * width[0]
        down = (point[1] - low[1]) > 0.9 * width[1]
        ax.plot(*point, "o", ms=4, mfc="white", mec="black", clip_on=False, zorder=4)
        ax.annotate(
            names[code], point, (-5 if left else 5, -5 if down else 4), textcoords="offset points", fontsize=7.5,
            ha="right" if left else "left", va="top" if down else "bottom", path_effects=_HALO, zorder=4,
        )  # fmt: skip


def _inside(values, limits):
    return (np.asarray(values) >= limits[0]) & (np.asarray(values) <= limits[1])
