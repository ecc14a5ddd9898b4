"""A folder of saved weights: what each network does when it is left alone."""

import os
import pathlib
import re
import warnings

import numpy as np

import lyapkit
from lyapkit.analyses.attractors import attractors
from lyapkit.flags import ATTRACTOR_KIND, OSCILLATES, STATUS
from lyapkit.kernels.blas import one_thread
from lyapkit.progress import Monitor
from lyapkit.results import described
from lyapkit.systems.weights import load_network
from lyapkit.vocabulary import blank

_ENDINGS = (".npz", ".safetensors")
_KINDS = np.array([code for name, code in ATTRACTOR_KIND.items() if name != "absent"], dtype=np.int8)
_MOVING = tuple(ATTRACTOR_KIND[name] for name in ("limit_cycle", "torus", "continuous_family", "chaos"))
# of the attractor with the largest basin
_OF_MAIN = (
    "attractor_kind", "attractor_dimension", "family_dimension", "basin_share", "n_zeros", "n_zeros_confidence",
    "period", "signal_growth", "signal_fate",
)  # fmt: skip
_OF_NETWORK = ("n_attractors", "diverging_share", "undecided_share", "status")
_OF_MODES = ("lyapunov_exponent", "lyapunov_exponent_stderr")
_OWN = ("oscillates", "moving_share", "units", "training_step")
_VARIABLES = {
    **dict.fromkeys((*_OWN, *_OF_MAIN, *_OF_NETWORK), ("checkpoint",)),
    **dict.fromkeys(_OF_MODES, ("checkpoint", "mode")), "share_of_kind": ("checkpoint", "kind_of_attractor"),
}  # fmt: skip


def checkpoints(
    folder, cell=None, *, kind="map", pattern=None, prefix=None, input=None, n_starts=20, progress=None, **keywords
):
    """checkpoints(folder, cell=None, *, kind="map", pattern=None, prefix=None, input=None, n_starts=20, ...)

    What the networks in a folder of weight files settle on: does the trained network still oscillate?

    Returns a Dataset over the files in natural order (w2 before w10):

    checkpoint                    names of the files; training_step(checkpoint) is the last number in each, NaN if none
    oscillates(checkpoint)        yes: some attractor moves (cycle, torus, family of cycles, chaos); no: all that was
                                  found rests; undecided
    moving_share(checkpoint)      share of the initial states whose attractor moves
    share_of_kind(checkpoint, kind_of_attractor)   share of them by the attractor's kind
    n_attractors, diverging_share, undecided_share, units(checkpoint)

    and of the attractor with the largest basin, as `attractors` has them,

    attractor_kind, attractor_dimension, family_dimension, basin_share, n_zeros, n_zeros_confidence, period,
    signal_growth, signal_fate(checkpoint)
    lyapunov_exponent(checkpoint, mode), lyapunov_exponent_stderr(checkpoint, mode)   of networks of fewer units than
                                  the largest the rest is NaN
    status(checkpoint)            "unreadable": no network that `load_network` takes; the attribute "unreadable" gives
                                  the reasons. Else that of `attractors`

    folder    with files .npz or .safetensors
    cell      "rnn", "rnn_relu", "gru" or "lstm", see `load_network`; default guessed from the shapes
    kind      "map", the network as trained, or "flow"
    pattern   of the names, such as "step_*.npz"; default all .npz and .safetensors
    prefix    take only weights whose names begin with this, such as "rnn." of a model with other layers
    input     constant input (n_inputs,), default zero
    n_starts  initial states of each network
    keywords  of `attractors`: box, seed, transient, duration, margin, ... The same starts (in the box) for all
    progress  True, False, or None: a bar on a terminal

    >>> import lyapkit as lk, numpy as np, pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for step, gain in enumerate([0.9, 1.2]):
    ...     turn = gain * np.array([[np.cos(1), -np.sin(1)], [np.sin(1), np.cos(1)]])
    ...     np.savez(folder / f"step_{step}.npz", weight_hh_l0=turn, weight_ih_l0=np.eye(2))
    >>> lk.checkpoints(folder, n_starts=4).oscillates.values
    array([0, 1], dtype=int8)
    """
    paths = _found(folder, pattern)
    plans, reasons = _plans(paths, cell, kind, prefix, _checked_input(input), n_starts, keywords)
    modes = max(plan.system.dimension for plan in plans.values())
    coords = {
        "checkpoint": np.array([path.name for path in paths]), "mode": np.arange(1, modes + 1),
        "kind_of_attractor": _KINDS,
    }  # fmt: skip
    result = blank(_VARIABLES, coords)
    result["status"][:] = STATUS["unreadable"]  # of a file that does not load
    with Monitor(len(paths), "checkpoints", progress) as monitor:
        for row in range(len(paths)):
            if row in plans:
                _enter(result, row, plans[row])
            monitor.add(1)
    result["training_step"] = np.array([_step(path.stem) for path in paths])
    plan = plans[min(plans)]
    attrs = {
        "verb": "checkpoints", "system": plan.system.name, "kind": kind, "equation": plan.system.equation, **plan.attrs,
        "unreadable": "; ".join(reasons), "logarithm": "natural", "lyapkit_version": lyapkit.__version__,
    }  # fmt: skip
    variables = {name: (dims, result[name]) for name, dims in _VARIABLES.items()}
    return described(kind, variables, coords, {name: value for name, value in attrs.items() if value is not None})


