"""Branches of equilibria and cycles against their parameter, with the special points on them."""

import numpy as np

from lyapkit.flags import BRANCH_KIND, SPECIAL_KIND, STABLE
from lyapkit.plot.axes import new_or_given, variable_of
from lyapkit.plot.colours import NEGATIVE
from lyapkit.plot.labels import SMALL, angle_ticks, axis_label, fixed_parameters, parameter_text, set_title

# kind of a special point -> (word, marker)
_MARKS = {
    "hopf": ("Hopf", "o"), "fold": ("fold", "s"), "branch_point": ("branch point", "D"),
    "period_doubling": ("period doubling", "^"), "neimark_sacker": ("Neimark-Sacker", "p"),
}  # fmt: skip
_COLOURS = {"equilibrium": "0.1", "cycle": NEGATIVE}


def branch(ds, unit=0, *, ax=None):
    """branch(ds, unit=0, *, ax=None)

    Branches against their parameter: stable parts solid, unstable ones dashed.

    Returns the Axes. Equilibria are black, cycles blue by their lowest and highest values; special points are marked.

    ds    Dataset of lyapkit.continuation
    unit  the unit that is drawn
    ax    Axes to draw on, default a new figure's

    >>> import lyapkit as lk
    >>> ds = lk.continuation(lk.systems.brusselator(A=1.0, B=1.5), "B", (1.0, 3.0), switch=True)
    >>> ax = lk.plot.branch(ds)
    >>> ax.get_ylabel()
    'state of unit 0'
    """
    _check(ds, unit)
    parameter, ax = ds.attrs["parameter"], new_or_given(ax, 6.4, 4.2)
    labels = {}
    for number, flag in zip(ds.branch.values, ds.branch_kind.values, strict=True):
        kind = "cycle" if flag == BRANCH_KIND["cycle"] else "equilibrium"
        part = ds.isel(point=np.flatnonzero(ds.branch_number.values == number), unit=unit)
        for name in ("lowest", "highest"):
            _draw(ax, part[parameter].values, part[name].values, part.stable.values, kind, labels)
    _mark(ax, ds, unit, parameter)
    x = ds[parameter]
    ax.set(ylabel=f"state of unit {unit}", xlabel=axis_label(x))
    if x.attrs.get("units") == "rad":
        angle_ticks(ax.xaxis, float(x.min()), float(x.max()))
    ax.legend(fontsize=SMALL, frameon=False, loc="best")
    set_title(ax, ds.attrs.get("equation", ""), parameter_text(fixed_parameters(ds)))
    return ax


def _check(ds, unit):
    data = variable_of(ds, "state")
    if "branch_number" not in ds or data.dims != ("point", "unit"):
        raise ValueError("ds: given a Dataset without branches, accepted: one of lyapkit.continuation")
    if isinstance(unit, bool) or unit not in data.unit.values:
        raise ValueError(f"unit: given {unit!r}, accepted: a whole number from 0 to {int(data.unit[-1])}")


def _draw(ax, x, y, stable, kind, labels):
    """One line in pieces of the same stability, which change at special points: there it is undecided."""
    one, other = stable[:-1], stable[1:]
    solid = ((one == STABLE["stable"]) & (other >= 0)) | ((one >= 0) & (other == STABLE["stable"]))
    cuts = np.flatnonzero(np.diff(solid)) + 1
    word = "equilibria" if kind == "equilibrium" else "cycles"
    for low, high in zip([0, *cuts], [*cuts, len(solid)], strict=True):
        drawn = bool(solid[low]) if len(solid) else stable[0] == STABLE["stable"]
        label = f"{word}, {'stable' if drawn else 'unstable'}"
        ax.plot(
            x[low : high + 1], y[low : high + 1], color=_COLOURS[kind], lw=1.4 if drawn else 1.0,
            ls="solid" if drawn else (0, (4, 2)), label=None if label in labels else label,
        )  # fmt: skip
        labels[label] = True


def _mark(ax, ds, unit, parameter):
    """The special points; those of cycles at the point's highest value."""
    for kind, (word, marker) in _MARKS.items():
        chosen = np.flatnonzero(ds.special_kind.values == SPECIAL_KIND[kind])
        if not len(chosen):
            continue
        height = ds.special_state.values[chosen, unit].copy()
        for i, at in enumerate(chosen):
            number = int(ds.special_branch[at])
            if ds.branch_kind.values[number - 1] == BRANCH_KIND["cycle"]:
                mine = np.flatnonzero(ds.branch_number.values == number)
                away = abs(ds[parameter].values[mine] - float(ds[f"special_{parameter}"][at]))
                height[i] = ds.highest.values[mine[np.argmin(away)], unit]
        ax.plot(
            ds[f"special_{parameter}"].values[chosen], height, ls="none", marker=marker, ms=5, mfc="white",
            mec="0.1", label=word, zorder=3,
        )  # fmt: skip
