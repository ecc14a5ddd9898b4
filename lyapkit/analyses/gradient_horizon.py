"""Gradient horizons: how long a gradient stays inside the range of a kind of floating-point number."""

import dataclasses

import numpy as np

from lyapkit.analyses.exponents.zero_verdict import ONE_SIDED_99, TWO_SIDED_95
from lyapkit.analyses.gradients.sensitivity import Sensitivity, sensitivity
from lyapkit.analyses.verb import positive, verb
from lyapkit.flags import GRADIENT_END

# name -> the smallest normal number and the largest one
RANGES = {
    "float16": (2.0**-14, 65504.0),
    "bfloat16": (2.0**-126, (2.0 - 2.0**-7) * 2.0**127),
    "float32": (2.0**-126, (2.0 - 2.0**-23) * 2.0**127),
    "float64": (float(np.finfo(float).tiny), float(np.finfo(float).max)),
}
_LOW, _HIGH = np.log(np.array(list(RANGES.values()))).T  # (dtype,)


@dataclasses.dataclass(frozen=True)
class _GradientHorizon:
    forward: Sensitivity
    margin: float

    @property
    def system(self):
        return self.forward.system

    @property
    def initial_state(self):
        return self.forward.initial_state

    @property
    def work(self):
        return self.forward.work

    @property
    def attrs(self):
        return self.forward.attrs | {"margin": self.margin}

    @property
    def variables(self):
        per_dtype = dict.fromkeys(("horizon", "asymptotic_horizon", "gradient_end"), ("dtype",))
        per_mode = dict.fromkeys(("lyapunov_exponent", "lyapunov_exponent_stderr"), ("mode",))
        per_delay = {"directions_inside": ("dtype", "delay"), "sensitivity_log_norm": ("delay",)}
        return per_dtype | per_delay | per_mode | {"status": ()}

    @property
    def coords(self):
        dtypes = np.array(list(RANGES))
        return {"dtype": dtypes, "delay": self.forward.delays, "mode": self.forward.modes}

    def measure(self, values, states, monitor):
        found, delays = self.forward.measure(values, states, monitor), self.forward.delays
        logs = found.pop("log_singular_value")
        with np.errstate(invalid="ignore"):
            inside = (logs[:, None] >= _LOW[:, None, None]) & (logs[:, None] <= _HIGH[:, None, None])
        rate, error = found["lyapunov_exponent"][:, 0], found["lyapunov_exponent_stderr"][:, 0]
        from_start = self._reached(np.zeros(len(logs)), np.zeros(len(logs)), rate, error)
        horizon, end = self._measured(logs[:, :, 0], delays)
        beyond = self._reached(np.full(len(logs), delays[-1]), logs[:, -1, 0], rate, error)
        never = end == GRADIENT_END["stays"]
        undecided = never & np.isnan(beyond)
        end = np.where(never & np.isfinite(beyond), np.where(rate > 0, 1, -1)[:, None], end)
        return found | {
            "horizon": np.where(never, beyond, horizon),
            "asymptotic_horizon": from_start,
            "gradient_end": np.where(undecided, GRADIENT_END["undecided"], end).astype(np.int8),
            "directions_inside": inside.sum(axis=-1),
            "sensitivity_log_norm": logs[:, :, 0],
        }

    def _reached(self, times, logs, rate, error):
        """When (points, dtype) a gradient of this log at these times leaves the ranges at its exponent.

        Infinite where the exponent is zero within the margin, NaN where its sign is not decided.
        """
        with np.errstate(all="ignore"):
            limit = np.where(rate[:, None] > 0, _HIGH, _LOW)
            reached = times[:, None] + (limit - logs[:, None]) / rate[:, None]
            zero = abs(rate) + TWO_SIDED_95 * error <= self.margin
            sure = (abs(rate) > ONE_SIDED_99 * error) | (rate == -np.inf)
        return np.where(zero[:, None], np.inf, np.where(sure[:, None], reached, np.nan))

    @staticmethod
    def _measured(norms, delays):
        """The first exit (points, dtype) from each range, between delays on a straight line, and through which end."""
        norms = np.concatenate([np.zeros((len(norms), 1)), norms], axis=1)[:, None]  # of no delay: the identity
        times = np.concatenate([[0.0], delays])
        with np.errstate(invalid="ignore"):
            above, below = norms > _HIGH[:, None], norms < _LOW[:, None]
        out = above | below
        first = np.where(out.any(axis=-1), out.argmax(axis=-1), 1)
        after = np.take_along_axis(norms[:, 0], first, axis=1)
        before = np.take_along_axis(norms[:, 0], first - 1, axis=1)
        explodes = np.take_along_axis(above, first[..., None], axis=-1)[..., 0]
        limit = np.where(explodes, _HIGH, _LOW)
        with np.errstate(all="ignore"):
            share = np.where(np.isfinite(after), (limit - before) / (after - before), 1.0)
        left = out.any(axis=-1)
        horizon = times[first - 1] + share * (times[first] - times[first - 1])
        end = np.where(explodes, GRADIENT_END["explodes"], GRADIENT_END["vanishes"])
        return np.where(left, horizon, np.nan), np.where(left, end, GRADIENT_END["stays"])


@verb
def gradient_horizon(
    system, *, delays=None, initial_state=None, transient=None, duration=None, dt=None, method=None, margin=None,
    seed=0,
):  # fmt: skip
    """gradient_horizon(system, *, delays=None, initial_state=None, transient=None, duration=None, dt=None, method=None,
                     margin=None, seed=0)

    How long a gradient of size 1 stays inside the range of float16, bfloat16, float32 and float64 on its way back.

    The range is from the smallest normal number to the largest. Returns a Dataset, in iterates of maps and time units
    of flows:

    horizon(dtype)             until the largest singular value of dx(t0 + d)/dx(t0) leaves the range, transient growth
                               included; between delays on a straight line of its logarithm, beyond the longest one
                               at the largest exponent
    asymptotic_horizon(dtype)  the same by the largest exponent alone: ln(limit) / lambda
    gradient_end(dtype)        1 "explodes", -1 "vanishes", 0 "stays", 2 "undecided"
    directions_inside(dtype, delay)  how many singular values are inside the range at that delay
    sensitivity_log_norm(delay)      ln of the largest singular value
    lyapunov_exponent(mode), lyapunov_exponent_stderr(mode), status

    A horizon is inf, the end "stays", where the range is not left within the longest delay and the exponent is zero:
    its 95 % interval lies inside +-margin. It is NaN, "undecided", where the exponent is neither that nor, at one-sided
    99 %, positive or negative; then raise duration. Subnormal numbers, which put underflow off by some steps but
    have fewer digits, count as outside.

    margin  half-width within which the exponent counts as zero, default 1 / the longest delay
    delays, initial_state, transient, duration, dt, method, seed, progress   as of learning_signal

    Source: the singular values and the exponents of learning_signal.

    >>> import lyapkit as lk
    >>> ds = lk.gradient_horizon(lk.systems.linear_map(A=[[2.0, 0.0], [0.0, 0.5]]))
    >>> ds.horizon.values.round(1)
    array([  16.,  128.,  128., 1024.])
    """
    forward = sensitivity(system, delays, initial_state, transient, duration, dt, method, seed)
    width = 1.0 / forward.delays[-1] if margin is None else positive("margin", margin)
    return _GradientHorizon(forward, width)
