"""Makes cycle_values.json: periods, multipliers and phase gradients of cycles to more than 20 digits.

    python tests/make_cycle_values.py            # five minutes; writes tests/cycle_values.json

Flows: a rough cycle by Runge-Kutta in floats, then Newton on the section of the last unit with Taylor series
(taylor.py) at 50 digits. Where the equation has a symmetry S with x(t + T/k) = S x(t), a k-th of the period is
integrated. The monodromy is the product of the steps' transition matrices; its left null vector at 1 is the phase
gradient Z. The sum of the logarithms of the multipliers is the integral of the divergence along the cycle, integrated
by itself; in two dimensions it is the logarithm of the multiplier, however small. The derivatives of the period come
from Newton's own equations and the steps' derivatives by the parameters. Everything is done twice, with orders and
accuracies that differ, and the largest difference is recorded. Maps: Newton on the p-fold map, determinants factor by
factor.
"""

import json
import math
import pathlib
from dataclasses import dataclass, field

from cycle_cases import CASES, MAPS, Case, exact, logistic, rough_cycle
from mpmath import mp
from taylor import integral, integrate

FOLDER = pathlib.Path(__file__).parent
DIGITS = 25
ROUGH, FINE = (44, "1e-38"), (52, "1e-45")  # order and accuracy of a step
PHASES = 8
mp.dps = 50

MEANING = {
    "how": "mpmath at 50 digits by tests/make_cycle_values.py: Taylor series of order 52, Newton on the section",
    "parameters": "the exact values; api.arguments are the nearest floats",
    "phase 0": "the upward crossing of the last unit through level; phases run uniformly in time",
    "multiplier, log_abs_multiplier": "all but the trivial one, by falling size; flows: real ones",
    "state, adjoint": "at the phases j/8; adjoint . velocity = 1; velocity is given at phase 0",
    "sensitivity": "|velocity| |adjoint| at phase 0; sensitivity_range: its smallest and largest value over the cycle",
    "gradient_swing": "max / min over the cycle of |velocity|, and so of |velocity(t)| |adjoint(0)|, the limit of "
    "|dx(t)/dx(0)|",
    "period_derivative": "by each parameter",
    "two_runs_differ_by": "the largest relative difference of any value from a run with order 44, accuracy 1e-38",
    "reference_values": "the exponent of reference_values.json and how far ln|multiplier| / period is from it",
    "maps": "multiplier: [real, imaginary]; orbit: from its point of largest last unit",
}


@dataclass
class Cycle:
    """A converged cycle: its steps over one part of the period, and what belongs to its start."""

    case: Case
    steps: list
    part: object  # the period over the number of parts
    back: object  # the inverse of the symmetry
    transition: object  # back times the derivative of the flow over the part
    velocity: object
    drift: object  # derivatives of the part by the parameters
    adjoint: object = None
    adjoints: list = field(default_factory=list)  # at the start of each step


def total_derivatives(steps, n):
    """Derivatives of the last step's end by the state at the start and by the parameters."""
    total = steps[0].derivatives()
    for step in steps[1:]:
        own = step.derivatives()
        inherited = own[:, :n] * total
        inherited[:, n:] = inherited[:, n:] + own[:, n:]
        total = inherited
    return total


def newton(case, order, accuracy):
    """The cycle through the section: unknowns are the units but the last, and the length of the part."""
    start, period = rough_cycle(case)
    n, back = len(start), case.symmetry**-1
    state, part = mp.matrix([mp.mpf(v) for v in start]), mp.mpf(period) / case.parts
    state[n - 1] = mp.mpf(case.level)
    for _ in range(9):
        steps = integrate(case.equation, case.constants, list(state), part, order, accuracy)
        end, derivatives = steps[-1].state(), back * total_derivatives(steps, n)
        velocity = back * mp.matrix(case.equation(list(end), [v for v, _ in case.constants]))
        system = derivatives[:, :n] - mp.eye(n)
        system[:, n - 1] = velocity
        change = mp.lu_solve(system, back * end - state)
        if mp.norm(change) < 100 * accuracy * mp.norm(state):
            drift = [mp.lu_solve(system, -derivatives[:, n + j])[n - 1] for j in range(len(case.parameters))]
            return Cycle(case, steps, part, back, derivatives[:, :n], velocity, drift)
        for i in range(n - 1):
            state[i] -= change[i]
        part -= change[n - 1]
    raise RuntimeError(f"Newton did not converge for {case}")


