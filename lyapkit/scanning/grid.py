"""Grids of parameters: checked axes, and their points in blocks."""

import numpy as np

from lyapkit.systems.system import unknown_parameter


def checked_grid(system, grid):
    """The axes name -> values (1-d float arrays) of a scan; the system's own ranges where None."""
    if grid is None:
        grid = {name: np.linspace(*span) for name, span in system.model.ranges.items()}
        if not grid:
            raise ValueError(
                f"grid: not given, and {system.name} has no ranges of its own; accepted: a mapping from "
                f"parameters ({', '.join(system.model.defaults) or 'it has none'}) to 1-d arrays"
            )
    if not hasattr(grid, "items") or not grid:
        raise ValueError(f"grid: given {grid!r}, accepted: a mapping from parameters to 1-d arrays")
    return {name: _axis(system, name, values) for name, values in grid.items()}


def _axis(system, name, values):
    if name not in system.model.defaults:
        raise ValueError(unknown_parameter(system.model, name))
    model = system.model
    if name not in model.lane_parameters(system.parameters) + list(model.structural) or np.ndim(
        system.parameters[name]
    ):
        raise ValueError(f"grid: parameter {name!r} cannot be scanned; accepted: parameters that are numbers")
    try:
        axis = np.array(values, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"grid: {name} is {values!r}, accepted: a 1-d array of numbers") from None
    if name in model.structural:
        axis = np.array([model.checked(name, value) for value in np.ravel(axis)])
    if axis.ndim != 1 or not axis.size:
        raise ValueError(f"grid: {name} has shape {axis.shape}, accepted: a 1-d array that is not empty")
    if not np.isfinite(axis).all():
        raise ValueError(f"grid: {name} has a value that is not finite, accepted: finite numbers")
    return axis


def points(axes):
    """Parameter values name -> (points,) of all grid points, the last axis running fastest."""
    mesh = np.meshgrid(*axes.values(), indexing="ij")
    return {name: values.ravel() for name, values in zip(axes, mesh, strict=True)}
