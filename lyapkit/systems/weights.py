"""`load_network`: trained networks of PyTorch and Keras as systems, from .npz, .safetensors or mappings."""

import functools
import io
import json
import math
import os
import pathlib
import warnings
import zipfile
from collections.abc import Mapping

import numpy as np

from lyapkit import systems
from lyapkit.systems.inputs import INPUT
from lyapkit.systems.network import network_model
from lyapkit.systems.system import System
from lyapkit.systems.weight_names import GATES, assign_names, read_layers

_PICKLES = (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle")
_SAVE = 'from safetensors.torch import save_file; save_file(model.state_dict(), "model.safetensors")'
_MOST_AXES = 8  # of an array in a file; more is a damaged header
# dtypes of safetensors -> those of NumPy; a bfloat16 is the upper half of a float32
_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "BOOL": "?",
    **{f"{letter.upper()}{8 * size}": f"<{letter}{size}" for letter in "iu" for size in (1, 2, 4, 8)},
}  # fmt: skip


def load_network(
    path_or_mapping, cell=None, kind="map", *, prefix=None, input=None, input_dt=1.0, interpolation="hold"
):
    """A trained recurrent network as a system: weights of PyTorch or Keras, from a file or a mapping.

    path_or_mapping: a file .npz or .safetensors, or a mapping name -> array such as `model.state_dict()`, with one
        recurrent network's names alone. PyTorch (nn.RNN, nn.GRU, nn.LSTM and their Cells): weight_ih_l0
        (gates H, n_inputs), weight_hh_l0 (gates H, H), bias_ih_l0, bias_hh_l0 (gates H,), ..._l1 and so on, in a
        Cell without _l0. Keras (SimpleRNN, GRU, LSTM): kernel (n_inputs, gates H), recurrent_kernel (H, gates H),
        bias (gates H,), or (2, 3 H) of a GRU with reset_after=True, which is also taken where there is no bias.
        All names may share a prefix ("rnn.", "gru/gru_cell/"); prefixes that differ in numbers alone ("gru/",
        "gru_1/", or "cells.0.", "cells.1.") are layers in that order.
    cell: "rnn" (tanh), "rnn_relu", "gru" or "lstm"; None guesses it from the shapes, of the first two "rnn".
    kind: "map", the network as trained; "flow", its continuous form (`rnn_flow`, `gru_flow`; no LSTM has one).
    prefix: take only names that begin with this, such as "rnn." of a model that has other layers besides.
    input, input_dt, interpolation: as of the built-in systems. Without an input it is zero, and the first layer's
        input weights are left out.

    One layer gives `rnn_map`, `gru_map`, `lstm_map`, `rnn_flow` or `gru_flow`. Several give one system
    "stacked_<that name>", whose state is that of the layers one after the other (an LSTM's h and c of layer 0, then
    of layer 1) and whose parameters carry the layer's number, as Wz0. Layer l reads the new state of layer l - 1,
    in a flow the current one.

    Weights of half precision are converted with a UserWarning. ValueError and TypeError name what does not fit:
    names, shapes, numbers that are not finite, damaged files. Pickles (.pt, .npz with objects) are never loaded.

    Sources: the equations and names in PyTorch's documentation of nn.RNN, nn.GRU, nn.LSTM, and in Keras' of
    SimpleRNN, GRU, LSTM; the file format at https://huggingface.co/docs/safetensors.

    >>> import numpy as np, lyapkit as lk
    >>> weights = {"rnn.weight_ih_l0": np.ones((2, 1)), "rnn.weight_hh_l0": np.eye(2)}
    >>> lk.load_network(weights, cell="rnn_relu").parameters["activation"]
    'relu'
    >>> lk.load_network(weights, input=np.zeros(5)).parameters["V"].shape
    (2, 1)
    """
    _check_word("cell", cell, (None, *GATES))
    _check_word("kind", kind, ("map", "flow"))
    stored = _chosen(_read(path_or_mapping), prefix)
    convention, places = assign_names(list(stored))
    arrays = _in_double({name: stored[name] for roles in places for name in roles.values()})
    cell, layers = read_layers(convention, places, arrays, cell)
    if (cell, kind) == ("lstm", "flow"):
        raise ValueError("kind: given 'flow' for an LSTM, accepted: 'map' (an LSTM has no continuous form here)")
    single = getattr(systems, f"{cell.removesuffix('_relu')}_{kind}").model
    model = single if len(layers) == 1 else _stacked_model(single.name, len(layers))
    numbers = [""] if model is single else range(len(layers))
    parameters = {"input": input, "input_dt": input_dt, "interpolation": interpolation, **_options(cell, layers)}
    for number, layer in zip(numbers, layers, strict=True):
        parameters |= {f"{name}{number}": array for name, array in _arrays_of(cell, layer).items()}
    if input is None:
        parameters |= {name: None for name, (_, columns) in model.matrices.items() if columns == "input"}
    return System(model, parameters)


