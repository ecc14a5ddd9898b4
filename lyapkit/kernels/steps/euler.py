"""Euler's method. Exponents of a flow come out biased by O(dt): for comparisons only."""

import numpy as np

from lyapkit.kernels.steps._explicit import explicit_step

ORDER = 1
SOURCE = "Euler 1768"
# Growth is weighted an interval at a time: four steps still sample an orbit's harmonics below the method's error.
LONGEST_INTERVAL = 4
TABLEAU = np.array([[0.0, 0.0], [0.0, 1.0]])
step = explicit_step(TABLEAU)
