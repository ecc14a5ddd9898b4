"""Results: Datasets described and attributed, and netCDF files of them.

Every verb builds its Dataset here, in the words of `vocabulary`, so that a name means the same everywhere.
"""

import contextlib
import hashlib
import os
import pathlib
import tempfile

import numpy as np
import xarray as xr

import lyapkit
from lyapkit.flags import REMEDY, STATUS
from lyapkit.vocabulary import describe

# a parameter of more numbers stands in the attributes by its digest
MOST_NUMBERS = 4096


def dataset(system, variables, coords, attrs):
    """A Dataset of variables name -> (dims, array) and coords name -> array, described and attributed."""
    return described(system.kind, variables, coords, _attributes(system, attrs, coords))


def described(kind, variables, coords, attrs):
    """The same of what is not of one system: of flows or of maps, with these attributes as they are."""
    data = {name: (dims, values, describe(name, kind)) for name, (dims, values) in variables.items()}
    axes = {name: (name, values, describe(name, kind)) for name, values in coords.items()}
    return xr.Dataset(data, axes, attrs)


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
    with written_aside(path) as partial:
        _without_complex(ds).to_netcdf(partial, engine="netcdf4", format="NETCDF4")


@contextlib.contextmanager
def written_aside(path):
    """A path to write to; afterwards the file is flushed and takes the place of `path`, or is gone on failure."""
    handle, partial = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    os.close(handle)
    try:
        yield partial
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
