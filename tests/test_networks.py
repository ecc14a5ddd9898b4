"""Networks at single points: values, derivatives and inputs against naive.py; kinds of matrices; refusals."""

import itertools
import math
import pickle

import naive
import numpy as np
import pytest
import scipy.sparse

import lyapkit as lk
from lyapkit.systems import evaluate, matrices
from lyapkit.systems.layout import Lanes, Spread

CELLS = [
    *(("rnn_map", {"activation": name}) for name in naive.ACTIVATIONS),
    *(("rate_flow", {"activation": name}) for name in naive.ACTIVATIONS),
    ("rnn_flow", {}),
    ("rate_map", {}),
    *((name, {"reset": word}) for name in ("gru_map", "gru_flow") for word in ("after", "before")),
    ("lstm_map", {}),
    ("cornn_flow", {}),
    ("cornn_map", {}),
    ("linear_integrator_flow", {}),
]
# one structure of each for the slower kernels; flow and map of the GRU share their gates
PLAIN = [c for c in CELLS if c[1].get("activation", "tanh") == "tanh" and c[1] != {"reset": "before"}]
PLAIN.append(("gru_map", {"reset": "before"}))
PLAIN.remove(("gru_map", {"reset": "after"}))
SIZES = (3, 8, 19, 20, 21, 33, 64)  # of one component; 20 units and more are spread over the lanes
# ln |det Df| has a closed form where Df = D M E with diagonal D and E
CLOSED = ("rnn_map",)


def _id(value):
    return "-".join(value.values()) if isinstance(value, dict) else None


def _constructor(name):
    return getattr(lk.systems, name)


def _state(system, seed=0):
    """Seeded, of size 1: preactivations on both sides of every kink."""
    return np.random.default_rng([7, seed]).standard_normal(system.dimension)


def _assert_close(value, wanted, tolerance=1e-13):
    """Sums of up to 64 terms of size 1: a few hundred eps."""
    np.testing.assert_allclose(value, wanted, rtol=0, atol=tolerance * max(1.0, abs(wanted).max(initial=0.0)))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(("name", "more"), CELLS, ids=_id)
def test_value_and_jacobian(name, more, n):
    """Every cell with all its matrices, vectors and an input."""
    system = naive.filled(_constructor(name), n, inputs=3, **more)
    x, u = _state(system, n), system.parameters["input"][4]
    assert isinstance(system.data.layout, Spread if system.dimension >= 20 else Lanes)
    value, columns, _ = evaluate.linearise(system, x, np.eye(system.dimension), t=4.3)
    wanted = naive.jacobian(lambda y: naive.value(system, y, u), x)
    _assert_close(value, naive.value(system, x, u))
    _assert_close(columns.T, wanted)
    _assert_close(evaluate.value(system, x, t=4.0), value, 0.0)


@pytest.mark.parametrize("n", (3, 20, 33))
@pytest.mark.parametrize(("name", "more"), CELLS, ids=_id)
def test_volume(name, more, n):
    """tr Df of flows; ln |det Df| of maps with a closed form (-inf where a unit rests in a kink's flat side)."""
    system = naive.filled(_constructor(name), n, inputs=3, **more)
    x, u = _state(system, n), system.parameters["input"][4]
    divergence = evaluate.linearise(system, x, x, t=4.0)[2]
    wanted = naive.jacobian(lambda y: naive.value(system, y, u), x)
    if system.kind == "flow":
        assert abs(divergence - np.trace(wanted)) < 1e-12 * system.dimension
    elif name not in CLOSED:
        assert math.isnan(divergence)
    elif (wanted == 0.0).all(axis=1).any():
        assert divergence == -np.inf
    else:
        assert abs(divergence - np.linalg.slogdet(wanted)[1]) < 1e-14 * np.linalg.cond(wanted) + 1e-12 * n


@pytest.mark.parametrize("n", (3, 10, 20, 33))
@pytest.mark.parametrize(("name", "more"), PLAIN, ids=_id)
def test_adjoint(name, more, n):
    """Rows of the Jacobian, and of the derivatives in the numbers, from cotangents."""
    system = naive.filled(_constructor(name), n, **more)
    x, w = _state(system, n), _state(system, n + 1)
    rows, _ = evaluate.adjoint(system, x, np.eye(system.dimension))
    _assert_close(rows, naive.jacobian(lambda y: naive.value(system, y), x))
    single, by_number = evaluate.adjoint(system, x, w)
    _assert_close(single[0], w @ rows, 1e-12)
    _assert_close(by_number[0], w @ _by_numbers(system, x), 1e-9)


