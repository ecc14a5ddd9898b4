"""The adjoint map swept back over a window against the tangent map run forwards over it: transposes of each other."""

import numpy as np

from lyapkit.analyses.gradients.backpropagation import backpropagate
from lyapkit.analyses.orbits.points import groups, select
from lyapkit.analyses.orbits.propagation import Ensemble


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
    """(identity error, |M' Z - Z| / |Z|) (points,) over one period of each point's cycle; NaN where there is none.

    The steps of a period are a power of two, no longer than the clock's.
    """
    error, change = np.full((2, len(states)), np.nan)
    have = np.flatnonzero(np.isfinite(period))
    counts = 2 ** np.ceil(np.log2(period[have] / clock.dt) - 1e-9).clip(3).astype(np.int64)
    for count, members in groups(counts):
        index = have[members]
        own = select(values, index), states[index]
        error[index], adjoint = identity_error(system, *own, clock, int(count), monitor, steps=period[index] / count)
        back = np.einsum("pi,pij->pj", phase_gradient[index], adjoint)
        change[index] = np.linalg.norm(back - phase_gradient[index], axis=1)
        change[index] /= np.linalg.norm(phase_gradient[index], axis=1)
    return error, change
