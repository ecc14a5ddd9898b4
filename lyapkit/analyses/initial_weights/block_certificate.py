"""What a block of two units is worth: its cycle's period, multiplier, exponents, swing of the gradient and locking."""

import dataclasses

import numpy as np

from lyapkit import systems
from lyapkit.analyses.exponents.checks import starting_frame
from lyapkit.analyses.limit_cycle import limit_cycle
from lyapkit.analyses.lyapunov_spectrum import lyapunov_spectrum
from lyapkit.analyses.orbits.clock import Clock
from lyapkit.analyses.orbits.points import select
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.analyses.rotation_number import rotation_number
from lyapkit.flags import LOCKED, STABLE, STATUS
from lyapkit.vocabulary import empty

LONGEST_PERIOD = 512  # iterates among which a block's locking is sought
_TURNING = ("rotation_number", "locked", "locking_p", "locking_q", "status")
_COUNTED = 4096  # iterates in which turns are counted, at first
_SETTLED, _CHUNK = 2048, 256  # iterates before the swing is taken, and at a time
_SWINGING = (2**12, 2**16)  # iterates in which it is taken, more where they leave a gap
_PARTS = 256  # of the circle, to each of which the orbit is to come
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
        states = _starts(one.initial_state, values)
        spectrum = lyapunov_spectrum.plan(one).measure(values, states, monitor)
        exponents = spectrum["lyapunov_exponent"]
        # what is dropped for its exponent needs no rotation number: that takes longest
        index = np.arange(len(states)) if self.locked else np.flatnonzero(abs(exponents[:, 0]) <= self.margin)
        turning = {name: empty(name, len(states)) for name in _TURNING}
        if len(index):
            plan = rotation_number.plan(one, duration=_COUNTED, longest_period=LONGEST_PERIOD)
            found = plan.measure(select(values, index), states[index], monitor)
            for name, array in turning.items():
                array[index] = found[name]
        turns = np.where(turning["locked"] == LOCKED["no"], turning["rotation_number"], np.nan)
        return {
            "frequency": turning["rotation_number"],
            "lyapunov_exponent": exponents,
            "multiplier": np.exp(exponents[:, 1]),
            "gradient_swing": _swings(one, self.h, values, states, turns, monitor),
            **{name: turning[name] for name in ("locked", "locking_p", "locking_q")},
            "ok": (turning["status"] == STATUS["ok"]) & (spectrum["status"] == STATUS["ok"]),
        }


def _starts(state, values):
    return np.broadcast_to(state, (len(values["alpha"]), len(state)))


def _swings(system, h, values, states, turns, monitor):
    """Swings (P,) of orbits that turn so much an iterate; NaN where they are locked, or next to it.

    An orbit whose iterates leave a gap on its circle is run on for longer.
    """
    swing, open_ = np.full(len(states), np.nan), np.flatnonzero(np.isfinite(turns))
    for steps in _SWINGING:
        covered = _covered(turns[open_], steps)
        index, open_ = open_[covered], open_[~covered]
        if len(index):
            swing[index] = _swing(system, h, select(values, index), states[index], steps, monitor)
    return swing


def _covered(turns, steps):
    """Whether so many iterates come to each part of the circle."""
    full = np.empty(len(turns), dtype=bool)
    for i, one in enumerate(turns):
        phase = np.mod(one * np.arange(steps), 1.0)
        full[i] = np.bincount((phase * _PARTS).astype(np.int64), minlength=_PARTS)[:_PARTS].all()
    return full


def _swing(system, h, values, states, steps, monitor):
    """Largest over smallest length in time of a vector that the orbit's tangent map carries along its circle."""
    frame = starting_frame(system.dimension, 1, 0)
    ensemble = Ensemble(system, values, states, Clock("iterate", 1.0, 0, 0), 1, frame)
    ensemble.run(_SETTLED, monitor)
    last, vector = (ensemble.gather(name)[..., : len(states)] for name in ("x", "frame"))
    vector, settled = vector[0], Ensemble(system, values, last.T, Clock("iterate", 1.0, 0, 0), 0)
    grown = low = high = np.zeros(len(states))
    for _ in range(steps // _CHUNK):
        orbit = np.concatenate([last[None], settled.run(_CHUNK, monitor, stride=1)[1][..., : len(states)]])
        vectors = _carried(orbit[:-1], vector, values, h)
        lengths = grown + np.log(np.hypot(vectors[:, 0], vectors[:, 1]) / np.hypot(*vector))
        low, high, grown = np.minimum(low, lengths.min(axis=0)), np.maximum(high, lengths.max(axis=0)), lengths[-1]
        last, vector = orbit[-1], vectors[-1] / np.hypot(*vectors[-1])
    return np.exp(high - low)


def _carried(orbit, vector, values, h):
    """The images (C, 2, P) of a vector (2, P) along the orbit's states (C, 2, P): v <- v + h (-v + sech^2(W x) W v)."""
    c, s = values["alpha"] * np.cos(values["theta"]), values["alpha"] * np.sin(values["theta"])
    slope = h / np.cosh(np.stack([c * orbit[:, 0] - s * orbit[:, 1], s * orbit[:, 0] + c * orbit[:, 1]], axis=1)) ** 2
    a, b = vector
    images = np.empty_like(orbit)
    for image, (p, q) in zip(images, slope, strict=True):
        a, b = (1.0 - h) * a + p * (c * a - s * b), (1.0 - h) * b + q * (s * a + c * b)
        image[0], image[1] = a, b
    return images
