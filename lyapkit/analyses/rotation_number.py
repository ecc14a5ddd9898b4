"""Rotation numbers and mode-locking of maps."""

import dataclasses

import numpy as np

from lyapkit.analyses.exponents import estimators
from lyapkit.analyses.exponents.checks import starting_frame
from lyapkit.analyses.orbits.clock import Clock, checked_state, clock
from lyapkit.analyses.orbits.points import select
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.analyses.tori.circle_modes import settled_modes
from lyapkit.analyses.tori.locking import ARRIVED, CONTRACTS, attracting_root, closest_return
from lyapkit.analyses.tori.turns import NEAR, Angle, Mean, unwrapped
from lyapkit.analyses.verb import positive, verb, whole
from lyapkit.flags import ESTIMATOR, STATUS
from lyapkit.kernels import tangent
from lyapkit.systems.system import System

_CHUNK = 512  # iterates recorded at a time, a power of two
_NUMBERS = 2**19  # of the states recorded at a time, so that they stay near the processor
_EXACT = 1e-12  # stderr at which a regular orbit is not run on, unless `until` says otherwise
_EXTRA, _ROUNDS = 5, 10  # doublings of the duration, unasked and with `until`
# Halves that agree so well, of an orbit so far from locking, are no orbit on its way to a cycle.
_ALL_DIGITS, _FAR = 1e-13, 1e-8
_TOO_WEAK = 1e-11  # so near to p/q, an orbit that is not proved locked may still be: its error reaches as far


