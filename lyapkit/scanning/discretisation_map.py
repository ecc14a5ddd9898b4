"""Discretisation-failure maps: a flow against its Euler map, over the step and the flow's parameters."""

import numpy as np

from lyapkit import systems
from lyapkit.analyses.kinds.euler_attractor import euler_attractor
from lyapkit.analyses.limit_cycle import limit_cycle
from lyapkit.analyses.lyapunov_spectrum import lyapunov_spectrum
from lyapkit.analyses.orbits.points import select
from lyapkit.flags import CURVE_KIND, CURVE_SOURCE, FLOW_REGIME, MAP_REGIME, OUTCOME, SIGN, STATUS
from lyapkit.progress import Monitor
from lyapkit.results import dataset
from lyapkit.scanning import safe_steps
from lyapkit.scanning.grid import checked_grid, points
from lyapkit.scanning.scan import scan
from lyapkit.systems.euler_map import euler_map
from lyapkit.systems.models.rotation_euler import neimark_sacker_step
from lyapkit.systems.system import as_system

_STEPS, _COUNT, _PHASES = (0.02, 1.0, 50), 60, 512
# (flow, map) -> outcome; what is not here is undecided
_OUTCOMES = {
    ("rest", "rest"): "both_rest",
    ("cycle", "circle"): "both_cycle",
    ("chaotic", "chaotic"): "both_chaotic",
    ("cycle", "locked"): "locked",
    ("cycle", "rest"): "cycle_lost",
    ("cycle", "chaotic"): "chaos_made_by_the_step",
    ("rest", "chaotic"): "chaos_made_by_the_step",
    ("rest", "circle"): "cycle_made_by_the_step",
    ("rest", "locked"): "cycle_made_by_the_step",
    ("chaotic", "circle"): "chaos_lost",
    ("chaotic", "locked"): "chaos_lost",
    ("chaotic", "rest"): "chaos_lost",
} | {(flow, "diverged"): "diverged" for flow in FLOW_REGIME}


