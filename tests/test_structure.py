"""Rules of the source tree: imports run one way, one jit policy, models and steps enrolled by their files."""

import pathlib
import re
import subprocess
import sys

import pytest

import lyapkit as lk

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "lyapkit").rglob("*.py"))


def test_import_contracts_hold():
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_finds_nothing():
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "lyapkit", "tests", "benchmarks"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_kernel_goes_through_the_one_decorator():
    bare = re.compile(r"\b(njit|jit|cfunc|vectorize|guvectorize)\(")
    users = {p.name for p in SOURCES if bare.search(p.read_text())}
    assert users == {"jit.py"}
    policy = (ROOT / "lyapkit/kernels/jit.py").read_text()
    assert 'FASTMATH = {"contract"}' in policy


@pytest.mark.parametrize("name", lk.systems.names())
def test_every_model_is_described(name):
    constructor = getattr(lk.systems, name)
    assert constructor.__name__ == constructor.model.name == name
    assert constructor.model.equation and ">>>" in constructor.__doc__
    assert constructor().with_().name == name


def test_public_names_load_and_are_documented():
    for name in lk.__all__:
        assert getattr(lk, name) is not None
    for name in dir(lk):
        value = getattr(lk, name)
        assert name.startswith("_") or value.__doc__, name


def test_unknown_names_are_attribute_errors_with_the_nearest():
    with pytest.raises(AttributeError, match="rotation_flow"):
        lk.systems.rotation_fow  # noqa: B018
    with pytest.raises(AttributeError, match="nothing"):
        lk.nothing  # noqa: B018
