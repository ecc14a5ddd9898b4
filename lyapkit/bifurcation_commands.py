"""The commands hopf, atlas and continue: maps of bifurcations and branches."""

import lyapkit
from lyapkit.options import UsageError, assign, interval
from lyapkit.output import announce_compilation, checked_picture, draw, finish, system_of


def add_to(commands, command, add_outputs):
    """Add them to the parser's commands, made by the functions given."""
    for name, run, text in (
        ("hopf", _hopf, "fixed points, regimes and bifurcation curves over a plane"),
        ("atlas", _atlas, "exponents, cycles, regimes and all curves over a plane, as one file and one figure"),
    ):
        one = command(commands, name, run, text)
        one.add_argument("system", help="name of a system (see: lyapkit systems)")
        one.add_argument("--workers", type=int, help="threads (default: one for each core)")
        add_outputs(one, "netCDF file to write")
    branch = command(commands, "continue", _continue, "branches of equilibria and cycles in one parameter")
    branch.add_argument("system", help="name of a system")
    branch.add_argument("parameter", help="the parameter that varies")
    branch.add_argument("bounds", nargs="?", help="its bounds, low:high (default: the system's own range)")
    add_outputs(branch, "netCDF file to write")


def _hopf(arguments, options):
    system, axes, keywords = _plane(arguments, options, lyapkit.hopf_map)
    picture = _checked_paths(arguments)
    announce_compilation()
    progress = False if arguments.quiet else None
    ds = lyapkit.hopf_map(system, axes, workers=arguments.workers, progress=progress, **keywords)
    return _written(ds, arguments, picture)


def _atlas(arguments, options):
    system, axes, keywords = _plane(arguments, options, lyapkit.atlas)
    if arguments.output is None:
        raise UsageError("-o: not given; accepted: the path of a netCDF file to write")
    picture = checked_picture(arguments.plot, arguments.overwrite)
    announce_compilation()
    ds = lyapkit.atlas(
        system, axes, store=arguments.output, overwrite=arguments.overwrite, workers=arguments.workers,
        progress=False if arguments.quiet else None, **keywords,
    )  # fmt: skip
    if picture:
        draw(ds, picture)
    return finish(ds)


def _continue(arguments, options):
    constructor = system_of(arguments)
    fixed, _, keywords = assign(constructor, lyapkit.continuation, options, ranges=False)
    bounds = None if arguments.bounds is None else interval(arguments.parameter, arguments.bounds)
    picture = _checked_paths(arguments)
    announce_compilation()
    progress = False if arguments.quiet else None
    ds = lyapkit.continuation(constructor(**fixed), arguments.parameter, bounds, progress=progress, **keywords)
    return _written(ds, arguments, picture)


def _plane(arguments, options, verb):
    """The system, its axes (None: its own ranges) and the keywords of the verb."""
    constructor = system_of(arguments)
    fixed, axes, keywords = assign(constructor, verb, options, ranges=True)
    system = constructor(**fixed)
    if not axes:
        import numpy as np

        axes = {name: np.linspace(*span) for name, span in system.model.ranges.items() if name not in fixed}
    if len(axes) != 2:
        given = ", ".join(axes) or "none"
        raise UsageError(f"ranges: given for {given}, accepted: two parameters, such as --alpha 0.5:4:200")
    return system, axes, keywords


def _checked_paths(arguments):
    """Check both paths before any work is done; the picture's."""
    from lyapkit.results import check_target

    if arguments.output is None and arguments.plot is None:
        raise UsageError("-o, --plot: neither given; accepted: the path of a netCDF file, of a picture, or both")
    picture = checked_picture(arguments.plot, arguments.overwrite)
    if arguments.output is not None:
        target = check_target(arguments.output, arguments.overwrite, "-o")
        if picture and picture.absolute() == target.absolute():
            raise UsageError(f"--plot: {picture} is the output file already")
    return picture


def _written(ds, arguments, picture):
    if arguments.output is not None:
        lyapkit.save(ds, arguments.output)
    if picture:
        draw(ds, picture)
    return finish(ds)
