"""Branches of equilibria and cycles against closed forms, the cycles of limit_cycle, and values of other programs."""

import json
import pathlib

import numpy as np
import pytest

import lyapkit as lk
from lyapkit.analyses.cycles.period_law import fitted
from lyapkit.flags import BRANCH_KIND, END, PERIOD_LAW, SPECIAL_KIND

HERE = pathlib.Path(__file__).resolve().parent
AUTO = json.loads((HERE.parent / "benchmarks/auto07p/values.json").read_text())["cycles"]
LOCATED = 1e-10


def special(ds, kind, branch=None):
    """The special points of a kind, as a Dataset."""
    chosen = ds.special_kind.values == SPECIAL_KIND[kind]
    if branch is not None:
        chosen &= ds.special_branch.values == branch
    return ds.isel(special=np.flatnonzero(chosen))


def on(ds, number):
    """The points of one branch."""
    return ds.isel(point=np.flatnonzero(ds.branch_number.values == number))


def run(*arguments, **keywords):
    return lk.continuation(*arguments, progress=False, **keywords)


@pytest.fixture(scope="module")
def lorenz():
    return run(lk.systems.lorenz63(rho=0.5), "rho", (0.0, 30.0), switch=True, longest_period=650)


def test_lorenz_pitchfork_and_hopf_points(lorenz):
    assert abs(special(lorenz, "branch_point").special_rho.values - 1.0).max() < LOCATED
    hopf = special(lorenz, "hopf")
    assert abs(hopf.special_rho.values - 470 / 19).max() < LOCATED
    assert hopf.sizes["special"] == 2
    b = 8 / 3
    assert abs(hopf.special_frequency.values - np.sqrt(b * (470 / 19 + 10))).max() < LOCATED
    assert (hopf.special_coefficient > 0).all()


def test_lorenz_equilibria_are_those_of_the_formula(lorenz):
    wings = on(lorenz, 2)
    rho = wings.rho.values
    assert abs(wings.state.values[:, 2] - (rho - 1)).max() < 1e-9
    assert abs(wings.state.values[:, 0] ** 2 - 8 / 3 * (rho - 1)).max() < 1e-8
    assert lorenz.parent.values.tolist() == [0, 1, 2, 2]


def test_lorenz_cycles_are_unstable_and_end_at_the_homoclinic_orbit(lorenz):
    # 13.92655741: Sparrow, The Lorenz Equations (1982), to the digits of later computations; the rate is beta
    cycles = np.flatnonzero(lorenz.branch_kind.values == BRANCH_KIND["cycle"])
    assert len(cycles) == 2
    for i in cycles:
        assert lorenz.end_reason.values[i].tolist() == [END["other_branch"], END["period_diverges"]]
        assert lorenz.period_law.values[i, 1] == PERIOD_LAW["homoclinic"]
        assert abs(lorenz.period_law_parameter.values[i, 1] - 13.92655741) < 1e-7
        assert abs(lorenz.period_law_rate.values[i, 1] - 8 / 3) < 1e-4
        assert (on(lorenz, i + 1).stable.values[1:] == -1).all()


@pytest.mark.parametrize("A", [1.0, 1.7])
def test_brusselator_hopf_point(A):
    ds = run(lk.systems.brusselator(A=A, B=0.5 + A * A), "B", (0.5, 3 + A * A), switch="hopf")
    hopf = special(ds, "hopf")
    assert abs(float(hopf.special_B[0]) - 1 - A * A) < LOCATED
    assert abs(float(hopf.special_frequency[0]) - A) < LOCATED
    first = on(ds, 2)
    assert abs(float(first.period[0]) - 2 * np.pi / A) < 1e-9
    assert float(ds.B[0]) == 0.5 and float(on(ds, 2).B[-1]) == 3 + A * A  # exactly on the bounds


