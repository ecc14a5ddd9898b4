"""Periodic orbits of maps: found on trajectories or from guesses, solved by Newton's method for all iterates."""

import numpy as np

from lyapkit.analyses.cycles.multipliers import NEUTRAL, described, floquet, sorted_growth
from lyapkit.analyses.cycles.shooting import Silent, growth_around, size, solve_cyclic
from lyapkit.analyses.orbits.clock import Clock
from lyapkit.analyses.orbits.equilibria import extent, resting
from lyapkit.analyses.orbits.points import groups, repeated, select
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.flags import STATUS
from lyapkit.systems.evaluate import values_and_jacobians

_ROUNDS = 4  # the transient grows fourfold in each
_NEWTON = 30
_CLOSE, _AS_CLOSE = 0.05, 10.0  # a return worth a Newton iteration; and how much worse than the best may the first be
_CLOSED = 1e-13  # mismatch, relative to the orbit's size, from which there is nothing to gain
_DISTINCT = 1e-7  # iterates of one orbit are further apart than this, relative to its size


def from_trajectories(system, values, states, low, high, transient, monitor):
    """Attracting periodic orbits; nodes (P, high, n), NaN beyond the period, periods (P,) and status (P,)."""
    points, n = states.shape
    nodes, period = np.full((points, high, n), np.nan), np.zeros(points, dtype=int)
    status = np.full(points, STATUS["aperiodic"], dtype=np.int8)
    open_, x = np.arange(points), states.copy()
    for _ in range(_ROUNDS):
        own = select(values, open_)
        ensemble = Ensemble(system, own, x[open_], Clock("iterate", 1.0, 0, 0), 0)
        ensemble.run(transient, Silent(monitor))
        record = np.moveaxis(ensemble.run(2 * high + 1, Silent(monitor), stride=1)[1], -1, 0)[: len(open_)]
        x[open_], transient = record[:, -1], 4 * transient
        found, periods, verdict = _examine(system, own, np.ascontiguousarray(record), low, high, monitor)
        closed = verdict >= 0
        nodes[open_[closed]], period[open_[closed]] = found[closed], periods[closed]
        status[open_[closed]] = verdict[closed]
        open_ = open_[~closed]
        if not len(open_):
            break
    return nodes, period, status


def _examine(system, values, record, low, high, monitor):
    points, _, n = record.shape
    verdict, period = np.full(points, -1, dtype=np.int8), np.zeros(points, dtype=int)
    nodes, last = np.full((points, high, n), np.nan), record[:, -1]
    verdict[~np.isfinite(last).all(axis=1)] = STATUS["diverged"]
    reach = extent(record)
    verdict[(verdict < 0) & resting(system, values, last, reach)] = STATUS["fixed_point"]
    with np.errstate(all="ignore"):
        distance = abs(record[:, -2 : -2 - high : -1] - last[:, None]).max(axis=2) / reach[:, None]
        distance[:, : low - 1] = np.inf
        best = distance.min(axis=1)
        near = distance <= _AS_CLOSE * best[:, None] + 1e-9
    guesses = np.where((verdict < 0) & (best <= _CLOSE), np.argmax(near, axis=1) + 1, 0)
    for p, index in groups(guesses):
        if p:
            own = select(values, index)
            monitor.add(0)
            solved, periods, orbit, logs = solve(system, own, record[index, -1 - p : -1])
            attracting = solved & (logs[:, 0] <= NEUTRAL) & (periods >= low)
            nodes[index[attracting], :p], period[index[attracting]] = orbit[attracting], periods[attracting]
            rest = np.where(periods == 1, STATUS["fixed_point"], STATUS["ok"])
            verdict[index[attracting]] = rest[attracting]
    return nodes, period, verdict


