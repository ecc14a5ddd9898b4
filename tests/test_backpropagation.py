"""Gradients swept backwards: against differences of the numerical orbit, the tangent map, and closed forms."""

import numpy as np
import pytest

import lyapkit as lk
from lyapkit.analyses.gradients import backpropagation
from lyapkit.analyses.gradients.backpropagation import backpropagate
from lyapkit.analyses.orbits.clock import clock
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.progress import Monitor
from lyapkit.systems import evaluate

H = 2e-5  # the error of a difference of fourth order: H^4 of fifth derivatives and rounding / H, together some 1e-11
RNG = np.random.default_rng(0)


def quiet():
    return Monitor(1, "test", False)


def end_of(system, x, time, steps):
    """The state after so many steps."""
    ensemble = Ensemble(system, {}, x[None], time, 0)
    ensemble.run(steps, quiet())
    return ensemble.gather("x")[:, 0]


def swept(system, cotangents, stops, **keywords):
    """Gradients (stops, n) by the state, and the whole result, of cotangents (stops, n)."""
    time = clock(system, 0, 1, None, None)
    result = backpropagate(
        system, {}, system.initial_state[None], time, cotangents[:, None, None], stops, quiet(), **keywords
    )
    return result.cotangent[:, 0, 0] * np.exp(result.log_scale[:, 0]), result


def noise(n, count=100):
    return RNG.standard_normal((count, n))


def weights(n):
    return RNG.standard_normal((n, n)) * 1.2 / np.sqrt(n)


