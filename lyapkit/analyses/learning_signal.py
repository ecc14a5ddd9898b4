"""Learning signals: what sensitivity, and so what gradient, an orbit carries over a delay."""

import dataclasses

import numpy as np

from lyapkit.analyses.gradients.adjoint_identity import identity_error, over_a_period
from lyapkit.analyses.gradients.cycle_signal import CycleSignal
from lyapkit.analyses.gradients.loss_gradient import VELOCITY, LossGradient
from lyapkit.analyses.gradients.sensitivity import Sensitivity, sensitivity
from lyapkit.analyses.limit_cycle import limit_cycle
from lyapkit.analyses.verb import truth, verb
from lyapkit.flags import STATUS
from lyapkit.systems.system import System


@dataclasses.dataclass(frozen=True)
class _LearningSignal:
    system: System
    initial_state: np.ndarray
    forward: Sensitivity
    backward: LossGradient
    cycle: CycleSignal | None
    singular_values: bool

    @property
    def work(self):
        before = self.cycle.search.work if self.cycle else 0
        return before + self.forward.work * self.singular_values + 3 * self.forward.clock.steps

    @property
    def attrs(self):
        given = self.backward.given
        loss = {"loss_gradient_asked": given} if isinstance(given, str) else {}
        return self.forward.attrs | loss | {"cycle": bool(self.cycle), "singular_values": self.singular_values}

    @property
    def variables(self):
        names = self.backward.variables | {"status": ()}
        if self.cycle:
            names |= self.cycle.variables
        if self.singular_values:
            names |= dict.fromkeys(("log_singular_value", "finite_time_growth_rate"), ("delay", "mode"))
            names |= dict.fromkeys(("sensitivity_log_norm", "non_normal_growth"), ("delay",))
            names |= dict.fromkeys(("lyapunov_exponent", "lyapunov_exponent_stderr"), ("mode",))
            names["adjoint_identity_error"] = ()
        return names

    @property
    def coords(self):
        modes = {"mode": self.forward.modes} if self.singular_values else {}
        return {"delay": self.forward.delays, **modes, **self.backward.coords}

    def measure(self, values, states, monitor):
        if self.cycle:
            cycles, states = self.cycle.start(values, states, monitor)
        start, ends = self.backward.orbit(values, states, monitor)
        result = self.backward.measure(values, start, ends, monitor)
        lost = ~np.isfinite(ends).all(axis=(1, 2))
        result["status"] = np.where(lost, STATUS["diverged"], STATUS["ok"])
        if self.singular_values:
            result |= self._forward(values, states, monitor)
            result |= {} if self.cycle else self._identity(values, start, monitor)
        if self.cycle:
            result |= self._on_cycle(cycles, result, values, start, ends, monitor)
        result["status"] = result["status"].astype(np.int8)
        return result

    def _forward(self, values, states, monitor):
        found, delays = self.forward.measure(values, states, monitor), self.forward.delays
        logs = found["log_singular_value"]
        with np.errstate(invalid="ignore"):
            excess = logs[:, :, 0] - found["lyapunov_exponent"][:, :1] * delays
        return found | {
            "finite_time_growth_rate": logs / delays[:, None],
            "sensitivity_log_norm": logs[:, :, 0],
            "non_normal_growth": excess,
        }

    def _identity(self, values, start, monitor):
        """The adjoint map of the first delay against the tangent map."""
        clock, stop = self.forward.clock, int(self.forward.stops[0])
        time = clock.transient * clock.dt
        error = identity_error(self.system, values, start, clock, stop, monitor, time=time)[0]
        return {"adjoint_identity_error": error}

    def _on_cycle(self, cycles, result, values, start, ends, monitor):
        """What the cycle predicts, and the adjoint map of one period."""
        velocities = self.backward.velocities(values, ends)
        losses, gradients = result["loss_gradient"], result["state_gradient"]
        found = self.cycle.predict(cycles, losses, velocities, gradients, self.forward.delays, self.backward.labels)
        phase_gradient, clock = cycles["adjoint"][:, 0], self.forward.clock
        identity, change, period = over_a_period(
            self.system, values, start, cycles["period"], phase_gradient, clock, monitor
        )
        found |= {"adjoint_return_error": change, "adjoint_period": period}
        found["status"] = self.cycle.status(cycles, result["status"])
        return found | ({"adjoint_identity_error": identity} if self.singular_values else {})


