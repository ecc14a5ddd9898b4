"""The gradient of a loss at the end of each delay, by the state at its start, by parameters and by weights."""

import dataclasses
import functools

import numpy as np

from lyapkit.analyses.gradients.backpropagation import Tape, backpropagate
from lyapkit.analyses.orbits.clock import Clock, depends_on_time
from lyapkit.analyses.orbits.points import repeated
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.systems import inputs
from lyapkit.systems.evaluate import values_at
from lyapkit.systems.network import NetworkModel
from lyapkit.systems.system import System

VELOCITY = "velocity"
_LATE = 0.1  # delays from this share of the longest one on tell the drift


@dataclasses.dataclass(frozen=True)
class LossGradient:
    """Gradients g . dx(t0 + d) swept back to t0, of many points at once; g is the same everywhere, or the velocity."""

    system: System
    clock: Clock
    stops: np.ndarray
    delays: np.ndarray
    given: np.ndarray | str

    @property
    def is_flow(self):
        return self.system.kind == "flow"

    @property
    def autonomous(self):
        return inputs.drive(self.system).count == 0 and not depends_on_time(self.system)

    @functools.cached_property
    def labels(self):
        """Names of the raw parameters, those of an array by entry."""
        parameters, names = self.system.parameters, []
        for name in self.system.model.lane_parameters(parameters):
            entries = np.ndindex(np.shape(parameters[name]))
            names += [f"{name}[{','.join(map(str, entry))}]" if entry else name for entry in entries]
        return names

    @functools.cached_property
    def weights(self):
        """Name -> shape of a network's matrices and vectors."""
        if not isinstance(self.system.model, NetworkModel):
            return {}
        tape, units = Tape(self.system, True), self.system.model.sizes_of(self.system.derived_parameters)
        matrices = {name: (units[space], units[columns]) for name, space, columns in tape.products}
        return matrices | {name: (units[space],) for name, space in tape.vectors}

    @property
    def variables(self):
        names = {
            "loss_gradient": ("delay", "unit"), "state_gradient": ("delay", "unit"),
            "adjoint_log_norm": ("delay",), "adjoint_drift": (),
        }  # fmt: skip
        if self.is_flow:
            names["velocity_overlap"] = ("delay",)
        if self.is_flow and self.autonomous:
            names["pairing_error"] = ("delay",)
        if self.labels:
            names |= dict.fromkeys(("parameter_gradient", "parameter_gradient_log"), ("delay", "parameter"))
        if self.weights:
            names["weight_gradient_log_norm"] = ("delay", "weight_name")
            names |= {f"gradient_{name}": self._dims(name) for name in self.weights}
        return names

    def _dims(self, name):
        return (f"{name}_row", f"{name}_column")[: len(self.weights[name])]

    @property
    def coords(self):
        axes = {"unit": np.arange(self.system.dimension)}
        if self.labels:
            axes["parameter"] = np.array(self.labels)
        if self.weights:
            axes["weight_name"] = np.array(list(self.weights))
        for name, shape in self.weights.items():
            axes |= {dim: np.arange(size) for dim, size in zip(self._dims(name), shape, strict=True)}
        return axes

    def measure(self, values, start, ends, monitor):
        """Arrays (points, ...) of all variables, from the orbit's states at t0 and at the ends of the delays."""
        velocities = self.velocities(values, ends) if self.is_flow else None
        losses = np.broadcast_to(self.given, ends.shape) if self.given is not VELOCITY else _normalised(velocities)
        time = self.clock.transient * self.clock.dt
        swept = backpropagate(
            self.system, values, start, self.clock, losses.swapaxes(0, 1)[:, :, None], self.stops, monitor,
            time=time, weights=bool(self.weights),
        )  # fmt: skip
        cotangents, scales = swept.cotangent[:, :, 0].swapaxes(0, 1), swept.log_scale[..., 0].T
        logs = _log_norms(cotangents[..., None, :])[..., 0] + scales
        result = {
            "loss_gradient": losses, "state_gradient": _scaled(cotangents, scales), "adjoint_log_norm": logs,
            "adjoint_drift": self._drift(logs),
        }  # fmt: skip
        if self.is_flow:
            products = np.einsum("pdi,pdi->pd", losses, velocities)
            sizes = np.linalg.norm(losses, axis=2) * np.linalg.norm(velocities, axis=2)
            with np.errstate(invalid="ignore", divide="ignore"):  # at rest there is no velocity
                result["velocity_overlap"] = products / sizes
        if self.is_flow and self.autonomous:
            begin = values_at(self.system, start, values)
            result["pairing_error"] = _pairing_error(cotangents, scales, begin, products, sizes)
        return self._until_it_ends(result | self._of_parameters(swept), ends)

    def _until_it_ends(self, result, ends):
        """NaN from the delay on at which an orbit has ended: what is swept back from there is inf, NaN or chance."""
        lost = ~np.isfinite(ends).all(axis=2)  # (points, delays)
        if lost.any():
            lost = np.logical_or.accumulate(lost, axis=1)
            for name, dims in self.variables.items():
                if name != "loss_gradient":
                    which = lost if dims[:1] == ("delay",) else lost[:, -1]
                    rest = result[name].ndim - which.ndim
                    result[name] = np.where(which.reshape(*which.shape, *[1] * rest), np.nan, result[name])
        return result

    def orbit(self, values, states, monitor):
        """States (points, n) at t0, the end of the transient, and (points, delays, n) at the ends of the delays."""
        ensemble, points = Ensemble(self.system, values, states, self.clock, 0), len(states)
        ensemble.run(self.clock.transient, monitor)
        start, ends = ensemble.gather("x")[:, :points].T, []
        for length in np.diff(self.stops, prepend=0):
            ensemble.run(int(length), monitor)
            ends.append(ensemble.gather("x")[:, :points].T)
        return start, np.stack(ends, axis=1)

    def velocities(self, values, ends):
        """f (points, delays, n) at the ends of the delays."""
        count, n = ends.shape[1:]
        if self.autonomous:
            flat = values_at(self.system, ends.reshape(-1, n), repeated(values, count))
            return flat.reshape(ends.shape)
        times = (self.clock.transient + self.stops) * self.clock.dt
        each = [values_at(self.system, ends[:, i], values, time) for i, time in enumerate(times)]
        return np.stack(each, axis=1)

    def _drift(self, logs):
        """Slope (points,) of the logarithm over the late delays; NaN where they are less than three."""
        late = self.delays >= _LATE * self.delays[-1]
        if late.sum() < 3:
            return np.full(len(logs), np.nan)
        centred = self.delays[late] - self.delays[late].mean()
        with np.errstate(invalid="ignore"):
            return (logs[:, late] * centred).sum(axis=1) / (centred**2).sum()

    def _of_parameters(self, swept):
        scales, result = swept.gradient_log_scale[..., 0].T, {}
        if self.labels:
            numbers = swept.numbers[:, :, 0].swapaxes(0, 1)
            result["parameter_gradient"] = _scaled(numbers, scales)
            result["parameter_gradient_log"] = _log_norms(numbers[..., None]) + scales[..., None]
        if self.weights:
            flat = {name: _by_point(swept.weights[name], shape) for name, shape in self.weights.items()}
            norms = [_log_norms(array.reshape(*array.shape[:2], 1, -1))[..., 0] for array in flat.values()]
            result["weight_gradient_log_norm"] = np.stack(norms, axis=-1) + scales[..., None]
            result |= {f"gradient_{name}": _scaled(array[:, -1], scales[:, -1]) for name, array in flat.items()}
        return result


