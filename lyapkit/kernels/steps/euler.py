"""Euler's method. Exponents of a flow come out biased by O(dt): for comparisons only."""

import numpy as np

from lyapkit.kernels.steps._explicit import explicit_step

ORDER = 1
SOURCE = "Euler 1768"
# Growth is weighted an interval at a time, which samples an orbit's harmonics: eight steps of the usual
# size keep the aliasing (1e-7 and less) below the method's own error.
LONGEST_INTERVAL = 8
TABLEAU = np.array([[0.0, 0.0], [0.0, 1.0]])
step = explicit_step(TABLEAU)
