"""Maps of bifurcations against closed forms, against other verbs, and against systems that are known."""

import numpy as np
import pytest

import lyapkit as lk
from lyapkit.flags import CURVE_KIND, CURVE_SOURCE, REGIME
from lyapkit.systems.models._rotation import snic_angle

ALPHA, THETA = np.linspace(0.5, 4.0, 29), np.linspace(0.0, np.pi / 2, 31)
PLANE = {"alpha": ALPHA, "theta": THETA}
# alpha cos(theta) - 1 on the grid, (alpha, theta)
GAIN = ALPHA[:, None] * np.cos(THETA)


def fold_angle():
    return np.where(ALPHA > 1.0, snic_angle(np.maximum(ALPHA, 1.0 + 1e-9)), -1.0)[:, None]


def is_regime(ds, name):
    return ds.regime.values == REGIME[name]


@pytest.fixture(scope="module")
def flow():
    return lk.hopf_map(lk.systems.rotation_flow, PLANE, progress=False)


def test_fixed_points_of_the_plane_are_counted(flow):
    off = abs(THETA - fold_angle()) > 1e-9
    expected = np.where(THETA < fold_angle(), 9, 1)
    off &= ~((ALPHA == 1.0)[:, None] & (THETA == 0.0))
    np.testing.assert_array_equal(flow.n_fixed_points.values[off], expected[off])
    inside = np.broadcast_to(fold_angle() > THETA, GAIN.shape)
    assert (flow.n_stable.values[inside] == 4).all()


def test_leading_eigenvalue_of_the_origin():
    ds = lk.hopf_map(lk.systems.rotation_flow, PLANE, near=[0.0, 0.0], starts=1, curves=False, progress=False)
    expected = -1.0 + ALPHA[:, None] * np.exp(1j * THETA)
    # eigenvalues of a normal matrix err by rounding of its entries
    np.testing.assert_allclose(ds.leading_eigenvalue.values, expected, atol=1e-14)
    np.testing.assert_array_equal(ds.growth_rate, ds.leading_eigenvalue.real)


def test_regimes_of_the_flow_lie_between_hopf_and_snic(flow):
    cycle = (GAIN > 1.0) & (fold_angle() < THETA)
    known = ~is_regime(flow, "undecided")
    assert known.mean() > 0.99
    np.testing.assert_array_equal(is_regime(flow, "limit_cycle")[known], cycle[known])
    np.testing.assert_array_equal(is_regime(flow, "fixed_point")[known], ~cycle[known])


def test_curves_are_the_closed_forms(flow):
    for source in CURVE_SOURCE.values():
        hopf = (flow.curve_kind == CURVE_KIND["hopf"]) & (flow.curve_source == source)
        alpha, theta = flow.curve_alpha.values[hopf], flow.curve_theta.values[hopf]
        assert len(alpha) > 10
        np.testing.assert_allclose(alpha * np.cos(theta), 1.0, atol=1e-10)
    computed = (flow.curve_source == CURVE_SOURCE["computed"]).values
    hopf = computed & (flow.curve_kind == CURVE_KIND["hopf"]).values
    np.testing.assert_allclose(flow.curve_frequency.values[hopf], np.tan(flow.curve_theta.values[hopf]), atol=1e-8)
    fold = computed & (flow.curve_kind == CURVE_KIND["fold"]).values & (flow.curve_alpha.values > 1.1)
    assert fold.sum() > 10
    np.testing.assert_allclose(flow.curve_theta.values[fold], snic_angle(flow.curve_alpha.values[fold]), atol=1e-9)


@pytest.mark.parametrize("name", ["rotation_flow", "rotation_map"])
def test_results_depend_on_neither_blocks_nor_workers(name):
    grid = {"alpha": np.linspace(0.5, 4, 13), "theta": np.linspace(0, 1.5, 11)}
    system = getattr(lk.systems, name)
    common = {"grid": grid, "curves": False, "progress": False}
    one = lk.hopf_map(system, **common, workers=1, block=7)
    other = lk.hopf_map(system, **common, workers=3, block=64)
    assert one.identical(other)


