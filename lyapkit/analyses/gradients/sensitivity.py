"""The sensitivity that an orbit carries over delays, and the exponents that it goes by in the long run."""

import dataclasses

import numpy as np

from lyapkit.analyses.exponents.blocks import merged_status
from lyapkit.analyses.gradients.delays import delay_clock
from lyapkit.analyses.gradients.tangent_product import TangentProduct, tangent_product
from lyapkit.analyses.lyapunov_spectrum import lyapunov_spectrum
from lyapkit.analyses.orbits.clock import Clock, checked_state, spectrum_clock, time_direction
from lyapkit.analyses.verb import whole
from lyapkit.flags import STATUS
from lyapkit.systems.system import System


@dataclasses.dataclass(frozen=True)
class Sensitivity:
    """Singular values of dx(t0 + d)/dx(t0) for all delays d, of many points at once."""

    system: System
    initial_state: np.ndarray
    clock: Clock
    stops: np.ndarray  # steps from t0 to the end of each delay
    delays: np.ndarray
    exponents: object  # the plan of the spectrum
    seed: int

    @property
    def work(self):
        return 2 * self.clock.steps + self.clock.transient + self.exponents.work

    @property
    def modes(self):
        return np.arange(1, self.system.dimension + 1)

    @property
    def attrs(self):
        return {
            **self.clock.attrs,
            "duration": self.exponents.clock.duration,
            "seed": self.seed,
            "logarithm": "natural",
            **time_direction(self.system),
        }

    def measure(self, values, states, monitor):
        """Arrays (points, ...): the logarithms (delay, mode), exponents and their errors (mode), status."""
        product = self._product(values, states, monitor)
        spectrum = self.exponents.measure(values, states, monitor)
        status = np.where(product.status == STATUS["ok"], spectrum["status"], product.status)
        return {
            "log_singular_value": product.log_singular_value,
            "lyapunov_exponent": spectrum["lyapunov_exponent"],
            "lyapunov_exponent_stderr": spectrum["lyapunov_exponent_stderr"],
            "status": status.astype(np.int8),
        }

    def _product(self, values, states, monitor):
        """The tangent product; of a network of blocks that do not know of each other the blocks', as lanes."""
        arguments = self.clock, self.stops, self.seed, monitor
        parts = self.system.model.blocks and self.system.model.blocks(self.system.parameters)
        if not parts:
            return tangent_product(self.system, values, states, *arguments)
        block, own = parts
        points, count = len(states), len(next(iter(own.values())))
        tiled = {name: np.tile(column, points) for name, column in own.items()}
        product = tangent_product(block(), tiled, states.reshape(points * count, -1), *arguments)
        logs = product.log_singular_value.reshape(points, count, len(self.stops), -1)
        logs = np.moveaxis(logs, 1, 2).reshape(points, len(self.stops), -1)
        return TangentProduct(-np.sort(-logs, axis=2), merged_status(product.status.reshape(points, count)))


def sensitivity(system, delays, initial_state, transient, duration, dt, method, seed):
    """The Sensitivity that keywords ask for; `duration` of the exponents, from t0."""
    time, stops, delays = delay_clock(system, delays, transient, dt, method)
    state = checked_state(system, initial_state)
    own = time.keywords
    before = time.transient * time.dt
    if duration is None:
        default = spectrum_clock(system, before, None, own.get("dt"), own.get("method"))
        duration = max(default.duration, time.duration)
    exponents = lyapunov_spectrum.plan(system, initial_state=state, transient=before, duration=duration, **own)
    return Sensitivity(system, state, time, stops, delays, exponents, whole("seed", seed, 0, 2**63 - 1))
