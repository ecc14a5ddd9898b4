"""The command init: its files, exit codes and error lines."""

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
