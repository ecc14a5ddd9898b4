"""The vocabulary of results (dims, names, units, status codes), and netCDF files of them.

Every verb builds its Dataset here, so that a name means the same everywhere.
"""

import hashlib
import os
import pathlib
import tempfile

import numpy as np
import xarray as xr

import lyapkit

STATUS = {
    "not_computed": -1,
    "ok": 0,
    "diverged": 1,
    "collapsed": 2,
    "not_converged": 3,
    "ill_conditioned": 4,
    "fixed_point": 5,
    "aperiodic": 6,
    "not_isolated": 7,
    "no_rotation": 8,
    "not_a_torus": 9,
    "section_missed": 10,
    "too_many": 11,
    "step_too_small": 12,
    "no_bifurcation": 13,
}
REMEDY = {
    "not_computed": "the scan was stopped before this point; run it again",
    "diverged": "the state left the finite numbers; start elsewhere, or take a smaller dt",
    "collapsed": "the tangent map is singular, to rounding, on the orbit; an exponent is -inf",
    "ill_conditioned": "one step contracts by more than 15 digits; ask for fewer n_exponents, trailing ones are lost",
    "step_too_small": "the step fell below what the time resolves: the orbit blows up, or loosen rtol and atol",
    "not_converged": "the accuracy asked for was not reached; raise duration, or give a better guess",
    "fixed_point": "the orbit comes to rest at a fixed point (see fixed_points); start elsewhere",
    "aperiodic": "the orbit does not close: chaos, a torus or a very long transient; raise duration, or give a guess",
    "not_isolated": "one of a family of cycles, or too weakly attracting to tell; the start may decide on its period",
    "section_missed": "the cycle does not cross the section; give another one",
    "no_rotation": "turns cannot be counted: the orbit meets the centre or jumps by every angle; give another centre",
    "not_a_torus": "the spectrum is broad or has too many frequencies: chaos, or too short a duration or transient",
    "no_bifurcation": "no bifurcation of this kind was found; widen the bounds, or give a start",
    "too_many": "more points were found than there is room for; raise most_points",
}
SIGN = {"negative": -1, "zero": 0, "positive": 1, "undecided": 2}
ESTIMATOR = {"mean": 0, "birkhoff": 1}
LOCKED = {"no": 0, "yes": 1}
STABLE = {"absent": -2, "unstable": -1, "undecided": 0, "stable": 1}
COMPLETE = {"searched": 0, "proved": 1}
POINT_KIND = {"fixed_point": 0, "slow_point": 1, "absent": 2}
BOX_SOURCE = {"given": 0, "model": 1, "orbit": 2}
DIRECTION = {"up": 0, "down": 1}
CURVE_KIND = {"hopf": 0, "fold": 1, "neimark_sacker": 2, "period_doubling": 3}
CURVE_SOURCE = {"computed": 0, "closed_form": 1}
SIDE = {"below": 0, "above": 1}
# a flow, its Euler map, and what becomes of the one in the other
FLOW_REGIME = {"rest": 0, "cycle": 1, "chaotic": 2, "unknown": 3}
MAP_REGIME = {"rest": 0, "circle": 1, "locked": 2, "chaotic": 3, "diverged": 4, "undecided": 5}
OUTCOME = {
    "both_rest": 0,
    "both_cycle": 1,
    "both_chaotic": 2,
    "locked": 3,
    "cycle_lost": 4,
    "cycle_made_by_the_step": 5,
    "chaos_made_by_the_step": 6,
    "chaos_lost": 7,
    "diverged": 8,
    "undecided": 9,
}
SAFE_H_SOURCE = {"eigenvalue": 0, "bisection": 1, "above_grid": 2, "below_grid": 3, "none": 4}
# points of codimension two on curves of bifurcations
CODIMENSION_TWO = {
    "none": 0,
    "cusp": 1,
    "bogdanov_takens": 2,
    "bautin": 3,
    "zero_hopf": 4,
    "hopf_hopf": 5,
    "resonance_1_1": 6,
    "resonance_1_2": 7,
    "resonance_1_3": 8,
    "resonance_1_4": 9,
    "chenciner": 10,
    "generalised_period_doubling": 11,
    "fold_flip": 12,
    "fold_neimark_sacker": 13,
    "flip_neimark_sacker": 14,
    "double_neimark_sacker": 15,
}
CRITICALITY = {"supercritical": -1, "undecided": 0, "subcritical": 1, "none": 2}
DEGENERATE = {"no": 0, "yes": 1}
# why a branch or a curve ends
END = {
    "not_followed": -1,
    "bound": 0,
    "closed": 1,
    "most_points": 2,
    "stalled": 3,
    "not_finite": 4,
    "double_zero": 5,
    "period_diverges": 6,
    "no_cycle": 7,
    "other_branch": 8,
}