def discretisation_map(
    grid=None, *, system=None, centre=None, plane=None, initial_state=None, transient=100.0, duration=300.0,
    workers=None, progress=None,
):  # fmt: skip
    """discretisation_map(grid=None, *, system=rotation_flow, centre=None, plane=(0, 1), ...)

    A flow and the map that Euler's method makes of it, over the step h and a parameter: where they agree.

    Returns a Dataset:

    outcome(*grid)              both_rest, both_cycle (the map: an invariant circle), both_chaotic; or how the map
                                fails: locked (a periodic orbit has taken the circle's place, its zero exponent is
                                gone), cycle_lost (it rests), cycle_made_by_the_step (where the flow rests),
                                chaos_made_by_the_step, chaos_lost, diverged; undecided where neither is sure, as
                                beside the edge of a tongue, and no failure
    flow_regime, flow_period, flow_exponent(mode)   over the flow's parameters
    map_regime, map_exponent(mode)                  over the grid; exponents per time unit, so divided by h
    rotation_number, locked, locking_p, locking_q, orbit_period   of the map, per iterate
    frequency_bias(*grid)       (map's frequency - flow's) / flow's; NaN unless both go round
    largest_safe_h              over the flow's parameters: up to where the map agrees with the flow. Where the flow
                                rests, by root finding: the h at which an eigenvalue 1 + h lambda of its fixed point
                                leaves the unit circle. Else by bisection, to 1e-6 of a step of the grid, between the
                                last h of the grid before the first failure and that one
    safe_h_source               eigenvalue, bisection, or why there is none: above_grid (no failure up to the grid's
                                last h), below_grid (at its first h already), none (the flow's regime is not known)
    curve_h, curve_theta(curve_point)   of rotation_flow over (h, theta): the Neimark-Sacker bifurcation of the
                                origin in closed form, with curve_number, curve_kind, curve_source
    status(*grid)

    grid           "h" (above 0) and one or more parameters of the flow, each with its values; default 50 steps up to 1
                   and 60 values of the last parameter of the system's own plane
    system         a flow, default rotation_flow
    centre, plane  about which and in which the map turns, see `rotation_number`
    initial_state  (unit,) where both start, default the system's own
    transient, duration   of the map, time units; 1000 and 10,000 iterates at least
    workers, progress     see `scan`

    A tongue narrower than the grid's steps in h is not seen, so the largest safe h is safe as far as the grid
    goes. On rotation_flow with c = cos(theta), alpha c < 1, the origin's multipliers 1 - h + h alpha exp(+-i theta)
    have modulus 1 at h = 2 (1 - alpha c) / (1 - 2 alpha c + alpha^2): beyond, Euler's step makes a cycle of rest.
    Source: Stuart & Humphries, Dynamical Systems and Numerical Analysis (1996), ch. 5 to 7.

    >>> import lyapkit as lk, numpy as np
    >>> grid = {"h": np.array([0.05, 0.9]), "theta": np.array([0.3, 1.3])}
    >>> ds = lk.discretisation_map(grid, system=lk.systems.rotation_flow(alpha=1.2))
    >>> names = dict(zip(ds.outcome.flag_values.tolist(), ds.outcome.flag_meanings.split()))
    >>> [names[int(flag)] for flag in ds.outcome[:, 1]]
    ['both_rest', 'cycle_made_by_the_step']
    """
    flow = as_system(systems.rotation_flow if system is None else system)
    step = euler_map(flow)
    axes = _checked(step, grid)
    own = {name: values for name, values in axes.items() if name != "h"}
    together = {"initial_state": initial_state, "workers": workers, "progress": progress}
    keywords = {"transient": transient, "duration": duration, "centre": centre, "plane": plane}
    maps = scan(euler_attractor, step, axes, **keywords, **together)
    flows = _of_flow(flow, own, together, _plane(maps, plane), centre)
    others = tuple(own)
    ordered = maps.transpose("h", *others, "mode")
    outcomes = outcome(flows["flow_regime"][None], ordered.map_regime.values)
    plan = euler_attractor.plan(step, initial_state=initial_state, **keywords)
    safe = safe_steps.largest(
        flow, plan, np.sort(axes["h"]), points(own), outcomes[np.argsort(axes["h"])], flows, outcome
    )
    variables = {name: (variable.dims, variable.values) for name, variable in maps.data_vars.items()}
    variables |= {name: ((*others, *(["mode"] if array.ndim > len(others) else [])), array)
                  for name, array in flows.items() if name != "flow_turns"}  # fmt: skip
    bias = _bias(ordered, axes["h"], flows)
    for name, array in (("outcome", outcomes), ("frequency_bias", bias)):
        variables[name] = (tuple(axes), np.moveaxis(array, 0, list(axes).index("h")))
    variables |= {name: (others, array.reshape(flows["flow_period"].shape)) for name, array in safe.items()}
    variables |= _curve(flow, axes)
    attrs = {key: value for key, value in maps.attrs.items() if key in ("transient", "duration", "margin")}
    return dataset(step, variables, {**axes, "mode": maps.mode.values}, {**attrs, "verb": "discretisation_map"})


def outcome(flow_regime, map_regime):
    """Flags of OUTCOME for flags of both regimes, broadcast against each other."""
    table = np.full((len(FLOW_REGIME), len(MAP_REGIME)), OUTCOME["undecided"], dtype=np.int8)
    for (flow, step), name in _OUTCOMES.items():
        table[FLOW_REGIME[flow], MAP_REGIME[step]] = OUTCOME[name]
    return table[flow_regime, map_regime]


def _checked(step, grid):
    """The grid's axes: h, and parameters of the flow."""
    if grid is None:
        ranges = step.model.ranges
        if not ranges:
            raise ValueError(f"grid: not given, and {step.name} has no ranges of its own; accepted: a mapping")
        name = list(ranges)[-1]
        grid = {"h": np.linspace(*_STEPS), name: np.linspace(*ranges[name][:2], _COUNT)}
    axes = checked_grid(step, grid)
    if "h" not in axes or len(axes) < 2:
        raise ValueError(f"grid: given {', '.join(axes)}, accepted: h and one or more parameters of the flow")
    if not (axes["h"] > 0).all():
        raise ValueError("grid: h has a value that is not above 0, accepted: steps above 0")
    return axes


