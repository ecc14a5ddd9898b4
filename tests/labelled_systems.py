"""Systems whose attractors are known: name -> (constructor, kinds of the attractors, keywords of `attractors`).

A kind is (kind, dimension, dimension of the family). What is known is said in a comment where it is not plain.
"""

import math

import numpy as np

import lyapkit as lk

S = lk.systems
POINT, LINE, PLANE, CHAOS = (
    ("fixed_point", 0, 0), ("continuous_attractor", 1, 1), ("continuous_attractor", 2, 2), ("chaos", 0, 0),
)  # fmt: skip
CYCLE, LOCKED = ("limit_cycle", 1, 0), ("limit_cycle", 0, 0)  # of a flow, of a map
CENTRE = ("continuous_family", 1, 1)
QUARTER = math.pi / 4
EYE = np.eye(2)


def torus(d):
    return ("torus", d, 0)


def rotation(alpha, theta):
    c, s = alpha * math.cos(theta), alpha * math.sin(theta)
    return [[c, -s], [s, c]]


def beside(first, second):
    """Block-diagonal weights."""
    first, second = np.atleast_2d(first), np.atleast_2d(second)
    n, m = len(first), len(second)
    return np.block([[first, np.zeros((n, m))], [np.zeros((m, n)), second]])


def radial(factor, dimension=2, omega=0.0):
    """x' = x factor(|x|^2), turning at the rate omega in the plane of the first two units."""
    if dimension == 3:
        return lk.define_flow(
            lambda x: [x[i] * factor(x[0] ** 2 + x[1] ** 2 + x[2] ** 2) for i in range(3)], dimension=3
        )
    return lk.define_flow(
        lambda x: [
            x[0] * factor(x[0] ** 2 + x[1] ** 2) - omega * x[1],
            x[1] * factor(x[0] ** 2 + x[1] ** 2) + omega * x[0],
        ],
        dimension=2,
    )


def ring_and_cycle():
    """A ring of fixed points beside a limit cycle."""

    def rule(x):
        still, moving = 1.0 - x[0] ** 2 - x[1] ** 2, 1.0 - x[2] ** 2 - x[3] ** 2
        return [x[0] * still, x[1] * still, x[2] * moving - 2.0 * x[3], x[3] * moving + 2.0 * x[2]]

    return lk.define_flow(rule, dimension=4)


def blocks(kind, alpha, theta, **keywords):
    make = S.block_rotation_flow if kind == "flow" else S.block_rotation_map
    return make(alpha=alpha, theta=theta, **keywords)


