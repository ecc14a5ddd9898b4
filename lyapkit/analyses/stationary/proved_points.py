"""The fixed points of systems of few units by interval Newton, and representatives of what it leaves undecided."""

import dataclasses

import numpy as np

from lyapkit.analyses.orbits.points import select
from lyapkit.analyses.stationary import newton
from lyapkit.analyses.stationary.branch_and_prune import Boxes, Zeros, find_zeros
from lyapkit.systems.enclosure import Enclosure
from lyapkit.systems.unrolled import unrolled

MOST_UNITS = 4
_REPRESENTATIVES = 12  # starts among undecided boxes: these lie around few points, or along a continuum
_ZERO = 1e-30  # a state that is zero to this part of its box is zero


def expressions(system):
    """(Enclosure, further raw parameters) of a system whose fixed points can be proved, else None."""
    if system.dimension > MOST_UNITS:
        return None
    found = unrolled(system)
    return None if found is None else (Enclosure(found[0], system.kind), found[1])


@dataclasses.dataclass(frozen=True)
class Proof:
    """What interval Newton found for many points; the states (count, n) of its zeros as exact as doubles can be."""

    zeros: Zeros
    states: np.ndarray

    def states_of(self, point):
        """The proved fixed points (count, n) of a point."""
        return self.states[self.zeros.proved.point == point]

    def undecided_starts(self, point):
        """Some states (count, n) of the boxes that were not decided."""
        boxes = np.flatnonzero(self.zeros.undecided.point == point)
        chosen = np.linspace(0, len(boxes) - 1, min(_REPRESENTATIVES, len(boxes)), dtype=int)
        return np.ascontiguousarray(self.zeros.undecided[boxes[chosen]].middle.T)


def prove(system, pair, values, low, high, monitor):
    """The Proof for parameters `values` (points,) in the boxes low, high (points, n); `pair` as of `expressions`."""
    enclosure, further = pair
    points = len(low)
    raw = system.raw_parameters(points, **values)
    raw = np.concatenate([raw, np.repeat(further[:, None], points, axis=1)])
    with np.errstate(all="ignore"):
        fixed = enclosure.fixed(raw)
    zeros = find_zeros(enclosure, fixed, low.T.copy(), high.T.copy(), monitor)
    zeros.proved = _on_the_circle(zeros.proved, enclosure.turns(fixed, points))
    boxes = zeros.proved
    inside = select(values, boxes.point)
    states = newton.polished(system, np.ascontiguousarray(boxes.middle.T), inside)
    states = np.clip(states, boxes.low.T, boxes.high.T)
    side = (high - low)[boxes.point]
    nothing = (np.maximum(abs(boxes.low), abs(boxes.high)).T <= _ZERO * side) & _holds(boxes, 0.0).T
    nothing |= _holds(boxes, 0.0).T & np.isfinite(enclosure.turns(fixed, points)[:, boxes.point]).T
    return Proof(zeros, np.where(nothing, 0.0, states))


def _holds(boxes, number):
    return (boxes.low <= number) & (boxes.high >= number)


def _on_the_circle(boxes: Boxes, turns):
    """The zeros whose units on a circle of length b lie in [0, b), which is all that its map gives."""
    turn = turns[:, boxes.point]
    beyond = (boxes.high < np.minimum(turn, 0.0)) | (boxes.low > np.maximum(turn, 0.0)) | _holds(boxes, turn)
    return boxes[~(np.isfinite(turn) & beyond).any(axis=0)]
