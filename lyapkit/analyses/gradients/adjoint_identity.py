"""The adjoint map swept back over a window against the tangent map run forwards over it: transposes of each other."""

import numpy as np

from lyapkit.analyses.gradients.backpropagation import backpropagate
from lyapkit.analyses.orbits.points import groups, select
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.systems.evaluate import values_and_jacobians

_FAR = 3  # periods after which what is swept back begins: but for Z it has then decayed


def identity_error(system, values, states, clock, stop, monitor, *, steps=None, time=0.0):
    """|B - M| / |M| (points,) of the maps over `stop` steps from states (points, n) at `time`; B itself (points, n, n).

    Row i of B is e_i swept back: that is the inverse transpose of the fundamental matrix of the adjoint equation.
    """
    n, points = system.dimension, len(states)
    forward = Ensemble(system, values, states, clock, n, np.eye(n), 1, steps=steps, time=time)
    forward.run(stop, monitor, orthonormalise=False)
    tangent = np.moveaxis(forward.gather("frame")[..., :points], -1, 0).swapaxes(1, 2)
    units = np.broadcast_to(np.eye(n), (1, points, n, n))
    swept = backpropagate(system, values, states, clock, units, [stop], monitor, steps=steps, time=time)
    with np.errstate(all="ignore"):
        adjoint = swept.cotangent[0] * np.exp(swept.log_scale[0])[..., None]
        apart, size = (np.linalg.norm(array, axis=(1, 2)) for array in (adjoint - tangent, tangent))
        error = np.where(apart == 0.0, 0.0, apart / size)  # both may be the zero map
    return error, adjoint


def over_a_period(system, values, states, period, phase_gradient, clock, monitor):
    """(identity error, |M' Z - Z| / |Z|, period of the adjoint) (points,) of cycles; NaN where there is none.

    Steps are the period over a power of two, no longer than the clock's.
    """
    error, change, own_period = np.full((3, len(states)), np.nan)
    have = np.flatnonzero(np.isfinite(period))
    counts = 2 ** np.ceil(np.log2(period[have] / clock.dt) - 1e-9).clip(3).astype(np.int64)
    for count, members in groups(counts):
        index = have[members]
        own, before, steps = select(values, index), phase_gradient[index], period[index] / count
        arguments = system, own, states[index], clock, int(count), monitor
        error[index], adjoint = identity_error(*arguments, steps=steps)
        back = np.einsum("pi,pij->pj", before, adjoint)
        change[index] = np.linalg.norm(back - before, axis=1) / np.linalg.norm(before, axis=1)
        own_period[index] = period[index] - _late(*arguments, before, steps)
    return error, change, own_period


def _late(system, values, states, clock, count, monitor, phase_gradient, steps):
    """By how much (points,) the adjoint is late after `count` steps.

    What is swept back from the same far end to x(0) and to x(T) is Z there, times the same number; the difference of
    the two is so much of dZ/dt = -Df' Z.
    """
    ensemble = Ensemble(system, values, states, clock, 0, steps=steps)
    ensemble.run(count, monitor)
    later = ensemble.gather("x")[:, : len(states)].T
    slope = -np.einsum("pi,pij->pj", phase_gradient, values_and_jacobians(system, states, values)[1])
    swept = []
    for begin, rounds in ((states, _FAR), (later, _FAR - 1)):
        put_in = phase_gradient[None, :, None]
        found = backpropagate(system, values, begin, clock, put_in, [rounds * count], monitor, steps=steps)
        swept.append(found.cotangent[0, :, 0] * np.exp(found.log_scale[0]))
    with np.errstate(all="ignore"):
        return ((swept[1] - swept[0]) * slope).sum(axis=1) / (slope**2).sum(axis=1)