# what orbits do in the long run; coexistence: attractors of different kinds
REGIME = {
    "fixed_point": 0,
    "limit_cycle": 1,
    "quasi_periodic": 2,
    "locked": 3,
    "chaotic": 4,
    "coexistence": 5,
    "diverging": 6,
    "undecided": 7,
}
BRANCH_KIND = {"equilibrium": 0, "cycle": 1}
SPECIAL_KIND = {"hopf": 0, "fold": 1, "branch_point": 2, "period_doubling": 3, "neimark_sacker": 4}
PERIOD_LAW = {"none": 0, "saddle_node_circle": 1, "homoclinic": 2}

# variable -> (long name, units), {rate} and {step} standing for the words of a flow or a map
_WORDS = {
    "state": ("state", "1"),
    "lyapunov_exponent": ("Lyapunov exponent", "nats per {step}"),
    "lyapunov_exponent_stderr": ("standard error of the Lyapunov exponent", "nats per {step}"),
    "lyapunov_sign": ("sign of the Lyapunov exponent", "1"),
    "mean_divergence": ("mean {volume}, the sum of all exponents", "nats per {step}"),
    "exponent_sum_error": ("sum of the exponents minus the mean {volume}", "nats per {step}"),
    "frame_orthogonality": ("largest entry of Q'Q - 1 of the final tangent frame", "1"),
    "frame_condition": ("worst condition of the tangent frame", "1"),
    "kaplan_yorke_dimension": ("Kaplan-Yorke dimension", "1"),
    "kaplan_yorke_dimension_stderr": ("bound on the standard error of the Kaplan-Yorke dimension", "1"),
    "entropy_rate_stderr": ("bound on the standard error of the entropy rate", "nats per {step}"),
    "entropy_rate": ("sum of the positive Lyapunov exponents", "nats per {step}"),
    "averaging_duration": ("duration averaged over", "{steps}"),
    "estimator": ("estimator of the mean growth rates", "1"),
    "running_exponent": ("mean growth rate up to this time", "nats per {step}"),
    "covariant_vector": ("covariant Lyapunov vector", "1"),
    "finite_time_exponent": ("growth rate of the covariant vector until the next sample", "nats per {step}"),
    "angle": ("angle between covariant vectors", "rad"),
    "other_mode": ("number of the other exponent, 1 = largest", "1"),
    "period": ("period", "{steps}"),
    "frequency": ("frequency", "turns per {step}"),
    "floquet_multiplier": ("Floquet multiplier", "1"),
    "floquet_exponent": ("Floquet exponent", "nats per {step}"),
    "log_abs_multiplier": ("ln |Floquet multiplier|", "nats"),
    "trivial_mode": ("mode of the flow's direction, 0: none", "1"),
    "trivial_error": ("distance of the trivial multiplier from 1", "1"),
    "liouville_error": ("ln of the multipliers' product minus the {total}", "nats"),
    "residual": ("mismatch of the closed orbit relative to its size", "1"),
    "velocity": ("velocity", "state units per time unit"),
    "adjoint": ("phase gradient Z", "time units per state unit"),
    "gradient_swing": ("largest over smallest |f(x(t))| |Z(x(0))| in time", "1"),
    "period_derivative": ("derivative of the period", "{steps} per unit of the parameter"),
    "section_level": ("level of the section of phase 0", "1"),
    "mesh_error": ("relative change when the steps were doubled last", "1"),
    "phase": ("{phase}", "{phases}"),
    "parameter": ("parameter", "1"),
    "rotation_number": ("rotation number", "turns per {step}"),
    "rotation_number_stderr": ("standard error of the rotation number", "turns per {step}"),
    "locked": ("whether a periodic orbit attracts the orbit", "1"),
    "locking_p": ("turns p of the locked orbit, in lowest terms; 0 / 0: not locked", "turns"),
    "locking_q": ("{steps} q for p turns of the locked orbit; 0: not locked", "{steps}"),
    "orbit_period": ("period of the locked orbit; 0: not locked", "{steps}"),
    "circle_mode": ("Fourier mode of the invariant circle", "1"),
    "circle_residual": ("largest distance of the orbit from the sum of the Fourier modes", "1"),
    "harmonic": ("harmonic of the rotation number", "1"),
    "frequency_stderr": ("standard error of the frequency", "turns per {step}"),
    "amplitude": ("amplitude of the lines of this tone alone", "1"),
    "n_frequencies": ("number of independent frequencies, the dimension of the torus", "1"),
    "line_frequency": ("frequency of the spectral line", "turns per {step}"),
    "line_frequency_stderr": ("standard error of the line's frequency", "turns per {step}"),
    "line_amplitude": ("amplitude of the spectral line", "1"),
    "line_order": ("multiple of the tone that the line holds", "1"),
    "line_clock": ("multiple of 1 / clock_parts that the line of a map holds", "1"),
    "clock_parts": ("iterates in which the locked part of a map's motion closes", "1"),
    "n_lines": ("number of spectral lines found", "1"),
    "unexplained_share": ("share of the variance that the lines leave", "1"),
    "tone": ("number of the independent frequency, 1 = loudest", "1"),
    "line": ("number of the spectral line, 1 = strongest", "1"),
    "eigenvalue": ("eigenvalue of the Jacobian", "{rate}"),
    "stable": ("stability", "1"),
    "speed": ("speed |{residual}|", "1 per {step}"),
    "point_kind": ("fixed point or slow point", "1"),
    "n_fixed_points": ("number of fixed points", "1"),
    "n_stable": ("number of stable fixed points", "1"),
    "leading_eigenvalue": ("leading eigenvalue of the fixed point nearest to the orbit", "{rate}"),
    "growth_rate": ("{growth} of the leading eigenvalue", "1 per {step}"),
    "regime": ("regime", "1"),
    "orbit_regime": ("regime of the orbit of the initial state", "1"),
    "curve_point": ("number of the point among those of all curves", "1"),
    "curve_frequency": ("angular frequency", "rad per {step}"),
    "curve_coefficient": ("normal-form coefficient for an eigenvector of norm 1", "{rate}"),
    "curve_codimension_two": ("point of codimension two", "1"),
    "n_zeros": ("number of zero exponents", "1"),
    "cycle_status": ("outcome of the search of the cycle", "1"),
    "largest_multiplier": ("ln |largest nontrivial multiplier|", "nats"),
    "complete": ("whether these are proved to be all fixed points of the box", "1"),
    "box_low": ("lower end of the box", "1"),
    "box_high": ("upper end of the box", "1"),
    "box_source": ("where the box comes from", "1"),
    "point": ("number of the point", "1"),
    "normal_form_coefficient": ("normal-form coefficient for an eigenvector of norm 1", "{rate}"),
    "criticality": ("whether what branches off is stable", "1"),
    "codimension_two": ("point of codimension two", "1"),
    "degenerate": ("whether the point's own unfolding is degenerate", "1"),
    "curve_number": ("number of the curve", "1"),
    "curve": ("number of the curve", "1"),
    "end": ("end of the curve, 0: first point, 1: last point", "1"),
    "end_reason": ("why the curve ends", "1"),
    "direction": ("direction of the sweep", "1"),
    "curve_kind": ("bifurcation on the curve", "1"),
    "curve_source": ("where the curve comes from", "1"),
    "locked_share": ("share of the turning points of the grid that are locked", "1"),
    "locked_share_of_q": ("share of the turning points of the grid that are locked at p / q", "1"),
    "q": ("{steps} for p turns", "{steps}"),
    "border_number": ("number of the border", "1"),
    "border_p": ("turns p of the tongue", "turns"),
    "border_q": ("{steps} q of the tongue", "{steps}"),
    "border_side": ("side of the tongue along the second parameter", "1"),
    "border_end": ("why the border ends", "1"),
    "border_state": ("a point of the cycle on the border", "1"),
    "outcome": ("Euler map against flow", "1"),
    "flow_regime": ("what the flow settles on", "1"),
    "map_regime": ("what the Euler map settles on", "1"),
    "flow_period": ("period of the flow's cycle", "time units"),
    "flow_exponent": ("Lyapunov exponent of the flow", "nats per time unit"),
    "map_exponent": ("Lyapunov exponent of the Euler map", "nats per time unit"),
    "frequency_bias": ("frequency of the Euler map over that of the flow, less 1", "1"),
    "largest_safe_h": ("largest step up to which the Euler map agrees with the flow", "time units"),
    "safe_h_source": ("how the largest safe step was found", "1"),
    "lowest": ("lowest value over the orbit", "1"),
    "highest": ("highest value over the orbit", "1"),
    "branch_number": ("number of the branch", "1"),
    "branch": ("number of the branch", "1"),
    "branch_kind": ("equilibria or cycles", "1"),
    "parent": ("number of the branch that this one was born on; 0: none", "1"),
    "special": ("number of the special point", "1"),
    "special_kind": ("kind of the special point", "1"),
    "special_state": ("state at the special point", "1"),
    "special_branch": ("number of the branch that the special point lies on", "1"),
    "special_period": ("period at the special point", "{steps}"),
    "special_frequency": ("angular frequency of the critical pair", "rad per {step} or period"),
    "special_coefficient": ("normal-form coefficient for an eigenvector of norm 1", "{rate}"),
    "period_law": ("how the period diverges", "1"),
    "period_law_parameter": ("parameter at which the period diverges", "1"),
    "period_law_exponent": ("exponent of T ~ |p - p0|^exponent", "1"),
    "period_law_rate": ("lambda of T ~ -ln |p - p0| / lambda", "1 per {step}"),
    "sample": ("number of the sample", "1"),
    "status": ("outcome", "1"),
    "time": ("time since the end of the transient", "{steps}"),
    "unit": ("unit of the state", "1"),
    "mode": ("number of the exponent, 1 = largest", "1"),
}
_FLOW = {
    "step": "time unit", "steps": "time units", "volume": "divergence", "rate": "1 per time unit", "residual": "f(x)",
    "phase": "phase t / T", "phases": "turns", "total": "integral of the divergence",
    "growth": "real part",
}  # fmt: skip
_MAP = {
    "step": "iterate", "steps": "iterates", "volume": "ln |det Df|", "rate": "1", "residual": "f(x) - x",
    "phase": "iterate", "phases": "1", "total": "sum of ln |det Df|",
    "growth": "ln of the modulus",
}  # fmt: skip
_FLAGS = {
    "status": STATUS, "lyapunov_sign": SIGN, "estimator": ESTIMATOR, "stable": STABLE, "locked": LOCKED,
    "complete": COMPLETE, "point_kind": POINT_KIND, "box_source": BOX_SOURCE,
    "direction": DIRECTION, "curve_kind": CURVE_KIND, "curve_source": CURVE_SOURCE, "outcome": OUTCOME,
    "flow_regime": FLOW_REGIME, "map_regime": MAP_REGIME, "safe_h_source": SAFE_H_SOURCE,
    "border_side": SIDE, "border_end": END,
    "criticality": CRITICALITY, "codimension_two": CODIMENSION_TWO, "degenerate": DEGENERATE, "end_reason": END,
    "regime": REGIME, "orbit_regime": REGIME, "curve_codimension_two": CODIMENSION_TWO, "cycle_status": STATUS,
    "branch_kind": BRANCH_KIND, "special_kind": SPECIAL_KIND, "period_law": PERIOD_LAW,
}  # fmt: skip
# a parameter of more numbers stands in the attributes by its digest
MOST_NUMBERS = 4096
# what a point that was not computed holds
_EMPTY = dict.fromkeys(_FLAGS, 0) | {
    "status": STATUS["not_computed"], "lyapunov_sign": SIGN["undecided"], "stable": STABLE["absent"],
    "point_kind": POINT_KIND["absent"],
    "regime": REGIME["undecided"], "orbit_regime": REGIME["undecided"], "cycle_status": STATUS["not_computed"],
}  # fmt: skip
# variables that are not real numbers, and their types
_WHOLE = (
    "trivial_mode", "locking_p", "locking_q", "orbit_period", "n_frequencies", "line_order", "line_clock",
    "clock_parts", "n_lines", "n_fixed_points", "curve_number", "n_stable", "n_zeros",
    "branch_number", "special_branch", "parent",
)  # fmt: skip
_COMPLEX = ("floquet_multiplier", "floquet_exponent", "circle_mode", "eigenvalue", "leading_eigenvalue")
_TYPES = dict.fromkeys(_WHOLE, np.int64) | dict.fromkeys(_COMPLEX, np.complex128)


