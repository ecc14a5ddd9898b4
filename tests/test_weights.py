"""Trained networks: weights of PyTorch and Keras as systems, and what is refused."""

import json
import math
import time
import warnings

import numpy as np
import pytest

import lyapkit as lk
from lyapkit import cli
from lyapkit.systems.evaluate import jacobian_matrix, linearise, value

NO_TORCH = "PyTorch is not installed"
H, INPUTS = 3, 2
GATES = {"rnn": 1, "rnn_relu": 1, "gru": 3, "lstm": 4}


def pytorch_names(gates, layers=1, seed=0, units=H, prefix=""):
    """Random weights under the names of nn.RNN, nn.GRU or nn.LSTM."""
    rng, named = np.random.default_rng(seed), {}
    for layer in range(layers):
        shapes = {"weight_ih": (gates * units, units if layer else INPUTS), "weight_hh": (gates * units, units)}
        shapes |= dict.fromkeys(("bias_ih", "bias_hh"), (gates * units,))
        named |= {f"{prefix}{role}_l{layer}": rng.normal(size=shape) for role, shape in shapes.items()}
    return named


def keras_names(gates, bias=None, seed=0, prefix=""):
    """Random weights under the names of SimpleRNN, GRU or LSTM."""
    rng = np.random.default_rng(seed)
    shapes = {"kernel": (INPUTS, gates * H), "recurrent_kernel": (H, gates * H), "bias": bias or (gates * H,)}
    return {f"{prefix}{role}": rng.normal(size=shape) for role, shape in shapes.items()}


def safetensors_bytes(arrays):
    """A file of {name: (dtype, shape, bytes)}, written from the format's description."""
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, (dtype, shape, content) in arrays.items():
        offsets = [len(data), len(data) + len(content)]
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": offsets}
        data += content
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def in_f64(arrays):
    return {name: ("F64", array.shape, array.tobytes()) for name, array in arrays.items()}


def refusal(weights, error=ValueError, **keywords):
    """The one-line message with which they are refused."""
    with pytest.raises(error) as caught:
        lk.load_network(weights, **keywords)
    assert "\n" not in str(caught.value) and "accepted: " in str(caught.value)
    return str(caught.value)


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


# --- files ---


def test_files_and_mappings_are_the_same(tmp_path):
    w = pytorch_names(3, layers=2)
    np.savez(tmp_path / "w.npz", **w)
    np.savez_compressed(tmp_path / "c.npz", **{k: np.asfortranarray(v) for k, v in w.items()})
    (tmp_path / "w.safetensors").write_bytes(safetensors_bytes(in_f64(w)))
    expected = lk.load_network(w)
    for name in ("w.npz", "c.npz", "w.safetensors"):
        assert lk.load_network(str(tmp_path / name)) == expected


def test_half_precision_is_converted_and_said(tmp_path):
    w = pytorch_names(1)
    halves = {name: array.astype(np.float16) for name, array in w.items()}
    names = "weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0"
    with pytest.warns(UserWarning, match=f"{names} of dtype float16, converted to float64") as caught:
        system = lk.load_network(halves)
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(system.parameters["W"], halves["weight_hh_l0"].astype(float))
    upper = {k: (a.astype("<f4").view("<u4") >> 16).astype("<u2") for k, a in w.items()}
    path = tmp_path / "b.safetensors"
    path.write_bytes(safetensors_bytes({k: ("BF16", a.shape, a.tobytes()) for k, a in upper.items()}))
    with pytest.warns(UserWarning, match=f"{names} of dtype bfloat16, converted"):
        system = lk.load_network(path)
    np.testing.assert_allclose(system.parameters["W"], w["weight_hh_l0"], rtol=2**-7)
    assert np.abs(system.parameters["W"] - w["weight_hh_l0"]).max() > 1e-4  # 8 bits are all it has


def test_bfloat16_as_ml_dtypes_has_it(tmp_path):
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed")
    halves = {name: array.astype(ml_dtypes.bfloat16) for name, array in pytorch_names(1).items()}
    path = tmp_path / "b.safetensors"
    path.write_bytes(safetensors_bytes({k: ("BF16", a.shape, a.tobytes()) for k, a in halves.items()}))
    with pytest.warns(UserWarning, match="bfloat16"):
        from_file = lk.load_network(path)
    with pytest.warns(UserWarning, match="bfloat16"):
        assert from_file == lk.load_network(halves)
    np.testing.assert_array_equal(from_file.parameters["W"], halves["weight_hh_l0"].astype(float))


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
def test_damaged_files_are_refused(tmp_path, ending):
    """Cut off anywhere, or with any one byte of the first 700 changed: read in the same moment, or refused."""
    w, path = pytorch_names(1), tmp_path / f"w.{ending}"
    np.savez(path, **w) if ending == "npz" else path.write_bytes(safetensors_bytes(in_f64(w)))
    content = path.read_bytes()
    begun = time.monotonic()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        assert str(path) in refusal(path)
    for at in range(min(700, len(content))):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x15]) + content[at + 1 :])
        try:
            lk.load_network(path)
        except (ValueError, TypeError) as error:
            assert "\n" not in str(error) and "accepted: " in str(error)
    assert time.monotonic() - begun < 60


