"""Learning signals: what sensitivity, and so what gradient, an orbit carries over a delay."""

import dataclasses

import numpy as np

from lyapkit.analyses.sensitivity import Sensitivity, sensitivity
from lyapkit.analyses.verb import verb


@dataclasses.dataclass(frozen=True)
class _LearningSignal:
    forward: Sensitivity

    @property
    def system(self):
        return self.forward.system

    @property
    def initial_state(self):
        return self.forward.initial_state

    @property
    def work(self):
        return self.forward.work

    @property
    def attrs(self):
        return self.forward.attrs

    @property
    def variables(self):
        per_delay = dict.fromkeys(("sensitivity_log_norm", "non_normal_growth"), ("delay",))
        per_mode = dict.fromkeys(("lyapunov_exponent", "lyapunov_exponent_stderr"), ("mode",))
        both = dict.fromkeys(("log_singular_value", "finite_time_growth_rate"), ("delay", "mode"))
        return both | per_delay | per_mode | {"status": ()}

    @property
    def coords(self):
        return {"delay": self.forward.delays, "mode": self.forward.modes}

    def measure(self, values, states, monitor):
        found, delays = self.forward.measure(values, states, monitor), self.forward.delays
        logs = found["log_singular_value"]
        with np.errstate(invalid="ignore"):
            excess = logs[:, :, 0] - found["lyapunov_exponent"][:, :1] * delays
        return found | {
            "finite_time_growth_rate": logs / delays[:, None],
            "sensitivity_log_norm": logs[:, :, 0],
            "non_normal_growth": excess,
        }


@verb
def learning_signal(
    system, *, delays=None, initial_state=None, transient=None, duration=None, dt=None, method=None, seed=0
):
    """learning_signal(system, *, delays=None, initial_state=None, transient=None, duration=None, dt=None, method=None,
                    seed=0)

    The sensitivity dx(t0 + d)/dx(t0) that an orbit carries over each delay d: what gradients are multiplied by.

    t0 is the end of the transient. Returns a Dataset, natural logarithms throughout:

    log_singular_value(delay, mode)  ln sigma of the long-term Jacobian M_d = dx(t0 + d)/dx(t0), largest first
    finite_time_growth_rate(delay, mode)  the same, divided by the delay
    sensitivity_log_norm(delay)      ln |M_d|, its spectral norm: the first of them
    non_normal_growth(delay)         ln |M_d| less what the largest exponent makes of the delay: transient growth
                                     (the condition of the directions), constant on a cycle but for its swing
    lyapunov_exponent(mode), lyapunov_exponent_stderr(mode)   asymptotic slopes, see lyapunov_spectrum
    status

    delays         ascending, time units (maps: whole iterates); default 60 at equal ratios up to 300 time units, 10,000
                   iterates or the end of the input. Where they have no common divisor of dt / 10 or more, or an input
                   fixes the step, they are rounded to whole steps, and the coordinate says what was taken
    initial_state  (unit,), default the system's own
    transient      run before t0, default 100 time units, 1000 iterates
    duration       that exponents are averaged over, from t0; default the longest delay, or that of lyapunov_spectrum
                   where it is longer
    dt, method     step at most (it is shortened to a common divisor of the delays) and Runge-Kutta method of a flow:
                   "rk4" (default), "rk8", "euler"
    seed           of the directions that tangent maps are taken apart in
    progress       True, False, or None: a bar on a terminal

    M_d is a product of the tangent maps of single steps, never formed: a QR sweep B Q = Q' R leaves a product of
    triangles, kept as exp(D) U row by row, whose singular values one-sided Jacobi rotations find in the log
    domain. They have small relative errors, the small ones too, over a million steps of any contraction. ln
    sigma is not the running sum of ln R_ii that exponents are made of: they differ by what is called non-normal
    growth here. Sources: Dieci & Elia, Math. Comput. Simul. 79 (2008) 1235; Demmel & Veselic, SIAM J. Matrix Anal.
    Appl. 13 (1992) 1204. On a cycle of a flow |M_d| tends to |f(x(t0 + d))| |Z(x(t0))|, with Z of limit_cycle.

    A singular tangent map gives -inf and status "collapsed"; "ill_conditioned": a step, or the exponents, contract by
    so much that the smallest have lost their digits; "diverged": NaN from the delay on at which the orbit ended.

    >>> import lyapkit as lk
    >>> system = lk.systems.linear_map(A=[[0.5, 10.0], [0.0, 0.5]])
    >>> ds = lk.learning_signal(system, delays=[1, 10, 100])
    >>> ds.sensitivity_log_norm.values.round(6)
    array([  2.305076,  -1.633129, -61.713815])
    """
    return _LearningSignal(sensitivity(system, delays, initial_state, transient, duration, dt, method, seed))
