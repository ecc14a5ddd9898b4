"""Slow points: states where the speed of a flow, or the step of a map, has a local minimum above zero.

Sussillo & Barak, Neural Computation 25 (2013) 626: q(x) = |f(x)|^2 / 2 (maps: |f(x) - x|^2 / 2) is minimised from
states that the network visits. By Levenberg and Marquardt's method: for 200 units, some 50 to 140 Jacobians, a quarter
to three quarters of a second for each start; BFGS of limited memory with the adjoint takes up to 2000 gradients, two to
four times as long, and stops farther from the minimum.
"""

import numpy as np

from lyapkit.analyses.stationary.newton import distinct, residual, residual_and_jacobian, within

_EVALUATIONS = 400
_TOLERANCE = 1e-12
_SAME = 1e-3  # minima closer than this, in sides of the box, are one: they are flat
_HUGE = 1e100


def slow_points(system, starts, values, low, high, fastest, monitor):
    """(minima (count, n), candidates for fixed points (count, n)) in the box low, high (n,), from starts (count, n).

    `fastest`: minima above this speed are left out. `values`: numbers of this system that are changed.
    """
    side, ends = high - low, []
    for start in starts[np.isfinite(starts).all(axis=1)]:
        monitor.add(0)
        end = _minimised(system, start, {name: np.full(1, value) for name, value in values.items()})
        if end is not None and within(end, low, high):
            ends.append(end)
    minima, zeros = np.empty((2, 0, system.dimension))
    for end in ends:
        one = {name: np.full(1, value) for name, value in values.items()}
        rates, jacobians = residual_and_jacobian(system, end[None], one)
        speed = np.linalg.norm(rates[0])
        if _leads_to_zero(rates[0], jacobians[0], side):
            zeros = np.concatenate([zeros, end[None]])
        elif speed <= fastest:
            minima = distinct(minima, [end], side, _SAME)
    return minima, zeros


def _leads_to_zero(rate, jacobian, side):
    """Whether Newton's step from here is tiny: a minimum at which the speed is zero, to rounding."""
    step = np.linalg.lstsq(jacobian, -rate, rcond=None)[0]
    remaining = rate + jacobian @ step  # zero where the Jacobian is regular; of a slow point, the speed itself
    return (abs(step) <= 1e-6 * side).all() and np.linalg.norm(remaining) <= 0.5 * np.linalg.norm(rate) + 1e-14


def _minimised(system, start, values):
    """The minimum of the speed that is reached from a start, None where there is none."""
    from scipy.optimize import least_squares

    with np.errstate(all="ignore"):
        try:
            found = least_squares(
                lambda x: np.clip(np.nan_to_num(residual(system, x[None], values)[0], nan=_HUGE), -_HUGE, _HUGE),
                start,
                jac=lambda x: np.nan_to_num(residual_and_jacobian(system, x[None], values)[1][0]),
                method="lm", xtol=_TOLERANCE, ftol=_TOLERANCE, gtol=_TOLERANCE, max_nfev=_EVALUATIONS,
            )  # fmt: skip
        except ValueError:  # no finite residual at the start
            return None
    return found.x if found.status > 0 and np.isfinite(found.x).all() else None
