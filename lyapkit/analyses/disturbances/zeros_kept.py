"""What is left of zero exponents under disturbances of growing size: shares, slopes, the largest harmless size."""

import numpy as np

from lyapkit.analyses.exponents import zero_verdict
from lyapkit.flags import ATTRACTOR_KIND, SIGN

SHARES = ("share_with_zeros", "share_undecided")
MODES = ("abs_exponent_mean", "abs_exponent_spread")
SLOPES = ("zero_slope", "zero_slope_stderr", "zero_power", "linear_share")
_LINEAR = 0.25  # |exponent| / size is the same at all sizes, within this of its logarithm


def kept(before, after, sizes, margin):
    """Variables of `robustness` from Labels (points) before and `Outcomes` (points, sizes, members) after."""
    signs = zero_verdict.signs(after.exponents, after.stderr, margin)
    undecided = (signs == SIGN["undecided"]).sum(axis=-1)
    gone = after.kind == ATTRACTOR_KIND["diverging"]
    wanted = before.zeros[:, None, None]
    keeps = ~gone & (after.zeros >= wanted)
    open_ = ~gone & ~keeps & (after.zeros + undecided >= wanted)
    members = keeps.shape[2]
    some = (before.zeros > 0)[:, None]
    share = np.where(some, keeps.sum(axis=2) / members, np.nan)
    result = {
        "share_with_zeros": share,
        "share_undecided": np.where(some, open_.sum(axis=2) / members, np.nan),
        "largest_kept_size": _largest_kept(share, sizes),
        "lyapunov_exponent": after.exponents,
        "n_zeros": after.zeros,
        "attractor_kind": after.kind,
        "exponent_before": before.exponents,
        "n_zeros_before": before.zeros,
        "kind_before": before.kind,
    }
    size = abs(after.exponents)
    result["abs_exponent_mean"], result["abs_exponent_spread"] = _mean_and_spread(size)
    were = abs(before.exponents) + zero_verdict.TWO_SIDED_95 * before.stderr < margin
    return result | _slopes(size, sizes, were)


def _largest_kept(share, sizes):
    """The largest size (points,) up to which at least half of the members keep their zeros; NaN: not even the least."""
    half = np.logical_and.accumulate(share >= 0.5, axis=1).sum(axis=1)
    return np.where(half > 0, sizes[np.maximum(half - 1, 0)], np.nan)


def _mean_and_spread(size):
    """Mean and standard deviation over the members (axis 2), those without exponents left out."""
    there = np.isfinite(size)
    count = there.sum(axis=2)
    with np.errstate(all="ignore"):
        mean = np.where(there, size, 0.0).sum(axis=2) / count
        away = np.where(there, size - mean[:, :, None], 0.0)
        return mean, np.where(count > 1, np.sqrt((away**2).sum(axis=2) / (count - 1)), np.nan)


def _slopes(size, sizes, were):
    """How |exponents| (points, sizes, members, k) grow with the size, of the modes (points, k) that were zero.

    A member's power is the slope of ln |exponent| in ln size; it is linear where |exponent| / size is about the same at
    all sizes. Its slope is the line through the origin with weights 1 / size^2, the mean of |exponent| / size.
    """
    power = np.full((len(size), *size.shape[2:]), np.nan)
    with np.errstate(all="ignore"):
        if len(sizes) > 1:
            at = np.log(sizes) - np.log(sizes).mean()
            power = (at[:, None, None] * np.log(size)).sum(axis=1) / (at**2).sum()
        ratio = size / sizes[None, :, None, None]
        each, logs = ratio.mean(axis=1), np.log(ratio)  # (points, members, k)
        linear = (abs(logs - logs.mean(axis=1)[:, None]) < _LINEAR).all(axis=1)
        count = linear.sum(axis=1)
        slope = np.where(linear, each, 0.0).sum(axis=1) / count
        away = np.where(linear, each - slope[:, None], 0.0)
        error = np.where(count > 1, np.sqrt((away**2).sum(axis=1) / (count * (count - 1.0))), np.nan)
    found = (slope, error, _median(power), count / size.shape[2])
    return {name: np.where(were, array, np.nan) for name, array in zip(SLOPES, found, strict=True)}


def _median(power):
    """Median over the members (axis 1); NaN where one of them has no number."""
    finite = np.isfinite(power).all(axis=1)
    return np.where(finite, np.median(np.where(finite[:, None], power, 0.0), axis=1), np.nan)