def header_of(entry):
    text = entry if isinstance(entry, bytes) else json.dumps(entry).encode()
    return len(text).to_bytes(8, "little") + text + b"\0" * 16


@pytest.mark.parametrize(
    "content, said",
    [
        ((2**63).to_bytes(8, "little") + b"{}", "a header of 9223372036854775808 bytes in a file of 10"),
        (header_of(b"[" * 100000), "damaged .safetensors header"),
        (header_of([1]), "a JSON object"),
        (header_of({"a": 3}), "a of dtype None"),
        (header_of({"a": {"dtype": "F8_E5M2", "shape": [16], "data_offsets": [0, 16]}}), "F8_E5M2"),
        (header_of({"a": {"dtype": "F64", "shape": [10**12], "data_offsets": [0, 16]}}), "16 bytes"),
        (header_of({"a": {"dtype": "F64", "shape": [-2, -1], "data_offsets": [0, 16]}}), "16 bytes"),
        (header_of({"a": {"dtype": "F64", "shape": [2.0], "data_offsets": [0, 16]}}), "16 bytes"),
        (header_of({"a": {"dtype": "F64", "shape": [2], "data_offsets": [0, 10**15]}}), "accepted: from 0 on"),
        (header_of({"a": {"dtype": "F64", "shape": [1], "data_offsets": [8, 16]}}), "accepted: from 0 on"),
        (header_of({"a": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}}), "16 bytes of arrays"),
        (header_of({"a": {"dtype": "F64", "shape": [2], "data_offsets": "0:16"}}), "two data_offsets"),
        (
            header_of({n: {"dtype": "F64", "shape": [2], "data_offsets": [0, 16]} for n in "ab"}),
            "accepted: from 16 on",
        ),
    ],
)
def test_headers_of_safetensors_are_not_believed(tmp_path, content, said):
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    assert said in refusal(path)


def test_no_pickle_is_loaded(tmp_path):
    np.savez(tmp_path / "o.npz", weight_hh_l0=np.array([{}, 1], dtype=object))
    assert "weight_hh_l0 holds objects" in refusal(tmp_path / "o.npz")
    for ending in ("pt", "pth", "ckpt", "bin", "pkl"):
        message = refusal(tmp_path / f"model.{ending}")
        assert 'save_file(model.state_dict(), "model.safetensors")' in message
    assert "'.h5'" in refusal("model.h5") and "''" in refusal("model")
    assert "given int" in refusal(3, TypeError)
    with pytest.raises(FileNotFoundError):
        lk.load_network(tmp_path / "none.npz")


# --- weights that do not fit ---


def changed(weights, **changes):
    """A copy with some arrays exchanged, or left out where None."""
    return {name: array for name, array in (weights | changes).items() if array is not None}


PYTORCH_GRU, KERAS_GRU = pytorch_names(3, layers=2), keras_names(3)


