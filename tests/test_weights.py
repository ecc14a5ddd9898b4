"""Trained networks as systems: PyTorch and Keras, step by step."""

import pickle

import numpy as np
import pytest
from trained import INPUTS, H, keras_names, pytorch_names

import lyapkit as lk
from lyapkit.systems.evaluate import jacobian_matrix, linearise, value

NO_TORCH = "PyTorch is not installed"

# --- against PyTorch ---


def check_against_torch(system, step, atol=1e-12):
    """One step at a random state and its Jacobian, against a function of tensors."""
    torch = pytest.importorskip("torch", reason=NO_TORCH)
    x = np.random.default_rng(5).normal(size=system.dimension)
    with torch.no_grad():
        expected = step(torch.tensor(x)).numpy()
    np.testing.assert_allclose(value(system, x), expected, rtol=0, atol=atol)
    expected = torch.autograd.functional.jacobian(step, torch.tensor(x)).numpy()
    np.testing.assert_allclose(jacobian_matrix(system, x), expected, rtol=0, atol=atol)


def torch_module(name, units=5, layers=1, **keywords):
    """(module in double precision, its input, a step of the state that `load_network` documents)."""
    torch = pytest.importorskip("torch", reason=NO_TORCH)
    torch.manual_seed(0)
    deep = {} if name.endswith("Cell") else {"num_layers": layers}
    module = getattr(torch.nn, name)(INPUTS, units, dtype=torch.float64, **deep, **keywords)
    u = np.array([[0.7, -1.2]])
    row = torch.tensor(u)

    def step(x):
        if name == "LSTMCell":
            return torch.cat(module(row[0], (x[:units], x[units:])))
        if name.endswith("Cell"):
            return module(row[0], x)
        if name == "LSTM":
            h, c = x.reshape(layers, 2, units).unbind(1)
            return torch.stack(module(row, (h.contiguous(), c.contiguous()))[1], 1).reshape(-1)
        return module(row, x.reshape(layers, units))[1].reshape(-1)

    return module, u, step


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("units", [4, 13])  # by lanes, and spread over them
@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_step_and_jacobian_of_pytorch(name, units, layers):
    module, u, step = torch_module(name, units, layers)
    system = lk.load_network(module.state_dict(), input=u)
    stacked = "stacked_" if layers > 1 else ""
    assert system.name == f"{stacked}{name.lower()}_map"
    assert system.dimension == layers * units * (2 if name == "LSTM" else 1)
    check_against_torch(system, step)


@pytest.mark.parametrize("layers", [1, 2])
def test_relu_network_of_pytorch(layers):
    module, u, step = torch_module("RNN", layers=layers, nonlinearity="relu")
    check_against_torch(lk.load_network(module.state_dict(), "rnn_relu", input=u), step)


@pytest.mark.parametrize("name", ["RNNCell", "GRUCell", "LSTMCell"])
def test_cells_of_pytorch(name):
    module, u, step = torch_module(name)
    system = lk.load_network({f"model.cell.{k}": v for k, v in module.named_parameters()}, input=u)
    check_against_torch(system, step)


def test_relu_cell_of_pytorch():
    module, u, step = torch_module("RNNCell", nonlinearity="relu")
    check_against_torch(lk.load_network(module.state_dict(), cell="rnn_relu", input=u), step)


def test_gru_of_pytorch_without_bias():
    module, u, step = torch_module("GRU", bias=False)
    check_against_torch(lk.load_network(module.state_dict(), input=u), step)


