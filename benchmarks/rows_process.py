"""Rows about whole processes and memory: the command's run time, a new system's first result, peak memory."""

import dataclasses
import importlib.util
import pathlib
import random
import tempfile
import time

import measure
from row import at_most, under

GIB = 2.0**30
# A rule that no cache knows: its constant is new every time, and so is all that is derived from it.
NEW_SYSTEM = """
import math

import lyapkit as lk


def rule(x, a):
    u = a * x[0] - {constant} * x[1]
    v = {constant} * x[0] + a * x[1]
    return [-x[0] + math.tanh(u), -x[1] + math.tanh(v)]


def first_result():
    system = lk.define_flow(rule, parameters={{"a": 1.5}}, dimension=2)
    return lk.lyapunov_spectrum(system, duration=100.0, dt=0.05, progress=False)


if __name__ == "__main__":
    first_result()
"""


def plane(points, path, *options, system="rotation_flow"):
    """Arguments of python for the command that scans points x points of the plane into a file."""
    ranges = ["--alpha", f"0.5:4:{points}", "--theta", f"0:pi/2:{points}"]
    return ["-m", "lyapkit", "scan", system, *ranges, "-o", path, *options]


def new_system(folder):
    """Path of a script in `folder` with a rule that was never seen before."""
    path = pathlib.Path(folder, f"new_system_{time.monotonic_ns()}.py")
    path.write_text(NEW_SYSTEM.format(constant=random.SystemRandom().uniform(0.8, 1.2)))
    return path


def seconds_in_session(folder):
    """Seconds from a new rule to its exponents in this process."""
    path = new_system(folder)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    start = time.perf_counter()
    module.first_result()
    return time.perf_counter() - start


def command(rounds):
    """The main command on 100 x 100 points as a process: kernels in the cache, then none."""
    work = "lyapkit scan rotation_flow, 100 x 100"
    with tempfile.TemporaryDirectory() as folder:
        runs = [measure.process(plane(100, f"{i}.nc"), folder).seconds for i in range(1 + min(rounds, 4))]
        yield under(f"{work}, warm cache", min(runs[1:]), 3, "s")
        cold = measure.process(plane(100, "cold.nc"), folder, {"LYAPKIT_CACHE_DIR": f"{folder}/cache"})
        told = "compil" in cold.stderr.lower()
        remark = ", says that it compiles" if told else ", does not say that it compiles"
        row = under(f"{work}, cold cache", cold.seconds, 25, "s", remark)
        yield dataclasses.replace(row, met=row.met and told)


def new_rule(rounds):
    """A two-dimensional flow defined a moment ago: seconds to its first exponents."""
    work = "new 2-d system, first result"
    with tempfile.TemporaryDirectory() as folder:
        seconds_in_session(folder)  # warms the session up
        session = min(seconds_in_session(folder) for _ in range(min(rounds, 4)))
        yield under(f"{work}, warm session", session, 1.5, "s")
        alone = min(measure.process([new_system(folder)], folder).seconds for _ in range(min(rounds, 4)))
        yield under(f"{work}, whole process", alone, 4, "s")


def memory(rounds):
    """Peak resident memory of the command: ten times the steps, and a million points."""
    with tempfile.TemporaryDirectory() as folder:
        short, long = (
            measure.process(plane(64, f"{steps}.nc", "--duration", steps, system="rotation_map"), folder).peak
            for steps in (2000, 20_000)
        )
        measured = f"{short / GIB:.3f} GiB at 2000 steps, {long / GIB:.3f} GiB at 20000"
        yield at_most("memory, ten times the steps", measured, long / short, 1.05)
        large = measure.process(plane(1000, "large.nc", "--duration", 50, system="rotation_map"), folder)
        yield under("memory, rotation_map on 1000 x 1000", large.peak / GIB, 1, "GiB")


ROWS = {"command": command, "new-system": new_rule, "memory": memory}
