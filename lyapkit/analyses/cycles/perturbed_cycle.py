"""What a limit cycle remembers of a perturbation: phase shifts, and amplitudes that are forgotten."""

import numpy as np
from scipy.interpolate import CubicSpline

from lyapkit.analyses.cycles.cycle_phase import CyclePhase, gradient_at
from lyapkit.analyses.orbits.points import select
from lyapkit.flags import STATUS
from lyapkit.systems.evaluate import values_and_jacobians

PHASES = 1024  # of the cycle: cubics between them err by some 1e-11 of its size
# An orbit is on its cycle, and a perturbed one back, within these times its size; amplitudes are small, hence decay by
# the second exponent, below _LINEAR, and above _NOISE times the error of the cycle.
_ON, _BACK, _LINEAR, _NOISE = 1e-6, 1e-4, 1e-2, 1e2

OF_CYCLES = ("asymptotic_phase_shift", "predicted_phase_shift", "amplitude_decay_rate", "period")


def beside_cycles(plan, values, begin, orbits, others, delta, times, monitor):
    """Variables of `perturbation` for the cycles that the states `begin` (points, n) are on.

    plan: of limit_cycle; orbits, others: x and y (points, time, n), perturbed by `delta` (n,) at time 0.
    """
    found = plan.measure(values, begin, monitor)
    points, samples = orbits.shape[:2]
    result = {name: np.full((points, samples), np.nan) for name in ("phase_shift", "cycle_distance")}
    result |= {name: np.full(points, np.nan) for name in OF_CYCLES}
    result["cycle_status"] = status = found["status"].copy()
    for i in np.flatnonzero(status == STATUS["ok"]):
        cycle = CyclePhase(found["state"][i], found["velocity"][i], found["period"][i])
        start, apart = cycle.nearest(orbits[i])
        if not apart[0] <= _ON * cycle.size:
            status[i] = STATUS["not_converged"]
            continue
        phase, distance = cycle.nearest(others[i])
        shift = cycle.wrapped(phase - start)
        settled = distance[-1] <= _BACK * cycle.size
        result["phase_shift"][i], result["cycle_distance"][i] = shift, distance
        result["asymptotic_phase_shift"][i] = shift[-1] if settled else np.nan
        adjoint = found["adjoint"][i]
        slope = _slopes(plan.system, select(values, [i]), found["state"][i], adjoint)
        result["predicted_phase_shift"][i] = gradient_at(adjoint, slope, cycle.spacing, start[0]) @ delta
        result["amplitude_decay_rate"][i] = _decay_rate(times, distance, np.fmax(apart.max(), cycle.floor), cycle)
        result["period"][i] = cycle.period
    return result


def _slopes(system, values, orbit, adjoint):
    """node -> Z' = -J' Z (n,) there."""

    def slope(node):
        jacobian = values_and_jacobians(system, orbit[node][None], values)[1][0]
        return -jacobian.T @ adjoint[node]

    return slope


def _decay_rate(times, distance, floor, cycle):
    """Mean of ln d(t + T) - ln d(t) over T, in the last period for which it can be had."""
    with np.errstate(invalid="ignore"):
        small, clear = distance < _LINEAR * cycle.size, distance > _NOISE * floor
    first = int(small.argmax())
    end = first + int(np.append(~clear[first:], True).argmax())  # the first that is lost in the error
    if not small[first] or end - first < 4 or times[end - 1] - times[first] < cycle.period:
        return np.nan
    begin = times[first:end]
    begin = begin[begin <= times[end - 1] - cycle.period]
    begin = begin[begin >= begin[-1] - cycle.period]
    log = CubicSpline(times[first:end], np.log(distance[first:end]))
    return float(np.mean(log(begin + cycle.period) - log(begin))) / cycle.period
