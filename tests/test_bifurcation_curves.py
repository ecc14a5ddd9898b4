"""Curves of bifurcations against closed forms, textbook normal forms and published points."""

import json
import math
import pathlib

import numpy as np
import pytest

import lyapkit as lk
from lyapkit.flags import CODIMENSION_TWO, CRITICALITY, END

PLANE = {"alpha": (0.5, 4.0), "theta": (0.0, math.pi / 2)}
REFERENCE = json.loads((pathlib.Path(__file__).parent / "reference_values.json").read_text())


def _special(ds):
    """name -> list of positions of the points of codimension two."""
    names = {code: name for name, code in CODIMENSION_TWO.items()}
    found = {}
    for i in np.flatnonzero(ds.codimension_two.values):
        found.setdefault(names[int(ds.codimension_two[i])], []).append(i)
    return found


def test_hopf_curve_of_the_plane():
    ds = lk.bifurcation_curve(lk.systems.rotation_flow, "hopf", bounds=PLANE)
    alpha, theta = ds.alpha.values, ds.theta.values
    assert abs(alpha * np.cos(theta) - 1.0).max() < 1e-12
    assert np.allclose(ds.frequency, np.tan(theta), rtol=1e-12, atol=1e-15)
    inner = theta > 0.01  # at the double zero there is no coefficient
    assert np.allclose(ds.normal_form_coefficient[inner], -0.5 / np.cos(theta[inner]) ** 2, rtol=1e-11)
    kuznetsov = lk.convert_coefficient(
        ds.normal_form_coefficient.values[inner], "hopf", frequency=ds.frequency.values[inner], wanted="kuznetsov"
    )
    assert np.allclose(kuznetsov, -1.0 / np.sin(2 * theta[inner]), rtol=1e-11)
    assert (ds.criticality[inner] == CRITICALITY["supercritical"]).all()
    assert sorted(ds.end_reason.values.ravel()) == [END["bound"], END["double_zero"]]
    assert {theta[0], alpha[-1]} == {0.0, 4.0} or {theta[-1], alpha[0]} == {0.0, 4.0}  # exactly on the bounds
    (at,) = _special(ds)["bogdanov_takens"]  # the double zero of alpha = 1, theta = 0
    assert abs(alpha[at] - 1.0) < 1e-12 and theta[at] == 0.0 and ds.degenerate[at] == 1


def test_hopf_curves_end_at_the_double_zero_of_the_plane():
    """Where the pair stops turning: one curve on either side, the frequency changes its sign there."""
    ds = lk.bifurcation_curve(lk.systems.rotation_flow, "hopf", bounds={"alpha": (0.5, 2.0), "theta": (-1.5, 1.5)})
    assert ds.sizes["curve"] == 2 and ds.theta.min() < -1.0 and ds.theta.max() > 1.0
    ends = _special(ds)["bogdanov_takens"]
    assert len(ends) == 2 and abs(ds.theta[ends]).max() < 1e-8 and (ds.degenerate[ends] == 1).all()
    for number in (1, 2):
        ends = ds.end_reason.sel(curve=number).values
        assert sorted(ends) == [END["bound"], END["double_zero"]]
        theta = ds.theta.values[ds.curve_number == number]
        assert theta.min() > -1e-8 or theta.max() < 1e-8


def test_tests_that_vanish_all_along_are_no_special_points():
    """Of conservative maps: Henon's with b = -1 has multipliers of modulus 1 throughout, and no coefficient."""
    ds = lk.bifurcation_curve(lk.systems.henon, "neimark_sacker", bounds={"a": (-1, 4), "b": (-1.2, -0.5)})
    assert "chenciner" not in _special(ds)
    plain = ds.codimension_two.values == 0
    assert (ds.degenerate.values[plain] == 1).all() and (ds.criticality.values[plain] == 0).all()


def test_folds_of_the_plane_are_the_snic_curve():
    ds = lk.bifurcation_curve(lk.systems.rotation_flow, "fold", bounds={"alpha": (1.005, 6.0), "theta": (0.0, 1.0)})
    assert ds.sizes["curve"] == 1  # eight folds, of one and the same place
    checked = 0
    for entry in REFERENCE["theta_SN"]:
        alpha, wanted = entry["api"]["arguments"]["alpha"], entry["value"]
        if not 1.005 < alpha < 6.0:
            continue
        start = {"alpha": alpha, "theta": wanted, "state": _state_on(ds, alpha)}
        narrow = {"alpha": (alpha, alpha + 0.1), "theta": (0.0, 1.0)}
        own = lk.bifurcation_curve(lk.systems.rotation_flow, "fold", start=start, bounds=narrow)
        at = int(np.argmin(abs(own.alpha.values - alpha)))
        assert abs(own.alpha[at] - alpha) == 0.0 and abs(own.theta[at] - wanted) < 1e-13
        checked += 1
    assert checked == 6


