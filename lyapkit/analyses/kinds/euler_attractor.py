"""What the Euler map of a flow settles on: its turning, locking and exponents, for steps of every size."""

import dataclasses

import numpy as np

from lyapkit.analyses.lyapunov_spectrum import lyapunov_spectrum
from lyapkit.analyses.orbits.clock import checked_state
from lyapkit.analyses.orbits.points import select
from lyapkit.analyses.rotation_number import rotation_number
from lyapkit.analyses.verb import positive, verb
from lyapkit.flags import LOCKED, MAP_REGIME, SIGN, STATUS
from lyapkit.systems.system import System

_TRANSIENT, _DURATION = 1000, 10_000  # iterates at least
_MARGIN = 1e-3  # within which an exponent, per time unit, counts as zero
_TURNING = ("rotation_number", "locked", "locking_p", "locking_q", "orbit_period")


@dataclasses.dataclass(frozen=True)
class _EulerAttractor:
    system: System
    initial_state: np.ndarray
    transient: float
    duration: float
    turning: dict

    @property
    def work(self):
        return 2 * (_TRANSIENT + _DURATION)

    @property
    def variables(self):
        return dict.fromkeys((*_TURNING, "map_regime", "status"), ()) | {"map_exponent": ("mode",)}

    @property
    def coords(self):
        return {"mode": np.arange(1, self.system.dimension + 1)}

    @property
    def attrs(self):
        return {"transient": self.transient, "duration": self.duration, "margin": _MARGIN}

    def measure(self, values, states, monitor):
        """Steps that differ by less than a factor of two run equally long: a point's result depends on it alone."""
        octave = np.floor(np.log2(values["h"]))
        result = {}
        for power in np.unique(octave):
            index = np.flatnonzero(octave == power)
            found = self._octave(2.0**power, select(values, index), states[index], monitor)
            for name, array in found.items():
                result.setdefault(name, np.empty((len(states), *array.shape[1:]), array.dtype))[index] = array
        return result

    def _octave(self, least, values, states, monitor):
        """All variables (points, ...) for steps from `least` to twice that."""
        iterates = {
            "transient": max(_TRANSIENT, int(np.ceil(self.transient / least))),
            "duration": max(_DURATION, int(np.ceil(self.duration / least))),
        }
        turning = rotation_number.plan(self.system, **iterates, **self.turning).measure(values, states, monitor)
        plan = lyapunov_spectrum.plan(self.system, margin=_MARGIN * least, **iterates)
        spectrum = plan.measure(values, states, monitor)
        result = {name: turning[name] for name in _TURNING}
        result["map_exponent"] = spectrum["lyapunov_exponent"] / values["h"][:, None]
        lost = (turning["status"] == STATUS["diverged"]) | (spectrum["status"] == STATUS["diverged"])
        result["map_regime"] = _regime(turning, spectrum["lyapunov_sign"][:, 0], lost)
        turns = np.where(turning["status"] == STATUS["fixed_point"], STATUS["ok"], turning["status"])
        result["status"] = np.where(lost, STATUS["diverged"], turns).astype(np.int8)
        return result


def _regime(turning, sign, lost):
    """The map's attractor (points,), a flag of MAP_REGIME."""
    locked = turning["locked"] == LOCKED["yes"]
    rest = (turning["status"] == STATUS["fixed_point"]) | (locked & (turning["orbit_period"] == 1))
    smooth = (turning["status"] == STATUS["ok"]) & (sign == SIGN["zero"])
    cases = {"diverged": lost, "rest": rest, "locked": locked, "chaotic": sign == SIGN["positive"], "circle": smooth}
    flags = [MAP_REGIME[name] for name in cases]
    return np.select(list(cases.values()), flags, MAP_REGIME["undecided"]).astype(np.int8)


@verb
def euler_attractor(system, *, transient=100.0, duration=300.0, centre=None, plane=None, initial_state=None):
    """What an Euler map (see `lyapkit.euler_map`) settles on, as `discretisation_map` scans it.

    transient and duration are time units, but 1000 and 10,000 iterates at least.
    """
    turning = {"centre": centre, "plane": plane}
    spans = positive("transient", transient), positive("duration", duration)
    return _EulerAttractor(system, checked_state(system, initial_state), *spans, turning)
