"""Rows about branches: a family of cycles against AUTO-07p, and a curve of Hopf points."""

import dataclasses
import json
import math
import pathlib
import re
import sys
import tempfile
import time

import numpy as np
from row import Row, at_most, not_installed, under

import lyapkit as lk
from lyapkit.flags import BRANCH_KIND

sys.path.append(str(pathlib.Path(__file__).resolve().parent / "auto07p"))
import branches
import run

NAME = "rotation_flow"
END = math.pi / 21  # where tests/cycle_values.json has the period
FAMILY = dataclasses.replace(branches.FAMILIES[NAME], values=(0.5, END))
# DSMAX so that AUTO takes about as many points as lyapkit
CONSTANTS = {
    "tight": run.CONSTANTS | {"DSMAX": 0.017},
    "usual": run.CONSTANTS
    | {"DSMAX": 0.017, "NTST": 50, "NCOL": 4, "EPSL": 1e-7, "EPSU": 1e-7, "EPSS": 1e-5, "IAD": 3},
}


def branch(rounds):
    """Equilibria of rotation_flow to the Hopf point, cycles from there almost to the fold, both programs in turn."""
    work, auto = f"cycles of {NAME} from their Hopf point to theta = pi/21", run.find_auto()
    system, ours, theirs = lk.systems.rotation_flow(alpha=1.5, theta=0.9), np.inf, dict.fromkeys(CONSTANTS, np.inf)
    found, period = {}, _exact_period()
    for _ in range(min(rounds, 5) + 1):
        start = time.perf_counter()
        ds = lk.continuation(system, "theta", (END, 1.0), [0.0, 0.0], switch="hopf", progress=False)
        ours = min(ours, time.perf_counter() - start)
        for constants in CONSTANTS if auto else ():
            seconds, *found[constants] = _by_auto(auto, CONSTANTS[constants])
            theirs[constants] = min(theirs[constants], seconds)
    cycles = ds.isel(point=ds.branch_kind.values[ds.branch_number.values - 1] == BRANCH_KIND["cycle"])
    last = float(cycles.period.values[cycles.theta.values == END][0])
    points = cycles.sizes["point"]
    rows = [Row(work, f"{1e3 * ours:.0f} ms, {points} points, error {abs(last / period - 1.0):.0e}")]
    for constants, (count, reached) in found.items():
        seconds = theirs[constants]
        measured = f"{1e3 * seconds:.0f} ms, {count} points, error {abs(reached / period - 1.0):.0e}"
        label = f"the same: lyapkit / AUTO-07p, constants {constants}"
        rows.append(at_most(label, measured, ours / seconds, 10.0))
    return rows if auto else [*rows, not_installed("the same: lyapkit / AUTO-07p", "AUTO-07p")]


def _exact_period():
    """Of the last cycle, by the oracle."""
    cycles = json.loads(run.ORACLE.read_text())["flows"]
    wanted = NAME, {"alpha": "1.5", "theta": "pi/21"}
    return next(float(c["period"]) for c in cycles if (c["api"]["constructor"], c["parameters"]) == wanted)


def _by_auto(auto, constants):
    """Seconds that AUTO itself counts, points of its family of cycles, and the last period."""
    with tempfile.TemporaryDirectory() as where:
        folder = pathlib.Path(where)
        printed = branches.computed(auto, NAME, FAMILY, constants, folder)
        seconds = sum(float(found) for found in re.findall(r"Total Time +(\S+)", printed))
        cycles = branches.rows(folder / "b.cycles")
        return seconds, len(cycles), cycles[-1][-2 * FAMILY.dimension - 1]


def hopf_curve(rounds):
    """The curve of Hopf points alpha cos(theta) = 1, warm."""
    system, bounds, best = lk.systems.rotation_flow(), {"alpha": (1, 4), "theta": (0, 1.4)}, np.inf
    for _ in range(rounds + 1):
        start = time.perf_counter()
        ds = lk.bifurcation_curve(system, "hopf", start=[0, 0], bounds=bounds, max_step=0.0078, progress=False)
        best = min(best, time.perf_counter() - start)
    error = float(abs(ds.alpha * np.cos(ds.theta) - 1.0).max())
    return [
        under(
            "bifurcation_curve: hopf, rotation_flow", best, 0.5, "s", f", {ds.sizes['point']} points, error {error:.0e}"
        )
    ]


ROWS = {"branch": branch, "hopf-curve": hopf_curve}
