"""Where in the (alpha, theta) plane a block oscillates: the region between its fold and its Hopf curve."""

import dataclasses
import functools

import numpy as np
import scipy.interpolate
import scipy.spatial

from lyapkit.systems.models._rotation import snic_angle
from lyapkit.systems.models.rotation_euler import neimark_sacker_gain

_NODES = 1025  # of the fold's curve: its spline is exact to 1e-12
_SAMPLES = 2**14  # of a curve to which distances are taken: their error is below 1e-7
_BEYOND = 1.0  # by so much in alpha the curves go on beyond the region


@dataclasses.dataclass(frozen=True)
class Region:
    """Blocks with alpha from `low` to `high`; h: the Euler step of the map, 0 of the flow.

    The origin repels where |1 - h + h alpha exp(i theta)| > 1 (the flow: where alpha cos(theta) > 1). Other fixed
    points exist below the fold theta_SN(alpha) alone, which is that of the flow for every h. Both senses of
    rotation are mirror images.
    """

    low: float
    high: float
    h: float

    def angles(self, alpha):
        """The least and the largest |theta| of each alpha."""
        alpha = np.asarray(alpha, dtype=float)
        return _fold(self.high + _BEYOND)(alpha), self._hopf_angle(alpha)

    def _hopf_angle(self, alpha):
        """|theta| from which on the origin attracts; pi where it always repels."""
        if self.h == 1.0:
            return np.full_like(alpha, np.pi)
        cosine = (2.0 - self.h - self.h * alpha**2) / (2.0 * (1.0 - self.h) * alpha)
        return np.arccos(np.clip(cosine, -1.0, 1.0))

    def place(self, alpha, height):
        """|theta| at the height 0 (fold) to 1 (Hopf) of the region."""
        least, largest = self.angles(alpha)
        return least + height * (largest - least)

    def candidates(self, uniform):
        """(alpha, theta) (N, 2) of numbers (N, 3) from 0 to 1: uniform in alpha, in |theta| given it, and in the sense
        of rotation."""
        alpha = self.low + (self.high - self.low) * uniform[:, 0]
        theta = self.place(alpha, uniform[:, 1])
        return np.stack([alpha, np.where(uniform[:, 2] < 0.5, theta, -theta)], axis=1)

    def distances(self, alpha, theta):
        """Euclidean distances (alpha, and theta in rad) to the Hopf curve and to the fold."""
        end = self._hopf_angle(np.array(self.high + _BEYOND))
        angles = np.linspace(0.0, float(end), _SAMPLES)
        gains = 1.0 / np.cos(angles) if self.h == 0.0 else neimark_sacker_gain(angles, self.h)
        bend = np.linspace(1.0, self.high + _BEYOND, _SAMPLES)
        turned = abs(np.asarray(theta, dtype=float))
        hopf = _distance(gains, angles, alpha, turned)
        if self.h == 1.0:  # the map commutes with quarter turns: each has a fold of its own, of cycles of 2 or 4
            turned = abs(turned - np.pi / 2 * np.round(turned / (np.pi / 2)))
        return hopf, _distance(bend, _fold(self.high + _BEYOND)(bend), alpha, turned)


@functools.lru_cache(maxsize=8)
def _fold(high):
    """theta_SN of alpha from 1 to `high`, as a spline."""
    alpha = np.linspace(1.0, high, _NODES)
    return scipy.interpolate.CubicSpline(alpha, np.append(0.0, snic_angle(alpha[1:])))


def _distance(gains, angles, alpha, theta):
    """Distance of points (alpha, theta) to a curve."""
    curve = scipy.spatial.cKDTree(np.stack([gains, angles], axis=1))
    return curve.query(np.stack([alpha, theta], axis=1))[0]
