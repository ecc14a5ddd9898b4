"""How the period of a family of cycles diverges: at a saddle-node on the cycle, or at a homoclinic orbit.

At a saddle-node on an invariant circle T = A |p - p0|^(-1/2) + B + ..., so that p is a power series in 1 / T without
linear term; at a homoclinic orbit to a hyperbolic saddle p - p0 ~ exp(-lambda T) (Strogatz, Nonlinear Dynamics and
Chaos (2nd ed. 2015), 8.4; Kuznetsov, Elements of Applied Bifurcation Theory (4th ed. 2023), ch. 6 and 7).
"""

import dataclasses

import numpy as np

_FEWEST = 8  # points from which a law is fitted
_SPAN = 4.0  # of the last period, of the periods that enter
_LOST = 1e-6  # slopes below this part of the largest of these are rounding
_ORDERS = (0, 2, 3, 4, 5, 6)  # of 1 / T in the parameter


@dataclasses.dataclass(frozen=True)
class PeriodLaw:
    """kind (none, saddle_node_circle, homoclinic), the parameter p0, the exponent of T ~ |p - p0|^exponent, lambda."""

    kind: str = "none"
    parameter: float = np.nan
    exponent: float = np.nan
    rate: float = np.nan


def fitted(period, parameter, slope):
    """The law of periods (P,) that grow towards the last one, at parameters (P,) with slopes dp / d ln T (P,)."""
    late = period >= period[-1] / _SPAN
    chosen = late & (abs(slope) >= _LOST * abs(slope[late]).max())
    growing = np.flatnonzero(np.diff(period) <= 0.0)
    chosen[: growing[-1] + 1 if len(growing) else 0] = False
    period, parameter, slope = period[chosen], parameter[chosen], slope[chosen]
    if len(period) < _FEWEST:
        return PeriodLaw()
    logs = np.log(abs(slope))
    algebraic, wrong = _least_squares([np.ones_like(period), np.log(period), 1 / period, 1 / period**2], logs)
    exponential, also_wrong = _least_squares([np.ones_like(period), -period], logs - np.log(period))
    if wrong < also_wrong and -3.0 < algebraic[1] < -1.0:
        series = _least_squares([(period[-1] / period) ** order for order in _ORDERS], parameter)[0]
        return PeriodLaw("saddle_node_circle", float(series[0]), float(1.0 / algebraic[1]))
    last = slice(-_FEWEST, None)
    exponential = _least_squares([np.ones_like(period[last]), -period[last]], (logs - np.log(period))[last])[0]
    rate = float(exponential[1])
    if not rate > 0.0:
        return PeriodLaw()
    return PeriodLaw("homoclinic", float(parameter[-1] + slope[-1] / (rate * period[-1])), rate=rate)


def _least_squares(columns, right):
    matrix = np.stack(columns, axis=1)
    found = np.linalg.lstsq(matrix, right, rcond=None)[0]
    return found, float(np.linalg.norm(matrix @ found - right))
