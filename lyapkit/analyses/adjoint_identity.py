"""The adjoint map swept back over a window against the tangent map run forwards over it: transposes of each other."""

import numpy as np

from lyapkit.analyses.backpropagation import backpropagate
from lyapkit.analyses.points import groups, select
from lyapkit.analyses.propagation import Ensemble
from lyapkit.systems.evaluate import values_and_jacobians


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
        error = np.linalg.norm(adjoint - tangent, axis=(1, 2)) / np.linalg.norm(tangent, axis=(1, 2))
    return error, adjoint


def over_a_period(system, values, states, period, phase_gradient, clock, monitor):
    """(identity error, |M' Z - Z| / |Z|, period of the adjoint) (points,) of cycles; NaN where there is none.

    Swept back over the cycle's period Z comes back near itself; with its slope -Df' Z in time that tells the time after
    which it comes back nearest, the adjoint's own period. Steps are the period over a power of two, no longer
    than the clock's.
    """
    error, change, own_period = np.full((3, len(states)), np.nan)
    have = np.flatnonzero(np.isfinite(period))
    counts = 2 ** np.ceil(np.log2(period[have] / clock.dt) - 1e-9).clip(3).astype(np.int64)
    for count, members in groups(counts):
        index = have[members]
        own, before = select(values, index), phase_gradient[index]
        error[index], adjoint = identity_error(
            system, own, states[index], clock, int(count), monitor, steps=period[index] / count
        )
        rest = np.einsum("pi,pij->pj", before, adjoint) - before
        slope = -np.einsum("pi,pij->pj", before, values_and_jacobians(system, states[index], own)[1])
        with np.errstate(all="ignore"):
            change[index] = np.linalg.norm(rest, axis=1) / np.linalg.norm(before, axis=1)
            delay = np.einsum("pi,pi->p", rest, slope) / np.einsum("pi,pi->p", slope, slope)
        own_period[index] = period[index] + delay
    return error, change, own_period