def _chosen(stored, prefix):
    """The arrays whose names begin with the prefix."""
    if prefix is None:
        return stored
    chosen = {name: entry for name, entry in stored.items() if isinstance(prefix, str) and name.startswith(prefix)}
    if not chosen:
        raise ValueError(f"prefix: given {prefix!r}, accepted: the beginning of {', '.join(stored) or '(no names)'}")
    return chosen


def _check_word(name, value, accepted):
    if value not in accepted:
        raise ValueError(f"{name}: given {value!r}, accepted: {', '.join(map(str, accepted))}")


def _options(cell, layers):
    if cell == "gru":
        return {"reset": layers[0].reset}
    return {} if cell == "lstm" else {"activation": "relu" if cell == "rnn_relu" else "tanh"}


def _arrays_of(cell, layer):
    """A layer's matrices and vectors by their names in the built-in systems."""
    V, W, into, within = map(layer.blocks, ("input_weights", "recurrent_weights", "input_bias", "recurrent_bias"))
    b = {gate: into[gate] + within[gate] for gate in layer.order}
    if cell == "lstm":
        return {f"{letter}{g}": part[g] for letter, part in (("W", W), ("V", V), ("b", b)) for g in layer.order}
    if cell != "gru":
        return {"W": W["n"], "V": V["n"], "b": b["n"]}
    return {
        "Wz": W["z"], "Wr": W["r"], "Wh": W["n"], "Vz": V["z"], "Vr": V["r"], "Vn": V["n"],
        "bz": b["z"], "br": b["r"], "bn": into["n"], "bh": within["n"],
    }  # fmt: skip


@functools.cache  # one model for all networks of a form, so that equal networks are equal systems
def _stacked_model(name, layers):
    """The model of several layers of a built-in network, each the input of the next."""
    single = getattr(systems, name).model
    by_layer = [p for p in single.defaults if p in single.matrices or p in single.vectors]
    shared = {p: d for p, d in single.defaults.items() if p not in by_layer and p not in INPUT}
    width = len(single.components)

    def rule(*state, **parameters):
        *state, below = state
        outputs = []
        for layer in range(layers):
            own = state[layer * width : (layer + 1) * width]
            arrays = {p: parameters[f"{p}{layer}"] for p in by_layer}
            result = single.rule(*own, below, **arrays, **{p: parameters[p] for p in shared})
            outputs += result if isinstance(result, tuple) else [result]
            below = outputs[-width] if single.kind == "map" else own[0]
        return tuple(outputs)

    components = {f"{c}{layer}": f"{space}{layer}" for layer in range(layers) for c, space in single.components.items()}
    matrices = {
        f"{p}{layer}": (f"{rows}{layer}", _columns_in_stack(single, columns, layer))
        for layer in range(layers)
        for p, (rows, columns) in single.matrices.items()
    }
    vectors = {f"{p}{layer}": f"{space}{layer}" for layer in range(layers) for p, space in single.vectors.items()}
    defaults = {f"{p}{layer}": _default_in_stack(single, p, layer) for layer in range(layers) for p in by_layer}
    equation = f"{layers} layers, u of each the {'new' if single.kind == 'map' else 'current'} state of the one below"
    return network_model(
        rule, f"stacked_{name}", single.kind, f"{equation}: {single.equation}", components, matrices, vectors,
        single.options, single.dt, defaults | shared, pickled=(stacked, (name, layers)),
    )  # fmt: skip


