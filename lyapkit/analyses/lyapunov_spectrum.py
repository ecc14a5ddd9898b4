"""Lyapunov spectra."""

import dataclasses

import numpy as np

from lyapkit.analyses.exponents import estimators, zero_verdict
from lyapkit.analyses.exponents.blocks import UnionOfBlocks
from lyapkit.analyses.exponents.checks import (
    blanked,
    check_given_jacobian,
    conditioning_loss,
    orthogonality,
    outcome,
    sampled_volume,
    starting_frame,
    sum_error,
    values_of_lanes,
    with_exact_zeros,
)
from lyapkit.analyses.orbits.clock import (
    Clock,
    checked_precision,
    checked_state,
    input_covers,
    spectrum_clock,
    time_direction,
)
from lyapkit.analyses.orbits.propagation import INTERVALS, Ensemble
from lyapkit.analyses.verb import choice, positive, truth, verb, whole
from lyapkit.flags import ESTIMATOR, STATUS
from lyapkit.kernels import tangent
from lyapkit.systems.system import System

# States at which the volume's rate of a network is taken where it has no closed form: about so many; with many units
# so many steps apart that all of them cost a few per cent of the run.
VOLUME_SAMPLES, VOLUME_STRIDE, MANY_UNITS = 200, 50, 128
_REST = 1e-12  # relative error of an exponent that is what the volume leaves
_ROUNDS = 10  # `until` doubles the duration at most this often


