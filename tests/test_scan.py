"""Scans: shape and meaning of the result, the file that is stored, and what is refused."""

import numpy as np
import pytest

import lyapkit as lk

GRID = {"alpha": np.array([0.8, 1.5, 2.0]), "theta": np.array([0.9, 0.3])}
SHORT = {"duration": 10, "transient": 2}
FLOW = lk.systems.rotation_flow


def _scan(*args, **keywords):
    return lk.scan(lk.lyapunov_spectrum, *args, **{**SHORT, **keywords})


def test_dims_in_the_grid_s_order():
    ds = _scan(FLOW, GRID)
    assert ds.lyapunov_exponent.dims == ("alpha", "theta", "mode")
    swapped = _scan(FLOW, {"theta": GRID["theta"], "alpha": GRID["alpha"]})
    assert swapped.lyapunov_exponent.dims == ("theta", "alpha", "mode")
    np.testing.assert_array_equal(swapped.lyapunov_exponent.transpose("alpha", "theta", "mode"), ds.lyapunov_exponent)
    for name, values in GRID.items():  # in the order given, falling too
        np.testing.assert_array_equal(ds[name], values)
    assert ds.status.dims == ("alpha", "theta")


def test_every_point_is_the_single_call():
    ds = _scan(FLOW, GRID)
    for alpha in GRID["alpha"]:
        for theta in GRID["theta"]:
            alone = lk.lyapunov_spectrum(FLOW(alpha=alpha, theta=theta), **SHORT)
            point = ds.sel(alpha=alpha, theta=theta)
            np.testing.assert_array_equal(point.lyapunov_exponent, alone.lyapunov_exponent)


def test_parameters_that_are_not_scanned_keep_their_values():
    ds = _scan(FLOW(alpha=1.3), {"theta": GRID["theta"]})
    alone = lk.lyapunov_spectrum(FLOW(alpha=1.3, theta=0.3), **SHORT)
    np.testing.assert_array_equal(ds.lyapunov_exponent.sel(theta=0.3), alone.lyapunov_exponent)
    assert ds.attrs["parameter_alpha"] == 1.3
    assert "parameter_theta" not in ds.attrs


def test_own_ranges_without_a_grid():
    """The plane of the system itself; cut short by a start that diverges nowhere and few steps."""
    ds = lk.scan(lk.trajectory, FLOW, duration=0.05)
    for name, (start, stop, count) in FLOW.model.ranges.items():
        np.testing.assert_array_equal(ds[name], np.linspace(start, stop, count))


def test_history_in_a_scan():
    ds = _scan(FLOW, GRID, history=True, estimator="mean")
    assert ds.running_exponent.dims == ("alpha", "theta", "time", "mode")
    np.testing.assert_allclose(ds.running_exponent.isel(time=-1), ds.lyapunov_exponent, rtol=1e-13)


def test_lists_and_whole_numbers_are_axes():
    one = _scan(FLOW, {"alpha": [1, 2]})
    other = _scan(FLOW, {"alpha": np.array([1.0, 2.0])})
    np.testing.assert_array_equal(one.lyapunov_exponent, other.lyapunov_exponent)


# ------------------------------------------------------------------ the file


def test_store(tmp_path):
    path = tmp_path / "plane.nc"
    ds = _scan(FLOW, GRID, store=path)
    assert lk.load(path).identical(ds)
    assert list(tmp_path.iterdir()) == [path]


def test_store_refuses_what_exists_before_any_work(tmp_path, monkeypatch):
    path = tmp_path / "plane.nc"
    path.write_text("something of value")
    with pytest.raises(FileExistsError, match="overwrite"):
        _scan(FLOW, GRID, store=path)
    assert path.read_text() == "something of value"
    ds = _scan(FLOW, GRID, store=path, overwrite=True)
    assert lk.load(path).identical(ds)


@pytest.mark.parametrize("place", [".", "missing/plane.nc"])
def test_store_refuses_what_cannot_be_written(tmp_path, place):
    with pytest.raises(OSError, match="store"):
        _scan(FLOW, GRID, store=tmp_path / place)
    assert not list(tmp_path.iterdir())


def test_bad_keywords_leave_no_file(tmp_path):
    path = tmp_path / "plane.nc"
    with pytest.raises(ValueError, match="dt"):
        _scan(FLOW, GRID, store=path, dt=-1.0)
    assert not path.exists()


# ------------------------------------------------------------------ refused


