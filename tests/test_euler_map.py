"""Euler maps of flows: the same bits as the map written out, exact derivatives, every kind of rule."""

import pickle

import numpy as np
import pytest

import lyapkit as lk
from lyapkit.systems.evaluate import adjoint, jacobian_matrix, multilinear, value


def test_the_plane_is_rotation_euler_to_the_last_bit():
    own = lk.euler_map(lk.systems.rotation_flow(alpha=1.7, theta=0.6), h=0.3)
    known = lk.systems.rotation_euler(alpha=1.7, theta=0.6, h=0.3)
    ours, theirs = (lk.lyapunov_spectrum(system, duration=2000) for system in (own, known))
    for name in ("lyapunov_exponent", "mean_divergence"):
        np.testing.assert_array_equal(ours[name], theirs[name])
    grid = {"h": np.array([0.0, 0.2, 1.0]), "alpha": np.array([0.5, 2.0])}
    ours, theirs = (lk.scan(lk.trajectory, system, grid, duration=50) for system in (own, known))
    np.testing.assert_array_equal(ours.state, theirs.state)


@pytest.mark.parametrize(
    "name",
    ["lorenz63", "brusselator", "lorenz96", "rnn_flow", "gru_flow", "cornn_flow", "rate_flow", "linear_flow",
     "bounded_line_attractor_flow", "block_rotation_flow", "ring_attractor_flow", "random_network"],
)  # fmt: skip
def test_it_is_x_plus_h_f_with_all_derivatives(name):
    flow = getattr(lk.systems, name)()
    h, generator = 0.07, np.random.default_rng(3)
    step = lk.euler_map(flow, h=h)
    n = flow.dimension
    assert step.kind == "map" and step.dimension == n
    x, w = flow.initial_state + 0.1 * generator.standard_normal(n), generator.standard_normal((2, n))
    np.testing.assert_allclose(value(step, x), x + h * value(flow, x), rtol=1e-14, atol=1e-14)
    slope = np.eye(n) + h * jacobian_matrix(flow, x)
    np.testing.assert_allclose(jacobian_matrix(step, x), slope, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(adjoint(step, x, w)[0], w @ slope, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(multilinear(step, x, w), h * multilinear(flow, x, w), rtol=1e-12, atol=1e-13)


def test_own_and_symbolic_flows_and_large_networks():
    own = lk.euler_map(lk.define_flow(lambda x, a: a * x - x**3, parameters={"a": 2.0}, dimension=1), h=0.25)
    assert value(own, [0.5])[0] == 0.5 + 0.25 * (2 * 0.5 - 0.5**3)
    text = lk.euler_map(lk.symbolic_flow({"x": "y", "y": "-x - c*y"}, parameters={"c": 0.1}), h=0.5)
    np.testing.assert_allclose(value(text, [1.0, 2.0]), [2.0, 2.0 + 0.5 * (-1.0 - 0.2)], rtol=1e-15)
    weights = 1.8 * np.random.default_rng(0).standard_normal((24, 24)) / np.sqrt(24)
    step = lk.euler_map(lk.systems.rnn_flow(W=weights), h=0.05)
    ds = lk.lyapunov_spectrum(step, duration=500, transient=100)
    assert int(ds.status) == 0 and abs(ds.exponent_sum_error) < 1e-2
    flow = lk.lyapunov_spectrum(lk.systems.rnn_flow(W=weights), method="euler", dt=0.05, duration=25, transient=5)
    np.testing.assert_allclose(ds.lyapunov_exponent / 0.05, flow.lyapunov_exponent, atol=1e-8)


def test_fixed_points_are_the_flows_with_multipliers_one_plus_h_lambda():
    flow = lk.systems.lorenz63()
    ours, theirs = lk.fixed_points(lk.euler_map(flow, h=0.01)), lk.fixed_points(flow)
    np.testing.assert_allclose(ours.state, theirs.state, atol=1e-9)
    matched = 1 + 0.01 * theirs.eigenvalue.values
    for here, there in zip(ours.eigenvalue.values, matched, strict=True):
        np.testing.assert_allclose(np.sort_complex(here), np.sort_complex(there), atol=1e-10)


def test_it_is_pickled_with_the_flow_that_made_it():
    step = lk.euler_map(lk.systems.van_der_pol(mu=2.0), h=0.02)
    again = pickle.loads(pickle.dumps(step.with_(mu=3.0)))
    assert again.parameters == {"mu": 3.0, "h": 0.02} and again.name == "van_der_pol_euler"


def test_misuse_is_named():
    with pytest.raises(ValueError, match="a map"):
        lk.euler_map(lk.systems.henon)
    with pytest.raises(ValueError, match="time or an input"):
        lk.euler_map(lk.define_flow(lambda x, a, t: a * x + t, parameters={"a": 1.0}, dimension=1))
    with pytest.raises(ValueError, match="parameter h"):
        lk.euler_map(lk.define_flow(lambda x, h: h * x, parameters={"h": 1.0}, dimension=1))
    with pytest.raises(ValueError, match="time or an input"):
        lk.euler_map(lk.systems.rnn_flow(V=np.ones((8, 1)), input=np.ones((5, 1))))
    with pytest.raises(TypeError, match="h: given"):
        lk.euler_map(lk.systems.van_der_pol, h="long")