def add_adjoints(cycle):
    """Z with Z . velocity = 1: the left null vector of the monodromy minus 1, carried backwards over the steps."""
    n = len(cycle.velocity)
    bordered = mp.zeros(n + 1)
    bordered[:n, :n] = (cycle.transition - mp.eye(n)).T
    bordered[:n, n] = cycle.velocity
    bordered[n, :n] = cycle.velocity.T
    right = mp.zeros(n + 1, 1)
    right[n] = 1
    cycle.adjoint = mp.lu_solve(bordered, right)[:n].T
    row = cycle.adjoint * cycle.back
    for step in reversed(cycle.steps):
        row = row * step.derivatives()[:, :n]
        cycle.adjoints.insert(0, row)


def along(cycle, index, s):
    """State, velocity, adjoint and Jacobian at the time s of a step."""
    n, step = len(cycle.velocity), cycle.steps[index]
    matrix = step.derivatives(s)[:, :n] ** -1
    rates = mp.matrix(
        [[mp.polyval([k * c for k, c in enumerate(p)][:0:-1], s) for p in x[: n + 1]] for x in step.parts]
    )
    return step.state(s), rates[:, 0], cycle.adjoints[index] * matrix, rates[:, 1:] * matrix


def extremes(cycle, of_velocity, of_adjoint):
    """Smallest and largest |velocity|^a |adjoint|^b over the cycle, where the derivative of its logarithm is zero."""

    def rate(index, s):
        _, f, z, jacobian = along(cycle, index, s)
        grown, shrunk = (f.T * jacobian * f)[0] / mp.norm(f) ** 2, (z * jacobian * z.T)[0] / mp.norm(z) ** 2
        return of_velocity * grown - of_adjoint * shrunk

    found = []
    for index, step in enumerate(cycle.steps):
        times = [step.length * j / 4 for j in range(5)]
        rates = [rate(index, s) for s in times]
        for low, high, a, b in zip(times, times[1:], rates, rates[1:]):
            if a * b <= 0:
                s = mp.findroot(lambda s, i=index: rate(i, s), (low, high), solver="anderson", tol=1e-50)
                _, f, z, _ = along(cycle, index, s)
                found.append(mp.norm(f) ** of_velocity * mp.norm(z) ** of_adjoint)
    return [min(found), max(found)]


def at_phase(cycle, eighth):
    """State and adjoint at the phase eighth / PHASES, by the symmetry from the part that was integrated."""
    turns, rest = divmod(eighth * cycle.case.parts, PHASES)
    time = cycle.part * rest / PHASES
    index = max(i for i, step in enumerate(cycle.steps) if step.start <= time)
    state, _, z, _ = along(cycle, index, time - cycle.steps[index].start)
    turn = cycle.case.symmetry**turns
    return list(turn * state), list(z * turn**-1)


def multipliers(cycle, log_volume):
    """All but the trivial one of a part, by falling size: from the trace and the integral of the divergence."""
    others, volume = mp.fsum(cycle.transition[i, i] for i in range(len(cycle.velocity))) - 1, mp.exp(log_volume)
    if len(cycle.velocity) == 2:
        return [volume]
    larger = others / 2 + mp.sign(others) * mp.sqrt(others**2 / 4 - volume)
    return [larger, volume / larger]


def measure(case, order, accuracy):
    """Everything about the cycle as numbers, in one flat mapping."""
    accuracy = mp.mpf(accuracy)
    cycle = newton(case, order, accuracy)
    add_adjoints(cycle)
    log_volume = integral(case.equation, case.constants, cycle.steps, case.divergence, order)
    parts, n = multipliers(cycle, log_volume), len(cycle.velocity)
    speed = extremes(cycle, 1, 0)
    phases = [at_phase(cycle, j) for j in range(PHASES)]
    determinants = mp.fsum(mp.log(mp.det(s.derivatives()[:, :n])) for s in cycle.steps)
    return {
        "period": cycle.part * case.parts,
        "log_abs_multiplier": [case.parts * mp.log(abs(m)) for m in parts],
        "multiplier": [m**case.parts for m in parts],
        "velocity": list(cycle.velocity),
        "sensitivity": mp.norm(cycle.velocity) * mp.norm(cycle.adjoint),
        "sensitivity_range": extremes(cycle, 1, 1),
        "adjoint_range": extremes(cycle, 0, 1),
        "speed_range": speed,
        "gradient_swing": speed[1] / speed[0],
        "period_derivative": [case.parts * d for d in cycle.drift],
        "state": [x for x, _ in phases],
        "adjoint": [z for _, z in phases],
    }, {
        "closure_of_adjoint": mp.norm(cycle.adjoints[0] - cycle.adjoint) / mp.norm(cycle.adjoint),
        "divergence_against_determinants": abs(log_volume - determinants) / abs(log_volume),
        "characteristic_polynomial": abs(mp.det(cycle.transition - parts[0] * mp.eye(n))),
        "steps": len(cycle.steps),
    }


