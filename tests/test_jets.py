"""Jets: derivatives along the state and the parameters, against hand derivatives and Cauchy's integral of the rule."""

import math

import numpy as np
import pytest

import lyapkit as lk
from lyapkit.analyses.bifurcations.jets import Jets

RADIUS, SAMPLES = 0.1, 32


def taylor(function, direction, order):
    """D^order F [v, ..., v] by Cauchy's integral over a circle of `RADIUS` in s -> F(s v).

    Exact for analytic functions but for rounding, eps order! / RADIUS^order, and the term of order + SAMPLES.
    """
    circle = np.exp(2j * np.pi * np.arange(SAMPLES) / SAMPLES)
    values = np.array([function(RADIUS * s * direction) for s in circle])
    coefficient = (values * circle[:, None] ** -order).mean(axis=0).real
    return coefficient * math.factorial(order) / RADIUS**order


def second(function, a, b):
    """D^2 F [a, b] by polarisation."""
    return (taylor(function, a + b, 2) - taylor(function, a - b, 2)) / 4


def third(function, a, b, c):
    """D^3 F [a, b, c] by polarisation."""
    signs = [(1, 1, 1), (1, 1, -1), (1, -1, 1), (1, -1, -1)]
    return sum(t * u * taylor(function, a + t * b + u * c, 3) for _, t, u in signs) / 24


def sigmoid(u):
    return 1 / (1 + np.exp(-u))


def rotation(alpha, theta):
    return alpha * np.array([[np.cos(theta), -np.sin(theta)], [np.sin(theta), np.cos(theta)]])


def gates(n, seed=0):
    generator = np.random.default_rng([seed, n])
    return {name: generator.standard_normal((n, n)) for name in ("Wz", "Wr", "Wh")}


def gru(n, reset):
    """(system, names, rule) of a continuous GRU whose gates are on, in its biases."""
    weights = gates(n)
    names = ("bz", "br", "bh", "bn")
    system = lk.systems.gru_flow(**weights, reset=reset, bz=0.3, br=-0.2, bh=0.1, bn=0.4)

    def rule(h, p):
        bz, br, bh, bn = p
        z, r = sigmoid(weights["Wz"] @ h + bz), sigmoid(weights["Wr"] @ h + br)
        inner = r * (weights["Wh"] @ h + bh) if reset == "after" else weights["Wh"] @ (r * h) + bh
        return (1 - z) * (np.tanh(bn + inner) - h)

    return system, names, rule


def rnn_map(n):
    W = np.random.default_rng(n).standard_normal((n, n)) / math.sqrt(n)
    return lk.systems.rnn_map(W=W, b=0.2), ("b",), lambda x, p: np.tanh(W @ x + p[0])


def random_flow(n):
    system = lk.random_network(n=n, gain=1.5)
    J = system.derived_parameters["J"]
    return system, ("gain",), lambda x, p: p[0] * (J @ np.tanh(x)) - x


def lorenz(x, p):
    sigma, rho, beta = p
    return np.array([sigma * (x[1] - x[0]), x[0] * (rho - x[2]) - x[1], x[0] * x[1] - beta * x[2]])


def user_map():
    def rule(x, a, b, W):
        return np.array([np.sin(a * x[0]) + b * x[1] ** 2, W[0] @ x + a * b * x[0]])

    W = np.array([[0.3, -0.4]])
    return lk.define_map(rule, parameters={"a": 0.7, "W": W, "b": 0.4}, dimension=2), lambda x, p: rule(x, *p, W)


CASES = {
    "lorenz63": lambda: (lk.systems.lorenz63(), ("sigma", "rho", "beta"), lorenz),
    "lorenz63 rho": lambda: (lk.systems.lorenz63(), ("rho",), lambda x, p: lorenz(x, [10.0, p[0], 8 / 3])),
    "henon": lambda: (
        lk.systems.henon(), ("b", "a"), lambda x, p: np.array([1 - p[1] * x[0] ** 2 + x[1], p[0] * x[0]])
    ),
    "rotation_flow": lambda: (
        lk.systems.rotation_flow(alpha=1.3, theta=0.5), ("alpha", "theta"),
        lambda x, p: np.tanh(rotation(*p) @ x) - x,
    ),
    "rotation_map": lambda: (
        lk.systems.rotation_map(alpha=1.3, theta=0.5), ("theta",), lambda x, p: np.tanh(rotation(1.3, p[0]) @ x)
    ),
    "user map": lambda: (user_map()[0], ("b", "a"), lambda x, p: user_map()[1](x, p[::-1])),
    "gru after 2": lambda: gru(2, "after"),
    "gru before 3": lambda: gru(3, "before"),
    "rnn_map 3": lambda: rnn_map(3),
    "rnn_map 24": lambda: rnn_map(24),
    "random_network 33": lambda: random_flow(33),
}  # fmt: skip


