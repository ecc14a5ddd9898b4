"""Limit cycles by AUTO-07p next to tests/cycle_values.json: an implementation that shares nothing with lyapkit.

    python benchmarks/auto07p/run.py            # where AUTO-07p is installed
    python benchmarks/auto07p/run.py --store    # also writes values.json beside this file

AUTO is found by $AUTO_DIR or as `auto` on the PATH; it compiles the equations with its own Fortran compiler.
rotation_flow starts at its Hopf point at theta = 0.9 and is followed in alpha to 2, then in theta and alpha to the
other cycles; van_der_pol starts from one rough period as data. Collocation with fixed constants (CONSTANTS) throughout;
period and Floquet multipliers are what AUTO prints at the parameter values asked for.
"""

import argparse
import datetime
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ORACLE = HERE.parent.parent / "tests" / "cycle_values.json"
REQUIRED = 1e-7  # relative in the period, absolute in the multipliers

EQUATIONS = {
    "rotation_flow": """
      F(1) = -U(1) + TANH(PAR(1)*(COS(PAR(2))*U(1) - SIN(PAR(2))*U(2)))
      F(2) = -U(2) + TANH(PAR(1)*(SIN(PAR(2))*U(1) + COS(PAR(2))*U(2)))
""",
    "van_der_pol": """
      F(1) = U(2)
      F(2) = PAR(1)*(1 - U(1)**2)*U(2) - U(1)
""",
}
START = {
    "rotation_flow": "PAR(1) = 1.5D0\n      PAR(2) = 0.9D0\n      U(1) = 0\n      U(2) = 0",
    "van_der_pol": "PAR(1) = 0.5D0",
}
FORTRAN = """
      SUBROUTINE FUNC(NDIM,U,ICP,PAR,IJAC,F,DFDU,DFDP)
      IMPLICIT NONE
      INTEGER, INTENT(IN) :: NDIM, ICP(*), IJAC
      DOUBLE PRECISION, INTENT(IN) :: U(NDIM), PAR(*)
      DOUBLE PRECISION, INTENT(OUT) :: F(NDIM)
      DOUBLE PRECISION, INTENT(INOUT) :: DFDU(NDIM,NDIM), DFDP(NDIM,*)
{equations}
      END SUBROUTINE FUNC

      SUBROUTINE STPNT(NDIM,U,PAR,T)
      IMPLICIT NONE
      INTEGER, INTENT(IN) :: NDIM
      DOUBLE PRECISION, INTENT(INOUT) :: U(NDIM), PAR(*)
      DOUBLE PRECISION, INTENT(IN) :: T
      {start}
      END SUBROUTINE STPNT

! real and imaginary parts of both Floquet multipliers, printed as parameters 4 to 7
      SUBROUTINE PVLS(NDIM,U,PAR)
      IMPLICIT NONE
      INTEGER, INTENT(IN) :: NDIM
      DOUBLE PRECISION, INTENT(IN) :: U(NDIM)
      DOUBLE PRECISION, INTENT(INOUT) :: PAR(*)
      DOUBLE PRECISION, EXTERNAL :: GETP
      INTEGER I
      DO I = 1, 4
        PAR(3+I) = GETP('EIG',I,U)
      END DO
      END SUBROUTINE PVLS

      SUBROUTINE BCND
      END SUBROUTINE BCND
      SUBROUTINE ICND
      END SUBROUTINE ICND
      SUBROUTINE FOPT
      END SUBROUTINE FOPT
"""
CONSTANTS = {
    "NDIM": 2, "IPS": 2, "ILP": 0, "NTST": 200, "NCOL": 6, "IAD": 1, "ISP": 2, "ISW": 1, "NMX": 2000, "NPR": 0,
    "MXBF": 0, "IID": 2, "ITMX": 9, "ITNW": 7, "NWTN": 3, "JAC": 0, "EPSL": 1e-11, "EPSU": 1e-11, "EPSS": 1e-10,
    "DS": 0.01, "DSMIN": 1e-6, "DSMAX": 0.05, "IADS": 1, "THL": {11: 0.0},
}  # fmt: skip

