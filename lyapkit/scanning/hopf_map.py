"""Maps of bifurcations: fixed points, eigenvalues and regimes over a grid, and the curves between them."""

import dataclasses
import math

import numpy as np

from lyapkit.analyses.fixed_points import fixed_points
from lyapkit.analyses.kinds.regimes import Watch, only_cycles, regimes
from lyapkit.analyses.orbits.clock import Clock, checked_state, clock
from lyapkit.analyses.orbits.points import select
from lyapkit.analyses.verb import real, truth, whole
from lyapkit.flags import COMPLETE, REGIME, STABLE, STATUS
from lyapkit.kernels.blas import one_thread
from lyapkit.progress import Monitor
from lyapkit.results import dataset
from lyapkit.scanning.counted_points import counted_points
from lyapkit.scanning.grid import checked_grid, points
from lyapkit.scanning.map_curves import curves_over
from lyapkit.scanning.pool import cores, run_to_end
from lyapkit.systems.system import System, as_system

_BLOCK = 2048  # points of one task
_BRIEF = 1  # doublings of the window for orbits that are run to see what coexists
_VARIABLES = (
    "n_fixed_points", "n_stable", "complete", "leading_eigenvalue", "growth_rate", "regime", "orbit_regime",
    "orbit_period", "status",
)  # fmt: skip
_UNDECIDED, _DIVERGING = REGIME["undecided"], REGIME["diverging"]


@dataclasses.dataclass(frozen=True)
class HopfMap:
    """What is asked of every point of a grid: starts, and how their orbits are watched."""

    system: System
    initial_state: np.ndarray
    watch: Watch
    starts: int
    seed: int
    near: np.ndarray | None

    @property
    def work(self):
        return self.starts * self.watch.work

    def measure(self, values, found, monitor):
        """name -> (points,) for parameters name -> (points,) and their fixed points."""
        starts = self._starts(found)
        first, period, middle = regimes(self.system, values, next(starts), found, self.watch, monitor)
        kinds, more = [first], np.flatnonzero(~only_cycles(self.system, found) | (first != REGIME["limit_cycle"]))
        brief = dataclasses.replace(self.watch, doublings=min(self.watch.doublings, _BRIEF))
        own, there = select(values, more), found.of(more)
        for states in starts if len(more) else ():
            kind = first.copy()
            kind[more] = regimes(self.system, own, states[more], there, brief, monitor)[0]
            kinds.append(kind)
        n_stable = (found.stable == STABLE["stable"]).sum(axis=1)
        leading = self._leading(found, middle)
        with np.errstate(all="ignore"):
            growth = leading.real if self.system.kind == "flow" else np.log(abs(leading))
        status = np.where(found.full, STATUS["too_many"], STATUS["ok"])
        return {
            "n_fixed_points": found.count, "n_stable": n_stable,
            "complete": np.select(
                [found.followed, found.complete], [COMPLETE["followed"], COMPLETE["proved"]], COMPLETE["searched"]
            ),
            "leading_eigenvalue": leading, "growth_rate": growth, "regime": _together(kinds, n_stable),
            "orbit_regime": kinds[0], "orbit_period": period, "status": status,
        }  # fmt: skip

    def _starts(self, found):
        """Arrays (points, n): the initial state, then states at random around it and the fixed points."""
        count = len(found.count)
        first = np.repeat(self.initial_state[None], count, axis=0)
        yield first
        low = np.fmin(np.fmin.reduce(found.states, axis=1), first)
        high = np.fmax(np.fmax.reduce(found.states, axis=1), first)
        middle, reach = 0.5 * (low + high), np.maximum(high - low, 1.0)
        for place in np.random.default_rng(self.seed).uniform(-1.0, 1.0, (self.starts - 1, self.system.dimension)):
            yield middle + place * reach

    def _leading(self, found, middle):
        """The leading eigenvalue (points,) of the fixed point nearest to the orbit's mean, or to the state given."""
        if self.near is not None:
            middle = np.broadcast_to(self.near, middle.shape)
        sound = np.isfinite(middle).all(axis=1)[:, None]
        middle = np.where(sound, middle, self.initial_state)
        distance = ((found.states - middle[:, None]) ** 2).sum(axis=2)
        nearest = np.argmin(np.where(np.isnan(distance), np.inf, distance), axis=1)[:, None]
        return np.take_along_axis(found.eigenvalue, nearest, axis=1)[:, 0]


