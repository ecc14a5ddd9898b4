"""The commands hopf, atlas and continue: their files, pictures, exit codes and error lines."""

import pytest
from test_cli import run

import lyapkit as lk
from lyapkit import cli

PLANE = ["--alpha", "0.5:4:5", "--theta=0.1:1.5:4", "--quiet"]


def test_hopf_writes_file_and_picture(capsys, tmp_path):
    path, picture = tmp_path / "map.nc", tmp_path / "map.png"
    words = ["hopf", "rotation_flow", *PLANE, "-o", path, "--plot", picture, "--starts", "1"]
    assert run(capsys, *words)[0] == cli.OK
    ds = lk.load(path)
    assert ds.attrs["verb"] == "hopf_map" and ds.attrs["starts"] == 1 and ds.regime.shape == (5, 4)
    assert picture.stat().st_size > 1000
    code, _, error = run(capsys, *words)
    assert code == cli.USAGE and "overwrite" in error
    assert run(capsys, *words, "--overwrite")[0] == cli.OK
    other = tmp_path / "growth.png"
    assert run(capsys, "plot", path, "-o", other, "--variable", "growth_rate")[0] == cli.OK
    assert other.exists()


def test_atlas_resumes_its_own_file_only(capsys, tmp_path):
    path, picture = tmp_path / "atlas.nc", tmp_path / "atlas.png"
    words = ["atlas", "rotation_map", *PLANE, "-o", path]
    assert run(capsys, *words, "--plot", picture)[0] == cli.OK
    before = path.read_bytes()
    assert run(capsys, *words)[0] == cli.OK and path.read_bytes() == before
    assert picture.stat().st_size > 1000
    code, _, error = run(capsys, "atlas", "rotation_map", "--alpha", "0.5:4:6", "--theta=0.1:1.5:4", "-o", path)
    assert code == cli.USAGE and "overwrite" in error
    assert run(capsys, "plot", path, "-o", tmp_path / "again.png")[0] == cli.OK


def test_continue_follows_a_branch(capsys, tmp_path):
    path = tmp_path / "branch.nc"
    words = ["continue", "rotation_flow", "theta", "0.6:1.4", "--alpha", "2", "-o", path, "--quiet"]
    assert run(capsys, *words)[0] == cli.OK
    ds = lk.load(path)
    assert 0.6 <= float(ds.theta.min()) and float(ds.theta.max()) <= 1.4


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["hopf", "rotation_flow"], "-o"),
        (["hopf", "rotation_flow", "--alpha", "2", "-o", "x.nc"], "ranges"),
        (["hopf", "rotation_flow", "--gamma", "2", "-o", "x.nc"], "gamma"),
        (["hopf", "nothing", "-o", "x.nc"], "system"),
        (["atlas", "rotation_flow"], "-o"),
        (["continue", "rotation_flow", "theta", "1", "-o", "x.nc"], "low:high"),
        (["continue", "rotation_flow", "beta", "0:1", "-o", "x.nc"], "beta"),
    ],
)
def test_mistakes_are_told_in_one_line(capsys, tmp_path, monkeypatch, words, named):
    monkeypatch.chdir(tmp_path)
    code, _, error = run(capsys, *words)
    assert code == cli.USAGE and named in error and error.count("\n") == 1


def test_branches_take_the_range_of_the_system(capsys, tmp_path):
    path = tmp_path / "branch.nc"
    assert run(capsys, "continue", "rotation_flow", "theta", "-o", path, "--quiet")[0] == cli.OK
    assert lk.load(path).theta.max() <= 1.5707963267948966