@dataclasses.dataclass(frozen=True)
class _RotationNumber:
    system: System
    initial_state: np.ndarray
    clock: Clock
    angle: Angle
    longest_period: int
    n_modes: int
    until: float | None

    @property
    def work(self):
        return self.clock.transient + self.clock.steps

    @property
    def variables(self):
        names = (
            "rotation_number", "rotation_number_stderr", "locked", "locking_p", "locking_q", "orbit_period",
            "averaging_duration", "estimator", "status",
        )  # fmt: skip
        circle = {"circle_mode": ("harmonic", "unit"), "circle_residual": ()} if self.n_modes else {}
        return dict.fromkeys(names, ()) | circle

    @property
    def coords(self):
        if not self.n_modes:
            return {}
        return {"harmonic": np.arange(self.n_modes + 1), "unit": np.arange(self.system.dimension)}

    @property
    def attrs(self):
        turning = {"angle": self.angle.plane[0]} if self.angle.is_angle else {
            "plane": np.array(self.angle.plane), "centre": self.angle.centre
        }  # fmt: skip
        return {
            "transient": self.clock.transient, "duration": self.clock.steps, "until": self.until,
            "longest_period": self.longest_period, **turning,
        }  # fmt: skip

    def measure(self, values, states, monitor):
        most = max(1, _NUMBERS // (_CHUNK * self.system.dimension))
        parts = []
        with np.errstate(all="ignore"):
            for at in range(0, len(states), most):
                chosen = slice(at, at + most)
                part = select(values, chosen)
                parts.append(self._measured(part, states[chosen], monitor))
        return {name: np.concatenate([part[name] for part in parts]) for name in self.variables}

    def _measured(self, values, states, monitor):
        """The variables (points, ...) of points whose records fit in memory together."""
        direction = starting_frame(self.system.dimension, 1, 0)
        ensemble = Ensemble(self.system, values, states, self.clock, 1, direction)
        ensemble.run(self.clock.transient, monitor)
        begin = self.angle.radius(states)
        steps = self.clock.steps
        result = self._averaged(ensemble, steps, begin, monitor)
        for _ in range(_EXTRA if self.until is None else _ROUNDS):
            open_ = np.flatnonzero(self._open(result))
            if not len(open_):
                break
            steps *= 2
            part = select(values, open_)
            longer = Ensemble(self.system, part, result["x"][open_], self.clock, 1, direction)
            longer.set_frames(np.moveaxis(result["frame"][open_], 0, -1))
            for name, array in self._averaged(longer, steps, begin[open_], monitor).items():
                result[name][open_] = array
        if self.until is not None:
            result["status"][self._open(result)] = STATUS["not_converged"]
        if self.n_modes:
            result |= self._circle(values, result, monitor)
        return result

    def _open(self, result):
        """Points (points,) whose orbits are to be run on."""
        late = ~(result["rotation_number_stderr"] <= (self.until or _EXACT)) & (result["status"] == STATUS["ok"])
        return late & (result["estimator"] == ESTIMATOR["birkhoff"]) if self.until is None else late

    def _averaged(self, ensemble, steps, begin, monitor):
        """Run on for `steps` and estimate; arrays begin with the points."""
        mean, growth, points = None, [], ensemble.points
        last = ensemble.gather("x")
        while mean is None or mean.done < steps:
            sums, record = ensemble.run(_CHUNK, monitor, stride=1)
            states = np.concatenate([last[None], record])[..., :points]
            mean = mean or Mean(steps, points)
            mean.add(*self.angle.increments(states))
            growth.append(sums[tangent.WEIGHTS :, :, :points])
            last = record[-1]
        exponent, doubt = (array[0] for array in estimators.plain_mean(np.concatenate(growth), 1.0))
        value, error, regular = _estimate(mean, steps, exponent, doubt)
        result = self._locking(ensemble, last, mean, value, error, regular, (exponent, doubt), monitor)
        x = last.T[:points]
        lost = ~np.isfinite(x).all(axis=1) | ~np.isfinite(mean.farthest)
        size = np.maximum(begin, np.hypot(*self.angle.centre))
        at_rest = self.angle.radius(x) <= NEAR * size
        turning = ~(mean.ambiguous | mean.meets_centre)
        status = np.select(
            [lost, at_rest, ~turning], [STATUS["diverged"], STATUS["fixed_point"], STATUS["no_rotation"]], STATUS["ok"]
        )
        estimator = np.where(regular, ESTIMATOR["birkhoff"], ESTIMATOR["mean"])
        result |= {
            "status": status.astype(np.int8), "estimator": estimator.astype(np.int8),
            "averaging_duration": np.full(points, float(steps)), "x": x,
            "frame": np.moveaxis(ensemble.gather("frame"), -1, 0)[:points],
        }  # fmt: skip
        return _blanked(result)

    def _locking(self, ensemble, start, mean, value, error, regular, exponent, monitor):
        """Rotation numbers, exact where a periodic orbit attracts the orbit, and the periodic orbit's numbers."""
        points = ensemble.points
        record = ensemble.run(self.longest_period, monitor, stride=1)[1][..., :points]
        start = start[:, :points]
        advance = unwrapped(self.angle.increments(np.concatenate([start[None], record]))[0], mean.cut)
        q, distance, turns, size = closest_return(start, record, advance)
        p = np.round(turns)
        rational = p / q
        arrived = distance <= ARRIVED * size
        contracts = (exponent[0] < -CONTRACTS) & ~(exponent[0] > -3.0 * exponent[1])
        locked = arrived & contracts
        off = abs(value - rational)
        likely = off <= 10.0 * error + 4.0 / (q * mean.steps)
        likely &= ~((error <= _ALL_DIGITS) & (off > _FAR))
        unsure = regular & (likely | arrived) & ~locked & np.isfinite(record).all(axis=(0, 1))
        locked |= self._proved(ensemble, start.T, record, q, unsure, monitor)
        error = np.where(off <= _TOO_WEAK, np.maximum(error, off), error)
        p, q = np.where(locked, np.mod(p, q), 0).astype(np.int64), np.where(locked, q, 0).astype(np.int64)
        common = np.maximum(np.gcd(p, q), 1)
        value = np.mod(np.where(locked, p / np.maximum(q, 1), value), 1.0)
        return {
            "rotation_number": np.where(value == 1.0, 0.0, value),
            "rotation_number_stderr": np.where(locked, 0.0, error),
            "locked": locked.astype(np.int8), "locking_p": p // common, "locking_q": q // common, "orbit_period": q,
        }  # fmt: skip

    def _proved(self, ensemble, start, record, q, unsure, monitor):
        """Where a periodic orbit that attracts lies nearer to the orbit than its other points of one period."""
        proved = np.zeros(len(start), dtype=bool)
        for period in np.unique(q[unsure]):
            chosen = np.flatnonzero(unsure & (q == period))
            values = select(ensemble.values, chosen)
            others = abs(record[: period - 1, :, chosen] - start[chosen].T).max(axis=1)
            spacing = np.fmin(others.min(axis=0, initial=np.inf), abs(record[..., chosen]).max(axis=(0, 1)))
            found, root = attracting_root(self.system, values, start[chosen], self.clock, int(period), spacing, monitor)
            proved[chosen] = found & (self.angle.radius(root) > NEAR * self.angle.radius(start[chosen]))
        return proved

    def _circle(self, values, result, monitor):
        """Fourier modes of the invariant circles; NaN where there is none, as the orbit is locked or irregular."""
        points = len(result["x"])
        modes = np.full((points, self.n_modes + 1, self.system.dimension), np.nan, dtype=complex)
        residual = np.full(points, np.nan)
        smooth = (result["status"] == STATUS["ok"]) & (result["estimator"] == ESTIMATOR["birkhoff"])
        chosen = np.flatnonzero(smooth & (result["locked"] == 0))
        if len(chosen):
            part = select(values, chosen)
            x, rotation, steps = (result[name][chosen] for name in ("x", "rotation_number", "averaging_duration"))
            modes[chosen], residual[chosen] = settled_modes(
                self.system, part, x, self.clock, rotation, steps, self.n_modes, self.angle.plane[0], _CHUNK, monitor
            )
        return {"circle_mode": modes, "circle_residual": residual}


def _estimate(mean, steps, exponent, doubt):
    """Mean turns (L,), their standard error, and whether the orbit is regular, so that they are weighted."""
    batches = np.array(mean.batches)
    plain, error = (array[0] for array in estimators.plain_mean(batches, 1.0, short_last=steps % _CHUNK > 0))
    weighted, spread = (array[0] for array in estimators.weighted_mean(mean.weighted, 1.0))
    chaotic = (exponent > 3.0 * doubt) & (exponent > CONTRACTS) & (spread > _EXACT)
    regular = ~chaotic & np.isfinite(weighted)
    return np.where(regular, weighted, plain), np.where(regular, estimators.guarded(spread, error), error), regular


def _blanked(result):
    """The result with nothing but the status where that is not ok."""
    bad = result["status"] != STATUS["ok"]
    for name in ("rotation_number", "rotation_number_stderr"):
        result[name] = np.where(bad, np.nan, result[name])
    for name in ("locked", "locking_p", "locking_q", "orbit_period"):
        result[name] = np.where(bad, 0, result[name]).astype(result[name].dtype)
    return result


@verb
def rotation_number(
    system, *, centre=None, plane=None, angle=None, initial_state=None, transient=None, duration=None, until=None,
    longest_period=512, n_modes=0,
):  # fmt: skip
    """rotation_number(system, *, centre=None, plane=(0, 1), angle=None, ..., longest_period=512, n_modes=0)

    The mean turns per iterate of an orbit of a map about a centre, and whether it is locked.

    Returns a Dataset:

    rotation_number          in [0, 1), counter-clockwise in the plane; p/q, exactly, where the orbit is locked
    rotation_number_stderr   its standard error, 0 where it is locked
    locked                   1 (yes) where a periodic orbit, isolated and stable, attracts the orbit, else 0
    locking_p, locking_q     p turns in q iterates in lowest terms (0 / 0: not locked; 0 / 1: a fixed point off the
                             centre, or a cycle that does not go around it)
    orbit_period             iterates of the periodic orbit, locking_q or a multiple of it (0: not locked)
    circle_mode(harmonic, unit), circle_residual   with n_modes, see below
    averaging_duration, estimator, status

    centre          (2,) in the plane, or (unit,); default the origin
    plane           the two units in whose plane turns are counted, default (0, 1)
    angle           instead of both: the number of a unit that is an angle (rad) itself, such as 0 of standard_map
    initial_state   (unit,), default the system's own
    transient       iterates run before, default 1000
    duration        iterates averaged over, default 10,000; doubled, at most five times, for regular orbits until
                    the standard error is below 1e-12
    until           double the duration of all orbits until the standard error is below this; status
                    "not_converged" if ten doublings do not suffice
    longest_period  iterates among which the period of a locked orbit is sought
    n_modes         harmonics of the invariant circle, default 0: none
    progress        True, False, or None: a bar on a terminal

    With a_n the turns of one iterate, cut where they leave the largest gap, the rotation number is the mean
    sum w_n a_n / sum w_n with the bump w = exp(-1/(s(1-s))) over the run, s from 0 to 1: of a quasi-periodic orbit
    its error falls faster than any power of the duration (Das, Saiki, Sander & Yorke, Nonlinearity 30 (2017)
    4111). The standard error is the disagreement of the two halves; that of a chaotic orbit, whose mean is
    plain, comes from batch means. An orbit is locked where it returns to itself to 1e-10 while its largest
    exponent is below -1e-3 per iterate, or where Newton's method on the q-th iterate finds a root, not farther
    than the orbit's other points, with all multipliers inside the unit circle. Neutral periodic orbits (of a
    rotation by a rational angle) are not locked.

    Modes: the circle is X(phi) = c_0 + 2 Re sum_k c_k exp(2 pi i k phi), x_n = X(phi_0 + n rotation_number), with
    phi = 0 where c_1 of the plane's first unit is real and positive, averaged until they settle to 1e-12;
    circle_residual is the largest difference between X and 512 states of the orbit. NaN where the orbit
    is locked or irregular.

    A status says why a number is missing: "fixed_point" (the orbit comes to rest at the centre), "no_rotation" (it
    meets the centre, or turns by every angle at once), "diverged".

    >>> import lyapkit as lk
    >>> ds = lk.rotation_number(lk.systems.rotation_map(alpha=2.0, theta=0.7853981633974483))
    >>> int(ds.locking_p), int(ds.locking_q), float(ds.rotation_number)
    (1, 8, 0.125)
    """
    if system.kind != "map":
        raise ValueError(
            f"system: given {system.name}, a flow; accepted: a map. The frequency of a flow's cycle is "
            "limit_cycle(system).frequency"
        )
    if system.parameters.get("input") is not None:
        raise ValueError(f"system: {system.name} is given an input; accepted: a map without one")
    turning = _angle(system, centre, plane, angle)
    if angle is not None and n_modes:
        raise ValueError(f"n_modes: given {n_modes!r} with angle, whose jumps have no modes; accepted: 0")
    transient = 1000 if transient is None else transient
    return _RotationNumber(
        system,
        checked_state(system, initial_state),
        clock(system, transient, 10_000 if duration is None else duration, None, None),
        turning,
        whole("longest_period", longest_period, 1, 2**16),
        whole("n_modes", n_modes, 0, 256),
        None if until is None else positive("until", until),
    )


def _angle(system, centre, plane, angle):
    """What turns, from the keywords."""
    n = system.dimension
    if angle is not None:
        if centre is not None or plane is not None:
            raise ValueError("angle: given with centre or plane; accepted: one or the other")
        return Angle((whole("angle", angle, 0, n - 1),), np.zeros(2), True)
    if n < 2:
        raise ValueError(f"angle: given None, but {system.name} has one unit and no plane; accepted: 0")
    plane = (0, 1) if plane is None else plane
    if np.shape(plane) != (2,) or len({whole("plane", unit, 0, n - 1) for unit in plane}) < 2:
        raise ValueError(f"plane: given {plane!r}, accepted: two different units")
    plane = tuple(int(unit) for unit in plane)
    if centre is None:
        return Angle(plane, np.zeros(2), False)
    try:
        given = np.array(centre, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"centre: given {centre!r}, accepted: real numbers") from None
    if given.shape not in ((2,), (n,)) or not np.isfinite(given).all():
        raise ValueError(f"centre: given {centre!r}, accepted: (2,) or ({n},) finite numbers")
    return Angle(plane, given if given.shape == (2,) else given[list(plane)], False)
