"""A slow, obvious oracle: plain loops, dense Jacobians by complex step, np.linalg.qr at every step.

It shares no line with the package: each system's equation is written out again, and
differentiated by f'(x) = Im f(x + ih) / h, which is exact to rounding (h = 1e-30).
Networks take the input at the given time as `u`.
"""

import numpy as np
import scipy.special

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


def sigmoid(a):
    return 1.0 / (1.0 + np.exp(-a))


def _relu(a):
    return np.where(np.real(a) > 0.0, a, 0.0)


def _erf(a):
    """erf of real numbers, and of their complex neighbours by Taylor's formula."""
    slope = 2.0 / np.sqrt(np.pi) * np.exp(-(np.real(a) ** 2))
    real = scipy.special.erf(np.real(a))
    return real + 1j * slope * np.imag(a) if np.iscomplexobj(a) else real


ACTIVATIONS = {
    "tanh": np.tanh,
    "relu": _relu,
    "sigmoid": sigmoid,
    "softplus": lambda a: np.log(1.0 + np.exp(a)),
    "erf": _erf,
    "identity": lambda a: a,
    "hard_tanh": lambda a: np.where(abs(np.real(a)) < 1.0, a, np.sign(np.real(a))),
}


def dense(matrix):
    return matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix)


def _times(matrix, vector):
    """Matrix times vector; a matrix that was not given is zero."""
    return 0.0 if matrix is None else dense(matrix) @ vector


def rnn(x, W, b=0.0, V=None, activation="tanh", u=None):
    """phi(W x + b + V u)."""
    return ACTIVATIONS[activation](_times(W, x) + b + _times(V, u))


def rate(x, J, b=0.0, V=None, activation="tanh", u=None):
    """J phi(x) + b + V u."""
    return _times(J, ACTIVATIONS[activation](x)) + b + _times(V, u)


def gru(h, Wz, Wr, Wh, bz, br, bh, bn, Vz=None, Vr=None, Vn=None, reset="after", u=None):
    """(z, n): update gate and candidate."""
    z = sigmoid(_times(Wz, h) + bz + _times(Vz, u))
    r = sigmoid(_times(Wr, h) + br + _times(Vr, u))
    inner = r * (_times(Wh, h) + bh) if reset == "after" else _times(Wh, r * h) + bh
    return z, np.tanh(bn + _times(Vn, u) + inner)


def _gru_flow(h, **parameters):
    z, n = gru(h, **parameters)
    return (1 - z) * (n - h)


def _gru_map(h, **parameters):
    z, n = gru(h, **parameters)
    return (1 - z) * n + z * h


def _lstm(x, u=None, **p):
    """torch.nn.LSTMCell, its two biases one."""
    h, c = np.split(x, 2)
    gate = {g: _times(p[f"W{g}"], h) + p[f"b{g}"] + _times(p[f"V{g}"], u) for g in "ifgo"}
    c = sigmoid(gate["f"]) * c + sigmoid(gate["i"]) * np.tanh(gate["g"])
    return np.concatenate([sigmoid(gate["o"]) * np.tanh(c), c])


def _cornn_force(y, z, W, Wdot, b, V, gamma, epsilon, u):
    return np.tanh(_times(W, y) + _times(Wdot, z) + b + _times(V, u)) - gamma * y - epsilon * z


def _cornn_flow(x, u=None, **p):
    y, z = np.split(x, 2)
    return np.concatenate([z, _cornn_force(y, z, u=u, **p)])


def _cornn_map(x, dt, u=None, **p):
    y, z = np.split(x, 2)
    z = z + dt * _cornn_force(y, z, u=u, **p)
    return np.concatenate([y + dt * z, z])


def _line_attractor(x, w, b):
    return -x + _relu(w * x[::-1] + b)


def _block_weights(alpha, theta, coupling):
    """alpha_i R(theta_i) in the i-th pair of rows and columns."""
    W = np.zeros((2 * len(alpha), 2 * len(alpha)))
    for i, (a, angle) in enumerate(zip(alpha, theta)):
        c, s = a * np.cos(angle), a * np.sin(angle)
        W[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = [[c, -s], [s, c]]
    return W if coupling is None else W + dense(coupling)


def _block_rotation(x, alpha, theta, coupling, **more):
    return rnn(x, _block_weights(alpha, theta, coupling), **more)


def _random_network(x, n, gain, kind, seed):
    J = np.random.default_rng(seed).standard_normal((n, n)) / np.sqrt(n)
    return gain * (J @ np.tanh(x)) - (x if kind == "flow" else 0.0)


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
    "rnn_map": rnn,
    "rnn_flow": lambda x, tau, **p: (-x + rnn(x, **p)) / tau,
    "rate_map": lambda x, dt, **p: x + dt * (-x + rate(x, **p)),
    "rate_flow": lambda x, **p: -x + rate(x, **p),
    "gru_map": _gru_map,
    "gru_flow": _gru_flow,
    "lstm_map": _lstm,
    "cornn_flow": _cornn_flow,
    "cornn_map": _cornn_map,
    "linear_integrator_flow": lambda x, W, V, tau, u=None: (_times(W, x) - x + _times(V, u)) / tau,
    "bounded_line_attractor_flow": lambda x, w: _line_attractor(x, -w, 1.0),
    "unbounded_line_attractor_flow": lambda x, w: _line_attractor(x, w, 0.0),
    "ring_attractor_flow": lambda x, mu: x * (mu - x @ x),
    "block_rotation_map": _block_rotation,
    "block_rotation_flow": lambda x, **p: -x + _block_rotation(x, **p),
    "random_network": _random_network,
    "identity_relu_map": lambda x, n: _relu(x),
}
# keywords of a network that say what its input is; the rules take its value instead
_INPUT = ("input", "input_dt", "interpolation")
# maps of a torus: the period of each unit, taken off after the rule
PERIOD = {"cat_map": 1.0, "standard_map": 2.0 * np.pi}


def parameters_of(system):
    """What a rule takes besides the state (and an input's value)."""
    return {k: v for k, v in system.parameters.items() if k not in _INPUT}


def value(system, x, u=None):
    """f(x) of a system, with an input where it has one."""
    given = {} if u is None else {"u": u}
    return RULES[system.name](x, **parameters_of(system), **given)


def filled(constructor, n, inputs=0, seed=0, scale=1.0, **more):
    """A network of n units a component with no parameter at zero: seeded matrices, vectors, numbers (and input)."""
    model, generator = constructor.model, np.random.default_rng([seed, n])
    sizes = dict.fromkeys(model.components.values(), n) | ({"input": inputs} if inputs else {})
    given = {}
    for name, (rows, columns) in model.matrices.items():
        if columns in sizes:
            shape = sizes[rows], sizes[columns]
            given[name] = scale * generator.standard_normal(shape) / np.sqrt(shape[1])
    given |= {name: 0.3 * generator.standard_normal(sizes[space]) for name, space in model.vectors.items()}
    for name, default in model.defaults.items():
        if isinstance(default, float) and name not in (*given, *_INPUT):
            given[name] = default * generator.uniform(0.5, 0.9)
    if inputs:
        given["input"] = generator.standard_normal((50, inputs))
    return constructor(**{**given, **more})


class Plain:
    """The oracle's version of a System: rule(x) and its Jacobian (n, n), and how to step."""

    def __init__(self, system, rule=None):
        self.kind, self.period = system.kind, PERIOD.get(system.name)
        parameters = parameters_of(system)
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
