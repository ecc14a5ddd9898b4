"""Limit cycles of flows in one parameter, for `pseudo_arclength`, by multiple shooting.

Unknowns are the nodes (M n), the logarithm of the period, and the parameter; equations the mismatch of neighbouring
segments, and the discrete form of the integral phase condition: sum_i <x_i - r_i, f(r_i)> = 0 over the nodes r_i of
the point before (Doedel, Keller & Kernevez, Int. J. Bifurcation Chaos 1 (1991) 745). The steps of the integrator follow
the error that doubling them shows.
"""

import dataclasses

import numpy as np

from lyapkit.analyses.bifurcations.equilibrium_branch import border, products, signed
from lyapkit.analyses.cycles import shooting
from lyapkit.analyses.cycles.flow_cycles import trivial_column
from lyapkit.analyses.cycles.multipliers import NEUTRAL, floquet
from lyapkit.analyses.cycles.shooting import Cycles
from lyapkit.analyses.orbits.points import groups, select
from lyapkit.flags import STABLE
from lyapkit.systems.evaluate import values_at

_WRONG, _FINER_THAN_NEEDED = 1e-12, 1e-15  # error of a segment, relative to the state: steps are halved or doubled
_GAIN = 4.0  # halving the steps makes the error this much smaller, or it is rounding
_FEWEST, _MOST = 4, 2**15  # steps of a segment
_COARSE = 4.0  # first steps of the eighth-order method, in those that serve the fourth order
_HUGE = 50.0  # ln |multiplier| above this counts as this in test functions
_SAMPLES = 16  # of a segment at least, where lowest and highest values are looked for
_STANDS, _GROWS = 1e-9, 0.1  # parameter and ln T along the unit tangent, where the period alone still changes
_BENT = 0.05  # second difference of samples around a peak, of the orbit's height, below which they resolve it
_KEPT = 4  # linearisations that are kept


@dataclasses.dataclass(frozen=True)
class _Linearised:
    residual: np.ndarray
    jacobian: np.ndarray
    tangent: np.ndarray  # of the segments, in the state (M, n, n)
    ends: np.ndarray  # of the segments (M, n)


