"""What survives of an attractor and its zero exponents under disturbances of growing size."""

import dataclasses

import numpy as np

from lyapkit.analyses.disturbances import block_locking, disturbed, noise_response, zeros_kept
from lyapkit.analyses.kinds.attractor_kinds import Watch, watch
from lyapkit.analyses.orbits.clock import Clock, checked_state, clock, depends_on_time
from lyapkit.analyses.verb import choice, positive, verb, whole
from lyapkit.flags import ATTRACTOR_KIND, STATUS
from lyapkit.systems import inputs
from lyapkit.systems.free_weights import MOST_UNITS
from lyapkit.systems.system import System

SIZES = np.geomspace(1e-4, 0.1, 7)
_LANES = 4096  # disturbed systems of a task of a scan, about
_MEMBERS = {"weights": 100, "input": 8, "coupling": 20}
_TURNING = 10  # the blocks' frequencies are those of so many windows


@dataclasses.dataclass(frozen=True)
class _Robustness:
    system: System
    initial_state: np.ndarray
    disturbance: str
    sizes: np.ndarray
    members: int
    directions: disturbed.Directions | None
    watch: Watch
    clock: Clock
    order: int
    seed: int

    @property
    def block(self):
        return max(1, _LANES // (len(self.sizes) * self.members))

    @property
    def work(self):
        return self.watch.work * len(self.sizes) * self.members

    @property
    def variables(self):
        of_size, member = ("size",), ("size", "member")
        names = dict.fromkeys(zeros_kept.SHARES, of_size)
        names |= dict.fromkeys(zeros_kept.MODES, ("size", "mode")) | dict.fromkeys(zeros_kept.SLOPES, ("mode",))
        names |= {"lyapunov_exponent": (*member, "mode"), "n_zeros": member, "exponent_before": ("mode",)}
        names |= dict.fromkeys(("largest_kept_size", "n_zeros_before", "kind_before", "status"), ())
        if self.disturbance == "input":
            conditional = ("conditional_exponent", "conditional_exponent_stderr", "predicted_exponent")
            return names | dict.fromkeys(conditional, of_size)
        names |= {"attractor_kind": member, "kind_share": ("size", "kind_of_attractor")}
        if self.disturbance == "coupling":
            names |= {"block_frequency": (*member, "block"), "frequency_before": ("block",)}
            names |= dict.fromkeys(("locking_p", "locking_q"), (*member, "pair"))
            names |= dict.fromkeys(("lock_size", "lock_p", "lock_q"), ("member", "pair"))
            names |= dict.fromkeys(("pair_first", "pair_second"), ("pair",))
        return names

    @property
    def coords(self):
        axes = {"size": self.sizes, "member": np.arange(self.members)}
        axes |= {"mode": np.arange(1, self.watch.n_exponents + 1)}
        if self.disturbance != "input":
            axes |= {"kind_of_attractor": np.array(list(ATTRACTOR_KIND.values()), dtype=np.int8)}
        if self.disturbance == "coupling":
            blocks = self.system.dimension // 2
            axes |= {"block": np.arange(blocks), "pair": np.arange(blocks * (blocks - 1) // 2)}
        return axes

    @property
    def attrs(self):
        clock = self.clock
        times = {"method": clock.method, "dt": clock.dt, "transient": clock.transient * clock.dt}
        if self.disturbance == "input":
            what = "white noise on every unit, added to " + ("x'" if self.system.kind == "flow" else "the image")
        else:
            what = self.directions.words
        resolution = self._resolution if self.disturbance == "coupling" else None
        return times | {
            "duration": clock.duration, "margin": self.watch.margin, "disturbance": self.disturbance, "disturbed": what,
            "frequency_resolution": resolution, "seed": self.seed, "logarithm": "natural",
        }  # fmt: skip

    @property
    def _resolution(self):
        return block_locking.DRIFT / (_TURNING * self.clock.duration)

    def measure(self, values, states, monitor):
        points = len(states)
        if self.disturbance == "input":
            family = noise_response.Noisy(self.system, values, points, self.sizes, self.clock, self.seed, self.members)
        else:
            family = disturbed.Family(self.system, values, points, self.sizes, self.directions)
        before = family.before(states, self.watch, monitor)
        after = family.after(before.state, self.watch, monitor)
        result = zeros_kept.kept(before, after, self.sizes, self.watch.margin)
        lost = before.kind == ATTRACTOR_KIND["diverging"]
        result["status"] = np.where(lost, STATUS["diverged"], STATUS["ok"]).astype(np.int8)
        if self.disturbance == "input":
            result["conditional_exponent"], result["conditional_exponent_stderr"] = noise_response.with_stderr(after)
            result["predicted_exponent"] = family.predicted(before.state, monitor)
        else:
            codes = self.coords["kind_of_attractor"]
            result["kind_share"] = (after.kind[..., None] == codes).sum(axis=2) / self.members
        if self.disturbance == "coupling":
            result |= self._locking(family, before, after, monitor)
        return {name: result[name] for name in self.variables}

    def _locking(self, family, before, after, monitor):
        """Frequencies of the blocks, and which pairs of them are locked from which size on."""
        steps, shape = _TURNING * self.clock.steps, after.kind.shape
        frequency = family.turning(after.state, self.clock, steps, monitor)
        p, q = block_locking.locked(frequency, self._resolution, self.order)
        size, lock_p, lock_q = block_locking.lock_sizes(p, q, self.sizes)
        first, second = (np.tile(one, (shape[0], 1)) for one in block_locking.pairs(frequency.shape[-1]))
        before_it = family.turning_before(before.state, self.clock, steps, monitor)
        return {
            "block_frequency": frequency, "frequency_before": before_it,
            "locking_p": p, "locking_q": q, "lock_size": size, "lock_p": lock_p, "lock_q": lock_q,
            "pair_first": first, "pair_second": second,
        }  # fmt: skip


@verb
def robustness(
    system, *, disturbance="weights", sizes=None, members=None, directions=None, n_exponents=None, initial_state=None,
    transient=None, duration=None, dt=None, method=None, margin=1e-3, order=None, seed=0,
):  # fmt: skip
    """robustness(system, *, disturbance="weights", sizes=None, members=None, directions=None, ...)

    What survives of an attractor and its zero exponents under disturbances of growing size.

    The attractor that the orbit of `initial_state` settles on is disturbed by every size along every direction (or by
    every noise); the disturbed systems start on it. Returns a Dataset:

    share_with_zeros(size)      share of the members that keep all its zeros, those within the margin (NaN: it has none)
    share_undecided(size)       share of those of which that cannot be told
    largest_kept_size           up to which at least half of the members keep their zeros; NaN: not even the smallest
    abs_exponent_mean(size, mode), abs_exponent_spread(size, mode)   of |exponent|: mean and standard deviation
    zero_power(mode)            of the modes that were zero (else NaN): power of the size with which |exponent| grows,
                                median of the members; linear_share(mode) of them have the same |exponent| / size, to
                                a quarter, at all sizes
    zero_slope(mode), zero_slope_stderr(mode)   mean over the sizes and these members of |exponent| / size
    lyapunov_exponent(size, member, mode), n_zeros(size, member), exponent_before(mode), n_zeros_before, kind_before
    status

    with weights and coupling also attractor_kind(size, member) and kind_share(size, kind_of_attractor); with coupling

    block_frequency(size, member, block)   turns per time unit (iterate) of a block's units about the origin
    locking_p, locking_q(size, member, pair)   frequencies of the pair in the ratio p : q to the resolution (0: not)
    lock_size(member, pair)     the smallest size at which the pair is locked, with lock_p, lock_q (NaN: at none)
    pair_first(pair), pair_second(pair), frequency_before(block)

    and with input

    conditional_exponent(size), conditional_exponent_stderr(size)   the largest exponent under noise, over the members
    predicted_exponent(size)    -(size^2 / 2) <|Z'|^2> on the cycle of a flow, Z' = dZ/dt along it

    disturbance    "weights": eps Delta is added to the matrices from the state to itself, Delta with entries N(0, 1) /
                   sqrt(n); the systems of alpha and theta are taken as networks, W = alpha R(theta); every number of
                   systems without weights becomes p (1 + eps N(0, 1)). "coupling": of the blocks of a
                   block_rotation_flow or _map, by such weights between blocks. "input": white noise, eps dW/dt, is
                   added to x' of every unit, eps N(0, 1) to the image of a map (up to 8 units)
    sizes          eps, rising, default seven from 1e-4 to 0.1
    members        directions, default 100 (coupling: 20), or noises, default 8
    directions     (members, *shape of the matrix), or name -> such an array, in place of random ones: eps times it is
                   added, also to numbers of systems without weights; not with input
    n_exponents    how many, default all
    initial_state  (unit,), default the system's own
    transient      default 100 time units, 1000 iterates
    duration       of the first window, which is doubled up to five times where kinds are open: default 200 time units,
                   4096 iterates; with input of the one run, default 2000 and 40,000. Frequencies take ten times as long
    dt, method     step and Runge-Kutta method of a flow, default "rk4"
    margin         half-width within which an exponent counts as zero
    order          largest p and q of locked blocks, default 5 (coupling only)
    seed           of the directions or noises
    progress       True, False, or None: a bar on a terminal

    A limit cycle's zero is kept by every small disturbance, a continuous attractor's by next to none (Sagodi,
    Martin-Sanchez, Sokol & Park, arXiv:2408.00109), a torus keeps its zeros but where it locks. Common noise makes the
    zero of a cycle negative (Teramae & Tanaka, Phys. Rev. Lett. 93 (2004) 204103). Networks of more than 8 units run
    one after the other.

    >>> import lyapkit as lk
    >>> system = lk.systems.bounded_line_attractor_flow()
    >>> ds = lk.robustness(system, directions=[[[0.0, 1.0], [1.0, 0.0]]], sizes=[0.01, 0.1])
    >>> float(ds.zero_slope[0].round(6)), float(ds.share_with_zeros[0])
    (1.0, 0.0)
    """
    disturbance = choice("disturbance", disturbance, tuple(_MEMBERS))
    if inputs.drive(system).count > 0 or depends_on_time(system):
        raise ValueError(f"system: {system.name} depends on time or an input, accepted: one that does not")
    number = whole("seed", seed, 0, 2**63 - 1)
    if disturbance == "input" and system.dimension > MOST_UNITS:
        raise ValueError(
            f"disturbance: given 'input' with {system.dimension} units, accepted: at most {MOST_UNITS}; larger "
            "networks take input=lyapkit.white_noise(...) themselves"
        )
    along = _directions(system, disturbance, members, directions, number)
    count = _members(disturbance, members, along)
    k = system.dimension if n_exponents is None else whole("n_exponents", n_exponents, 1, system.dimension)
    how = watch(
        system, transient=transient, duration=None if disturbance == "input" else duration, dt=dt, method=method,
        n_exponents=k, margin=positive("margin", margin),
    )  # fmt: skip
    time = how.clock if disturbance != "input" else _noisy_clock(system, transient, duration, dt, method)
    if order is not None and disturbance != "coupling":
        raise ValueError(f"order: given with disturbance={disturbance!r}, accepted with 'coupling'")
    highest = whole("order", 5 if order is None else order, 1, 100)
    state = checked_state(system, initial_state)
    return _Robustness(system, state, disturbance, _sizes(sizes), count, along, how, time, highest, number)


def _sizes(sizes):
    if sizes is None:
        return SIZES
    found = np.array([positive("sizes", size) for size in np.ravel(sizes)])
    if np.ndim(sizes) != 1 or not len(found) or (np.diff(found) <= 0).any():
        raise ValueError(f"sizes: given {sizes!r}, accepted: rising numbers above 0")
    return found


def _directions(system, disturbance, members, directions, seed):
    """The directions of weights; None of noise."""
    if disturbance == "input":
        if directions is not None:
            raise ValueError("directions: given with disturbance='input', accepted with 'weights' and 'coupling'")
        return None
    if disturbance == "coupling" and system.name not in ("block_rotation_flow", "block_rotation_map"):
        raise ValueError(f"disturbance: given 'coupling' with {system.name}, accepted for block_rotation_flow and _map")
    if directions is not None:
        return disturbed.given(system, directions)
    count = _MEMBERS[disturbance] if members is None else whole("members", members, 1, 10**6)
    along = disturbed.drawn(system, count, seed)
    return disturbed.between_blocks(along) if disturbance == "coupling" else along


def _members(disturbance, members, along):
    if along is None:
        return _MEMBERS[disturbance] if members is None else whole("members", members, 1, 10**6)
    count = along.members
    if members is not None and members != count:
        raise ValueError(f"members: given {members!r}, but directions of {count}; accepted: one of the two")
    return count


def _noisy_clock(system, transient, duration, dt, method):
    defaults = (100, 2000) if system.kind == "flow" else (1000, 40_000)
    before, span = (d if given is None else given for d, given in zip(defaults, (transient, duration), strict=True))
    return clock(system, before, span, dt, method)
