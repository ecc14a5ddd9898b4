"""Branches by AUTO-07p: Hopf points and pitchforks of equilibria, and the families of cycles that begin at them.

    python benchmarks/auto07p/branches.py            # where AUTO-07p is installed
    python benchmarks/auto07p/branches.py --store    # also writes branches.json beside this file

AUTO follows an equilibrium to its Hopf point (lorenz63: through the pitchfork of the origin), then the cycles to the
values asked for, with the constants of run.py. What tests/test_continuation_auto.py compares is what AUTO prints there.
"""

import argparse
import datetime
import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass

import run

HERE = pathlib.Path(__file__).resolve().parent
STORED = HERE / "branches.json"
POINT = re.compile(r"^ +-?[1-9]\d* +-?\d+ +-?\d+ +\d+ ")
TYPE = {"branch_point": 1, "hopf": 3, "value": 4}


@dataclass(frozen=True)
class Family:
    """Equations, start and continuation parameter; where the steady branch stops, and the cycles asked for."""

    equations: str
    start: str
    parameter: str
    index: int
    stop: float
    values: tuple
    sign: int
    dimension: int = 2
    pitchfork: bool = False
    parameters: tuple = ()


FAMILIES = {
    "rotation_flow": Family(
        run.EQUATIONS["rotation_flow"], run.START["rotation_flow"], "theta", 2, 0.5, (0.8, 0.6, 0.4, 0.2, 0.15), -1,
        parameters=(("alpha", 1.5),),
    ),
    "brusselator": Family(
        """
      F(1) = 1 + U(1)**2*U(2) - (PAR(1) + 1)*U(1)
      F(2) = PAR(1)*U(1) - U(1)**2*U(2)
""",
        "PAR(1) = 1.5D0\n      U(1) = 1\n      U(2) = 1.5D0", "B", 1, 2.5, (2.2, 2.5, 3.0), 1, parameters=(("A", 1.0),),
    ),
    "lorenz63": Family(
        """
      F(1) = 10*(U(2) - U(1))
      F(2) = U(1)*(PAR(1) - U(3)) - U(2)
      F(3) = U(1)*U(2) - 8*U(3)/3
""",
        "PAR(1) = 0.5D0\n      U = 0", "rho", 1, 26.0, (24.0, 22.0, 20.0, 16.0), -1, dimension=3, pitchfork=True,
    ),
}  # fmt: skip


def script(name, family):
    """What AUTO's command line is to do: equilibria to the Hopf point, saved as b.steady; cycles, as b.cycles."""
    i = family.index
    steady = f"steady = run(e={name!r}, c={name!r}, IPS=1, DS={run.CONSTANTS['DS'] * _towards(family)}, ICP=[{i}]"
    lines = [f"{steady}, UZSTOP={{{i}: {2.0 if family.pitchfork else family.stop}}})"]
    if family.pitchfork:
        lines += ["save(steady, 'origin')", f"steady = run(steady('BP1'), ISW=-1, UZSTOP={{{i}: {family.stop}}})"]
    columns = [i, 11, *range(4, 4 + 2 * family.dimension)]
    cycles = f"cycles = run(steady('HB1'), IPS=2, ICP={columns}, DS={family.sign * run.CONSTANTS['DS']}"
    return "\n".join(
        [
            *lines,
            "save(steady, 'steady')",
            f"{cycles}, UZR={{{i}: {list(family.values[:-1])}}}, UZSTOP={{{i}: {family.values[-1]}}})",
            "save(cycles, 'cycles')",
            "",
        ]
    )


def _towards(family):
    """The direction of the steady branch's parameter: up, unless the Hopf point lies below the start."""
    return -1 if family.parameter == "theta" else 1


def computed(auto, name, family, constants, folder):
    """AUTO's branches of one family as files in `folder`, and what it printed."""
    equations = run.FORTRAN.format(equations=family.equations.strip("\n"), start=family.start)
    equations = equations.replace("I = 1, 4", f"I = 1, {2 * family.dimension}")
    (folder / f"{name}.f90").write_text(equations)
    settings = constants | {"NDIM": family.dimension}
    (folder / f"c.{name}").write_text("".join(f"{k} = {v}\n" for k, v in settings.items()))
    (folder / "branches.auto").write_text(script(name, family))
    done = subprocess.run([auto, "branches.auto"], cwd=folder, capture_output=True, text=True)
    if done.returncode or not (folder / "b.cycles").exists():
        raise RuntimeError(f"AUTO failed on {name}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def rows(path, kind=None):
    """The points of a saved branch as lists of columns: type, label, parameter, norm, ...; all, or of one type."""
    columns = [line.split() for line in path.read_text().splitlines() if POINT.match(line)]
    found = [[int(c[2]), int(c[3]), *map(float, c[4:])] for c in columns]
    return found if kind is None else [row for row in found if abs(row[0]) == TYPE[kind]]


def described(auto, name, family):
    """Special points and cycles of one family, as stored."""
    with tempfile.TemporaryDirectory() as where:
        folder = pathlib.Path(where)
        computed(auto, name, family, run.CONSTANTS, folder)
        special = [("hopf", row[2]) for row in rows(folder / "b.steady", "hopf")[:1]]
        if family.pitchfork:
            special += [("branch_point", row[2]) for row in rows(folder / "b.origin", "branch_point")[:1]]
        cycles = rows(folder / "b.cycles", "value")
    if len(cycles) != len(family.values):
        raise RuntimeError(f"AUTO passed {len(cycles)} of the values asked for, {family.values}")
    n = family.dimension
    return {
        "system": name, "parameters": dict(family.parameters), "parameter": family.parameter,
        "special": [{"kind": kind, "value": value} for kind, value in special],
        "cycles": [_cycle(row[2], row[-2 * n - 1], row[-2 * n :]) for row in cycles],
    }  # fmt: skip


def _cycle(value, period, parts):
    """The multipliers without the one nearest 1, largest first; all of these families' are real."""
    multipliers = sorted(zip(parts[::2], parts[1::2], strict=True), key=lambda pair: abs(math.dist(pair, (1, 0))))
    others = sorted((real for real, _ in multipliers[1:]), key=abs, reverse=True)
    return {"value": value, "period": period, "trivial_multiplier": multipliers[0][0], "multipliers": others}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", action="store_true", help="write branches.json beside this file")
    store = parser.parse_args().store
    auto = run.find_auto()
    if auto is None:
        sys.exit(
            "AUTO-07p is not installed: neither $AUTO_DIR/bin/auto nor `auto` on the PATH. Its values: branches.json"
        )
    branches = [described(auto, name, family) for name, family in FAMILIES.items()]
    for branch in branches:
        for one in branch["special"]:
            print(f"{branch['system']:14} {one['kind']:13} {branch['parameter']} = {one['value']:.11g}")
        for one in branch["cycles"]:
            print(f"{branch['system']:14} {'cycle':13} {branch['parameter']} = {one['value']:<7g} {one['period']:.11g}")
    if store:
        made = {"made_by": "benchmarks/auto07p/branches.py --store", "date": str(datetime.date.today())}
        STORED.write_text(json.dumps({"meta": made | run.provenance(auto), "branches": branches}, indent=1) + "\n")


if __name__ == "__main__":
    main()
