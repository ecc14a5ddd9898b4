"""Spectra of networks whose blocks do not know of each other: the union of the blocks' spectra.

A frame that respects the blocks stays so, as products and QR act inside each block; so the blocks run as lanes, at a
cost linear in their number.
"""

import dataclasses

import numpy as np

from lyapkit.flags import STATUS

# How the blocks' numbers become the network's; exponents are merged, what follows from them is computed anew.
_TOGETHER = {
    "mean_divergence": np.sum, "exponent_sum_error": np.sum, "frame_orthogonality": np.max,
    "frame_condition": np.max, "averaging_duration": np.max, "estimator": np.min,
}  # fmt: skip
_PER_MODE = (
    "lyapunov_exponent", "lyapunov_exponent_stderr", "lyapunov_sign", "counts_as_zero", "wrong", "duration_needed",
)  # fmt: skip
# the worst outcome first
_SEVERITY = [
    STATUS[word] for word in ("step_too_small", "diverged", "not_converged", "ill_conditioned", "collapsed", "ok")
]


@dataclasses.dataclass(frozen=True)
class UnionOfBlocks:
    """The plan `whole` of a network, carried out by the plan `part` of its blocks with `values` (blocks,)."""

    whole: object
    part: object
    values: dict

    def __getattr__(self, name):
        return getattr(self.whole, name)

    @property
    def work(self):
        return self.part.work * len(next(iter(self.values.values())))

    def measure(self, values, states, monitor):
        blocks = len(next(iter(self.values.values())))
        states = np.reshape(states, (len(states) * blocks, -1))
        repeated = {name: np.tile(column, len(states) // blocks) for name, column in self.values.items()}
        measured = self.part.measured(repeated, states, monitor)
        grouped = {name: array.reshape(-1, blocks, *array.shape[1:]) for name, array in measured.items()}
        merged = self._merged(grouped)
        return {name: merged[name] for name in self.whole.variables}

    def _merged(self, grouped):
        k = self.whole.n_exponents
        exponents = grouped["lyapunov_exponent"].reshape(len(grouped["status"]), -1)
        order = np.argsort(-exponents, axis=1, kind="stable")[:, :k]
        result = {name: combine(grouped[name], axis=1) for name, combine in _TOGETHER.items()}
        if k < self.whole.system.dimension:
            result["exponent_sum_error"] = np.full(len(order), np.nan)
        for name in _PER_MODE:
            result[name] = np.take_along_axis(grouped[name].reshape(len(order), -1), order, axis=1)
        if self.whole.history:
            running = np.moveaxis(grouped["running_exponent"], 1, 2)
            running = running.reshape(*running.shape[:2], -1)
            result["running_exponent"] = np.take_along_axis(running, order[:, None], axis=2)
        result["status"] = merged_status(grouped["status"])
        merged = (result[name].T for name in _PER_MODE[:5])
        speeds = [np.linalg.norm(grouped[name], axis=1) for name in ("speed_before", "speed_after")]
        return result | self.whole.what_follows(*merged, speeds, result["averaging_duration"])


def merged_status(status):
    """The worst outcome (points,) of blocks (points, blocks)."""
    ranks = np.zeros(max(_SEVERITY) + 1, dtype=int)
    ranks[_SEVERITY] = np.arange(len(_SEVERITY))  # of each code
    return np.take(_SEVERITY, ranks[status].min(axis=1)).astype(np.int8)
