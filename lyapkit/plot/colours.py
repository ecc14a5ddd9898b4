"""Colours of plots: what a sign, a status and a failed point look like, and the scale of a variable."""

import dataclasses

import numpy as np
from cmcrameri import cm
from matplotlib.colors import BoundaryNorm, CenteredNorm, Colormap, ListedColormap, LogNorm, Normalize

# Blue and red are the ends of `vik`, so that signs match the exponents' own colours.
NEGATIVE, POSITIVE, ZERO, UNDECIDED = "#1c5f93", "#b1491f", "#ece5e0", "#8a8a8a"
FAILED = "#7d7d7d"
_FLAGS = {
    "negative": NEGATIVE, "zero": ZERO, "positive": POSITIVE, "undecided": UNDECIDED,
    "ok": "#dfe8ee", "diverged": "#b1491f", "collapsed": "#3b2a58", "not_converged": "#e0a526",
    "ill_conditioned": "#7b8a99", "fixed_point": "#8fa8b5", "aperiodic": "#d9b26f", "not_isolated": "#3f7f93",
    "section_missed": "#b79ac8", "too_many": "#a98b5d",
    "unstable": POSITIVE, "stable": NEGATIVE, "absent": FAILED, "no_rotation": "#9a9a6a", "not_a_torus": "#c2a08a",
    "step_too_small": "#8c4a6b",
    "both_rest": "#c9d3d9", "both_cycle": "#8fb9d6", "both_chaotic": "#e6d3a8", "locked": "#1c5f93",
    "cycle_lost": "#3b2a58", "cycle_made_by_the_step": "#e0a526", "chaos_made_by_the_step": "#c75b39",
    "chaos_lost": "#7b4a86",
    "limit_cycle": "#e0a526", "quasi_periodic": "#eadfbd", "chaotic": "#b1491f", "coexistence": "#7b4a86",
    "diverging": "#3b2a58",
    "not_computed": "#bdbdbd", "mean": "#d9b26f", "birkhoff": "#3f7f93",
}  # fmt: skip
# Their zero means something, so their colours diverge from it.
_SIGNED = frozenset(("lyapunov_exponent", "growth_rate", "running_exponent", "mean_divergence", "exponent_sum_error"))
# They diverge at a bifurcation, so their colours follow the logarithm.
_LOGARITHMIC = frozenset(("period", "gradient_swing"))
_ROBUST = 0.99  # quantile of the size that the colours reach; what is beyond gets an arrow


@dataclasses.dataclass(frozen=True)
class Scale:
    """Colour map and norm of a variable; `meanings` of the colours, upwards, where they are discrete."""

    cmap: Colormap
    norm: Normalize
    extend: str = "neither"
    meanings: tuple = ()

    @property
    def diverging(self):
        """Are the colours centred on zero?"""
        return isinstance(self.norm, CenteredNorm)


def scale(data, cmap=None, limit=None):
    """The Scale that suits a variable: discrete for flags, diverging for signed values, else sequential."""
    if limit is not None and not (np.isscalar(limit) and limit > 0):
        raise ValueError(f"limit: given {limit!r}, accepted: a number above 0")
    if "flag_values" in data.attrs:
        return _discrete(data, cmap, limit)
    values = data.values[np.isfinite(data.values)]
    values = values if values.size else np.zeros(1)
    if data.name in _SIGNED or values.min() < 0 < values.max():
        return _diverging(values, cmap or cm.vik, limit)
    if data.name in _LOGARITHMIC and 0 < 10 * values.min() < values.max():
        high = limit or float(values.max())
        return Scale(_map(cmap or cm.batlow), LogNorm(values.min(), high), _extend(values, values.min(), high))
    return _sequential(values, cmap or cm.batlow, limit)


def _map(cmap):
    import matplotlib as mpl

    return (mpl.colormaps[cmap] if isinstance(cmap, str) else cmap).with_extremes(bad=FAILED)


def _diverging(values, cmap, limit):
    half = limit or float(np.quantile(abs(values), _ROBUST)) or 1.0
    # A few values just above the quantile are no outliers: colour them too.
    if limit is None and abs(values).max() < 1.25 * half:
        half = float(abs(values).max())
    return Scale(_map(cmap), CenteredNorm(0.0, half), _extend(values, -half, half))


def _sequential(values, cmap, limit):
    low = float(values.min())
    high = limit or float(np.quantile(values, _ROBUST))
    if limit is None and values.max() - low < 1.25 * (high - low):
        high = float(values.max())
    high = high if high > low else low + (abs(low) or 1.0)
    return Scale(_map(cmap), Normalize(low, high), _extend(values, low, high))


def _extend(values, low, high):
    below, above = values.min() < low, values.max() > high
    return {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[int(below), int(above)]


def _discrete(data, cmap, limit):
    """One colour for each flag that occurs; a flag's colour does not depend on which others do."""
    if limit is not None:
        raise ValueError(f"limit: given {limit!r}, but {data.name} is a flag; accepted: None")
    names = dict(zip(np.ravel(data.flag_values), data.flag_meanings.split(), strict=True))
    present = [v for v in names if (data.values == v).any()]
    chosen = [names[v] for v in present]
    spare = _map(cmap or cm.batlow)(np.linspace(0.05, 0.95, len(names)))
    order = list(names.values())
    colours = [_FLAGS[n] if cmap is None and n in _FLAGS else tuple(spare[order.index(n)]) for n in chosen]
    steps = np.array(sorted(present), dtype=float)
    edges = np.concatenate([[steps[0] - 0.5], 0.5 * (steps[1:] + steps[:-1]), [steps[-1] + 0.5]])
    by_value = np.argsort(present)
    return Scale(
        ListedColormap([colours[i] for i in by_value]),
        BoundaryNorm(edges, len(present)),
        meanings=tuple(chosen[i].replace("_", " ") for i in by_value),
    )
