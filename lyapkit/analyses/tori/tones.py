"""Frequencies of attractors that move: of cycles from their periods, of tori from their spectral lines."""

import numpy as np

from lyapkit.analyses.limit_cycle import limit_cycle
from lyapkit.analyses.orbits.points import select
from lyapkit.analyses.torus_frequencies import torus_frequencies
from lyapkit.flags import ATTRACTOR_KIND, STATUS

MOST_TONES = 6
_CYCLE, _TORUS, _FAMILY = (ATTRACTOR_KIND[name] for name in ("limit_cycle", "torus", "continuous_family"))
_NEAR = 0.02  # of a period, by which the closed orbit's may differ from the one first seen


def tones(system, values, labels, clock, monitor):
    """Frequencies (P, tones), periods (P,), numbers of independent frequencies and of still zeros (P,).

    The numbers are those of the labels, unless the spectral lines of an orbit have fewer frequencies than zeros.
    """
    count = len(labels.kind)
    frequency, period = np.full((count, MOST_TONES), np.nan), labels.period.copy()
    moving, still = labels.dimension.copy(), labels.family_dimension.copy()
    cycles = np.flatnonzero(labels.kind == _CYCLE)
    if len(cycles) and system.kind == "flow":
        period[cycles] = _closed(system, select(values, cycles), labels.state[cycles], period[cycles], clock, monitor)
    frequency[cycles, 0] = 1.0 / period[cycles]
    zeros = moving + still
    lined = np.isin(labels.kind, (_TORUS, _FAMILY)) & (moving > 0) & (zeros <= MOST_TONES)
    lined = np.flatnonzero(lined)
    if not len(lined):
        return frequency, period, moving, still
    plan = torus_frequencies.plan(system, transient=0, **clock.keywords)
    found = plan.measure(select(values, lined), labels.state[lined], monitor)
    number = found["n_frequencies"]
    sure = (found["status"] == STATUS["ok"]) & (number > 0) & (number <= zeros[lined])
    chosen = lined[sure]
    frequency[chosen] = found["frequency"][sure]
    moving[chosen], still[chosen] = number[sure], zeros[chosen] - number[sure]
    once = (labels.kind[chosen] == _FAMILY) & (number[sure] == 1)
    period[chosen[once]] = 1.0 / frequency[chosen[once], 0]
    return frequency, period, moving, still


def _closed(system, values, states, seen, clock, monitor):
    """Periods (P,) of the closed orbits, by Newton's method; those first seen where it found none or another."""
    plan = limit_cycle.plan(system, n_phase=16, dt=clock.dt)
    found = plan.measure(values, states, monitor)
    near = (found["status"] == STATUS["ok"]) & (abs(found["period"] - seen) <= _NEAR * seen)
    return np.where(near, found["period"], seen)
