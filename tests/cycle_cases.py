"""The cycles of cycle_values.json: equations for taylor.py and for floats, exact parameters, rough orbits; maps."""

from dataclasses import dataclass

from mpmath import mp
from taylor import tanh


def rotation(x, c):
    """x' = -x + tanh(alpha R x) with the constants alpha cos(theta), alpha sin(theta)."""
    a, b = c
    return [tanh(a * x[0] + -b * x[1]) - x[0], tanh(b * x[0] + a * x[1]) - x[1]]


def rotation_divergence(x, c):
    a, b = c
    u, v = tanh(a * x[0] + -b * x[1]), tanh(b * x[0] + a * x[1])
    return (2 - u * u - v * v) * a + -2


def rotation_constants(alpha, theta):
    cos, sin = mp.cos(theta), mp.sin(theta)
    return [(alpha * cos, (cos, -alpha * sin)), (alpha * sin, (sin, alpha * cos))]


def van_der_pol(x, c):
    return [x[1], (1 - x[0] * x[0]) * x[1] * c[0] - x[0]]


def van_der_pol_divergence(x, c):
    return (1 - x[0] * x[0]) * c[0]


def brusselator(x, c):
    made, used = x[0] * x[0] * x[1], x[0] * c[1]
    return [made - used - x[0] + c[0], used - made]


def brusselator_divergence(x, c):
    return 2 * x[0] * x[1] - x[0] * x[0] + -c[1] + -1


def rossler(x, c):
    return [-x[1] - x[2], x[0] + x[1] * c[0], x[2] * x[0] + x[2] * -c[2] + c[1]]


def rossler_divergence(x, c):
    return x[0] + c[0] + -c[2]


def themselves(*parameters):
    return [(p, tuple(int(i == j) for j in range(len(parameters)))) for i, p in enumerate(parameters)]


EQUATIONS = {
    "rotation_flow": (rotation, rotation_divergence, rotation_constants),
    "van_der_pol": (van_der_pol, van_der_pol_divergence, themselves),
    "brusselator": (brusselator, brusselator_divergence, themselves),
    "rossler": (rossler, rossler_divergence, themselves),
}


@dataclass(frozen=True)
class Case:
    """A cycle: text of each parameter (exact), where the rough integration starts and with which step and transient."""

    name: str
    parameters: dict
    start: tuple = (0.5, 0.1)
    dt: float = 0.02
    transient: float = 60.0
    level: str = "0"

    @property
    def values(self):
        return [exact(text) for text in self.parameters.values()]

    @property
    def equation(self):
        return EQUATIONS[self.name][0]

    @property
    def divergence(self):
        return EQUATIONS[self.name][1]

    @property
    def constants(self):
        return EQUATIONS[self.name][2](*self.values)

    @property
    def parts(self):
        """Into how many equal parts the symmetry divides the period."""
        return {"rotation_flow": 4, "van_der_pol": 2}.get(self.name, 1)

    @property
    def symmetry(self):
        """S with x(t + T / parts) = S x(t): a quarter turn, a half turn, the identity."""
        n = len(self.start)
        if self.parts == 4:
            return mp.matrix([[0, -1], [1, 0]])
        return -mp.eye(n) if self.parts == 2 else mp.eye(n)


def exact(text):
    numerator, _, denominator = text.replace("pi", "*pi").lstrip("*").partition("/")
    factors = [mp.pi if f == "pi" else mp.mpf(f) for f in numerator.split("*")]
    return mp.fprod(factors) / mp.mpf(denominator or 1)


ROTATIONS = [
    ("2", "pi/4"), ("1.5", "0.6"), ("3", "1.0"), ("1.2", "0.5"), ("4", "1.2"), ("1.5", "pi/6"), ("2", "0.9"),
    ("3", "0.6"),
]  # fmt: skip
CASES = [
    *(Case("rotation_flow", {"alpha": a, "theta": t}) for a, t in ROTATIONS),
    Case("rotation_flow", {"alpha": "1.5", "theta": "pi/21"}, transient=700.0),
    Case("rotation_flow", {"alpha": "1.001", "theta": "0.02"}, start=(0.03, 0.0), dt=0.1, transient=6000.0),
    Case("rotation_flow", {"alpha": "20", "theta": "1.0"}, dt=0.002),
    Case("rotation_flow", {"alpha": "40", "theta": "0.9"}, dt=0.001),
    Case("van_der_pol", {"mu": "0.1"}, start=(-2.0, 0.0), transient=200.0),
    Case("van_der_pol", {"mu": "1"}, start=(-2.0, 0.0), dt=0.005),
    Case("van_der_pol", {"mu": "5"}, start=(-2.0, 0.0), dt=0.002),
    Case("van_der_pol", {"mu": "10"}, start=(-2.0, 0.0), dt=0.001),
    Case("brusselator", {"A": "1", "B": "3"}, start=(1.0, 2.0), dt=0.005, level="3"),
    Case("brusselator", {"A": "1", "B": "2.1"}, start=(1.0, 2.0), transient=200.0, level="2.1"),
    Case("rossler", {"a": "0.2", "b": "0.2", "c": "2.5"}, start=(2.0, 0.0, 0.5), dt=0.005, transient=500.0, level="1"),
]


def rough_cycle(case):
    """State at an upward crossing of the level and the time until the next one, by Runge-Kutta in floats."""
    constants, h, level = [float(v) for v, _ in case.constants], case.dt, float(case.level)

    def ahead(x, k, s):
        return [a + s * b for a, b in zip(x, k)]

    def step(x):
        k1 = case.equation(x, constants)
        k2 = case.equation(ahead(x, k1, h / 2), constants)
        k3 = case.equation(ahead(x, k2, h / 2), constants)
        k4 = case.equation(ahead(x, k3, h), constants)
        return [a + h / 6 * (p + 2 * q + 2 * r + s) for a, p, q, r, s in zip(x, k1, k2, k3, k4)]

    x, t, crossings = list(case.start), 0.0, []
    while len(crossings) < 2:
        old, x, t = x, step(x), t + h
        if t > case.transient and old[-1] < level <= x[-1]:
            part = (level - old[-1]) / (x[-1] - old[-1])
            crossings.append((t - h + part * h, [*ahead(old, ahead(x, old, -1.0), part)[:-1], level]))
    return crossings[0][1], crossings[1][0] - crossings[0][0]


def rotation_map(x, p):
    a, b = p["alpha"] * mp.cos(p["theta"]), p["alpha"] * mp.sin(p["theta"])
    new = [mp.tanh(a * x[0] - b * x[1]), mp.tanh(b * x[0] + a * x[1])]
    u, v = (1 - y * y for y in new)
    return new, [[u * a, -u * b], [v * b, v * a]]


def logistic(x, p):
    return [p["r"] * x[0] * (1 - x[0])], [[p["r"] * (1 - 2 * x[0])]]


def henon(x, p):
    return [1 - p["a"] * x[0] * x[0] + x[1], p["b"] * x[0]], [[-2 * p["a"] * x[0], 1], [p["b"], 0]]


MAPS = [
    (rotation_map, {"alpha": "2", "theta": "pi/4"}, 8),
    (rotation_map, {"alpha": "5", "theta": "pi/4"}, 8),
    (rotation_map, {"alpha": "8", "theta": "0.7"}, 12),
    (rotation_map, {"alpha": "2", "theta": "pi/2"}, 4),
    (logistic, {"r": "3.5"}, 4),
    (logistic, {"r": "3.83"}, 3),
    (henon, {"a": "0.65", "b": "0.3"}, 2),
    (henon, {"a": "1", "b": "0.3"}, 4),
]
