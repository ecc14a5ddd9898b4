"""Verdicts on exponents: zero by equivalence, signs by significance."""

import numpy as np

from lyapkit.flags import SIGN

TWO_SIDED_95, ONE_SIDED_99 = 1.960, 2.326  # quantiles of the normal distribution


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
