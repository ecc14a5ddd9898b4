"""Robustness: what is left of zero exponents against the size of the disturbance."""

import numpy as np

from lyapkit.plot.axes import new_or_given, variable_of
from lyapkit.plot.colours import NEGATIVE, POSITIVE, UNDECIDED
from lyapkit.plot.labels import SMALL, set_title

_WORDS = {
    "weights": "size of the disturbance of the weights",
    "input": "strength of the noise",
    "coupling": "size of the coupling",
}
_LEAST = 1e-5  # what is smaller than this part of the margin is drawn there
_MODES = 4  # former zeros, at most, that are drawn


def robustness(ds, *, ax=None):
    """robustness(ds, *, ax=None)

    |Exponent| of the modes that were zero against the size of the disturbance, and the share that keeps its zeros.

    Returns the Axes: each member's |exponent| (dots, of the first such mode), the median of each mode (line), and where
    members respond linearly their slope (dashed); under noise, in place of these, the mean exponent with its standard
    error and the law of phase reduction (dashed). The margin within which an exponent counts as zero is shaded. A
    second axis on the right carries the share of the members that keep their zeros.

    ds   Dataset of lyapkit.robustness for one system
    ax   Axes to draw on, default a new figure's

    >>> import lyapkit as lk
    >>> ds = lk.robustness(lk.systems.bounded_line_attractor_flow(), members=10)
    >>> ax = lk.plot.robustness(ds)
    >>> ax.get_xlabel()
    'size of the disturbance of the weights'
    """
    share = variable_of(ds, "share_with_zeros")
    if share.dims != ("size",):
        raise ValueError(f"ds: a scan over {', '.join(share.dims[:-1])}, accepted: a result for one system")
    ax = new_or_given(ax, 6.0, 4.2)
    modes = _former_zeros(ds)
    ax.set(xscale="log", yscale="log")
    ax.set_xlabel(_WORDS[ds.attrs["disturbance"]])
    ax.set_ylabel(f"|exponent| of a former zero ({ds.lyapunov_exponent.attrs['units']})")
    margin = float(ds.attrs["margin"])
    ax.axhspan(_LEAST * margin, margin, color="0.93", zorder=0, label="counts as zero")
    noisy = ds.attrs["disturbance"] == "input"
    for mode in modes[:_MODES]:
        _mode(ax, ds, mode, margin, first=mode == modes[0], summary=not noisy)
    if noisy:
        _noise(ax, ds)
    ax.set_ylim(bottom=_lowest(ds, modes[:_MODES], margin))
    right = _share(ax, share)
    handles = [*ax.get_legend_handles_labels()[0], *right.get_legend_handles_labels()[0]]
    ax.legend(handles=handles, fontsize=SMALL, loc="upper center", bbox_to_anchor=(0.5, -0.17), ncol=2, frameon=False)
    kept = float(ds.largest_kept_size)
    found = np.isfinite(kept)
    note = f"at least half keep their zeros up to {kept:.2g}" if found else "fewer than half keep their zeros"
    set_title(ax, ds.attrs.get("equation", ""), note)
    return ax


def _former_zeros(ds):
    """Numbers of the modes that were zero; the first where there was none."""
    near = abs(ds.exponent_before.values) < float(ds.attrs["margin"])
    return list(ds.mode.values[near]) or [int(ds.mode[0])]


def _mode(ax, ds, mode, margin, first, summary):
    sizes, several = ds["size"].values, int(ds.n_zeros_before) > 1
    values = abs(ds.lyapunov_exponent.sel(mode=mode).transpose("size", "member").values)
    shade = NEGATIVE if first else UNDECIDED
    if first:
        at = np.repeat(sizes, values.shape[1])
        ax.plot(at, np.fmax(values.ravel(), _LEAST * margin), ".", ms=4, color=shade, alpha=0.4, mew=0)
    if not summary:
        return
    name = f"median, mode {mode}" if several else "median of the members"
    ax.plot(sizes, np.fmax(np.nanmedian(values, axis=1), _LEAST * margin), "o-", ms=4, color=shade, label=name)
    slope = float(ds.zero_slope.sel(mode=mode))
    if np.isfinite(slope):
        share = float(ds.linear_share.sel(mode=mode))
        of_whom = "" if share == 1.0 else f" of the {100 * share:.0f} % that are linear"
        ax.plot(sizes, slope * sizes, "--", color="black", lw=1.0, label=f"slope {slope:.3g}{of_whom}")


def _noise(ax, ds):
    exponent, error = -ds.conditional_exponent.values, ds.conditional_exponent_stderr.values
    ax.errorbar(ds["size"], exponent, error, fmt="o-", ms=4, color=NEGATIVE, label="mean of -exponent")
    if np.isfinite(ds.predicted_exponent).any():
        ax.plot(ds["size"], -ds.predicted_exponent, "--", color="black", lw=1.2, label="phase reduction")


def _lowest(ds, modes, margin):
    """The lower end of the axis: a little below what is drawn."""
    values = abs(ds.lyapunov_exponent.sel(mode=modes).values)
    values = values[np.isfinite(values)]
    least = values.min() if values.size else margin
    return 0.3 * min(max(least, _LEAST * margin), margin)


def _share(ax, share):
    right = ax.twinx()
    right.plot(share["size"], share, "s-", ms=4, color=POSITIVE, lw=1.5, label="share with all zeros")
    right.set_ylim(-0.03, 1.03)
    right.set_ylabel("share of the members that keep all zeros", color=POSITIVE)
    right.tick_params(axis="y", colors=POSITIVE)
    return right