SYSTEMS = {
    "flow": lambda: lk.systems.rotation_flow(),
    "map": lambda: lk.systems.rotation_map(),
    "lorenz": lambda: lk.systems.lorenz63(),
    "forced": lambda: lk.define_flow(
        lambda x, a, t: [-x[0] + a * np.cos(t), x[0] - a * x[1]], parameters={"a": 0.7}, dimension=2
    ),
    "driven": lambda: lk.systems.rnn_flow(W=weights(5), V=RNG.standard_normal((5, 2)), input=noise(2), input_dt=0.1),
    "rnn": lambda: lk.systems.rnn_map(W=weights(4), b=RNG.standard_normal(4)),
    "gru before": lambda: lk.systems.gru_flow(reset="before"),
    "gru after": lambda: lk.systems.gru_map(),
    "lstm": lambda: lk.systems.lstm_map(),
    "rate": lambda: lk.systems.rate_map(J=weights(6), dt=0.3),
    "cornn": lambda: lk.systems.cornn_map(),
    "spread": lambda: lk.systems.rnn_flow(W=weights(30), V=RNG.standard_normal((30, 3)), input=noise(3), input_dt=0.1),
    "spread gru": lambda: lk.systems.gru_map(Wz=weights(25), Wr=weights(25), Wh=weights(25), bh=0.1),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_gradients_agree_with_central_differences(name):
    system = SYSTEMS[name]()
    stops, time = [7, 20], clock(system, 0, 1, None, None)
    cotangents = np.random.default_rng(1).standard_normal((2, system.dimension))
    by_state, result = swept(system, cotangents, stops, weights=True)

    def difference(s, at):
        """Of what the cotangent s sees, along at(step) = (system, state)."""
        seen = [cotangents[s] @ end_of(*at(m * H), time, stops[s]) for m in (1, -1, 2, -2)]
        return (8 * (seen[0] - seen[1]) - (seen[2] - seen[3])) / (12 * H)

    x0, scales = system.initial_state, np.exp(result.gradient_log_scale[:, 0, 0])
    numbers = system.model.lane_parameters(system.parameters)
    for s in range(2):
        for i in range(min(system.dimension, 4)):
            found = difference(s, lambda h, i=i: (system, x0 + h * np.eye(len(x0))[i]))
            assert by_state[s, i] == pytest.approx(found, rel=1e-9, abs=1e-9)
        for m, name in enumerate(numbers):
            found = difference(s, lambda h, name=name: (system.with_(**{name: system.parameters[name] + h}), x0))
            assert result.numbers[s, 0, 0, m] * scales[s] == pytest.approx(found, rel=1e-9, abs=1e-9)
        for name, gradients in result.weights.items():
            gradient = gradients[s, 0, 0] * scales[s]
            place = np.unravel_index(abs(gradient).argmax(), gradient.shape)
            found = difference(s, lambda h, name=name, at=place, g=gradient: (moved(system, name, g.shape, at, h), x0))
            assert gradient[place] == pytest.approx(found, rel=1e-9, abs=1e-9)


def moved(system, name, shape, place, h):
    """The system with one of its weights moved by h."""
    value = np.array(np.broadcast_to(np.asarray(system.parameters[name], dtype=float), shape))
    value[place] += h
    return system.with_(**{name: value})


def test_every_weight_of_a_network_has_its_gradient():
    system = SYSTEMS["driven"]()
    _, result = swept(system, np.ones((1, 5)), [10], weights=True)
    assert {name: a.shape[3:] for name, a in result.weights.items()} == {"W": (5, 5), "V": (5, 2), "b": (5,)}


def untraceable(x, a):
    """A loop that ends by itself, which no trace can follow."""
    y = x[0]
    while y > 1.0:
        y -= 1.0
    return [a * y * (1.0 - y) + 0.1 * np.sin(x[1]), 0.5 * x[0] + a * 0.1 * x[1]]


@pytest.mark.parametrize("jacobian", [None, lambda x, a: [[a * (1 - 2 * x[0]), 0.1 * np.cos(x[1])], [0.5, 0.1 * a]]])
def test_rules_that_cannot_be_traced_have_adjoints_by_differences(jacobian):
    """Their differences of second order err by some 1e-10, of the given Jacobian not at all."""
    system = lk.define_map(untraceable, parameters={"a": 3.2}, dimension=2, initial_state=[0.3, 0.1], jacobian=jacobian)
    assert not system.cell.tangent.startswith("exact")
    x, w = np.array([0.3, 0.2]), np.array([[1.0, -2.0]])
    rows, by_parameter = evaluate.adjoint(system, x, w)
    exact = np.array([[3.2 * 0.4, 0.1 * np.cos(0.2)], [0.5, 0.32]])
    np.testing.assert_allclose(rows, w @ exact, rtol=1e-9)
    np.testing.assert_allclose(by_parameter, w @ np.array([[0.3 * 0.7], [0.02]]), rtol=1e-9)
    by_state, _ = swept(system, w, [10])
    frame = np.eye(2)
    ensemble = Ensemble(system, {}, system.initial_state[None], clock(system, 0, 1, None, None), 2, frame, interval=1)
    ensemble.run(10, quiet(), orthonormalise=False)
    np.testing.assert_allclose(by_state[0], ensemble.gather("frame")[:, :, 0] @ w[0], rtol=1e-8)


@pytest.mark.parametrize("name", ["lorenz", "spread"])
def test_the_adjoint_is_the_transpose_of_the_tangent_map(name):
    """The two are different kernels; they agree to the rounding of 20 steps."""
    system = SYSTEMS[name]()
    n, time = system.dimension, clock(system, 0, 1, None, None)
    ensemble = Ensemble(system, {}, system.initial_state[None], time, n, np.eye(n), interval=1)
    ensemble.run(20, quiet(), orthonormalise=False)
    result = backpropagate(system, {}, system.initial_state[None], time, np.eye(n)[None, None], [20], quiet())
    rows = result.cotangent[0, 0] * np.exp(result.log_scale[0, 0])[:, None]
    np.testing.assert_allclose(rows, ensemble.gather("frame")[:, :, 0].T, rtol=0, atol=1e-13 * abs(rows).max())


@pytest.mark.parametrize("a", [1e-3, 20.0])
def test_a_million_steps_neither_overflow_nor_underflow(a):
    """x <- a x + b from 0 with b = 0: ln |w| moves by ln a a step, and dx_n/db = (a^n - 1) / (a - 1)."""
    system, steps = lk.define_map(lambda x, a, b: [a * x[0] + b], parameters={"a": a, "b": 0.0}, dimension=1), 1_000_000
    time = clock(system, 0, 1, None, None)
    result = backpropagate(system, {}, np.zeros((1, 1)), time, np.ones((1, 1, 1, 1)), [steps], quiet())
    log = np.log(abs(result.cotangent[0, 0, 0, 0])) + result.log_scale[0, 0, 0]
    assert log == pytest.approx(steps * np.log(a), rel=1e-12)
    by_b = np.log(result.numbers[0, 0, 0, 1]) + result.gradient_log_scale[0, 0, 0]
    assert by_b == pytest.approx(max(steps * np.log(a), 0.0) - np.log(abs(a - 1)), rel=1e-12)


def test_segments_change_nothing_but_rounding(monkeypatch):
    system, cotangents = SYSTEMS["spread"](), np.random.default_rng(2).standard_normal((2, 30))
    whole, gradients = swept(system, cotangents, [33, 100], weights=True)
    monkeypatch.setattr(backpropagation, "_SEGMENT_NUMBERS", 2**15)
    pieces, others = swept(system, cotangents, [33, 100], weights=True)
    np.testing.assert_allclose(pieces, whole, rtol=0, atol=1e-13 * abs(whole).max())
    for name, array in gradients.weights.items():
        scale = np.exp(gradients.gradient_log_scale - others.gradient_log_scale)[0, 0, 0]
        np.testing.assert_allclose(others.weights[name], array * scale, rtol=0, atol=1e-12 * abs(array).max())


def test_bits_depend_on_the_point_alone():
    system, time = lk.systems.rotation_flow(), clock(lk.systems.rotation_flow(), 0, 1, None, None)
    alpha, states = np.linspace(1.1, 3.0, 21), RNG.uniform(-1, 1, (21, 2))
    cotangents = RNG.standard_normal((2, 21, 1, 2))
    together = backpropagate(system, {"alpha": alpha}, states, time, cotangents, [5, 50], quiet())
    for i in (0, 9, 20):
        one = slice(i, i + 1)
        alone = backpropagate(system, {"alpha": alpha[one]}, states[one], time, cotangents[:, one], [5, 50], quiet())
        assert (alone.cotangent[:, 0] == together.cotangent[:, i]).all()
        assert (alone.numbers[:, 0] == together.numbers[:, i]).all()
        assert (alone.log_scale[:, 0] == together.log_scale[:, i]).all()
