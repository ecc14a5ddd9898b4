"""The kernel cache: a second process compiles nothing, and a read-only home does no harm."""

import os
import subprocess
import sys

RULE = "lambda x, a: (x[1], -a * np.sin(x[0]) - 0.1 * x[1])"
SCRIPT = f"""
import numpy as np
import lyapkit as lk
from lyapkit.kernels.jit import on_compile
compiled = []
on_compile(compiled.append)
system = lk.define_flow({RULE}, parameters={{"a": 1.5}}, dimension=2, name="pendulum")
ds = lk.lyapunov_spectrum(system, duration=50)
print(len(compiled), *ds.lyapunov_exponent.values.tolist())
"""


def run(cache):
    environment = {**os.environ, "LYAPKIT_CACHE_DIR": str(cache)}
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    count, *exponents = done.stdout.split()
    return int(count), exponents


def test_second_process_compiles_nothing_and_gives_the_same_bits(tmp_path):
    first, again = run(tmp_path), run(tmp_path)
    assert first[0] > 0 and again[0] == 0
    assert first[1] == again[1]


def test_cache_that_cannot_be_written(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")  # a file where the folder should be
    assert run(blocked)[0] > 0