def describe(name, kind):
    """The attributes (long_name, units, flags) of the variable `name` of a flow or a map."""
    words = _FLOW if kind == "flow" else _MAP
    if name not in _WORDS:
        return {"long_name": name, "units": "rad" if name == "theta" else "1"}
    long_name, units = (text.format(**words) for text in _WORDS[name])
    attrs = {"long_name": long_name, "units": units}
    if name in _FLAGS:
        attrs["flag_values"] = np.array(list(_FLAGS[name].values()), dtype=np.int8)
        attrs["flag_meanings"] = " ".join(_FLAGS[name])
    return attrs


def empty(name, shape):
    """The array of `name` before anything is computed: NaN, or the flag that says so."""
    if name in _FLAGS:
        return np.full(shape, _EMPTY[name], dtype=np.int8)
    kind = _TYPES.get(name, np.float64)
    return np.full(shape, 0 if kind is np.int64 else np.nan, dtype=kind)


def dataset(system, variables, coords, attrs):
    """A Dataset of variables name -> (dims, array) and coords name -> array, described and attributed."""
    kind = system.kind
    data = {name: (dims, values, describe(name, kind)) for name, (dims, values) in variables.items()}
    axes = {name: (name, values, describe(name, kind)) for name, values in coords.items()}
    return xr.Dataset(data, axes, _attributes(system, attrs, coords))