def test_map_locks_where_rotation_number_says_so():
    grid = {"alpha": np.linspace(0.6, 4.0, 12), "theta": np.linspace(0.55, 1.5, 13)}
    ds = lk.hopf_map(lk.systems.rotation_map, grid, starts=1, curves=False, progress=False)
    rotation = lk.scan(lk.rotation_number, lk.systems.rotation_map, grid, progress=False)
    locked, circle = is_regime(ds, "locked"), is_regime(ds, "quasi_periodic")
    below = np.broadcast_to((grid["alpha"] < 1.0)[:, None], locked.shape)
    assert is_regime(ds, "fixed_point")[below].all()
    assert locked.sum() > 20 and circle.sum() > 20 and is_regime(ds, "undecided").mean() < 0.1
    assert (rotation.locked.values[locked] == 1).all()
    assert (rotation.locked.values[circle] == 0).all()
    np.testing.assert_array_equal(ds.orbit_period.values[locked], rotation.orbit_period.values[locked])


def test_subcritical_hopf_coexists_with_its_large_cycle():
    """r' = r (mu + r^2 - r^4): a stable cycle beside the stable origin for -1/4 < mu < 0."""
    system = lk.define_flow(
        lambda x, mu, omega: (
            (mu + x[0] ** 2 + x[1] ** 2 - (x[0] ** 2 + x[1] ** 2) ** 2) * x[0] - omega * x[1],
            (mu + x[0] ** 2 + x[1] ** 2 - (x[0] ** 2 + x[1] ** 2) ** 2) * x[1] + omega * x[0],
        ),
        parameters={"mu": -0.1, "omega": 1.0}, dimension=2, initial_state=[1.0, 0.2],
    )  # fmt: skip
    grid = {"mu": np.array([-0.4, -0.2, -0.1, 0.1, 0.3]), "omega": np.array([0.7, 1.3])}
    ds = lk.hopf_map(system, grid, progress=False)
    names = ["fixed_point", "coexistence", "coexistence", "limit_cycle", "limit_cycle"]
    expected = np.repeat([[REGIME[name]] for name in names], 2, axis=1)
    np.testing.assert_array_equal(ds.regime, expected)
    hopf = (ds.curve_kind == CURVE_KIND["hopf"]).values
    np.testing.assert_allclose(ds.curve_mu.values[hopf], 0.0, atol=1e-10)
    assert hopf.any()


def test_lorenz():
    grid = {"rho": np.array([0.5, 10.0, 24.4, 28.0]), "sigma": np.array([9.9, 10.0])}
    ds = lk.hopf_map(lk.systems.lorenz63, grid, progress=False, curves=False)
    np.testing.assert_array_equal(ds.n_fixed_points[:, 1], [1, 3, 3, 3])
    names = ["fixed_point", "fixed_point", "coexistence", "chaotic"]
    np.testing.assert_array_equal(ds.regime[:, 1], [REGIME[name] for name in names])
    # Hopf at rho = 470 / 19 for sigma = 10: the pair at C+ and C- grows beyond
    assert ds.growth_rate[2, 1] < 0 < ds.growth_rate[3, 1]


def test_logistic_map_over_one_parameter():
    ds = lk.hopf_map(lk.systems.logistic, {"r": np.array([0.5, 2.0, 3.2, 3.5, 3.83, 4.0])}, progress=False)
    names = ["fixed_point", "fixed_point", "locked", "locked", "locked", "chaotic"]
    np.testing.assert_array_equal(ds.regime, [REGIME[name] for name in names])
    np.testing.assert_array_equal(ds.orbit_period, [0, 0, 2, 4, 3, 0])
    assert "curve_kind" not in ds


