"""Attractors: found from many initial states, labelled, with their basins' shares."""

import dataclasses

import numpy as np

from lyapkit.analyses.fixed_points import at_rest
from lyapkit.analyses.gradients.signal_growth import fates, signal_growth
from lyapkit.analyses.kinds.attractor_kinds import Watch, label, watch
from lyapkit.analyses.kinds.basins import grouped
from lyapkit.analyses.orbits.clock import checked_state
from lyapkit.analyses.orbits.points import repeated, select
from lyapkit.analyses.stationary.search_box import checked_box, region
from lyapkit.analyses.tori.tones import MOST_TONES, tones
from lyapkit.analyses.verb import positive, verb, whole
from lyapkit.flags import ATTRACTOR_KIND, STATUS
from lyapkit.systems.system import System
from lyapkit.vocabulary import blank

_FIRST_EXPONENTS = 3  # of every start; of the attractors all
_FEW_UNITS = 8  # and of all starts, of systems of no more units
_LONGER = 4  # an attractor of few units is watched so many times longer than a start


@dataclasses.dataclass(frozen=True)
class _Attractors:
    system: System
    initial_state: np.ndarray
    box: tuple | None
    n_starts: int
    seed: int
    watch: Watch
    most_attractors: int

    @property
    def work(self):
        return (2 * self.watch.clock.transient + 2 * self.watch.clock.steps) * self.n_starts

    @property
    def delay(self):
        return 1.0 / self.watch.margin

    @property
    def variables(self):
        single = (
            "attractor_kind", "attractor_dimension", "family_dimension", "basin_share", "basin_share_stderr",
            "n_zeros", "n_zeros_confidence", "period", "speed", "signal_growth", "signal_fate",
        )  # fmt: skip
        return dict.fromkeys(single, ("attractor",)) | {
            "lyapunov_exponent": ("attractor", "mode"), "lyapunov_exponent_stderr": ("attractor", "mode"),
            "frequency": ("attractor", "tone"), "state": ("attractor", "unit"), "n_attractors": (),
            "diverging_share": (), "undecided_share": (), "box_low": ("unit",), "box_high": ("unit",),
            "box_source": (), "status": (),
        }  # fmt: skip

    @property
    def coords(self):
        n = self.system.dimension
        return {
            "attractor": np.arange(1, self.most_attractors + 1), "mode": np.arange(1, n + 1),
            "tone": np.arange(1, MOST_TONES + 1), "unit": np.arange(n),
        }  # fmt: skip

    @property
    def attrs(self):
        clock = self.watch.clock
        return {
            "n_starts": self.n_starts, "seed": self.seed, "method": clock.method, "dt": clock.dt,
            "transient": clock.transient * clock.dt, "duration": clock.duration, "margin": self.watch.margin,
            "signal_delay": self.delay,
        }  # fmt: skip

    def trimmed(self, ds):
        """A single system's Dataset with just the attractors there are."""
        return ds.isel(attractor=np.flatnonzero(ds.attractor_kind != ATTRACTOR_KIND["absent"]))

    def measure(self, values, states, monitor):
        """What is found at each of many parameter points (see `verb`)."""
        points, n = states.shape
        place = region(self.system, values, states, self.box, False, monitor)
        cube = np.random.default_rng(self.seed).uniform(0.0, 1.0, (self.n_starts, n))
        starts = place.low[:, None] + cube * (place.high - place.low)[:, None]
        own = repeated(values, self.n_starts)
        k = n if n <= _FEW_UNITS else _FIRST_EXPONENTS
        first = dataclasses.replace(self.watch, n_exponents=k, periods=False)
        labels = label(self.system, own, starts.reshape(-1, n), first, monitor)
        groups = [self._groups(i, own, labels, first, monitor) for i in range(points)]
        result = self._shares(groups, labels.kind.reshape(points, -1))
        result |= {"box_low": place.low, "box_high": place.high, "box_source": place.source}
        owner = np.repeat(np.arange(points), [min(len(some), self.most_attractors) for some in groups])
        if len(owner):
            slot = np.concatenate([np.arange(min(len(some), self.most_attractors)) for some in groups])
            leaders = np.array([group[0] for some in groups for group in some[: self.most_attractors]])
            described = self._described(select(values, owner), labels, leaders, monitor)
            for name, column in described.items():
                result[name][owner, slot] = column
        return result

    def _groups(self, i, own, labels, how, monitor):
        """The starts of parameter point i in groups that share an attractor, the largest first."""
        mine = np.arange(i * self.n_starts, (i + 1) * self.n_starts)
        groups = grouped(self.system, own, labels, mine, how, monitor)
        return sorted(groups, key=lambda group: (-len(group), group.min()))

    def _shares(self, groups, kinds):
        """Shares of the starts, and room for what is measured of the attractors."""
        points, most = len(groups), self.most_attractors
        result = blank(self.variables, self.coords, points)
        found = np.array([len(some) for some in groups])
        for i, some in enumerate(groups):
            share = np.array([len(group) for group in some[:most]]) / self.n_starts
            result["basin_share"][i, : len(share)] = share
            result["basin_share_stderr"][i, : len(share)] = np.sqrt(share * (1.0 - share) / self.n_starts)
        diverging = (kinds == ATTRACTOR_KIND["diverging"]).mean(axis=1)
        grouped_share = np.array([sum(map(len, some)) for some in groups]) / self.n_starts
        status = np.select(
            [found > most, found > 0, diverging == 1.0],
            [STATUS["too_many"], STATUS["ok"], STATUS["diverged"]], STATUS["not_converged"],
        )  # fmt: skip
        return result | {
            "n_attractors": found, "diverging_share": diverging, "status": status.astype(np.int8),
            "undecided_share": np.maximum(1.0 - diverging - grouped_share, 0.0),
        }  # fmt: skip

    def _described(self, values, labels, leaders, monitor):
        """What is measured of attractors, from states on them: name -> (attractors, ...)."""
        kind, states, system = labels.kind[leaders], labels.state[leaders], self.system
        clock = self.watch.clock
        steps = clock.steps * (_LONGER if system.dimension <= _FEW_UNITS else 1)
        longer = dataclasses.replace(
            self.watch, clock=dataclasses.replace(clock, steps=steps), n_exponents=system.dimension
        )
        again = label(system, values, states, longer, monitor)
        lost = again.kind == ATTRACTOR_KIND["undecided"]  # what a shorter look has told
        kind = np.where(lost, kind, again.kind)
        frequency, period, dimension, family = tones(system, values, again, clock, monitor)
        torn = (kind == ATTRACTOR_KIND["torus"]) & (family > 0)
        kind = np.where(torn, ATTRACTOR_KIND["continuous_family"], kind)
        delay = dataclasses.replace(clock, transient=0, steps=max(round(self.delay / clock.dt), 1))
        return {
            "attractor_kind": kind, "attractor_dimension": dimension, "family_dimension": family,
            "lyapunov_exponent": again.exponents, "lyapunov_exponent_stderr": again.stderr,
            "n_zeros": again.zeros, "n_zeros_confidence": again.confidence, "period": period, "frequency": frequency,
            "state": again.state, "speed": again.speed,
            "signal_growth": signal_growth(system, values, again.state, delay, monitor),
            "signal_fate": fates(again.zeros, again.exponents, again.stderr, self.watch.margin),
        }  # fmt: skip


