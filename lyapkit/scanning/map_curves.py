"""Bifurcation curves over a plane of parameters, computed and in closed form, one after the other in flat arrays."""

import numpy as np

from lyapkit.analyses.bifurcation_curve import bifurcation_curve
from lyapkit.analyses.bifurcations.curve_problems import KINDS
from lyapkit.flags import CODIMENSION_TWO, CURVE_KIND, CURVE_SOURCE

# what the closed forms of the systems are called -> their kind
_CALLED = {"Hopf": "hopf", "SNIC": "fold", "fold": "fold", "Neimark-Sacker": "neimark_sacker"}
_CODES = ("kind", "source", "codimension_two")


def curves_over(system, axes, monitor):
    """(variables, coords) of all curves within the ranges of two axes name -> values; no room where there are none."""
    names = tuple(axes)
    ranges = {name: (float(axis.min()), float(axis.max())) for name, axis in axes.items()}
    pieces = []
    if all(low < high for low, high in ranges.values()):
        pieces = [*_computed(system, names, ranges, monitor), *_in_closed_form(system, ranges)]
    columns = {name: [] for name in (*names, *_CODES, "number", "frequency", "coefficient")}
    for number, piece in enumerate(pieces, 1):
        for name in columns:
            value = number if name == "number" else piece[name]
            columns[name].append(np.broadcast_to(value, len(piece[names[0]])))
    variables = {}
    for name, parts in columns.items():
        kind = np.int8 if name in _CODES else np.int64 if name == "number" else float
        variables[f"curve_{name}"] = (("curve_point",), np.concatenate([np.empty(0), *parts]).astype(kind))
    return variables, {"curve_point": np.arange(len(variables["curve_number"][1]))}


def _computed(system, names, ranges, monitor):
    """Each computed curve as name -> values along it."""
    for kind in KINDS[system.kind]:
        ds = bifurcation_curve(system, kind, names, bounds=ranges, progress=False)
        monitor.add(0)
        for number in np.unique(ds.curve_number.values):
            one = ds.isel(point=np.flatnonzero(ds.curve_number.values == number))
            yield {
                **{name: one[name].values for name in names}, "kind": CURVE_KIND[kind],
                "source": CURVE_SOURCE["computed"], "codimension_two": one.codimension_two.values,
                "frequency": one.frequency.values, "coefficient": one.normal_form_coefficient.values,
            }  # fmt: skip


def _in_closed_form(system, ranges):
    """Each curve that the system knows, within the ranges."""
    model = system.model
    if model.curves is None or set(ranges) != {"alpha", "theta"}:
        return
    for label, curve in model.curves(ranges, system.parameters).items():
        inside = np.all([(curve[k] >= low) & (curve[k] <= high) for k, (low, high) in ranges.items()], axis=0)
        if inside.any():
            yield {
                **{name: np.asarray(curve[name])[inside] for name in ranges}, "kind": CURVE_KIND[_CALLED[label]],
                "source": CURVE_SOURCE["closed_form"], "codimension_two": CODIMENSION_TWO["none"],
                "frequency": np.nan, "coefficient": np.nan,
            }  # fmt: skip