def test_henon_and_brusselator():
    ds = lk.hopf_map(
        lk.systems.henon, {"a": np.array([-0.3, 0.2, 0.8, 1.4]), "b": np.array([0.29, 0.3])}, progress=False
    )
    assert ds.n_fixed_points[:, 1].values.tolist() == [0, 2, 2, 2]
    names = ["diverging", "fixed_point", "locked", "chaotic"]
    np.testing.assert_array_equal(ds.regime[:, 1], [REGIME[name] for name in names])
    doubling = (ds.curve_kind == CURVE_KIND["period_doubling"]).values
    # 4 a = 3 (1 - b)^2
    np.testing.assert_allclose(4 * ds.curve_a.values[doubling], 3 * (1 - ds.curve_b.values[doubling]) ** 2, atol=1e-9)
    grid = {"A": np.linspace(0.7, 1.3, 4), "B": np.linspace(1.0, 3.5, 6)}
    ds = lk.hopf_map(lk.systems.brusselator, grid, progress=False)
    np.testing.assert_array_equal(is_regime(ds, "limit_cycle"), grid["B"] > 1 + grid["A"][:, None] ** 2)


def test_gru_with_gates_and_files(tmp_path):
    rng = np.random.default_rng(1)
    weights = {name: rng.standard_normal((2, 2)) for name in ("Wz", "Wr", "Wh")}

    def rule(x, scale, turn):
        z = 1 / (1 + np.exp(-(weights["Wz"] @ x)))
        r = 1 / (1 + np.exp(-(weights["Wr"] @ x)))
        n = np.tanh(scale * (weights["Wh"] @ (r * x)) + turn * np.array([-x[1], x[0]]))
        return (1 - z) * (n - x)

    system = lk.define_flow(rule, parameters={"scale": 1.0, "turn": 1.0}, dimension=2, initial_state=[0.3, 0.1])
    ds = lk.hopf_map(system, {"scale": np.linspace(0.2, 3, 5), "turn": np.linspace(0.2, 2, 4)}, progress=False)
    assert (is_regime(ds, "undecided").mean() < 0.2) and (ds.n_fixed_points >= 1).all()
    lk.save(ds, tmp_path / "map.nc")
    assert lk.load(tmp_path / "map.nc").identical(ds)


@pytest.mark.parametrize(
    ("keywords", "named"),
    [
        ({"grid": {"beta": [1.0]}}, "beta"),
        ({"starts": 0}, "starts"),
        ({"near": [0.0]}, "initial_state|near"),
        ({"doublings": -1}, "doublings"),
        ({"transient": -1}, "transient"),
        ({"curves": 1}, "curves"),
        ({"block": 0}, "block"),
    ],
)
def test_misuse_is_named(keywords, named):
    with pytest.raises((ValueError, TypeError), match=named):
        lk.hopf_map(lk.systems.rotation_flow, **keywords)


def test_grids_where_all_orbits_cycle():
    grid = {"alpha": np.array([2.0, 2.1]), "theta": np.array([0.8, 0.9])}
    assert (lk.hopf_map(lk.systems.rotation_flow, grid).regime == REGIME["limit_cycle"]).all()
    one = lk.hopf_map(lk.systems.van_der_pol, {"mu": np.linspace(0.5, 2, 3)})
    assert (one.regime == REGIME["limit_cycle"]).all()


def test_orbits_that_spiral_out_for_ever_are_no_cycles():
    """x' = tanh(alpha R x) has none; its orbits leave at a speed of about 1."""
    grid = {"alpha": np.linspace(1, 3, 3), "theta": np.linspace(0.2, 1.2, 3)}
    ds = lk.hopf_map(lk.systems.rotation_literal_flow, grid)
    assert np.isin(ds.regime, [REGIME["diverging"], REGIME["undecided"]]).all()


def test_small_grids_are_proved_at_every_point():
    system = lk.define_flow(lambda x, a, b: [a + b * x[0] - x[0] ** 3], parameters={"a": 0.1, "b": 1.0}, dimension=1)
    grid = {"a": np.linspace(-0.5, 0.5, 9), "b": np.linspace(-1, 1, 9)}
    ds = lk.hopf_map(system, grid)
    a, b = np.meshgrid(*grid.values(), indexing="ij")
    three = 4 * b**3 > 27 * a**2
    sure = abs(4 * b**3 - 27 * a**2) > 1e-9
    np.testing.assert_array_equal(ds.n_fixed_points.values[sure], np.where(three, 3, 1)[sure])
