"""Arnold tongues: the rotation number over the plane, with the tongues' borders and names."""

import numpy as np

from lyapkit.flags import LOCKED
from lyapkit.plot.labels import SMALL
from lyapkit.plot.planes import plane

_BOX = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.7}
_LEAST = 0.004  # share of the picture that a tongue covers whose name is written into it


def tongues(ds, variable="rotation_number", *, ax=None, names=True, **keywords):
    """tongues(ds, variable="rotation_number", *, ax=None, names=True, **keywords)

    The rotation number of a map over two parameters, with the borders of the tongues where it is locked.

    Returns the Axes.

    ds        Dataset of lyapkit.tongues
    variable  what is drawn below the borders
    ax        Axes to draw on, default a new figure's
    names     write p/q into tongues that are wide enough
    keywords  of `plane`

    >>> import lyapkit as lk, numpy as np
    >>> grid = {"alpha": np.linspace(1.0, 1.3, 4), "theta": np.linspace(1.45, 1.69, 13)}
    >>> ax = lk.plot.tongues(lk.tongues(lk.systems.rotation_map, grid, longest_q=4))
    >>> [text.get_text() for text in ax.texts if "/" in text.get_text()]
    ['1/4']
    """
    if "border_number" not in getattr(ds, "data_vars", ()):
        raise ValueError("ds: given one without borders, accepted: a Dataset of lyapkit.tongues")
    ax = plane(ds, variable, ax=ax, **keywords)
    horizontal, vertical = _axes(ds)
    limits = ax.get_xlim(), ax.get_ylim()
    x, y = (ds[f"border_{name}"].values for name in (horizontal, vertical))
    for number in np.unique(ds.border_number.values):
        chosen = ds.border_number.values == number
        ax.plot(x[chosen], y[chosen], color="white", lw=1.8)
        ax.plot(x[chosen], y[chosen], color="black", lw=0.8)
    ax.set(xlim=limits[0], ylim=limits[1])
    if names:
        _write(ax, ds, horizontal, vertical)
    return ax


def _axes(ds):
    """The two parameters, alpha (else the first) horizontal, as `plane` has them."""
    dims = sorted(ds.rotation_number.dims, key="theta".__eq__)
    return dims[0], dims[1]


def _write(ax, ds, horizontal, vertical):
    """p/q in the middle of what is locked at it."""
    locked = (ds.locked == LOCKED["yes"]).transpose(horizontal, vertical).values
    p, q = (ds[f"locking_{name}"].transpose(horizontal, vertical).values for name in "pq")
    for turns, iterates in sorted(set(zip(ds.border_p.values.tolist(), ds.border_q.values.tolist(), strict=True))):
        own = locked & (p == turns) & (q == iterates)
        if own.mean() < _LEAST:
            continue
        i = np.flatnonzero(own.any(axis=1))
        column = i[len(i) * 2 // 3]
        row = int(np.median(np.flatnonzero(own[column])))
        ax.text(
            float(ds[horizontal][column]), float(ds[vertical][row]), f"{turns}/{iterates}", ha="center", va="center",
            fontsize=SMALL, bbox=_BOX,
        )  # fmt: skip
