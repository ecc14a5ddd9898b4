"""Covariant Lyapunov vectors."""

import dataclasses

import numpy as np

from lyapkit.analyses.exponents.checks import starting_frame
from lyapkit.analyses.orbits.clock import Clock, check_input, checked_state, spectrum_clock, time_direction
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.analyses.orbits.tolerances import failure
from lyapkit.analyses.verb import positive, verb, whole
from lyapkit.flags import STATUS
from lyapkit.systems.system import System

# Time units (iterates) between samples: within them the frame of a common system stays well-conditioned.
_SPACING = {"flow": 0.1, "map": 1.0}
# Stands for the growth of a dead direction, whose inverse and its square are still finite.
_NEXT_TO_NOTHING = 1e-150


@dataclasses.dataclass(frozen=True)
class _CovariantVectors:
    system: System
    initial_state: np.ndarray
    clock: Clock
    n_exponents: int
    every: int
    samples: int
    backward: int
    seed: int

    @property
    def work(self):
        return self.clock.transient + (self.samples + self.backward) * self.every

    @property
    def variables(self):
        return {
            "covariant_vector": ("time", "mode", "unit"),
            "finite_time_exponent": ("time", "mode"),
            "angle": ("time", "mode", "other_mode"),
            "state": ("time", "unit"),
            "lyapunov_exponent": ("mode",),
            "status": (),
        }

    @property
    def coords(self):
        modes = np.arange(1, self.n_exponents + 1)
        return {
            "time": np.arange(self.samples) * self.every * self.clock.dt,
            "mode": modes,
            "other_mode": modes,
            "unit": np.arange(self.system.dimension),
        }

    @property
    def attrs(self):
        return {
            **self.clock.attrs,
            "backward_transient": self.backward * self.every * self.clock.dt,
            "seed": self.seed,
            "logarithm": "natural",
            **time_direction(self.system),
        }

    def measure(self, values, states, monitor):
        frame = starting_frame(self.system.dimension, self.n_exponents, self.seed)
        arguments = self.system, values, states, self.clock, self.n_exponents, frame
        ensemble = Ensemble(*arguments, interval=self._first_interval())
        ensemble.run(self.clock.transient, monitor)
        orbit, bases, triangles = [], [], []
        basis = _orthonormal(ensemble)[0]
        for _ in range(self.samples + self.backward):
            orbit.append(ensemble.gather("x").T)
            bases.append(basis)
            ensemble.run(self.every, monitor, orthonormalise=False)
            basis, triangle = _orthonormal(ensemble)
            triangles.append(triangle)
        result = _backward(bases[: self.samples], triangles, self.samples)
        lost = failure(self.clock, ensemble.gather("x"))
        for array in result.values():
            array[lost != STATUS["ok"]] = np.nan
        span = self.every * self.clock.dt
        result["finite_time_exponent"] /= span
        result["lyapunov_exponent"] = result["finite_time_exponent"].mean(axis=1)
        result["state"] = np.moveaxis(np.array(orbit[: self.samples]), 1, 0)
        bad = ~np.isfinite(result["covariant_vector"]).all(axis=(1, 2, 3))
        dead = (result["lyapunov_exponent"] == -np.inf).any(axis=1)
        status = np.where(dead, STATUS["collapsed"], STATUS["ok"])
        status = np.where(bad, STATUS["diverged"], status)
        result["status"] = np.where(lost == STATUS["ok"], status, lost).astype(np.int8)
        return {name: array[: ensemble.points] for name, array in result.items()}

    def _first_interval(self):
        """Steps between orthonormalisations of the transient, a power of two not above `every`."""
        return min(2 ** (self.every.bit_length() - 1), 8)


def _orthonormal(ensemble):
    """(Q, R) of all frames, (points, n, k) and (points, k, k), the diagonal of R positive; Q goes on."""
    columns = np.moveaxis(ensemble.gather("frame"), 2, 0).swapaxes(1, 2)
    finite = np.isfinite(columns).all(axis=(1, 2), keepdims=True)
    q, r = np.linalg.qr(np.where(finite, columns, np.eye(*columns.shape[1:])))
    signs = np.where(np.diagonal(r, axis1=1, axis2=2) < 0, -1.0, 1.0)
    q, r = q * signs[:, None, :], r * signs[:, :, None]
    ensemble.set_frames(np.moveaxis(q.swapaxes(1, 2), 0, 2))
    missing = np.where(finite, 0.0, np.nan)
    return q + missing, r + missing


