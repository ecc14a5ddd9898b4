"""Means of growth rates along an orbit, with standard errors that hold for correlated rates.

All arrays end in the lane axis; the batch axis comes first where there is one.
"""

import numpy as np

BATCHES = 64  # batches that a run is cut into, when it is long enough
# A regular orbit's weighted means agree with each other this much better than its batches do.
_REGULAR = 0.2
_FLOOR = 4e-16  # rounding of a mean, relative to the largest rate


def batch_steps(steps, window):
    """Steps of one batch: whole windows, so that the run makes at most BATCHES."""
    windows = -(-steps // window)
    return max(1, -(-windows // BATCHES)) * window


def rates(sums, dt):
    """Mean rates (..., k + 1, L) from sums (..., k + 2, L) whose last row counts the steps."""
    with np.errstate(all="ignore"):
        return sums[..., :-1, :] / (sums[..., -1:, :] * dt)


def plain_mean(batches, dt, short_last=False):
    """Mean over the whole run and its standard error by batch means, each (k + 1, L).

    Batch means forget correlations shorter than a batch; the error is the largest over batches of one, two
    and four units, so that correlations up to a few batches still widen it. It is at least
    half the difference of the run's two halves, so that a drift (the ln t / t of a shear) widens it too.
    short_last: the last batch is much shorter than the others, and left out of the error.
    """
    mean = rates(batches.sum(axis=0), dt)
    full = batches[:-1] if short_last else batches
    errors = [_batch_error(full, size, dt, mean) for size in (1, 2, 4) if len(full) >= 4 * size]
    if len(full) > 1:
        middle = len(full) // 2
        early, late = (rates(part.sum(axis=0), dt) for part in (full[:middle], full[middle:]))
        with np.errstate(all="ignore"):
            errors.append(0.5 * abs(late - early))
    error = np.full_like(mean, np.nan)
    for one in errors:
        error = np.fmax(error, one)
    return mean, error


def _batch_error(batches, size, dt, mean):
    """Standard error of the mean from the scatter of the means of `size` batches each."""
    count = len(batches) // size
    grouped = batches[: count * size].reshape(count, size, *batches.shape[1:]).sum(axis=1)
    with np.errstate(all="ignore"):
        deviation = rates(grouped, dt) - mean
        return np.sqrt((deviation**2).sum(axis=0) / (count * (count - 1)))


def weighted_mean(sums, dt):
    """Weighted Birkhoff mean and how far those of the two halves are from it and from each other.

    Das, Saiki, Sander & Yorke, Nonlinearity 30 (2017) 4111: for a smooth (quasi-)periodic orbit the error
    falls faster than any power of the duration, so that the halves' disagreement bounds it from above.
    """
    whole, first, second = rates(sums, dt)
    with np.errstate(all="ignore"):
        spread = np.fmax(abs(whole - first), np.fmax(abs(whole - second), abs(first - second)))
        largest = abs(whole).max(axis=0, initial=0.0, where=np.isfinite(whole))
    return whole, spread + _FLOOR * largest


def is_regular(spread, plain, error):
    """Whether each lane's orbit is (quasi-)periodic: (L,) booleans.

    On a chaotic orbit a weighted mean scatters more than the plain one, and the halves' still more; on
    a regular one all weighted means agree far better than the batches, in every exponent.
    A leading exponent that is clearly positive is chaos whatever the means say.
    """
    with np.errstate(all="ignore"):
        floor = 1e-13 * np.fmax(1.0, abs(plain))
        agree = (spread <= _REGULAR * error + floor) | (np.isfinite(spread) & ~np.isfinite(error))
        chaotic = (plain[0] > 5.0 * error[0]) & (plain[0] > 100.0 * spread[0])
        clearly_positive = (plain[0] > 3.0 * error[0]) & ~(spread[0] < 1e-3 * error[0])
    return agree.all(axis=0) & ~chaotic & ~clearly_positive


def kaplan_yorke(exponents, signs):
    """Kaplan-Yorke dimension (L,) of sorted exponents (k, L); verdicts of zero count as zero.

    NaN where even the sum of all the exponents computed is not negative and more exist.
    """
    effective = np.where(signs == 0, 0.0, exponents)
    k, lanes = effective.shape
    dimension = np.full(lanes, np.nan)
    with np.errstate(all="ignore"):
        total = np.zeros(lanes)
        for j in range(k):
            last = np.isnan(dimension) & (total + effective[j] < 0)
            dimension = np.where(last, j + total / abs(effective[j]), dimension)
            total = total + effective[j]
    return dimension
