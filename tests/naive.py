"""A slow, obvious oracle: plain loops, dense Jacobians by complex step, np.linalg.qr at every step.

It shares no line with the package: each system's equation is written out again, and
differentiated by f'(x) = Im f(x + ih) / h, which is exact to rounding (h = 1e-30).
"""

import numpy as np

TINY = 1e-30


def _rotated(x, alpha, theta):
    c, s = np.cos(theta), np.sin(theta)
    return np.tanh(alpha * (np.array([[c, -s], [s, c]]) @ x))


def _ikeda(x, u=0.9):
    s = 0.4 - 6.0 / (1.0 + x[0] * x[0] + x[1] * x[1])
    turned = np.array([[np.cos(s), -np.sin(s)], [np.sin(s), np.cos(s)]]) @ x
    return np.array([1.0, 0.0]) + u * turned


def _stuart_landau(x, mu=1.0, omega=1.0, c=0.0):
    square = x[0] * x[0] + x[1] * x[1]
    return np.array(
        [
            mu * x[0] - omega * x[1] - square * (x[0] - c * x[1]),
            omega * x[0] + mu * x[1] - square * (c * x[0] + x[1]),
        ]
    )


def _lorenz96(x, n, F):
    return np.array([(x[(i + 1) % n] - x[i - 2]) * x[i - 1] - x[i] + F for i in range(n)])


def _standard(x, k):
    p = x[1] + k * np.sin(x[0])
    return np.array([x[0] + p, p])


RULES = {
    "rotation_flow": lambda x, alpha, theta: -x + _rotated(x, alpha, theta),
    "rotation_literal_flow": _rotated,
    "rotation_gru_flow": lambda x, alpha, theta: 0.5 * (-x + _rotated(0.5 * x, alpha, theta)),
    "rotation_map": _rotated,
    "rotation_euler": lambda x, alpha, theta, h: (1 - h) * x + h * _rotated(x, alpha, theta),
    "rotation_literal_map": lambda x, alpha, theta: x + _rotated(x, alpha, theta),
    "rotation_gru_map": lambda x, alpha, theta: 0.5 * (x + _rotated(0.5 * x, alpha, theta)),
    "linear_flow": lambda x, A: np.asarray(A) @ x,
    "linear_map": lambda x, A: np.asarray(A) @ x,
    "stuart_landau": _stuart_landau,
    "van_der_pol": lambda x, mu: np.array([x[1], mu * (1 - x[0] ** 2) * x[1] - x[0]]),
    "brusselator": lambda x, A, B: np.array([A + x[0] ** 2 * x[1] - (B + 1) * x[0], B * x[0] - x[0] ** 2 * x[1]]),
    "lorenz63": lambda x, sigma, rho, beta: np.array(
        [sigma * (x[1] - x[0]), x[0] * (rho - x[2]) - x[1], x[0] * x[1] - beta * x[2]]
    ),
    "rossler": lambda x, a, b, c: np.array([-x[1] - x[2], x[0] + a * x[1], b + x[2] * (x[0] - c)]),
    "lorenz96": _lorenz96,
    "henon": lambda x, a, b: np.array([1 - a * x[0] ** 2 + x[1], b * x[0]]),
    "logistic": lambda x, r: np.array([r * x[0] * (1 - x[0])]),
    "ikeda": _ikeda,
    "cat_map": lambda x: np.array([2 * x[0] + x[1], x[0] + x[1]]),
    "standard_map": _standard,
}
# maps of a torus: the period of each unit, taken off after the rule
PERIOD = {"cat_map": 1.0, "standard_map": 2.0 * np.pi}


class Plain:
    """The oracle's version of a System: rule(x) and its Jacobian (n, n), and how to step."""

    def __init__(self, system, rule=None):
        self.kind, self.period = system.kind, PERIOD.get(system.name)
        parameters = system.parameters
        self.rule = rule or (lambda x: RULES[system.name](x, **parameters))

    def jacobian(self, x):
        """d rule_i / d x_j by complex step."""
        return jacobian(self.rule, x)

    def step(self, x, Q, dt=1.0):
        """State and frame (n, k) after one iterate or one RK4 step."""
        if self.kind == "map":
            image = self.rule(x)
            image = image if self.period is None else np.mod(image, self.period)
            return image, self.jacobian(x) @ Q
        return rk4(self.rule, x, Q, dt)


def jacobian(rule, x):
    """d rule_i / d x_j by complex step, one column at a time."""
    columns = []
    for j in range(len(x)):
        moved = np.array(x, dtype=complex)
        moved[j] += 1j * TINY
        columns.append(np.imag(rule(moved)) / TINY)
    return np.array(columns).T


def rk4(rule, x, Q, h):
    """One classical Runge-Kutta step of x' = rule(x), Q' = J(x) Q, stage by stage."""
    k1, K1 = rule(x), jacobian(rule, x) @ Q
    y, Y = x + h / 2 * k1, Q + h / 2 * K1
    k2, K2 = rule(y), jacobian(rule, y) @ Y
    y, Y = x + h / 2 * k2, Q + h / 2 * K2
    k3, K3 = rule(y), jacobian(rule, y) @ Y
    y, Y = x + h * k3, Q + h * K3
    k4, K4 = rule(y), jacobian(rule, y) @ Y
    return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), Q + h / 6 * (K1 + 2 * K2 + 2 * K3 + K4)


def orbit(plain, x, steps, dt=1.0):
    """States (steps + 1, n) from x on."""
    states, nothing = [np.array(x, dtype=float)], np.zeros((len(x), 0))
    for _ in range(steps):
        states.append(plain.step(states[-1], nothing, dt)[0])
    return np.array(states)


def spectrum(plain, x, Q, transient, steps, dt=1.0):
    """Mean growth rates of the frame Q (n, k), largest first, orthonormalised at every step."""
    total = np.zeros(Q.shape[1])
    for number in range(transient + steps):
        x, Q = plain.step(x, Q, dt)
        Q, R = np.linalg.qr(Q)
        if number >= transient:
            total += np.log(abs(np.diag(R)))
    return np.sort(total / (steps * dt))[::-1]
