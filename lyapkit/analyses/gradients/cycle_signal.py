"""What a limit cycle says beforehand of the gradients that are swept back along it."""

import dataclasses

import numpy as np

from lyapkit.flags import STATUS

# outcomes of limit_cycle that come with numbers
_FOUND = [STATUS[word] for word in ("ok", "ill_conditioned", "not_isolated")]


@dataclasses.dataclass(frozen=True)
class CycleSignal:
    """The plan `search` of limit_cycle, and what follows from its phase gradient Z.

    Over a delay d the gradient g of a loss at x(t0 + d) becomes (g . f(x(t0 + d))) Z(x(t0)); the rest of it dies out. A
    parameter p changes the period, so that dL/dp grows as -(d / T) dT/dp (g . f(x(t0 + d))).
    """

    search: object

    @property
    def variables(self):
        names = {"surviving_gradient": ("delay", "unit"), "surviving_error": ("delay",)}
        names |= dict.fromkeys(("period", "adjoint_period", "adjoint_return_error"), ())
        return names | ({"secular_gradient": ("delay", "parameter")} if self.search.scalars else {})

    def start(self, values, states, monitor):
        """The cycles of the points, and their states (points, n) at phase 0, NaN where there is none."""
        found = self.search.measure(values, states, monitor)
        for name in ("state", "adjoint", "period"):
            have = np.isin(found["status"], _FOUND).reshape(-1, *[1] * (found[name].ndim - 1))
            found[name] = np.where(have, found[name], np.nan)
        return found, found["state"][:, 0]

    @staticmethod
    def status(cycles, own):
        """The status of limit_cycle where it found no cycle, else the signal's `own`, else what it says besides."""
        have = np.isin(cycles["status"], _FOUND)
        return np.where(have & (own != STATUS["ok"]), own, cycles["status"])

    def predict(self, cycles, losses, velocities, gradients, delays, labels):
        """Predictions (points, delay, ...) from the losses' gradients and the velocities at the ends of the delays, and
        how far the gradients found are from them, relative to |g| |f| |Z|.
        """
        phase_gradient = cycles["adjoint"][:, 0]
        products = np.einsum("pdi,pdi->pd", losses, velocities)
        surviving = products[..., None] * phase_gradient[:, None]
        with np.errstate(all="ignore"):
            scale = np.linalg.norm(losses, axis=2) * np.linalg.norm(velocities, axis=2)
            scale = scale * np.linalg.norm(phase_gradient, axis=1)[:, None]
            error = np.linalg.norm(gradients - surviving, axis=2) / scale
        result = {"period": cycles["period"], "surviving_gradient": surviving, "surviving_error": error}
        if self.search.scalars:
            slopes = np.full((len(losses), len(labels)), np.nan)
            slopes[:, [labels.index(name) for name in self.search.scalars]] = cycles["period_derivative"]
            turns = delays / cycles["period"][:, None]
            result["secular_gradient"] = -(turns * products)[..., None] * slopes[:, None]
        return result