def _found(folder, pattern):
    """The files of the folder in natural order."""
    if not isinstance(folder, str | os.PathLike):
        raise TypeError(f"folder: given {type(folder).__name__}, accepted: the path of a folder")
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise ValueError(f"folder: given {folder}, which is no folder; accepted: one with .npz or .safetensors files")
    if pattern is not None and (not isinstance(pattern, str) or not pattern):
        raise ValueError(f"pattern: given {pattern!r}, accepted: a pattern of names such as 'step_*.npz'")
    paths = [
        path for path in (folder.iterdir() if pattern is None else folder.glob(pattern))
        if path.is_file() and (pattern is not None or path.suffix.lower() in _ENDINGS)
    ]  # fmt: skip
    if not paths:
        what = "names that end in .npz or .safetensors" if pattern is None else f"names like {pattern}"
        raise ValueError(f"folder: given {folder}, which has no files; accepted: one with {what}")
    return sorted(paths, key=_natural)


def _natural(path):
    """Numbers in a name count as numbers."""
    parts = re.split(r"([0-9]+)", path.name)
    return [(int(part), "") if number % 2 else (0, part) for number, part in enumerate(parts)], path.name


def _step(stem):
    numbers = re.findall(r"[0-9]+", stem)
    return float(numbers[-1]) if numbers else np.nan


def _checked_input(given):
    """A constant input as an array (1, n_inputs)."""
    if given is None:
        return None
    try:
        array = np.array(given, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"input: given {given!r}, accepted: (n_inputs,) numbers") from None
    if array.ndim != 1 or not array.size or not np.isfinite(array).all():
        raise ValueError(f"input: given shape {array.shape}, accepted: (n_inputs,) finite numbers")
    return array[None]


def _plans(paths, cell, kind, prefix, given, n_starts, keywords):
    """Plans of `attractors` by row of the files that hold a network, and why the others do not."""
    plans, reasons = {}, []
    for row, path in enumerate(paths):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # half precision, which is what is asked about here
                network = load_network(path, cell, kind, prefix=prefix, input=given)
        except (ValueError, TypeError, OSError) as error:
            reasons.append(f"{path.name}: {' '.join(str(error).split())}")
        else:
            plans[row] = attractors.plan(network, n_starts=n_starts, **keywords)
    if not plans:
        raise ValueError(f"folder: none of the {len(paths)} files holds a network; the first: {reasons[0]}")
    return plans, reasons


def _enter(result, row, plan):
    """Enter what the network of a plan settles on into its row."""
    with one_thread(plan.system.data.layout.spread), Monitor(plan.work, "attractors", False) as monitor:
        found = plan.measure({}, plan.initial_state[None], monitor)
    found = {name: array[0] for name, array in found.items()}
    for name in _OF_NETWORK:
        result[name][row] = found[name]
    for name in _OF_MAIN:
        result[name][row] = found[name][0]
    for name in _OF_MODES:
        result[name][row, : plan.system.dimension] = found[name][0]
    kinds, shares = found["attractor_kind"], np.nan_to_num(found["basin_share"], nan=0.0)
    by_kind = np.array([shares[kinds == code].sum() for code in _KINDS])
    by_kind[_KINDS == ATTRACTOR_KIND["diverging"]] = found["diverging_share"]
    by_kind[_KINDS == ATTRACTOR_KIND["undecided"]] += found["undecided_share"]
    moving = by_kind[np.isin(_KINDS, _MOVING)].sum()
    undecided = by_kind[_KINDS == ATTRACTOR_KIND["undecided"]].sum()
    verdict = "yes" if moving else "undecided" if undecided or found["status"] == STATUS["too_many"] else "no"
    result["share_of_kind"][row], result["moving_share"][row] = by_kind, moving
    result["oscillates"][row] = OSCILLATES[verdict]
    result["units"][row] = plan.system.dimension
