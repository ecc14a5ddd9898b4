"""Fixed points where there is no proof, by search; slow points; scans over grids; what is refused."""

import json
import math
import pathlib

import numpy as np
import pytest

import lyapkit as lk
from lyapkit.flags import COMPLETE, POINT_KIND, STABLE, STATUS
from lyapkit.systems.evaluate import jacobian_matrix, value

REFERENCE = json.loads((pathlib.Path(__file__).parent / "reference_values.json").read_text())
ALPHA, FOLD = next(
    (e["api"]["arguments"]["alpha"], e["value"]) for e in REFERENCE["theta_SN"] if e["api"]["arguments"]["alpha"] == 2.0
)
PROVED, SEARCHED = COMPLETE["proved"], COMPLETE["searched"]


def proved(system, **keywords):
    ds = lk.fixed_points(system, progress=False, **keywords)
    assert ds.complete == PROVED
    return ds


CONTINUA = [
    lk.systems.bounded_line_attractor_flow, lk.systems.unbounded_line_attractor_flow, lk.systems.identity_relu_map,
    lk.systems.linear_integrator_flow, lk.systems.ring_attractor_flow,
]  # fmt: skip


@pytest.mark.parametrize("constructor", CONTINUA, ids=lambda c: c.__name__)
def test_continuous_attractors_are_not_proved(constructor):
    ds = lk.fixed_points(constructor())
    assert ds.complete == SEARCHED and ds.status == STATUS["ok"]
    assert 5 <= ds.n_fixed_points <= 16
    assert ds.speed.max() < 1e-13
    on_it = ds.stable == STABLE["undecided"]
    assert on_it.sum() >= 5 and (abs(ds.eigenvalue[:, 0])[on_it] - (ds.kind == "map")).max() < 1e-7
    if constructor is lk.systems.ring_attractor_flow:
        radius = np.linalg.norm(ds.state, axis=1)
        assert (np.isclose(radius, 1.0, atol=1e-9) | (radius < 1e-9)).all() and (radius < 1e-9).sum() == 1


def test_double_zeros_are_found_but_not_proved():
    """At the fold itself; x^2 (x - 1) has the double zero 0, which Newton finds to the root of rounding."""
    assert lk.fixed_points(lk.systems.rotation_flow(alpha=ALPHA, theta=FOLD)).complete == SEARCHED
    ds = lk.fixed_points(lk.define_flow(lambda x: [x[0] ** 2 * (x[0] - 1.0)], dimension=1))
    assert ds.complete == SEARCHED
    np.testing.assert_allclose(ds.state[:, 0], [0.0, 1.0], atol=1e-6)
    assert ds.stable.values.tolist() == [STABLE["undecided"], STABLE["unstable"]]


def test_rules_that_cannot_be_traced_are_searched():
    def rule(x):
        total = 0.0
        for _ in range(int(x[0] * 0.0) + 3):
            total += 1.0
        return np.array([math.tanh(2.0 * x[0]) - x[0] + 0.0 * total])

    system = lk.define_flow(rule, dimension=1)
    assert not system.cell.tangent.startswith("exact")
    ds = lk.fixed_points(system)
    assert ds.complete == SEARCHED and ds.n_fixed_points == 3


def test_a_known_network_of_many_units_is_searched_out():
    """Two units that each have three rests, beside four that follow: all nine are found."""
    J = np.zeros((6, 6))
    J[:2, :2] = np.diag([2.0, 3.0])
    J[2:, :2] = np.random.default_rng(0).standard_normal((4, 2))
    ds = lk.fixed_points(lk.systems.rate_flow(J=J))
    assert ds.complete == SEARCHED and ds.n_fixed_points == 9
    assert (ds.stable == STABLE["stable"]).sum() == 4


