"""Multiple shooting: closed orbits of flows as roots of the mismatch between their segments, many at once.

A cycle of period T is cut into M segments that each last T / M: phi_{T / M}(x_i) must be x_{i+1}, cyclically, and one
condition more fixes the phase. Every segment is a lane of its own, so that even a single cycle fills vectors of
lanes. Newton's linear system is reduced by orthogonal transformations pair by pair of segments (Wright, SIAM J. Sci.
Stat. Comput. 13 (1992) 742: stable also where the cycle is not), at a cost linear in M.
"""

import dataclasses

import numpy as np

from lyapkit.analyses.orbits.clock import Clock
from lyapkit.analyses.orbits.points import groups, repeated, select
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.kernels import tangent as driver
from lyapkit.systems.evaluate import values_at

METHOD = "rk8"
NODES = 16  # of a cycle of a flow
_RANK = 1e-8  # singular values of the last system below this (relative) are directions of a family of cycles
_LONGEST_MOVE, _LONGEST_STRETCH = 0.5, 0.2  # a Newton step, of the cycle's size and of its period


class Silent:
    """Passes on the wish to stop, but counts nothing: progress of cycles goes by points."""

    def __init__(self, monitor):
        self._monitor = monitor

    def add(self, steps):
        self._monitor.add(0)


@dataclasses.dataclass
class Cycles:
    """P closed orbits on their way: nodes (P, M, n), periods (P,), and the steps (P,) of a whole period."""

    nodes: np.ndarray
    period: np.ndarray
    steps: np.ndarray

    def chosen(self, index):
        """Some of them."""
        return Cycles(self.nodes[index], self.period[index], self.steps[index])

    def put(self, index, other):
        """Replace some of them."""
        self.nodes[index], self.period[index], self.steps[index] = other.nodes, other.period, other.steps

    @property
    def size(self):
        """Largest deviation of a unit from its mean over the nodes (P,)."""
        return size(self.nodes)


@dataclasses.dataclass(frozen=True)
class Section:
    """Where phase 0 is: at the crossing of `level` (P,) by a unit."""

    unit: int
    level: np.ndarray

    def chosen(self, index):
        """That of some cycles."""
        return Section(self.unit, self.level[index])


def size(nodes):
    """Largest deviation of a unit from its mean over the nodes (P, M, n) of an orbit."""
    return abs(nodes - nodes.mean(axis=1, keepdims=True)).max(axis=(1, 2))


def flow_over(system, values, states, spans, steps, monitor, frame=None, directions=None, stride=0):
    """Advance states (P, n) by spans (P,) in so many steps each, with the columns `frame` (k, n) along.

    Returns ends (P, n), tangent columns (P, n, k) and the states (P, samples, n) after every `stride` steps.
    """
    columns = 0 if frame is None else len(frame)
    ensemble = Ensemble(
        system, values, states, Clock(METHOD, 1.0, 0, steps), columns, frame, interval=1, steps=spans / steps,
        directions=directions, brief=True,
    )  # fmt: skip
    _, record = ensemble.run(steps, Silent(monitor), orthonormalise=False, stride=stride)
    points = ensemble.points
    ends = ensemble.gather("x").T[:points]
    tangent = np.moveaxis(ensemble.gather("frame"), -1, 0)[:points].swapaxes(1, 2)
    return ends, tangent, np.moveaxis(record, -1, 0)[:points]


def by_segments(system, values, starts, period, steps, monitor, directions=None):
    """All segments of cycles at once: ends (P, S, n) and tangent maps (P, S, n, k), from starts (P, S, n).

    `steps` are those of one segment; columns of `directions` of parameters follow those of the state.
    """
    points, segments, n = starts.shape
    of_all = repeated(values, segments)
    frame, wanted = np.eye(n), None
    if directions is not None:
        frame = np.concatenate([frame, np.zeros((len(directions), n))])
        wanted = np.concatenate([np.zeros((n, directions.shape[1])), directions])
    spans = np.repeat(period / segments, segments)
    states = starts.reshape(points * segments, n)
    ends, tangent, _ = flow_over(system, of_all, states, spans, steps, monitor, frame, wanted)
    return ends.reshape(starts.shape), tangent.reshape(points, segments, n, -1)