SMALL = {"box": (-2.0, 2.0)}
CASES = {
    # points
    "rotation flow below Hopf": (lambda: S.rotation_flow(alpha=0.5, theta=0.7), [POINT], {}),
    "rotation flow below the fold": (lambda: S.rotation_flow(alpha=2.0, theta=0.1), [POINT] * 4, {}),
    "latch": (lambda: S.rnn_flow(W=[[2.0]]), [POINT] * 2, {}),
    "one unit, weak": (lambda: S.rnn_flow(W=[[0.5]]), [POINT], {}),
    "two latches": (lambda: S.rnn_flow(W=2.0 * EYE), [POINT] * 4, {}),
    "latch map": (lambda: S.rnn_map(W=[[3.0]]), [POINT] * 2, {}),
    "stable linear flow": (lambda: S.linear_flow(A=[[-1.0, 5.0], [0.0, -3.0]]), [POINT], {}),
    "stable linear map": (lambda: S.linear_map(A=[[0.5, 1.0], [0.0, -0.3]]), [POINT], {}),
    "Lorenz, two points": (lambda: S.lorenz63(rho=15.0), [POINT] * 2, {}),
    "Lorenz, origin": (lambda: S.lorenz63(rho=0.5), [POINT], {}),
    "logistic, point": (lambda: S.logistic(r=2.5), [POINT], {}),
    "logistic, superstable": (lambda: S.logistic(r=2.0), [POINT], {}),
    "Henon, point": (lambda: S.henon(a=0.2), [POINT], {}),
    "x' = -x^3": (lambda: lk.define_flow(lambda x: [-(x[0] ** 3)], dimension=1), [POINT], SMALL),
    "x' = -x^3 beside x' = -x": (lambda: lk.define_flow(lambda x: [-(x[0] ** 3), -x[1]], dimension=2), [POINT], SMALL),
    "at Hopf": (lambda: S.stuart_landau(mu=0.0), [POINT], {}),
    "just below Hopf": (lambda: S.stuart_landau(mu=-1e-3), [POINT], {}),
    "weak random network": (lambda: S.random_network(n=10, gain=0.5, seed=1), [POINT], {}),
    # cycles
    "rotation flow": (lambda: S.rotation_flow(alpha=2.0, theta=QUARTER), [CYCLE], {}),
    "rotation flow, period 312": (lambda: S.rotation_flow(alpha=1.5, theta=math.pi / 21), [CYCLE], {}),
    "rotation GRU": (lambda: S.rotation_gru_flow(alpha=3.0, theta=QUARTER), [CYCLE], {}),
    "van der Pol": (lambda: S.van_der_pol(mu=1.0), [CYCLE], {}),
    "van der Pol, relaxation": (lambda: S.van_der_pol(mu=5.0), [CYCLE], {"dt": 0.01}),
    "Brusselator": (lambda: S.brusselator(), [CYCLE], {"box": (0.0, 4.0)}),
    "Stuart-Landau": (lambda: S.stuart_landau(), [CYCLE], {}),
    "just above Hopf": (lambda: S.stuart_landau(mu=1e-3), [CYCLE], {}),
    "Rossler, periodic": (lambda: S.rossler(a=0.1, b=0.1, c=4.0), [CYCLE], {"box": ([-6, -6, 0], [6, 6, 1])}),
    "Lorenz, periodic": (lambda: S.lorenz63(rho=350.0), [CYCLE], {"dt": 0.002, "transient": 20, "duration": 40}),
    "cycle beside a point": (  # r' = -r (r^2 - 1) (r^2 - 4)
        lambda: radial(lambda s: -(s - 1.0) * (s - 4.0), omega=1.0), [POINT, CYCLE], {"box": (-3.0, 3.0)},
    ),
    "two cycles": (  # stable at r = 1 and r = 2
        lambda: radial(lambda s: (1.0 - s) * (2.0 - s) * (4.0 - s) / 8.0, omega=1.0), [CYCLE] * 2, {"box": (-2.5, 2.5)},
    ),
    "cycles of both senses": (  # the sense is what a latch remembers
        lambda: lk.define_flow(
            lambda x: [
                x[0] * (1.0 - x[0] ** 2 - x[1] ** 2) - x[2] * x[1],
                x[1] * (1.0 - x[0] ** 2 - x[1] ** 2) + x[2] * x[0],
                x[2] - x[2] ** 3,
            ],
            dimension=3,
        ),
        [CYCLE] * 2, SMALL,
    ),
    "latch beside an oscillator": (lambda: S.rnn_flow(W=beside([[2.0]], rotation(1.5, 0.7))), [CYCLE] * 2, {}),
    "one block of two oscillates": (lambda: blocks("flow", [1.5, 0.5], [0.6, 0.6]), [CYCLE], {}),
    # cycles of maps
    "flip": (lambda: S.rnn_map(W=[[-3.0]]), [LOCKED], {}),
    "logistic, 2-cycle": (lambda: S.logistic(r=3.2), [LOCKED], {"box": (0.0, 1.0)}),
    "logistic, 4-cycle": (lambda: S.logistic(r=3.5), [LOCKED], {"box": (0.0, 1.0)}),
    "logistic, 3-cycle": (lambda: S.logistic(r=3.83), [LOCKED], {"box": (0.0, 1.0)}),
    "rotation map, 1:4": (lambda: S.rotation_map(alpha=1.5, theta=math.pi / 2), [LOCKED], {}),
    "one block of a map locked": (lambda: blocks("map", [1.5, 0.5], [math.pi / 2, 0.6]), [LOCKED], {}),
    # tori
    "two blocks": (lambda: blocks("flow", [1.5, 2.0], [0.7, 1.0]), [torus(2)], {}),
    "two blocks as one": (lambda: blocks("flow", [1.5, 2.0], [0.7, 1.0], coupling=np.zeros((4, 4))), [torus(2)], {}),
    "three blocks": (lambda: blocks("flow", [1.5, 2.0, 1.7], [0.7, 1.0, 0.9]), [torus(3)], {}),
    "rotation map": (lambda: S.rotation_map(alpha=1.5, theta=1.0), [torus(1)], {}),
    "rotation map, far": (lambda: S.rotation_map(alpha=1.3, theta=0.7), [torus(1)], {}),
    "Euler step": (lambda: S.rotation_euler(alpha=2.0, theta=0.9, h=0.1), [torus(1)], {}),
    "two blocks of a map": (lambda: blocks("map", [1.5, 1.3], [1.0, 0.7]), [torus(2)], {}),
    "three blocks of a map": (lambda: blocks("map", [1.5, 1.3, 1.2], [1.0, 0.7, 0.55]), [torus(3)], {}),
    # continuous attractors
    "bounded line": (lambda: S.bounded_line_attractor_flow(), [LINE], {}),
    "unbounded line": (lambda: S.unbounded_line_attractor_flow(), [LINE], {}),
    "ring": (lambda: S.ring_attractor_flow(), [LINE], {}),
    "two rings": (lambda: radial(lambda s: (1.0 - s) * (2.0 - s) * (4.0 - s) / 8.0), [LINE] * 2, {"box": (-2.5, 2.5)}),
    "sphere": (lambda: radial(lambda s: 1.0 - s, dimension=3), [PLANE], SMALL),
    "integrator": (lambda: S.linear_integrator_flow(), [LINE], {}),
    "plane of an integrator": (
        lambda: S.linear_integrator_flow(W=np.diag([1.0, 1.0, 0.3])), [PLANE], {"box": (-1.0, 1.0)},
    ),
    "identity of two units": (lambda: S.identity_relu_map(n=2), [PLANE], {}),
    "identity of three units": (lambda: S.identity_relu_map(n=3), [("continuous_attractor", 3, 3)], {}),
    "line of a linear map": (lambda: S.linear_map(A=[[1.0, 0.2], [0.0, 0.5]]), [LINE], {}),
    # families
    "Hamiltonian centre": (lambda: S.rotation_literal_flow(alpha=1.0, theta=math.pi / 2), [CENTRE], SMALL),
    "harmonic oscillator": (lambda: S.linear_flow(A=[[0.0, 1.0], [-1.0, 0.0]]), [CENTRE], {}),
    "rotation": (lambda: S.linear_map(A=rotation(1.0, 1.0)), [CENTRE], {}),
    "swap": (lambda: S.linear_map(A=[[0.0, 1.0], [1.0, 0.0]]), [("continuous_family", 0, 2)], {}),
    "two blocks of one frequency": (lambda: blocks("flow", [1.5, 1.5], [0.6, 0.6]), [CENTRE], {}),
    "ring beside a cycle": (ring_and_cycle, [CENTRE], SMALL),
    # chaos
    "Lorenz": (lambda: S.lorenz63(), [CHAOS], {}),
    "Lorenz beside points": (lambda: S.lorenz63(rho=24.1), [CHAOS, POINT, POINT], {}),
    "Rossler": (lambda: S.rossler(), [CHAOS], {}),
    "Henon": (lambda: S.henon(), [CHAOS], {}),
    "Ikeda": (lambda: S.ikeda(), [CHAOS, POINT], {}),
    "logistic, chaos": (lambda: S.logistic(r=4.0), [CHAOS], {"box": (0.0, 1.0)}),
    "cat": (lambda: S.cat_map(), [CHAOS], {}),
    "standard map": (lambda: S.standard_map(k=8.0), [CHAOS], {}),
    "Lorenz-96": (lambda: S.lorenz96(n=8, F=8.0), [CHAOS], {}),
}  # fmt: skip
