"""Tsitouras' fifth-order Runge-Kutta method with steps as long as each lane's error allows."""

import numpy as np

from lyapkit.kernels.steps._adaptive import adaptive_step

ORDER = 5
SOURCE = "Tsitouras, Comput. Math. Appl. 62 (2011) 770; its weights of the error have order 4"
ADAPTIVE = True
RTOL, ATOL = 1e-7, 1e-9
SPAN = 4
LONGEST_INTERVAL = 2
TABLEAU = np.zeros((8, 8))
for _i, _row in enumerate(
    [
        [],
        [0.161],
        [-0.008480655492356989, 0.335480655492357],
        [2.8971530571054935, -6.359448489975075, 4.3622954328695815],
        [5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525],
        [5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383],
        [0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774],
        [0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774],
    ]
):
    TABLEAU[_i, 1 : 1 + len(_row)] = _row
TABLEAU[:-1, 0] = [0, 0.161, 0.327, 0.9, 0.9800255409045097, 1, 1]
# weights of the method minus those of the embedded one
ESTIMATES = np.array(
    [
        [
            -0.00178001105222577714, -0.0008164344596567469, 0.007880878010261995, -0.1447110071732629,
            0.5823571654525552, -0.45808210592918697, 1 / 66,
        ]
    ]
)  # fmt: skip
step = adaptive_step(TABLEAU, ESTIMATES, 5)