def _attributes(system, attrs, coords):
    """Where a result comes from; netCDF takes numbers, texts and arrays of them only.

    A parameter that is a coordinate is no longer one number.
    """
    named = {"system": system.name, "kind": system.kind, "equation": system.equation}
    for name, value in system.given_parameters.items():
        named |= {} if name in coords else _parameter(f"parameter_{name}", value)
    named |= {k: int(v) if isinstance(v, bool) else v for k, v in attrs.items() if v is not None}
    return {**named, "tangent": system.cell.tangent, "lyapkit_version": lyapkit.__version__}


def _parameter(label, value):
    """A parameter as attributes: its numbers, or where they are many or none, how to recognise it."""
    if isinstance(value, str | int | float):
        return {label: value}
    if callable(value):
        return {label: f"the function {getattr(value, '__name__', value)!s}"}
    shape = {f"{label}_shape": value.shape} if len(value.shape) > 1 else {}
    if not isinstance(value, np.ndarray):
        return {label: type(value).__name__, **shape}
    if value.size > MOST_NUMBERS:
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return {label: f"{value.size} numbers, sha256 of their bytes {digest}", **shape}
    return {label: np.ravel(value), **shape}


def report(status):
    """One line for each kind of failed point in an array of status codes: how many, and the remedy."""
    lines = []
    for name, code in STATUS.items():
        count = int(np.sum(np.asarray(status) == code))
        if count and name != "ok":
            lines.append(f"{count} point{'s' if count > 1 else ''} {name}: {REMEDY[name]}")
    return lines


