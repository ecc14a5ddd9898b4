"""What a block of two units is worth: its cycle's period, multiplier, exponents, swing of the gradient and locking."""

import dataclasses

import numpy as np

from lyapkit import systems
from lyapkit.analyses.checks import starting_frame
from lyapkit.analyses.clock import Clock
from lyapkit.analyses.limit_cycle import limit_cycle
from lyapkit.analyses.lyapunov_spectrum import lyapunov_spectrum
from lyapkit.analyses.points import select
from lyapkit.analyses.propagation import Ensemble
from lyapkit.analyses.rotation_number import rotation_number
from lyapkit.flags import LOCKED, STABLE, STATUS
from lyapkit.kernels import tangent

LONGEST_PERIOD = 512  # iterates among which a block's locking is sought
_TURNING = 4096  # iterates in which turns are counted, at first
_SETTLED, _SWINGING, _CHUNK = 2048, 4096, 256  # iterates before the swing is taken, in which, and at a time
_PHASES = 8  # of a flow's cycle: none is kept
WORK = 32_000  # steps of one block, for the progress bar


@dataclasses.dataclass(frozen=True)
class Certifier:
    """Certifies blocks tanh(alpha R(theta) x), and says which are to be accepted.

    h: Euler step of the map, 0 of the flow; slowness: by which factor the flow is slower than x' = -x + tanh(W x).
    """

    h: float
    slowness: float
    swing: float
    margin: float
    frequency: tuple | None
    locked: bool

    def certify(self, alpha, theta, monitor):
        """The certificates of blocks (P,), and whether they are accepted: name -> (P, ...)."""
        values = {"alpha": np.array(alpha), "theta": abs(np.array(theta))}  # the other sense is a mirror image
        with np.errstate(all="ignore"):
            found = self._of_flow(values, monitor) if self.h == 0.0 else self._of_map(values, monitor)
            found["period"] = 1.0 / found["frequency"]
            accepted = found["ok"] & (abs(found["lyapunov_exponent"][:, 0]) <= self.margin)
            accepted &= found["gradient_swing"] <= self.swing
            if self.locked:
                accepted |= found["ok"] & (found["locked"] == LOCKED["yes"]) & (found["locking_p"] > 0)
            if self.frequency is not None:
                low, high = self.frequency
                accepted &= (low <= found["frequency"]) & (found["frequency"] <= high)
        return found | {"accepted": accepted}

    def _of_flow(self, values, monitor):
        plan = limit_cycle.plan(systems.rotation_flow(), n_phase=_PHASES)
        cycle = plan.measure(values, _starts(plan.initial_state, values), monitor)
        none = np.zeros(len(values["alpha"]), dtype=np.int64)
        return {
            "frequency": cycle["frequency"] / self.slowness,
            "lyapunov_exponent": cycle["lyapunov_exponent"] / self.slowness,
            "multiplier": np.exp(cycle["log_abs_multiplier"][:, 1]),
            "gradient_swing": cycle["gradient_swing"],
            "locked": none.astype(np.int8), "locking_p": none, "locking_q": none,
            "ok": (cycle["status"] == STATUS["ok"]) & (cycle["stable"] == STABLE["stable"]),
        }  # fmt: skip

    def _of_map(self, values, monitor):
        one = systems.rotation_map() if self.h == 1.0 else systems.rotation_euler(h=self.h)
        plan = rotation_number.plan(one, duration=_TURNING, longest_period=LONGEST_PERIOD)
        states = _starts(plan.initial_state, values)
        turning = plan.measure(values, states, monitor)
        spectrum = lyapunov_spectrum.plan(one).measure(values, states, monitor)
        locked = turning["locked"]
        swing, index = np.full(len(states), np.nan), np.flatnonzero(locked == LOCKED["no"])
        if len(index):
            swing[index] = _swing(one, select(values, index), states[index], monitor)
        return {
            "frequency": turning["rotation_number"],
            "lyapunov_exponent": spectrum["lyapunov_exponent"],
            "multiplier": np.exp(spectrum["lyapunov_exponent"][:, 1]),
            "gradient_swing": swing,
            "locked": locked, "locking_p": turning["locking_p"], "locking_q": turning["locking_q"],
            "ok": (turning["status"] == STATUS["ok"]) & (spectrum["status"] == STATUS["ok"]),
        }  # fmt: skip


def _starts(state, values):
    return np.broadcast_to(state, (len(values["alpha"]), len(state)))


def _swing(system, values, states, monitor):
    """Largest over smallest length in time of a vector that the orbit's tangent map carries along its circle."""
    frame = starting_frame(system.dimension, 1, 0)
    ensemble = Ensemble(system, values, states, Clock("iterate", 1.0, 0, 0), 1, frame, interval=1)
    ensemble.run(_SETTLED, monitor)
    length = low = high = np.zeros(len(states))
    for _ in range(_SWINGING // _CHUNK):
        sums = ensemble.run(_CHUNK, monitor, batch=1)[0]
        lengths = length + np.cumsum(sums[tangent.WEIGHTS :, 0, : len(states)], axis=0)
        low, high, length = np.minimum(low, lengths.min(axis=0)), np.maximum(high, lengths.max(axis=0)), lengths[-1]
    return np.exp(high - low)
