"""The long-term Jacobian dx(t0 + d)/dx(t0) of many orbits for a list of delays, and its singular values, as logarithms.

The orbit's states are recorded; the tangent maps of all segments between them are then run at once, each from its
state, as so many lanes, and multiplied by the kernels of `tangent_chain`. Where the rule depends on time (which lanes
share), or one system fills a block, segments are run one after the other along the orbit.
"""

import dataclasses
import math

import numpy as np
import scipy.linalg

from lyapkit.analyses.exponents.checks import starting_frame
from lyapkit.analyses.orbits.clock import depends_on_time
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.analyses.orbits.tolerances import failure
from lyapkit.flags import STATUS
from lyapkit.kernels import tangent_chain

# Steps of a segment of a flow at most: explicit steps contract by some 1e-5 in them, which costs few digits. An
# iterate of a map can contract by any amount, and is a segment of its own.
_SEGMENT = {"flow": 8, "map": 1}
_LANES = 2**15  # tangent maps that are run at once, about
_NUMBERS = 2**24  # of them
_LONGEST = 32  # steps of a large system's segment
_SHORTER, _LONGER = 1e-4, 1e-3  # of an entry of R relative to its row, what is left that makes segments shorter, longer
_LOST = 1e-10  # an entry of R that is this small relative to its row has lost its digits


@dataclasses.dataclass(frozen=True)
class TangentProduct:
    """What has been found at the delays: ln of the singular values, and how it went."""

    log_singular_value: np.ndarray  # (points, delays, n), largest first, NaN where the orbit has ended
    status: np.ndarray  # (points,)