@pytest.mark.parametrize("name", ["RNN", "GRU"])
@pytest.mark.parametrize("layers", [1, 2])
def test_flow_is_the_map_less_the_state(name, layers):
    """At unit time constants x' = f(x) - x; every layer reads the current state of the one below."""
    torch = pytest.importorskip("torch", reason=NO_TORCH)
    module, u, _ = torch_module(name, layers=layers)
    system = lk.load_network(module.state_dict(), kind="flow", input=u)
    cells = [getattr(torch.nn, f"{name}Cell")(n, 5, dtype=torch.float64) for n in (INPUTS, 5)[:layers]]
    for layer, cell in enumerate(cells):
        cell.load_state_dict({k: module.state_dict()[f"{k}_l{layer}"] for k in cell.state_dict()})

    def rate(x):
        states = x.reshape(layers, 5)
        inputs = [torch.tensor(u[0]), *states]
        return torch.cat([cell(i, h) - h for cell, i, h in zip(cells, inputs, states, strict=False)])

    check_against_torch(system, rate)
    x = np.random.default_rng(6).normal(size=system.dimension)
    trace = np.trace(jacobian_matrix(system, x))
    np.testing.assert_allclose(linearise(system, x, np.eye(len(x)))[2], trace, atol=1e-12)


def test_safetensors_of_pytorch(tmp_path):
    torch = pytest.importorskip("torch", reason=NO_TORCH)
    save = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")
    module, _, _ = torch_module("GRU")
    save.save_file(module.state_dict(), tmp_path / "gru.safetensors")
    assert lk.load_network(tmp_path / "gru.safetensors") == lk.load_network(module.state_dict())
    half = module.to(torch.bfloat16).state_dict()
    save.save_file(half, tmp_path / "half.safetensors")
    with pytest.warns(UserWarning, match="bfloat16, converted to float64"):
        from_file = lk.load_network(tmp_path / "half.safetensors")
    with pytest.warns(UserWarning, match="bfloat16, converted to float64"):
        assert from_file == lk.load_network(half)
    np.testing.assert_array_equal(from_file.parameters["Wr"], half["weight_hh_l0"][:5].double().numpy())


# --- Keras, from the equations of its documentation; units are columns ---


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def keras_gru_step(w, u, h):
    """GRU: gates z, r, h; bias (2, 3H) means reset_after, the recurrent bias inside the reset's product."""
    into, within = w["bias"] if w["bias"].ndim == 2 else (w["bias"], np.zeros(3 * H))
    xz, xr, xh = np.split(u @ w["kernel"] + into, 3)
    hz, hr, _ = np.split(h @ w["recurrent_kernel"] + within, 3)
    z, r = sigmoid(xz + hz), sigmoid(xr + hr)
    last = w["recurrent_kernel"][:, 2 * H :]
    candidate = np.tanh(xh + (r * (h @ last + within[2 * H :]) if w["bias"].ndim == 2 else (r * h) @ last))
    return z * h + (1 - z) * candidate


