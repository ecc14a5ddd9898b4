"""What commands do with results: exit codes, pictures, words on stderr."""

import pathlib
import sys

import lyapkit
from lyapkit.nearest import nearest
from lyapkit.options import UsageError

OK, INTERNAL, USAGE, FAILED_POINTS, INTERRUPTED = 0, 1, 2, 3, 130
# verbs that can be scanned -> the variable whose plane is drawn
MEASURES = {
    "lyapunov_spectrum": "lyapunov_exponent", "limit_cycle": "period", "rotation_number": "rotation_number",
    "torus_frequencies": "n_frequencies", "fixed_points": "n_fixed_points", "trajectory": None,
    "attractors": "n_attractors", "robustness": "largest_kept_size", "learning_signal": None, "gradient_horizon": None,
    "perturbation": None,
}  # fmt: skip
# variable that tells what a result of one system is -> the plot of such results
_OF_ONE_SYSTEM = {
    "floquet_multiplier": "cycle", "log_singular_value": "learning_signal", "horizon": "horizon",
    "share_with_zeros": "robustness", "lyapunov_sign": "spectrum",
}  # fmt: skip


def system_of(arguments):
    """The constructor named on the command line."""
    if arguments.system in lyapkit.systems.names():
        return getattr(lyapkit.systems, arguments.system)
    hint = nearest(arguments.system, lyapkit.systems.names())
    raise UsageError(f"system: given {arguments.system!r}{hint}; accepted: a name that lyapkit systems lists")


def announce_compilation():
    """Say once on stderr that kernels are being compiled: a first run takes some 20 seconds longer."""
    from lyapkit.kernels.jit import on_compile

    said = []

    def say(name):
        if not said:
            said.append(name)
            print("lyapkit: compiling kernels, which are kept for the next run ...", file=sys.stderr)

    on_compile(say)


def checked_picture(path, overwrite, argument="--plot"):
    """Check a picture's path before any work is done."""
    from lyapkit.results import check_target

    if path is None:
        return None
    if pathlib.Path(path).suffix not in (".png", ".pdf", ".svg"):
        raise UsageError(f"{argument}: given {path!r}, accepted: a path that ends in .png, .pdf or .svg")
    return check_target(path, overwrite, argument)


def draw(ds, path, **keywords):
    import matplotlib

    matplotlib.use("Agg")
    ax = figure_of(ds, **keywords)
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")  # never half a picture
    try:
        ax.figure.savefig(partial, dpi=200)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def figure_of(ds, variable=None, mode=1):
    """The plane of a two-dimensional scan, else what there is of one system; a spectrum also over one parameter."""
    from lyapkit.plot.axes import grid_dims

    kind = ds.attrs.get("verb")
    if variable is None and mode == 1:
        if kind == "atlas":
            return lyapkit.plot.atlas(ds)[0, 0]
        if "branch_kind" in ds:
            return lyapkit.plot.branch(ds)
    axes = grid_dims(ds.drop_dims([dim for dim in ("curve_point",) if dim in ds.dims]))
    if len(axes) == 2:
        usual = {**MEASURES, "hopf_map": "regime"}.get(kind, "lyapunov_exponent")
        return lyapkit.plot.plane(ds, variable or usual, mode=mode)
    if variable or mode != 1:
        raise UsageError("--variable, --mode: given for a result without two parameters; accepted for planes")
    for name, plot in _OF_ONE_SYSTEM.items():
        if name in ds and (not axes or plot == "spectrum"):
            return getattr(lyapkit.plot, plot)(ds)
    raise UsageError("there is neither a plane of two parameters, nor a result of one system in it to draw")


def finish(ds):
    """Report failed points on stderr; the exit code."""
    from lyapkit.flags import STATUS
    from lyapkit.results import report

    for line in report(ds.status.values):
        print(f"lyapkit: {line}", file=sys.stderr)
    findings = ("ok", "collapsed", "fixed_point", "not_isolated")
    failed = ~ds.status.isin([STATUS[name] for name in findings])
    return FAILED_POINTS if bool(failed.any()) else OK
