"""A rule that was never seen before: tracing, deriving, compiling, first result."""

import random

import lyapkit as lk


def fresh():
    """A constant that no cache knows."""
    return random.SystemRandom().uniform(0.5, 1.5)


class NewSystem:
    number = 1  # a second call in the same round is what is wanted: the rule is new every time
    warmup_time = 0
    timeout = 300

    def setup(self):
        self.time_symbolic_flow()

    def time_symbolic_flow(self):
        equations = {"x": f"-x + tanh(a*x - {fresh()}*y)", "y": "-y + tanh(x + a*y)"}
        system = lk.symbolic_flow(equations, parameters={"a": 1.5})
        lk.lyapunov_spectrum(system, duration=10.0, dt=0.05, progress=False)

    def time_define_map(self):
        constant = fresh()

        def rule(x, a):
            return [1.0 - a * x[0] * x[0] + constant * x[1], 0.3 * x[0]]

        system = lk.define_map(rule, parameters={"a": 0.9}, dimension=2)
        lk.lyapunov_spectrum(system, duration=100, progress=False)
