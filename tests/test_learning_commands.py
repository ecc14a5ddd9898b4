"""The commands init, signal and attractors: files, tables, pictures, exit codes and error lines."""

import numpy as np
import pytest
from test_cli import run

import lyapkit as lk
from lyapkit import cli


@pytest.mark.parametrize("ending", ["safetensors", "npz"])
def test_init_writes_a_network_that_loads(capsys, tmp_path, ending):
    path = tmp_path / f"init.{ending}"
    words = ["init", "--units", "8", "--cell", "gru", "--seed", "3", "--n_inputs=2", "-o", path, "--quiet"]
    code, text, _ = run(capsys, *words)
    assert code == cli.OK and text.startswith("4 blocks") and "turns per iterate" in text
    network = lk.load_network(path, cell="gru", input=np.zeros((5, 2)))
    wanted = lk.block_diagonal_weights(8, cell="gru", seed=3).weight
    assert np.array_equal(network.parameters["Wh"], wanted) and network.parameters["Vn"].shape == (8, 2)
    before = path.read_bytes()
    code, _, error = run(capsys, *words)
    assert code == cli.USAGE and "overwrite" in error and path.read_bytes() == before
    assert run(capsys, *words, "--overwrite")[0] == cli.OK and path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_init_keeps_certificates_in_netcdf(capsys, tmp_path):
    path = tmp_path / "init.nc"
    words = ["--alpha", "1.1:1.3", "--frequency", "0.05:0.1", "--swing", "3", "--seed", "2", "--kind", "flow"]
    assert run(capsys, "init", "--units", "7", *words, "-o", path)[0] == cli.OK
    wanted = lk.block_diagonal_weights(7, kind="flow", alpha=(1.1, 1.3), frequency=(0.05, 0.1), swing=3.0, seed=2)
    assert lk.load(path).identical(wanted)
    code, text, _ = run(capsys, "info", path)
    assert code == cli.OK and "gradient_swing(block)" in text


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--units", "8"], "-o"), (["-o", "w.npz"], "--units"), (["--units", "8", "-o", "w.pt"], ".safetensors"),
        (["--units", "8", "--alfa", "1.1:1.2", "-o", "w.npz"], "nearest: alpha"),
        (["--units", "8", "--alpha", "1.1:1.2:3", "-o", "w.npz"], "low:high"),
        (["--units", "8", "--alpha", "0.5:1.2", "-o", "w.npz"], "above 1"),
        (["--units", "1", "-o", "w.npz"], "n_units"), (["--units", "8", "--cell", "lstm", "-o", "w.npz"], "lstm"),
        (["--units", "8", "--n_inputs", "2", "-o", "w.nc"], "n_inputs"),
        (["--units", "8", "--frequency", "0.6:0.7", "-o", "w.npz"], "accepted: a band"),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_one_line(capsys, tmp_path, monkeypatch, words, named):
    monkeypatch.chdir(tmp_path)
    code, _, error = run(capsys, "init", *words)
    assert code == cli.USAGE and named in error and error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_signal_prints_the_norms_and_draws_them(capsys, tmp_path):
    path, picture = tmp_path / "signal.nc", tmp_path / "signal.png"
    words = ["signal", "linear_map", "--delays", "1,10", "-o", path, "--plot", picture, "--quiet"]
    code, text, _ = run(capsys, *words)
    wanted = lk.learning_signal(lk.systems.linear_map(), delays=[1, 10])
    rows = [[float(value) for value in line.split()] for line in text.splitlines()[2:4]]
    assert code == cli.OK and picture.stat().st_size > 0 and lk.load(path).identical(wanted)
    np.testing.assert_allclose([row[0] for row in rows], [1, 10])
    np.testing.assert_allclose([row[1] for row in rows], wanted.sensitivity_log_norm, rtol=1e-11)
    np.testing.assert_allclose([row[2] for row in rows], wanted.adjoint_log_norm, rtol=1e-11)
    assert run(capsys, "plot", path, "-o", tmp_path / "again.png")[0] == cli.OK


def test_signal_of_trained_weights(capsys, tmp_path):
    path = tmp_path / "w.npz"
    lk.save_weights(lk.block_diagonal_weights(4, seed=1), path)
    code, text, _ = run(capsys, "signal", "--weights", path, "--delays", "1,100", "--quiet")
    assert code == cli.OK and "Lyapunov exponents" in text
    code, _, error = run(capsys, "signal", "--weights", path, "--cycle", "true")
    assert code == cli.USAGE and "cycle" in error


def test_attractors_are_listed_by_their_basins(capsys):
    code, text, _ = run(capsys, "attractors", "rotation_flow", "--theta", "0.1", "--n-starts", "40", "--quiet")
    rows = text.splitlines()[2:]
    assert code == cli.OK and len(rows) == 4
    assert all(row.startswith("fixed_point") and " vanishes " in row for row in rows)
    assert sum(float(row.split()[2]) for row in rows) == pytest.approx(1.0, abs=2e-3)  # three digits each
    code, text, _ = run(capsys, "attractors", "henon", "--n-starts", "40", "--quiet")
    assert code == cli.OK and "chaos" in text and "that diverge" in text and "explodes" in text


def test_new_verbs_can_be_scanned(capsys, tmp_path):
    path = tmp_path / "n.nc"
    words = ["--alpha", "0.5:2:2", "--theta", "0.1", "--n_starts", "10", "--measure", "attractors", "-o", path]
    assert run(capsys, "scan", "rotation_flow", *words, "--quiet")[0] == cli.OK
    assert lk.load(path).n_attractors.values.tolist() == [1, 4]
