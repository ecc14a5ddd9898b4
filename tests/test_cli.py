"""The command line: what it prints, its exit codes, its error lines."""

import csv
import io
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import lyapkit as lk
from lyapkit import cli, single_commands
from lyapkit.output import FAILED_POINTS

SMALL = ["--transient", "5", "--duration", "20"]


def run(capsys, *words):
    """Exit code, stdout and stderr of one command, run in this process."""
    try:
        code = cli.main([str(word) for word in words])
    except SystemExit as leaving:  # argparse
        code = leaving.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_scan_writes_the_grid_asked_for(capsys, tmp_path):
    path = tmp_path / "plane.nc"
    code, _, _ = run(capsys, "scan", "rotation_flow", "--alpha", "0.5:4:5", "--theta=0:pi/2:3", "-o", path, *SMALL)
    ds = lk.load(path)
    assert code == cli.OK
    np.testing.assert_allclose(ds.alpha, np.linspace(0.5, 4, 5))
    np.testing.assert_allclose(ds.theta, [0, np.pi / 4, np.pi / 2])
    assert ds.lyapunov_exponent.dims == ("alpha", "theta", "mode")
    assert ds.attrs["verb"] == "lyapunov_spectrum" and ds.attrs["duration"] == 20.0


def test_scan_equals_the_import(capsys, tmp_path):
    path = tmp_path / "r.nc"
    run(capsys, "scan", "logistic", "--r", "3.5:4:4", "--duration", "500", "-o", path)
    expected = lk.scan(lk.lyapunov_spectrum, lk.systems.logistic, {"r": np.linspace(3.5, 4, 4)}, duration=500)
    assert lk.load(path).identical(expected)


def test_one_number_is_held_fixed_and_the_rest_ranges_by_default(capsys, tmp_path):
    path = tmp_path / "line.nc"
    code, _, _ = run(capsys, "scan", "rotation_map", "--alpha", "1.5", "-o", path, "--duration", "40")
    ds = lk.load(path)
    assert code == cli.OK
    assert ds.lyapunov_exponent.dims == ("theta", "mode") and ds.attrs["parameter_alpha"] == 1.5


def test_scan_of_another_measure(capsys, tmp_path):
    path = tmp_path / "orbits.nc"
    words = ["--r", "2:3:3", "--measure", "trajectory", "--duration", "7", "-o", path]
    assert run(capsys, "scan", "logistic", *words)[0] == cli.OK
    assert lk.load(path).state.shape == (3, 8, 1)


def test_plot_of_a_scan(capsys, tmp_path):
    path, picture = tmp_path / "plane.nc", tmp_path / "plane.png"
    words = ["--alpha", "0.5:2:6", "--theta", "0:1:6", "-o", path, "--plot", picture, *SMALL]
    assert run(capsys, "scan", "rotation_flow", *words)[0] == cli.OK
    assert picture.read_bytes().startswith(b"\x89PNG")
    again = tmp_path / "mode2.pdf"
    assert run(capsys, "plot", path, "--mode", "2", "-o", again)[0] == cli.OK
    assert again.read_bytes().startswith(b"%PDF")


def test_spectrum_prints_what_the_verb_computes(capsys):
    code, out, _ = run(capsys, "spectrum", "rotation_map", "--alpha", "2", "--theta", "pi/4")
    values = [float(line.split()[1]) for line in out.splitlines()[1:3]]
    expected = lk.lyapunov_spectrum(lk.systems.rotation_map(alpha=2, theta=np.pi / 4))
    assert code == cli.OK
    np.testing.assert_allclose(values, expected.lyapunov_exponent, rtol=1e-11)
    assert "nats per iterate" in out and "negative" in out


def test_trajectory_is_csv(capsys):
    code, out, _ = run(capsys, "trajectory", "henon", "--duration", "5", "--initial-state", "0.1,0.2")
    rows = list(csv.reader(io.StringIO(out)))
    assert code == cli.OK and rows[0] == ["time", "x0", "x1"]
    expected = lk.trajectory(lk.systems.henon(), duration=5, initial_state=[0.1, 0.2])
    np.testing.assert_array_equal(np.array(rows[1:], dtype=float)[:, 1:], expected.state)


