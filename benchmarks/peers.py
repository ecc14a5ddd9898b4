"""Prints how fast lyapkit is against its peers and against the hardware: ``python benchmarks/peers.py``.

All numbers of a table come from one run. Alternatives of a row are timed in turn, round after round, and
each keeps its shortest time, so that drift of the machine cancels in the ratio. Kernel rows run on one core
with everything compiled beforehand; whole-process rows and the row of two workers use every core.
Nanoseconds are wall time / (points x steps), all of the call included.

Peers (extra ``bench``) that are not installed get a row that says so.
"""

import argparse
import warnings

import measure
import rows_branches
import rows_cycles
import rows_kernel
import rows_learning
import rows_networks
import rows_planes
import rows_process

MODULES = (rows_kernel, rows_process, rows_networks, rows_cycles, rows_planes, rows_branches, rows_learning)
ROWS = {name: measured for module in MODULES for name, measured in module.ROWS.items()}
LINE = "{:<50} {:<48} {:>8}  {:<16} {}"


def show(row):
    """One line of the table."""
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    verdict = {True: "met", False: "missed", None: ""}[row.met]
    print(LINE.format(row.work, row.measured, ratio, row.required, verdict).rstrip(), flush=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=ROWS, help="this row; may be repeated")
    parser.add_argument("--rounds", type=int, default=9, help="times that each alternative is timed")
    parser.add_argument("--core", type=int, default=measure.CORES[-1], help="core of the kernel rows")
    return parser.parse_args()


def main():
    options = parse()
    warnings.filterwarnings("ignore")  # the peers' own
    measure.pin([options.core])
    print(LINE.format("work", "measured", "ratio", "required", ""))
    for name in options.only or ROWS:
        for row in ROWS[name](options.rounds):
            show(row)


if __name__ == "__main__":
    main()
