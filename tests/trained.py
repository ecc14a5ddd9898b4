"""Made-up trained weights under the names that people have, and files of them, for the tests of `load_network`."""

import json

import numpy as np
import pytest

import lyapkit as lk

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


def keras_names(gates, bias=None, seed=0, prefix="", inputs=INPUTS):
    """Random weights under the names of SimpleRNN, GRU or LSTM."""
    rng = np.random.default_rng(seed)
    shapes = {"kernel": (inputs, gates * H), "recurrent_kernel": (H, gates * H), "bias": bias or (gates * H,)}
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