def _by_point(array, shape):
    """Gradients (stops, points, 1, ...) as (points, stops, ...)."""
    return array[:, :, 0].swapaxes(0, 1).reshape(array.shape[1], array.shape[0], *shape)


def _normalised(vectors):
    with np.errstate(invalid="ignore", divide="ignore"):
        return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _log_norms(vectors):
    """ln of the norms (...) of vectors (..., m), -inf of zero."""
    with np.errstate(all="ignore"):
        size = abs(vectors).max(axis=-1, keepdims=True, initial=0.0)
        scaled = vectors / np.where(size > 0, size, 1.0)
        return np.log(np.linalg.norm(scaled, axis=-1)) + np.log(np.where(size > 0, size, 1.0))[..., 0]


def _scaled(arrays, logs):
    """exp(logs) times arrays, whose leading axes logs have; zeros stay zeros."""
    with np.errstate(all="ignore"):
        factors = np.exp(logs).reshape(*logs.shape, *[1] * (arrays.ndim - logs.ndim))
        return np.where(arrays == 0.0, 0.0, arrays * factors)


def _pairing_error(cotangents, scales, begin, products, sizes):
    """|dL/dx(t0) . f(x(t0)) - g . f(x(t0 + d))| relative to the products of the norms, whatever their scale."""
    with np.errstate(all="ignore"):
        top = np.maximum(scales, 0.0)
        mine, theirs = np.exp(scales - top), np.exp(-top)
        paired = np.einsum("pdi,pi->pd", cotangents, begin) * mine
        norms = np.linalg.norm(cotangents, axis=2) * np.linalg.norm(begin, axis=1)[:, None] * mine
        return abs(paired - products * theirs) / (norms + sizes * theirs)