def largest_difference(one, other):
    """Between two nested lists of numbers, relative to the norm of the innermost list."""
    if isinstance(one, list) and isinstance(one[0], list):
        return max(largest_difference(a, b) for a, b in zip(one, other))
    one, other = (mp.matrix(v if isinstance(v, list) else [v]) for v in (one, other))
    return mp.norm(one - other) / mp.norm(other)


def text(number):
    if isinstance(number, list):
        return [text(n) for n in number]
    return mp.nstr(number, DIGITS)


def api(name, parameters):
    """How lyapkit makes the system."""
    return {"constructor": name, "arguments": {k: float(exact(v)) for k, v in parameters.items()}}


def same_system(one, other):
    """Whether both make the same system, up to the rounding of an argument."""
    mine, theirs = one["arguments"], other["arguments"]
    named = one["constructor"] == other["constructor"] and mine.keys() == theirs.keys()
    return named and all(math.isclose(mine[k], theirs[k], rel_tol=1e-15) for k in mine)


def flow_entry(case, known):
    rough, _ = measure(case, *ROUGH)
    values, checks = measure(case, *FINE)
    entry = {"api": api(case.name, case.parameters), "parameters": case.parameters, "level": case.level}
    entry |= {key: text(value) for key, value in values.items()}
    entry["two_runs_differ_by"] = mp.nstr(max(largest_difference(rough[k], values[k]) for k in values), 2)
    entry["checks"] = {k: v if k == "steps" else mp.nstr(v, 2) for k, v in checks.items()}
    for other in known:
        if same_system(other["api"], entry["api"]):
            digits = other["value_str"][-1]
            exponent = values["log_abs_multiplier"][-1] / values["period"]
            entry["reference_values"] = {"exponent": digits, "differs_by": mp.nstr(abs(exponent - mp.mpf(digits)), 2)}
    return entry


def orbit(rule, x, parameters, length):
    """The next `length` points from x on, the product of the Jacobians, its ln |determinant| and the sign of that."""
    points, product, volume, sign = [x], mp.eye(len(x)), mp.zero, 1
    for _ in range(length):
        x, jacobian = rule(x, parameters)
        factor = mp.det(mp.matrix(jacobian))
        product, volume, sign = mp.matrix(jacobian) * product, volume + mp.log(abs(factor)), sign * mp.sign(factor)
        points.append(x)
    return points, product, volume, sign


def map_multipliers(product, volume, sign):
    """Eigenvalues of the product; the smaller of two real ones from the determinant, which loses nothing."""
    if product.rows == 1:
        return [product[0]], [volume]
    mean, half = (product[0, 0] + product[1, 1]) / 2, (product[0, 0] - product[1, 1]) / 2
    square = half**2 + product[0, 1] * product[1, 0]
    if square < -mp.mpf("1e-40") * mean**2:
        return [mp.mpc(mean, r) for r in (mp.sqrt(-square), -mp.sqrt(-square))], [volume / 2] * 2
    larger = mean + (mp.sign(mean) or 1) * mp.sqrt(max(square, 0))
    return [larger, sign * mp.exp(volume) / larger], [mp.log(abs(larger)), volume - mp.log(abs(larger))]


def map_entry(rule, texts, period):
    """The orbit that attracts (0.3, 0.1), listed from its point of largest last unit."""
    parameters = {k: exact(v) for k, v in texts.items()}
    x = [mp.mpf("0.3"), mp.mpf("0.1")][: 1 if rule is logistic else 2]
    points, *_ = orbit(rule, x, parameters, 3000)
    x = max(points[-period:], key=lambda point: point[-1])
    for _ in range(8):
        points, *derivative = orbit(rule, x, parameters, period)
        wrong = mp.matrix(points[-1]) - mp.matrix(x)
        x = list(mp.matrix(x) + mp.lu_solve(mp.eye(len(x)) - derivative[0], wrong))
    apart = min(mp.norm(mp.matrix(p) - mp.matrix(points[0])) for p in points[1:-1])
    assert apart > 1e-6 and mp.norm(wrong) < 1e-45, (rule, texts, apart, wrong)
    values, logarithms = map_multipliers(*derivative)
    return {
        "api": api(rule.__name__, texts),
        "parameters": texts,
        "period": period,
        "multiplier": [[text(mp.re(m)), text(mp.im(m))] for m in values],
        "log_abs_multiplier": text(logarithms),
        "orbit": text(points[:-1]),
    }


def main():
    known = json.loads((FOLDER / "reference_values.json").read_text())["lyapunov_exponents"]
    flows = []
    for case in CASES:
        flows.append(flow_entry(case, known))
        print(case.name, case.parameters, flows[-1]["period"], flows[-1]["two_runs_differ_by"], flush=True)
    maps = [map_entry(*entry) for entry in MAPS]
    content = {"meta": MEANING, "flows": flows, "maps": maps}
    (FOLDER / "cycle_values.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
