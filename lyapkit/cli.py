"""The command line: commands over analyses and scan. Heavy imports wait until a command needs them."""

import argparse
import inspect
import pathlib
import sys
import traceback

import lyapkit
from lyapkit import bifurcation_commands, init_command, single_commands
from lyapkit.options import UsageError, assign, split
from lyapkit.output import (
    INTERNAL,
    INTERRUPTED,
    MEASURES,
    OK,
    USAGE,
    announce_compilation,
    checked_picture,
    draw,
    finish,
    system_of,
)

_EPILOG = """\
Parameters of the system and keywords of the analysis follow as options: --alpha 0.5:4:200
--theta 0:pi/2:200 --duration 1000. A range is start:stop:count; numbers may be formulas with pi.
Exit codes: 0 ok, 1 internal error, 2 usage, 3 finished with failed points, 130 interrupted."""


def main(argv=None):
    """Run one command; returns its exit code."""
    argv = list(sys.argv[1:] if argv is None else argv)
    parser = _parser()
    try:
        words, options = split(parser, argv)
        arguments = parser.parse_args(words)
        return arguments.run(arguments, options)
    except KeyboardInterrupt as interrupt:
        kept = getattr(interrupt, "kept", "")  # what a scan has finished
        print(f"lyapkit: interrupted{kept}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of stdout had enough
        sys.stdout = None
        return OK
    except (MemoryError, OverflowError) as error:
        print(f"lyapkit: error: asked for more than fits: {error}", file=sys.stderr)
        return USAGE
    except (ValueError, TypeError, AttributeError, OSError) as error:
        if not _is_ours(error):
            traceback.print_exc()
            return INTERNAL
        print(f"lyapkit: error: {' '.join(str(error).split())}", file=sys.stderr)
        return USAGE
    except Exception:
        traceback.print_exc()
        return INTERNAL


def _is_ours(error):
    """Whether the error was raised by a check of this package, or by the file system."""
    if isinstance(error, OSError):
        return True
    last = traceback.extract_tb(error.__traceback__)[-1]
    inside = pathlib.Path(last.filename).is_relative_to(pathlib.Path(__file__).parent)
    return inside and (last.line or "").startswith("raise ")  # not one that an operation of ours ran into


class _Parser(argparse.ArgumentParser):
    """Tells a mistake in one line."""

    def error(self, message):
        raise UsageError(message)


def _parser():
    parser = _Parser(
        prog="lyapkit",
        description="Dynamical-systems analysis of recurrent networks.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"lyapkit {lyapkit.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    _add_scan(commands)
    single_commands.add_to(commands, _command, _add_outputs)
    bifurcation_commands.add_to(commands, _command, _add_outputs)
    init_command.add_to(commands, _command, _add_outputs)
    _add_readers(commands)
    return parser


def _add_scan(commands):
    scan = _command(commands, "scan", _scan, "map an analysis over a grid of parameters")
    scan.add_argument("system", help="name of a system (see: lyapkit systems)")
    _add_outputs(scan, "netCDF file to write")
    scan.add_argument("--measure", default="lyapunov_spectrum", choices=MEASURES, help="what to compute")
    scan.add_argument("--workers", type=int, help="threads (default: one for each core)")


def _add_readers(commands):
    plot = _command(commands, "plot", _plot, "draw a result file")
    plot.add_argument("file", help="netCDF file of lyapkit")
    plot.add_argument("-o", "--output", required=True, help="picture to write (.png, .pdf, .svg)")
    plot.add_argument("--variable", help="variable of a plane (default: what was measured)")
    plot.add_argument("--mode", type=int, default=1, help="number of the exponent, 1 = largest")
    plot.add_argument("--overwrite", action="store_true", help="replace an existing picture")
    info = _command(commands, "info", _info, "say what a result file holds")
    info.add_argument("file", help="netCDF file of lyapkit")
    systems = _command(commands, "systems", _systems, "list the systems, or describe one")
    systems.add_argument("name", nargs="?", help="a system to describe")


def _command(commands, name, run, text):
    command = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.set_defaults(run=run)
    return command


def _add_outputs(command, text, plot=True):
    command.add_argument("-o", "--output", help=text)
    if plot:
        command.add_argument("--plot", help="picture to write (.png, .pdf, .svg)")
    command.add_argument("--overwrite", action="store_true", help="replace existing files")
    command.add_argument("--quiet", action="store_true", help="no progress")


def _scan(arguments, options):
    if arguments.output is None:
        raise UsageError("-o: not given; accepted: the path of a netCDF file to write")
    constructor, verb = system_of(arguments), getattr(lyapkit, arguments.measure)
    fixed, axes, keywords = assign(constructor, verb, options, ranges=True)
    system = constructor(**fixed)
    if not axes:
        import numpy as np

        spans = system.model.ranges.items()
        axes = {name: np.linspace(*span) for name, span in spans if name not in fixed}
        if spans and not axes:
            raise UsageError("nothing to scan: all parameters are single numbers; see lyapkit spectrum")
    picture = checked_picture(arguments.plot, arguments.overwrite)
    if picture and len(axes) > 2:
        raise UsageError(f"--plot: given for a scan of {len(axes)} parameters; accepted: one or two")
    drawn = MEASURES[arguments.measure] and (len(axes) == 2 or arguments.measure == "lyapunov_spectrum")
    if picture and not drawn:
        raise UsageError(f"--plot: there is no picture of a scan of {arguments.measure} over {len(axes)} parameters")
    if picture and picture.absolute() == pathlib.Path(arguments.output).absolute():
        raise UsageError(f"--plot: {picture} is the output file already")
    from lyapkit.results import check_target

    check_target(arguments.output, arguments.overwrite, "-o")
    announce_compilation()
    ds = lyapkit.scan(
        verb, system, axes or None, store=arguments.output, overwrite=arguments.overwrite,
        workers=arguments.workers, progress=False if arguments.quiet else None, **keywords,
    )  # fmt: skip
    if picture:
        draw(ds, picture)
    return finish(ds)


def _plot(arguments, options):
    _refuse(options)
    picture = checked_picture(arguments.output, arguments.overwrite, "-o")
    draw(lyapkit.load(arguments.file), picture, variable=arguments.variable, mode=arguments.mode)
    return OK


def _info(arguments, options):
    _refuse(options)
    ds = lyapkit.load(arguments.file)
    print(f"{arguments.file}: {dict(ds.sizes)}")
    for name, value in ds.attrs.items():
        print(f"  {name}: {value}")
    for name, variable in ds.variables.items():
        text = f"{variable.attrs.get('long_name', '')} [{variable.attrs.get('units', '')}]"
        print(f"  {name}({', '.join(variable.dims)}): {text}")
    if "status" in ds:
        finish(ds)
    return OK


def _systems(arguments, options):
    _refuse(options)
    if arguments.name:
        arguments.system = arguments.name
        constructor = system_of(arguments)
        print(f"{constructor.__name__}{inspect.signature(constructor)}\n\n{inspect.getdoc(constructor)}")
        return OK
    for name in lyapkit.systems.names():
        model = getattr(lyapkit.systems, name).model
        print(f"{name:24s}{model.kind:6s}{model.equation}")
    return OK


def _refuse(options):
    if options:
        raise UsageError(f"--{next(iter(options))} is not an option of this command")