def _state_on(ds, alpha):
    return ds.state.values[np.argmin(abs(ds.alpha.values - alpha))]


def test_neimark_sacker_curve_and_strong_resonances_of_the_map():
    bounds = {"alpha": (0.5, 2.0), "theta": (-0.2, 3.4)}
    ds = lk.bifurcation_curve(lk.systems.rotation_map, "neimark_sacker", bounds=bounds)
    assert abs(ds.alpha - 1.0).max() < 1e-13
    special = _special(ds)
    places = {name: float(ds.theta[at[0]]) for name, at in special.items()}
    wanted = {"resonance_1_1": 0.0, "resonance_1_4": math.pi / 2, "resonance_1_3": 2 * math.pi / 3,
              "resonance_1_2": math.pi}  # fmt: skip
    assert places.keys() == wanted.keys()
    assert all(abs(places[name] - wanted[name]) < 1e-9 for name in wanted)
    degenerate = {name: int(ds.degenerate[at[0]]) for name, at in special.items()}
    # the quadratic coefficient of 1:3 vanishes as f is odd; at 1:1 and 1:2 the block is 1 and -1
    assert degenerate == {"resonance_1_1": 1, "resonance_1_2": 1, "resonance_1_3": 1, "resonance_1_4": 0}
    angle = np.arccos(np.cos(ds.theta.values))
    assert np.allclose(ds.frequency, angle, atol=1e-9)
    strong = np.isin(np.arange(ds.sizes["point"]), np.concatenate(list(special.values())))
    assert np.allclose(ds.normal_form_coefficient[~strong], -0.5, rtol=1e-9)


@pytest.mark.parametrize("h", [0.1, 0.5, 0.9])
def test_neimark_sacker_curve_of_euler_steps(h):
    from lyapkit.systems.models.rotation_euler import neimark_sacker_gain

    bounds = {"alpha": (0.5, 4.0), "theta": (0.05, 1.5)}
    ds = lk.bifurcation_curve(lk.systems.rotation_euler(h=h), "neimark_sacker", bounds=bounds)
    assert abs(ds.alpha.values - neimark_sacker_gain(ds.theta.values, h)).max() < 1e-12
    assert (ds.criticality == CRITICALITY["supercritical"]).all()


def test_neimark_sacker_curve_of_the_literal_map():
    bounds = {"alpha": (0.2, 1.9), "theta": (1.6, 3.1)}
    ds = lk.bifurcation_curve(lk.systems.rotation_literal_map, "neimark_sacker", bounds=bounds)
    alpha, theta = ds.alpha.values, ds.theta.values
    assert abs(alpha + 2 * np.cos(theta)).max() < 1e-12
    assert np.allclose(ds.frequency, 2 * theta - math.pi, atol=1e-9)
    free = ds.codimension_two.values == 0
    # r -> r + a r^3 with a = -alpha^4 / 8 for r = |x| is twice that for the unit eigenvector
    assert np.allclose(ds.normal_form_coefficient[free], -(alpha[free] ** 4) / 4, rtol=1e-8)


def test_bogdanov_takens_normal_form():
    system = lk.define_flow(
        lambda x, b1, b2: (x[1], b1 + b2 * x[0] + x[0] ** 2 - x[0] * x[1]),
        parameters={"b1": -0.1, "b2": -0.5},
        dimension=2,
    )
    bounds = {"b1": (-1, 1), "b2": (-1, 1)}
    fold = lk.bifurcation_curve(system, "fold", bounds=bounds)
    assert abs(fold.b1 - fold.b2**2 / 4).max() < 1e-12
    (at,) = _special(fold)["bogdanov_takens"]
    assert abs(fold.b1[at]) < 1e-12 and abs(fold.b2[at]) < 1e-9 and fold.degenerate[at] == 0
    hopf = lk.bifurcation_curve(system, "hopf", bounds=bounds)
    assert abs(hopf.b1).max() < 1e-12 and (hopf.b2 <= 1e-9).all()  # the half with a complex pair
    assert END["double_zero"] in hopf.end_reason
    (at,) = _special(hopf)["bogdanov_takens"]
    assert abs(hopf.b2[at]) < 1e-9 and hopf.degenerate[at] == 0


