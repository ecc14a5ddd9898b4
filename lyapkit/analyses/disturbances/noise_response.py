"""Exponents under common white noise on every unit, and what phase reduction expects of them."""

import numpy as np

from lyapkit.analyses.disturbances.disturbed import Outcomes
from lyapkit.analyses.kinds.attractor_kinds import label
from lyapkit.analyses.limit_cycle import limit_cycle
from lyapkit.analyses.lyapunov_spectrum import lyapunov_spectrum
from lyapkit.analyses.orbits.points import repeated
from lyapkit.flags import ATTRACTOR_KIND, SIGN, STATUS
from lyapkit.systems.evaluate import values_and_jacobians
from lyapkit.systems.free_weights import NOISE, as_network, freed
from lyapkit.systems.inputs import white_noise

_PHASES = 256  # of the mean over the cycle, which is that of a smooth periodic function


class Noisy:
    """The systems of some points (values name -> (points,)), with noise of every strength in `sizes`."""

    def __init__(self, system, values, points, sizes, clock, seed, members):
        changes = [{name: float(column[i]) for name, column in values.items()} for i in range(points)]
        targets = [system.with_(**change) for change in changes]
        self._targets = [as_network(target) or target for target in targets]
        self._free = [freed(target) for target in self._targets]
        self._numbers = np.array([free.numbers() for free in self._free])
        self.sizes, self.clock, self._seed, self._members = np.asarray(sizes), clock, seed, members

    @property
    def _values(self):
        return self._free[0].values(self._numbers)

    def before(self, states, how, monitor):
        """Labels of the systems without noise."""
        return label(self._free[0].system, self._values, states, how, monitor)

    def after(self, states, how, monitor):
        """`Outcomes` (points, sizes, members), each member another noise; the kinds are left open."""
        shape = len(states), len(self.sizes)
        starts = np.repeat(states, len(self.sizes), axis=0)
        results = [self._of_one_noise(number, starts, how, monitor) for number in range(self._members)]
        exponents, errors, verdicts = (
            np.stack([one[name].reshape(*shape, -1) for one in results], axis=2)
            for name in ("lyapunov_exponent", "lyapunov_exponent_stderr", "lyapunov_sign")
        )
        lost = np.stack([one["status"].reshape(shape) for one in results], axis=2) == STATUS["diverged"]
        kind = np.where(lost, ATTRACTOR_KIND["diverging"], ATTRACTOR_KIND["undecided"]).astype(np.int8)
        return Outcomes(kind, (verdicts == SIGN["zero"]).sum(axis=-1), exponents, errors, None)

    def _of_one_noise(self, number, starts, how, monitor):
        clock, target = self.clock, self._targets[0]
        span = (clock.transient + clock.steps) * clock.dt
        seed = np.random.SeedSequence([self._seed, number]).generate_state(1)[0]
        noise = white_noise(target.dimension, span, clock.dt, int(seed))
        free = freed(target, noise, clock.dt)
        plan = lyapunov_spectrum.plan(
            free.system, transient=clock.transient * clock.dt, duration=clock.duration, margin=how.margin,
            n_exponents=how.n_exponents, estimator="mean", **clock.keywords,
        )  # fmt: skip
        values = repeated(self._values, len(self.sizes)) | {NOISE: np.tile(self.sizes, len(self._targets))}
        return plan.measure(values, starts, monitor)

    def predicted(self, states, monitor):
        """-(size^2 / 2) <|Z'|^2> (points, sizes) for the cycles that flows' states are on; else NaN."""
        result = np.full((len(states), len(self.sizes)), np.nan)
        free = self._free[0].system
        if free.kind == "map":
            return result
        found = limit_cycle.plan(free, transient=0, n_phase=_PHASES).measure(self._values, states, monitor)
        for i in np.flatnonzero(found["status"] == STATUS["ok"]):
            orbit, adjoint = found["state"][i], found["adjoint"][i]
            values = {name: np.full(len(orbit), column[i]) for name, column in self._values.items()}
            jacobians = values_and_jacobians(free, orbit, values)[1]
            slope = -np.einsum("tij,ti->tj", jacobians, adjoint)  # Z' = -J' Z
            result[i] = -0.5 * self.sizes**2 * (slope**2).sum(axis=1).mean()
        return result


def with_stderr(outcomes):
    """Mean of the largest exponent over the noises (points, sizes), and its standard error."""
    largest = outcomes.exponents[..., 0]
    members = largest.shape[2]
    mean = largest.sum(axis=2) / members
    if members == 1:
        return mean, outcomes.stderr[..., 0, 0]
    away = largest - mean[..., None]
    return mean, np.sqrt((away**2).sum(axis=2) / (members * (members - 1.0)))
