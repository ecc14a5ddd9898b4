"""What every spectrum says of itself: orthogonality, sum of the exponents, outcome."""

import functools

import numpy as np

from lyapkit.results import SIGN, STATUS
from lyapkit.systems.evaluate import log_determinants


@functools.lru_cache(maxsize=8)
def starting_frame(n, k, seed):
    """k generic orthonormal columns (k, n); the unit vectors could lie in invariant subspaces."""
    columns = np.random.default_rng(seed).standard_normal((n, k))
    frame = np.ascontiguousarray(np.linalg.qr(columns)[0].T)
    frame.setflags(write=False)  # every task of a scan gets the same one
    return frame


def orthogonality(frame):
    """Largest |Q'Q - 1| of frames (k, n, L) in each lane, zero columns left out."""
    k, _, lanes = frame.shape
    if lanes == 1:  # a large system
        product = frame[..., 0] @ frame[..., 0].T
        return np.array([abs(np.where(product == 0.0, 0.0, product - np.eye(k))).max(initial=0.0)])
    worst = np.zeros(lanes)
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


def outcome(ensemble, exponents):
    """Status (L,) of orbits with these exponents (k, L)."""
    escaped = ~np.isfinite(ensemble.gather("x")).all(axis=0)
    diverged = escaped | np.isnan(exponents).any(axis=0)
    collapsed = (exponents == -np.inf).any(axis=0)
    status = np.where(collapsed, STATUS["collapsed"], STATUS["ok"])
    return np.where(diverged, STATUS["diverged"], status).astype(np.int8)


def blanked(result):
    """NaN in everything measured at a diverged point."""
    bad = result["status"] == STATUS["diverged"]
    for name, values in result.items():
        if values.dtype.kind == "f":
            result[name] = np.where(bad, np.nan, values)
    result["lyapunov_sign"] = np.where(bad, SIGN["undecided"], result["lyapunov_sign"])
    return result


def sampled_volume(system, record, values):
    """Mean ln |det Df| (L,) over recorded states (samples, n, L), where it has no closed form; NaN without any."""
    lanes, points = record.shape[-1], len(next(iter(values.values()))) if values else record.shape[-1]
    if not len(record):
        return np.full(lanes, np.nan)
    chosen = np.minimum(np.arange(lanes), points - 1)
    values = {name: column[chosen] for name, column in values.items()}
    return np.mean([log_determinants(system, state.T, values) for state in record], axis=0)