@verb
def learning_signal(
    system, *, delays=None, loss_gradient=None, cycle=False, singular_values=True, initial_state=None, transient=None,
    duration=None, dt=None, method=None, seed=0,
):  # fmt: skip
    """learning_signal(system, *, delays=None, loss_gradient=None, cycle=False, singular_values=True,
                    initial_state=None, transient=None, duration=None, dt=None, method=None, seed=0)

    The sensitivity that an orbit carries over each delay d, and the gradient of a loss that is swept back over it.

    t0 is the end of the transient. A loss L(x(t0 + d)) has the gradient g by the state at the end. Returns a Dataset,
    natural logarithms throughout. Forwards:

    log_singular_value(delay, mode)  ln sigma of the long-term Jacobian M_d = dx(t0 + d)/dx(t0), largest first
    finite_time_growth_rate(delay, mode)  the same, divided by the delay
    sensitivity_log_norm(delay)      ln |M_d|, its spectral norm: the first of them
    non_normal_growth(delay)         ln |M_d| less what the largest exponent makes of the delay: transient growth
                                     (the condition of the directions), constant on a cycle but for its swing
    lyapunov_exponent(mode), lyapunov_exponent_stderr(mode)   asymptotic slopes, see lyapunov_spectrum

    and backwards, from the adjoint of the step itself:

    loss_gradient(delay, unit)       g, the gradient dL/dx(t0 + d) that is put in
    state_gradient(delay, unit)      dL/dx(t0) = M_d' g, and adjoint_log_norm(delay), the ln of its norm, also where
                                     it is beyond the numbers (then inf or 0)
    adjoint_drift                    slope of adjoint_log_norm over the delays from a tenth of the longest on
    parameter_gradient(delay, parameter)  dL/dp by every parameter that is a number or an entry of an array, x(t0)
                                     held fixed; parameter_gradient_log is ln of its size
    weight_gradient_log_norm(delay, weight_name)  of a network: ln |dL/dW| for each of its matrices and vectors; and of
                                     the longest delay gradient_W(W_row, W_column), gradient_b(b_row) and so on whole
    velocity_overlap(delay)          g . f / (|g| |f|) at t0 + d, f the velocity (flows)
    pairing_error(delay)             dL/dx(t0) . f(x(t0)) less g . f(x(t0 + d)), which are equal in continuous time,
                                     relative to the vectors' lengths: the error of the step (flows without input)
    adjoint_identity_error           |B - M| / |M| of the adjoint map B and the tangent map M of the first delay (with
                                     `cycle` of one period): the adjoint monodromy is the inverse transpose

    and with cycle=True, where t0 is phase 0 of the cycle that limit_cycle finds, with its Z and dT/dp:

    surviving_gradient(delay, unit)  (g . f(x(t0 + d))) Z(x(t0)), what is left of dL/dx(t0) in the long run, and
    surviving_error(delay)           how far dL/dx(t0) is from it, relative to |g| |f| |Z|
    secular_gradient(delay, parameter)  -(d / T) dT/dp (g . f(x(t0 + d))): dL/dp differs from it by what stays bounded
    period, adjoint_period           T of the cycle, and the time after which the adjoint comes back: the same
    adjoint_return_error             |M' Z - Z| / |Z| over T

    delays         ascending, time units (maps: whole iterates); default 60 at equal ratios up to 300 time units, 10,000
                   iterates or the end of the input. Where they have no common divisor of dt / 10 or more, or an input
                   fixes the step, they are rounded to whole steps, and the coordinate says what was taken
    loss_gradient  (unit,), or "velocity", f / |f| at the end of each delay (flows); default a random unit vector
    cycle          start on the limit cycle, and compare with what it predicts (flows without input)
    singular_values  False: leave out what is forward, which costs as much as a whole Jacobian for each step
    initial_state  (unit,), default the system's own
    transient      run before t0, default 100 time units, 1000 iterates; with `cycle` that of limit_cycle
    duration       that exponents are averaged over, from t0; default the longest delay, or that of lyapunov_spectrum
                   where it is longer
    dt, method     step at most (it is shortened to a common divisor of the delays) and Runge-Kutta method of a flow:
                   "rk4" (default), "rk8", "euler"
    seed           of the random gradient, and of the directions that tangent maps are taken apart in
    progress       True, False, or None: a bar on a terminal

    M_d is a product of the tangent maps of single steps, never formed: a QR sweep B Q = Q' R leaves a product of
    triangles, kept as exp(D) U row by row, whose singular values one-sided Jacobi rotations find in the log
    domain. They have small relative errors, the small ones too, over a million steps of any contraction. ln
    sigma is not the running sum of ln R_ii that exponents are made of: they differ by what is called non-normal
    growth here. Sources: Dieci & Elia, Math. Comput. Simul. 79 (2008) 1235; Demmel & Veselic, SIAM J. Matrix Anal.
    Appl. 13 (1992) 1204; of the sweep back Griewank & Walther, Evaluating Derivatives (2008), of what a cycle keeps of
    it Govaerts & Sautois, Neural Comput. 18 (2006) 817. On a cycle |M_d| tends to |f(x(t0 + d))| |Z(x(t0))|.

    A singular tangent map gives -inf and status "collapsed"; "ill_conditioned": a step, or the exponents, contract by
    so much that the smallest have lost their digits; "diverged": NaN from the delay on at which the orbit ended. With
    `cycle` a point without one is NaN, with the status of limit_cycle.

    >>> import lyapkit as lk
    >>> system = lk.systems.linear_map(A=[[0.5, 10.0], [0.0, 0.5]])
    >>> ds = lk.learning_signal(system, delays=[1, 10, 100])
    >>> ds.sensitivity_log_norm.values.round(6)
    array([  2.305076,  -1.633129, -61.713815])
    """
    forward = sensitivity(
        system, delays, initial_state, 0 if truth("cycle", cycle) else transient, duration, dt, method, seed
    )
    search = None
    if cycle:
        if system.kind == "map":
            raise ValueError(f"cycle: given True, but {system.name} is a map; accepted: False")
        search = CycleSignal(limit_cycle.plan(system, initial_state=initial_state, transient=transient, n_phase=2))
    backward = LossGradient(
        system, forward.clock, forward.stops, forward.delays, _checked_loss(system, loss_gradient, forward.seed)
    )
    return _LearningSignal(
        system, forward.initial_state, forward, backward, search, truth("singular_values", singular_values)
    )


def _checked_loss(system, given, seed):
    """The gradient of the loss (n,) with respect to the last state: a random direction where None."""
    if given is None:
        direction = np.random.default_rng(seed).standard_normal(system.dimension)
        return direction / np.linalg.norm(direction)
    accepted = f'({system.dimension},) finite numbers, not all zero, or of flows "{VELOCITY}"'
    if isinstance(given, str):
        if given != VELOCITY or system.kind == "map":
            raise ValueError(f"loss_gradient: given {given!r}, accepted: {accepted}")
        return VELOCITY
    try:
        gradient = np.array(given, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"loss_gradient: given {given!r}, accepted: {accepted}") from None
    if gradient.shape != (system.dimension,) or not np.isfinite(gradient).all() or not gradient.any():
        raise ValueError(f"loss_gradient: given {given!r}, accepted: {accepted}")
    return gradient