def _together(kinds, n_stable):
    """The regime (points,) of what the orbits of all starts do and of the stable fixed points."""
    kinds = np.array(kinds)
    attracting = [REGIME[name] for name in ("fixed_point", "limit_cycle", "quasi_periodic", "locked", "chaotic")]
    seen = np.array([(kinds == kind).any(axis=0) for kind in attracting])
    seen[0] |= n_stable > 0
    different, first = seen.sum(axis=0), np.array(attracting)[np.argmax(seen, axis=0)]
    undecided, leaving = kinds[0] == _UNDECIDED, (kinds == _DIVERGING).any(axis=0)
    return np.select(
        [different > 1, undecided, different == 1, leaving],
        [REGIME["coexistence"], _UNDECIDED, first, _DIVERGING],
        _UNDECIDED,
    )


def hopf_map(
    system, grid=None, *, initial_state=None, starts=2, seed=0, near=None, transient=None, duration=None, doublings=4,
    dt=None, longest_period=512, curves=True, workers=None, progress=None, block=_BLOCK,
):  # fmt: skip
    """hopf_map(system, grid=None, *, initial_state=None, starts=2, seed=0, near=None, transient=None, ...)

    Fixed points, their leading eigenvalue and the regime over a plane, with the bifurcation curves in it.

    Returns a Dataset, over the grid:

    n_fixed_points, n_stable   of all fixed points; complete: proved (of all), followed (by Newton's method from where
                               they are proved, between grid points with as many) or searched
    leading_eigenvalue         complex, of the fixed point nearest to the mean of the first orbit, or to `near`
    growth_rate                its real part (maps: ln of its modulus), which is zero at a bifurcation
    regime                     flag: fixed_point, limit_cycle (of a flow), quasi_periodic, locked (a periodic orbit of
                               a map, of period two and more), chaotic; coexistence of attractors of different kinds;
                               diverging; undecided, mostly beside a bifurcation
    orbit_regime, orbit_period of the orbit of the initial state; the period of a locked one in iterates, else 0
    status

    and with two parameters, at the points of all curves one after the other (dim curve_point):

    curve_<parameter>          both parameters
    curve_kind, curve_source   flags: hopf, fold, neimark_sacker, period_doubling; computed, or in closed form
    curve_number               1, 2, ... of separate curves
    curve_frequency, curve_coefficient, curve_codimension_two   see `bifurcation_curve`; NaN of closed forms

    grid            mapping from parameter names to 1-d arrays; default: the system's own ranges
    initial_state   (unit,), where the first orbit starts; default the system's own
    starts          orbits at each point: the first one, and others that start at random around it and the fixed
                    points, to find what coexists
    seed            of the random ones
    near            (unit,), the state whose nearest fixed point gives the eigenvalue
    transient       default 50 time units, 512 iterates
    duration        first window in which an orbit is judged; default 50 time units, 512 iterates
    doublings       how often the window is doubled for orbits that are still undecided
    dt              step of a flow (fourth order), default the model's
    longest_period  of locked orbits, in iterates
    curves          whether to follow curves
    workers, progress, block   as of `scan`; no result depends on them

    The fixed points are proved at all points of a small grid; of one of more than 1024 at every eighth (see
    `fixed_points`), followed by Newton's method to the points between, and proved anew wherever their number changes:
    what is born and gone within eight points is not seen. An orbit rests where it nears a stable fixed point. One of a
    flow of two units that does not grow tends to a cycle where no fixed point is stable (Poincare & Bendixson). Else
    the two largest Lyapunov exponents decide, as weighted Birkhoff means (Das, Saiki, Sander & Yorke, Nonlinearity 30
    (2017) 4111): a cycle has one zero, a torus two; chaos has a positive one; a locked orbit contracts and returns.
    What coexists is seen from stable fixed points and from as many orbits as there are starts; those after the first
    are watched for two windows only, and what they leave undecided counts for nothing. A transient of chaos that
    outlasts the windows passes for an attractor.

    >>> import lyapkit as lk, numpy as np
    >>> grid = {"alpha": np.linspace(0.5, 4, 8), "theta": np.array([0.1, 0.9, 1.5])}
    >>> ds = lk.hopf_map(lk.systems.rotation_flow, grid)
    >>> ds.n_fixed_points.sel(alpha=4.0, theta=0.1).item(), ds.regime.sel(alpha=4.0, theta=0.9).item()
    (9, 1)
    """
    system, wanted = as_system(system), truth("curves", curves)
    axes = checked_grid(system, grid)
    for name in system.model.structural:
        if name in axes:
            raise ValueError(f"grid: parameter {name!r} changes more than numbers, accepted: others")
    plan = fixed_points.plan(system, initial_state=initial_state)
    system, n = plan.system, plan.system.dimension
    if plan.initial_state.ndim != 1:
        raise ValueError(f"initial_state: given shape {plan.initial_state.shape}, accepted: ({n},)")
    task = HopfMap(
        system, plan.initial_state, _watch(system, transient, duration, dt, doublings, longest_period),
        whole("starts", starts, 1, 1000), whole("seed", seed, 0, 2**63 - 1),
        None if near is None else _checked_near(system, near),
    )  # fmt: skip
    workers = cores() if workers is None else whole("workers", workers, 1, 1024)
    arrays = _measured(task, plan, axes, workers, whole("block", block, 1, 2**20), progress)
    shape = tuple(len(axis) for axis in axes.values())
    variables = {name: (tuple(axes), arrays[name].reshape(shape)) for name in _VARIABLES}
    extra, coords = ({}, {})
    if wanted and len(axes) == 2:
        with Monitor(1, "curves", progress) as monitor:
            extra, coords = curves_over(system, axes, monitor)
    attrs = {
        "verb": "hopf_map", "starts": task.starts, "seed": task.seed, "doublings": doublings,
        "transient": task.watch.clock.transient * task.watch.clock.dt, "duration": task.watch.clock.duration,
        "dt": task.watch.clock.dt, "longest_period": longest_period,
    }  # fmt: skip
    return dataset(system, variables | extra, {**axes, **coords}, attrs)


