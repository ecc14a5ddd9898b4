"""Defining equations of bifurcation points in two parameters, for `pseudo_arclength`: unknowns are state, parameters.

To the equations of an equilibrium (f = 0; maps: f^q(x) - x = 0) comes one equation g = 0. Where a real eigenvalue
crosses the border (fold, period doubling), g is the last entry of the solution of a bordered system, which vanishes
just where A = J - border is singular and is smooth also where the eigenvalue is double (Govaerts, Numerical Methods for
Bifurcations of Dynamical Equilibria (2000), ch. 3). Where a pair crosses (Hopf, Neimark-Sacker), g is the trace of
the pair's block, or its determinant less 1. All gradients come from exact second derivatives.
"""

import itertools

import numpy as np

from lyapkit.analyses.bifurcations import normal_forms
from lyapkit.analyses.bifurcations.critical_pairs import critical_pair

KINDS = {"flow": ("hopf", "fold"), "map": ("neimark_sacker", "fold", "period_doubling")}


_GROWN = 1.5  # states that much larger are measured by another scale


def extent(x):
    """The unit in which changes of a state are measured: its size, at least 1, times the root of its length."""
    return max(1.0, abs(x).max()) * np.sqrt(len(x))


def grown(scale, x):
    """The scale (state first), another one where the state has grown out of it."""
    size = extent(x)
    if size <= _GROWN * scale[0]:
        return scale
    return np.concatenate([np.full(len(x), size), scale[len(x) :]])


class _Curve:
    """What all kinds share: an equilibrium in two parameters, and the bounds of these."""

    def __init__(self, jets, bounds, kind, x):
        self.jets, self.n, self.is_map, self.kind = jets, jets.n, jets.system.kind == "map", kind
        self._forms = {}
        n = self.n
        self.bounds = [(n + i, low, high) for i, (low, high) in enumerate(bounds)]
        widths = [high - low for low, high in bounds]
        self.scale = np.array([extent(x)] * n + widths)

    def split(self, u):
        """State and parameters."""
        return u[: self.n], u[self.n :]

    def first(self, u):
        """Value, D_x and D_p of f (maps: of f^q) at u."""
        return self.jets.first(*self.split(u))

    def equations(self, u):
        value, jacobian, slopes = self.first(u)
        residual, matrix = np.empty(self.n + 1), np.empty((self.n + 1, self.n + 2))
        residual[:-1] = value - u[: self.n] if self.is_map else value
        matrix[:-1, : self.n] = jacobian - np.eye(self.n) if self.is_map else jacobian
        matrix[:-1, self.n :] = slopes
        if not (np.isfinite(residual[:-1]).all() and np.isfinite(matrix[:-1]).all()):
            return np.full_like(residual, np.nan), matrix
        residual[-1], matrix[-1] = self.condition(u, jacobian)
        return residual, matrix

    def inspect(self, u, tangent):
        return None

    def normal_form(self, u):
        """Coefficients of the normal form there (see `normal_forms`)."""
        key = u.tobytes()
        if key not in self._forms:
            self._forms[key] = normal_forms.FORMS[self.kind](self.jets, *self.split(u))
        return self._forms[key]

    def frequency(self, u):
        """The angular frequency of what branches off; NaN where no pair is critical."""
        return np.nan

    def _slopes(self, u, columns):
        """D^2 f [columns_i, e_j] (k, n + 2, n): how J times columns (k, n) changes with every unknown."""
        unknowns = self.n + 2
        directions = np.zeros((len(columns), unknowns))
        directions[:, : self.n] = columns
        every = np.tile(np.eye(unknowns), (len(columns), 1))
        result = self.jets.second(*self.split(u), np.repeat(directions, unknowns, axis=0), every)
        return result.reshape(len(columns), unknowns, self.n)