def stacked(name, layers, parameters):
    """A stack of so many layers of a built-in network, made again from its pickle."""
    return System(_stacked_model(name, layers), parameters)


def _columns_in_stack(single, columns, layer):
    """The space that a layer's matrix acts on; of input weights the state below."""
    if columns != "input":
        return f"{columns}{layer}"
    return "input" if layer == 0 else f"{next(iter(single.components.values()))}{layer - 1}"


def _default_in_stack(single, name, layer):
    """A single layer's default; input weights from the layer below are square and the recurrent ones' like."""
    between = layer and name in single.matrices and single.matrices[name][1] == "input"
    return single.defaults[next(iter(single.matrices)) if between else name]


def _in_double(stored):
    """Arrays by name as float64, from (name of the dtype, array); refuses what is not finite, says what was half."""
    halves, arrays = {}, {}
    for name, (dtype, array) in stored.items():
        if dtype in ("float16", "bfloat16"):
            halves.setdefault(dtype, []).append(name)
        elif dtype not in ("float32", "float64") and array.dtype.kind not in "iu":
            raise TypeError(f"{name}: given dtype {dtype}, accepted: float64, float32, float16, bfloat16, integers")
        arrays[name] = array.astype(float)
        bad = np.argwhere(~np.isfinite(arrays[name]))
        if len(bad):
            value = arrays[name][tuple(bad[0])]
            raise ValueError(f"{name}: {value} at index {bad[0].tolist()}, accepted: finite numbers")
    for dtype, names in halves.items():
        message = f"weights: {', '.join(names)} of dtype {dtype}, converted to float64"
        warnings.warn(message, UserWarning, stacklevel=3)  # the line that calls load_network
    return arrays


def _read(source):
    """Name -> (name of the dtype, array) of a file or a mapping."""
    if isinstance(source, Mapping):
        return {_checked_name(name): _described(name, value) for name, value in source.items()}
    if not isinstance(source, str | os.PathLike):
        raise TypeError(
            f"path_or_mapping: given {type(source).__name__}, accepted: a path (.npz, .safetensors) or a mapping "
            "name -> array such as model.state_dict()"
        )
    path = pathlib.Path(source)
    ending = path.suffix.lower()
    if ending in _PICKLES:
        raise ValueError(f"{path}: a {ending} file is a pickle, which is never loaded; accepted: save it with {_SAVE}")
    if ending not in (".npz", ".safetensors"):
        raise ValueError(f"{path}: given the ending {ending!r}, accepted: .npz, .safetensors, or a mapping")
    return (_read_npz if ending == ".npz" else _read_safetensors)(path, path.read_bytes())


def _checked_name(name):
    if not isinstance(name, str):
        raise TypeError(f"path_or_mapping: given the name {name!r}, accepted: names that are strings")
    return name


def _described(name, value):
    """(name of the dtype, array) of an array, a tensor of PyTorch, or lists of numbers."""
    dtype = None
    if hasattr(value, "detach"):  # a tensor, perhaps one that has a gradient or is on another device
        value = value.detach().cpu()
        dtype = str(value.dtype).removeprefix("torch.")
        value = value.float() if dtype == "bfloat16" else value  # NumPy has none
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: given {type(value).__name__}, accepted: an array of real numbers") from None
    return dtype or array.dtype.name, array


def _read_npz(path, content):
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {info.filename: archive.read(info) for info in archive.infolist()}
    except Exception as error:  # zipfile has no end of ways to fail in damaged archives
        raise ValueError(f"{path}: damaged .npz file ({_first_line(error)}), accepted: one of numpy.savez") from None
    names = {member: member.removesuffix(".npy") for member in members}
    return {name: _read_npy(path, name, members[member]) for member, name in names.items()}


