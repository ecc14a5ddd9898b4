"""Fixed points of flows and maps: all of them, with proof, for few units; what a search finds for many."""

import dataclasses
import functools
import math

import numpy as np

from lyapkit.analyses.orbits.clock import checked_state, depends_on_time
from lyapkit.analyses.orbits.points import select
from lyapkit.analyses.stationary import newton
from lyapkit.analyses.stationary.proved_points import MOST_UNITS, expressions, prove
from lyapkit.analyses.stationary.search_box import checked_box, region
from lyapkit.analyses.stationary.slow_points import slow_points
from lyapkit.analyses.stationary.stability import eigenvalues
from lyapkit.analyses.verb import positive, verb, whole
from lyapkit.flags import COMPLETE, POINT_KIND, STABLE, STATUS
from lyapkit.systems.evaluate import values_and_jacobians
from lyapkit.systems.system import System
from lyapkit.vocabulary import empty

_WORK = 4000  # of one point, half of it the steps of its orbit
_HOW = (
    "proved: interval Newton (Krawczyk) over the whole box, which holds exactly these fixed points; searched: Newton's "
    "method from many starts, with what was found deflated; there may be more"
)


@dataclasses.dataclass(frozen=True)
class _FixedPoints:
    system: System
    initial_state: np.ndarray
    box: tuple | None
    starts: int
    seed: int
    slow: float | None  # the highest speed of a slow point; None: none are looked for
    most_points: int

    work = _WORK

    @functools.cached_property
    def expressions(self):
        return expressions(self.system)

    @property
    def variables(self):
        slow = {} if self.slow is None else {"point_kind": ("point",)}
        return {
            "state": ("point", "unit"), "eigenvalue": ("point", "mode"), "stable": ("point",), "speed": ("point",),
            **slow, "n_fixed_points": (), "complete": (), "box_low": ("unit",), "box_high": ("unit",),
            "box_source": (), "status": (),
        }  # fmt: skip

    @property
    def coords(self):
        n = self.system.dimension
        return {"point": np.arange(self.most_points), "unit": np.arange(n), "mode": np.arange(1, n + 1)}

    @property
    def attrs(self):
        slowest = {} if self.slow is None else {"slow_points_below": self.slow}
        return {"completeness": _HOW, "starts": self.starts, "seed": self.seed, **slowest}

    def trimmed(self, ds):
        """A single system's Dataset with just the points there are."""
        return ds.isel(point=np.flatnonzero(ds.stable != STABLE["absent"]))

    def measure(self, values, states, monitor):
        """What is found at each of many parameter points (see `verb`)."""
        search_anyway = self.expressions is None or self.slow is not None
        place = region(self.system, values, states, self.box, search_anyway, monitor)
        proof = None
        if self.expressions is not None:
            proof = prove(self.system, self.expressions, values, place.low, place.high, monitor)
            if proof.zeros.unsure.any() and place.orbits is None:
                place = region(self.system, values, states, self.box, True, monitor)
        points = []
        for i in range(len(states)):
            one = {name: float(column[i]) for name, column in values.items()}
            points.append(self._found(i, one, place, proof, monitor))
            monitor.add(_WORK // 2)
        complete = [proof is not None and not proof.zeros.unsure[i] for i in range(len(states))]
        return self._described(points, values) | {
            "complete": np.where(complete, COMPLETE["proved"], COMPLETE["searched"]).astype(np.int8),
            "box_low": place.low, "box_high": place.high, "box_source": place.source,
        }  # fmt: skip

    def _found(self, i, values, place, proof, monitor):
        """(fixed points (count, n), slow points (count, n)) of parameter point i."""
        low, high, system = place.low[i], place.high[i], self.system
        fixed = np.empty((0, system.dimension))
        if proof is not None:
            fixed = proof.states_of(i)
            if proof.zeros.unsure[i]:
                starts = proof.undecided_starts(i)
                more = newton.one_round(system, starts, values, fixed[:0], low, high, monitor)
                fixed = newton.distinct(fixed, more, high - low)
        if proof is None or proof.zeros.exhausted[i]:
            starts = functools.partial(place.starts, i, self.starts, self.seed)
            more = newton.search(system, starts, values, low, high, monitor, self.most_points)
            fixed = newton.distinct(fixed, more, high - low)
        slow = np.empty((0, system.dimension))
        if self.slow is not None:
            starts = place.starts(i, self.starts, self.seed)
            slow, near = slow_points(system, starts, values, low, high, self.slow, monitor)
            if proof is None or proof.zeros.unsure[i]:
                more = newton.one_round(system, near, values, fixed[:0], low, high, monitor)
                fixed = newton.distinct(fixed, more, high - low)
        return _in_order(fixed, high - low), _in_order(slow, high - low)

    def _described(self, points, values):
        """The variables of all points, padded to the same number."""
        counts = np.array([[len(fixed), len(slow)] for fixed, slow in points])
        states = np.concatenate([part for pair in points for part in pair])
        owner = np.repeat(np.arange(len(points)), counts.sum(axis=1))
        place = np.arange(len(states)) - np.repeat(np.cumsum(counts.sum(axis=1)) - counts.sum(axis=1), counts.sum(1))
        kept = place < self.most_points
        states, owner, place = states[kept], owner[kept], place[kept]
        inside = select(values, owner)
        rates, jacobians = values_and_jacobians(self.system, states, inside)
        speed = np.linalg.norm(rates if self.system.kind == "flow" else rates - states, axis=1)
        roots, stability = eigenvalues(jacobians, self.system.kind)
        shape = len(points), self.most_points
        room = {name: (*shape, self.system.dimension) for name in ("state", "eigenvalue")}
        names = ("state", "speed", "eigenvalue", "stable", "point_kind")
        result = {name: empty(name, room.get(name, shape)) for name in names}
        is_slow = place >= counts[owner, 0]
        kind = np.where(is_slow, POINT_KIND["slow_point"], POINT_KIND["fixed_point"])
        for name, column in zip(result, (states, speed, roots, stability, kind), strict=True):
            result[name][owner, place] = column
        if self.slow is None:
            del result["point_kind"]
        full = counts.sum(axis=1) > self.most_points
        status = np.where(full, STATUS["too_many"], STATUS["ok"]).astype(np.int8)
        return result | {"n_fixed_points": counts[:, 0].astype(np.int32), "status": status}


def _in_order(states, side):
    """States sorted by their units, the first one first; differences of rounding count for nothing."""
    return states[np.lexsort(np.rint(states / side * 1e9).T[::-1])]


@verb
def fixed_points(system, *, box=None, slow=False, starts=None, seed=0, initial_state=None, most_points=None):
    """fixed_points(system, *, box=None, slow=False, starts=None, seed=0, initial_state=None, most_points=None)

    All fixed points in a box, with proof for up to four units; for more, those that a search finds.

    Returns a Dataset with state(point, unit), sorted by the first unit; eigenvalue(point, mode) of the Jacobian there,
    complex, the largest real part (maps: modulus) first; stable(point): 1, -1, or 0 where rounding leaves it undecided;
    speed(point), which is zero to rounding; n_fixed_points; complete: 1 where it is proved that the box holds these
    fixed points and no others, 0 where they were searched; box_low(unit), box_high(unit), box_source and status. In a
    scan, points that are not there are NaN, with stable = -2.

    box            (low, high), each a number or (unit,); default: the model's own, which holds all its fixed points,
                   else a guess, three times the extent of an orbit and at least from -10 to 10; box_source tells
    slow           True: also slow points, which are local minima of the speed; or a number: those below this speed
                   (states per time unit or iterate). Then point_kind(point) is 0 for fixed and 1 for slow points
    starts         states from which to search where there is no proof, and for slow points: some of an orbit, some
                   random in the box; default 64, from 20 units on 24
    seed           of the random ones
    initial_state  (unit,), where the orbit starts; default the system's own
    most_points    points that there is room for; default 16, or 3^n up to four units, 64 above
    progress       True, False, or None: a bar on a terminal

    A flow rests where f(x) = 0, a map where f(x) - x = 0. The box is cut into smaller ones. Of each, interval
    arithmetic with outward rounding encloses the residual and its Jacobian J: where zero is not enclosed there is no
    fixed point; where Krawczyk's K(X) = c - C f(c) + (1 - C J(X)) (X - c) lies inside X there is exactly one. The
    parameters are taken as the exact numbers that the doubles are. Folds, continua of fixed points and jumps leave
    boxes undecided: the result is then a search, and of a continuum a dozen points stand for all. The search is
    Newton's with backtracking, then, with the zeros found deflated, from new starts until they find nothing more.
    Slow points minimise |f|^2 (maps: |f(x) - x|^2).

    Krawczyk, Computing 4 (1969) 187. Farrell, Birkisson & Funke, SIAM J. Sci. Comput. 37 (2015) A2026. Sussillo &
    Barak, Neural Computation 25 (2013) 626.

    >>> import lyapkit as lk
    >>> ds = lk.fixed_points(lk.systems.rotation_flow(alpha=2.0, theta=0.1))
    >>> int(ds.n_fixed_points), int(ds.complete), int((ds.stable == 1).sum())
    (9, 1, 4)
    """
    n = system.dimension
    fastest = None if slow is False else math.inf if slow is True else positive("slow", slow)
    room = max(16, 3**n) if n <= MOST_UNITS else 64
    plan = _FixedPoints(
        at_rest(system),
        checked_state(system, initial_state),
        checked_box(box, n),
        (64 if n < 20 else 24) if starts is None else whole("starts", starts, 1, 10**6),
        whole("seed", seed, 0, 2**63 - 1),
        fastest,
        room if most_points is None else whole("most_points", most_points, 1, 10**6),
    )
    plan.expressions  # noqa: B018 - made now, before the threads of a scan
    return plan


def at_rest(system):
    """The system under its constant input; refuses one that changes in time by itself."""
    given = system.parameters.get("input")
    if given is not None:
        if callable(given) or (given != given[0]).any():
            raise ValueError("input: given one that varies in time, accepted: none, or samples that are all the same")
        system = system.with_(input=given[:1], input_dt=1e12, interpolation="hold")
    if depends_on_time(system):
        raise ValueError(f"system: {system.name} depends on the time t, accepted: one that does not")
    return system
