"""Points that a map, its q-th iterate or a flow leaves in place: their exponents, and continua of them.

A point with exponents of zero may lie on a continuum of others (a line attractor) or be alone (x' = -x^3). Newton's
method with the steps of least length tells: from a state displaced along a null vector it leads to another point near
there, or back.
"""

import dataclasses

import numpy as np

from lyapkit.analyses.orbits.points import select
from lyapkit.analyses.stationary.newton import residual_and_jacobian
from lyapkit.analyses.tori.locking import carried_on

_ITERATIONS, _TRIES = 60, 30
_SINGULAR = 1e-10  # singular values below this, relative to the largest, are none
_NULL = 1e-6  # singular value of a direction in which there may be other points
_CLOSED = 1e-12  # residual of a point, relative to 1 + |x|
_AWAY = 1e-2  # how far along a null vector other points are looked for, relative to 1 + |x|
_ELSEWHERE = 0.5  # a point this far from the first, relative to the displacement, is another one
_ROUNDING = np.finfo(float).eps


@dataclasses.dataclass(frozen=True)
class Still:
    """Whether a point was found (P,), where (P, n), its exponents and their errors (P, n), and its continuum's
    dimension (P,)."""

    found: np.ndarray
    state: np.ndarray
    exponents: np.ndarray
    errors: np.ndarray
    continuum: np.ndarray


def still_points(system, values, states, clock, period, monitor):
    """The points of this period (of flows 0, whatever the time) to which Newton's method leads from states (P, n)."""

    def residual(x, index):
        part = select(values, index)
        if period < 2:
            return residual_and_jacobian(system, x, part)
        basis = np.broadcast_to(np.eye(system.dimension), (len(x), system.dimension, system.dimension))
        image, slopes = carried_on(system, part, x, clock, period, basis, monitor)
        return image - x, slopes - np.eye(system.dimension)

    index = np.arange(len(states))
    with np.errstate(all="ignore"):
        x, wrong, slopes = _newton(residual, states, index, _ITERATIONS if period < 2 else 3)
        found = abs(wrong).max(axis=1) <= _CLOSED * (1.0 + abs(x).max(axis=1))
        exponents, errors = _exponents(slopes, period)
        return Still(found, x, exponents, errors, _continua(residual, x, slopes, np.flatnonzero(found)))


def _newton(residual, x, index, most):
    """States after some of Newton's steps of least length, their residuals and slopes; finite numbers throughout."""
    x = x.copy()
    wrong, slopes = _finite(*residual(x, index))
    for _ in range(most):
        open_ = np.flatnonzero(abs(wrong).max(axis=1) > _ROUNDING * (1.0 + abs(x).max(axis=1)))
        if not len(open_):
            break
        x[open_] -= (np.linalg.pinv(slopes[open_], rcond=_SINGULAR) @ wrong[open_, :, None])[:, :, 0]
        wrong[open_], slopes[open_] = _finite(*residual(x[open_], index[open_]))
    return x, wrong, slopes


def _finite(wrong, slopes):
    """At states that have left the finite numbers, an infinite residual and no slope, which ends the search there."""
    finite = np.isfinite(slopes).all(axis=(1, 2)) & np.isfinite(wrong).all(axis=1)
    return np.where(finite[:, None], wrong, 1e300), np.where(finite[:, None, None], slopes, 0.0)


def _exponents(slopes, period):
    """Exponents (P, n), the largest first, and what rounding can have done to them, from slopes of the residual."""
    n = slopes.shape[1]
    jacobians = slopes + np.eye(n) if period else slopes
    roots, vectors = np.linalg.eig(jacobians)
    condition = np.linalg.norm(np.linalg.pinv(vectors), axis=2) * np.linalg.norm(vectors, axis=1)
    size = np.linalg.norm(jacobians, axis=(1, 2))[:, None]
    doubt = _ROUNDING * np.minimum(condition, 1.0 / np.sqrt(_ROUNDING)) * (size + 1.0)
    roots = np.where(abs(roots) > 4.0 * doubt, roots, 0.0) if period else roots
    exponents = np.log(abs(roots)) / period if period else roots.real
    errors = doubt / abs(roots) / period if period else doubt
    errors = np.where(exponents == -np.inf, np.nan, errors)
    order = np.argsort(-exponents, axis=1, kind="stable")
    return np.take_along_axis(exponents, order, axis=1), np.take_along_axis(errors, order, axis=1)


def _continua(residual, x, slopes, chosen):
    """Dimensions (P,) of the continua of points around those chosen."""
    dimension = np.zeros(len(x), dtype=np.int64)
    if not len(chosen):
        return dimension
    _, sizes, rows = np.linalg.svd(slopes[chosen])
    null = sizes <= _NULL * np.maximum(1.0, sizes[:, :1])
    where, which = np.nonzero(null)
    if not len(where):
        return dimension
    index, directions = chosen[where], rows[where, which]
    moved = np.zeros_like(directions)
    away = _AWAY * (1.0 + abs(x[index]).max(axis=1))
    for sign in (1.0, -1.0):  # a continuum may end here
        ends, wrong, _ = _newton(residual, x[index] + sign * away[:, None] * directions, index, _TRIES)
        there = abs(wrong).max(axis=1) <= _CLOSED * (1.0 + abs(ends).max(axis=1))
        step = np.where(there[:, None], (ends - x[index]) / away[:, None], 0.0)
        step = np.where((np.linalg.norm(step, axis=1) <= 2.0)[:, None], step, 0.0)
        longer = np.linalg.norm(step, axis=1) > np.linalg.norm(moved, axis=1)
        moved = np.where(longer[:, None], step, moved)
    for lane in np.unique(where):
        lengths = np.linalg.svd(moved[where == lane], compute_uv=False)
        dimension[chosen[lane]] = int((lengths > _ELSEWHERE).sum())
    return dimension
