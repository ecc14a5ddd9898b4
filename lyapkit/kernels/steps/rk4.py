"""The classical fourth-order Runge-Kutta method."""

import numpy as np

from lyapkit.kernels.steps._explicit import explicit_step

ORDER = 4
SOURCE = "Kutta 1901; Hairer, Norsett & Wanner, Solving ODEs I, table II.1.2"
# Growth is weighted an interval at a time, which samples an orbit's harmonics: eight steps of the usual
# size keep the aliasing (1e-7 and less) below the method's own error.
LONGEST_INTERVAL = 8
TABLEAU = np.array(
    [
        [0, 0, 0, 0, 0],
        [1 / 2, 1 / 2, 0, 0, 0],
        [1 / 2, 0, 1 / 2, 0, 0],
        [1, 0, 0, 1, 0],
        [0, 1 / 6, 1 / 3, 1 / 3, 1 / 6],
    ]
)
step = explicit_step(TABLEAU)
