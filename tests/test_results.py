"""Datasets: their vocabulary, netCDF files to the bit, and what saving and loading refuse."""

import numpy as np
import pytest
import xarray as xr

import lyapkit as lk

GRID = {"alpha": np.array([0.8, 2.0]), "theta": np.linspace(0.2, 1.0, 3)}
SHORT = {"duration": 10, "transient": 2}


def _spectrum(**keywords):
    return lk.lyapunov_spectrum(lk.systems.rotation_flow(), **SHORT, **keywords)


RESULTS = {
    "trajectory": lambda: lk.trajectory(lk.systems.lorenz63(), duration=1),
    "map": lambda: lk.trajectory(lk.systems.henon(), duration=5),
    "spectrum": _spectrum,
    "history": lambda: _spectrum(history=True),
    "spectrum of a map": lambda: lk.lyapunov_spectrum(lk.systems.henon(), duration=150),
    "matrix parameter": lambda: lk.lyapunov_spectrum(lk.systems.linear_flow(), duration=5),
    "diverged": lambda: lk.lyapunov_spectrum(lk.systems.henon(a=5.0), duration=150),
    "collapsed": lambda: lk.lyapunov_spectrum(lk.systems.logistic(r=2.0), initial_state=[0.5], duration=150),
    "scan": lambda: lk.scan(lk.lyapunov_spectrum, lk.systems.rotation_flow, GRID, **SHORT),
    "scan of trajectories": lambda: lk.scan(lk.trajectory, lk.systems.rotation_map, GRID, duration=4),
}


@pytest.fixture(params=RESULTS, scope="session")
def result(request):
    """One result of each kind; not to be changed."""
    return RESULTS[request.param]()


def test_every_variable_says_what_it_is(result):
    """long_name and units, that know a flow (time units) from a map (iterates)."""
    for name, variable in result.variables.items():
        assert variable.attrs["long_name"] and variable.attrs["units"], name
        text = variable.attrs["long_name"] + variable.attrs["units"]
        assert "{" not in text
        if result.attrs["kind"] == "map":
            assert "time unit" not in variable.attrs["units"]
        else:
            assert "iterate" not in variable.attrs["units"]


def test_flags_follow_the_cf_conventions(result):
    """flag_values of the variable's own type, one meaning for each, and only those occur."""
    flags = {name: v for name, v in result.variables.items() if "flag_values" in v.attrs}
    assert "status" in flags
    for variable in flags.values():
        values, meanings = variable.attrs["flag_values"], variable.attrs["flag_meanings"].split()
        assert values.dtype == variable.dtype == np.int8
        assert len(values) == len(meanings) == len(set(meanings))
        assert set(np.ravel(variable.values)) <= set(values)


def test_result_says_where_it_comes_from(result):
    attrs = result.attrs
    assert attrs["system"] in lk.systems.names()
    assert attrs["kind"] in ("flow", "map")
    assert attrs["lyapkit_version"] == lk.__version__
    assert attrs["tangent"].startswith("exact")
    assert attrs["equation"] == getattr(lk.systems, attrs["system"])().equation


def test_dims_have_names(result):
    assert {str(dim) for dim in result.dims} <= {"time", "unit", "mode", *GRID}
    assert "mode" not in result.coords or result.mode.values[0] == 1


def test_round_trip(result, tmp_path):
    """Values, coordinates, attributes and types come back identical, to the bit."""
    path = tmp_path / "result.nc"
    lk.save(result, path)
    again = lk.load(path)
    assert again.identical(result)
    for name, variable in result.variables.items():
        assert again[name].dtype == variable.dtype
        assert again[name].values.tobytes() == variable.values.tobytes(), name
    assert list(tmp_path.iterdir()) == [path]  # nothing half-written beside it


def test_loaded_result_does_not_hold_its_file(tmp_path):
    path = tmp_path / "result.nc"
    lk.save(_spectrum(), path)
    loaded = lk.load(path)
    path.unlink()
    assert np.isfinite(loaded.lyapunov_exponent).all()
    lk.save(loaded, path)
    assert lk.load(path).identical(loaded)


