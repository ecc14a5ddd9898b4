"""Verdicts on exponents: zero by equivalence, signs by significance, and the flow's own zero apart.

No run can show that an exponent is zero, only that it lies within a margin of zero (two one-sided tests; Schuirmann, J.
Pharmacokin. Biopharm. 15 (1987) 657). The margin is 1 / (the delay of interest): over that delay an exponent within
it changes a gradient by a factor of e at most. Errors are taken for normal.
"""

import numpy as np
from scipy.special import ndtr

from lyapkit.analyses.orbits.clock import depends_on_time
from lyapkit.flags import SIGN
from lyapkit.systems.evaluate import values_at

TWO_SIDED_95, ONE_SIDED_99 = 1.960, 2.326  # quantiles of the normal distribution
_REST = 1e-9  # speed, relative to 1 + |x|, below which a flow rests
_SWING = 5.0  # nats by which the speed of an orbit that goes on may differ from one time to another
_ALIKE = 3.0  # standard errors between the flow direction's growth and the exponent of its mode


def signs(exponents, errors, margin):
    """Verdicts: "zero" where the 95 % interval lies inside the margin, else by one-sided 99 %."""
    with np.errstate(all="ignore"):
        reach = TWO_SIDED_95 * errors
        zero = abs(exponents) + reach < margin
        above = exponents - ONE_SIDED_99 * errors > 0
        below = (exponents + ONE_SIDED_99 * errors < 0) | (exponents == -np.inf)
    verdicts = np.full(exponents.shape, SIGN["undecided"], dtype=np.int8)
    verdicts[above], verdicts[below], verdicts[zero] = SIGN["positive"], SIGN["negative"], SIGN["zero"]
    return verdicts


def zeros(exponents, errors, verdicts, margin, own):
    """Which of the exponents (k, L) count as zero, and the chance of each to be on the other side of the margin.

    Those with the verdict of zero; and where that is undecided, the mode `own` (L,) of the flow's own direction
    (0: none), which is zero whatever the errors.
    """
    with np.errstate(all="ignore"):
        above, below = (margin - exponents) / errors, (-margin - exponents) / errors
        inside, outside = ndtr(above) - ndtr(below), ndtr(-above) + ndtr(below)
    zero = verdicts == SIGN["zero"]
    wrong = np.where(zero, outside, inside)
    wrong = np.where(exponents == -np.inf, 0.0, wrong)
    modes = np.arange(1, len(exponents) + 1)[:, None]
    exact = (modes == own) & (zero | (verdicts == SIGN["undecided"]))
    return zero | exact, np.where(exact, 0.0, wrong)


def counted(zero, wrong):
    """The number of zeros (L,), and a lower bound of the confidence that they are these.

    The chances of all verdicts to be wrong are added (Bonferroni), as errors of exponents depend on each other.
    """
    total = np.zeros(zero.shape[1])
    for one in wrong:  # one after the other, whatever the number of lanes
        total = total + one
    return zero.sum(axis=0), np.where(total > 1.0, 0.0, 1.0 - total)


def duration_needed(exponents, errors, verdicts, margin, regular, duration):
    """How long (k, L) to average for a verdict: `duration`, where there is one.

    It takes an error at which the interval fits into the margin, or clears zero. Errors of plain means fall as T^-1/2;
    those of weighted means of regular orbits are taken to fall as 1 / T, which neutral families do; those
    of cycles and tori fall faster.
    """
    with np.errstate(all="ignore"):
        small_enough = np.maximum((margin - abs(exponents)) / TWO_SIDED_95, abs(exponents) / ONE_SIDED_99)
        ratio = np.fmax(errors / small_enough, 1.0)
        longer = duration * np.where(regular, ratio, ratio**2)
    longer = np.where(np.isnan(errors), np.nan, longer)
    return np.where(verdicts == SIGN["undecided"], longer, duration)


def moves_by_itself(system):
    """Whether the system is an autonomous flow: one exponent of an orbit that does not end at rest is zero."""
    return system.kind == "flow" and system.parameters.get("input") is None and not depends_on_time(system)


def speeds(system, states, values):
    """|f| (L,) at states (n, L), zero where the flow rests; NaN where the system does not move by itself.

    `values`: parameters (L,) that differ.
    """
    if not moves_by_itself(system):
        return np.full(states.shape[1], np.nan)
    with np.errstate(all="ignore"):
        speed = np.linalg.norm(values_at(system, np.ascontiguousarray(states.T), values), axis=1)
        return np.where(speed <= _REST * (1.0 + abs(states).max(axis=0)), 0.0, speed)


def flow_direction(start, end, duration, exponents, errors, margin):
    """Growth rate (L,) of the flow's own direction, from speeds at both ends, and its mode (0: none), NaN at rest.

    The velocity is carried by the tangent flow as any vector: its growth is ln (|f(end)| / |f(start)|) exactly. Its
    mode is the exponent nearest to that rate, or to zero where the speed has only swung.
    """
    with np.errstate(all="ignore"):
        rate = np.log(end / start) / duration
        rate = np.where((start > 0) & (end > 0) & np.isfinite(rate), rate, np.nan)
        swing = _SWING / duration
        apart = abs(exponents - np.where(abs(rate) <= swing, 0.0, rate))
        chosen = np.argmin(np.where(np.isnan(apart), np.inf, apart), axis=0)[None]
        own, error = (np.take_along_axis(array, chosen, axis=0)[0] for array in (exponents, errors))
        fits = abs(own - rate) <= _ALIKE * error + swing + margin
    return rate, np.where(fits, chosen[0] + 1, 0)
