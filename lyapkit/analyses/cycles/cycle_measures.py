"""What a solved cycle of a flow tells: its orbit, multipliers, adjoint, slopes of the period and cross-checks."""

import math

import numpy as np

from lyapkit.analyses.cycles import shooting
from lyapkit.analyses.cycles.flow_cycles import trivial_column
from lyapkit.analyses.cycles.multipliers import described, floquet, sorted_growth
from lyapkit.analyses.orbits.points import groups, repeated, select
from lyapkit.systems.evaluate import volume_rates

_STEPS_EACH = 5.0  # a segment lasts no longer than so many steps that serve the fourth order
_CONTRACTION = 12.0  # nor does its volume shrink by more than e to this: tangent maps keep ten digits
_MOST_SEGMENTS = 2**15
_LOOKS = 4  # states between two nodes where the contraction is looked at
_LOST = 1e-6  # error of all logarithms together, relative to the largest: the smallest have lost their digits
_PIECES = 64  # of the two steps around an extreme of the speed
_POLISH, _CLOSED = 4, 1e-13  # last Newton steps, and the mismatch from which there is nothing to gain


def measure(system, values, cycles, error, section, n_phase, directions, dt, monitor):
    """All variables of converged cycles, whose last Newton steps were `error` (P,): name -> (P, ...)."""
    points = len(cycles.period)
    segments, merged = _segments(system, values, cycles, n_phase, dt, monitor)
    steps = -(-cycles.steps // segments) * segments
    open_ = (steps != cycles.steps) | (error**2 > _CLOSED)  # else Newton's method has done all it can
    cycles.steps = steps
    result = {}
    for count, each, index in groups(segments, merged):
        own = select(values, index)
        part = cycles.chosen(index)
        _polish(system, own, part, section.chosen(index), np.flatnonzero(open_[index]), monitor)
        found = _of_group(system, own, part, count, each, n_phase, directions, monitor)
        for name, array in found.items():
            result.setdefault(name, np.empty((points, *array.shape[1:]), array.dtype))[index] = array
    return result


def _polish(system, values, cycles, section, active, monitor):
    """Newton steps until each of the `active` cycles is closed to rounding, in place."""
    for _ in range(_POLISH if len(active) else 0):
        part, own = cycles.chosen(active), select(values, active)
        mismatch = shooting.newton_step(system, own, part, section.chosen(active), monitor)[0]
        open_ = mismatch > _CLOSED
        cycles.put(active[open_], part.chosen(open_))
        active = active[open_]
        if not len(active):
            break


def _segments(system, values, cycles, n_phase, dt, monitor):
    """Segments (P,) of each cycle, a multiple of its nodes and of n_phase; how many make one factor."""
    states = shooting.samples(system, values, cycles, _LOOKS * cycles.nodes.shape[1], monitor)
    points, count, n = states.shape
    of_all = repeated(values, count)
    shrinking = abs(volume_rates(system, states.reshape(-1, n), of_all)).reshape(points, count).max(axis=1)
    shortest = np.fmax(cycles.period / (_STEPS_EACH * dt), cycles.period * shrinking / _CONTRACTION)
    least = math.lcm(n_phase, cycles.nodes.shape[1])
    longest = max(_MOST_SEGMENTS // least, 1)
    segments = least * 2 ** np.ceil(np.log2(np.clip(shortest / least, 1.0, longest))).astype(int)
    fewest = np.fmax(cycles.period * shrinking / _CONTRACTION, cycles.nodes.shape[1])
    merged = 2 ** np.floor(np.log2(np.fmax(segments / fewest, 1.0))).astype(int)
    return segments, np.gcd(merged, segments)


def _of_group(system, values, cycles, count, each, n_phase, directions, monitor):
    period, n = cycles.period, cycles.nodes.shape[2]
    states = shooting.samples(system, values, cycles, count, monitor)
    ends, tangent = _by_segments(system, values, cycles, states, directions, monitor)
    size = cycles.size
    residual = abs(ends - np.roll(states, -1, axis=1)).max(axis=(1, 2)) / size
    velocity = shooting.velocities(system, values, states)
    logs, phases, basis, paired = floquet(_merge(tangent[..., :n], each))
    adjoint = _adjoint(tangent[..., :n], velocity)
    after = np.roll(adjoint, -1, axis=1)
    slopes = np.ascontiguousarray((after[:, :, None, :] @ tangent[..., n:])[:, :, 0, :].swapaxes(1, 2))
    exponents, volume = _by_qr(system, values, cycles, basis, paired, monitor)
    trivial = trivial_column(logs, phases)
    row = np.arange(len(period))
    difference = _row_sums(logs) - volume
    lost = abs(difference) > _LOST * np.fmax(1.0, abs(logs).max(axis=1))
    if n == 2:  # the integral of the divergence then tells what rounding has taken from the smaller one
        logs = logs - np.where(lost, difference, 0.0)[:, None] * [0.0, 1.0]
    multipliers = described(logs, phases, period)
    shown = slice(None, None, count // n_phase)
    return {
        "state": states[:, shown],
        "velocity": velocity[:, shown],
        "adjoint": adjoint[:, shown],
        "period": period,
        "frequency": 1.0 / period,
        **multipliers,
        "lyapunov_exponent": exponents,
        "trivial_mode": trivial + 1,
        "trivial_error": abs(multipliers["floquet_multiplier"][row, trivial] - 1.0),
        "liouville_error": difference,
        "lost": lost & (n > 2),
        "gradient_swing": _swing(system, values, cycles, states, velocity, monitor),
        "period_derivative": -_row_sums(slopes),
        "residual": residual,
        "size": size,
    }


def _by_segments(system, values, cycles, states, directions, monitor):
    """Ends and tangent maps of all segments, for cycles whose steps may differ."""
    count, n = states.shape[1:]
    ends, tangent = np.empty_like(states), np.empty((*states.shape, n + len(directions)))
    for steps, index in groups(cycles.steps):
        own = select(values, index)
        ends[index], tangent[index] = shooting.by_segments(
            system, own, states[index], cycles.period[index], steps // count, monitor, directions
        )
    return ends, tangent


def _row_sums(array):
    """Sums over the last axis, one row like another however many there are."""
    return np.ascontiguousarray(array).sum(axis=-1)


def _merge(tangent, each):
    """Products of `each` (a power of 2) neighbouring segments' tangent maps."""
    while each > 1:
        tangent, each = tangent[:, 1::2] @ tangent[:, 0::2], each // 2
    return tangent


def _adjoint(tangent, velocity):
    """Phase gradient Z (P, S, n) at the segments' starts: Z' Phi = Z' around the cycle, Z . velocity = 1."""
    points, count, n, _ = tangent.shape
    whole = np.broadcast_to(np.eye(n), (points, n, n))
    for s in range(count):
        whole = tangent[:, s] @ whole
    rows = np.concatenate([whole.swapaxes(1, 2) - np.eye(n), velocity[:, :1]], axis=1)
    right = np.zeros((points, n + 1, 1))
    right[:, n] = 1.0
    z, adjoint = np.linalg.pinv(rows) @ right, np.empty((points, count, n))
    for s in range(count - 1, -1, -1):  # backwards, where a stable cycle's errors die out
        z = tangent[:, s].swapaxes(1, 2) @ z
        z = z / (velocity[:, s, None, :] @ z)
        adjoint[:, s] = z[:, :, 0]
    return adjoint


def _by_qr(system, values, cycles, basis, paired, monitor):
    """Exponents (P, n) by the QR engine over one period from a basis that returns, and the divergence's integral."""
    points, n = cycles.period.shape[0], basis.shape[1]
    growth, volume = np.empty((points, n)), np.empty(points)
    for steps, index in groups(cycles.steps):
        own = select(values, index)
        starts, sizes = cycles.nodes[index, 0], cycles.period[index] / steps
        growth[index], volume[index] = shooting.growth_around(
            system, own, starts, shooting.METHOD, steps, basis[index], monitor, sizes
        )
    return sorted_growth(growth, paired) / cycles.period[:, None], volume


def _swing(system, values, cycles, states, velocity, monitor):
    """Largest over smallest |f(x(t))| |Z(x(0))| in time: of the speeds alone, as |Z(x(0))| is the same at all."""
    swing = np.empty(len(cycles.period))
    for steps, index in groups(cycles.steps):
        own, part = select(values, index), cycles.chosen(index)
        if steps == states.shape[1]:  # the segments' starts are all steps
            every, speed = states[index], velocity[index]
        else:
            every = shooting.samples(system, own, part, steps, monitor)
            speed = shooting.velocities(system, own, every)
        logs = np.log(np.linalg.norm(speed, axis=2))
        step = part.period / steps
        highest, lowest = (_extreme(system, own, every, sign * logs, step, sign, monitor) for sign in (1, -1))
        swing[index] = np.exp(highest + lowest)
    return swing


def _extreme(system, values, states, logs, step, sign, monitor):
    """The largest of sign ln |f| (P,): the steps around the largest sample are taken again in small pieces."""
    row, at = np.arange(len(logs)), np.argmax(logs, axis=1)
    before = states[row, (at - 1) % logs.shape[1]]
    record = shooting.flow_over(system, values, before, 2.0 * step, _PIECES, monitor, stride=1)[2]
    speed = np.linalg.norm(shooting.velocities(system, values, np.ascontiguousarray(record)), axis=2)
    logs = sign * np.log(speed)
    at = np.clip(np.argmax(logs, axis=1), 1, _PIECES - 2)
    before, here, after = (logs[row, at + shift] for shift in (-1, 0, 1))
    bend = 2.0 * here - before - after
    with np.errstate(all="ignore"):
        return here + np.where(bend > 0, (after - before) ** 2 / (8.0 * bend), 0.0)