def _numbers(system):
    return system.model.lane_parameters(system.parameters)


def _difference(f, h=1e-3):
    """Fourth order: errs by h^4 f^(5) / 30 and eps / h, some 1e-12."""
    return (8.0 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12.0 * h)


def _by_numbers(system, x):
    """d f_i / d p_m (n, m) of the numbers, from naive values."""
    given = system.parameters
    columns = [
        _difference(lambda h, k=key: naive.value(system.with_(**{k: given[k] + h}), x)) for key in _numbers(system)
    ]
    return np.reshape(columns, (len(columns), system.dimension)).T


@pytest.mark.parametrize("n", (3, 20, 33))
@pytest.mark.parametrize(("name", "more"), PLAIN, ids=_id)
def test_directions_of_numbers(name, more, n):
    """D_x f q + D_p f dp."""
    system = naive.filled(_constructor(name), n, **more)
    x, q = _state(system, n), _state(system, n + 1)
    dp = np.linspace(0.5, 1.0, len(_numbers(system)))
    _, tangent, _ = evaluate.linearise(system, x, q, parameter_directions=dp[None])
    wanted = naive.jacobian(lambda y: naive.value(system, y), x) @ q + _by_numbers(system, x) @ dp
    _assert_close(tangent[0], wanted, 1e-9)


@pytest.mark.parametrize("n", (3, 20, 33))
@pytest.mark.parametrize(("name", "more"), PLAIN, ids=_id)
def test_higher_derivatives(name, more, n):
    """D^2 f [v, w] and D^3 f [v, w, w]: differences of the naive Jacobian along w."""
    system = naive.filled(_constructor(name), n, **more)
    x, v = _state(system, n), _state(system, n + 1)
    w = _state(system, n + 2) / math.sqrt(system.dimension)

    def along(h):
        return naive.jacobian(lambda y: naive.value(system, y), x + h * w) @ v

    _assert_close(evaluate.multilinear(system, x, [v, w]), _difference(along), 1e-9)
    h = 1e-2  # second difference of fourth order: h^4 f^(6) / 90 and eps / h^2
    stencil = np.array([-1, 16, -30, 16, -1]) / (12 * h * h)
    third = sum(c * along(h * i) for c, i in zip(stencil, (-2, -1, 0, 1, 2), strict=True))
    _assert_close(evaluate.multilinear(system, x, [v, w, w]), third, 1e-6)


@pytest.mark.parametrize("kind", ("flow", "map"))
def test_random_network(kind):
    """The seed's weights, in flows and maps, at sizes of both layouts; it survives pickling."""
    for n, seed in ((5, 0), (30, 3)):
        system = lk.random_network(n=n, gain=1.7, kind=kind, seed=seed)
        x = _state(system)
        assert system.kind == kind
        _assert_close(evaluate.value(system, x), naive.value(system, x))
        _assert_close(evaluate.jacobian_matrix(system, x), naive.jacobian(lambda y: naive.value(system, y), x))  # noqa: B023
        assert pickle.loads(pickle.dumps(system)) == system


# ------------------------------------------------------------------ kinds of matrices


def _low_rank(n, rank=2, seed=0):
    generator = np.random.default_rng([seed, n, rank])
    return matrices.LowRank(
        generator.uniform(-1, 1, n), generator.standard_normal((n, rank)), generator.standard_normal((rank, n)) / n
    )


def _forms(n, seed=0):
    """One matrix as LowRank, array and sparse."""
    low = _low_rank(n, seed=seed)
    full = low.toarray()
    return low, full, scipy.sparse.csr_array(full)


def _seen(system, seed=0):
    """Everything that kernels make of the matrices at a point."""
    x, frame = _state(system, seed), np.random.default_rng(seed).standard_normal((5, system.dimension))
    value, tangent, divergence = evaluate.linearise(system, x, frame, t=2.0)
    rows, by_number = evaluate.adjoint(system, x, frame, t=2.0)
    second = evaluate.multilinear(system, x, frame[:2], t=2.0)
    return [value, tangent, rows, by_number, second, np.array(divergence)]


def _assert_same(system, other):
    for one, two in zip(_seen(system), _seen(other), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12, atol=1e-12 * max(1.0, abs(np.nan_to_num(two)).max(initial=0)))


