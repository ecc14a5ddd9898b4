"""Equilibria of flows and periodic points of maps in one parameter, for `pseudo_arclength`: unknowns (x, parameter).

Test functions are signed distances: of a product of gaps (of sums or products of two eigenvalues, or of one from -1)
the sign, times the smallest gap. The product is that of the determinant of a bialternate matrix product, hence smooth
also where eigenvalues meet and become complex (Kuznetsov, Elements of Applied Bifurcation Theory (4th ed. 2023), ch.
10).
"""

import numpy as np

from lyapkit.analyses.bifurcations import normal_forms
from lyapkit.analyses.bifurcations.curve_problems import extent, grown
from lyapkit.analyses.bifurcations.jets import Jets
from lyapkit.analyses.stationary.stability import eigenvalues
from lyapkit.flags import STABLE

_NONE = 1e-13  # gaps below this, relative to the largest, are nothing but rounding
_UNBOUNDED = 1e6  # states so much larger than at first, in units of the scale, run to infinity
_REAL = 1e-7  # angle of a pair, or imaginary part relative to its modulus, below which it is real


class EquilibriumBranch:
    """The equations f = 0 (maps: f^q(x) - x = 0) in x and one parameter, and what is read off the solutions."""

    kind = "equilibrium"

    def __init__(self, jets, bounds, x):
        self.jets, self.n, self.is_map = jets, jets.n, jets.system.kind == "map"
        self._once = Jets(jets.system, jets.parameters) if jets.period > 1 else jets
        self.bounds = [(self.n, *bounds)]
        self.scale = np.array([extent(x)] * self.n + [bounds[1] - bounds[0]])
        self._farthest = _UNBOUNDED * self.scale[0]

    def equations(self, u):
        """The residual (n,) and its Jacobian (n, n + 1)."""
        n = self.n
        value, jacobian, slope = self.jets.first(u[:n], u[n:])
        if self.is_map:
            value, jacobian = value - u[:n], jacobian - np.eye(n)
        return value, np.concatenate([jacobian, slope], axis=1)

    def tests(self, u, jacobian, tangent):
        """Signed distances from special points, by kind."""
        found = _spectrum(self.jets.first(u[: self.n], u[self.n :])[1])
        tests = {"branch_point": border(self.equations(u)[1] * self.scale, tangent), "fold": tangent[-1]}
        if self.is_map:
            return tests | {"period_doubling": signed(found + 1.0), "neimark_sacker": signed(products(found) - 1.0)}
        return tests | {"hopf": signed(sums(found))}

    def arrived(self, u):
        """States that have grown are measured by another scale."""
        self.scale = grown(self.scale, u[: self.n])

    def inspect(self, u, tangent):
        """An equilibrium that runs to infinity is a reason to end."""
        return "unbounded" if abs(u[: self.n]).max() > self._farthest else None

    def orbit(self, u):
        """The iterates (q, n) of a periodic point; of a flow the equilibrium (1, n)."""
        x, rows = u[: self.n], []
        for _ in range(self.jets.period):
            rows.append(x)
            x = self._once.first(x, u[self.n :])[0]
        return np.array(rows)

    def eigenvalues(self, u):
        """Eigenvalues (n,) and stability."""
        values, stability = eigenvalues(self.jets.first(u[: self.n], u[self.n :])[1][None], self.jets.system.kind)
        return values[0], int(stability[0]) if np.isfinite(values).all() else STABLE["absent"]

    def is_special(self, u, kind):
        """Whether the eigenvalues there are those of the kind: a pair has to be complex."""
        return kind not in ("hopf", "neimark_sacker") or np.isfinite(self.frequency(u, kind))

    def frequency(self, u, kind):
        """The critical pair's frequency (rad per time unit, or per q iterates); NaN where there is none."""
        found = _spectrum(self.jets.first(u[: self.n], u[self.n :])[1])
        above = found[found.imag > 0]
        if kind not in ("hopf", "neimark_sacker") or not len(above):
            return np.nan
        off = abs(abs(above) - 1.0) if self.is_map else abs(above.real)
        critical = above[np.argmin(off)]
        turn = abs(np.angle(critical)) if self.is_map else critical.imag
        gaps = abs(products(found) - 1.0) if self.is_map else abs(sums(found))
        pair = abs(abs(critical) ** 2 - 1.0) if self.is_map else 2.0 * abs(critical.real)
        near = pair <= gaps.min() + _REAL * max(1.0, abs(critical))
        return float(turn) if near and turn > _REAL * (1.0 if self.is_map else abs(found).max()) else np.nan

    def coefficient(self, u, kind):
        """The coefficient of the normal form."""
        form = normal_forms.FORMS.get(kind)
        return form(self.jets, u[: self.n], u[self.n :]).coefficient if form else np.nan


def _spectrum(jacobian):
    if not np.isfinite(jacobian).all():
        return np.full(len(jacobian), np.nan + 0j)
    return np.linalg.eigvals(jacobian).astype(complex)


def sums(values):
    """Sums of two of the numbers."""
    one, other = np.triu_indices(len(values), 1)
    return values[one] + values[other]


def products(values):
    """Products of two of the numbers."""
    one, other = np.triu_indices(len(values), 1)
    return values[one] * values[other]


def signed(gaps):
    """The smallest modulus of some gaps, complex ones with their conjugates, signed as their product is."""
    if not len(gaps) or not np.isfinite(gaps).all():
        return np.nan
    sizes = abs(gaps)
    least = sizes.min()
    return 0.0 if least <= _NONE * sizes.max() else float(np.prod(np.sign(gaps.real)) * least)


def border(jacobian, tangent):
    """A number that vanishes just where the Jacobian (N, N + 1) bordered by the tangent is singular: a branch point."""
    matrix = np.concatenate([jacobian, tangent[None]])
    if not np.isfinite(matrix).all():
        return np.nan
    sign, _ = np.linalg.slogdet(matrix)
    if sign == 0.0:
        return 0.0
    probe = np.cos(np.arange(1.0, len(matrix) + 1.0) ** 2)  # in no special direction
    with np.errstate(all="ignore"):
        size = np.linalg.norm(np.linalg.solve(matrix, probe))
    return float(sign / size) if np.isfinite(size) else 0.0  # singular to rounding