@verb
def attractors(
    system, *, n_starts=200, box=None, seed=0, initial_state=None, transient=None, duration=None, dt=None, method=None,
    margin=1e-3, most_attractors=16,
):  # fmt: skip
    """attractors(system, *, n_starts=200, box=None, seed=0, margin=1e-3, ...)

    The attractors that many initial states settle on, what they are, and their basins' shares.

    Returns a Dataset, the attractor with the largest share first:

    attractor_kind(attractor)       fixed_point, limit_cycle (of maps a periodic orbit), torus, continuous_attractor,
                                    continuous_family (moves, and has zeros that do not), or chaos
    attractor_dimension(attractor)  independent frequencies of a cycle (of maps 0) or torus; dimension of a
                                    continuous attractor; family_dimension: zeros that do not move
    basin_share(attractor), basin_share_stderr(attractor)   of the initial states, binomial standard error
    lyapunov_exponent(attractor, mode), lyapunov_exponent_stderr(attractor, mode), n_zeros(attractor) within the
                                    margin, and n_zeros_confidence(attractor), see `lyapunov_spectrum`
    frequency(attractor, tone), period(attractor)   turns per time unit (iterate), see `torus_frequencies`
    state(attractor, unit), speed(attractor)        a point on it, and |f| (maps |f(x) - x|) there
    signal_growth(attractor)        ln of the root mean square of |dx(t)/dx(0) e| over directions e (of more than 16
                                    units over 16 of them), t = 1 / margin: what is left of a perturbation, and
                                    of a gradient, after that delay
    signal_fate(attractor)          explodes (an exponent is positive), persists (some are zero), or vanishes
    n_attractors, diverging_share, undecided_share, box_low(unit), box_high(unit), box_source, status

    n_starts         initial states, uniform in the box
    box              (low, high), each a number or (unit,); default as in `fixed_points`
    seed             of the initial states
    initial_state    (unit,), of the orbit from which a box is guessed; default the system's own
    transient        default 100 time units, 1000 iterates, and as much again in which rest is looked for
    duration         first window over which exponents are averaged, default 200 time units, 4096 iterates; doubled
                     up to five times while it leaves an orbit undecided; four times longer for the attractors
                     of up to 8 units
    dt, method       step and Runge-Kutta method of a flow; maps refuse both
    margin           half-width within which an exponent counts as zero: 1 / the delay of interest
    most_attractors  that there is room for
    progress         True, False, or None: a bar on a terminal

    An orbit rests at a point that Newton's method finds beside it. Where the Jacobian there is singular, Newton's
    method with steps of least length, from states displaced along the null vectors, tells a continuum of fixed points
    from a point that merely attracts slowly: it leads to other fixed points, or back. Orbits that move are
    told by their exponents: one of a flow is zero, others may be. An exponent is zero for the kind of attractor if
    it is zero to its error, so that n_zeros may count more, which attract slower than the margin. Spectral lines of an
    orbit say how many frequencies the zeros stand for; the others do not move. Starts share an attractor where their
    points of rest agree or lie on one continuum, or where the means of random waves along their orbits agree;
    orbits of a continuous_family are one attractor where their dimensions agree. In a scan, attractors that are not
    there are absent.

    Menck, Heitzig, Marwan & Kurths, Nature Phys. 9 (2013) 89 (basins' shares); Seung, PNAS 93 (1996) 13339 (continuous
    attractors); Datseris & Wagemakers, Chaos 32 (2022) 023104 (attractors by features of orbits).

    >>> import lyapkit as lk
    >>> ds = lk.attractors(lk.systems.rnn_flow(W=[[2.0]]))  # a latch: robust memory, no gradient
    >>> ds.state.values.round(4).ravel().tolist(), ds.attractor_kind.values, ds.signal_fate.values
    ([0.9575, -0.9575], array([0, 0], dtype=int8), array([-1, -1], dtype=int8))
    """
    system = at_rest(system)
    how = watch(system, transient=transient, duration=duration, dt=dt, method=method, margin=positive("margin", margin))
    return _Attractors(
        system,
        checked_state(system, initial_state),
        checked_box(box, system.dimension),
        whole("n_starts", n_starts, 1, 10**6),
        whole("seed", seed, 0, 2**63 - 1),
        how,
        whole("most_attractors", most_attractors, 1, 10**4),
    )
