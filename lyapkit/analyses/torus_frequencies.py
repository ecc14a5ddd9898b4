"""The independent frequencies of a torus, from the spectral lines of an orbit on it."""

import dataclasses

import numpy as np

from lyapkit.analyses.orbits.clock import Clock, check_input, checked_state, clock
from lyapkit.analyses.orbits.points import select
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.analyses.tori.spectral_lines import find_lines
from lyapkit.analyses.tori.tone_lattice import Lattice
from lyapkit.analyses.verb import positive, verb, whole
from lyapkit.flags import STATUS
from lyapkit.kernels.blas import one_thread
from lyapkit.systems.system import System
from lyapkit.vocabulary import empty

_NUMBERS = 2**24  # of the states recorded at a time: 128 MiB
_AT_REST = 1e-9  # size of what moves, relative to the state's, below which the orbit is at rest
_RESOLVED = 0.02  # doubt of a line's frequency, in 1 / duration, above which it is none
_ROUNDING = 4e-15  # of a frequency, in turns per sample
_SPACING = 0.1  # time units between samples of a flow
_MOST_TONES = 6


@dataclasses.dataclass(frozen=True)
class _TorusFrequencies:
    system: System
    initial_state: np.ndarray
    clock: Clock
    every: int
    n_lines: int
    threshold: float
    max_order: int
    max_unexplained: float

    @property
    def work(self):
        return self.clock.transient + self.clock.steps

    @property
    def variables(self):
        tones = dict.fromkeys(("frequency", "frequency_stderr", "amplitude"), ("tone",))
        lines = {
            "line_frequency": ("line",), "line_frequency_stderr": ("line",), "line_amplitude": ("line", "unit"),
            "line_order": ("line", "tone"), "line_clock": ("line",),
        }  # fmt: skip
        single = ("n_frequencies", "clock_parts", "n_lines", "unexplained_share", "status")
        return tones | lines | dict.fromkeys(single, ())

    @property
    def coords(self):
        return {
            "tone": np.arange(1, _MOST_TONES + 1), "line": np.arange(1, self.n_lines + 1),
            "unit": np.arange(self.system.dimension),
        }  # fmt: skip

    @property
    def attrs(self):
        clock = self.clock
        return {
            "method": clock.method, "dt": clock.dt, "transient": clock.transient * clock.dt,
            "duration": clock.duration, "every": self.every, "threshold": self.threshold,
            "max_order": self.max_order, "max_unexplained": self.max_unexplained,
        }  # fmt: skip

    def measure(self, values, states, monitor):
        samples = self.clock.steps // self.every
        most = max(1, _NUMBERS // (samples * self.system.dimension))
        shapes = {name: len(coordinate) for name, coordinate in self.coords.items()}
        result = {name: empty(name, (len(states), *(shapes[d] for d in dims))) for name, dims in self.variables.items()}
        for at in range(0, len(states), most):
            chosen = slice(at, at + most)
            part = select(values, chosen)
            ensemble = Ensemble(self.system, part, states[chosen], self.clock, 0)
            ensemble.run(self.clock.transient, monitor)
            record = ensemble.run(samples * self.every, monitor, stride=self.every)[1]
            with one_thread():
                for i, start in enumerate(states[chosen]):
                    point = self._point(np.ascontiguousarray(record[..., i]), start)
                    for name, value in point.items():
                        result[name][at + i] = value
        return result

    def _point(self, signal, start):
        """The variables that are known of one orbit (samples, n)."""
        if not np.isfinite(signal).all():
            return {"status": STATUS["diverged"]}
        size = max(abs(signal).max(), abs(start).max())
        if np.ptp(signal, axis=0).max() <= _AT_REST * size:
            return {"status": STATUS["fixed_point"], "n_frequencies": 0, "unexplained_share": 0.0}
        lines, residual = find_lines(signal, self.n_lines, self.threshold)
        lines = lines.chosen(lines.doubt * len(signal) <= _RESOLVED)
        strength = np.sum(lines.amplitude**2, axis=1)
        lattice = Lattice(self.system.kind == "map", self.max_order)
        for i, (frequency, doubt) in enumerate(zip(lines.frequency, lines.doubt, strict=True)):
            lines.frequency[i] = lattice.add(frequency, doubt + _ROUNDING)
            if len(lattice.tones) > _MOST_TONES:
                return {"status": STATUS["not_a_torus"], "unexplained_share": residual}
        if residual > self.max_unexplained or not len(strength):
            return {"status": STATUS["not_a_torus"], "unexplained_share": residual}
        lattice.simplify()
        return self._described(lines, lattice) | {"unexplained_share": residual, "status": STATUS["ok"]}

    def _described(self, lines, lattice):
        """Tones and lines, padded to the result's length; times in the system's own units."""
        unit = self.every * self.clock.dt
        orders = np.array(lattice.coefficients, dtype=np.int64)
        tones, error = _fitted(lines, orders, lattice)
        rank = np.argsort(-_loudness(lines, orders), kind="stable")
        tones, error, count = tones[rank], error[rank], len(rank)
        orders = np.concatenate([orders[:, rank], orders[:, -1:]], axis=1)
        spectrum = np.full((self.n_lines, self.system.dimension), np.nan)
        spectrum[: len(orders)] = lines.amplitude
        coefficients = np.zeros((self.n_lines, _MOST_TONES), dtype=np.int64)
        coefficients[: len(orders), :count] = orders[:, :count]
        return {
            "frequency": _padded(tones / unit, _MOST_TONES),
            "frequency_stderr": _padded(error / unit, _MOST_TONES),
            "amplitude": _padded(_loudness(lines, orders), _MOST_TONES),
            "line_frequency": _padded(lines.frequency / unit, self.n_lines),
            "line_frequency_stderr": _padded((lines.doubt + _ROUNDING) / unit, self.n_lines),
            "line_amplitude": spectrum,
            "line_order": coefficients,
            "line_clock": np.append(orders[:, -1], np.zeros(self.n_lines - len(orders), dtype=np.int64)),
            "n_frequencies": count, "clock_parts": lattice.parts if lattice.has_clock else 0, "n_lines": len(orders),
        }  # fmt: skip


def _padded(values, length):
    return np.append(values, np.full(length - len(values), np.nan))


def _fitted(lines, orders, lattice):
    """The tones (D,) that fit all lines best, weighted by what is known of them, and their standard errors."""
    count = orders.shape[1] - 1
    if not count:
        return np.empty(0), np.empty(0)
    weights = 1.0 / (lines.doubt + _ROUNDING)
    clock = orders[:, -1] / lattice.parts if lattice.has_clock else np.zeros(len(orders))
    design, goal = weights[:, None] * orders[:, :-1], weights * (lines.frequency - clock)
    tones = np.linalg.lstsq(design, goal, rcond=None)[0]
    return tones, np.sqrt(np.diagonal(np.linalg.inv(design.T @ design)))


def _loudness(lines, orders):
    """Root of the summed squares of the amplitudes of the lines that hold only this tone: (D,)."""
    strength = np.sum(lines.amplitude**2, axis=1)
    others = [np.delete(orders[:, :-1], i, axis=1).any(axis=1) for i in range(orders.shape[1] - 1)]
    pure = [strength[~other & (orders[:, i] != 0)].sum() for i, other in enumerate(others)]
    return np.sqrt(np.array(pure))


@verb
def torus_frequencies(
    system, *, initial_state=None, transient=None, duration=None, dt=None, method=None, every=None, n_lines=48,
    threshold=1e-6, max_order=100, max_unexplained=0.01,
):  # fmt: skip
    """torus_frequencies(system, *, initial_state=None, transient=None, duration=None, every=None, ...)

    The spectral lines of an orbit and the independent frequencies that they are made of.

    Returns a Dataset; tones and lines beyond those found are NaN (0 where they are whole numbers):

    n_frequencies                      dimension of the torus as it is seen: 0 fixed point or a map's periodic
                                       orbit, 1 cycle or a map's invariant circle, ...
    frequency(tone), frequency_stderr  the independent frequencies, loudest first: turns per time unit (iterate);
                                       of maps in [0, 1/2], as real signals do not tell f from 1 - f
    amplitude(tone)                    root of the summed squares of the lines of this tone alone, over units
    line_frequency(line), line_frequency_stderr(line), line_amplitude(line, unit)   strongest first
    line_order(line, tone), line_clock(line)   each line's integers: line_frequency = line_order . frequency, of
                                       maps + line_clock / clock_parts
    clock_parts                        of maps: iterates in which a locked part of the motion closes (1: none); of
                                       flows 0
    n_lines, unexplained_share, status   share of the variance that the lines leave

    initial_state  (unit,), default the system's own
    transient      run before, default 500 time units, 2000 iterates
    duration       recorded, default 2000 time units, 16,384 iterates. Lines nearer than 6 / duration are not told
                   apart
    dt, method     step and Runge-Kutta method of a flow: "rk4" (default), "rk8", "euler"; maps refuse both
    every          steps between samples, default 0.1 time units or one iterate. Lines of a flow that are faster
                   than half a turn per sample are folded; those that are combinations of tones are unfolded
    n_lines        lines at most
    threshold      amplitude, relative to the strongest line, of the weakest
    max_order      largest sum |k| of a line's integers; less for combinations of three tones and more, of which at
                   most 300,000 are tried
    max_unexplained  unexplained_share above which the orbit is no torus
    progress       True, False, or None: a bar on a terminal

    Lines are found under a Hann^4 window and fitted together, the frequency of each where its windowed
    amplitude is largest (Laskar, Physica D 67 (1993) 257); a line's standard error is the disagreement of the halves,
    and what lines left out can do to it. Beats of nearly resonant lines that are slower than the duration are not seen.
    In the order of their strength, a line is an integer combination of the tones so far, or a fraction of one, which
    refines the lattice of combinations, or a new tone. A chaotic orbit has a broad spectrum: the status is
    "not_a_torus" where lines leave more than `max_unexplained`, or need more than six tones; "fixed_point" where
    nothing moves.

    >>> import lyapkit as lk
    >>> ds = lk.torus_frequencies(lk.systems.stuart_landau(mu=1.0, omega=2.0, c=0.5), method="rk8", duration=500)
    >>> round(float(ds.frequency[0]) * 2 * 3.141592653589793, 9)  # omega - c mu
    1.5
    """
    before, span = (500, 2000) if system.kind == "flow" else (2000, 16_384)
    time = clock(system, before if transient is None else transient, span if duration is None else duration, dt, method)
    check_input(system, time)
    spacing = 1 if system.kind == "map" else max(1, round(_SPACING / time.dt))
    every = spacing if every is None else whole("every", every, 1, 10**6)
    if time.steps // every < 64:
        raise ValueError(f"duration: {time.steps // every} samples, accepted: at least 64")
    return _TorusFrequencies(
        system,
        checked_state(system, initial_state),
        time,
        every,
        whole("n_lines", n_lines, 1, 1024),
        positive("threshold", threshold),
        whole("max_order", max_order, 1, 1000),
        positive("max_unexplained", max_unexplained),
    )
