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
        names = {"period": (), "surviving_gradient": ("delay", "unit"), "surviving_error": ("delay",)}
        return names | ({"secular_gradient": ("delay", "parameter")} if self.search.scalars else {})

    def start(self, values, states, monitor):
        """The cycles of the points, t0 on their phase 0: (found, states (points, n), status (points,))."""
        found = self.search.measure(values, states, monitor)
        have = np.isin(found["status"], _FOUND)
        start = np.where(have[:, None], found["state"][:, 0], states)
        return found, start, found["status"]

    def predict(self, found, products, sizes, gradients, delays, labels):
        """Predictions (points, delay, ...) from g . f and |g| |f| (points, delay), and how far the gradients
        (points, delay, n) are from them, relative to |g| |f| |Z|.
        """
        have = np.isin(found["status"], _FOUND)
        period = np.where(have, found["period"], np.nan)
        phase_gradient = np.where(have[:, None], found["adjoint"][:, 0], np.nan)
        surviving = products[..., None] * phase_gradient[:, None]
        with np.errstate(all="ignore"):
            scale = sizes * np.linalg.norm(phase_gradient, axis=1)[:, None]
            error = np.linalg.norm(gradients - surviving, axis=2) / scale
        result = {"period": period, "surviving_gradient": surviving, "surviving_error": error}
        if self.search.scalars:
            slopes = np.full((len(have), len(labels)), np.nan)
            columns = [labels.index(name) for name in self.search.scalars]
            slopes[:, columns] = found["period_derivative"]
            turns = delays / period[:, None]
            result["secular_gradient"] = -(turns * products)[..., None] * slopes[:, None]
        return result