# Each path: the continuation parameter, and the values at which the cycle is printed; the next starts where it ends.
PATHS = {
    "rotation_flow": [
        ("alpha", {"alpha": "2", "theta": "0.9"}),
        ("theta", {"alpha": "2", "theta": "pi/4"}),
        ("theta", {"alpha": "2", "theta": "0.6"}),
        ("alpha", {"alpha": "1.5", "theta": "0.6"}),
        ("theta", {"alpha": "1.5", "theta": "pi/6"}),
        ("theta", {"alpha": "1.5", "theta": "pi/21"}),
    ],
    "van_der_pol": [("mu", {"mu": "1"}), ("mu", {"mu": "5"}), ("mu", {"mu": "10"})],
}
INDEX = {"alpha": 1, "theta": 2, "mu": 1}


def number(text):
    """Of '1.5' or 'pi/21'."""
    top, _, bottom = text.partition("/")
    return (math.pi if top == "pi" else float(top)) / float(bottom or 1)


def script(name):
    """What AUTO's command line is to do: one run a path, saved as b.<number>."""
    lines = []
    if name == "rotation_flow":
        lines += [
            f"steady = run(e={name!r}, c={name!r}, IPS=1, ICP=[1], UZSTOP={{1: 1.8}})",
            "last = steady('HB1')",
        ]
    start = dict(PATHS[name][0][1], alpha="1.6", mu="0.5")
    for i, (parameter, values) in enumerate(PATHS[name]):
        index, end = INDEX[parameter], number(values[parameter])
        sign = 1 if end > number(start[parameter]) else -1
        source = f"last, ICP=[{index}, 11, 4, 5, 6, 7]"
        if i == 0 and name == "van_der_pol":
            source = f"e={name!r}, c={name!r}, dat={name!r}, ICP=[{index}, 11, 4, 5, 6, 7]"
        lines += [
            f"path = run({source}, IPS=2, DS={sign * CONSTANTS['DS']}, UZSTOP={{{index}: {end!r}}})",
            f"save(path, '{i}')",
            "last = path('UZ1')",
        ]
        start = values
    return "\n".join(lines) + "\n"


def rough_period(folder):
    """One period of van_der_pol at mu = 0.5 as AUTO's start: time and both units a line."""

    def velocity(x, y):
        return y, 0.5 * (1.0 - x * x) * y - x

    x, y, t, h, rows, crossings = -2.0, 0.0, 0.0, 0.005, [], 0
    while crossings < 12:
        k = [velocity(x, y)]
        for part in (h / 2, h / 2, h):
            k.append(velocity(x + part * k[-1][0], y + part * k[-1][1]))
        old, weights = y, (1, 2, 2, 1)
        x += h / 6 * sum(w * a for w, (a, _) in zip(weights, k))
        y += h / 6 * sum(w * b for w, (_, b) in zip(weights, k))
        t += h
        crossings += old < 0.0 <= y
        if crossings >= 11:
            rows.append(f"{t:.10f} {x:.12f} {y:.12f}\n")
    (folder / "van_der_pol.dat").write_text("".join(rows[:-1:5] + rows[-1:]))


def find_auto():
    """The command that starts AUTO's command line, or None."""
    folder = os.environ.get("AUTO_DIR")
    if folder and (pathlib.Path(folder) / "bin" / "auto").exists():
        return str(pathlib.Path(folder) / "bin" / "auto")
    return shutil.which("auto")


def last_point(path):
    """Period and multipliers, the larger first, in a saved branch's last line, of type "value asked for" (4)."""
    columns = path.read_text().splitlines()[-1].split()
    if abs(int(columns[2])) != 4:
        raise RuntimeError(f"AUTO did not reach the value asked for: {columns}")
    period, *parts = (float(c) for c in columns[-5:])
    return period, sorted([complex(*parts[:2]), complex(*parts[2:])], key=abs, reverse=True)


