"""Fixed points against closed forms, an exhaustive search of SciPy's, and each other."""

import json
import math
import pathlib

import numpy as np
import pytest
import scipy.optimize

import lyapkit as lk
from lyapkit.flags import BOX_SOURCE, COMPLETE, STABLE, STATUS

REFERENCE = json.loads((pathlib.Path(__file__).parent / "reference_values.json").read_text())
PROVED, SEARCHED = COMPLETE["proved"], COMPLETE["searched"]
EPS = np.finfo(float).eps


def proved(system, **keywords):
    ds = lk.fixed_points(system, progress=False, **keywords)
    assert ds.complete == PROVED and ds.status == STATUS["ok"]
    assert ds.n_fixed_points == ds.sizes["point"]
    return ds


def assert_points(ds, wanted, tolerance=4e-15):
    """The states are the wanted ones, in the order of their first units; 4e-15 is some units in the last place of 4."""
    wanted = np.array(sorted(map(tuple, np.atleast_2d(wanted))))
    np.testing.assert_allclose(ds.state, wanted, rtol=tolerance, atol=tolerance)


THETA_SN = [(e["api"]["arguments"]["alpha"], e["value"]) for e in REFERENCE["theta_SN"]]


@pytest.mark.parametrize(("alpha", "fold"), THETA_SN)
@pytest.mark.parametrize("name", ["rotation_flow", "rotation_map", "rotation_euler"])
def test_nine_below_the_fold_and_one_above(name, alpha, fold):
    constructor = getattr(lk.systems, name)
    below, above = (proved(constructor(alpha=alpha, theta=fold + d)) for d in (-1e-6, 1e-6))
    assert (below.n_fixed_points, above.n_fixed_points) == (9, 1)
    # every fixed point is turned by a quarter into another one; near the fold points are known to eps / 1e-3
    turned = {tuple(x) for x in np.round(below.state.values @ [[0, 1], [-1, 0]], 9) + 0.0}
    assert turned == {tuple(x) for x in np.round(below.state.values, 9) + 0.0}


def test_the_plane_at_its_headline_point():
    ds = proved(lk.systems.rotation_flow(alpha=2.0, theta=0.1))
    assert ds.n_fixed_points == 9
    assert (ds.stable == STABLE["stable"]).sum() == 4 and (ds.stable == STABLE["unstable"]).sum() == 5
    assert ds.box_source == BOX_SOURCE["model"] and (ds.box_low == -1).all() and (ds.box_high == 1).all()


