"""Where branches begin: at equilibria, at a cycle, or at a special point of an earlier result."""

import numpy as np
import xarray as xr

from lyapkit.analyses import newton, pseudo_arclength
from lyapkit.analyses.equilibrium_branch import EquilibriumProblem, Start
from lyapkit.analyses.fixed_points import fixed_points
from lyapkit.results import SPECIAL

_AT_REST = 1e-9  # residual of an equilibrium, relative to its state
_NEWTON = 60


def checked_start(system, parameter, limits, start):
    """A start as ("all",), ("state", x, value), ("cycle", nodes, period, value) or ("special", kind, point)."""
    own = system.parameters[parameter]
    if start is None:
        return "all", _within(parameter, limits, own)
    if isinstance(start, xr.Dataset):
        if "special_kind" in start and not start["special_kind"].dims:
            return "special", _name(start["special_kind"]), start
        if "floquet_exponent" in start and "phase" in start.dims and start["period"].dims == ():
            value = float(start.attrs.get(f"parameter_{parameter}", own))
            if not float(start["period"]) > 0.0:
                raise ValueError("start: given a result without a cycle, accepted: one with status ok")
            return "cycle", start, _within(parameter, limits, value)
        raise ValueError(
            "start: given a Dataset of another kind, accepted: a result of limit_cycle, or one special point of a "
            "continuation, such as ds.isel(special=0)"
        )
    try:
        x = np.atleast_1d(np.array(start, dtype=float))
    except (TypeError, ValueError):
        raise TypeError(f"start: given {start!r}, accepted: a state, or a Dataset") from None
    if x.shape != (system.dimension,) or not np.isfinite(x).all():
        raise ValueError(f"start: given {start!r}, accepted: ({system.dimension},) finite numbers")
    return "state", x, _within(parameter, limits, own)


def _name(kind):
    return {code: name for name, code in SPECIAL.items()}[int(kind)]


def _within(parameter, limits, value):
    if not limits[0] <= value <= limits[1]:
        raise ValueError(
            f"system: {parameter} is {value:g}, accepted: within its bounds {limits[0]:g} to {limits[1]:g}; "
            f"with_({parameter}=...) changes it"
        )
    return value


def starts_of(system, parameter, limits, given, period, longest_period, monitor):
    """The first branches (see `Start`) of what was given."""
    what, *rest = given
    if what == "all":
        states = _equilibria(system, period)
        found = [equilibrium(system, parameter, limits, x, rest[0], period) for x in states]
        return [start for start in found if start is not None]
    if what == "state":
        start = equilibrium(system, parameter, limits, *rest, period, refuse=True)
        return [start]
    from lyapkit.analyses import cycle_branch  # heavier, and only for cycles

    if what == "cycle":
        return [cycle_branch.from_result(system, parameter, limits, *rest, longest_period, monitor)]
    return _at_special(system, parameter, limits, *rest, longest_period, monitor)


def _equilibria(system, period):
    """Fixed points at the system's own parameters; of a longer period, the orbit that attracts its initial state."""
    if period == 1:
        ds = fixed_points(system, progress=False)
        return list(ds.state.values)
    from lyapkit.analyses.limit_cycle import limit_cycle

    ds = limit_cycle(system, progress=False)
    return [ds.state.values[0]] if float(ds.period) == period else []


def equilibrium(system, parameter, limits, x, value, period=1, refuse=False):
    """A branch through the equilibrium near x, corrected at the parameter's value; ValueError or None without one."""
    problem = EquilibriumProblem(system, parameter, limits, x, period)
    x, left = _corrected(problem, x, value)
    if not left <= _AT_REST * (1.0 + abs(x).max()):
        if refuse:
            raise ValueError(
                f"start: Newton's method finds no equilibrium from it (residual {left:.3g}), accepted: a state near one"
            )
        return None
    u = np.append(x, value)
    return Start(problem, u, _forward(problem, u), True)


def _forward(problem, u):
    """The tangent in the sense of a growing parameter."""
    tangent = pseudo_arclength.first_tangent(problem, u)
    return tangent if tangent[-1] >= 0.0 else -tangent


def _corrected(problem, x, value):
    """The equilibrium near x at a value of the parameter, and its residual."""
    best, least = x, np.inf
    with np.errstate(all="ignore"):
        for _ in range(_NEWTON):
            residual, jacobian = problem.equations(np.append(x, value))
            size = abs(residual).max()
            if not (np.isfinite(size) and np.isfinite(jacobian).all()):
                break
            if size < least:
                best, least = x, size
            x = x + newton.steps(residual[None], jacobian[None, :, :-1])[0]
    return best, least


def _at_special(system, parameter, limits, kind, point, longest_period, monitor):
    """The branches that begin at a special point of an earlier result."""
    value, x = float(point[f"special_{parameter}"]), point["special_state"].values
    _within(parameter, limits, value)
    if f"special_{parameter}" not in point:
        raise ValueError(f"start: a special point in another parameter, accepted: one in {parameter}")
    period = int(point["special_period"]) if system.kind == "map" else 1
    if kind == "hopf":
        from lyapkit.analyses import cycle_branch

        return [cycle_branch.from_hopf_point(system, parameter, limits, x, value, longest_period, monitor)]
    if kind not in ("branch_point", "period_doubling") or (system.kind == "flow" and kind == "period_doubling"):
        raise ValueError(f"start: nothing else begins at a {kind} point, accepted: hopf, branch_point, period_doubling")
    problem = EquilibriumProblem(system, parameter, limits, x, period)
    u = np.append(x, value)
    jacobian = problem.equations(u)[1] * problem.scale
    tangent, vanishing = np.linalg.svd(jacobian)[2][-1], "minus" if kind == "period_doubling" else kind
    return problem.switches(pseudo_arclength.Point(u, tangent, {}, (vanishing,)))