def test_bautin_normal_form():
    def rule(x, b1, b2):
        r = x[0] ** 2 + x[1] ** 2
        return b1 * x[0] - x[1] + b2 * x[0] * r - x[0] * r * r, x[0] + b1 * x[1] + b2 * x[1] * r - x[1] * r * r

    system = lk.define_flow(rule, parameters={"b1": 0.0, "b2": 0.3}, dimension=2)
    ds = lk.bifurcation_curve(system, "hopf", start=[0.0, 0.0], bounds={"b1": (-1, 1), "b2": (-1, 1)})
    assert abs(ds.b1).max() < 1e-13 and np.allclose(ds.frequency, 1.0, rtol=1e-13)
    assert np.allclose(ds.normal_form_coefficient, 2 * ds.b2, rtol=1e-10, atol=1e-13)  # r = sqrt(2) |z| for |q| = 1
    (at,) = _special(ds)["bautin"]
    assert abs(ds.b2[at]) < 1e-10


def test_cusp_normal_form():
    system = lk.define_flow(lambda x, p, q: (p + q * x[0] - x[0] ** 3,), parameters={"p": 0.0, "q": 1.0}, dimension=1)
    ds = lk.bifurcation_curve(system, "fold", bounds={"p": (-1, 1), "q": (-1, 1)})
    assert ds.sizes["curve"] == 1
    assert abs(4 * ds.q**3 - 27 * ds.p**2).max() < 1e-12
    (at,) = _special(ds)["cusp"]
    assert abs(ds.p[at]) < 1e-9 and abs(ds.q[at]) < 1e-9 and ds.degenerate[at] == 0


def test_henon_curves():
    bounds = {"a": (-0.6, 2.0), "b": (-0.9, 0.9)}
    doubling = lk.bifurcation_curve(lk.systems.henon(), "period_doubling", bounds=bounds)
    assert abs(doubling.a - 0.75 * (1 - doubling.b) ** 2).max() < 1e-12
    fold = lk.bifurcation_curve(lk.systems.henon(), "fold", bounds=bounds)
    assert abs(fold.a + 0.25 * (1 - fold.b) ** 2).max() < 1e-12
    again = lk.bifurcation_curve(
        lk.systems.henon(),
        "period_doubling",
        start={"a": 0.3, "b": 0.3, "state": [0.9, 0.25]},
        bounds={"a": (0, 1), "b": (0.3, 0.5)},
    )
    at = int(np.argmin(again.b.values))
    assert float(again.b[at]) == 0.3 and abs(float(again.a[at]) - 0.3675) < 1e-13


def test_curves_of_periodic_points():
    """The 2-cycle of the Henon map doubles at a = (1 - b)^2 + (1 + b)^2 / 4."""
    system = lk.systems.henon(a=0.8, b=0.3)
    cycle = lk.limit_cycle(system)
    assert int(cycle.period) == 2
    ds = lk.bifurcation_curve(
        system, "period_doubling", start=cycle.state.values[0], period=2, bounds={"a": (0.5, 1.5), "b": (0.0, 0.5)}
    )
    a, b = ds.a.values, ds.b.values
    assert abs(a - ((1 - b) ** 2 + (1 + b) ** 2 / 4)).max() < 1e-11


def test_lorenz_hopf_curve():
    bounds = {"rho": (1.5, 60.0), "sigma": (4.0, 20.0)}
    ds = lk.bifurcation_curve(lk.systems.lorenz63(), "hopf", ("rho", "sigma"), bounds=bounds)
    rho, sigma, beta = ds.rho.values, ds.sigma.values, 8 / 3
    assert abs(rho - sigma * (sigma + beta + 3) / (sigma - beta - 1)).max() < 1e-9
    assert np.allclose(ds.frequency**2, beta * (sigma + rho), rtol=1e-11)
    assert (ds.criticality == CRITICALITY["subcritical"]).all()


def test_adaptive_control_of_matcont():
    """x' = y, y' = z, z' = -alpha z - beta y - x + x^2: Hopf where alpha beta = 1; MatCont prints l1 = -0.3 at 1, 1."""
    system = lk.symbolic_flow(
        {"x": "y", "y": "z", "z": "-alpha*z - beta*y - x + x**2"}, parameters={"alpha": 1.0, "beta": 1.2}
    )
    ds = lk.bifurcation_curve(system, "hopf", start=[0.0, 0.0, 0.0], bounds={"alpha": (1.0, 3.0), "beta": (0.1, 2.0)})
    assert abs(ds.alpha * ds.beta - 1.0).max() < 1e-12
    at = int(np.argmin(ds.alpha.values))
    assert ds.alpha[at] == 1.0 and abs(ds.beta[at] - 1.0) < 1e-13 and abs(ds.frequency[at] - 1.0) < 1e-13
    l1 = lk.convert_coefficient(
        float(ds.normal_form_coefficient[at]), "hopf", frequency=float(ds.frequency[at]), wanted="matcont"
    )
    assert abs(l1 + 0.3) < 1e-12


