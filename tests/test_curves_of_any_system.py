"""Curves of bifurcations of all kinds of systems: points by another route, published ones, all curves there are."""

import math

import numpy as np
import pytest
from test_bifurcation_curves import _special

import lyapkit as lk
from lyapkit.flags import END
from lyapkit.systems import evaluate


def _gru():
    rng = np.random.default_rng(0)
    c, s = 6 * math.cos(0.8), 6 * math.sin(0.8)
    gates = {name: 0.5 * rng.standard_normal((2, 2)) for name in ("Wz", "Wr")}
    return lk.systems.gru_flow(**gates, Wh=[[c, -s], [s, c]], bz=0.1, br=0.2, bh=0.05, bn=0.0)


def _network(n):
    W = np.random.default_rng(0).standard_normal((n, n)) / math.sqrt(n)
    return lk.define_flow(lambda x, g, b: -x + np.tanh(g * (W @ x) + b), parameters={"g": 1.0, "b": 0.1}, dimension=n)


def _delayed_logistic():
    """x <- r x (1 - (1 - d) y - d x), y <- x: for d = 0 a Neimark-Sacker bifurcation at r = 2."""
    return lk.define_map(
        lambda x, r, d: (r * x[0] * (1 - (1 - d) * x[1] - d * x[0]), x[0]), parameters={"r": 1.8, "d": 0.0}, dimension=2
    )


@pytest.mark.parametrize(
    ("system", "kind", "bounds"),
    [
        (lk.systems.rossler(), "hopf", {"a": (0.05, 0.5), "c": (0.1, 6.0)}),
        (lk.systems.rossler(), "fold", {"a": (0.1, 1.0), "c": (0.1, 2.0)}),
        (lk.systems.stuart_landau(), "hopf", {"mu": (-1.0, 1.0), "omega": (0.5, 2.0)}),
        (_gru(), "hopf", {"br": (-3.0, 3.0), "bh": (-0.5, 0.5)}),
        (_network(3), "fold", {"g": (0.2, 6.0), "b": (-0.5, 0.5)}),
        (_network(6), "hopf", {"g": (0.2, 6.0), "b": (-0.5, 0.5)}),
        (lk.systems.henon(), "neimark_sacker", {"a": (-2.5, 3.0), "b": (-1.5, 1.5)}),
        (lk.systems.rotation_gru_map(), "neimark_sacker", {"alpha": (0.5, 4.0), "theta": (0.1, 3.0)}),
        (lk.systems.rotation_map(), "fold", {"alpha": (1.05, 4.0), "theta": (0.0, 1.5)}),
        (_delayed_logistic(), "neimark_sacker", {"r": (1.2, 2.6), "d": (-0.3, 0.3)}),
        (_delayed_logistic(), "period_doubling", {"r": (1.2, 6.0), "d": (0.3, 2.0)}),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "name", ""),
)
def test_every_point_is_what_it_is_called(system, kind, bounds):
    """Each point rests, and has an eigenvalue on the border, by routes that the continuation does not take."""
    names = tuple(bounds)
    ds = lk.bifurcation_curve(system, kind, names, bounds=bounds)
    assert ds.sizes["point"] > 2, "nothing was found"
    for i in range(0, ds.sizes["point"], max(1, ds.sizes["point"] // 25)):
        here = system.with_(**{name: float(ds[name][i]) for name in names})
        x = ds.state.values[i]
        image, jacobian = evaluate.value(here, x), evaluate.jacobian_matrix(here, x)
        rest = image if system.kind == "flow" else image - x
        assert abs(rest).max() < 1e-11 * (1 + abs(x).max())
        values = np.linalg.eigvals(jacobian)
        border = {"fold": float(system.kind == "map"), "period_doubling": -1.0}.get(kind)
        if border is not None:
            assert abs(values - border).min() < 1e-6  # the square root of rounding, where the eigenvalue is double
            assert abs(np.linalg.det(jacobian - border * np.eye(len(x)))) < 1e-9 * np.linalg.norm(jacobian) ** len(x)
        else:
            off = abs(abs(values) - 1.0) if system.kind == "map" else abs(values.real)
            one, other = values[np.argsort(off)[:2]]
            assert abs(one * other - 1.0 if system.kind == "map" else one + other) < 1e-10 * (1 + abs(values).max())
            height = abs(np.angle(one) if system.kind == "map" else one.imag)
            assert abs(height - float(ds.frequency[i])) < 1e-7


def test_catalytic_oxidation_of_matcont():
    """The model of CO oxidation of MatCont's tutorial (Dhooge et al. 2003), whose printed points have six digits."""

    def rule(x, q2, k):
        free = 1 - x[0] - x[1] - x[2]
        oxidised = 10 * x[0] * x[1]
        return (
            5 * free**2 - 2 * x[0] ** 2 - oxidised, q2 * free - 0.1 * x[1] - oxidised, 0.0675 * (free - k * x[2])
        )  # fmt: skip

    system = lk.define_flow(rule, parameters={"q2": 1.0, "k": 0.4}, dimension=3)
    bounds = {"q2": (0.3, 2.0), "k": (0.02, 2.5)}
    double = [[0.115909, 0.315467, 0.288437, 1.417628, 0.971397], [0.016337, 0.638410, 0.200456, 1.161199, 0.722339]]
    for kind, others in (("fold", {"cusp": [[0.035941, 0.352005, 0.451370, 1.006408, 0.355991]]}), ("hopf", {})):
        ds = lk.bifurcation_curve(system, kind, bounds=bounds)
        special = _special(ds)
        for name, points in ({"bogdanov_takens": double} | others).items():
            found = [[*ds.state.values[at], float(ds.q2[at]), float(ds.k[at])] for at in special[name]]
            order = np.argsort([one[3] for one in found])
            assert abs(np.array(found)[order] - np.array(sorted(points, key=lambda one: one[3]))).max() < 6e-7
        if kind == "hopf":
            assert END["double_zero"] in ds.end_reason and len(special["bautin"]) == 2
            assert {-1, 1} <= set(
                ds.criticality.values.tolist()
            )  # what is born is stable on one side of a Bautin point


def test_all_curves_within_the_bounds_are_found():
    """FitzHugh-Nagumo: Hopf points at x = +-sqrt(1 - a / 5) up to a = sqrt(5), curves that cross; a cusp at a = 1."""
    system = lk.define_flow(
        lambda x, b, a: (x[0] - x[0] ** 3 / 3 - x[1] + b, 0.2 * (x[0] + 0.5 - a * x[1])),
        parameters={"b": 0.3, "a": 0.8},
        dimension=2,
    )  # fmt: skip
    bounds = {"b": (-3.0, 3.0), "a": (0.0, 4.0)}
    ds = lk.bifurcation_curve(system, "hopf", bounds=bounds)
    assert ds.sizes["curve"] == 2
    x = ds.state.values[:, 0]
    assert abs(x**2 - 1 + ds.a / 5).max() < 1e-12 and ds.a.max() < math.sqrt(5) + 1e-9
    assert {np.sign(x[ds.curve_number == number]).sum() > 0 for number in (1, 2)} == {True, False}
    fold = lk.bifurcation_curve(system, "fold", bounds=bounds)
    special = _special(fold)
    assert len(special["bogdanov_takens"]) == 2
    (cusp,) = special["cusp"]
    assert abs(fold.a[cusp] - 1.0) < 1e-9 and abs(fold.b[cusp] - 0.5) < 1e-9
