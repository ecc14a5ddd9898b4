"""Stopwatch, processes and cores: how every number of `peers.py` is taken. Linux only."""

import os
import pathlib
import re
import subprocess
import sys
import time
from dataclasses import dataclass

CORES = sorted(os.sched_getaffinity(0))


def pin(cores):
    """Let what this thread starts from now on run on `cores` only; returns the cores before."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    return before


def interleaved(candidates, rounds):
    """Shortest seconds of each callable in the mapping, timed in turn so that drift hits all alike."""
    for call in candidates.values():
        call()
    best = dict.fromkeys(candidates, float("inf"))
    for _ in range(rounds):
        for name, call in candidates.items():
            start = time.perf_counter()
            call()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


@dataclass(frozen=True)
class Finished:
    """A process that has ended: wall-clock seconds, peak resident memory in bytes, its standard error."""

    seconds: float
    peak: int
    stderr: str


def _peak_memory(pid):
    """Peak resident bytes so far. (What the kernel reports at the end would include the parent's.)"""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return 1024 * int(found[1]) if found else 0


def process(arguments, folder, environment=()):
    """Run `python <arguments>` in `folder` on all cores to its end; a failure raises with its message."""
    peak, log = 0, pathlib.Path(folder, "stderr")
    with log.open("w") as stderr:
        before = pin(CORES)
        start = time.perf_counter()
        child = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            cwd=folder,
            env={**os.environ, **dict(environment)},
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
        while child.poll() is None:
            peak = max(peak, _peak_memory(child.pid))
            time.sleep(0.01)
        seconds = time.perf_counter() - start
        pin(before)
    if child.returncode:
        raise RuntimeError(f"{arguments} ended with {child.returncode}: {log.read_text()[-500:]}")
    return Finished(seconds, peak, log.read_text())