class CycleBranch:
    """The equations of the cycles of one system in one parameter, near a first orbit of nodes (M, n) and its period.

    reference: velocities (M, n) in place of f at the nodes, for a first orbit that is at rest.
    """

    kind = "cycle"

    def __init__(self, system, parameter, bounds, nodes, period, p, longest, monitor, reference=None):
        self.system, self.parameter, self.monitor = system, parameter, monitor
        (self.nodes, self.n), self._known, self._spectra = nodes.shape, {}, {}
        self._directions = direction_of(system, parameter)
        count = nodes.size
        extent = max(1.0, abs(nodes).max()) * np.sqrt(count)
        self.scale = np.array([extent] * count + [1.0, bounds[1] - bounds[0]])
        self.bounds = [(count + 1, *bounds), (count, -np.inf, np.log(longest))]
        steps = max(period / (_COARSE * system.model.dt * self.nodes), _FEWEST)
        self.steps = int(min(2 ** np.ceil(np.log2(steps)), _MOST))
        self._refer(nodes, p, reference)
        self._refine(nodes, period, p, self._segments(nodes, period, p, self.steps)[0])

    def unknowns(self, nodes, period, p):
        """u of an orbit."""
        return np.concatenate([nodes.ravel(), [np.log(period), p]])

    def orbit(self, u):
        """Nodes (M, n), period and parameter."""
        return u[:-2].reshape(self.nodes, self.n), float(np.exp(u[-2])), float(u[-1])

    def equations(self, u):
        """The residual (M n + 1,) and its Jacobian (M n + 1, M n + 2)."""
        found = self._linearised(u)
        return found.residual, found.jacobian

    def _linearised(self, u):
        key = (u.tobytes(), self.steps, self._version)
        if key not in self._known:
            while len(self._known) >= _KEPT:
                del self._known[next(iter(self._known))]
            self._known[key] = self._linearise(u)
        return self._known[key]

    def _linearise(self, u):
        nodes, period, p = self.orbit(u)
        count, n = nodes.shape
        if not (np.isfinite(u).all() and 0.0 < period < np.inf):
            nothing = np.full((nodes.size + 1, len(u)), np.nan)
            return _Linearised(nothing[:, 0], nothing, None, np.full(nodes.shape, np.nan))
        ends, tangent = self._segments(nodes, period, p, self.steps, self._directions)
        velocity = values_at(self.system, ends, {self.parameter: np.full(count, p)})
        residual, matrix = np.empty(nodes.size + 1), np.zeros((nodes.size + 1, len(u)))
        residual[:-1] = (ends - np.roll(nodes, -1, axis=0)).ravel()
        residual[-1] = ((nodes - self._reference) * self._phase).sum()
        blocks = matrix[:-1, :-2].reshape(count, n, count, n)
        each = np.arange(count)
        blocks[each, :, each, :] = tangent[..., :n]
        blocks[each, :, (each + 1) % count, :] -= np.eye(n)
        matrix[:-1, -2], matrix[:-1, -1] = (velocity * period / count).ravel(), tangent[..., n].ravel()
        matrix[-1, :-2] = self._phase.ravel()
        return _Linearised(residual, matrix, tangent[..., :n], ends)

    def _segments(self, nodes, period, p, steps, directions=None):
        values = {self.parameter: np.array([p])}
        ends, tangent = shooting.by_segments(
            self.system, values, nodes[None], np.array([period]), steps, self.monitor, directions
        )
        return ends[0], tangent[0]

    def tests(self, u, jacobian, tangent):
        """Signed distances from special points, by kind; multipliers besides the trivial one."""
        logs, phases, trivial = self._spectrum(u)
        others = np.delete(np.exp(np.minimum(logs, _HUGE)) * phases, trivial)
        return {
            "branch_point": border(self.equations(u)[1] * self.scale, tangent),
            "fold": tangent[-1],
            "period_doubling": signed(others + 1.0),
            "neimark_sacker": signed(products(others) - 1.0),
        }

    def _spectrum(self, u):
        """ln |multiplier| and phases (n,), largest first, and which is the trivial one."""
        key = u.tobytes()
        if key not in self._spectra:
            tangent = self._linearised(u).tangent
            if tangent is None or not np.isfinite(tangent).all():
                return np.full(self.n, np.nan), np.full(self.n, np.nan), 0
            logs, phases = floquet(tangent[None])[:2]
            self._spectra[key] = logs[0], phases[0], int(trivial_column(logs, phases)[0])
        return self._spectra[key]

    def arrived(self, u):
        """Phases are compared with this orbit from now on, and the steps made as short as it needs."""
        nodes, period, p = self.orbit(u)
        self._spectrum(u)
        ends = self._linearised(u).ends
        self._refer(nodes, p, None)
        self._refine(nodes, period, p, ends)

    def _refer(self, nodes, p, velocity):
        if velocity is None:
            velocity = values_at(self.system, nodes, {self.parameter: np.full(len(nodes), p)})
        self._reference, self._phase = nodes, velocity / np.linalg.norm(velocity)
        self._version = nodes.tobytes()

    def _refine(self, nodes, period, p, ends):
        """Halve the steps until the segments' ends stand, or rounding alone moves them."""
        extent, before = max(1.0, abs(nodes).max()), np.inf
        while self.steps < _MOST:
            finer = self._segments(nodes, period, p, 2 * self.steps)[0]
            wrong = abs(finer - ends).max() / extent
            if not _WRONG < wrong < before / _GAIN:
                if wrong < _FINER_THAN_NEEDED:
                    self.steps = max(self.steps // 2, _FEWEST)
                return
            self.steps, ends, before = 2 * self.steps, finer, wrong

    def inspect(self, u, tangent):
        """Whether the orbit has shrunk to a point, or its two halves to one orbit, and comes out on the other side."""
        nodes, before = self.orbit(u)[0], self._reference
        same = ((nodes - nodes.mean(axis=0)) * (before - before.mean(axis=0))).sum()
        half = self.nodes // 2
        halves = ((nodes[:half] - nodes[half:]) * (before[:half] - before[half:])).sum()
        if same >= 0.0 and halves < 0.0:
            return "other_branch"
        if same < 0.0:
            return "no_cycle"
        return "period_diverges" if self._stands(tangent) else None

    def _stands(self, tangent):
        """Whether the period grows while the parameter stands still."""
        return abs(tangent[-1]) <= _STANDS and tangent[-2] > _GROWS

    def multipliers(self, u):
        """ln |multiplier| and phases (n,), largest first, and stability."""
        logs, phases, trivial = self._spectrum(u)
        if np.isnan(logs).any():
            return logs, phases, STABLE["absent"]
        largest = np.delete(logs, trivial).max(initial=-np.inf)
        return logs, phases, -1 if largest > NEUTRAL else 1 if largest < -NEUTRAL else 0

    def is_special(self, u, kind):
        """Whether the multipliers there are those of the kind: a pair has to be complex."""
        return kind != "neimark_sacker" or np.isfinite(self.frequency(u, kind))

    def frequency(self, u, kind):
        """The angle (rad per period) of the pair on the unit circle; NaN where there is none."""
        logs, phases, trivial = self._spectrum(u)
        logs, angles = np.delete(logs, trivial), abs(np.angle(np.delete(phases, trivial)))
        pair = (angles > 1e-6) & (angles < np.pi - 1e-6) & (abs(logs) < 1e-4)
        return float(angles[pair][0]) if kind == "neimark_sacker" and pair.any() else np.nan

    def coefficient(self, u, kind):
        """Those of cycles are not computed."""
        return np.nan

    def antiperiodic(self, u):
        """How the nodes move (M, n), over the first of two periods, along the multiplier nearest to -1."""
        tangent = self._linearised(u).tangent
        whole = np.zeros((self.nodes * self.n,) * 2)
        blocks = whole.reshape(self.nodes, self.n, self.nodes, self.n)
        for i in range(self.nodes):  # a null vector of: tangent_i v_i - v_{i+1} = 0, v_M = -v_0
            blocks[i, :, i] += tangent[i]
            blocks[i, :, (i + 1) % self.nodes] -= np.eye(self.n) * (1.0 if i + 1 < self.nodes else -1.0)
        return np.linalg.svd(whole)[2][-1].reshape(self.nodes, self.n)


def direction_of(system, parameter):
    """The parameter's unit direction (1, raw) among the raw ones; ValueError where cycles cannot be differentiated."""
    model, given = system.model, system.parameters
    names = model.lane_parameters(given)
    accepted = [name for name in names if not np.ndim(given[name])]
    if parameter not in accepted or not hasattr(system.cell, "function_with_parameters"):
        raise ValueError(
            f"parameter: given {parameter!r}, accepted for cycles of {system.name}: {', '.join(accepted) or 'none'}"
        )
    ends = np.cumsum([np.size(given[name]) for name in names], dtype=int)
    return np.eye(system.cell.raw_rows)[[ends[names.index(parameter)] - 1]]


def extremes(problem, unknowns):
    """Lowest and highest values (P, n) of every unit over the cycles u (P, N + 1)."""
    orbits = [problem.orbit(u) for u in unknowns]
    nodes = np.array([orbit[0] for orbit in orbits])
    period, p = (np.array([orbit[i] for orbit in orbits]) for i in (1, 2))
    each = np.maximum(period / (_COARSE * problem.system.model.dt * problem.nodes * _SAMPLES), 1.0)
    steps = (problem.nodes * _SAMPLES * 2 ** np.ceil(np.log2(each))).astype(int)
    low, high = np.empty((2, len(nodes), problem.n))
    for count, index in groups(steps):  # every step: a long cycle rushes past its extremes
        part = Cycles(nodes[index], period[index], steps[index])
        own = select({problem.parameter: p}, index)
        states = shooting.samples(problem.system, own, part, count, problem.monitor)
        low[index], high[index] = -_peak(-states), _peak(states)
    return low, high


def _peak(states):
    """Highest values (P, n) of closed orbits (P, count, n), by the parabola through three samples."""
    at = states.argmax(axis=1)[:, None]
    before, here, after = (
        np.take_along_axis(states, (at + shift) % states.shape[1], axis=1)[:, 0] for shift in (-1, 0, 1)
    )
    bend = 2.0 * here - before - after
    with np.errstate(all="ignore"):
        resolved = (bend > 0.0) & (bend <= _BENT * np.ptp(states, axis=1))  # else no parabola: the sample itself
        return here + np.where(resolved, (after - before) ** 2 / (8.0 * bend), 0.0)