class RealCurve(_Curve):
    """Points at which a real eigenvalue is `border`: 0 (fold of a flow), 1 (fold of a map), -1 (period doubling)."""

    def __init__(self, jets, bounds, kind, x, p):
        super().__init__(jets, bounds, kind, x)
        self.border = -1.0 if kind == "period_doubling" else 1.0 if self.is_map else 0.0
        jacobian = jets.first(x, p)[1]
        left, _, right = np.linalg.svd(jacobian - self.border * np.eye(self.n))
        self._right, self._left = right[-1], left[:, -1]

    def vectors(self, u, jacobian=None):
        """(g, right v, left w): null vectors where g vanishes."""
        jacobian = self.first(u)[1] if jacobian is None else jacobian
        matrix = np.zeros((self.n + 1, self.n + 1))
        matrix[:-1, :-1] = jacobian - self.border * np.eye(self.n)
        matrix[:-1, -1], matrix[-1, :-1] = self._left, self._right
        last = np.append(np.zeros(self.n), 1.0)
        try:
            return np.linalg.solve(matrix, last)[-1], *(np.linalg.solve(m, last)[:-1] for m in (matrix, matrix.T))
        except np.linalg.LinAlgError:
            return np.nan, np.full(self.n, np.nan), np.full(self.n, np.nan)

    def condition(self, u, jacobian):
        """g and its gradient (n + 2,)."""
        g, right, left = self.vectors(u, jacobian)
        return g, -(self._slopes(u, right[None])[0] @ left)

    def arrived(self, u):
        self.scale = grown(self.scale, u[: self.n])
        _, right, left = self.vectors(u)
        self._right, self._left = right / np.linalg.norm(right), left / np.linalg.norm(left)

    def tests(self, u, jacobian, tangent):
        """Test functions of codimension two; see `codimension_two`."""
        matrix = self.first(u)[1]
        _, right, left = self.vectors(u, matrix)
        right, left = right / np.linalg.norm(right), left / np.linalg.norm(left)
        values = np.linalg.eigvals(matrix)
        others = np.delete(values, np.argmin(abs(values - self.border)))
        tests = {"coefficient": self._coefficient(u, right, left), "double": left @ right}
        return tests | crossings(others, self.is_map)

    def _coefficient(self, u, right, left):
        """What vanishes at a cusp (fold) or a generalised period doubling, smooth also where <w, v> vanishes."""
        if self.kind == "period_doubling":
            return self.normal_form(u).coefficient
        direction = np.concatenate([right, np.zeros(2)])[None]
        return self.jets.second(*self.split(u), direction, direction)[0] @ left


class PairCurve(_Curve):
    """Points at which a pair of eigenvalues is on the border: Hopf (flows), Neimark-Sacker (maps)."""

    def __init__(self, jets, bounds, kind, x, p):
        super().__init__(jets, bounds, kind, x)
        self._plane = None

    def _gap(self, a, b):
        return abs(a * b - 1.0) if self.is_map else abs(a + b)

    def pair(self, u, jacobian=None):
        """The pair of eigenvalues that the curve follows, None where none is complex."""
        return critical_pair(self.first(u)[1] if jacobian is None else jacobian, self._gap, self._plane)

    def condition(self, u, jacobian):
        """g and its gradient (n + 2,)."""
        pair = self.pair(u, jacobian)
        if pair is None:
            return np.nan, np.full(self.n + 2, np.nan)
        turned = np.einsum("kjn,ni->jik", self._slopes(u, pair.right.T), pair.left)  # Y' dJ X for every unknown
        if not self.is_map:
            return np.trace(pair.block), np.trace(turned, axis1=1, axis2=2)
        (a, b), (c, d) = pair.block
        adjugate = np.array([[d, -b], [-c, a]])
        return pair.determinant - 1.0, np.einsum("ki,jik->j", adjugate, turned)

    def arrived(self, u):
        self.scale = grown(self.scale, u[: self.n])
        self._plane = self.pair(u).right

    def frequency(self, u):
        pair = self.pair(u)
        height = np.sqrt(max(pair.discriminant, 0.0))
        return float(np.arctan2(height, 0.5 * np.trace(pair.block))) if self.is_map else height

    def inspect(self, u, tangent):
        pair = self.pair(u)
        return None if pair is not None and pair.discriminant >= 0.0 else "double_zero"

    def tests(self, u, jacobian, tangent):
        """Test functions of codimension two; see `codimension_two`."""
        pair = self.pair(u)
        tests = {"coefficient": self.normal_form(u).coefficient, "turn": pair.turn}
        if self.is_map:
            trace = np.trace(pair.block)
            tests |= {"one": trace - 2.0, "two": trace + 2.0, "three": trace + 1.0, "four": trace}
        else:
            tests |= {"double": pair.determinant}
        return tests | crossings(pair.others, self.is_map)


def crossings(others, is_map):
    """Tests whose zeros are crossings of the border by other eigenvalues (m,): real ones, and pairs."""
    tests = {"real": _signed([value.real - is_map for value in others if value.imag == 0.0])}
    if is_map:
        tests["minus"] = _signed([value.real + 1.0 for value in others if value.imag == 0.0])
    gaps = [
        (a * b).real - 1.0 if is_map else (a + b).real
        for a, b in itertools.combinations(others, 2) if a.imag == -b.imag != 0.0
    ]  # fmt: skip
    return tests | {"pair": _signed(gaps)}


def _signed(gaps):
    """The smallest of some numbers with the sign of their product; NaN where there are none."""
    if not gaps:
        return np.nan
    gaps = np.array(gaps)
    return float(np.prod(np.sign(gaps)) * abs(gaps).min())


def problem_of(kind, jets, bounds, x, p):
    """The equations of the curves of one kind, near a point (state, parameters) that may lie on one."""
    cls = PairCurve if kind in ("hopf", "neimark_sacker") else RealCurve
    return cls(jets, bounds, kind, x, p)