@pytest.mark.parametrize("kind", ["flow", "map"])
def test_a_large_network(kind):
    system = lk.random_network(n=100, gain=1.4, kind=kind, seed=3)
    ds = lk.fixed_points(system)
    assert ds.complete == SEARCHED and ds.n_fixed_points >= 1
    shift = np.eye(100) if kind == "map" else 0.0
    for x, eigenvalues, speed in zip(ds.state.values, ds.eigenvalue.values, ds.speed.values):
        residual = value(system, x) - (x if kind == "map" else 0.0)
        assert np.linalg.norm(residual) == pytest.approx(speed, abs=1e-13) and speed < 1e-12
        wanted = np.linalg.eigvals(jacobian_matrix(system, x))
        size = wanted.real if kind == "flow" else abs(wanted)
        wanted = wanted[np.lexsort((-wanted.imag, -size))]
        np.testing.assert_allclose(eigenvalues, wanted, atol=1e-12)
    assert (ds.state == 0).all("unit").any()  # the origin
    assert np.linalg.svd(jacobian_matrix(system, x) - shift)[1][-1] > 1e-10


def test_slow_points_where_fixed_points_have_just_vanished():
    """The ghosts of the fold: four minima of the speed, which grow in proportion to the distance from it."""
    speeds = []
    for distance in (1e-4, 1e-3):
        ds = lk.fixed_points(lk.systems.rotation_flow(alpha=ALPHA, theta=FOLD + distance), slow=0.1)
        slow = ds.point_kind == POINT_KIND["slow_point"]
        assert ds.complete == PROVED and ds.n_fixed_points == 1 and slow.sum() == 4
        speed = ds.speed[slow].values
        np.testing.assert_allclose(speed, speed[0], rtol=1e-3)
        speeds.append(speed[0])
    assert speeds[1] / speeds[0] == pytest.approx(10.0, rel=0.02)
    ds = lk.fixed_points(lk.systems.rotation_flow(alpha=ALPHA, theta=FOLD + 1e-3), slow=0.1 * speeds[1])
    assert ds.sizes["point"] == 1


def test_slow_points_of_a_network_are_minima():
    """The gradient J' f of |f|^2 / 2 vanishes there, to 1e-5 of its factors; speeds are above those of fixed points."""
    system = lk.random_network(n=40, gain=1.6, seed=1)
    ds = lk.fixed_points(system, slow=True, starts=12)
    kind = ds.point_kind.values
    assert (np.diff(kind) >= 0).all() and ds.n_fixed_points == (kind == POINT_KIND["fixed_point"]).sum()
    assert (kind == POINT_KIND["slow_point"]).any()
    for x in ds.state.values[kind == POINT_KIND["slow_point"]]:
        f, J = value(system, x), jacobian_matrix(system, x)
        assert np.linalg.norm(J.T @ f) < 1e-5 * np.linalg.norm(J) * np.linalg.norm(f)
        assert np.linalg.norm(f) > 1e-6


GRID = {"alpha": np.linspace(0.5, 4.0, 5), "theta": np.linspace(0.0, 1.5, 4)}


def test_scan_equals_single_calls_bit_for_bit():
    ds = lk.scan(lk.fixed_points, lk.systems.rotation_flow, GRID, progress=False)
    assert (ds.complete == PROVED).all() and ds.sizes["point"] == 16
    assert set(np.unique(ds.n_fixed_points)) == {1, 9}
    for i, alpha in enumerate(GRID["alpha"]):
        for j, theta in enumerate(GRID["theta"]):
            one, cell = lk.fixed_points(lk.systems.rotation_flow(alpha=alpha, theta=theta)), ds.isel(alpha=i, theta=j)
            count = one.sizes["point"]
            assert count == cell.n_fixed_points
            assert np.isnan(cell.state[count:]).all() and (cell.stable[count:] == STABLE["absent"]).all()
            for name in one.data_vars:
                here = cell[name][:count] if "point" in cell[name].dims else cell[name]
                assert np.array_equal(one[name], here), name


@pytest.mark.parametrize("verb_keywords", [{}, {"slow": True, "starts": 4}])
def test_blocks_and_workers_change_no_bit(verb_keywords):
    def run(**how):
        return lk.scan(lk.fixed_points, lk.systems.rotation_flow, GRID, progress=False, **verb_keywords, **how)

    wanted = run()
    for how in ({"block": 3, "workers": 1}, {"block": 20, "workers": 2}):
        assert run(**how).identical(wanted)