def case(name, period=1):
    """(jets, x, p, the rule of z = (x, p) moved by dz, directions a, b, c)."""
    system, names, rule = CASES[name]()
    jets = Jets(system, names, period)
    generator = np.random.default_rng(3)
    x, p = generator.uniform(-0.5, 0.5, jets.n), jets.values + 0.05

    def moved(dz):
        y, q = x + dz[: jets.n], p + dz[jets.n :]
        for _ in range(period):
            y = rule(y, q)
        return y

    directions = generator.standard_normal((3, jets.n + jets.m))
    return jets, x, p, moved, directions / np.linalg.norm(directions, axis=1)[:, None]


def close(found, wanted, tolerance):
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance * max(1.0, np.abs(wanted).max()))


@pytest.mark.parametrize("name", CASES)
def test_derivatives_of_the_rule(name):
    """To rounding: 1e-13, and 1e-13 and 1e-12 for what Cauchy's integral over a radius of 0.1 leaves of it."""
    jets, x, p, moved, (a, b, c) = case(name)
    value, jacobian, by_parameter = jets.first(x, p)
    close(value, moved(np.zeros(jets.n + jets.m)), 1e-14)
    both = np.concatenate([jacobian, by_parameter], axis=1)
    for j, unit in enumerate(np.eye(jets.n + jets.m)):
        close(both[:, j], taylor(moved, unit, 1), 1e-13)
    close(jets.second(x, p, [a, c], [b, c]), [second(moved, a, b), second(moved, c, c)], 1e-12)
    close(jets.third(x, p, [a, b], [b, b], [c, b]), [third(moved, a, b, c), third(moved, b, b, b)], 2e-11)


@pytest.mark.parametrize(("name", "period"), [("henon", 2), ("rotation_map", 3), ("user map", 4), ("rnn_map 3", 2)])
def test_powers_of_maps(name, period):
    """f^q by the chain rule against Cauchy's integral of the composed rule."""
    jets, x, p, moved, (a, b, c) = case(name, period)
    value, jacobian, by_parameter = jets.first(x, p)
    close(value, moved(np.zeros(jets.n + jets.m)), 1e-14)
    close(jacobian @ a[: jets.n] + by_parameter @ a[jets.n :], taylor(moved, a, 1), 1e-13)
    close(jets.second(x, p, a, b)[0], second(moved, a, b), 1e-12)
    close(jets.third(x, p, a, b, c)[0], third(moved, a, b, c), 2e-11)


def test_a_power_is_the_composed_rule():
    """f^2 of Henon's map is the map that is defined so."""

    def twice(x, a, b):
        y = 1 - a * x[0] ** 2 + x[1], b * x[0]
        return [1 - a * y[0] ** 2 + y[1], b * y[0]]

    power = Jets(lk.systems.henon(), ("a", "b"), 2)
    composed = Jets(lk.define_map(twice, parameters={"a": 1.4, "b": 0.3}, dimension=2), ("a", "b"))
    x, p = np.array([0.3, -0.2]), np.array([1.1, 0.25])
    a, b, c = np.random.default_rng(0).standard_normal((3, 9, 4))
    for one, other in zip(power.first(x, p), composed.first(x, p), strict=True):
        close(one, other, 1e-14)
    close(power.second(x, p, a, b), composed.second(x, p, a, b), 1e-13)
    close(power.third(x, p, a, b, c), composed.third(x, p, a, b, c), 1e-13)


def test_hand_derivatives_of_lorenz():
    """D^2 f [a, b] with rho: (0, a_rho b_x + a_x b_rho - a_x b_z - a_z b_x, a_x b_y + a_y b_x)."""
    jets = Jets(lk.systems.lorenz63(), ("rho",))
    x, p = np.array([1.0, 2.0, 3.0]), np.array([25.0])
    value, jacobian, by_parameter = jets.first(x, p)
    np.testing.assert_allclose(value, [10.0, 20.0, -6.0], rtol=1e-15)
    np.testing.assert_allclose(jacobian, [[-10, 10, 0], [22, -1, -1], [2, 1, -8 / 3]], rtol=1e-15)
    np.testing.assert_allclose(by_parameter, [[0], [1], [0]], rtol=0)
    a, b = np.random.default_rng(1).standard_normal((2, 20, 4))  # more than fill eight lanes
    wanted = [0 * a[:, 0], a[:, 3] * b[:, 0] + a[:, 0] * b[:, 3] - a[:, 0] * b[:, 2] - a[:, 2] * b[:, 0],
              a[:, 0] * b[:, 1] + a[:, 1] * b[:, 0]]  # fmt: skip
    np.testing.assert_allclose(jets.second(x, p, a, b), np.transpose(wanted), rtol=0, atol=1e-14 * 20)
    assert not jets.third(x, p, a, b, a).any()