def _plane(maps, plane):
    return (0, 1) if plane is None else tuple(plane)


def _of_flow(flow, own, together, plane, centre):
    """What the flow does: name -> array over its own parameters."""
    spectra = scan(lyapunov_spectrum, flow, own, **together)
    chaotic = spectra.lyapunov_sign.values[..., 0] == SIGN["positive"]
    plan = limit_cycle.plan(flow, n_phase=_PHASES, initial_state=together["initial_state"])
    regular = np.flatnonzero(~chaotic.ravel())  # chaos would be searched for a cycle in vain, and long
    states = np.broadcast_to(plan.initial_state, (len(regular), flow.dimension))
    with Monitor(len(regular) * plan.work, "limit_cycle", together["progress"]) as monitor:
        cycles = plan.measure(select(points(own), regular), states, monitor)
    status = cycles["status"]
    found = np.isin(status, [STATUS["ok"], STATUS["ill_conditioned"], STATUS["not_isolated"]])
    kind = np.where(found, FLOW_REGIME["cycle"], FLOW_REGIME["unknown"])
    regime = np.full(chaotic.shape, FLOW_REGIME["chaotic"], dtype=np.int8)
    regime.ravel()[regular] = np.where(status == STATUS["fixed_point"], FLOW_REGIME["rest"], kind)
    period, turns = np.full(chaotic.shape, np.nan), np.full(chaotic.shape, np.nan)
    period.ravel()[regular] = cycles["period"]
    turns.ravel()[regular] = _turns(cycles["state"], plane, centre)
    exponents = spectra.lyapunov_exponent.values
    return {"flow_regime": regime, "flow_period": period, "flow_exponent": exponents, "flow_turns": turns}


def _turns(orbits, plane, centre):
    """Turns of cycles (..., phase, unit) about the centre in one period."""
    if orbits.shape[-1] < 2:
        return np.full(orbits.shape[:-2], np.nan)
    about = np.zeros(2) if centre is None else np.ravel(centre)
    about = about if len(about) == 2 else about[list(plane)]
    x, y = (orbits[..., unit] - level for unit, level in zip(plane, about, strict=True))
    angle = np.arctan2(y, x)
    change = np.diff(angle, axis=-1, append=angle[..., :1]) / (2 * np.pi)
    return np.round((change - np.round(change)).sum(axis=-1))


def _bias(maps, h, flows):
    """(map's frequency - flow's) / flow's, (h, others)."""
    steps = h.reshape(-1, *[1] * flows["flow_period"].ndim)
    with np.errstate(all="ignore"):
        rate = flows["flow_turns"] / flows["flow_period"]
        ahead = maps.rotation_number.values - steps * rate
        bias = (ahead - np.round(ahead)) / steps / rate
    goes_round = np.isin(maps.map_regime.values, [MAP_REGIME["circle"], MAP_REGIME["locked"]])
    return np.where(goes_round & np.isfinite(bias), bias, np.nan)


def _curve(flow, axes):
    """The Neimark-Sacker curve of the plane's flow in closed form, where the grid has theta."""
    if flow.model is not systems.rotation_flow.model or set(axes) != {"h", "theta"}:
        return {}
    theta = np.linspace(axes["theta"].min(), axes["theta"].max(), 401)
    h = neimark_sacker_step(flow.parameters["alpha"], theta)
    theta, h = theta[h > 0], h[h > 0]
    flags = {"curve_kind": CURVE_KIND["neimark_sacker"], "curve_source": CURVE_SOURCE["closed_form"]}
    flat = {name: np.full(len(h), flag, dtype=np.int8) for name, flag in flags.items()}
    flat |= {"curve_number": np.ones(len(h), dtype=np.int64), "curve_h": h, "curve_theta": theta}
    return {name: (("curve_point",), array) for name, array in flat.items()}
