"""Eighth-order Runge-Kutta method of eleven stages, for exponents to the last digits."""

import numpy as np

from lyapkit.kernels.steps._explicit import explicit_step

ORDER = 8
SOURCE = "Cooper & Verner, SIAM J. Numer. Anal. 9 (1972) 389; exact in s = sqrt(21)"
# For the last digits growth is weighted step by step; beside eleven stages the QR costs little.
LONGEST_INTERVAL = 1
_s = np.sqrt(21.0)
_a = [
    [],
    [1 / 2],
    [1 / 4, 1 / 4],
    [1 / 7, (-7 - 3 * _s) / 98, (21 + 5 * _s) / 49],
    [(11 + _s) / 84, 0, (18 + 4 * _s) / 63, (21 - _s) / 252],
    [(5 + _s) / 48, 0, (9 + _s) / 36, (-231 + 14 * _s) / 360, (63 - 7 * _s) / 80],
    [
        (10 - _s) / 42, 0, (-432 + 92 * _s) / 315, (633 - 145 * _s) / 90,
        (-504 + 115 * _s) / 70, (63 - 13 * _s) / 35,
    ],
    [1 / 14, 0, 0, 0, (14 - 3 * _s) / 126, (13 - 3 * _s) / 63, 1 / 9],
    [
        1 / 32, 0, 0, 0, (91 - 21 * _s) / 576, 11 / 72, (-385 - 75 * _s) / 1152,
        (63 + 13 * _s) / 128,
    ],
    [
        1 / 14, 0, 0, 0, 1 / 9, (-733 - 147 * _s) / 2205, (515 + 111 * _s) / 504,
        (-51 - 11 * _s) / 56, (132 + 28 * _s) / 245,
    ],
    [
        0, 0, 0, 0, (-42 + 7 * _s) / 18, (-18 + 28 * _s) / 45, (-273 - 53 * _s) / 72,
        (301 + 53 * _s) / 72, (28 - 28 * _s) / 45, (49 - 7 * _s) / 18,
    ],
]  # fmt: skip
_b = [1 / 20, 0, 0, 0, 0, 0, 0, 49 / 180, 16 / 45, 49 / 180, 1 / 20]
TABLEAU = np.zeros((12, 12))
for _i, _row in enumerate([*_a, _b]):
    TABLEAU[_i, 1 : 1 + len(_row)] = _row
    TABLEAU[_i, 0] = sum(_row)  # c_i is the sum of its row
TABLEAU[-1, 0] = 0
step = explicit_step(TABLEAU)