def test_complex_round_trip(tmp_path):
    """Stored as (real, imaginary) along a trailing dimension named complex; signed zeros and NaN kept."""
    ds = _spectrum()
    values = np.array([[1 + 2j, complex(-0.0, 0.0)], [complex(np.nan, np.inf), complex(1e-310, -3)]])
    words = {"long_name": "multiplier", "units": "1"}
    ds["multiplier"] = (("mode", "number"), values, words)
    ds = ds.assign_coords(eigen=("mode", np.array([1j, -1j]), words))
    path = tmp_path / "complex.nc"
    lk.save(ds, path)
    with xr.open_dataset(path, engine="netcdf4") as raw:
        assert raw.multiplier.dims == ("mode", "number", "complex")
        assert raw.multiplier.dtype == np.float64
        assert "complex" not in raw.coords
    again = lk.load(path)
    assert again.multiplier.dtype == np.complex128
    assert again.multiplier.values.tobytes() == values.tobytes()
    assert again.identical(ds)
    assert ds.multiplier.dtype == np.complex128  # the argument is left alone


def test_real_infinities_and_signed_zeros(tmp_path):
    ds = _spectrum()
    ds["lyapunov_exponent"].values[:] = [-np.inf, -0.0]
    lk.save(ds, tmp_path / "inf.nc")
    again = lk.load(tmp_path / "inf.nc").lyapunov_exponent.values
    assert again.tobytes() == np.array([-np.inf, -0.0]).tobytes()


# ------------------------------------------------------------------ refused


def test_save_replaces_unless_told_not_to(tmp_path):
    path = tmp_path / "result.nc"
    one, other = _spectrum(), _spectrum(seed=1)
    lk.save(one, path)
    with pytest.raises(FileExistsError, match="exists"):
        lk.save(other, path, overwrite=False)
    assert lk.load(path).identical(one)
    lk.save(other, path)
    assert lk.load(path).identical(other)


def test_save_refuses_a_folder(tmp_path):
    with pytest.raises(IsADirectoryError, match="folder"):
        lk.save(_spectrum(), tmp_path)


def test_save_refuses_a_path_in_no_folder(tmp_path):
    with pytest.raises(OSError, match="missing"):
        lk.save(_spectrum(), tmp_path / "missing" / "result.nc")
    assert not list(tmp_path.iterdir())


def test_failed_save_leaves_the_old_file(tmp_path):
    """A Dataset that netCDF cannot hold: the error comes out, the old file stays, nothing is beside it."""
    path = tmp_path / "result.nc"
    ds = _spectrum()
    lk.save(ds, path)
    broken = ds.assign_attrs(unfit={"a": object()})
    with pytest.raises(Exception, match=r".+"):
        lk.save(broken, path)
    assert lk.load(path).identical(ds)
    assert list(tmp_path.iterdir()) == [path]


def test_load_refuses_what_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        lk.load(tmp_path / "none.nc")


@pytest.mark.parametrize("content", [b"", b"not a netCDF file", b"CDF\x01" + b"\x00" * 40, b"\x89HDF\r\n\x1a\n"])
def test_load_refuses_other_files(tmp_path, content):
    path = tmp_path / "other.nc"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"path: .*other\.nc"):
        lk.load(path)
    assert path.read_bytes() == content


def test_load_refuses_a_truncated_file(tmp_path):
    path = tmp_path / "cut.nc"
    lk.save(_spectrum(), path)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ValueError, match=r"path: .*cut\.nc"):
        lk.load(path)


def test_load_refuses_a_folder(tmp_path):
    with pytest.raises((ValueError, OSError), match="path: "):
        lk.load(tmp_path)


def test_load_refuses_a_foreign_netcdf_file(tmp_path):
    path = tmp_path / "foreign.nc"
    xr.Dataset({"temperature": ("x", [1.0, 2.0])}).to_netcdf(path)
    with pytest.raises(ValueError, match="not written by lyapkit"):
        lk.load(path)