def tangent_product(system, values, states, clock, stops, seed, monitor):
    """Follow orbits from `states` through the clock's transient; delays end after `stops` steps (whole, ascending)."""
    along, n, points = _must_run_along(system), system.dimension, len(states)
    segment = math.gcd(_SEGMENT[system.kind], *(int(stop) for stop in stops))
    kind = _Large if system.data.layout.spread else _Small
    product = kind(n, points, seed, _SEGMENT[system.kind] if along else segment)
    ensemble = Ensemble(system, values, states, clock, 0)
    ensemble.run(clock.transient, monitor)
    if along:  # the frame comes in after the transient, for which it is not needed
        now, time = ensemble.gather("x")[:, :points].T, clock.transient * clock.dt
        ensemble = Ensemble(system, values, now, clock, n, np.eye(n), 1, time=time)
    found, gone = [], []
    for length in np.diff(stops, prepend=0):
        if along:
            _along(ensemble, int(length), product, monitor)
        else:
            for maps in _at_once(system, values, ensemble, clock, int(length) // segment, segment, monitor):
                product.multiply(maps)
        found.append(product.snapshot())
        gone.append(~np.isfinite(ensemble.gather("x")[:, :points]).all(axis=0))
    logs = np.stack([singular_values(*one) for one in found], axis=1)
    status = _outcome(clock, ensemble, logs, product.least)
    ended = np.isnan(logs).any(axis=2, keepdims=True) | np.stack(gone, axis=1)[..., None]
    return TangentProduct(np.where(ended, np.nan, logs), status)


def _must_run_along(system):
    driven = system.parameters.get("input") is not None or depends_on_time(system)
    return driven or system.data.layout.spread


def _at_once(system, values, ensemble, clock, count, segment, monitor):
    """Tangent maps (n, n, segments * points) of `count` segments, all points' first one first, in portions."""
    n, points = system.dimension, ensemble.points
    most = max(1, min(_LANES, _NUMBERS // (n * n)) // points)
    for first in range(0, count, most):
        many = min(most, count - first)
        start = ensemble.gather("x")[None, :, :points]
        _, record = ensemble.run(many * segment, monitor, stride=segment)
        starts = np.concatenate([start, record[:-1, :, :points]]).swapaxes(1, 2).reshape(-1, n)
        own = {name: np.tile(column, many) for name, column in values.items()}
        lanes = Ensemble(system, own, starts, clock, n, np.eye(n), 1, brief=True)
        lanes.run(segment, monitor, orthonormalise=False)
        yield lanes.gather("frame")[..., : len(starts)]


def _along(ensemble, steps, product, monitor):
    """Multiply by the tangent maps of the next steps, one segment after the other."""
    unit = np.repeat(np.eye(ensemble.dimension)[:, :, None], ensemble.points, axis=2)
    while steps:
        segment = min(product.segment, steps)
        ensemble.set_frames(unit)
        ensemble.run(segment, monitor, orthonormalise=False)
        product.multiply(ensemble.gather("frame")[..., : ensemble.points])
        steps -= segment


class _Small:
    """Products of the points' tangent maps, by a compiled kernel."""

    def __init__(self, n, points, seed, segment):
        self.segment = segment  # steps of a tangent map
        self._bases = np.repeat(starting_frame(n, n, seed)[None], points, axis=0)
        self._logs, self._uppers = np.zeros((points, 2, n)), np.repeat(np.eye(n)[None], points, axis=0)
        self.least, self._image, self._rows = np.ones(points), np.empty((n, n)), np.empty((5, n))

    def multiply(self, maps):
        """Multiply by the maps (n, n, segments * points) of the next segments."""
        arguments = self._bases, self._logs, self._uppers, self.least, self._image, self._rows
        tangent_chain.chain(np.ascontiguousarray(maps), 0, maps.shape[2], *arguments)

    def snapshot(self):
        """(logs (points, n), uppers (points, n, n)) of the products so far."""
        return self._logs.sum(axis=1), self._uppers.copy()


class _Large:
    """The same of one large system, by LAPACK; segments are as long as their condition allows."""

    def __init__(self, n, points, seed, segment):
        self.segment = segment
        self._basis, self._upper, self.least = starting_frame(n, n, seed).T, np.eye(n), np.ones(1)
        self._logs, self._carry = np.zeros(n), np.zeros(n)

    def multiply(self, maps):
        matrix = maps[..., 0].T
        sizes = abs(matrix).max(axis=1, keepdims=True)
        with np.errstate(all="ignore"):
            columns = (abs(matrix) / np.where(sizes > 0, sizes, 1.0)).max(axis=0)
            if columns.min() < tangent_chain.GRADED * columns.max():
                self._sweep(columns[:, None] * self._basis)
                matrix = matrix / np.where(columns > 0, columns, 1.0)
        kept = self._sweep(matrix @ self._basis)
        if kept < _SHORTER and self.segment > 1:
            self.segment //= 2
        elif kept > _LONGER and self.segment < _LONGEST:
            self.segment *= 2

    def _sweep(self, image):
        """The QR sweep of an image, as `tangent_chain` makes it; what is left of an entry of R, relative to its row."""
        if not np.isfinite(image).all():
            self._logs[:] = np.nan
            return 0.0
        size = abs(image).max(axis=1)
        order = np.argsort(-size, kind="stable")
        turned, triangle = scipy.linalg.qr(image[order], check_finite=False)
        self._basis = np.empty_like(turned)
        self._basis[order] = turned * np.where(np.diag(triangle) < 0, -1.0, 1.0)
        return self._extend(triangle, size[order])

    def _extend(self, triangle, size):
        growth = abs(np.diag(triangle))
        with np.errstate(all="ignore"):
            dead = (growth <= tangent_chain.ROUNDING * len(growth) * size) | (self._logs == -np.inf)
            kept = (growth / size)[~dead].min(initial=1.0)
            self.least[0] = min(self.least[0], kept)
            ratios = np.exp(self._logs - self._logs[:, None])
            factors = np.triu(triangle / np.diag(triangle)[:, None] * ratios, 1)
        factors[dead], factors[:, self._logs == -np.inf] = 0.0, 0.0
        self._upper = np.triu(self._upper + factors @ self._upper)
        grown = np.log(np.where(dead, 1.0, growth))
        total = self._logs + grown
        large = np.where(abs(self._logs) >= abs(grown), self._logs, grown)
        with np.errstate(invalid="ignore"):
            self._carry += (large - total) + np.where(abs(self._logs) >= abs(grown), grown, self._logs)
        self._logs = np.where(dead, -np.inf, total)
        self._carry[dead] = 0.0
        return kept

    def snapshot(self):
        return (self._logs + self._carry)[None], self._upper[None].copy()


def singular_values(logs, uppers):
    """ln of the singular values (points, n), largest first, of products kept as exp(logs) U; spends both."""
    lost = ~np.isfinite(uppers).all(axis=(1, 2))
    uppers[lost] = np.eye(logs.shape[1])
    tangent_chain.singular_values(logs, uppers)
    logs[lost] = np.nan
    return -np.sort(-logs, axis=1)


def _outcome(clock, ensemble, logs, least):
    lost = failure(clock, ensemble.gather("x"))[: len(logs)]
    dead = (logs == -np.inf).any(axis=(1, 2))
    status = np.where(dead, STATUS["collapsed"], STATUS["ok"])
    status = np.where((least < _LOST) | np.isnan(logs).any(axis=(1, 2)), STATUS["ill_conditioned"], status)
    return np.where(lost == STATUS["ok"], status, lost).astype(np.int8)
