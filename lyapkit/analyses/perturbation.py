"""A finite and an infinitesimal perturbation of an orbit, followed together."""

import dataclasses

import numpy as np

from lyapkit.analyses.cycles.perturbed_cycle import OF_CYCLES, PHASES, beside_cycles
from lyapkit.analyses.disturbances.finite_size import finite_size_exponents
from lyapkit.analyses.limit_cycle import limit_cycle
from lyapkit.analyses.orbits.clock import Clock, check_input, checked_state, clock, depends_on_time, time_direction
from lyapkit.analyses.orbits.points import repeated
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.analyses.orbits.tolerances import failure
from lyapkit.analyses.verb import positive, verb, whole
from lyapkit.kernels import tangent
from lyapkit.systems import inputs
from lyapkit.systems.system import System

_TRIALS = 256
_SEARCHED = 300.0  # time within which a cycle that x is on has to return, unless `duration` is longer
SIZES = 1e-6 * 2.0 ** np.arange(28)  # to some 134


@dataclasses.dataclass(frozen=True)
class _Perturbation:
    system: System
    initial_state: np.ndarray
    clock: Clock
    delta: np.ndarray
    every: int
    cycle: object  # plan of limit_cycle; None where there is none
    sizes: np.ndarray
    trials: int
    seed: int

    block = 64  # points of a task of a scan: each has its own trials

    @property
    def work(self):
        steps = 2 * (self.clock.transient + self.clock.steps)
        return steps + (2 * self.trials * self.clock.steps if self.trials else 0)

    @property
    def variables(self):
        names = dict.fromkeys(("distance", "log_distance", "tangent_log_norm", "log_ratio"), ("time",))
        if self.cycle is not None:
            names |= dict.fromkeys(("phase_shift", "cycle_distance"), ("time",))
            names |= dict.fromkeys((*OF_CYCLES, "cycle_status"), ())
        if self.trials:
            names |= dict.fromkeys(("finite_size_exponent", "finite_size_exponent_stderr"), ("size",))
        return names | {"status": ()}

    @property
    def coords(self):
        samples = np.arange(self.clock.steps // self.every + 1)
        times = {"time": samples * self.every * self.clock.dt}
        return times | ({"size": self.sizes} if self.trials else {})

    @property
    def attrs(self):
        mine = {"delta": self.delta, "trials": self.trials, "seed": self.seed, "logarithm": "natural"}
        return self.clock.attrs | mine | time_direction(self.system)

    def measure(self, values, states, monitor):
        points = len(states)
        begin, orbits, others, tangents = self._follow(values, states, monitor)
        with np.errstate(all="ignore"):
            distance = np.sqrt(((others - orbits) ** 2).sum(axis=2))
            logs = np.log(distance)
        result = {
            "distance": distance, "log_distance": logs, "tangent_log_norm": tangents, "log_ratio": logs - tangents,
            "status": failure(self.clock, np.moveaxis(np.concatenate([orbits, others], axis=1), 0, -1)),
        }  # fmt: skip
        if self.cycle is not None:
            times = self.coords["time"]
            result |= beside_cycles(self.cycle, values, begin, orbits, others, self.delta, times, monitor)
        if self.trials:
            found = finite_size_exponents(
                self.system, values, begin, self.clock, self.sizes, self.trials, self.seed, monitor
            )
            result |= dict(zip(("finite_size_exponent", "finite_size_exponent_stderr"), found, strict=True))
        return {name: array[:points] for name, array in result.items()}

    def _follow(self, values, states, monitor):
        """Where the perturbation is made (points, n); both orbits (points, time, n) and ln |tangent vector|.

        The two orbits run as one ensemble, so that the perturbed one too is at the input's time.
        """
        points, size = len(states), np.linalg.norm(self.delta)
        pairs = Ensemble(
            self.system, repeated(values, 2), np.repeat(states, 2, axis=0), self.clock, 1, self.delta[None] / size
        )
        pairs.run(self.clock.transient, monitor, settle=self.clock.transient)
        pairs.set_frames(np.repeat(self.delta[None, :, None] / size, 2 * points, axis=2))
        now = pairs.gather("x")[:, : 2 * points].copy()
        begin = now[:, ::2].T.copy()
        now[:, 1::2] = (begin + self.delta).T
        pairs.set_states(now)
        seen, growth = [now], [np.full(points, np.log(size))]
        for _ in range(self.clock.steps // self.every):
            sums, _ = pairs.run(self.every, monitor)
            seen.append(pairs.gather("x")[:, : 2 * points].copy())
            growth.append(growth[-1] + sums[tangent.WEIGHTS :, 0, : 2 * points : 2].sum(axis=0))
        both = np.moveaxis(np.array(seen), 2, 0)
        return begin, both[::2], both[1::2], np.array(growth).T


@verb
def perturbation(
    system, delta=1e-3, *, initial_state=None, transient=None, duration=None, dt=None, method=None, rtol=None,
    atol=None, every=1, sizes=None, trials=None, seed=0,
):  # fmt: skip
    """perturbation(system, delta=1e-3, *, initial_state=None, transient=None, duration=None, ..., sizes=None,
                 trials=None, seed=0)

    A finite perturbation and an infinitesimal one, followed together along one orbit.

    Returns a Dataset, time 0 being when the perturbation is made, after the transient:

    distance(time), log_distance(time)  |y - x| of the orbit y from x(0) + delta, and its natural logarithm
    tangent_log_norm(time)  ln |tangent vector| from delta: what a perturbation without a size would do
    log_ratio(time)         their difference: 0 as long as the perturbation is small

    of flows besides, where x is on a limit cycle (else NaN, and cycle_status says what was found; not with an input):

    phase_shift(time)       phase of the cycle's point nearest to y, less that of x, time units in [-T/2, T/2): settles
                            at asymptotic_phase_shift (NaN while y is not back): the memory of the phase
    predicted_phase_shift   Z . delta, Z the phase gradient at x(0); right but for O(delta^2)
    cycle_distance(time)    distance of y from the cycle as a set: the memory of the amplitude, which is forgotten at
                            amplitude_decay_rate (nats per time unit, the second exponent), fitted over whole
                            periods; NaN where less than a period lies between nonlinearity and rounding
    period, cycle_status    of the cycle, which is searched for a time of `duration`, at least 300

    and the finite-size exponent

    finite_size_exponent(size), finite_size_exponent_stderr(size)   mean growth rate of errors between `size` and the
                            next size: the largest exponent for small sizes, falling where they reach the
                            attractor's; NaN where fewer than half of the errors grow so far
    status

    delta           size of the perturbation along a random direction, or the perturbation (unit,) itself
    initial_state   (unit,), default the system's own
    transient       default 100 time units, 1000 iterates
    duration        followed for so long, default 100 time units, 1000 iterates; the errors of one trial also
    dt, method      step and Runge-Kutta method of a flow: "rk8" (default), "rk4", "euler", "tsit5", "dop853"
    rtol, atol      relative and absolute error of a substep of tsit5 (1e-7, 1e-9) and dop853 (1e-10, 1e-12)
    every           steps between samples
    sizes           of the errors, each the same factor above the one before; default 28 from 1e-6 on, factor 2
    trials          pairs of orbits for the finite-size exponent, default 256 (0: none; with an input none are accepted)
    seed            of the directions
    progress        True, False, or None: a bar on a terminal

    The pairs of the finite-size exponent start along the orbit, apart in the fastest growing direction; rate = <ln of
    the growth> / <time> between first passages of two sizes, which is ln r / <tau> but for what a step
    overshoots (Aurell, Boffetta, Crisanti, Paladin & Vulpiani, J. Phys. A 30 (1997) 1). Of quasi-periodic orbits of
    maps no phase is given. Distances are those of the numbers also where a map takes them modulo something.

    >>> import lyapkit as lk
    >>> system = lk.systems.stuart_landau(mu=1.0, omega=2.0, c=0.5)
    >>> ds = lk.perturbation(system, delta=[1e-4, 0.0], trials=0)
    >>> round(float(ds.asymptotic_phase_shift / ds.predicted_phase_shift), 3), round(float(ds.amplitude_decay_rate), 3)
    (1.0, -2.0)
    """
    defaults = (100, 100) if system.kind == "flow" else (1000, 1000)
    before = defaults[0] if transient is None else transient
    if method is None and system.kind == "flow":
        method = "rk8"  # amplitudes can be followed down to the distance of the numerical cycle from the true one
    time = clock(system, before, defaults[1] if duration is None else duration, dt, method, rtol, atol)
    check_input(system, time)
    driven = inputs.drive(system).count > 0 or depends_on_time(system)
    count = (0 if driven else _TRIALS) if trials is None else whole("trials", trials, 0, 10**6)
    if driven and count:
        raise ValueError(f"trials: given {trials!r} with a rule that depends on time, accepted: 0")
    if sizes is not None and not count:
        raise ValueError("sizes: given without trials, accepted: trials of at least 1")
    state = checked_state(system, initial_state)
    number = whole("seed", seed, 0, 2**63 - 1)
    push = _checked_delta(system, delta, number)
    stride = whole("every", every, 1, time.steps)
    cycle = None if driven else _cycle_plan(system, state, max(_SEARCHED, time.duration))
    return _Perturbation(system, state, time, push, stride, cycle, _checked_sizes(sizes), count, number)


def _checked_delta(system, delta, seed):
    """The perturbation (n,)."""
    n = system.dimension
    if np.ndim(delta):
        push = checked_state(system, delta) if np.shape(delta) == (n,) else None
        if push is None or not push.any():
            raise ValueError(f"delta: given {delta!r}, accepted: a size, or ({n},) numbers that are not all zero")
        return push
    direction = np.random.default_rng(seed).standard_normal(n)
    return positive("delta", delta) * direction / np.linalg.norm(direction)


def _checked_sizes(sizes):
    if sizes is None:
        return SIZES
    try:
        ladder = np.array([positive("sizes", size) for size in np.ravel(sizes)])
    except TypeError:
        raise TypeError(f"sizes: given {sizes!r}, accepted: numbers") from None
    if len(ladder) < 2 or np.ndim(sizes) != 1 or not ladder[1] > ladder[0]:
        raise ValueError(f"sizes: given {sizes!r}, accepted: at least two numbers, each the same factor above the last")
    ratios = ladder[1:] / ladder[:-1]
    if not np.allclose(ratios, ratios[0], rtol=1e-6):
        raise ValueError(f"sizes: given {sizes!r}, accepted: each the same factor above the one before")
    return ladder


def _cycle_plan(system, state, longest):
    """The search for the cycle that x is on; None of maps."""
    if system.kind == "map":
        return None
    return limit_cycle.plan(system, n_phase=PHASES, initial_state=state, transient=0, duration=longest)