def solve(system, values, nodes):
    """Newton's method from nodes (P, p, n): where it converged, the least periods, nodes, and ln |multipliers|."""
    points, p, n = nodes.shape
    nodes, solved, active = nodes.copy(), np.zeros(points, dtype=bool), np.arange(points)
    for _ in range(_NEWTON):
        own = select(values, active)
        wrong, tangent = mismatch(system, own, nodes[active])
        scale = 1.0 + abs(nodes[active]).max(axis=(1, 2))
        finite = np.isfinite(tangent).all(axis=(1, 2, 3))
        moves = np.full((len(active), p, n), np.nan)
        zero = np.zeros((finite.sum(), n))
        if finite.any():
            moves[finite] = solve_cyclic(
                tangent[finite], wrong[finite], np.zeros_like(wrong[finite]), zero, zero[:, 0]
            )[0]
        nodes[active] += moves
        done = abs(wrong).max(axis=(1, 2)) <= _CLOSED * scale
        solved[active[done]] = True
        active = active[~done & finite]
        if not len(active):
            break
    return solved, *_least(system, values, nodes)


def mismatch(system, values, nodes):
    """f(x_i) - x_{i+1} (P, p, n), cyclically, and the tangent maps (P, p, n, n)."""
    points, p, n = nodes.shape
    of_all = repeated(values, p)
    image, tangent = values_and_jacobians(system, nodes.reshape(-1, n), of_all)
    return image.reshape(nodes.shape) - np.roll(nodes, -1, axis=1), tangent.reshape(points, p, n, n)


def _least(system, values, nodes):
    """Least periods (P,), nodes that start at the largest value of the first unit, ln |multipliers| over p iterates."""
    points, p, _ = nodes.shape
    scale = _DISTINCT * size(nodes) + 1e-9 * (1.0 + abs(nodes).max(axis=(1, 2)))
    periods = np.full(points, p)
    for divisor in range(p, 0, -1):
        if p % divisor == 0:
            with np.errstate(invalid="ignore"):
                same = abs(nodes - np.roll(nodes, -divisor, axis=1)).max(axis=(1, 2)) <= scale
            periods[same] = divisor
    first = np.argmax(nodes[:, :, 0], axis=1)
    turned = np.take_along_axis(nodes, ((first[:, None] + np.arange(p)) % p)[:, :, None], axis=1)
    logs = floquet(mismatch(system, values, turned)[1])[0]
    return periods, turned, logs


def measure(system, values, nodes, period, monitor):
    """All variables of solved orbits: name -> (P, ...); see `limit_cycle`."""
    points, longest, _ = nodes.shape
    result = {}
    for p, index in groups(period):
        own, orbit = select(values, index), nodes[index, :p]
        for name, array in _of_group(system, own, orbit, monitor).items():
            shape = (points, longest, *array.shape[2:]) if name == "state" else (points, *array.shape[1:])
            whole = result.setdefault(name, np.full(shape, np.nan if array.dtype.kind in "fc" else 0, array.dtype))
            whole[(index, slice(p)) if name == "state" else index] = array
    return result


def _of_group(system, values, orbit, monitor):
    points, p, _ = orbit.shape
    wrong, tangent = mismatch(system, values, orbit)
    logs, phases, basis, paired = floquet(tangent)
    growth, volume = growth_around(system, values, orbit[:, 0], "iterate", p, basis, monitor)
    period = np.full(points, float(p))
    with np.errstate(all="ignore"):
        difference = np.where(logs.sum(axis=1) == volume, 0.0, logs.sum(axis=1) - volume)
        # one iterate may contract by more than rounding, but its determinant is known: the smallest one is the rest
        logs[:, -1] -= np.where(np.isfinite(difference) & (phases[:, -1].imag == 0), difference, 0.0)
        return {
            "state": orbit,
            "period": period,
            "frequency": 1.0 / period,
            **described(logs, phases, period),
            "lyapunov_exponent": sorted_growth(growth, paired) / p,
            "trivial_mode": np.zeros(points, dtype=int),
            "trivial_error": np.full(points, np.nan),
            "liouville_error": difference,
            "residual": abs(wrong).max(axis=(1, 2)) / size(orbit),
        }