def keras_lstm_step(w, u, state):
    """LSTM: gates i, f, c, o."""
    h, c = np.split(state, 2)
    i, f, g, o = np.split(u @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"], 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return np.concatenate([sigmoid(o) * np.tanh(c), c])


def keras_rnn_step(w, u, h):
    """SimpleRNN."""
    return np.tanh(u @ w["kernel"] + w["bias"] + h @ w["recurrent_kernel"])


@pytest.mark.parametrize(
    "step, gates, bias",
    [
        (keras_rnn_step, 1, None),
        (keras_gru_step, 3, (2, 3 * H)),
        (keras_gru_step, 3, (3 * H,)),
        (keras_lstm_step, 4, None),
    ],
)
def test_step_of_keras(step, gates, bias):
    w, u = keras_names(gates, bias), np.array([0.4, -0.9])
    named = {f"net/cell/{name}:0": array for name, array in w.items()}
    system = lk.load_network(named, input=u[None])
    x = np.random.default_rng(3).normal(size=system.dimension)
    np.testing.assert_allclose(value(system, x), step(w, u, x), rtol=0, atol=1e-14)


@pytest.mark.parametrize("first, second", [("gru_2/gru_cell_2/", "gru_10/gru_cell_10/"), ("net/gru/", "net/gru_1/")])
def test_layers_of_keras(first, second):
    """In the order of their numbers, whatever that of the mapping; the second reads the new state of the first."""
    low, high = keras_names(3, (2, 3 * H)), keras_names(3, (2, 3 * H), seed=1, inputs=H)
    named = {f"{second}{k}": v for k, v in high.items()} | {f"{first}{k}": v for k, v in low.items()}
    u, x = np.array([0.4, -0.9]), np.random.default_rng(3).normal(size=2 * H)
    below = keras_gru_step(low, u, x[:H])
    expected = np.concatenate([below, keras_gru_step(high, below, x[H:])])
    np.testing.assert_allclose(value(lk.load_network(named, input=u[None]), x), expected, rtol=0, atol=1e-14)


def test_cells_with_a_prefix_each_are_layers():
    w = pytorch_names(3, layers=2)
    cells = {f"cells.{name[-1]}.{name[:-3]}": array for name, array in w.items()}
    assert lk.load_network(cells) == lk.load_network(w)


def test_keras_without_bias_resets_after_the_product():
    w = keras_names(3, (2, 3 * H))
    w["bias"][:] = 0
    without = {name: array for name, array in w.items() if name != "bias"}
    assert lk.load_network(without) == lk.load_network(w)
    assert lk.load_network(without).parameters["reset"] == "after"


# --- what the systems are ---


def test_single_layer_is_the_built_in_system():
    w = pytorch_names(3, prefix="rnn.")
    W, b, c = (w[f"rnn.{name}_l0"] for name in ("weight_hh", "bias_ih", "bias_hh"))
    expected = lk.systems.gru_map(
        Wr=W[:H], Wz=W[H : 2 * H], Wh=W[2 * H :], br=b[:H] + c[:H], bz=b[H : 2 * H] + c[H : 2 * H],
        bn=b[2 * H :], bh=c[2 * H :],
    )  # fmt: skip
    assert lk.load_network(w) == expected


@pytest.mark.parametrize("gates, name", [(1, "rnn_map"), (3, "gru_map"), (4, "lstm_map")])
def test_cell_is_guessed_from_the_shapes(gates, name):
    assert lk.load_network(pytorch_names(gates)).name == name
    assert lk.load_network(pytorch_names(gates, layers=3)).name == f"stacked_{name}"
    assert lk.load_network(keras_names(gates)).name == name


def test_stacked_networks_of_the_same_weights_are_equal():
    w = pytorch_names(3, layers=2)
    system = lk.load_network(w)
    assert system == lk.load_network(w) and system.parameters["Vz0"] is None
    assert system != lk.load_network(pytorch_names(3, layers=2, seed=1))
    np.testing.assert_array_equal(system.parameters["Vr1"], w["weight_ih_l1"][:H])
    assert pickle.loads(pickle.dumps(system)) == system


def test_without_input_it_is_zero():
    w = pytorch_names(1, layers=2)
    x = np.random.default_rng(0).normal(size=2 * H)
    expected = value(lk.load_network(w, input=np.zeros((1, INPUTS))), x)
    np.testing.assert_allclose(value(lk.load_network(w), x), expected, rtol=0, atol=1e-15)


def test_layers_may_differ_in_size():
    w = {"weight_ih_l0": np.ones((2, 1)), "weight_hh_l0": np.eye(2)}
    w |= {"weight_ih_l1": np.full((3, 2), 0.5), "weight_hh_l1": np.eye(3)}
    x = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    low = np.tanh(x[:2])
    high = np.tanh(x[2:] + 0.5 * low.sum())
    np.testing.assert_allclose(value(lk.load_network(w), x), [*low, *high], atol=1e-15)


def test_spectrum_of_a_stack_at_its_fixed_point():
    """At 0 the Jacobian is block triangular: the exponents are ln of the layers' own eigenvalues."""
    w = {"weight_ih_l0": np.ones((2, 1)), "weight_hh_l0": np.diag([0.9, 0.5])}
    w |= {"weight_ih_l1": np.full((2, 2), 0.5), "weight_hh_l1": np.diag([0.7, 0.3])}
    ds = lk.lyapunov_spectrum(lk.load_network(w), transient=400, duration=200)
    np.testing.assert_allclose(ds.lyapunov_exponent, np.log([0.9, 0.7, 0.5, 0.3]), atol=1e-9)