def test_cycles_of_stuart_landau_in_closed_form():
    ds = run(lk.systems.stuart_landau(mu=-0.5, omega=2.0, c=0.5), "mu", (-1.0, 2.0), switch=True)
    assert abs(float(special(ds, "hopf").special_mu[0])) < LOCATED
    cycles = on(ds, 2).isel(point=slice(1, None))
    mu = cycles.mu.values
    turn = 2.0 - 0.5 * mu  # omega - c r^2 with r^2 = mu
    assert abs(cycles.period.values * turn / (2 * np.pi) - 1).max() < 1e-9
    assert abs(cycles.log_abs_multiplier.values[:, 1] + 2 * mu * cycles.period.values).max() < 1e-8
    radius = np.hypot(*cycles.state.values.T)
    assert abs(radius - np.sqrt(mu)).max() < 1e-9
    assert abs(cycles.highest.values - np.sqrt(mu)[:, None]).max() < 1e-6
    assert abs(cycles.lowest.values + np.sqrt(mu)[:, None]).max() < 1e-6
    assert (cycles.stable.values == 1).all()


def test_the_period_diverges_at_the_saddle_node_on_the_cycle():
    reference = json.loads((HERE / "reference_values.json").read_text())["theta_SN"]
    exact = next(float(e["value_str"]) for e in reference if e["params"]["alpha"] == "1.5")
    ds = run(lk.systems.rotation_flow(alpha=1.5, theta=0.6), "theta", (0.1, 1.0), switch=True, longest_period=3000)
    assert abs(float(special(ds, "hopf").special_theta[0]) - np.arccos(1 / 1.5)) < LOCATED
    assert int(ds.end_reason[1, 1]) == END["period_diverges"]
    assert int(ds.period_law[1, 1]) == PERIOD_LAW["saddle_node_circle"]
    assert abs(float(ds.period_law_parameter[1, 1]) - exact) < LOCATED
    assert abs(float(ds.period_law_exponent[1, 1]) + 0.5) < 1e-4


@pytest.mark.parametrize(
    "entry", [e for e in AUTO if e["system"] == "rotation_flow" and e["parameters"]["alpha"] == "2"]
)
def test_cycles_are_those_of_auto(entry):
    theta = eval(entry["parameters"]["theta"], {"pi": np.pi})
    system = lk.systems.rotation_flow(alpha=1.5, theta=theta)
    ds = run(system, "alpha", (1.0, 2.0), switch="hopf")
    last = on(ds, 2).isel(point=-1)
    assert float(last.alpha) == 2.0
    assert abs(float(last.period) / entry["period"] - 1) < 1e-9
    assert abs(last.floquet_multiplier.values[1] - entry["multiplier"]) < 1e-9