@pytest.mark.parametrize("n", (3, 8, 19, 20, 21, 64))
@pytest.mark.parametrize(("name", "key"), [("rnn_flow", "W"), ("rate_flow", "J"), ("rnn_map", "W"), ("rate_map", "J")])
def test_kinds_of_matrices(name, key, n):
    """Sparse = dense = low rank, and a truly sparse one with empty rows."""
    low, full, sparse = (_constructor(name)(b=0.3, **{key: form}) for form in _forms(n))
    _assert_same(low, full)
    _assert_same(sparse, full)
    matrix = scipy.sparse.random_array((n, n), density=0.2, rng=np.random.default_rng(n)).tolil()
    matrix[n // 2] = 0.0
    if name == "rnn_map":  # else its ln |det| is -inf
        matrix.setdiag(2.0)
    _assert_same(_constructor(name)(**{key: matrix.tocoo()}), _constructor(name)(**{key: matrix.toarray()}))


@pytest.mark.parametrize("n", (4, 22))
@pytest.mark.parametrize("reset", ("after", "before"))
def test_mixed_kinds(reset, n):
    """Every combination of kinds in the two matrices of which the GRU's divergence is made."""
    gate = np.random.default_rng(n).standard_normal((n, n))
    for candidate, recurrent in itertools.product(_forms(n, 1), _forms(n, 2)):
        system = lk.systems.gru_flow(Wz=gate, Wr=recurrent, Wh=candidate, br=0.2, reset=reset)
        full = system.with_(Wr=naive.dense(recurrent), Wh=naive.dense(candidate))
        _assert_same(system, full)


@pytest.mark.parametrize("n", (5, 26))
def test_rectangular_input_weights(n):
    """V sparse and dense, more inputs than units too."""
    for inputs in (1, 3, 11, 40):
        system = naive.filled(lk.systems.rnn_map, n, inputs=inputs)
        _assert_same(system.with_(V=scipy.sparse.csr_array(system.parameters["V"])), system)
        x, u = _state(system), system.parameters["input"][2]
        _assert_close(evaluate.value(system, x, t=2.0), naive.value(system, x, u))


# ------------------------------------------------------------------ inputs


@pytest.mark.parametrize("n", (4, 23))
@pytest.mark.parametrize("inputs", (1, 9))
def test_samples_of_an_array(inputs, n):
    """Held between samples, or on straight lines; at the samples themselves both are the array."""
    held = naive.filled(lk.systems.rnn_map, n, inputs=inputs, input_dt=0.25)
    linear, u = held.with_(interpolation="linear"), held.parameters["input"]
    x = _state(held)
    for t in (0.0, 0.1, 0.25, 1.0, 3.9, 7.6, 12.2):
        place, share = int(t // 0.25), t / 0.25 - t // 0.25
        between = (1 - share) * u[place] + share * u[min(place + 1, len(u) - 1)]
        _assert_close(evaluate.value(held, x, t=t), naive.value(held, x, u[place]))
        _assert_close(evaluate.value(linear, x, t=t), naive.value(held, x, between))


def _wave(t):
    return np.array([math.sin(t), 0.5 * math.cos(2.0 * t)])


@pytest.mark.parametrize("n", (4, 23))
def test_function_of_time(n):
    system = naive.filled(lk.systems.rnn_map, n, inputs=2, input=_wave)
    for t in (0.0, 0.7, 31.4):
        _assert_close(evaluate.value(system, _state(system), t=t), naive.value(system, _state(system), _wave(t)))


@pytest.mark.parametrize("n", (4, 23))
def test_driven_maps_step_by_step(n):
    """Iterate m sees sample m."""
    system = naive.filled(lk.systems.rnn_map, n, inputs=3)
    states = [system.initial_state]
    for u in system.parameters["input"][:40]:
        states.append(naive.value(system, states[-1], u))
    _assert_close(lk.trajectory(system, duration=40).state.values, np.array(states), 1e-12)


@pytest.mark.parametrize("way", ("hold", "linear", "function"))
@pytest.mark.parametrize("n", (4, 23))
def test_driven_flows_step_by_step(n, way):
    """rk4 reads a line or a function at its stages' times, a held sample once a step."""
    system = naive.filled(lk.systems.rate_flow, n, inputs=2, input_dt=0.5, scale=0.8)
    u, h, states = system.parameters["input"], 0.125, [system.initial_state]

    def line(t):
        return [np.interp(t, 0.5 * np.arange(len(u)), column) for column in u.T]

    if way == "function":
        system = system.with_(input=_wave)
    elif way == "linear":
        system = system.with_(interpolation=way)
    for m in range(120):
        held = u[m // 4]
        at = {"hold": lambda t, held=held: held, "linear": line, "function": _wave}[way]
        states.append(_rk4(lambda t, x, at=at: naive.value(system, x, np.array(at(t))), h * m, states[-1], h))
    ds = lk.trajectory(system, duration=120 * h, dt=h, method="rk4")
    _assert_close(ds.state.values, np.array(states), 1e-12)


def _rk4(f, t, x, h):
    k1 = f(t, x)
    k2 = f(t + h / 2, x + h / 2 * k1)
    k3 = f(t + h / 2, x + h / 2 * k2)
    k4 = f(t + h, x + h * k3)
    return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


# ------------------------------------------------------------------ refusals

EYE, NAN = np.eye(3), np.array([[1.0, 0.0], [0.0, np.nan]])


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("rnn_map", {"W": np.ones((3, 4))}, ["W", "(3, 4)", "(3, 3)"]),
        ("rate_flow", {"J": np.ones(3)}, ["J", "(3,)"]),
        ("gru_map", {"Wz": EYE, "Wr": EYE, "Wh": np.eye(4)}, ["Wh", "(4, 4)", "(3, 3)", "Wz"]),
        ("lstm_map", {f"W{g}": np.eye(2 + (g == "f")) for g in "ifgo"}, ["(3, 3)", "(2, 2)"]),
        ("rnn_map", {"W": EYE, "b": np.ones(4)}, ["b", "(4,)", "(3,)"]),
        ("rnn_map", {"W": EYE, "V": np.ones((4, 2)), "input": np.ones((5, 2))}, ["V", "(4, 2)", "(3, 2)", "(3, 3)"]),
        ("rnn_map", {"W": EYE, "V": np.ones((3, 2)), "input": np.ones((5, 4))}, ["input", "(5, 4)", "(time, 2)"]),
        ("rnn_map", {"W": EYE, "V": np.ones((3, 2))}, ["V", "input"]),
        ("rnn_map", {"W": EYE, "input": np.ones((5, 2))}, ["input", "V"]),
        ("rnn_map", {"W": NAN}, ["W", "nan", "[1, 1]"]),
        ("rnn_map", {"W": scipy.sparse.csr_array(NAN)}, ["W", "nan"]),
        ("rnn_map", {"W": matrices.LowRank([1.0, np.inf], np.ones((2, 1)), np.ones((1, 2)))}, ["W", "diagonal", "inf"]),
        ("rnn_map", {"W": EYE, "b": [0.0, np.inf, 0.0]}, ["b", "inf", "index 1"]),
        ("gru_flow", {"Wr": NAN}, ["Wr", "nan", "[1, 1]"]),
        ("rnn_map", {"W": EYE, "V": np.ones((3, 2)), "input": NAN}, ["input", "nan", "[1, 1]"]),
        ("rnn_map", {"activation": "swish"}, ["activation", "'swish'", "tanh", "hard_tanh"]),
        ("gru_map", {"reset": True}, ["reset", "True", "after", "before"]),
        ("rnn_map", {"interpolation": "cubic"}, ["interpolation", "'cubic'", "hold", "linear"]),
        ("rnn_map", {"input_dt": 0.0}, ["input_dt", "0.0", "above 0"]),
        ("rate_map", {"dt": np.nan}, ["dt", "nan", "finite"]),
        ("rnn_flow", {"w": EYE}, ["'w'", "W"]),
    ],
)  # fmt: skip
def test_refused(name, given, words):
    """The message names the argument, shows what was given and what is accepted."""
    with pytest.raises(ValueError) as caught:
        _constructor(name)(**given)
    missing = [word for word in words if word not in str(caught.value)]
    assert not missing, str(caught.value)


def test_index_of_a_bad_entry_of_a_sparse_matrix():
    """The place is the matrix's own (row, column), not that among the stored numbers."""
    with pytest.raises(ValueError, match=r"W: nan at index \[1, 1\]"):
        lk.systems.rnn_map(W=scipy.sparse.csr_array(NAN))