@pytest.mark.parametrize(
    "weights, said",
    [
        (changed(PYTORCH_GRU, bias_hh_l0=None, weight_ih_l1=None), "missing: bias_hh_l0, weight_ih_l1"),
        (PYTORCH_GRU | {"fc.weight": 0, "fc.bias": 0}, "extra: fc.weight, fc.bias"),
        (changed(PYTORCH_GRU, bias_hh_l1=None, head=0), "missing: bias_hh_l1; extra: head"),
        (changed(KERAS_GRU, kernel=None, gamma=0), "missing: kernel; extra: gamma"),
        (KERAS_GRU | {"kernel:0": 0}, "extra: kernel:0"),
        (pytorch_names(1) | {"weight_hh_l7": 0}, "given the layers _l0, _l7"),
        ({"fc.weight": 0, "fc.bias": 0}, "among the names fc.weight, fc.bias"),
        ({}, "among the names (none)"),
        (PYTORCH_GRU | pytorch_names(1, prefix="b."), "prefixes '', 'b.'"),
        (PYTORCH_GRU | {"weight_hh_l0_reverse": 0}, "bidirectional weights: given weight_hh_l0_reverse"),
        ({f"b/backward_gru/{k}": v for k, v in KERAS_GRU.items()}, "given b/backward_gru/kernel"),
        (PYTORCH_GRU | {"weight_hr_l0": 0}, "projected weights: given weight_hr_l0"),
        (
            changed(PYTORCH_GRU, weight_hh_l0=np.ones((8, 3))),
            "weight_hh_l0: given shape (8, 3), accepted: (3, 3) (rnn), (9, 3) (gru) or (12, 3) (lstm)",
        ),
        (changed(PYTORCH_GRU, weight_hh_l0=np.ones(9)), "given shape (9,), accepted: (1 H, H) (rnn)"),
        (changed(KERAS_GRU, recurrent_kernel=np.ones((3, 8))), "given shape (3, 8), accepted: (3, 3) (rnn)"),
        (
            changed(PYTORCH_GRU, weight_ih_l0=np.ones((8, 2))),
            "given shape (8, 2), accepted: (9, n_inputs), to go with weight_hh_l0 of shape (9, 3)",
        ),
        (
            changed(PYTORCH_GRU, weight_ih_l1=np.ones((9, 4))),
            "(9, 4), accepted: (9, 3), to go with weight_hh_l1 of shape (9, 3) and weight_hh_l0 of shape (9, 3)",
        ),
        (changed(PYTORCH_GRU, bias_hh_l1=np.ones(3)), "bias_hh_l1: given shape (3,), accepted: (9,)"),
        (changed(KERAS_GRU, bias=np.ones((3, 9))), "bias: given shape (3, 9), accepted: (2, 9) or (9,)"),
        (changed(KERAS_GRU, kernel=np.ones((9, 2))), "given shape (9, 2), accepted: (n_inputs, 9)"),
        (changed(PYTORCH_GRU, weight_hh_l1=np.eye(3)), "weight_hh_l1: given shape (3, 3), accepted: (9, 3)"),
    ],
)
def test_names_and_shapes_that_do_not_fit(weights, said):
    assert said in refusal(weights)


def test_cell_that_is_not_there():
    assert "weight_hh_l0: given shape (9, 3), accepted: (12, 3) for cell='lstm'" in refusal(PYTORCH_GRU, cell="lstm")
    assert "(3, 9), accepted: (3, 3) for cell='rnn_relu'" in refusal(KERAS_GRU, cell="rnn_relu")
    assert "cell: given 'GRU'" in refusal(PYTORCH_GRU, cell="GRU")
    assert "kind: given 'ode', accepted: map, flow" in refusal(PYTORCH_GRU, kind="ode")
    assert "kind: given 'flow' for an LSTM" in refusal(pytorch_names(4), kind="flow")
    assert "accepted: (time, 2)" in refusal(PYTORCH_GRU, input=np.zeros((4, 3)))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_numbers_that_are_not_finite(bad):
    w = pytorch_names(1)
    w["weight_hh_l0"][2, 1] = bad
    assert f"weight_hh_l0: {bad} at index [2, 1]" in refusal(w)


@pytest.mark.parametrize(
    "array, said",
    [
        (np.eye(3) * 1j, "given dtype complex128"),
        (np.eye(3) > 0, "given dtype bool"),
        (np.full((3, 3), None), "given dtype object"),
        ([["a"]], "given dtype str32"),
        ([[1.0], [2.0, 3.0]], "weight_hh_l0: given list"),
    ],
)
def test_arrays_of_other_things(array, said):
    assert said in refusal(pytorch_names(1) | {"weight_hh_l0": array}, TypeError)
    assert "given the name 3" in refusal({3: 1.0}, TypeError)


def test_lists_and_integers_are_accepted():
    w = {"weight_ih": [[1], [2]], "weight_hh": [[0, 1], [1, 0]]}
    with warnings.catch_warnings(action="error"):
        np.testing.assert_array_equal(lk.load_network(w).parameters["W"], [[0.0, 1.0], [1.0, 0.0]])


# --- the command line ---


def test_spectrum_of_weights_on_the_command_line(capsys, tmp_path):
    w, path = pytorch_names(3), tmp_path / "model.safetensors"
    path.write_bytes(safetensors_bytes(in_f64(w)))
    code = cli.main(["spectrum", "--weights", str(path), "--cell", "gru", "--duration", "200", "--quiet"])
    printed = [line.split()[1] for line in capsys.readouterr().out.splitlines()[1 : 1 + H]]
    ds = lk.lyapunov_spectrum(lk.load_network(w), duration=200)
    assert code == cli.OK
    np.testing.assert_allclose(np.array(printed, dtype=float), ds.lyapunov_exponent, rtol=1e-11)


@pytest.mark.parametrize(
    "words, said",
    [
        ([], "system: not given"),
        (["gru_map", "--weights", "w.npz"], "system: given 'gru_map' and --weights"),
        (["gru_map", "--cell", "gru"], "--cell: given without --weights"),
        (["--weights", "w.pt"], "never loaded"),
        (["--weights", "missing.npz"], "missing.npz"),
    ],
)
def test_mistakes_on_the_command_line(capsys, words, said):
    assert cli.main(["spectrum", *words]) == cli.USAGE
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