@pytest.mark.parametrize(
    ("grid", "error", "match"),
    [
        ({}, ValueError, "grid"),
        ([1.0, 2.0], ValueError, "grid"),
        ("alpha", ValueError, "grid"),
        ({"alpha": []}, ValueError, "grid: alpha"),
        ({"alpha": 2.0}, ValueError, "grid: alpha"),
        ({"alpha": [[1.0, 2.0]]}, ValueError, "grid: alpha"),
        ({"alpha": [1.0, np.nan]}, ValueError, "grid: alpha"),
        ({"alpha": [1.0, np.inf]}, ValueError, "grid: alpha"),
        ({"alpha": ["a", "b"]}, TypeError, "grid: alpha"),
        ({"alpha": [1.0, 2.0j]}, TypeError, "grid: alpha"),
        ({"alpha": None}, (ValueError, TypeError), "grid: alpha"),
        ({"alpah": [1.0]}, ValueError, "nearest: alpha"),
        ({"thet": [1.0]}, ValueError, "nearest: theta"),
        ({"zzz": [1.0]}, ValueError, "'zzz' is unknown to rotation_flow.*accepted: alpha, theta"),
    ],
)
def test_grid_refused(grid, error, match):
    with pytest.raises(error, match=match) as caught:
        _scan(FLOW, grid)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("system", "grid", "match"),
    [
        (lk.systems.lorenz96(n=5), {"n": [4.0, 5.0]}, "'n' cannot be scanned"),
        (lk.systems.linear_map(), {"A": [1.0, 2.0]}, "'A' cannot be scanned"),
        (lk.systems.cat_map(), {"a": [1.0]}, "'a' is unknown to cat_map.*none"),
        (lk.systems.henon(), None, "grid: not given"),
    ],
)
def test_system_s_own_limits(system, grid, match):
    with pytest.raises(ValueError, match=match):
        _scan(system, grid)


@pytest.mark.parametrize("verb", ["lyapunov_spectrum", None, np.mean, lk.scan, lk.save])
def test_not_a_verb(verb):
    with pytest.raises(TypeError, match="verb: given"):
        lk.scan(verb, FLOW, GRID)


@pytest.mark.parametrize("system", ["rotation_flow", None, 3])
def test_not_a_system(system):
    with pytest.raises(TypeError, match="system: given"):
        _scan(system, GRID)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("workers", 0), ("workers", -1), ("workers", 1.5), ("block", 0), ("block", 2.5), ("dt", 0.0),
     ("duration", -1), ("n_exponents", 3), ("estimator", "best"), ("method", "rk5"),
     ("initial_state", [1.0]), ("initial_state", np.zeros((3, 2))), ("initial_state", np.zeros((2, 3, 2)))],
)  # fmt: skip
def test_keywords_are_checked_before_the_scan(keyword, value):
    with pytest.raises(ValueError, match=keyword):
        _scan(FLOW, GRID, **{keyword: value})


def test_unknown_keyword():
    with pytest.raises(TypeError, match="durations"):
        _scan(FLOW, GRID, durations=3)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("rotation_flwo", "rotation_flow"), ("lorenz", "lorenz63"), ("Henon", "henon"), ("vanderpol", "van_der_pol")],
)
def test_unknown_system(name, nearest):
    with pytest.raises(AttributeError, match=f"{name}.*nearest: .*{nearest}"):
        getattr(lk.systems, name)


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: FLOW(alpa=1.0), ValueError, "'alpa' is unknown to rotation_flow; nearest: alpha"),
        (lambda: FLOW(alpha=np.nan), ValueError, "alpha: .*finite"),
        (lambda: FLOW(alpha=[1.0, 2.0]), ValueError, r"alpha: .*shape \(2,\)"),
        (lambda: FLOW(alpha="big"), TypeError, "alpha: given 'big'"),
        (lambda: FLOW(1.0, 2.0, 3.0), TypeError, "2 parameters"),
        (lambda: FLOW(1.0, alpha=2.0), (TypeError, ValueError), "alpha"),
        (lambda: FLOW().with_(thet=2.0), ValueError, "nearest: theta"),
        (lambda: lk.systems.lorenz96(n=0), ValueError, "n: given 0"),
        (lambda: lk.systems.lorenz96(n=2.5), ValueError, "n: given 2.5"),
        (lambda: lk.systems.lorenz96(n="five"), (TypeError, ValueError), "n: given 'five'"),
        (lambda: lk.systems.lorenz96(n=3), ValueError, "n: given 3"),
        (lambda: lk.systems.linear_map(A=[[1.0, 2.0]]), ValueError, "A: "),
        (lambda: lk.systems.linear_map(A=[1.0, 2.0]), ValueError, "A: "),
        (lambda: lk.systems.linear_map(A=2.0), ValueError, "A: "),
        (lambda: lk.systems.linear_map(A=[[1.0, 2.0], [3.0]]), (TypeError, ValueError), "A: "),
        (lambda: lk.systems.linear_flow(A=np.zeros((0, 0))), ValueError, "A: "),
    ],
)
def test_bad_parameters(make, error, match):
    """Refused where they are given, by name; at the latest when the system is first run."""
    with pytest.raises(error, match=match):
        lk.trajectory(make(), duration=1)
