"""Branches of equilibria of flows, and of periodic points of maps, in one parameter."""

import dataclasses

import numpy as np

from lyapkit.analyses import normal_forms
from lyapkit.analyses.curve_problems import crossings, extent, grown
from lyapkit.analyses.jets import Jets
from lyapkit.analyses.stability import eigenvalues

_NULL = 1e-6  # singular values this small, relative to the largest, belong to a branch point
_PARALLEL = 1e-3  # sine of the angle to the branch itself, from which another one is told apart


@dataclasses.dataclass(frozen=True)
class Start:
    """Where a branch begins: its problem (see `pseudo_arclength`), a point and a tangent; in both senses or in one."""

    problem: object
    u: np.ndarray
    tangent: np.ndarray
    both: bool


class EquilibriumProblem:
    """f(x, p) = 0, of a map f^period(x, p) - x = 0, for `pseudo_arclength`; unknowns are x and the parameter p."""

    kind = "equilibrium"

    def __init__(self, system, parameter, bounds, x, period=1):
        self.system, self.parameter, self.limits, self.period = system, parameter, bounds, period
        self.jets, self.n, self.is_map = Jets(system, (parameter,), period), system.dimension, system.kind == "map"
        self.bounds = [(self.n, *bounds)]
        self.scale = np.append(np.full(self.n, extent(x)), bounds[1] - bounds[0])

    def split(self, u):
        """State and parameter (1,)."""
        return u[: self.n], u[self.n :]

    def equations(self, u):
        value, jacobian, slopes = self.jets.first(*self.split(u))
        if self.is_map:
            value, jacobian = value - u[: self.n], jacobian - np.eye(self.n)
        return value, np.concatenate([jacobian, slopes], axis=1)

    def arrived(self, u):
        self.scale = grown(self.scale, u[: self.n])

    def inspect(self, u, tangent):
        return None

    def tests(self, u, jacobian, tangent):
        """Tests of the special points, see `special_kind`."""
        values = np.linalg.eigvals(self.jets.first(*self.split(u))[1])
        passing = crossings(values, self.is_map)
        real = values.real[values.imag == 0.0] - self.is_map
        whole = np.concatenate([jacobian * self.scale, tangent[None]])
        least = np.linalg.svd(whole, compute_uv=False)[-1]
        tests = {
            "fold": tangent[-1],
            "branch_point": np.linalg.slogdet(whole)[0] * least,
            "real": real[np.argmin(abs(real))] if len(real) else np.nan,
            "pair": passing["pair"],
        }
        return tests | ({"minus": passing["minus"]} if self.is_map else {})

    def special_kind(self, point):
        """The kind of special point: a key of results.SPECIAL, None where there is nothing to tell."""
        if "branch_point" in point.special:
            return "branch_point"
        if "fold" in point.special:
            return "fold"
        if "pair" in point.special:
            return "neimark_sacker" if self.is_map else "hopf"
        if "minus" in point.special:
            return "period_doubling"
        return "branch_point" if "real" in point.special else None  # of several eigenvalues at once

    def measured(self, point):
        """What a result says of a point of the branch, besides its parameter."""
        x, p = self.split(point.u)
        values, stable = eigenvalues(self.jets.first(x, p)[1][None], self.system.kind)
        return {
            "state": x, "lowest": x, "highest": x, "eigenvalue": values[0], "stable": stable[0],
            "period": float(self.period) if self.is_map else np.nan,
        }  # fmt: skip

    def described(self, point):
        """What a result says of a special point, besides its kind."""
        x, p = self.split(point.u)
        kind = self.special_kind(point)
        form = normal_forms.FORMS[kind](self.jets, x, p) if kind != "branch_point" else normal_forms.NormalForm()
        period = float(self.period) if self.is_map else 2 * np.pi / form.frequency if form.frequency else np.nan
        frequency = np.nan if kind in ("fold", "period_doubling") else form.frequency
        return {"state": x, "frequency": frequency, "coefficient": form.coefficient, "period": period}

    def switches(self, point):
        """The branches of equilibria (maps: also of twice the period) that begin at a special point."""
        kind = self.special_kind(point)
        if kind == "branch_point":
            tangent = self._other_tangent(point)
            return [] if tangent is None else [Start(self._alike(self.period), point.u, tangent, True)]
        if kind == "period_doubling":
            x, p = self.split(point.u)
            jacobian = self.jets.first(x, p)[1]
            vector = np.linalg.svd(jacobian + np.eye(self.n))[2][-1]
            return [Start(self._alike(2 * self.period), point.u, np.append(vector, 0.0), False)]
        return []

    def _alike(self, period):
        problem = EquilibriumProblem(self.system, self.parameter, self.limits, np.zeros(1), period)
        problem.scale = self.scale
        return problem

    def _other_tangent(self, point):
        """The tangent of the other branch, from the algebraic branching equation; None where there are more of them.

        On tangents a phi_1 + b phi_2 in the null space, psi . D^2 F [tangent, tangent] = 0 (Keller 1977).
        """
        jacobian = self.equations(point.u)[1] * self.scale
        left, sizes, right = np.linalg.svd(jacobian)
        if (sizes <= _NULL * sizes[0]).sum() != 1:
            return None
        null, psi = right[-2:], left[:, -1]
        directions = null * self.scale
        first, second = directions[[0, 0, 1]], directions[[0, 1, 1]]
        a, b, c = self.jets.second(*self.split(point.u), first, second) @ psi
        root = np.sqrt(max(b * b - a * c, 0.0))
        pairs = [(-b + root, a), (-b - root, a), (c, -b + root), (c, -b - root)]
        tangents = [s * null[0] + t * null[1] for s, t in pairs if s or t]
        tangents = [t / np.linalg.norm(t) for t in tangents]
        away = [1.0 - (t @ point.tangent) ** 2 for t in tangents]
        best = int(np.argmax(away)) if away else 0
        return tangents[best] if away and away[best] > _PARALLEL**2 else None
