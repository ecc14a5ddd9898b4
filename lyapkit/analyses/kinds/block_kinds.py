"""What networks of blocks that do not know of each other settle on: the union of what the blocks do."""

import math

import numpy as np

from lyapkit.flags import ATTRACTOR_KIND

_FIXED, _CYCLE, _TORUS, _CONTINUOUS, _FAMILY = (
    ATTRACTOR_KIND[name]
    for name in ("fixed_point", "limit_cycle", "torus", "continuous_attractor", "continuous_family")
)
# kinds of one block that make the network's, the first of them that occurs
_DECISIVE = [ATTRACTOR_KIND[name] for name in ("diverging", "undecided", "chaos")]
_LONGEST = 2**31  # period of a map of blocks that is not more than a number


def merged(labels, alike, is_flow, k):
    """Columns name -> (P, ...) of networks, from the labels of their blocks (P * B,); k: exponents kept.

    alike (B,): blocks of the same number have the same frequency, so that their phases differ by what does not move.
    """
    blocks = len(alike)
    parts = {
        name: column.reshape(-1, blocks, *column.shape[1:])
        for name, column in vars(labels).items()
    }  # fmt: skip
    kind, period = parts["kind"], parts["period"]
    motion = np.where(np.isin(kind, (_CYCLE, _TORUS, _FAMILY)), parts["dimension"], 0)
    still = parts["family_dimension"].sum(axis=1)
    frequencies = np.zeros(len(kind), dtype=np.int64)
    for number in np.unique(alike):  # frequencies of one block for all that are alike
        frequencies += motion[:, alike == number].max(axis=1)
    still += motion.sum(axis=1) - frequencies
    hops = np.zeros(len(kind), dtype=bool) if is_flow else (period > 1).any(axis=1)
    cycles = (frequencies == 1) & (still == 0) if is_flow else (frequencies == 0) & (still == 0) & hops
    moves = (frequencies > 0) | hops
    result = np.select(
        [cycles, ~moves & (still == 0), ~moves, still == 0], [_CYCLE, _FIXED, _CONTINUOUS, _TORUS], _FAMILY
    )
    for one in reversed(_DECISIVE):
        result = np.where((kind == one).any(axis=1), one, result)
    decided = ~np.isin(result, _DECISIVE)
    order = np.argsort(-parts["exponents"].reshape(len(kind), -1), axis=1, kind="stable")[:, :k]
    exponents, stderr = (
        np.take_along_axis(parts[name].reshape(len(kind), -1), order, axis=1) for name in ("exponents", "stderr")
    )
    common = np.array([_common(row, is_flow) for row in period])
    return {
        "kind": result,
        "dimension": np.where(decided, np.where(result == _CONTINUOUS, still, frequencies), 0),
        "family_dimension": np.where(decided, still, 0),
        "zeros": parts["zeros"].sum(axis=1),
        "confidence": np.maximum(1.0 - (1.0 - parts["confidence"]).sum(axis=1), 0.0),
        "exponents": exponents, "stderr": stderr,
        "state": parts["state"].reshape(len(kind), -1),
        "period": np.where(result == _CYCLE, common, np.nan),
        "speed": np.sqrt((parts["speed"] ** 2).sum(axis=1)),
    }  # fmt: skip


def _common(periods, is_flow):
    """The period that blocks of these periods (NaN: at rest) have in common."""
    periods = periods[np.isfinite(periods)]
    if is_flow or not len(periods):
        return periods[0] if len(periods) else math.nan
    common = math.lcm(*(int(period) for period in periods))
    return float(common) if common < _LONGEST else math.nan