def cycles(auto, name):
    """AUTO's cycles of one system: parameters, period, both multipliers."""
    with tempfile.TemporaryDirectory() as where:
        folder = pathlib.Path(where)
        (folder / f"{name}.f90").write_text(FORTRAN.format(equations=EQUATIONS[name].strip("\n"), start=START[name]))
        (folder / f"c.{name}").write_text("".join(f"{k} = {v}\n" for k, v in CONSTANTS.items()))
        (folder / "cycles.auto").write_text(script(name))
        rough_period(folder)
        done = subprocess.run([auto, "cycles.auto"], cwd=folder, capture_output=True, text=True)
        if done.returncode or not (folder / f"b.{len(PATHS[name]) - 1}").exists():
            raise RuntimeError(f"AUTO failed on {name}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        found = []
        for i, (_, parameters) in enumerate(PATHS[name]):
            period, (trivial, other) = last_point(folder / f"b.{i}")
            found.append({"system": name, "parameters": parameters, "period": period})
            found[-1] |= {"trivial_multiplier": trivial.real, "multiplier": other.real}
        return found


def compared(found):
    """Those cycles that the oracle has, with how far AUTO is from it."""
    oracle = {(e["api"]["constructor"], *e["parameters"].values()): e for e in json.loads(ORACLE.read_text())["flows"]}
    chosen = []
    for cycle in found:
        entry = oracle.get((cycle["system"], *cycle["parameters"].values()))
        if entry:
            period, multiplier = float(entry["period"]), float(entry["multiplier"][0])
            errors = {
                "period_differs_relatively_by": abs(cycle["period"] / period - 1.0),
                "multiplier_differs_by": abs(cycle["multiplier"] - multiplier),
                "trivial_multiplier_differs_by": abs(cycle["trivial_multiplier"] - 1.0),
            }
            chosen.append(cycle | {k: float(f"{v:.1e}") for k, v in errors.items()})
    return chosen


def provenance(auto):
    """Version of AUTO, of its compiler, and the constants."""
    root = pathlib.Path(auto).resolve().parent.parent
    changes, settings = root / "CHANGELOG", root / "cmds" / "cmds.make"
    version = changes.read_text().split(":")[0].strip() if changes.exists() else "unknown"
    lines = settings.read_text().splitlines() if settings.exists() else []
    compiler = next((line.split("=")[1].strip() for line in lines if line.startswith("FC ")), "unknown")
    if shutil.which(compiler):
        compiler = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout.splitlines()[0]
    return {"auto": f"AUTO-07p {version}", "compiler": compiler, "constants": CONSTANTS}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", action="store_true", help="write values.json beside this file")
    store = parser.parse_args().store
    auto = find_auto()
    if auto is None:
        sys.exit(
            "AUTO-07p is not installed: neither $AUTO_DIR/bin/auto nor `auto` on the PATH. Its values: values.json"
        )
    results = compared([cycle for name in PATHS for cycle in cycles(auto, name)])
    print(f"{'system':14} {'parameters':14} {'period':>15} {'relative error':>15} {'multiplier':>16} {'error':>8}")
    for r in results:
        numbers = f"{r['period']:15.10g} {r['period_differs_relatively_by']:15.1e}"
        numbers += f" {r['multiplier']:16.10g} {r['multiplier_differs_by']:8.1e}"
        print(f"{r['system']:14} {', '.join(r['parameters'].values()):14} {numbers}")
    if store:
        made = {"made_by": "benchmarks/auto07p/run.py --store", "date": str(datetime.date.today())}
        content = {"meta": made | provenance(auto), "cycles": results}
        (HERE / "values.json").write_text(json.dumps(content, indent=1) + "\n")
    worst = max(max(v for k, v in r.items() if k.endswith("by")) for r in results)
    sys.exit(0 if worst < REQUIRED else f"the largest difference, {worst:.1e}, is not below {REQUIRED:.0e}")


if __name__ == "__main__":
    main()