def test_cycles_are_those_of_limit_cycle():
    system = lk.systems.van_der_pol(mu=1.0)
    ds = run(system, "mu", (0.5, 5.0), start=lk.limit_cycle(system, progress=False))
    for i in (0, len(ds.point) // 2, -1):
        one = ds.isel(point=i)
        other = lk.limit_cycle(system.with_(mu=float(one.mu)), progress=False)
        assert abs(float(one.period) / float(other.period) - 1) < 1e-8
        assert abs(one.log_abs_multiplier.values[1] / float(other.log_abs_multiplier[1]) - 1) < 1e-7
        assert abs(float(one.highest[0]) - float(other.state[:, 0].max())) < 1e-3
    assert ds.mu.values.min() == 0.5 and ds.mu.values.max() == 5.0


def test_logistic_map_in_closed_form():
    ds = run(lk.systems.logistic(r=2.0), "r", (0.5, 3.52), switch=True)
    assert abs(special(ds, "branch_point").special_r.values - 1.0).max() < LOCATED
    doublings = special(ds, "period_doubling")
    assert abs(doublings.special_r.values - [3.0, 1 + np.sqrt(6)]).max() < LOCATED
    assert doublings.special_period.values.tolist() == [1.0, 2.0]
    assert abs(float(doublings.special_coefficient[0]) - 9.0) < 1e-8
    twice = on(ds, int(doublings.special_branch[1]))
    r, x = twice.r.values[1:], twice.state.values[1:, 0]
    assert abs(r * r * x * x - r * (r + 1) * x + r + 1).max() < 1e-9  # points of period two
    assert abs(twice.floquet_multiplier.values[1:, 0] - (4 + 2 * r - r * r)).max() < 1e-9
    assert ds.branch_number.values.max() == len(ds.branch) == 4  # the transcritical branches once each


def test_henon_fold_and_period_doubling():
    ds = run(lk.systems.henon(a=0.1, b=0.3), "a", (-0.2, 1.0), switch="period_doubling", most_points=200)
    assert abs(special(ds, "fold").special_a.values + (1 - 0.3) ** 2 / 4).max() < LOCATED
    doublings = special(ds, "period_doubling").special_a.values
    assert abs(np.sort(doublings)[0] - 0.3675) < LOCATED
    # the second one, where the trace of the square is -1 - det: a = (1 - b)^2 + (1 + b)^2 / 4
    assert abs(np.sort(doublings)[1] - (0.7**2 + 1.3**2 / 4)) < LOCATED


def test_neimark_sacker_point_of_the_delayed_logistic_map():
    delayed = lk.define_map(lambda x, a: [a * x[0] * (1 - x[1]), x[0]], parameters={"a": 1.5}, dimension=2)
    ds = run(delayed, "a", (1.2, 2.2), start=[1 / 3, 1 / 3])
    found = special(ds, "neimark_sacker")
    assert abs(float(found.special_a[0]) - 2.0) < LOCATED
    assert abs(float(found.special_frequency[0]) - np.pi / 3) < LOCATED


def test_period_doublings_of_the_cycle_of_roessler():
    system = lk.systems.rossler(c=2.5)
    ds = run(system, "c", (2.0, 4.0), start=lk.limit_cycle(system, progress=False), switch=True)
    doublings = special(ds, "period_doubling").special_c.values
    assert len(doublings) == 2
    # the attracting cycle before and after has once and twice the period; just at the point both are the same
    for c, branch in ((2.7, 1), (3.3, 2)):
        cycle = lk.limit_cycle(system.with_(c=c), progress=False)
        own = on(ds, branch)
        again = run(system.with_(c=c), "c", (c - 0.01, c + 0.01), start=cycle)
        at = np.flatnonzero(again.c.values == c)[0]
        nearest = own.isel(point=np.argmin(abs(own.c.values - c)))
        assert abs(float(nearest.period) / float(again.period[at]) - 1) < 0.01
        assert abs(float(again.period[at]) / float(cycle.period) - 1) < 1e-8
    assert (on(ds, 2).stable.values[1:3] == 1).all()


def test_adaptive_control():
    # the example of MatCont's manual: Hopf point at b = 1 for a = 1, omega = 1, first Lyapunov coefficient -0.3
    control = lk.define_flow(
        lambda x, a, b: [x[1], x[2], -a * x[2] - b * x[1] - x[0] + x[0] ** 2],
        parameters={"a": 1.0, "b": 2.0}, dimension=3, name="control",
    )  # fmt: skip
    ds = run(control, "b", (0.2, 3.0), start=[0, 0, 0], switch="hopf")
    hopf = special(ds, "hopf")
    assert abs(float(hopf.special_b[0]) - 1.0) < LOCATED
    assert abs(float(hopf.special_frequency[0]) - 1.0) < LOCATED
    assert abs(float(hopf.special_coefficient[0]) + 0.3) < 1e-9
    again = run(control, "b", (0.2, 3.0), start=ds.isel(special=int(np.argmax(ds.special_kind.values == 0))))
    assert abs(again.period.values[:5] - on(ds, 2).period.values[:5]).max() < 1e-9


def test_a_symbolic_flow_through_a_fold():
    system = lk.symbolic_flow({"x": "p + x - x**3/3"}, parameters={"p": 0.0})
    ds = run(system, "p", (-1.0, 1.0), start=[1.7])
    folds = np.sort(special(ds, "fold").special_p.values)
    assert abs(folds - [-2 / 3, 2 / 3]).max() < LOCATED
    assert abs(ds.p.values[[0, -1]]).tolist() == [1.0, 1.0]
    assert set(ds.stable.values.tolist()) <= {-1, 0, 1} and -1 in ds.stable.values and 1 in ds.stable.values


def test_branch_point_of_an_earlier_result():
    ds = run(lk.systems.lorenz63(rho=0.5), "rho", (0.0, 5.0))
    wings = run(lk.systems.lorenz63(rho=0.5), "rho", (0.0, 5.0), start=ds.isel(special=0))
    assert abs(wings.state.values[:, 2] - (wings.rho.values - 1)).max() < 1e-9
    assert wings.rho.values[[0, -1]].tolist() == [5.0, 5.0]


def test_gated_units_with_their_gates_on():
    rng = np.random.default_rng(3)
    weights = {name: rng.standard_normal((3, 3)) for name in ("Wz", "Wr", "Wh")}
    system = lk.systems.gru_flow(**weights, bz=0.1, br=-0.2, bh=0.0)
    ds = run(system, "bh", (-1.0, 1.0))
    assert ds.bh.values.min() == -1.0 or ds.bh.values.max() == 1.0
    from lyapkit.systems.evaluate import value

    for i in (0, len(ds.point) // 2, -1):
        one = ds.isel(point=i)
        assert abs(value(system.with_(bh=float(one.bh)), one.state.values)).max() < 1e-10


def test_law_of_a_homoclinic_orbit_from_its_formula():
    period = np.linspace(5, 20, 40)
    p = 2.0 + np.exp(-1.5 * period)
    law = fitted(period, p, -1.5 * period * np.exp(-1.5 * period))
    assert law.kind == "homoclinic" and abs(law.rate - 1.5) < 1e-9 and abs(law.parameter - 2.0) < 1e-12


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"parameter": "rhoo"}, "rho"),
        ({"bounds": (1.0, 0.5)}, "low below high"),
        ({"bounds": (20.0, 30.0)}, "around rho"),
        ({"period": 2}, "is a flow"),
        ({"switch": "fold"}, "accepted: True, False"),
        ({"start": [1.0]}, "shape"),
        ({"most_points": 1}, "most_points"),
        ({"longest_period": -1}, "longest_period"),
    ],
)
def test_misuse_is_refused(keywords, message):
    given = {"parameter": "rho", "bounds": (0.0, 15.0)} | keywords
    with pytest.raises(ValueError, match=message):
        run(lk.systems.lorenz63(rho=10.0), **given)


