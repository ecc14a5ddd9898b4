"""What every spectrum says of itself: orthogonality, sum of the exponents, outcome."""

import functools

import numpy as np

from lyapkit.analyses.orbits.points import select
from lyapkit.analyses.orbits.tolerances import failure
from lyapkit.flags import SIGN, STATUS
from lyapkit.systems.define import check_jacobian
from lyapkit.systems.evaluate import volume_rates

_ROUNDING = np.finfo(float).eps
_SKEW = 1e-6  # a frame less orthogonal than this gives no exponents
_HOPELESS = 1e-2  # an exponent with this possible error has lost its digits


@functools.lru_cache(maxsize=8)
def starting_frame(n, k, seed):
    """k generic orthonormal columns (k, n), those of a larger k first; unit vectors could be invariant."""
    columns = np.random.default_rng(seed).standard_normal((k, n)).T
    frame = np.ascontiguousarray(np.linalg.qr(columns)[0].T)
    frame.setflags(write=False)  # every task of a scan gets the same one
    return frame


def orthogonality(frame, spread):
    """Largest |Q'Q - 1| of frames (k, n, L) in each lane, zero columns left out; `spread`: of large systems."""
    k, _, lanes = frame.shape
    worst = np.zeros(lanes)
    if spread:
        for lane in range(lanes):
            columns = np.ascontiguousarray(frame[..., lane])
            product = columns @ columns.T
            worst[lane] = abs(np.where(product == 0.0, 0.0, product - np.eye(k))).max(initial=0.0)
        return worst
    for i in range(k):
        for j in range(i + 1):
            product = (frame[i] * frame[j]).sum(axis=0)
            wrong = np.where(product == 0.0, 0.0, abs(product - (i == j)))
            worst = np.maximum(worst, wrong)
    return worst


def sum_error(exponents, volume, n):
    """Sum of the exponents minus the mean divergence; NaN unless all n were computed."""
    if len(exponents) < n:
        return np.full(len(volume), np.nan)
    total = np.zeros(len(volume))
    with np.errstate(all="ignore"):
        for one in exponents:
            total = total + one
        difference = total - volume
    return np.where(total == volume, 0.0, difference)  # also where both are -inf


def outcome(ensemble, clock, exponents, loss, skewness, lost):
    """Status (L,) of orbits with these exponents; `loss` (k, L) and the others say what their digits are worth."""
    lost_state = failure(clock, ensemble.gather("x"))
    diverged = (lost_state != STATUS["ok"]) | np.isnan(exponents).any(axis=0)
    collapsed = (exponents == -np.inf).any(axis=0)
    hopeless = (loss > _HOPELESS).any(axis=0) | (skewness > _SKEW)
    status = np.where(collapsed, STATUS["collapsed"], STATUS["ok"])
    status = np.where(lost | (hopeless & ~collapsed), STATUS["ill_conditioned"], status)
    return np.where(diverged, np.maximum(lost_state, STATUS["diverged"]), status).astype(np.int8)


def blanked(result):
    """NaN in everything measured at a point whose orbit has ended."""
    bad = np.isin(result["status"], [STATUS["diverged"], STATUS["step_too_small"]])
    for name, values in result.items():
        if values.dtype.kind == "f":
            result[name] = np.where(bad, np.nan, values)
        elif name in ("n_zeros", "flow_direction_mode"):
            result[name] = np.where(bad, 0, values)
    result["lyapunov_sign"] = np.where(bad, SIGN["undecided"], result["lyapunov_sign"])
    return result


def values_of_lanes(ensemble, lanes):
    """Parameters (lanes,) that differ: lanes beyond the points repeat the last one."""
    chosen = np.minimum(np.arange(lanes), ensemble.points - 1)
    return select(ensemble.values, chosen)


def sampled_volume(system, record, times, ensemble):
    """Mean tr Df or ln |det Df| (L,) over states (samples, n, L) at these times, where it has no closed form."""
    lanes = record.shape[-1]
    values, total = values_of_lanes(ensemble, lanes), np.zeros(lanes)
    for state, time in zip(record, times):  # one after the other, whatever the number of lanes: the same bits
        total = total + volume_rates(system, state.T, values, time)
    return total / len(record)


def conditioning_loss(exponents, condition, difference, dt, dimension):
    """What the worst condition (L,) of the frame can have cost sorted exponents (k, L).

    In a step the last column's growth has a relative error of eps times the condition. Between it and the first, which
    loses nothing, the loss goes as the columns' lengths do, exponentially with the exponents. Where the sum
    of all exponents is known (to `difference` (L,), else NaN), it tells what was really lost: ten
    times that is the most. The QR of two units loses nothing (see `kernels.lanes`).
    """
    if dimension == 2:
        return np.zeros_like(exponents)
    with np.errstate(all="ignore"):
        depth = exponents[0] - exponents
        share = np.where(depth[-1] > 0, depth / depth[-1], 0.0)
        loss = _ROUNDING * np.exp(share * np.log(condition)) / dt
        loss = np.fmin(loss, 10.0 * abs(difference))
    return np.where(np.isfinite(loss), loss, 0.0)


def with_exact_zeros(system, ensemble, exponents, volume):
    """The last of all exponents (n, L) is -inf where ln |det Df| is, which knows of zeros that rounding hides.

    Where only the determinant's product has underflown, the volume is not known. The other way round, an exponent of
    -inf beside a volume that is known and finite has only lost all its digits: where it is the only one, it
    is what the sum leaves for it. Returns exponents, volume, and where this was done or could not be (L,).
    """
    dead = volume == -np.inf
    if np.isfinite(exponents).all() and not dead.any():
        return exponents, volume, np.zeros(len(volume), dtype=bool)
    missing = (exponents == -np.inf).sum(axis=0)
    lost = (missing > 0) & np.isfinite(volume)
    rest = volume - np.where(np.isfinite(exponents), exponents, 0.0).sum(axis=0)
    exponents = exponents.copy()
    exponents[-1] = np.where(lost & (missing == 1), rest, exponents[-1])
    if not dead.any():
        return exponents, volume, lost
    values = values_of_lanes(ensemble, len(volume))
    logs = volume_rates(system, ensemble.gather("x").T, values, ensemble.time)
    underflown = dead & np.isfinite(logs) & np.isfinite(exponents).all(axis=0)
    exponents[-1] = np.where(dead & ~underflown, -np.inf, exponents[-1])
    return exponents, np.where(underflown, np.nan, volume), lost


def check_given_jacobian(system, states):
    """Compare a user's Jacobian with the rule's derivative around the state and along the orbit that starts there."""
    jacobian = system.model.jacobian
    if jacobian is None:
        return
    from lyapkit.analyses.trajectory import trajectory

    start = np.reshape(states, (-1, system.dimension))[0]
    span = 200 if system.kind == "map" else 200 * system.model.dt
    orbit = trajectory(system, initial_state=start, duration=span, every=40, progress=False).state.values
    check_jacobian(system, jacobian, orbit[np.isfinite(orbit).all(axis=1)])
