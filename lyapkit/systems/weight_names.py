"""How PyTorch and Keras name, lay out and order the weights of recurrent networks; all of it read as layers."""

import dataclasses
import re

import numpy as np

GATES = {"rnn": 1, "rnn_relu": 1, "gru": 3, "lstm": 4}  # cell -> blocks of H rows
_NUMBER = re.compile(r"_?[0-9]+")  # in a prefix, of a layer; Keras leaves out that of the first
_GUESSES = {1: "rnn", 3: "gru", 4: "lstm"}


@dataclasses.dataclass(frozen=True)
class Convention:
    """A library's names. Each role is a part of a layer; `order` gives the blocks of a cell with so many gates."""

    pattern: re.Pattern
    input: str
    recurrent: str
    biases: tuple
    order: dict
    by_columns: bool  # units are the columns of a matrix
    accepted: str

    def match(self, name):
        """Its prefix, role and layer; None of a name of another kind."""
        return self.pattern.fullmatch(name)

    def laid_out(self, shape):
        """A shape (units, ...) as the library has it."""
        return shape[::-1] if self.by_columns else shape

    def by_rows(self, matrix):
        """A matrix whose rows are units."""
        return matrix.T if self.by_columns else matrix


PYTORCH = Convention(
    re.compile(
        r"(?P<prefix>(?:.*[./])?)(?P<role>weight_ih|weight_hh|bias_ih|bias_hh|weight_hr)"
        r"(?:_l(?P<layer>0|[1-9][0-9]{0,5}))?(?P<reverse>_reverse)?"
    ),
    "weight_ih", "weight_hh", ("bias_ih", "bias_hh"), {1: "n", 3: "rzn", 4: "ifgo"}, False,
    "weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, weight_ih_l1, ... (of a Cell without _l0)",
)  # fmt: skip
KERAS = Convention(
    re.compile(r"(?P<prefix>(?:.*[./])?)(?P<role>recurrent_kernel|kernel|bias)(?::0)?"),
    "kernel", "recurrent_kernel", ("bias",), {1: "n", 3: "zrn", 4: "ifgo"}, True,
    "kernel, recurrent_kernel, bias",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Layer:
    """One layer's weights in rows of units; `order` names the blocks of rows, "n" the candidate of an RNN or GRU."""

    order: str
    input_weights: np.ndarray  # (gates H, n_inputs)
    recurrent_weights: np.ndarray  # (gates H, H)
    input_bias: np.ndarray  # (gates H,)
    recurrent_bias: np.ndarray
    reset: str = "after"

    def blocks(self, part):
        """An array's blocks of H rows by gate."""
        return dict(zip(self.order, np.split(getattr(self, part), len(self.order)), strict=True))


def assign_names(names):
    """(convention, [{role: name} of each layer]); refuses names that are no whole network, or more than one."""
    convention = _convention(names)
    matches = {name: match for name in names if (match := convention.match(name))}
    _refuse_other_networks(convention, matches)
    prefixes = _prefixes(convention, matches)
    layers = _layers_by_prefix(prefixes, matches) if len(prefixes) > 1 else _layers_by_number(matches, prefixes[0])
    used = {name for roles in layers.values() for name in roles.values()}
    extra = [name for name in names if name not in used]
    _refuse_misfits(convention, _missing(convention, layers), extra)
    return convention, list(layers.values())


def _layers_by_number(matches, prefix):
    """{(prefix, ending): {role: name}} of one network whose names carry the layers' numbers, or none."""
    own = {name: match for name, match in matches.items() if match["prefix"] == prefix}
    numbered = {_layer(m) for m in own.values()} - {None}
    if numbered and numbered != set(range(len(numbered))):
        given = ", ".join(f"_l{number}" for number in sorted(numbered))
        raise ValueError(f"weights: given the layers {given}; accepted: _l0, _l1, ... without gaps")
    layers = {number: {} for number in sorted(numbered)} or {None: {}}
    for name, match in own.items():
        layers.get(_layer(match), {}).setdefault(match["role"], name)
    return {(prefix, "" if n is None else f"_l{n}"): roles for n, roles in layers.items()}


def _layers_by_prefix(prefixes, matches):
    """The same of layers that have a prefix each, in their order."""
    layers = {(prefix, ""): {} for prefix in prefixes}
    for name, match in matches.items():
        if (match["prefix"], "") in layers and _layer(match) is None:
            layers[match["prefix"], ""].setdefault(match["role"], name)
    return layers


def _convention(names):
    for convention in (PYTORCH, KERAS):
        roles = {match["role"] for name in names if (match := convention.match(name))}
        if roles - {"bias"}:  # a bias alone may be anything's
            return convention
    raise ValueError(
        f"weights: no recurrent weights among the names {', '.join(names) or '(none)'}; accepted: PyTorch's "
        f"{PYTORCH.accepted}, or Keras' {KERAS.accepted}"
    )


def _layer(match):
    number = match.groupdict().get("layer")
    return None if number is None else int(number)


def _refuse_other_networks(convention, matches):
    """Refuse networks that are no dynamical system of a built-in kind."""
    backward = [n for n, m in matches.items() if m.groupdict().get("reverse") or _runs_backward(m["prefix"])]
    if backward:
        raise ValueError(f"bidirectional weights: given {', '.join(backward)}; accepted: one direction, forward")
    projected = [name for name, match in matches.items() if match["role"] == "weight_hr"]
    if projected:
        raise ValueError(f"projected weights: given {', '.join(projected)}; accepted: an LSTM without proj_size")


def _runs_backward(prefix):
    """Whether it is the second half of a Bidirectional layer of Keras."""
    return re.search(r"(^|[./])backward", prefix) is not None


def _prefixes(convention, matches):
    """The prefix of each layer that has one of its own, in their order: gru/ and gru_1/, or cells.0. and cells.1."""
    recurrent = [match["prefix"] for match in matches.values() if match["role"] == convention.recurrent]
    prefixes = list(dict.fromkeys(recurrent or [match["prefix"] for match in matches.values()]))
    if len(prefixes) == 1:
        return prefixes
    texts = {_NUMBER.sub("", prefix) for prefix in prefixes}
    if len(texts) > 1 or any(_layer(match) is not None for match in matches.values()):
        given = ", ".join(repr(prefix) for prefix in prefixes)
        raise ValueError(
            f"weights: given several networks, with the prefixes {given}; accepted: one at a time, or layers whose "
            "prefixes differ in numbers alone"
        )
    return sorted(prefixes, key=lambda prefix: [int(number.strip("_")) for number in _NUMBER.findall(prefix)])


def _missing(convention, layers):
    """Names without which the layers are not whole: both matrices, and where there is one bias, all of PyTorch's."""
    needed = [convention.input, convention.recurrent]
    if len(convention.biases) > 1 and any(bias in roles for roles in layers.values() for bias in convention.biases):
        needed += convention.biases
    return [
        f"{prefix}{role}{ending}" for (prefix, ending), roles in layers.items() for role in needed if role not in roles
    ]


def _refuse_misfits(convention, missing, extra):
    parts = [f"{what}: {', '.join(names)}" for what, names in (("missing", missing), ("extra", extra)) if names]
    if parts:
        raise ValueError(
            f"weights: names {'; '.join(parts)}; accepted: one recurrent network's alone, {convention.accepted} "
            "(choose them as a mapping)"
        )


def read_layers(convention, places, arrays, cell):
    """(cell, [Layer, ...]) of the arrays that `places` names; the cell is guessed where it is None."""
    gates = _count_gates(convention, places[0][convention.recurrent], arrays, cell)
    cell = cell or _GUESSES[gates]
    layers, below = [], None
    for roles in places:
        _count_gates(convention, roles[convention.recurrent], arrays, cell)
        layers.append(_read_layer(convention, roles, arrays, gates, below))
        below = roles[convention.recurrent]
    if len({layer.reset for layer in layers}) > 1:
        raise ValueError("weights: given layers with reset_after=True and with False, accepted: the same in all")
    return cell, layers


def _count_gates(convention, name, arrays, cell):
    """Blocks of H rows in a recurrent matrix (gates H, H)."""
    shape = arrays[name].shape
    rows, units = convention.laid_out(shape) if len(shape) == 2 else (0, 0)
    counts = [GATES[cell]] if cell else list(_GUESSES)
    for gates in counts:
        if units and rows == gates * units:
            return gates
    shapes = [_shown(convention.laid_out((_times(gates, units), units or "H"))) for gates in counts]
    wanted = f"{shapes[0]} for cell={cell!r}" if cell else "{} (rnn), {} (gru) or {} (lstm)".format(*shapes)
    raise ValueError(f"{name}: given shape {shape}, accepted: {wanted}")


def _times(gates, units):
    return gates * units if units else f"{gates} H"


def _shown(shape):
    return f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"


def _read_layer(convention, roles, arrays, gates, below):
    recurrent = roles[convention.recurrent]
    units = convention.laid_out(arrays[recurrent].shape)[1]
    beside = [recurrent] if below is None else [recurrent, below]
    inputs = "n_inputs" if below is None else convention.laid_out(arrays[below].shape)[1]
    wanted = convention.laid_out((gates * units, inputs))
    _refuse_shape(roles[convention.input], arrays, [wanted], beside)
    matrices = (convention.by_rows(arrays[roles[role]]) for role in (convention.input, convention.recurrent))
    return Layer(convention.order[gates], *matrices, *_read_biases(convention, roles, arrays, gates, units))


def _refuse_shape(name, arrays, accepted, beside):
    given = arrays[name].shape
    for wanted in accepted:
        pairs = zip(given, wanted, strict=False)
        if len(given) == len(wanted) and 0 not in given and all(w in ("n_inputs", size) for size, w in pairs):
            return
    others = " and ".join(f"{other} of shape {arrays[other].shape}" for other in beside)
    shapes = " or ".join(map(_shown, accepted))
    raise ValueError(f"{name}: given shape {given}, accepted: {shapes}, to go with {others}")


def _read_biases(convention, roles, arrays, gates, units):
    """Input bias, recurrent bias, and to which side of the product the GRU's reset belongs."""
    none = np.zeros(gates * units)
    two_rows = (2, gates * units)  # Keras, reset_after=True: the input's and the recurrent one
    keras_gru = convention is KERAS and gates == 3
    for role in convention.biases:
        if role in roles:
            accepted = [two_rows, none.shape] if keras_gru else [none.shape]
            _refuse_shape(roles[role], arrays, accepted, [roles[convention.recurrent]])
    biases = [arrays[roles[role]] for role in convention.biases if role in roles]
    if not biases:
        return none, none, "after"  # the default of Keras too
    if convention is PYTORCH:
        return *biases, "after"
    if biases[0].ndim == 2:
        return *biases[0], "after"
    return biases[0], none, "before"