def _read_npy(path, name, content):
    stream = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_columns, dtype = read(stream)
    except Exception as error:  # the same of NumPy's reader of headers
        raise ValueError(f"{path}: {name} is damaged ({_first_line(error)}), accepted: arrays of numbers") from None
    if dtype.hasobject:
        raise ValueError(f"{path}: {name} holds objects, that is a pickle, never loaded; accepted: arrays of numbers")
    if dtype.kind not in "biuf":
        raise TypeError(f"{path}: {name} of dtype {_short(str(dtype))}, accepted: arrays of real numbers")
    array = _array(f"{path}: {name}", stream.read(), dtype, shape[::-1] if by_columns else shape)
    return dtype.name, array.T if by_columns else array


def _array(what, content, dtype, shape):
    """An array whose shape, as a file has it, is not to be believed before it is compared with the bytes there are."""
    sizes = all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in shape)
    if not sizes or len(shape) > _MOST_AXES or math.prod(shape) * dtype.itemsize != len(content):
        raise ValueError(f"{what}: {len(content)} bytes, accepted: as many as shape {_short(shape)} and {dtype} need")
    return np.frombuffer(content, dtype).reshape(shape)


def _read_safetensors(path, content):
    """The format: length of the header (8 bytes, little-endian), the header in JSON, then the arrays' bytes."""
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > len(content) - 8:
        raise ValueError(
            f"{path}: damaged .safetensors file (a header of {length} bytes in a file of {len(content)}), accepted: "
            "one of safetensors' save_file"
        )
    try:
        header = json.loads(content[8 : 8 + length])
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: damaged .safetensors header ({_first_line(error)}), accepted: JSON") from None
    if not isinstance(header, dict):
        raise ValueError(f"{path}: damaged .safetensors header ({_short(header)}), accepted: a JSON object")
    header.pop("__metadata__", None)
    data, end = memoryview(content)[8 + length :], 0
    entries = {name: _checked_entry(path, name, entry) for name, entry in header.items()}
    for name, (_, _, (first, last)) in sorted(entries.items(), key=lambda item: item[1][2]):
        if not end == first <= last <= len(data):  # arrays follow each other without gaps, so none is read twice
            raise ValueError(
                f"{path}: {_short(name)} at the bytes {_short([first, last])}, accepted: from {end} on, in "
                f"{len(data)} bytes of arrays"
            )
        end = last
    if end != len(data):
        raise ValueError(f"{path}: {len(data)} bytes of arrays, accepted: the {end} of which the header tells")
    return {name: _decode(f"{path}: {_short(name)}", data, *entry) for name, entry in entries.items()}


def _checked_entry(path, name, entry):
    """dtype, shape and place of an array as the header has them."""
    known = entry if isinstance(entry, dict) else {}
    dtype, shape, place = (known.get(key) for key in ("dtype", "shape", "data_offsets"))
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise ValueError(f"{path}: {_short(name)} of dtype {_short(dtype)}, accepted: {', '.join(_DTYPES)}")
    integers = isinstance(place, list) and [type(n) for n in place] == [int, int]
    if not integers or not isinstance(shape, list):
        raise ValueError(f"{path}: {_short(name)} is {_short(entry)}, accepted: a shape and two data_offsets")
    return dtype, tuple(shape), tuple(place)


def _decode(what, data, word, shape, place):
    array = _array(what, data[slice(*place)], np.dtype(_DTYPES[word]), shape)
    if word == "BF16":
        return "bfloat16", (array.astype("<u4") << 16).view("<f4")
    return array.dtype.name, array


def _short(value):
    """What a damaged file holds, of any length, as a few characters."""
    text = " ".join(value.split()) if isinstance(value, str) else repr(value)
    return text if len(text) < 80 else f"{text[:76]} ..."


def _first_line(error):
    return _short(str(error) or type(error).__name__)