def check_target(path, overwrite=False, argument="store"):
    """Refuse a path that exists or cannot be written, before any work is done; returns it as a Path."""
    if not isinstance(path, str | os.PathLike) or not os.fspath(path):
        raise TypeError(f"{argument}: given {path!r}, accepted: the path of a file")
    path = pathlib.Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{argument}: {path} is a folder; accepted: the path of a file")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{argument}: {path} exists; overwrite=True (--overwrite) replaces it")
    folder = path.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise PermissionError(f"{argument}: {path} cannot be written; accepted: a path in a writable folder")
    return path


def save(ds, path, *, overwrite=True):
    """Write a Dataset to the netCDF-4 file `path`; complex values keep their exact bits.

    A complex variable is stored as float64 with a trailing dimension named ``complex`` (real, imaginary). The
    file is written aside, flushed and renamed: whatever happens, `path` holds the old or the new
    file, never half of one. Raises FileExistsError where it exists and `overwrite` is false.

    >>> import lyapkit as lk, tempfile, os
    >>> ds = lk.trajectory(lk.systems.henon(), duration=3)
    >>> path = os.path.join(tempfile.mkdtemp(), "henon.nc")
    >>> lk.save(ds, path)
    >>> lk.load(path).identical(ds)
    True
    """
    path = check_target(path, overwrite)
    handle, partial = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    os.close(handle)
    try:
        _without_complex(ds).to_netcdf(partial, engine="netcdf4", format="NETCDF4")
        with open(partial, "rb") as file:
            os.fsync(file.fileno())
        os.chmod(partial, 0o666 & ~_umask())
        os.replace(partial, path)
    except BaseException:
        pathlib.Path(partial).unlink(missing_ok=True)
        raise


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _without_complex(ds):
    changed = {}
    for name, variable in ds.variables.items():
        if np.iscomplexobj(variable):
            values = variable.values.astype(np.complex128)
            parts = np.stack([values.real, values.imag], axis=-1)
            changed[name] = ((*variable.dims, "complex"), parts, variable.attrs)
    return ds.assign(changed) if changed else ds


def load(path):
    """Read a Dataset that `save` or the command line wrote; raises ValueError for another kind of file."""
    path = pathlib.Path(path)
    if not path.exists():
        raise FileNotFoundError(f"path: {path} does not exist; accepted: a netCDF file of lyapkit")
    try:
        with xr.open_dataset(path, engine="netcdf4") as file:
            ds = file.load()
    except (OSError, ValueError):
        raise ValueError(f"path: {path} is not a netCDF file; accepted: one that lyapkit wrote") from None
    if "lyapkit_version" not in ds.attrs:
        raise ValueError(f"path: {path} was not written by lyapkit (no attribute lyapkit_version)")
    for name, variable in ds.variables.items():
        if variable.dims[-1:] == ("complex",):
            values = np.ascontiguousarray(variable.values).view(np.complex128)[..., 0]
            ds[name] = (variable.dims[:-1], values, variable.attrs)
        variable.encoding.clear()
    ds.encoding.clear()
    return ds
