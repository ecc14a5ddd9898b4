"""The weights of `block_diagonal_weights` as those of a network of PyTorch: a mapping, or a file."""

import math
import pathlib

import numpy as np
import xarray as xr

import lyapkit
from lyapkit.analyses.verb import choice, real, whole
from lyapkit.results import check_target, written_aside
from lyapkit.systems.weight_files import WRITERS
from lyapkit.systems.weight_names import GATES, PYTORCH

_MOST_INPUTS = 2**16
_INPUT_STREAM = (0, 1)  # besides the seed: the numbers of the input weights, no block's


def torch_weights(ds, *, n_inputs=1, input_scale=0.1, seed=None, dtype="float64"):
    """torch_weights(ds, *, n_inputs=1, input_scale=0.1, seed=None, dtype="float64")

    The weights of `block_diagonal_weights` as a mapping with PyTorch's names.

    Returns NumPy arrays by name, with gates = 1 of the tanh network (nn.RNN) and 3 of the GRU (nn.GRU, rows r, z, n):

    weight_ih_l0 (gates n, n_inputs), weight_hh_l0 (gates n, n), bias_ih_l0, bias_hh_l0 (gates n,)

    ds            a result of `block_diagonal_weights`
    n_inputs      inputs of the network
    input_scale   root mean square of the input's effect for inputs of variance 1: the weights are
                  normal, of standard deviation input_scale / sqrt(n_inputs)
    seed          of the input weights, default that of `ds`
    dtype         "float64" or "float32"; `load_state_dict` converts either to that of the module

    The gates' weights are zero; with h other than 1/2 the update gate has the bias ln((1 - h) / h), so that it stands
    at z = 1 - h. All other biases are zero. PyTorch's RNN has h = 1: with another h, or of
    kind "flow", the tanh network's weights are those of x' = -x + tanh(W x + V u) and its Euler map.

        gru = torch.nn.GRU(2, 128)
        ds = lk.block_diagonal_weights(128, cell="gru")
        gru.load_state_dict({k: torch.from_numpy(v) for k, v in lk.torch_weights(ds, n_inputs=2).items()})

    >>> import lyapkit as lk
    >>> weights = lk.torch_weights(lk.block_diagonal_weights(4, cell="gru"), n_inputs=3)
    >>> {name: array.shape for name, array in weights.items()}["weight_ih_l0"]
    (12, 3)
    """
    _check(ds)
    inputs = whole("n_inputs", n_inputs, 1, _MOST_INPUTS)
    scale = real("input_scale", input_scale)
    if scale < 0.0:
        raise ValueError(f"input_scale: given {input_scale!r}, accepted: a number of at least 0")
    seed = ds.attrs["seed"] if seed is None else whole("seed", seed, 0, 2**63 - 1)
    choice("dtype", dtype, ("float64", "float32"))
    n, gated = ds.sizes["unit"], ds.attrs["cell"] == "gru"
    order = PYTORCH.order[GATES["gru" if gated else "rnn"]]
    generator = np.random.default_rng([int(seed), *_INPUT_STREAM])
    into = generator.standard_normal((n, inputs)) * (scale / math.sqrt(inputs))
    step = float(ds.attrs.get("h", 0.5))
    gate = {"z": np.full(n, math.log1p(-step) - math.log(step) if gated else 0.0)}
    arrays = {
        "weight_ih_l0": _rows(order, {"n": into}), "weight_hh_l0": _rows(order, {"n": ds["weight"].values}),
        "bias_ih_l0": _rows(order, {"n": np.zeros(n)}), "bias_hh_l0": _rows(order, {"n": np.zeros(n), **gate}),
    }  # fmt: skip
    return {name: array.astype(dtype) for name, array in arrays.items()}


def _check(ds):
    if not isinstance(ds, xr.Dataset) or ds.attrs.get("verb") != "block_diagonal_weights":
        given = ds.attrs.get("verb", "another Dataset") if isinstance(ds, xr.Dataset) else type(ds).__name__
        raise TypeError(f"ds: given {given}, accepted: a result of block_diagonal_weights")


def _rows(order, given):
    """The gates' blocks of rows, one below the other; zero where none is given."""
    return np.concatenate([given.get(gate, np.zeros_like(given["n"])) for gate in order])


def save_weights(ds, path, *, n_inputs=1, input_scale=0.1, seed=None, dtype="float64", overwrite=True):
    """save_weights(ds, path, *, n_inputs=1, input_scale=0.1, seed=None, dtype="float64", overwrite=True)

    Write the weights of `block_diagonal_weights` to a .npz or .safetensors file with PyTorch's names.

    The keywords are those of `torch_weights`. A .safetensors file also carries cell, kind, h and seed as texts. The
    file is written aside and renamed, never half. Neither format needs another package. `load_network` reads both;
    so do numpy.load and safetensors. Raises FileExistsError where the file exists and `overwrite` is false.

    >>> import lyapkit as lk, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "init.safetensors")
    >>> lk.save_weights(lk.block_diagonal_weights(6, cell="gru"), path)
    >>> lk.load_network(path).dimension
    6
    """
    path = check_target(path, overwrite, "path")
    ending = pathlib.Path(path).suffix.lower()
    if ending not in WRITERS:
        raise ValueError(f"path: given the ending {ending!r}, accepted: {', '.join(WRITERS)}")
    arrays = torch_weights(ds, n_inputs=n_inputs, input_scale=input_scale, seed=seed, dtype=dtype)
    notes = {name: str(ds.attrs[name]) for name in ("cell", "kind", "h", "seed") if name in ds.attrs}
    content = WRITERS[ending](arrays, {**notes, "lyapkit_version": lyapkit.__version__})
    with written_aside(path) as partial:
        pathlib.Path(partial).write_bytes(content)