@pytest.mark.parametrize("name", ["rotation_flow", "rnn_map 24", "gru before 3"])
def test_linear_in_complex_directions_and_symmetric(name):
    jets, x, p, _, (a, b, c) = case(name)
    q = a + 1j * b
    expected = jets.second(x, p, [a], [c]) + 1j * jets.second(x, p, [b], [c])
    close(jets.second(x, p, [q], [c]), expected, 1e-15)
    close(jets.second(x, p, [c], [q]), expected, 1e-14)
    aaa, aab, abb, bbb = (jets.third(x, p, *keys) for keys in ((a, a, a), (a, a, b), (a, b, b), (b, b, b)))
    wanted = aaa + abb + 1j * (aab + bbb)  # (a + ib)^2 (a - ib)
    close(jets.third(x, p, [q], [q], [q.conj()]), wanted, 1e-13)
    close(jets.third(x, p, [q.conj()], [q], [q]), wanted, 1e-13)
    close(jets.third(x, p, a, b, c), jets.third(x, p, c, a, b), 1e-13)


def test_bits_depend_on_no_neighbour():
    """A direction alone, among 3 and among 70."""
    jets, x, p, _, _ = case("rotation_flow")
    a, b = np.random.default_rng(2).standard_normal((2, 70, 4))
    many = jets.second(x, p, a, b)
    assert (jets.second(x, p, a[:3], b[:3]) == many[:3]).all() and (jets.second(x, p, a[69], b[69]) == many[69]).all()


def test_points_are_told_apart():
    """What is kept of a point is not taken for another one, nor given away to be changed."""
    jets = Jets(lk.systems.rotation_flow(), ("alpha",))
    x, p = np.array([0.3, 0.1]), np.array([1.2])
    before = jets.first(x, p)[1].copy()
    jets.first(x, p)[1][:] = 0.0
    x[0] = 0.4
    other = jets.first(x, p)[1].copy()
    assert not np.array_equal(before, other)
    assert np.array_equal(jets.first(np.array([0.3, 0.1]), p)[1], before)
    assert not np.array_equal(jets.first(np.array([0.3, 0.1]), 2 * p)[1], before)


def test_overflow_is_not_finite_and_silent():
    jets = Jets(lk.systems.henon(), ("a", "b"), 12)
    x, p, a = np.array([1e9, 0.0]), np.array([1.4, 0.3]), np.ones((1, 4))
    assert not np.isfinite(jets.first(x, p)[0]).all()
    assert not np.isfinite(jets.second(x, p, a, a)).all()
    assert not np.isfinite(jets.third(x, p, a, a, a)).all()


def test_misuse():
    flow = lk.systems.rotation_flow()
    with pytest.raises(ValueError, match=r"parameters: given 'aplha'.*accepted: alpha, theta"):
        Jets(flow, ("aplha",))
    with pytest.raises(ValueError, match="period: given 2, accepted: 1"):
        Jets(flow, ("alpha",), 2)
    with pytest.raises(ValueError, match="period: given 0"):
        Jets(lk.systems.henon(), ("a",), 0)
    with pytest.raises(ValueError, match="parameters: given 'A'"):
        Jets(lk.systems.linear_flow(), ("A",))
    with pytest.raises(ValueError, match="accepted: none of rnn_map"):
        Jets(lk.systems.rnn_map(b=np.zeros(8)), ("b",))
    with pytest.raises(ValueError, match="x, p: given shapes"):
        Jets(flow, ("alpha",)).first(np.zeros(3), np.zeros(1))
    driven = lk.define_flow(lambda x, t, a: [a * math.sin(t) - x[0]], parameters={"a": 1.0}, dimension=1)
    with pytest.raises(ValueError, match="driven in time"):
        Jets(driven, ("a",))

    def stepwise(x, a):
        y = x[0]
        while y > a:
            y -= a
        return [y]

    with pytest.raises(ValueError, match=r"system: given stepwise.*exact derivatives"):
        Jets(lk.define_map(stepwise, parameters={"a": 1.0}, dimension=1), ("a",))