def samples(system, values, cycles, count, monitor):
    """States (P, count, n) at equal times over the period; count a multiple of the nodes, dividing the steps."""
    points, nodes, n = cycles.nodes.shape
    each = count // nodes
    result = np.empty((points, nodes, each, n))
    for steps, index in groups(cycles.steps):
        part = cycles.chosen(index)
        of_all = repeated(select(values, index), nodes)
        spans, stride = np.repeat(part.period / nodes, nodes), steps // count
        states = part.nodes.reshape(-1, n)
        record = flow_over(system, of_all, states, spans, steps // nodes, monitor, stride=stride)[2]
        record = record.reshape(len(index), nodes, each, n)
        result[index, :, 0], result[index, :, 1:] = part.nodes, record[:, :, :-1]
    return result.reshape(points, count, n)


def velocities(system, values, states):
    """f at the states (P, count, n)."""
    _, count, n = states.shape
    return values_at(system, states.reshape(-1, n), repeated(values, count)).reshape(states.shape)


def growth_around(system, values, starts, method, steps, basis, monitor, sizes=None):
    """Growth (P, n) of the columns of bases (P, n, n) by the QR engine over `steps` steps, and that of the volume (P,).

    `sizes` (P,): the steps' lengths, 1 for maps. Growth is in logarithms.
    """
    points, n = starts.shape
    ensemble = Ensemble(system, values, starts, Clock(method, 1.0, 0, steps), n, np.eye(n), steps=sizes)
    ensemble.set_frames(np.moveaxis(basis.swapaxes(1, 2), 0, 2))
    total = ensemble.run(steps, Silent(monitor))[0][driver.WEIGHTS, :, :points]
    return total[:n].T, total[n]


def newton_step(system, values, cycles, section, monitor):
    """One Newton step for all cycles, in place; returns the mismatch before it and the change that it asks for (P,).

    A section fixes x_0[unit] = level; None keeps x_0 on the hyperplane across the velocity. Both figures are
    relative to the cycle's size, and the change includes that of the period. Third, the segments' tangent maps
    (P, M, n, n) before the step.
    """
    mismatch, change = np.full((2, len(cycles.period)), np.nan)
    tangents = np.empty((*cycles.nodes.shape, cycles.nodes.shape[2]))
    for steps, index in groups(cycles.steps):
        part = cycles.chosen(index)
        own = select(values, index)
        own_section = None if section is None else section.chosen(index)
        with np.errstate(all="ignore"):  # some may have left the finite numbers
            outcome = _step_of_group(system, own, part, steps, own_section, monitor)
        mismatch[index], change[index], tangents[index] = outcome
        cycles.put(index, part)
    return mismatch, change, tangents


def _step_of_group(system, values, cycles, steps, section, monitor):
    nodes, period, size = cycles.nodes, cycles.period, cycles.size
    points, count, n = nodes.shape
    ends, tangent = by_segments(system, values, nodes, period, steps // count, monitor)
    velocity = velocities(system, values, ends)
    wrong = ends - np.roll(nodes, -1, axis=1)
    mismatch = abs(wrong).max(axis=(1, 2)) / size
    if section is None:
        normal, distance = velocity[:, -1], np.zeros(points)
        normal = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    else:
        normal = np.broadcast_to(np.eye(n)[section.unit], (points, n))
        distance = section.level - nodes[:, 0, section.unit]
    finite = np.isfinite(tangent).all(axis=(1, 2, 3)) & np.isfinite(velocity).all(axis=(1, 2)) & (size > 0)
    finite &= np.isfinite(normal).all(axis=1)
    moves, stretch = np.full(nodes.shape, np.nan), np.full(points, np.nan)
    if finite.any():
        moves[finite], stretch[finite] = solve_cyclic(
            tangent[finite], wrong[finite], velocity[finite] / count, normal[finite], distance[finite]
        )
    relative = np.fmax(abs(moves).max(axis=(1, 2)) / size, 0.0)
    factor = np.fmin(1.0, _LONGEST_MOVE / relative)
    factor = np.fmin(factor, _LONGEST_STRETCH * period / abs(stretch))
    cycles.nodes = nodes + factor[:, None, None] * moves
    cycles.period = period + factor * stretch
    return mismatch, np.maximum(relative, abs(stretch) / period), tangent


def solve_cyclic(tangent, wrong, velocity, normal, distance):
    """Newton's step: moves (P, M, n) of the nodes and the change (P,) of the period.

    tangent_i moves_i - moves_{i+1} + velocity_i change = -wrong_i (cyclically), normal . moves_0 = distance. Where
    there is a family of solutions, the smallest one.
    """
    points, _, n, _ = tangent.shape
    # equations first moves_i + following moves_{i+1} = right . (1, change), neighbours joined until one is left
    first, following = tangent, np.broadcast_to(-np.eye(n), tangent.shape)
    right, joined = -np.stack([wrong, velocity], axis=-1), []
    while first.shape[1] > 1:
        first, following, right, kept = _join(first, following, right)
        joined.append(kept)
    start, change = _solve_bordered(first[:, 0] + following[:, 0], right[:, 0], normal, distance)
    moves = start[:, None, :]
    combination = np.stack([np.ones(points), change], axis=1)[:, None, :, None]
    for r, above, after, own in reversed(joined):
        pairs = r.shape[1]
        around = np.concatenate([moves, moves[:, :1]], axis=1)[..., None]
        rest = own @ combination - above @ around[:, :pairs] - after @ around[:, 1 : pairs + 1]
        middle = np.linalg.solve(r, rest)[..., 0]
        both = np.stack([moves[:, :pairs], middle], axis=2).reshape(points, 2 * pairs, n)
        moves = np.concatenate([both, moves[:, pairs:]], axis=1)
    return moves, change


def _join(first, following, right):
    """Eliminate every second node by QR; also returns what gives it back from its neighbours."""
    n, pairs = first.shape[2], first.shape[1] // 2
    left, second = slice(0, 2 * pairs, 2), slice(1, 2 * pairs, 2)
    q, r = np.linalg.qr(np.concatenate([following[:, left], first[:, second]], axis=2), mode="complete")
    q = q.swapaxes(2, 3)
    upper = q[..., :n] @ np.concatenate([first[:, left], right[:, left]], axis=3)
    lower = q[..., n:] @ np.concatenate([following[:, second], right[:, second]], axis=3)
    sides = upper[..., n:] + lower[..., n:]
    kept = r[:, :, :n], upper[:, :, :n, :n], lower[:, :, :n, :n], sides[:, :, :n]
    odd = slice(2 * pairs, None)  # the last one, where the count is odd, waits
    return (
        np.concatenate([upper[:, :, n:, :n], first[:, odd]], axis=1),
        np.concatenate([lower[:, :, n:, :n], following[:, odd]], axis=1),
        np.concatenate([sides[:, :, n:], right[:, odd]], axis=1),
        kept,
    )


def _solve_bordered(matrix, sides, normal, distance):
    """matrix moves = sides[0] + sides[1] change, normal . moves = distance."""
    points, n, _ = matrix.shape
    scale = np.linalg.norm(sides[:, :, 1], axis=1)
    scale = np.where(scale > 0, scale, 1.0)
    bordered = np.zeros((points, n + 1, n + 1))
    bordered[:, :n, :n], bordered[:, :n, n] = matrix, -sides[:, :, 1] / scale[:, None]
    bordered[:, n, :n] = normal
    right = np.concatenate([sides[:, :, 0], distance[:, None]], axis=1)[:, :, None]
    solution = (np.linalg.pinv(bordered, rcond=_RANK) @ right)[:, :, 0]
    return solution[:, :n], solution[:, n] / scale
