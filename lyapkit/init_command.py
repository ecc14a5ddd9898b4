"""The command init: weights of a network that carries gradients."""

import pathlib

import lyapkit
from lyapkit.nearest import nearest
from lyapkit.options import UsageError, interval, keyword
from lyapkit.output import OK, announce_compilation

_ENDINGS = (".safetensors", ".npz", ".nc")
_BANDS = ("alpha", "frequency")  # low:high
_OF_BLOCKS = ("h", "alpha", "frequency", "swing", "margin", "locked", "seed")
_OF_FILES = ("n_inputs", "input_scale", "dtype")


def add_to(commands, command, add_outputs):
    """Add it to the parser's commands, made by the functions given."""
    init = command(commands, "init", _init, "initial weights of blocks that oscillate, with PyTorch's names")
    init.add_argument("--units", type=int, required=True, help="units of the network")
    init.add_argument("--cell", default="tanh", choices=("tanh", "gru"), help="default: tanh")
    init.add_argument("--kind", default="map", choices=("map", "flow"), help="iterated (default), or continuous")
    add_outputs(init, "file to write: .safetensors or .npz (weights), .nc (weights and certificates)", plot=False)


def _init(arguments, options):
    path = _checked_path(arguments)
    blocks, files = _keywords(options)
    if files and path.suffix == ".nc":
        raise UsageError(f"--{next(iter(files))}: given with a .nc file, accepted for .safetensors and .npz")
    announce_compilation()
    ds = lyapkit.block_diagonal_weights(
        arguments.units, kind=arguments.kind, cell=arguments.cell, progress=False if arguments.quiet else None, **blocks
    )
    if path.suffix == ".nc":
        lyapkit.save(ds, path)
    else:
        lyapkit.save_weights(ds, path, **files)
    print(_summary(ds))
    return OK


def _checked_path(arguments):
    """The path of the file, checked before any work is done."""
    from lyapkit.results import check_target

    if arguments.output is None:
        raise UsageError(f"-o: not given; accepted: a path that ends in {', '.join(_ENDINGS)}")
    if pathlib.Path(arguments.output).suffix not in _ENDINGS:
        raise UsageError(f"-o: given {arguments.output!r}, accepted: a path that ends in {', '.join(_ENDINGS)}")
    return check_target(arguments.output, arguments.overwrite, "-o")


def _keywords(options):
    """Options as keywords of block_diagonal_weights and of save_weights."""
    accepted = (*_OF_BLOCKS, *_OF_FILES)
    for name in options:
        if name not in accepted:
            raise UsageError(f"--{name} is not an option{nearest(name, accepted)}; accepted: {', '.join(accepted)}")
    values = {
        name: interval(name, text) if name in _BANDS and ":" in text else keyword(name, text)
        for name, text in options.items()
    }
    return tuple({name: v for name, v in values.items() if name in part} for part in (_OF_BLOCKS, _OF_FILES))


def _summary(ds):
    """One line on what was drawn."""
    low, high = float(ds.frequency.min()), float(ds.frequency.max())
    text = (
        f"{ds.sizes['block']} blocks, {ds.frequency.attrs['units']} {low:.3g} to {high:.3g}, first exponent at most "
        f"{float(abs(ds.lyapunov_exponent.sel(mode=1)).max()):.1e}, gradient swing at most "
        f"{float(ds.gradient_swing.max()):.3g}, {100 * float(ds.share_accepted):.0f} % of the candidates accepted"
    )
    locked = int(ds.locked.sum())
    return text + (f", {locked} locked" if locked else "")