@pytest.mark.parametrize(("alpha", "theta"), [(0.5, 0.3), (2.0, 0.9), (1.3, 1.2), (3.7, 0.0)])
def test_eigenvalues_of_the_origin(alpha, theta):
    """-1 + alpha exp(+-i theta) of the flow, alpha exp(+-i theta) of the map."""
    turn = alpha * np.exp(1j * np.array([theta, -theta]))
    for system, wanted in (
        (lk.systems.rotation_flow(alpha=alpha, theta=theta), turn - 1),
        (lk.systems.rotation_map(alpha=alpha, theta=theta), turn),
    ):
        ds = proved(system)
        origin = ds.isel(point=ds.sizes["point"] // 2)  # in the order of the first unit
        assert (origin.state == 0).all()
        np.testing.assert_allclose(origin.eigenvalue, wanted, rtol=0, atol=1e-14)


def test_hopf_points_are_undecided():
    """On the Hopf curve the real part is zero to rounding, for maps the modulus is one."""
    flow = proved(lk.systems.rotation_flow(alpha=2.0, theta=math.acos(0.5)))
    assert flow.stable.values.tolist() == [STABLE["undecided"]]
    assert proved(lk.systems.rotation_map(alpha=1.0, theta=0.7)).stable.values.tolist() == [STABLE["undecided"]]
    assert proved(lk.systems.rotation_flow(alpha=2.0, theta=math.acos(0.5) + 1e-9)).stable == STABLE["stable"]


def test_lorenz63():
    sigma, rho, beta = 10.0, 28.0, 8.0 / 3.0
    ds = proved(lk.systems.lorenz63())
    c = math.sqrt(beta * (rho - 1.0))
    assert_points(ds, [(0, 0, 0), (c, c, rho - 1), (-c, -c, rho - 1)])
    origin = np.roots([1.0, sigma + 1.0, sigma * (1.0 - rho)])
    np.testing.assert_allclose(ds.eigenvalue[1], sorted([*origin, -beta], reverse=True), rtol=1e-14)
    outer = np.roots([1.0, sigma + beta + 1.0, beta * (sigma + rho), 2 * sigma * beta * (rho - 1.0)])
    outer = outer[np.lexsort((-outer.imag, -outer.real))]
    np.testing.assert_allclose(ds.eigenvalue[2], outer, rtol=1e-12)
    assert (ds.stable == STABLE["unstable"]).all()
    assert proved(lk.systems.lorenz63(rho=0.5)).stable.values.tolist() == [STABLE["stable"]]


def test_henon():
    a, b = 1.4, 0.3
    ds = proved(lk.systems.henon())
    x = np.roots([a, 1.0 - b, -1.0])
    assert_points(ds, np.stack([x, b * x], axis=1))
    for point, x in zip(ds.eigenvalue.values, ds.state.values[:, 0]):
        wanted = np.roots([1.0, 2 * a * x, -b])
        np.testing.assert_allclose(point, wanted[np.argsort(-abs(wanted))], rtol=1e-13)


@pytest.mark.parametrize("r", [-1.5, 0.5, 2.0, 3.2, 4.0, 30.0])
def test_logistic(r):
    ds = proved(lk.systems.logistic(r=r))
    assert_points(ds, [[0.0], [1.0 - 1.0 / r]])
    order = [0.0, 1.0 - 1.0 / r]
    wanted = [r, 2.0 - r] if order[0] < order[1] else [2.0 - r, r]
    np.testing.assert_allclose(ds.eigenvalue[:, 0], wanted, rtol=1e-13)


def test_planar_classics():
    assert_points(proved(lk.systems.van_der_pol(mu=3.0)), [0, 0])
    for A, B in ((1.0, 3.0), (0.7, 1.2)):
        ds = proved(lk.systems.brusselator(A=A, B=B))
        assert_points(ds, [A, B / A])
        wanted = np.roots([1.0, A**2 + 1 - B, A**2])
        np.testing.assert_allclose(ds.eigenvalue[0], wanted[np.lexsort((-wanted.imag, -wanted.real))], rtol=1e-13)
    a, b, c = 0.2, 0.2, 5.7
    z = np.roots([a, -c, b])
    assert_points(proved(lk.systems.rossler()), np.stack([a * z, -z, z], axis=1), 1e-13)
    assert_points(proved(lk.systems.stuart_landau(mu=0.4)), [0, 0])
    assert_points(proved(lk.systems.lorenz96(n=4, F=3.0)), [3.0] * 4)


@pytest.mark.parametrize("kind", ["flow", "map"])
def test_linear_systems(kind):
    A = np.random.default_rng(5).standard_normal((4, 4))
    ds = proved(getattr(lk.systems, f"linear_{kind}")(A=A))
    assert (ds.state == 0).all()
    wanted = np.linalg.eigvals(A)
    size = wanted.real if kind == "flow" else abs(wanted)
    wanted = wanted[np.lexsort((-wanted.imag, -size))]
    np.testing.assert_allclose(ds.eigenvalue[0], wanted, rtol=0, atol=1e-13)


def test_stability_of_non_normal_and_defective_matrices():
    for A, wanted in (
        ([[-1.0, 1e6], [0.0, -2.0]], "stable"),
        ([[-1.0, 1.0], [0.0, -1.0]], "stable"),
        ([[1e-3, 1.0], [0.0, -1.0]], "unstable"),
        ([[0.0, 1.0], [-1.0, 0.0]], "undecided"),
    ):
        assert proved(lk.systems.linear_flow(A=A)).stable == STABLE[wanted]


def test_circles_and_chaotic_maps():
    """The cat map: the origin alone; the standard map at k = 6: sin q = 0 with p = 0."""
    assert_points(proved(lk.systems.cat_map()), [0, 0])
    ds = proved(lk.systems.standard_map(k=6.0))
    assert_points(ds, [(0, 0), (np.pi, 0)])
    ds = proved(lk.systems.standard_map(k=7.0))  # now also sin q = +-2 pi / 7
    q = math.asin(2 * np.pi / 7)
    assert_points(ds, [(0, 0), (q, 0), (np.pi - q, 0), (np.pi, 0), (np.pi + q, 0), (2 * np.pi - q, 0)], 1e-14)
    own = lk.define_map(lambda x, w: np.mod(x[0] + w - 0.5 * np.sin(2 * np.pi * x[0]), 1.0), dimension=1,
                        parameters={"w": 0.3})  # fmt: skip
    x = math.asin(0.6) / (2 * np.pi)
    assert_points(proved(own), [[x], [0.5 - x]])
    assert proved(lk.systems.ikeda()).n_fixed_points == 3


def _exhaustive(f, slopes, starts):
    """All zeros that SciPy's hybrid method reaches from the starts."""
    found = []
    for start in starts:
        root = scipy.optimize.root(f, start, jac=slopes, tol=1e-13)
        if abs(root.fun).max() < 1e-10 and not any(abs(root.x - x).max() < 1e-6 for x in found):
            found.append(root.x)
    return np.array(found)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n", [3, 4])
def test_small_networks_against_an_exhaustive_search(seed, n):
    """Rates x = J tanh(x) + b, looked for from a dense set of values of tanh; written out here in NumPy."""
    generator = np.random.default_rng([seed, n])
    J, b = 2.0 * generator.standard_normal((n, n)), 0.3 * generator.standard_normal(n)
    ds = proved(lk.systems.rate_flow(J=J, b=b))
    starts = generator.uniform(-1, 1, (1500, n)) ** 3 @ J.T + b
    wanted = _exhaustive(lambda x: J @ np.tanh(x) + b - x, lambda x: J / np.cosh(x) ** 2 - np.eye(n), starts)
    assert_points(ds, wanted, 1e-9)
    same = proved(lk.systems.rnn_map(W=J, b=b))  # y = tanh(J y + b) at y = tanh(x)
    assert_points(same, np.tanh(wanted), 1e-9)


@pytest.mark.parametrize("W", [np.diag([2.0, 3.0, 1.5]), np.diag([2.0, 2.0, 2.0, 2.0])])
def test_independent_units(W):
    """x = tanh(w x) has three solutions for each unit: 3^n fixed points, 2^n of them stable."""
    n = len(W)
    for system in (lk.systems.rnn_flow(W=W), lk.systems.rnn_map(W=W)):
        ds = proved(system)
        assert ds.n_fixed_points == 3**n and (ds.stable == STABLE["stable"]).sum() == 2**n
    side = [scipy.optimize.brentq(lambda x, w=w: math.tanh(w * x) - x, 0.1, 1.0, xtol=1e-15) for w in np.diag(W)]
    np.testing.assert_allclose(abs(ds.state[-1]), side, rtol=1e-14)


def test_gated_networks():
    """A GRU whose gates stand at 1/2: h' = (tanh(W h / 2) - h) / 2, rotation_flow at half the gain and speed."""
    zero = np.zeros((2, 2))
    c, s = 4.0 * math.cos(0.1), 4.0 * math.sin(0.1)
    gru = lk.systems.gru_flow(Wz=zero, Wr=zero, Wh=[[c, -s], [s, c]])
    ds, plane = proved(gru), proved(lk.systems.rotation_flow(alpha=2.0, theta=0.1))
    np.testing.assert_allclose(ds.state, plane.state, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(ds.eigenvalue, 0.5 * plane.eigenvalue, rtol=1e-12, atol=1e-12)
    lstm = lk.systems.lstm_map(**{f"W{g}": k * np.ones((1, 1)) for g, k in zip("ifgo", (1.0, 0.5, 3.0, 1.0))})
    ds = proved(lstm)
    assert ds.n_fixed_points >= 1 and abs(ds.speed).max() < 1e-14


def test_relu_networks_and_kinks():
    """x = max(w x + b, 0): one fixed point b / (1 - w) for w < 1, two with b < 0 < w - 1."""
    one = lk.systems.rnn_flow(W=[[0.5]], b=1.0, activation="relu")
    assert_points(proved(one, box=(-10, 10)), [[2.0]])
    two = lk.systems.rnn_map(W=[[2.0]], b=-1.0, activation="relu")
    assert_points(proved(two, box=(-10, 10)), [[0.0], [1.0]])
    at_kink = lk.define_flow(lambda x: [-x[0] - abs(x[0] - 1.0) * 0.5 + 1.0], dimension=1)
    assert_points(proved(at_kink), [[1.0]])


def test_own_systems():
    own = lk.define_flow(
        lambda x, a: [math.sin(a * x[0]) - 0.2 * x[0], x[0] - 2 * x[1]], parameters={"a": 2.0}, dimension=2
    )
    ds = proved(own, box=(-6, 6))
    x = [scipy.optimize.brentq(lambda x: math.sin(2 * x) - 0.2 * x, *ab) for ab in ((1, 1.57), (3.2, 3.9), (3.9, 4.6))]
    states = sorted([0.0, *x, *(-v for v in x)])
    np.testing.assert_allclose(ds.state[:, 0], states, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(2 * ds.state[:, 1], ds.state[:, 0], rtol=1e-14, atol=1e-15)
    hill = lk.symbolic_flow({"x": "x**p/(1 + x**p) - 0.4*x"}, parameters={"p": 4.0})
    ds = proved(hill, box=(-0.1, 5))
    np.testing.assert_allclose(ds.state[:, 0], [0, *_positive_roots([-0.4, 1, 0, 0, -0.4])], atol=1e-13)
    log = lk.symbolic_flow({"x": "log(x) + y", "y": "y - 1"})
    assert_points(proved(log, box=(-10, 10)), [math.exp(-1.0), 1.0])


def _positive_roots(coefficients):
    roots = np.roots(coefficients)
    return sorted(roots.real[(abs(roots.imag) < 1e-12) & (roots.real > 0)])


def test_own_box_and_its_edge():
    flow = lk.systems.rotation_flow(alpha=2.0, theta=0.1)
    assert proved(flow, box=(0.5, 1.0)).n_fixed_points == 1
    assert proved(flow, box=([0.1, -1.0], [1.0, 1.0])).n_fixed_points == 4
    logistic = lk.systems.logistic(r=3.0)
    assert_points(proved(logistic, box=(0.0, 1.0)), [[0.0], [2.0 / 3.0]])
    assert proved(logistic, box=(0.1, 0.2)).n_fixed_points == 0
    assert proved(logistic, box=(0.1, 0.2)).state.shape == (0, 1)


def test_guessed_box():
    own = lk.define_flow(lambda x: [-x[0] + 30.0], dimension=1, initial_state=[0.0], name="own")
    ds = proved(own)
    assert ds.box_source == BOX_SOURCE["orbit"]
    assert_points(ds, [[30.0]], 1e-13)
    unstable = lk.define_flow(lambda x: [x[0] * x[0] + 1.0], dimension=1)
    assert proved(unstable).n_fixed_points == 0  # its orbits leave