def _checked_near(system, near):
    state = checked_state(system, near)
    if state.ndim != 1:
        raise ValueError(f"near: given shape {state.shape}, accepted: ({system.dimension},)")
    return state


def _watch(system, transient, duration, dt, doublings, longest_period):
    before, span = (50, 50) if system.kind == "flow" else (512, 512)
    time: Clock = clock(system, before if transient is None else real("transient", transient),
                        span if duration is None else duration, dt, None)  # fmt: skip
    return Watch(time, whole("doublings", doublings, 0, 20), whole("longest_period", longest_period, 2, 10**5))


def _measured(task, plan, axes, workers, block, progress):
    """name -> (points,) over the whole grid."""
    values, shape = points(axes), tuple(len(axis) for axis in axes.values())
    count = math.prod(shape)
    states = np.broadcast_to(task.initial_state, (count, task.system.dimension))
    arrays = {}
    _ = task.system.cell.function  # compile before the clock of the progress bar starts
    with one_thread(task.system.data.layout.spread), Monitor(count * task.work, "hopf_map", progress) as monitor:
        found = counted_points(plan, shape, values, states, workers, monitor)
        parts = {}

        def measure(at):
            chosen = slice(at, at + block)
            parts[at] = task.measure(select(values, chosen), found.of(chosen), monitor)

        run_to_end(measure, range(0, count, block), workers, monitor)
    for name in _VARIABLES:
        arrays[name] = np.concatenate([parts[at][name] for at in sorted(parts)])
    flags = ("complete", "regime", "orbit_regime", "status")
    return arrays | {name: arrays[name].astype(np.int8) for name in flags}