def test_info_and_systems(capsys, tmp_path):
    path = tmp_path / "orbit.nc"
    run(capsys, "trajectory", "henon", "--duration", "5", "-o", path)
    code, out, _ = run(capsys, "info", path)
    assert code == cli.OK and "state(time, unit)" in out and "system: henon" in out
    code, out, _ = run(capsys, "systems")
    assert code == cli.OK and all(name in out for name in lk.systems.names())
    code, out, _ = run(capsys, "systems", "lorenz63")
    assert code == cli.OK and "sigma=10.0" in out


BAD = [
    (["spectrum", "lorentz63"], ["lorentz63", "lorenz63"]),
    (["spectrum", "rotation_flow", "--alhpa", "2"], ["--alhpa", "alpha"]),
    (["spectrum", "rotation_flow", "--alpha", "two"], ["--alpha", "two"]),
    (["spectrum", "rotation_flow", "--alpha", "nan"], ["--alpha", "nan"]),
    (["spectrum", "rotation_flow", "--alpha", "1/0"], ["--alpha", "1/0"]),
    (["spectrum", "rotation_flow", "--alpha", "1:2:3"], ["--alpha", "one number"]),
    (["spectrum", "rotation_flow", "--alpha"], ["--alpha", "no value"]),
    (["spectrum", "rotation_flow", "--dt", "0"], ["dt", "above 0"]),
    (["spectrum", "rotation_flow", "--dt=-0.1"], ["dt", "above 0"]),
    (["spectrum", "rotation_flow", "--n-exponents", "3"], ["n_exponents", "from 1 to 2"]),
    (["spectrum", "rotation_flow", "--n-exponents", "0"], ["n_exponents", "from 1 to 2"]),
    (["spectrum", "rotation_flow", "--method", "rk5"], ["method", "rk5", "rk4"]),
    (["spectrum", "rotation_map", "--dt", "0.1"], ["dt", "map"]),
    (["spectrum", "rotation_map", "--initial-state", "1,2,3"], ["initial_state", "(3,)", "(2,)"]),
    (["scan", "rotation_flow"], ["-o", "not given"]),
    (["scan", "rotation_flow", "--alpha", "4:0.5:5", "-o", "x.nc"], ["--alpha", "upwards"]),
    (["scan", "rotation_flow", "--alpha", "0:1:0", "-o", "x.nc"], ["--alpha", "count"]),
    (["scan", "rotation_flow", "--alpha", "0:1", "-o", "x.nc"], ["--alpha", "start:stop:count"]),
    (["scan", "rotation_flow", "--alpha", "0:1:2.5", "-o", "x.nc"], ["--alpha", "2.5"]),
    (["scan", "lorenz63", "-o", "x.nc"], ["grid", "lorenz63"]),
    (["scan", "rotation_flow", "-o", "missing/folder/x.nc"], ["missing/folder/x.nc", "cannot be written"]),
    (["scan", "rotation_flow", "-o", "x.nc", "--plot", "x.bmp"], ["--plot", ".png"]),
    (["scan", "rotation_flow", "-o", "x.nc", "--workers", "0"], ["workers", "from 1"]),
    (["info", "missing.nc"], ["missing.nc", "does not exist"]),
    (["plot", "missing.nc", "-o", "x.png"], ["missing.nc"]),
    (["systems", "lorenz"], ["lorenz63"]),
    (["systems", "--alpha", "2"], ["--alpha", "not an option"]),
]


@pytest.mark.parametrize("words, mentioned", BAD, ids=lambda value: " ".join(value))
def test_misuse_is_one_line_and_exit_code_2(capsys, tmp_path, monkeypatch, words, mentioned):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *words)
    lines = [line for line in err.splitlines() if "compiling kernels" not in line]
    assert code == cli.USAGE and out == "" and len(lines) == 1, err
    assert all(text in lines[0] for text in mentioned), lines[0]
    assert list(tmp_path.iterdir()) == []