def test_a_gru_with_gates_on():
    rng = np.random.default_rng(4)
    gates = {name: 0.4 * rng.standard_normal((2, 2)) for name in ("Wz", "Wr")}

    def rule(x, alpha, theta):
        z = 1 / (1 + np.exp(-(gates["Wz"] @ x)))
        r = 1 / (1 + np.exp(-(gates["Wr"] @ x)))
        c, s = alpha * np.cos(theta), alpha * np.sin(theta)
        n = np.tanh(np.array([r[0] * (c * x[0] - s * x[1]), r[1] * (s * x[0] + c * x[1])]))
        return [(1 - z[0]) * (n[0] - x[0]), (1 - z[1]) * (n[1] - x[1])]

    system = lk.define_flow(rule, parameters={"alpha": 3.0, "theta": 0.8}, dimension=2)
    ds = lk.bifurcation_curve(system, "hopf", start=[0.0, 0.0], bounds={"alpha": (1.0, 8.0), "theta": (0.1, 1.3)})
    assert abs(0.5 * ds.alpha * np.cos(ds.theta) - 1.0).max() < 1e-12  # half the gain at the origin, half the speed
    assert np.allclose(ds.frequency, 0.5 * np.tan(ds.theta), rtol=1e-11)
    other = (ds.state.values**2).sum(axis=1)
    assert other.max() < 1e-20


def test_points_do_not_depend_on_where_the_curve_was_begun():
    system = lk.systems.brusselator()
    bounds = {"A": (0.3, 2.0), "B": (0.5, 6.0)}
    for start in ({"A": 1.0, "B": 1.9, "state": [1.0, 1.9]}, {"A": 1.5, "B": 5.0, "state": [1.5, 3.3]}, None):
        ds = lk.bifurcation_curve(system, "hopf", ("A", "B"), start=start, bounds=bounds)
        assert abs(ds.B - 1 - ds.A**2).max() < 1e-12 and np.allclose(ds.frequency, ds.A, rtol=1e-11)
        assert (min(ds.A), max(ds.A)) == (0.3, 2.0)


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"kind": "neimark_sacker"}, "kind: given 'neimark_sacker'.*maps.*accepted: hopf, fold"),
        ({"kind": "hof"}, "kind: given 'hof'"),
        ({"kind": "hopf", "parameters": ("alpha", "beta")}, "'beta' is unknown"),
        ({"kind": "hopf", "parameters": ("alpha", "alpha")}, "two different names"),
        ({"kind": "hopf", "bounds": {"alpha": (3, 1)}}, "low below high"),
        ({"kind": "hopf", "bounds": {"gain": (1, 3)}}, "bounds: given 'gain'"),
        ({"kind": "hopf", "start": [0.0]}, r"start: given a state of shape \(1,\)"),
        ({"kind": "hopf", "start": {"alpha": 9.0}}, "within its bounds"),
        ({"kind": "hopf", "start": [math.nan, 0.0]}, "finite"),
        ({"kind": "hopf", "max_step": 0}, "max_step"),
        ({"kind": "hopf", "period": 2}, "period"),
    ],
)
def test_misuse_is_refused(keywords, words):
    with pytest.raises(ValueError, match=words):
        lk.bifurcation_curve(lk.systems.rotation_flow, **keywords)


def test_a_start_far_from_any_equilibrium_is_refused_with_its_residual():
    system = lk.define_flow(lambda x, a, b: (a + x[0] ** 2 + b**2,), parameters={"a": 1.0, "b": 0.5}, dimension=1)
    with pytest.raises(ValueError, match="residual"):
        lk.bifurcation_curve(system, "fold", start=[3.0], bounds={"a": (0.5, 2), "b": (0.1, 1)})


def test_nothing_to_find_is_a_status():
    system = lk.define_flow(lambda x, a, b: (a - b * x[0],), parameters={"a": 1.0, "b": 0.5}, dimension=1)
    ds = lk.bifurcation_curve(system, "fold", bounds={"a": (0.5, 2), "b": (0.1, 1)})
    assert ds.sizes["point"] == 0 and ds.status.flag_meanings.split()[int(ds.status) + 1] == "no_bifurcation"
