"""Where curves of bifurcations begin: near a given state, or wherever a grid of fixed points shows them."""

import itertools

import numpy as np

from lyapkit.analyses.bifurcations import pseudo_arclength
from lyapkit.analyses.bifurcations.curve_problems import problem_of
from lyapkit.analyses.fixed_points import fixed_points
from lyapkit.analyses.stationary import newton
from lyapkit.flags import STABLE

_NODES = {True: 13, False: 5}  # of a side of the grid, for few and for many units
_FEW = 4  # units
_AT_REST = 1e-9  # residual of an equilibrium, relative to the state
_SHARES = (0.5, 0.25, 0.75)  # of the way between neighbours, where else to begin
_BEYOND = 0.1  # how far beyond a bound, in its width, a start may lead
_LINE = 0.02, 400  # step along one parameter, in its width, and steps


class Line:
    """Equilibria in one of the parameters, and where they cross the border of the kind; see `pseudo_arclength`."""

    def __init__(self, curve, p, index):
        n = curve.n
        self._curve, self._fixed, self._at = curve, p, n + index
        self.scale = np.append(curve.scale[:n], curve.scale[self._at])
        self.bounds = [(n, low, high) for at, low, high in curve.bounds if at == self._at]

    def unknowns(self, v):
        """The curve's unknowns, state and both parameters, from those of the line."""
        u = np.concatenate([v[:-1], self._fixed])
        u[self._at] = v[-1]
        return u

    def equations(self, v):
        curve, n = self._curve, self._curve.n
        value, jacobian, slopes = curve.first(self.unknowns(v))
        residual = value - v[:n] if curve.is_map else value
        jacobian = jacobian - np.eye(n) if curve.is_map else jacobian
        return residual, np.concatenate([jacobian, slopes[:, self._at - n, None]], axis=1)

    def tests(self, v, jacobian, tangent):
        if self._curve.kind == "fold":  # the bordered determinant has poles
            return {"border": tangent[-1]}
        u = self.unknowns(v)
        return {"border": self._curve.condition(u, self._curve.first(u)[1])[0]}

    def arrived(self, v):
        pass

    def inspect(self, v, tangent):
        return None


def near(jets, kind, bounds, x, p, monitor):
    """A point u of a curve of the kind near the state x and parameters p; ValueError where there is none."""
    x, left = _equilibrium(jets, x, p)
    curve = problem_of(kind, jets, bounds, x, p)
    u, converged = pseudo_arclength.settled(curve, np.concatenate([x, p]))
    if converged:
        u = pseudo_arclength.snapped(curve, u, _BEYOND)
        if _close(curve, u, np.concatenate([x, p])):
            return u
    if left > _AT_REST * (1.0 + abs(x).max()):
        raise ValueError(
            f"start: Newton's method finds no equilibrium from it (residual {left:.3g} at {x.tolist()}), accepted: a "
            "state near an equilibrium"
        )
    found = _along_lines(curve, x, p, monitor)
    if found is None:
        raise ValueError(
            f"start: the equilibrium {x.tolist()} meets no {kind} point along either parameter within the bounds, "
            "accepted: one that does, or parameters near such a point"
        )
    return found


def _equilibrium(jets, x, p):
    """The equilibrium near x by Newton's method, and its residual."""
    eye = np.eye(len(x)) if jets.system.kind == "map" else np.zeros((len(x), len(x)))
    best, least = x, np.inf
    with np.errstate(all="ignore"):
        for _ in range(40):
            value, jacobian, _ = jets.first(x, p)
            residual = value - eye @ x
            size = abs(residual).max()
            if not np.isfinite(size) or not np.isfinite(jacobian).all():
                break
            if size < least:
                best, least = x, size
            x = x + newton.steps(residual[None], (jacobian - eye)[None])[0]
    return best, least


def _close(curve, u, guess):
    """Whether a point found from a guess is near it, and within the bounds."""
    slack = 1e-9 * curve.scale  # rounding beside a bound
    inside = all(low - slack[i] <= u[i] <= high + slack[i] for i, low, high in curve.bounds)
    return inside and np.linalg.norm((u - guess) / curve.scale) < 0.1


def _along_lines(curve, x, p, monitor):
    """The first point of the curve that is met when one parameter is changed, the nearest over both."""
    nearest, least = None, np.inf
    for index in (0, 1):
        line = Line(curve, p, index)
        start = np.append(x, p[index])
        tangent = pseudo_arclength.first_tangent(line, start)
        for sense in (1.0, -1.0):
            step, steps = _LINE
            branch = pseudo_arclength.follow(
                line, start, sense * tangent, step=step, most_points=steps, monitor=monitor, longest=4 * step
            )
            for point in branch.points[1:]:
                away = np.linalg.norm((point.u - start) / line.scale)
                if point.special and away < least:
                    u, converged = pseudo_arclength.settled(curve, line.unknowns(point.u))
                    if converged and _close(curve, u, line.unknowns(point.u)):
                        nearest, least = u, away
    return nearest