def test_scan_of_a_searched_network_and_of_seeds():
    grid = {"gain": np.array([0.8, 1.4]), "seed": np.array([0, 1])}
    ds = lk.scan(lk.fixed_points, lk.random_network(n=8), grid, progress=False)
    assert (ds.complete == SEARCHED).all() and (ds.n_fixed_points[0] == 1).all()
    one = lk.fixed_points(lk.random_network(n=8, gain=1.4, seed=1))
    assert np.array_equal(ds.state[1, 1, : one.sizes["point"]], one.state)
    small = lk.scan(lk.fixed_points, lk.random_network(n=3), grid, progress=False)
    assert (small.complete == PROVED).all()


def test_results_can_be_stored(tmp_path):
    ds = lk.scan(lk.fixed_points, lk.systems.logistic, {"r": np.array([0.5, 3.0])}, progress=False)
    lk.save(ds, tmp_path / "points.nc")
    assert lk.load(tmp_path / "points.nc").identical(ds)


def test_too_many_points_are_said():
    flow = lk.systems.rotation_flow(alpha=2.0, theta=0.1)
    ds = lk.fixed_points(flow, most_points=4)
    assert ds.status == STATUS["too_many"] and ds.n_fixed_points == 9 and ds.sizes["point"] == 4


def test_constant_input_is_a_bias():
    W, V = np.array([[1.2, -0.4], [0.5, 0.9]]), np.array([[0.3], [-0.2]])
    driven = lk.systems.rnn_flow(W=W, V=V, input=np.full((50, 1), 1.5))
    assert np.array_equal(proved(driven).state, proved(lk.systems.rnn_flow(W=W, b=V[:, 0] * 1.5)).state)
    own = lk.define_flow(lambda x, u: [u[0] - 2.0 * x[0]], dimension=1, input=np.full(9, 3.0))
    assert proved(own).state.values.tolist() == [[1.5]]


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"box": 3.0}, ValueError, "box: given 3.0"),
        ({"box": (-1, [1, 1, 1])}, ValueError, "box: given sides of the shapes"),
        ({"box": ([-1, 1], [-1, 1])}, ValueError, "box: given -1 to -1 for unit 0"),
        ({"box": (1, -1)}, ValueError, "box: given 1 to -1"),
        ({"box": (-np.inf, 1)}, ValueError, "box: given a side that is not finite"),
        ({"box": ("a", 1)}, ValueError, "box: given"),
        ({"slow": -1.0}, ValueError, "slow: given -1.0"),
        ({"slow": "yes"}, TypeError, "slow: given 'yes'"),
        ({"starts": 0}, ValueError, "starts: given 0"),
        ({"seed": -1}, ValueError, "seed: given -1"),
        ({"most_points": 2.5}, ValueError, "most_points: given 2.5"),
        ({"initial_state": [1.0]}, ValueError, "initial_state: given shape"),
        ({"boxx": (-1, 1)}, TypeError, "boxx"),
    ],
)
def test_misuse(keywords, error, message):
    with pytest.raises(error, match=message):
        lk.fixed_points(lk.systems.rotation_flow(), **keywords)


def test_systems_that_change_in_time_are_refused():
    moving = lk.systems.rnn_flow(W=np.eye(2), V=np.ones((2, 1)), input=np.arange(5.0))
    with pytest.raises(ValueError, match="input: given one that varies"):
        lk.fixed_points(moving)
    with pytest.raises(ValueError, match="input: given one that varies"):
        lk.fixed_points(moving.with_(input=lambda t: 1.0))
    with pytest.raises(ValueError, match="depends on the time"):
        lk.fixed_points(lk.symbolic_flow({"x": "-x + sin(t)"}))
    with pytest.raises(TypeError, match="system: given"):
        lk.fixed_points("rotation_flow")


@pytest.mark.parametrize("name", lk.systems.names())
def test_boxes_of_models_hold_what_newton_finds(name):
    """From many starts ten times as far out, every zero that is reached lies in the model's box."""
    constructor = getattr(lk.systems, name)
    system = constructor(**dict.fromkeys(constructor.model.sizes, 4))
    box = system.box()
    if box is None:
        return
    wide = lk.fixed_points(system, box=(10 * box[0] - 1e-3, 10 * box[1] + 1e-3), starts=32)
    if name in ("cat_map", "standard_map"):
        assert wide.complete == PROVED
    inside = (wide.state >= box[0] - 1e-9) & (wide.state <= box[1] + 1e-9)
    assert inside.all()
