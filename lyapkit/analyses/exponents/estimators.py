"""Means of growth rates along an orbit, with standard errors that hold for correlated rates.

All arrays end in the lane axis; the batch axis comes first where there is one.
"""

import numpy as np

# Batches that a run is cut into, when it is long enough: what the errors need, and what a history shows.
BATCHES, HISTORY = 16, 32
_ALGEBRAIC = 3.0  # nats that neighbours may have parted by as a power of time
_DOUBT = 0.55  # error, relative to the rate, of one that may be zero: its 95 % interval holds zero
_MIRRORED = 1.5  # of the largest rate, those that may be of the same origin
_FLOOR = 4e-16  # rounding of a mean, relative to the largest rate


def batch_steps(steps, window, batches):
    """Steps of one batch: whole windows, so that the run makes at most so many."""
    windows = -(-steps // window)
    return max(1, -(-windows // batches)) * window


def rates(sums, dt):
    """Mean rates (..., k + 1, L) from sums (..., k + 2, L) whose last row counts the steps (in all lanes alike)."""
    with np.errstate(all="ignore"):
        return sums[..., :-1, :] * (1.0 / (sums[..., -1:, :1] * dt))


def plain_mean(batches, dt, short_last=False):
    """Mean over the whole run and its standard error by batch means, each (k + 1, L).

    Batch means forget correlations shorter than a batch, positive and negative ones alike, if only
    batches are long; the error is the larger one of two groupings, about 16 and about 8 batches.
    short_last: the last batch is much shorter than the others, and left out of the error.
    """
    mean = rates(batches.sum(axis=0), dt)
    full = batches[:-1] if short_last else batches
    error = np.full_like(mean, np.nan)
    for size in _group_sizes(len(full)):
        error = np.fmax(error, _batch_error(full, size, dt, mean))
    return mean, error


def _group_sizes(count):
    """The two coarsest groupings into at least eight groups; single batches where there are few."""
    if count < 4:
        return []
    return [size for size in (4, 2, 1) if count >= 8 * size][:2] or [1]


def _batch_error(batches, size, dt, mean):
    """Standard error of the mean from the scatter of the means of `size` batches each."""
    count = len(batches) // size
    grouped = batches[: count * size].reshape(count, size, *batches.shape[1:]).sum(axis=1)
    with np.errstate(all="ignore"):
        deviation = rates(grouped, dt)
        deviation -= mean
        return np.sqrt(np.einsum("gjl,gjl->jl", deviation, deviation) / (count * (count - 1)))


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


def guarded(spread, error):
    """The error of a weighted mean: `spread`, unless it could be a chance agreement of the halves.

    Halves of an irregular orbit agree to a hundredth of the batches' error once in some 1e4 times; between
    that and the batches' error, a good part of the latter is the least that is claimed.
    """
    with np.errstate(all="ignore"):
        doubtful = spread > 0.01 * error
    return np.where(doubtful, np.fmax(spread, 0.3 * error), spread)


def is_regular(weighted, spread, plain, error):
    """Whether each lane's mean is better taken weighted: (L,) booleans.

    All arguments (k, L). An orbit is taken for chaotic where its leading exponent is clearly positive by both
    estimates, unless the weighted means agree to rounding. Else it is (quasi-)periodic, still
    settling, or drifts, and the weighted means' disagreement tells what batches that happen to fit its
    period would hide.
    """
    with np.errstate(all="ignore"):
        dead = (weighted == -np.inf) & (plain == -np.inf)
        spread = np.where(dead, 0.0, spread)
        exact = (spread <= 1e-12 * np.fmax(1.0, abs(plain))).all(axis=0)
        chaotic = (plain[0] > 3.0 * error[0]) & (weighted[0] > 2.0 * spread[0])
    return np.isfinite(spread).all(axis=0) & (exact | ~chaotic)


def estimated(weighted, batches, dt, k, age, short_last=False, estimator="auto"):
    """Means of all rows, their standard errors (k + 1, L), and in which lanes they are weighted Birkhoff means (L,).

    age: time that the frame was carried before. Where neighbours part as a power of time, as in families of
    cycles of different periods, rates fall as 1 / t: growth by a few nats since the frame began is no sign of
    chaos, and the halves' disagreement tells the rate's limit only after division by what 1 / t itself falls by. A
    positive rate that has not yet begun to fall, and its mirror image, may be zero.
    """
    plain, error = plain_mean(batches, dt, short_last)
    whole, spread = weighted_mean(weighted, dt)
    span = batches[:, -1, 0].sum() * dt
    middle = age + span / 2
    if estimator == "auto":
        regular = is_regular(whole[:k], spread[:k], plain[:k], error[:k])
        with np.errstate(invalid="ignore"):
            regular |= np.isfinite(spread[:k]).all(axis=0) & (plain[0] * middle < _ALGEBRAIC)
    else:
        regular = np.full(plain.shape[1], estimator == "birkhoff")
    # a run of a few steps has no weighted mean: the weights vanish at its ends
    regular &= ~np.isnan(whole).any(axis=0)
    fall = (age + span / 4) * (age + 3 * span / 4) / (middle * span / 2)
    spread = guarded(spread * max(1.0, fall), error)
    top = np.max(whole[:k], axis=0, initial=-np.inf, where=np.isfinite(whole[:k]))
    with np.errstate(invalid="ignore"):
        doubtful = (top > 0) & (top * middle < _ALGEBRAIC) & (abs(whole) <= _MIRRORED * top)
    spread = np.where(doubtful, np.fmax(spread, _DOUBT * abs(whole)), spread)
    return np.where(regular, whole, plain), np.where(regular, spread, error), regular


def kaplan_yorke(exponents, errors, signs, complete):
    """Kaplan-Yorke dimension (L,) and its error, of sorted exponents (k, L); verdicts of zero count as zero.

    NaN where even the sum of all the exponents computed is not negative and more exist (not `complete`); where none
    is missing, the volume is kept and the dimension is k. D = j + S_j / |lambda_j+1| errs by at most the
    errors of the first j exponents and S_j / |lambda_j+1| times that of the next, over |lambda_j+1|.
    """
    effective = np.where(signs == 0, 0.0, exponents)
    k, lanes = effective.shape
    dimension, error = np.full(lanes, np.nan), np.full(lanes, np.nan)
    with np.errstate(all="ignore"):
        total, total_error = np.zeros(lanes), np.zeros(lanes)
        for j in range(k):
            last = np.isnan(dimension) & (total + effective[j] < 0)
            part = total / abs(effective[j])
            dimension = np.where(last, j + part, dimension)
            error = np.where(last, (total_error + part * errors[j]) / abs(effective[j]), error)
            total, total_error = total + effective[j], total_error + errors[j]
    kept = np.isnan(dimension) & ~np.isnan(total) & complete
    return np.where(kept, float(k), dimension), np.where(kept, 0.0, error)


def entropy(exponents, errors, signs, complete):
    """Sum (L,) of the positive exponents, and of their errors; NaN where there may be more of them."""
    positive = (exponents > 0) & (signs != 0)
    partial = positive[-1] & (not complete)
    total, error = np.zeros(exponents.shape[1]), np.zeros(exponents.shape[1])
    for one, its_error, counts in zip(exponents, errors, positive, strict=True):
        total, error = total + np.where(counts, one, 0.0), error + np.where(counts, its_error, 0.0)
    return np.where(partial, np.nan, total), np.where(partial, np.nan, error)
