"""Commands that analyse one system: spectrum, cycle, fixed-points, trajectory, attractors, signal."""

import lyapkit
from lyapkit.options import UsageError, assign
from lyapkit.output import FAILED_POINTS, announce_compilation, checked_picture, draw, finish, system_of
from lyapkit.tables import attractors_text, cycle_text, points_text, signal_text, spectrum_text


def add_to(commands, command, add_outputs):
    """Add them to the parser's commands, made by the functions given."""
    for name, run, text in (
        ("spectrum", _spectrum, "Lyapunov exponents of one system"),
        ("cycle", _cycle, "limit cycle (or periodic orbit) of one system"),
        ("fixed-points", _fixed_points, "fixed points of one system, with their stability"),
        ("trajectory", _trajectory, "orbit of one system, as CSV or netCDF"),
        ("attractors", _attractors, "attractors of one system from many initial states, labelled"),
        ("signal", _signal, "what sensitivity and gradient one system carries over delays"),
    ):
        one = command(commands, name, run, text)
        one.add_argument("system", nargs="?", help="name of a system (see: lyapkit systems)")
        one.add_argument("--weights", help="trained network in its place (.npz, .safetensors)")
        one.add_argument("--cell", help="its cell: rnn, rnn_relu, gru, lstm (default: guessed)")
        one.add_argument("--kind", default="map", choices=("map", "flow"), help="the cell as it is, or continuous")
        written = "instead of CSV on stdout" if run is _trajectory else "besides"
        add_outputs(one, f"netCDF file to write {written}", plot=run in (_spectrum, _cycle, _signal))


def _system_or_network(arguments):
    """The system of a single analysis: of the name given, or of the weights."""
    if arguments.weights is None:
        if arguments.cell is not None:
            raise UsageError("--cell: given without --weights; accepted: both, or neither")
        if arguments.system is None:
            raise UsageError("system: not given; accepted: a name that lyapkit systems lists, or --weights FILE")
        return system_of(arguments)()
    if arguments.system is not None:
        raise UsageError(f"system: given {arguments.system!r} and --weights; accepted: one of them")
    return lyapkit.load_network(arguments.weights, cell=arguments.cell, kind=arguments.kind)


def _single(arguments, options, verb):
    """A verb for one system, its paths checked first; also written to -o where given."""
    from lyapkit.results import check_target

    system = _system_or_network(arguments)
    fixed, _, keywords = assign(system, verb, options, ranges=False)
    system = system.with_(**fixed)
    if arguments.output is not None:
        check_target(arguments.output, arguments.overwrite, "-o")
    announce_compilation()
    ds = verb(system, progress=False if arguments.quiet else None, **keywords)
    if arguments.output is not None:
        lyapkit.save(ds, arguments.output)
    return ds


def _shown(arguments, options, verb, text):
    """The verb's result as text on stdout, and as a picture where one is asked for."""
    picture = checked_picture(getattr(arguments, "plot", None), arguments.overwrite)
    ds = _single(arguments, options, verb)
    print(text(ds))
    if picture:
        draw(ds, picture)
    return finish(ds)


def _spectrum(arguments, options):
    return _shown(arguments, options, lyapkit.lyapunov_spectrum, spectrum_text)


def _fixed_points(arguments, options):
    return _shown(arguments, options, lyapkit.fixed_points, points_text)


def _attractors(arguments, options):
    return _shown(arguments, options, lyapkit.attractors, attractors_text)


def _signal(arguments, options):
    return _shown(arguments, options, lyapkit.learning_signal, signal_text)


def _cycle(arguments, options):
    picture = checked_picture(arguments.plot, arguments.overwrite)
    ds = _single(arguments, options, lyapkit.limit_cycle)
    code = finish(ds)
    if not float(ds.period) > 0.0:  # nothing to print or draw
        return FAILED_POINTS
    print(cycle_text(ds))
    if picture:
        draw(ds, picture)
    return code


def _trajectory(arguments, options):
    ds = _single(arguments, options, lyapkit.trajectory)
    if arguments.output is None:
        print(",".join(["time", *(f"x{unit}" for unit in ds.unit.values)]))
        for time, state in zip(ds.time.values, ds.state.values, strict=True):
            print(",".join(f"{value:.17g}" for value in (time, *state)))
    return finish(ds)