@dataclasses.dataclass(frozen=True)
class _Spectrum:
    system: System
    initial_state: np.ndarray
    clock: Clock
    n_exponents: int
    seed: int
    estimator: str
    frame_interval: int | None
    margin: float
    until: float | None
    history: bool
    precision: str

    @property
    def work(self):
        return self.clock.transient + self.clock.steps

    @property
    def variables(self):
        per_mode = dict.fromkeys(
            ("lyapunov_exponent", "lyapunov_exponent_stderr", "lyapunov_sign", "duration_needed"), ("mode",)
        )
        single = dict.fromkeys(
            (
                "n_zeros", "n_zeros_confidence", "flow_direction_exponent", "flow_direction_mode",
                "mean_divergence", "exponent_sum_error", "kaplan_yorke_dimension",
                "kaplan_yorke_dimension_stderr", "entropy_rate", "entropy_rate_stderr", "frame_orthogonality",
                "frame_condition", "averaging_duration", "estimator", "status",
            ),
            (),
        )  # fmt: skip
        return per_mode | single | ({"running_exponent": ("time", "mode")} if self.history else {})

    @property
    def coords(self):
        modes = {"mode": np.arange(1, self.n_exponents + 1)}
        return modes | ({"time": self._batch_ends() * self.clock.dt} if self.history else {})

    @property
    def attrs(self):
        return {
            **self.clock.attrs,
            "duration": self.clock.duration,
            "seed": self.seed,
            "margin": self.margin,
            "until": self.until,
            "estimator_asked": self.estimator,
            "frame_interval": self.frame_interval or "auto",
            "logarithm": "natural",
            "precision": self.precision,
            **time_direction(self.system),
        }

    def _batch(self, steps):
        """Steps of a batch of a run."""
        batches = estimators.HISTORY if self.history else estimators.BATCHES
        return estimators.batch_steps(steps, tangent.WINDOW, batches)

    def _batch_ends(self):
        size = self._batch(self.clock.steps)
        return np.minimum(np.arange(size, self.clock.steps + size, size), self.clock.steps)

    def measure(self, values, states, monitor):
        measured = self.measured(values, states, monitor)
        return {name: measured[name] for name in self.variables}

    def measured(self, values, states, monitor):
        """What is measured, and what a union of blocks needs besides."""
        ensemble = Ensemble(
            self.system, values, states, self.clock, self.n_exponents,
            starting_frame(self.system.dimension, self.n_exponents, self.seed), self.frame_interval,
            single=self.precision == "single",
        )  # fmt: skip
        ensemble.run(self.clock.transient, monitor, settle=self.clock.transient)
        ensemble.restart_frames()
        steps = self.clock.steps
        result = self._average(ensemble, steps, monitor)
        if self.until is not None:
            for _ in range(_ROUNDS):
                open_ = self._open(result)
                steps *= 2
                if not open_.any() or not input_covers(self.system, ensemble.time + steps * self.clock.dt):
                    break
                longer = self._average(ensemble, steps, monitor)
                result = {k: np.where(open_, longer[k], result[k]) for k in result}
            late = self._open(result)
            result["status"] = np.where(late, STATUS["not_converged"], result["status"])
        return {name: values[..., : ensemble.points].T for name, values in result.items()}

    def _open(self, result):
        """Points whose standard errors are not yet small enough."""
        error = result["lyapunov_exponent_stderr"].max(axis=0)
        return (result["status"] == STATUS["ok"]) & ~(error <= self.until)

    def _average(self, ensemble, steps, monitor):
        """Run on for `steps` and estimate; arrays end in the lane axis."""
        batch = self._batch(steps)
        # The interval may still grow where the weights are next to nothing.
        stride = self._stride(steps)
        start, begun = ensemble.gather("x"), ensemble.time
        sums, record = ensemble.run(steps, monitor, settle=steps // 16, batch=batch, stride=stride)
        batches = sums[tangent.WEIGHTS :]
        short_last = 0 < steps % batch < batch // 2
        k = self.n_exponents
        mean, error, regular = estimators.estimated(
            sums[: tangent.WEIGHTS], batches, self.clock.dt, k, begun, short_last, self.estimator
        )
        order = np.argsort(-mean[:k], axis=0, kind="stable")
        exponents = np.take_along_axis(mean[:k], order, axis=0)
        errors = np.take_along_axis(error[:k], order, axis=0)
        volume = mean[k]
        if not self.system.cell.has_volume:
            volume = np.full_like(volume, np.nan)
        if stride:
            states = np.concatenate([start[None], record])[:-1]  # where steps begin
            times = begun + self.clock.dt * stride * np.arange(len(states))
            volume = sampled_volume(self.system, states, times, ensemble)
        lost = np.zeros(len(volume), dtype=bool)
        if k == self.system.dimension:
            exponents, volume, lost = with_exact_zeros(self.system, ensemble, exponents, volume)
            errors[-1] = np.where(lost, errors[:-1].sum(axis=0) + _REST * abs(volume), errors[-1])
        difference = np.where(lost, np.nan, sum_error(exponents, volume, self.system.dimension))
        condition = np.sqrt(ensemble.gather("quality")[tangent.WORST])
        measured = difference if self.system.cell.has_volume else np.full_like(difference, np.nan)
        loss = conditioning_loss(exponents, condition, measured, self.clock.dt, self.system.dimension)
        errors = np.where(exponents == -np.inf, np.nan, errors + np.where(lost, 0.0, loss))
        skewness = orthogonality(ensemble.gather("frame"), self.system.data.layout.spread)
        signs, duration = zero_verdict.signs(exponents, errors, self.margin), steps * self.clock.dt
        lanes = values_of_lanes(ensemble, len(volume))
        speeds = [zero_verdict.speeds(self.system, x, lanes) for x in (start, ensemble.gather("x"))]
        own = zero_verdict.flow_direction(*speeds, duration, exponents, errors, self.margin)[1]
        # a regular orbit may yet come to rest, slowly
        zero, wrong = zero_verdict.zeros(exponents, errors, signs, self.margin, np.where(regular, 0, own))
        result = {
            "lyapunov_exponent": exponents,
            "lyapunov_exponent_stderr": errors,
            "lyapunov_sign": signs,
            "duration_needed": zero_verdict.duration_needed(exponents, errors, signs, self.margin, regular, duration),
            "mean_divergence": volume,
            "exponent_sum_error": difference,
            **self.what_follows(exponents, errors, signs, zero, wrong, speeds, duration),
            "counts_as_zero": zero,
            "wrong": wrong,
            "speed_before": speeds[0],
            "speed_after": speeds[1],
            "frame_orthogonality": skewness,
            "frame_condition": condition,
            "averaging_duration": np.full(len(volume), duration),
            "estimator": np.where(regular, ESTIMATOR["birkhoff"], ESTIMATOR["mean"]).astype(np.int8),
            "status": outcome(ensemble, self.clock, exponents, loss, skewness, lost),
        }
        if self.history:
            running = estimators.rates(np.cumsum(batches, axis=0), self.clock.dt)[:, :k]
            running = np.take_along_axis(running, order[None], axis=1)
            result["running_exponent"] = np.moveaxis(running, 0, 1)
        return blanked(result)

    def _stride(self, steps):
        """Steps between the states at which the volume is sampled; 0: it is followed all the time, or left out."""
        if self.system.cell.has_volume or self.n_exponents < self.system.dimension:
            return 0
        least = 1 if self.system.dimension < MANY_UNITS else min(VOLUME_STRIDE, steps)
        return max(steps // VOLUME_SAMPLES, least)

    def what_follows(self, exponents, errors, signs, zero, wrong, speeds, duration):
        """What follows (L,) from sorted exponents (k, L): dimension, entropy rate, zeros, the flow's own direction.

        zero, wrong (k, L): see `zero_verdict.zeros`; speeds: |f| (L,) where averaging began and ended; duration
        number or (L,).
        """
        complete = self.n_exponents == self.system.dimension
        dimension, dimension_error = estimators.kaplan_yorke(exponents, errors, signs, complete)
        entropy, entropy_error = estimators.entropy(exponents, errors, signs, complete)
        zeros, confidence = zero_verdict.counted(zero, wrong)
        rate, mode = zero_verdict.flow_direction(*speeds, duration, exponents, errors, self.margin)
        return {
            "kaplan_yorke_dimension": dimension, "kaplan_yorke_dimension_stderr": dimension_error,
            "entropy_rate": entropy, "entropy_rate_stderr": entropy_error,
            "n_zeros": zeros, "n_zeros_confidence": confidence,
            "flow_direction_exponent": rate, "flow_direction_mode": mode,
        }  # fmt: skip


@verb
def lyapunov_spectrum(
    system, *, n_exponents=None, initial_state=None, transient=None, duration=None, dt=None,
    method=None, rtol=None, atol=None, estimator="auto", margin=1e-3, until=None, history=False, frame_interval=None,
    precision="double", seed=0,
):  # fmt: skip
    """Lyapunov exponents of the orbit of one initial state, each with its standard error.

    A frame of `n_exponents` tangent vectors is carried along the orbit by the exact tangent map of the step and
    re-orthonormalised (QR) as often as its condition asks; the exponents are the mean growth
    rates of its columns (Benettin et al., Meccanica 15 (1980) 9; Shimada & Nagashima 1979). State and frame run
    through the transient together before averaging begins.

    Returns a Dataset, exponents sorted, natural logarithms, per time unit (flow) or iterate (map):

    lyapunov_exponent(mode), lyapunov_exponent_stderr(mode)
    lyapunov_sign(mode)       -1, 0, +1, or 2 (undecided): 0 where the 95 % interval lies within +-margin,
                              signs at one-sided 99 %
    duration_needed(mode)     to average over for a verdict: averaging_duration where there is one
    n_zeros                   number of exponents that are zero: those with the verdict 0, and on chaos the flow's
                              own where that is undecided; n_zeros_confidence: a lower bound of the probability that
                              these, and no others, lie within the margin
    flow_direction_exponent   growth rate ln(|f(end)| / |f(start)|) / T of the velocity itself, which of an
                              autonomous flow that moves tends to zero exactly; NaN of maps, with inputs, at rest;
                              flow_direction_mode: the mode that is this one, 0: none of them
    mean_divergence           mean tr Df (maps: mean ln |det Df|), computed without the frame; equals the
                              sum of all exponents, and exponent_sum_error is the difference found. Of
                              networks that are maps, where it has no closed form: the mean over some 200
                              states (fewer of large networks in short runs), so that exponent_sum_error
                              is an error of sampling; NaN where fewer than all exponents are asked for
    kaplan_yorke_dimension, entropy_rate (sum of the positive exponents), and each with _stderr, as large
                              as the exponents' errors can make it together
    frame_orthogonality, frame_condition, estimator, averaging_duration, status

    n_exponents     how many, default all
    initial_state   (unit,), default the system's own
    transient       default 100 time units, 1000 iterates
    duration        averaged over; default 300 time units, 10,000 iterates
    dt, method      step and Runge-Kutta method of a flow: "rk4" (default), "rk8" (the last digits),
                    "euler" (biased by O(dt)), or "tsit5" and "dop853", which divide dt (then by default 4 and 8
                    steps of "rk4") into as many substeps as rtol and atol ask; maps refuse both
    rtol, atol      of tsit5 (1e-7, 1e-9) and dop853 (1e-10, 1e-12): error of a substep, relative and absolute,
                    of the state; rtol also of each column of the frame
    estimator       "birkhoff": weighted Birkhoff mean, for regular orbits, error from its two halves; "mean":
                    plain mean, error by batch means; "auto" chooses for each orbit (variable ``estimator``)
    margin          half-width within which an exponent counts as zero: 1 / the delay of interest, in time units
                    or iterates, over which such an exponent changes a gradient by a factor of e at most
    until           double the duration until every standard error is below this; status "not_converged" if
                    ten doublings, or what the input covers, do not suffice
    history         add running_exponent(time, mode), the plain means up to each time (not with until)
    frame_interval  steps between orthonormalisations (1, 2, 4, ... 32), default under control of the condition
    precision       "single": products of a network of 20 and more units with its frame in single precision, which
                    costs some 1e-6 of accuracy and saves up to half of the time
    seed            of the starting frame
    progress        True, False, or None: a bar on a terminal

    A diverging orbit gives NaN and status "diverged"; a singular tangent map gives -inf and "collapsed". Where one
    step alone makes the frame so ill-conditioned that trailing exponents have no digits left, the status is
    "ill_conditioned"; if only the last is lost and the volume known, it is what the sum leaves. Standard errors
    contain such losses, but not the error of the step. "step_too_small": an adaptive method's substeps fell below what
    the time resolves, or were more than 100,000 in one dt.

    >>> import lyapkit as lk
    >>> system = lk.systems.linear_flow(A=[[-1.0, 5.0], [0.0, -3.0]])
    >>> ds = lk.lyapunov_spectrum(system, method="rk8")
    >>> ds.lyapunov_exponent.values.round(9)
    array([-1., -3.])
    """
    if history and until is not None:
        raise ValueError("history: given with until, whose runs differ in length; accepted: one of the two")
    n = system.dimension
    time = spectrum_clock(system, transient, duration, dt, method, rtol, atol)
    keywords = {
        "seed": whole("seed", seed, 0, 2**63 - 1),
        "estimator": choice("estimator", estimator, ("auto", "birkhoff", "mean")),
        "frame_interval": None if frame_interval is None else choice("frame_interval", frame_interval, INTERVALS),
        "margin": positive("margin", margin),
        "until": None if until is None else positive("until", until),
        "history": truth("history", history),
        "precision": checked_precision(system, precision, time.rtol),
    }
    k = n if n_exponents is None else whole("n_exponents", n_exponents, 1, n)
    state = checked_state(system, initial_state)
    check_given_jacobian(system, state)
    plan = _Spectrum(system, state, time, k, **keywords)
    parts = system.model.blocks and system.model.blocks(system.parameters)
    if not parts:
        return plan
    block, values = parts
    part = _Spectrum(block(), block().initial_state, time, block().dimension, **keywords)
    return UnionOfBlocks(plan, part, values)