def test_a_start_that_is_no_equilibrium_is_corrected_or_refused():
    ds = run(lk.systems.lorenz63(rho=10.0), "rho", (5.0, 15.0), start=[4.5, 5.2, 9.3])
    assert abs(ds.state.values[:, 2] - (ds.rho.values - 1)).max() < 1e-9
    nowhere = lk.define_flow(lambda x, p: [1.0 + p * p + x[0] ** 2], parameters={"p": 0.0}, dimension=1)
    with pytest.raises(ValueError, match=r"start: given a state with residual 1\.25"):
        run(nowhere, "p", (-1.0, 1.0), start=[0.5])


def test_results_are_saved_and_loaded(tmp_path):
    ds = run(lk.systems.brusselator(A=1.0, B=1.5), "B", (1.0, 3.0), switch=True)
    lk.save(ds, tmp_path / "branch.nc")
    assert lk.load(tmp_path / "branch.nc").identical(ds)


def test_branches_are_drawn(lorenz):
    ax = lk.plot.branch(lorenz, unit=0)
    labels = ax.get_legend_handles_labels()[1]
    assert {"equilibria, stable", "equilibria, unstable", "cycles, unstable", "Hopf", "branch point"} <= set(labels)
    hopf = next(line for line in ax.lines if line.get_label() == "Hopf")
    assert abs(hopf.get_xdata() - 470 / 19).max() < LOCATED
    with pytest.raises(ValueError, match="unit"):
        lk.plot.branch(lorenz, unit=3)


def test_a_branch_that_runs_to_infinity_says_so():
    """x = 1 / a."""
    system = lk.define_flow(lambda x, a: (a * x[0] - 1.0,), parameters={"a": 1.0}, dimension=1)
    ds = run(system, "a", (-1.0, 2.0), start=[1.0])
    assert ds.end_reason.values[0].tolist() == [END["unbounded"], END["bound"]]
    assert abs(ds.a * ds.state[:, 0] - 1.0).max() < 1e-9
