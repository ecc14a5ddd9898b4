"""The layers of a phase portrait: vector field, nullclines, orbits, cobwebs."""

import numpy as np
from cmcrameri import cm

from lyapkit.plot.labels import SMALL
from lyapkit.plot.vector_field import rule_values

_GRID = 201  # points along each side of the grid of nullclines
_ARROWS = 21  # arrows along each side
_NULLCLINES = ("#b1491f", "#1c5f93")


def _grid(system, box, points):
    """Axes x, y (points,) and the velocity (2, points, points) over a box, rows along y."""
    x, y = (np.linspace(low, high, points) for low, high in box)
    mesh = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return x, y, rule_values(system, mesh).T.reshape(2, points, points)


def draw_field(ax, system, box, field):
    """The vector field over a box as "stream" lines or "quiver" arrows."""
    if field == "stream":
        x, y, speed = _grid(system, box, 4 * _ARROWS)
        ax.streamplot(x, y, *speed, color="0.78", linewidth=0.6, arrowsize=0.7, density=1.1, zorder=1)
        return
    x, y, speed = _grid(system, box, _ARROWS)
    length = np.hypot(*speed)
    # Directions alone: true lengths would hide the slow part, where the fixed points are.
    ax.quiver(x, y, *(speed / np.where(length > 0, length, 1.0)), color="0.7", pivot="mid", width=0.003)


def draw_nullclines(ax, system, box):
    """Where each unit stands still, with a legend."""
    x, y, speed = _grid(system, box, _GRID)
    handles = []
    for unit, (values, colour) in enumerate(zip(speed, _NULLCLINES, strict=True)):
        if values.min() < 0 < values.max():
            ax.contour(x, y, values, levels=[0], colors=colour, linewidths=1.3, linestyles="dashed", zorder=2)
            label = rf"$\dot{{x}}_{unit} = 0$"
            handles += ax.plot([], [], color=colour, ls="dashed", lw=1.3, label=label)
    if handles:
        ax.legend(handles=handles, fontsize=SMALL, loc="upper right", framealpha=0.9, edgecolor="none")


def _colours(path):
    """A colour for each orbit (time, point, 2), in the order of its distance from the middle."""
    first = path[0] - np.nanmean(path[0], axis=0)
    rank = np.argsort(np.argsort(np.hypot(*first.T)))
    return cm.batlow(0.05 + 0.8 * rank / max(len(rank) - 1, 1))


def draw_curves(ax, path, planar):
    """Orbits (time, point, 2) as curves; in the plane a dot where each ends."""
    for orbit, colour in zip(path.swapaxes(0, 1), _colours(path), strict=True):
        ax.plot(*orbit.T, color=colour, lw=1.1 if planar else 0.5, zorder=3)
        if planar:
            ax.plot(*orbit[-1], "o", color=colour, ms=4.5, mec="white", mew=0.7, zorder=4)


def draw_dots(ax, path):
    """The points of orbits (time, point, 2)."""
    for orbit, colour in zip(path.swapaxes(0, 1), _colours(path), strict=True):
        ax.plot(*orbit.T, ".", color=colour, ms=1.6, mew=0, rasterized=True)


def frame(ax, units, limits):
    """Label the two units and set the limits, if any."""
    ax.set(xlabel=f"state $x_{{{units[0]}}}$", ylabel=f"state $x_{{{units[1]}}}$")
    if limits is not None:
        ax.set(xlim=limits[0], ylim=limits[1])
    ax.locator_params(nbins=6)


def draw_cobweb(ax, system, path, limits):
    """The graph of a map of one unit, the diagonal, and the steps of its orbits (time, point)."""
    x = np.linspace(*limits, 801)
    ax.plot(x, rule_values(system, x[:, None])[:, 0], color="black", lw=1.4, label="map")
    ax.plot(limits, limits, color="0.6", lw=0.8, label="diagonal")
    for orbit, colour in zip(path.T, cm.batlow(np.linspace(0.1, 0.8, path.shape[1])), strict=True):
        steps = np.repeat(orbit, 2)
        ax.plot(steps[:-1], steps[1:], color=colour, lw=0.6, zorder=1)
    ax.legend(fontsize=SMALL, loc="best", framealpha=0.9, edgecolor="none")
    ax.set(xlabel="state $x_n$", ylabel="next state $x_{n+1}$", xlim=limits, ylim=limits)