def everywhere(jets, system, kind, bounds, monitor):
    """Points u of curves of the kind, from all fixed points on a grid over the bounds; some on the same curve.

    Between neighbours of the grid a pair of eigenvalues crosses, or the number of fixed points or the side of an
    eigenvalue changes: from there Newton's method goes to the curve.
    """
    nodes = _NODES[system.dimension <= _FEW]
    axes = [np.linspace(low, high, nodes) for low, high in bounds]
    grid = np.array(list(itertools.product(*axes)))
    plan = fixed_points.plan(system)
    values = dict(zip(jets.parameters, grid.T, strict=True))
    states = np.broadcast_to(plan.initial_state, (len(grid), system.dimension))
    found = plan.measure(values, states, monitor)
    points = [
        [x for x, stable in zip(found["state"][i], found["stable"][i], strict=True) if stable != STABLE["absent"]]
        for i in range(len(grid))
    ]
    at = np.arange(len(grid)).reshape(nodes, nodes)
    edges = [
        *zip(at[:-1].ravel(), at[1:].ravel(), strict=True),
        *zip(at[:, :-1].ravel(), at[:, 1:].ravel(), strict=True),
    ]
    for one, other in edges:
        for guesses in _suspects(jets, kind, points, grid, one, other):
            monitor.add(0)
            tried = (_settled(jets, kind, bounds, *guess) for guess in guesses)
            found = next((u for u in tried if u is not None), None)
            if found is not None:
                yield found


def _settled(jets, kind, bounds, x, p):
    """The point of a curve near a guess, None where there is none."""
    curve = problem_of(kind, jets, bounds, x, p)
    u, converged = pseudo_arclength.settled(curve, np.concatenate([x, p]))
    return u if converged and _close(curve, u, np.concatenate([x, p])) else None


def _suspects(jets, kind, points, grid, one, other):
    """Guesses, lists of (state, parameters) to try in turn, between two neighbours of the grid."""
    if kind == "fold" and len(points[one]) != len(points[other]):
        many, few = (one, other) if len(points[one]) > len(points[other]) else (other, one)
        yield from _meeting(points[many], points[few], grid[many], grid[few])
    for x in points[one]:
        if not points[other]:
            continue
        y = min(points[other], key=lambda z, x=x: abs(x - z).max())
        sides = [_side(jets, kind, state, p) for state, p in ((x, grid[one]), (y, grid[other]))]
        if sides[0] * sides[1] <= 0.0:
            linear = sides[0] / (sides[0] - sides[1]) if sides[0] else 0.0
            yield [(x + share * (y - x), grid[one] + share * (grid[other] - grid[one])) for share in (linear, *_SHARES)]


def _meeting(states, left, p, beyond):
    """Guesses for folds in which some of the states at p are gone beyond, where just those left remain.

    Two that meet are near each other: the fold is between them.
    """
    kept = [min(states, key=lambda x, y=y: abs(x - y).max()) for y in left]
    gone = [x for x in states if not any(x is y for y in kept)]
    for x in gone:
        y = min((y for y in states if y is not x), key=lambda z, x=x: abs(z - x).max(), default=x)
        yield [(z, p + share * (beyond - p)) for share in (0.0, 0.25, 0.5) for z in (0.5 * (x + y), x)]


def _side(jets, kind, x, p):
    """On which side of the border an equilibrium is: a determinant that vanishes there, in sign and about in size.

    Of pairs that of the bialternate product, whose eigenvalues are the sums (maps: products) of two of the Jacobian's.
    """
    jacobian = jets.first(x, p)[1]
    is_map = jets.system.kind == "map"
    if kind in ("fold", "period_doubling"):
        border = -1.0 if kind == "period_doubling" else float(is_map)
        gaps = np.linalg.eigvals(jacobian) - border
    else:
        values = np.linalg.eigvals(jacobian).astype(complex)
        i, j = np.triu_indices(len(values), 1)
        gaps = values[i] * values[j] - 1.0 if is_map else values[i] + values[j]
    if not len(gaps):
        return np.nan
    return float(np.prod(np.sign(gaps.real[abs(gaps.imag) <= 1e-12 * abs(gaps)])) * abs(gaps).min())
