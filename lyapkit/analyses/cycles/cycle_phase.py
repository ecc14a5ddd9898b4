"""Where states are beside a limit cycle: the phase of the nearest point of the orbit, and how far that is."""

import numpy as np

_ROUNDS = 8  # Newton steps towards the nearest point: more than quadratic convergence takes
_PIECE = 2**22  # numbers of the table of distances at once


class CyclePhase:
    """One limit cycle, from its states and velocities (phase, n) at equal times and its period.

    Between two phases the orbit is the cubic of both states and velocities (Hermite), which errs by the fourth
    power of their spacing; `floor` is about that error.
    """

    def __init__(self, orbit, velocity, period):
        self.period, self.spacing = period, period / len(orbit)
        self._orbit, self._slope = orbit, velocity * self.spacing  # slopes per spacing
        self.size = float(np.sqrt(((orbit - orbit.mean(axis=0)) ** 2).sum(axis=1)).max())
        self.floor = self._error() + 1e-13 * self.size

    def _error(self):
        """Error of the cubics, a sixteenth of what those of every other phase miss the phases between by."""
        left, right = self._orbit[::2], np.roll(self._orbit[::2], -1, axis=0)
        a, b = 2.0 * self._slope[::2], 2.0 * np.roll(self._slope[::2], -1, axis=0)
        middle = 0.5 * (left + right) + 0.125 * (a - b)
        count = len(self._orbit) // 2
        return float(np.sqrt(((middle[:count] - self._orbit[1::2]) ** 2).sum(axis=1)).max()) / 16.0

    def at(self, time):
        """State, first and second derivative per spacing, each (M, n), at times (M,) since phase 0."""
        place = np.mod(time / self.spacing, len(self._orbit))
        node = np.floor(place).astype(int) % len(self._orbit)
        s = (place - np.floor(place))[:, None]
        after = (node + 1) % len(self._orbit)
        p, q, a, b = self._orbit[node], self._orbit[after], self._slope[node], self._slope[after]
        bend, twist = 3.0 * (q - p) - 2.0 * a - b, 2.0 * (p - q) + a + b
        along = a + s * (2.0 * bend + 3.0 * s * twist)
        return p + s * (a + s * (bend + s * twist)), along, 2.0 * bend + 6.0 * s * twist

    def nearest(self, states):
        """(time since phase 0 in [0, T), distance) of the cycle's point nearest to each of the states (M, n)."""
        step = max(1, _PIECE // len(self._orbit))
        parts = [self._nearest(states[at : at + step]) for at in range(0, len(states), step)]
        return tuple(np.concatenate(part) for part in zip(*parts, strict=True))

    def _nearest(self, states):
        finite = np.isfinite(states).all(axis=1)
        states = np.where(finite[:, None], states, 0.0)
        squares = -2.0 * (states @ self._orbit.T) + (self._orbit**2).sum(axis=1)
        first = squares.argmin(axis=1).astype(float)
        place = first.copy()
        for _ in range(_ROUNDS):
            point, along, bend = self.at(place * self.spacing)
            off, speed = point - states, (along**2).sum(axis=1)
            curvature = speed + (off * bend).sum(axis=1)
            curvature = np.where(curvature > 0.1 * speed, curvature, speed)  # beyond the centre of curvature
            place = np.clip(place - (off * along).sum(axis=1) / curvature, first - 1.0, first + 1.0)
        distance = np.sqrt(((self.at(place * self.spacing)[0] - states) ** 2).sum(axis=1))
        time = np.mod(place * self.spacing, self.period)
        return np.where(finite, time, np.nan), np.where(finite, distance, np.nan)

    def wrapped(self, time):
        """Differences of times as the shortest ones around the cycle, in [-T/2, T/2)."""
        return np.mod(time + 0.5 * self.period, self.period) - 0.5 * self.period


def gradient_at(adjoint, slope, spacing, time):
    """The phase gradient (n,) at a time, by the cubic of its values (phase, n) and their slopes slope(node) (n,)."""
    place = np.mod(time / spacing, len(adjoint))
    node, s = int(place) % len(adjoint), place - np.floor(place)
    after = (node + 1) % len(adjoint)
    p, q, a, b = adjoint[node], adjoint[after], spacing * slope(node), spacing * slope(after)
    return p + s * (a + s * (3.0 * (q - p) - 2.0 * a - b + s * (2.0 * (p - q) + a + b)))
