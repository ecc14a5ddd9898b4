"""The largest step up to which the Euler map of a flow agrees with the flow."""

import numpy as np

from lyapkit.analyses.orbits.clock import Clock
from lyapkit.analyses.orbits.equilibria import beside_stable
from lyapkit.analyses.orbits.points import select
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.analyses.stationary.newton import polished
from lyapkit.flags import FLOW_REGIME, OUTCOME, SAFE_H_SOURCE
from lyapkit.progress import Monitor
from lyapkit.systems.evaluate import values_and_jacobians

_HALVINGS = 20  # 1e-6 of a step of the grid
_SETTLED = 1000.0  # time units in which an orbit comes to rest, up to Newton's method
_NO_FAILURE = [OUTCOME[name] for name in ("both_rest", "both_cycle", "both_chaotic", "undecided")]


def largest(flow, plan, h, values, outcomes, flows, outcome):
    """largest_safe_h and safe_h_source (points,).

    plan: of `euler_attractor`; h ascending; values name -> (points,) of the flow's parameters; outcomes (h, ...) on the
    grid; flows: the flow's regimes (...); outcome(flow_regime, map_regime) gives an outcome.
    """
    regime = flows["flow_regime"].ravel()
    points = len(regime)
    failed = ~np.isin(outcomes.reshape(len(h), points), _NO_FAILURE)
    first = np.where(failed.any(axis=0), failed.argmax(axis=0), len(h))
    source = np.full(points, SAFE_H_SOURCE["bisection"], dtype=np.int8)
    source[first == len(h)] = SAFE_H_SOURCE["above_grid"]
    source[first == 0] = SAFE_H_SOURCE["below_grid"]
    source[regime == FLOW_REGIME["unknown"]] = SAFE_H_SOURCE["none"]
    safe = np.full(points, np.nan)
    resting = np.flatnonzero(regime == FLOW_REGIME["rest"])
    if len(resting):
        limit = _stability_limit(flow, select(values, resting), plan.initial_state)
        # a failure at a smaller step is another one: the orbit goes elsewhere while its fixed point is still stable
        alone = np.append(h, np.inf)[first[resting]] >= limit
        chosen = resting[alone]
        safe[chosen], source[chosen] = limit[alone], SAFE_H_SOURCE["eigenvalue"]
    index = np.flatnonzero(source == SAFE_H_SOURCE["bisection"])
    if len(index):
        between = h[first[index] - 1], h[first[index]]
        safe[index] = _bisected(plan, select(values, index), regime[index], *between, outcome)
    return {"largest_safe_h": safe, "safe_h_source": source}


def _stability_limit(flow, values, start):
    """The least h > 0 with |1 + h lambda| = 1 for an eigenvalue of the fixed points that orbits come to rest at."""
    points = len(next(iter(values.values())))
    states = np.broadcast_to(start, (points, flow.dimension))
    dt = flow.model.dt
    ensemble = Ensemble(flow, values, states, Clock("rk4", dt, 0, 0), 0)
    ensemble.run(int(np.ceil(_SETTLED / dt)), Monitor(1, "", False))
    states = ensemble.gather("x").T[:points]
    rest = polished(flow, states, values)
    known = beside_stable(flow, values, rest, np.ones(points, dtype=bool))
    jacobians = values_and_jacobians(flow, rest, values)[1]
    eigenvalues = np.linalg.eigvals(np.where(known[:, None, None], jacobians, -np.eye(flow.dimension)))
    limit = (-2.0 * eigenvalues.real / abs(eigenvalues) ** 2).min(axis=1)
    return np.where(known, limit, np.inf)


def _bisected(plan, values, regime, low, high, outcome):
    """Between a step that agrees and one that does not."""
    low, high = low.copy(), high.copy()
    states = np.broadcast_to(plan.initial_state, (len(low), plan.system.dimension))
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        found = plan.measure(values | {"h": middle}, states, Monitor(1, "", False))
        safe = np.isin(outcome(regime, found["map_regime"]), _NO_FAILURE)
        low, high = np.where(safe, middle, low), np.where(safe, high, middle)
    return low
