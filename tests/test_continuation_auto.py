"""Branches against those of AUTO-07p (benchmarks/auto07p/branches.json), which shares nothing with lyapkit.

AUTO prints eleven digits, and its collocation is good for about 1e-11 of a period; the values at which it stops, and
special points, it locates to 1e-10 (EPSS). Each branch here has a bound at one of those values and ends exactly there.
"""

import json
import pathlib

import numpy as np
import pytest

import lyapkit as lk
from lyapkit.flags import BRANCH_KIND, SPECIAL_KIND, STATUS

STORED = pathlib.Path(__file__).resolve().parent.parent / "benchmarks/auto07p/branches.json"
BRANCHES = {branch["system"]: branch for branch in json.loads(STORED.read_text())["branches"]}
CYCLES = [(name, cycle) for name, branch in BRANCHES.items() for cycle in branch["cycles"]]
AGREES = 1e-9  # relative: ten times EPSS, as periods and multipliers change by up to ten times the parameter's change
# of an equilibrium on the other side of the Hopf point: the parameter, the state, and a bound beyond it
STARTS = {
    "rotation_flow": (0.9, [0.0, 0.0], 1.0),
    "brusselator": (1.5, [1.0, 1.5], 1.2),
    "lorenz63": (26.0, [np.sqrt(200 / 3), np.sqrt(200 / 3), 25.0], 27.0),
}


def followed(name, value, **keywords):
    """Branches from the start to `value`, and those of cycles born on the way."""
    branch = BRANCHES[name]
    own, state, beyond = STARTS[name]
    system = getattr(lk.systems, name)(**branch["parameters"], **{branch["parameter"]: own})
    bounds = sorted((value, beyond))
    return lk.continuation(system, branch["parameter"], bounds, state, progress=False, **keywords)


def located(ds, kind, parameter):
    return ds[f"special_{parameter}"].values[ds.special_kind.values == SPECIAL_KIND[kind]]


@pytest.mark.parametrize("name, theirs", CYCLES, ids=[f"{name}-{cycle['value']:g}" for name, cycle in CYCLES])
def test_cycles_have_the_periods_and_multipliers_of_auto(name, theirs):
    value = round(theirs["value"], 9)  # what was asked for
    ds = followed(name, value, switch="hopf")
    assert ds.status == STATUS["ok"]
    kinds = ds.branch_kind.values[ds.branch_number.values - 1]
    there = np.flatnonzero((kinds == BRANCH_KIND["cycle"]) & (ds[BRANCHES[name]["parameter"]].values == value))
    assert len(there) == 1
    point = ds.isel(point=there[0])
    assert abs(float(point.period) / theirs["period"] - 1.0) < AGREES
    ours = np.sort(point.floquet_multiplier.values)
    expected = np.sort([1.0, *theirs["multipliers"]])
    assert abs(ours - expected).max() < AGREES * max(1.0, abs(expected).max())


@pytest.mark.parametrize("name", list(BRANCHES))
def test_hopf_points_are_those_of_auto_and_of_the_formula(name):
    formula = {"rotation_flow": np.arccos(1 / 1.5), "brusselator": 2.0, "lorenz63": 470 / 19}[name]
    branch = BRANCHES[name]
    (theirs,) = (one["value"] for one in branch["special"] if one["kind"] == "hopf")
    (ours,) = located(followed(name, branch["cycles"][0]["value"]), "hopf", branch["parameter"])
    assert abs(ours - formula) < 1e-12 * formula
    assert abs(ours / theirs - 1.0) < AGREES


def test_the_pitchfork_of_lorenz_is_that_of_auto():
    (theirs,) = (one["value"] for one in BRANCHES["lorenz63"]["special"] if one["kind"] == "branch_point")
    ds = lk.continuation(lk.systems.lorenz63(rho=0.5), "rho", (0.0, 2.0), [0.0, 0.0, 0.0], progress=False)
    assert abs(located(ds, "branch_point", "rho") - theirs).max() < AGREES
