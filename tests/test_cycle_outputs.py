"""Cycles as pictures and on the command line."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import LogNorm

import lyapkit as lk
from lyapkit import cli
from lyapkit.output import FAILED_POINTS


@pytest.fixture(autouse=True)
def _close():
    plt.close("all")
    yield
    plt.close("all")


def test_cycle_of_a_flow():
    ds = lk.limit_cycle(lk.systems.van_der_pol(mu=5.0))
    ax = lk.plot.cycle(ds)
    orbit, bar, course, gradient = (ax, *ax.figure.axes[-1:], *ax.figure.axes[1:3])
    (line,) = orbit.collections
    np.testing.assert_allclose(line.get_array(), ds.phase)
    np.testing.assert_allclose([piece[0] for piece in line.get_segments()], ds.state)
    assert bar.get_ylabel() == "phase t / T (turns)"
    assert course.get_xlabel() == gradient.get_xlabel() == "time (time units)"
    assert gradient.get_ylabel() == "phase gradient Z (time units per state unit)"
    np.testing.assert_allclose(gradient.lines[1].get_ydata()[:-1], ds.adjoint[:, 0])
    assert gradient.get_xlim()[1] == pytest.approx(float(ds.period))
    texts = [text.get_text() for text in orbit.texts]
    assert any("period 11.6122 time units" in text for text in texts)


def test_line_between_samples_follows_the_orbit():
    """Hermite's cubics through 64 samples err by (T/64)^4 x''''/384, some 1e-4 / 384 with x'''' near 10."""
    few, many = (lk.limit_cycle(lk.systems.rotation_flow(), n_phase=n) for n in (64, 64 * 7))
    (line,) = lk.plot.cycle(few, ax=plt.subplots()[1]).collections
    points = np.concatenate([piece[:-1] for piece in line.get_segments()])
    np.testing.assert_allclose(points, many.state, atol=3e-6)


def test_cycle_of_maps():
    ds = lk.limit_cycle(lk.systems.rotation_map(alpha=8.0, theta=0.7))
    ax = lk.plot.cycle(ds)
    assert {text.get_text() for text in ax.texts} >= {str(i) for i in range(12)}
    assert len(ax.figure.axes) == 3  # no gradient
    single = lk.plot.cycle(lk.limit_cycle(lk.systems.logistic(r=3.5)))
    assert single.get_ylabel() == "next iterate"


def test_cycle_refuses():
    ds = lk.limit_cycle(lk.systems.rotation_flow())
    with pytest.raises(ValueError, match="units: given"):
        lk.plot.cycle(ds, units=(0, 2))
    with pytest.raises(ValueError, match=r"holds no cycle \(status fixed_point"):
        lk.plot.cycle(lk.limit_cycle(lk.systems.rotation_flow(alpha=0.5)))
    with pytest.raises(ValueError, match=r"variable: given 'period'"):
        lk.plot.cycle(lk.trajectory(lk.systems.rotation_flow(), duration=5))
    for units in ((0, 0), (0.5, 1), "ab", 0, (True, False)):
        with pytest.raises(ValueError, match="units: given"):
            lk.plot.cycle(ds, units=units)


def test_plane_of_periods_is_logarithmic_and_names_fixed_points():
    grid = {"alpha": np.linspace(1.2, 3.0, 4), "theta": np.array([0.1, 0.26, 0.5, 0.9])}
    ds = lk.scan(lk.limit_cycle, lk.systems.rotation_flow, grid)
    ax = lk.plot.plane(ds, "period")
    assert isinstance(ax.collections[0].norm, LogNorm)
    missing = int(np.isnan(ds.period).sum())
    assert f"fixed point ({missing})" in [text.get_text() for text in ax.get_legend().get_texts()]


def run(capsys, *words):
    code = cli.main([str(word) for word in words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_command_cycle(capsys, tmp_path):
    path, picture = tmp_path / "cycle.nc", tmp_path / "cycle.png"
    words = ["cycle", "rotation_flow", "--alpha", "1.5", "--theta", "pi/21", "-o", path, "--plot", picture]
    code, out, err = run(capsys, *words)
    assert code == cli.OK and not err
    assert "period: 311.80069324" in out and "-211.709757" in out and "trivial" in out and "stability: stable" in out
    assert picture.stat().st_size > 10_000
    assert float(lk.load(path).period) == pytest.approx(311.8006932495465, rel=1e-10)
    assert run(capsys, "plot", path, "-o", tmp_path / "again.png")[0] == cli.OK


def test_command_cycle_where_there_is_none(capsys):
    code, out, err = run(capsys, "cycle", "rotation_flow", "--alpha", "0.5")
    assert code == FAILED_POINTS and not out and "fixed_point" in err
    code, _, err = run(capsys, "cycle", "henon", "--n-phase", "64")
    assert code == cli.USAGE and "n_phase: given 64, but henon is a map" in err
    code, _, err = run(capsys, "cycle", "van_der_pol", "--period", "9,3")
    assert code == cli.USAGE and "low < high" in err


def test_command_fixed_points(capsys, tmp_path):
    path = tmp_path / "points.nc"
    code, out, err = run(capsys, "fixed-points", "rotation_flow", "--alpha", "2", "--theta", "0.1", "-o", path)
    assert code == cli.OK and not err
    assert "9 fixed points, proved to be all in [-1, 1] x [-1, 1]" in out and out.count("unstable") == 5
    assert lk.load(path).sizes["point"] == 9
    assert "searched" in run(capsys, "fixed-points", "bounded_line_attractor_flow")[1]


@pytest.mark.parametrize(
    "measure, system, variable",
    [("fixed_points", "rotation_flow", "n_fixed_points"), ("rotation_number", "rotation_map", "rotation_number")],
)
def test_command_scan_of_other_verbs(capsys, tmp_path, measure, system, variable):
    path, picture = tmp_path / "plane.nc", tmp_path / "plane.png"
    words = ["scan", system, "--alpha", "1.5:3:3", "--theta", "0.1:1:3", "--measure", measure]
    code, _, err = run(capsys, *words, "-o", path, "--plot", picture)
    assert code == cli.OK, err
    assert lk.load(path)[variable].shape == (3, 3) and picture.stat().st_size > 10_000


def test_command_scan_of_cycles(capsys, tmp_path):
    path, picture = tmp_path / "cycles.nc", tmp_path / "cycles.png"
    words = ["scan", "rotation_flow", "--alpha", "1.5:3:3", "--theta", "0.4:1:3", "--measure", "limit_cycle"]
    code, _, err = run(capsys, *words, "-o", path, "--plot", picture)
    assert code == cli.OK, err  # points that rest are findings
    ds = lk.load(path)
    assert ds.attrs["verb"] == "limit_cycle" and ds.period.shape == (3, 3) and np.isfinite(ds.period).any()
    assert picture.stat().st_size > 10_000
    refused = [*words[:4], "--measure", "limit_cycle", "-o", tmp_path / "line.nc", "--plot", tmp_path / "line.png"]
    assert run(capsys, *refused)[0] == cli.USAGE