def test_an_unforeseen_error_is_no_usage_error(capsys, monkeypatch):
    """A mistake of ours shows its traceback and exits with 1, whatever kind of error it is."""
    monkeypatch.setattr(single_commands, "assign", lambda *_, **__: None)  # cannot be unpacked: TypeError in cli itself
    code, _, error = run(capsys, "spectrum", "henon")
    assert code == cli.INTERNAL
    assert "Traceback" in error and "TypeError" in error


def test_existing_output_is_refused_unless_overwritten(capsys, tmp_path):
    path = tmp_path / "orbit.nc"
    words = ["scan", "logistic", "--r", "2:3:2", "--duration", "9", "-o", path]
    path.write_text("precious")
    code, _, err = run(capsys, *words)
    assert code == cli.USAGE and "--overwrite" in err and path.read_text() == "precious"
    assert run(capsys, *words, "--overwrite")[0] == cli.OK
    assert lk.load(path).sizes["r"] == 2


def test_foreign_files_are_refused(capsys, tmp_path):
    text = tmp_path / "text.nc"
    text.write_text("not netCDF")
    other = tmp_path / "other.nc"
    lk.trajectory(lk.systems.henon(), duration=2).drop_attrs().to_netcdf(other)
    for path, reason in ((text, "not a netCDF file"), (other, "not written by lyapkit")):
        code, _, err = run(capsys, "info", path)
        assert code == cli.USAGE and reason in err


def test_failed_points_give_exit_code_3_and_a_remedy(capsys, tmp_path):
    path = tmp_path / "r.nc"
    words = ["--r", "3:5:3", "--duration", "200", "-o", path]
    code, _, err = run(capsys, "scan", "logistic", *words)
    ds = lk.load(path)
    assert code == FAILED_POINTS and "1 point diverged" in err and "dt" in err
    assert np.isnan(ds.lyapunov_exponent.values[-1]).all() and ds.status.values.tolist() == [0, 0, 1]


def test_help_of_every_command_and_version(capsys):
    for words in (["--help"], ["scan", "--help"], ["spectrum", "--help"], ["info", "--help"]):
        code, out, _ = run(capsys, *words)
        assert code == 0 and "Exit codes" in out
    assert run(capsys, "--version") == (0, f"lyapkit {lk.__version__}\n", "")
    assert run(capsys)[0] == cli.USAGE


def test_help_and_import_load_nothing_heavy():
    code = (
        "import sys, lyapkit, lyapkit.cli\n"
        "try: lyapkit.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'numba', 'scipy', 'xarray', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("existing", [False, True])
def test_interrupt_keeps_what_was_finished(tmp_path, existing):
    """Also a finished file that was to be replaced: what is new then lies beside it."""
    path = tmp_path / "long.nc"
    if existing:
        lk.save(lk.lyapunov_spectrum(lk.systems.henon(), duration=50), path)
        before = path.read_bytes()
    words = ["scan", "rotation_map", "--alpha", "1:4:64", "--theta", "0:1:64", "--duration", "1000000"]
    command = [sys.executable, "-m", "lyapkit", *words, "-o", str(path), "--workers", "1", "--overwrite"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ)
    time.sleep(12)  # start-up, and some of the 8 tasks of four seconds and more
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == cli.INTERRUPTED and "Traceback" not in err
    partial = tmp_path / "long.partial.nc" if existing else path
    assert f"of 4096 points are kept in {partial}" in err
    ds = lk.load(partial)
    finished = ds.status.values == 0
    assert (ds.status.values == -1).any()
    np.testing.assert_array_equal(np.isfinite(ds.lyapunov_exponent.values[..., 0]), finished)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted({"long.nc", partial.name})
    if existing:
        assert path.read_bytes() == before