def _backward(bases, triangles, samples):
    """Ginelli's second half: coefficients that are iterated backwards settle on the covariant vectors."""
    points, k, _ = triangles[0].shape
    generator = np.random.default_rng(0)
    coefficients = np.broadcast_to(np.triu(generator.uniform(0.5, 1.0, (k, k))), (points, k, k))
    vectors, growth = [None] * samples, [None] * samples
    for i in range(len(triangles) - 1, -1, -1):
        coefficients, length = _step_back(triangles[i], coefficients)
        if i < samples:
            vectors[i], growth[i] = bases[i] @ coefficients, -np.log(length)
    vectors = np.stack(vectors, axis=1).swapaxes(2, 3)
    cosines = np.clip(abs(vectors @ vectors.swapaxes(2, 3)), 0.0, 1.0)
    return {
        "covariant_vector": vectors,
        "finite_time_exponent": np.stack(growth, axis=1),
        "angle": np.arccos(cosines) * (1.0 - np.eye(k)),
    }


def _step_back(triangle, coefficients):
    """R^-1 C with columns of length 1, and the lengths they had."""
    finite = np.isfinite(triangle).all(axis=(1, 2), keepdims=True)
    k = triangle.shape[-1]
    solvable = np.where(finite, triangle, np.eye(k))
    dead = np.diagonal(solvable, axis1=1, axis2=2) == 0.0  # directions that are mapped to nothing
    solvable = solvable + np.where(solvable == 0.0, np.eye(k) * _NEXT_TO_NOTHING, 0.0)
    solved = np.triu(np.linalg.solve(solvable, coefficients)) + np.where(finite, 0.0, np.nan)
    length = np.linalg.norm(solved, axis=1)
    return solved / length[:, None, :], np.where(dead, np.inf, length)


@verb
def covariant_vectors(
    system, *, n_exponents=None, initial_state=None, transient=None, duration=None, dt=None, method=None, rtol=None,
    atol=None, every=None, backward=None, seed=0,
):  # fmt: skip
    """Covariant Lyapunov vectors along an orbit, and the exponents over the time between samples.

    The vectors v_j(t) span the directions that grow with the j-th exponent both forwards and backwards in time and are
    mapped onto each other by the tangent map (unlike the orthonormal frame of `lyapunov_spectrum`). Method
    of Ginelli et al., Phys. Rev. Lett. 99 (2007) 130601: frames Q and factors R forwards, then coefficients
    C <- R^-1 C backwards from a later time; v = Q C.

    Returns a Dataset at times 0, every dt, ... after the transient:

    covariant_vector(time, mode, unit)   of length 1, sign arbitrary
    finite_time_exponent(time, mode)     growth rate of each vector until the next sample
    angle(time, mode, other_mode)        between the lines of two vectors, 0 to pi/2 (rad); near 0: a tangency
    state(time, unit), lyapunov_exponent(mode) (mean of the finite-time exponents), status

    n_exponents    how many vectors, default all
    transient      default 100 time units, 1000 iterates; `duration` sampled: default 20 time units, 200 iterates
    dt, method, rtol, atol   as of `lyapunov_spectrum`
    every          steps between samples, default 0.1 time units or one iterate
    backward       time (iterates) run beyond the samples for the backward pass to settle, default 50 time units, 500
                   iterates

    >>> import numpy as np, lyapkit as lk
    >>> A = np.array([[2.0, 1.0], [0.0, 0.5]])
    >>> ds = lk.covariant_vectors(lk.systems.linear_map(A=A), initial_state=[0, 0], duration=3)
    >>> v = ds.covariant_vector[0, 1].values  # the eigenvector (1, -1.5) of 0.5
    >>> round(float(v[1] / v[0]), 9)
    -1.5
    """
    n = system.dimension
    defaults = (20, 50) if system.kind == "flow" else (200, 500)
    clock = spectrum_clock(system, transient, defaults[0] if duration is None else duration, dt, method, rtol, atol)
    spacing = max(1, round(_SPACING[system.kind] / clock.dt))
    every = spacing if every is None else whole("every", every, 1, 10**6)
    beyond = positive("backward", defaults[1] if backward is None else backward)
    beyond = max(1, round(beyond / (every * clock.dt)))
    samples = max(1, clock.steps // every)
    check_input(system, dataclasses.replace(clock, steps=(samples + beyond) * every))
    return _CovariantVectors(
        system,
        checked_state(system, initial_state),
        clock,
        n if n_exponents is None else whole("n_exponents", n_exponents, 1, n),
        every,
        samples,
        beyond,
        whole("seed", seed, 0, 2**63 - 1),
    )
