"""Attractors of systems whose attractors are known."""

import math

import labelled_systems
import numpy as np
import pytest
import xarray as xr

import lyapkit as lk
from lyapkit.analyses.kinds.attractor_kinds import label, watch
from lyapkit.flags import ATTRACTOR_KIND, SIGNAL, STATUS
from lyapkit.progress import Monitor

NAMES = {code: name for name, code in ATTRACTOR_KIND.items()}


def kinds(ds):
    """(kind, dimension, dimension of the family) of each attractor, sorted."""
    columns = ds.attractor_kind, ds.attractor_dimension, ds.family_dimension
    return sorted((NAMES[int(a)], int(b), int(c)) for a, b, c in zip(*columns, strict=True))


@pytest.mark.parametrize("name", labelled_systems.CASES)
def test_kinds(name):
    make, expected, keywords = labelled_systems.CASES[name]
    ds = lk.attractors(make(), n_starts=60, **keywords)
    assert kinds(ds) == sorted(expected)
    np.testing.assert_allclose(ds.basin_share.sum() + ds.diverging_share + ds.undecided_share, 1.0)
    assert ds.undecided_share <= 0.05


# ------------------------------------------------------------------ numbers


def test_latch_remembers_without_a_gradient():
    ds = lk.attractors(lk.systems.rnn_flow(W=[[2.0]]))
    x = 0.9575040240772688  # x = tanh 2x
    np.testing.assert_allclose(np.sort(ds.state.values.ravel()), [-x, x], rtol=1e-14)
    np.testing.assert_allclose(ds.lyapunov_exponent, -1.0 + 2.0 * (1.0 - x * x), rtol=1e-12)
    np.testing.assert_allclose(ds.signal_growth, 1000 * (-1.0 + 2.0 * (1.0 - x * x)), rtol=1e-6)
    assert (ds.signal_fate == SIGNAL["vanishes"]).all()
    assert abs(float(ds.basin_share[0]) - 0.5) < 4 * float(ds.basin_share_stderr[0])


def test_cycle_has_the_period_exponents_and_signal_of_the_cycle():
    system = lk.systems.rotation_flow(alpha=2.0, theta=math.pi / 4)
    ds, cycle = lk.attractors(system, n_starts=20).isel(attractor=0), lk.limit_cycle(system)
    assert float(ds.period) == pytest.approx(float(cycle.period), rel=1e-9)
    assert float(ds.frequency[0]) == pytest.approx(1.0 / float(cycle.period), rel=1e-9)
    np.testing.assert_allclose(ds.lyapunov_exponent, [0.0, cycle.log_abs_multiplier[-1] / cycle.period], atol=2e-6)
    assert int(ds.n_zeros) == 1 and float(ds.n_zeros_confidence) > 0.999
    # the rest of a perturbation after a long delay is f(x(t)) Z(x(0)): 1.14 to 1.92, over root 2 in the mean
    assert 1.14 <= math.exp(float(ds.signal_growth)) * math.sqrt(2.0) <= 1.92
    assert int(ds.signal_fate) == SIGNAL["persists"]


def test_signal_growth_of_a_linear_map():
    A = np.array([[0.99, 0.3, 0.0], [0.0, 0.98, 0.5], [0.0, 0.0, 0.995]])
    ds = lk.attractors(lk.systems.linear_map(A=A), margin=1e-2, n_starts=10)
    power = np.linalg.matrix_power(A, 100)
    assert float(ds.signal_growth[0]) == pytest.approx(0.5 * math.log((power**2).sum() / 3.0), abs=1e-12)
    np.testing.assert_allclose(ds.lyapunov_exponent[0], np.log([0.995, 0.99, 0.98]), rtol=1e-10)


def test_frequencies_of_a_torus_are_those_of_its_blocks():
    alpha, theta = [1.5, 2.0], [0.7, 1.0]
    # the error of a step of the fourth order is 3e-7 of the frequency at the default dt, 8e-9 here
    ds = lk.attractors(lk.systems.block_rotation_flow(alpha=alpha, theta=theta), n_starts=10, dt=0.02)
    blocks = [lk.systems.rotation_flow(alpha=a, theta=t) for a, t in zip(alpha, theta, strict=True)]
    periods = [float(lk.limit_cycle(block).period) for block in blocks]
    np.testing.assert_allclose(np.sort(ds.frequency.values[0, :2]), np.sort(1.0 / np.array(periods)), rtol=2e-8)


@pytest.mark.parametrize("method", ["euler", "rk8", "tsit5", "dop853"])
def test_methods(method):
    ds = lk.attractors(lk.systems.rotation_flow(alpha=2.0, theta=0.8), n_starts=8, method=method)
    assert kinds(ds) == [("limit_cycle", 1, 0)] and np.isfinite(ds.signal_growth).all()


def test_64_blocks_have_64_zeros():
    generator = np.random.default_rng(0)
    alpha, theta = generator.uniform(1.2, 1.5, 64), generator.uniform(0.3, 0.55, 64)
    ds = lk.attractors(lk.systems.block_rotation_flow(alpha=alpha, theta=theta), n_starts=4)
    assert kinds(ds) == [("torus", 64, 0)]
    assert int(ds.n_zeros[0]) == 64 and float(ds.n_zeros_confidence[0]) > 0.99
    assert abs(float(ds.signal_growth[0])) < math.log(10.0)


def test_diverging_starts_are_a_share():
    ds = lk.attractors(lk.systems.henon(), n_starts=100)
    assert 0.3 < float(ds.diverging_share) < 0.6
    gone = lk.attractors(lk.systems.henon(a=5.0), n_starts=20)
    assert gone.sizes["attractor"] == 0 and float(gone.diverging_share) == 1.0
    assert int(gone.status) == STATUS["diverged"]


def test_order_room_and_seed():
    system = lk.systems.rotation_flow(alpha=2.0, theta=0.1)
    ds = lk.attractors(system, n_starts=50, seed=3)
    assert (np.diff(ds.basin_share) <= 0).all() and int(ds.n_attractors) == 4
    xr.testing.assert_identical(ds, lk.attractors(system, n_starts=50, seed=3))
    few = lk.attractors(system, n_starts=50, seed=3, most_attractors=2)
    assert few.sizes["attractor"] == 2 and int(few.n_attractors) == 4 and int(few.status) == STATUS["too_many"]
    np.testing.assert_array_equal(few.state, ds.state[:2])


def test_scan_is_the_single_calls(tmp_path):
    grid = {"alpha": np.array([0.5, 2.0]), "theta": np.array([0.1, 0.8])}
    ds = lk.scan(lk.attractors, lk.systems.rotation_flow, grid, n_starts=12, store=tmp_path / "a.nc")
    xr.testing.assert_identical(ds, lk.load(tmp_path / "a.nc"))
    for i, alpha in enumerate(grid["alpha"]):
        for j, theta in enumerate(grid["theta"]):
            one = lk.attractors(lk.systems.rotation_flow(alpha=alpha, theta=theta), n_starts=12)
            point = ds.isel(alpha=i, theta=j)
            filled = point.isel(attractor=np.flatnonzero(point.attractor_kind != ATTRACTOR_KIND["absent"]))
            for name in one.data_vars:
                np.testing.assert_array_equal(filled[name], one[name], err_msg=name)


@pytest.mark.parametrize(
    "keywords, words",
    [
        ({"n_starts": 0}, "n_starts"), ({"box": (1.0, 0.0)}, "box"), ({"margin": 0.0}, "margin"),
        ({"most_attractors": 0}, "most_attractors"), ({"seed": -1}, "seed"), ({"dt": 0.0}, "dt"),
    ],
)  # fmt: skip
def test_misuse(keywords, words):
    with pytest.raises(ValueError, match=words):
        lk.attractors(lk.systems.rotation_flow(), **keywords)


def test_an_input_that_varies_is_refused():
    noise = np.random.default_rng(0).normal(size=(9, 2))
    driven = lk.systems.rnn_flow(W=np.eye(2), V=np.eye(2), input=noise, input_dt=1.0)
    with pytest.raises(ValueError, match="input"):
        lk.attractors(driven)


# ------------------------------------------------------------------ labels of many orbits


def labelled(system, values, states, **keywords):
    with Monitor(1, "", False) as monitor:
        return label(system, values, np.asarray(states, dtype=float), watch(system, **keywords), monitor)


def test_labels_do_not_depend_on_neighbours():
    system = lk.systems.rotation_flow()
    alpha, theta = np.linspace(0.5, 3.0, 11), np.full(11, 0.8)
    states = np.random.default_rng(0).normal(size=(11, 2))
    together = labelled(system, {"alpha": alpha, "theta": theta}, states)
    for i in range(11):
        alone = labelled(system, {"alpha": alpha[i : i + 1], "theta": theta[i : i + 1]}, states[i : i + 1])
        for name, column in vars(alone).items():
            np.testing.assert_array_equal(column[0], getattr(together, name)[i], err_msg=name)


@pytest.mark.parametrize("eps, kind", [(0.0, "continuous_attractor"), (1e-4, "fixed_point"), (1e-2, "fixed_point")])
def test_a_broken_line_is_a_point(eps, kind):
    """W11 = -eps turns the segment into one point with the exponent -eps/2, however small eps is."""
    system = lk.systems.rnn_flow(W=[[-eps, -1.0], [-1.0, 0.0]], b=[1.0, 1.0], activation="relu")
    found = labelled(system, {}, [[0.4, 0.5]], duration=2000)
    assert NAMES[int(found.kind[0])] == kind
    root = math.sqrt(eps * eps + 4.0)
    np.testing.assert_allclose(found.exponents[0], [(-2 - eps + root) / 2, (-2 - eps - root) / 2], atol=1e-15)


def test_longest_period_of_a_map():
    system = lk.systems.logistic(r=3.5)
    found = labelled(system, {}, [[0.3]])
    assert (NAMES[int(found.kind[0])], float(found.period[0])) == ("limit_cycle", 4.0)
    short = labelled(system, {}, [[0.3]], longest_period=3)
    assert NAMES[int(short.kind[0])] == "limit_cycle" and np.isnan(short.period[0])
    np.testing.assert_allclose(short.exponents, found.exponents, atol=1e-6)


def test_chaos_with_more_positive_exponents_than_are_followed_of_each_start():
    # 13 positive exponents: the flow's own zero is not among the first three
    ds = lk.attractors(lk.systems.lorenz96(), n_starts=4)
    assert kinds(ds) == [("chaos", 0, 0)]
    assert float(ds.undecided_share) == 0.0
    assert (ds.lyapunov_exponent[0, :13] > 0.02).all()
    assert int(ds.n_zeros[0]) == 1


def test_a_cycle_that_attracts_at_2e_4_is_one():
    ds = lk.attractors(lk.systems.stuart_landau(mu=1e-4), n_starts=10)
    assert kinds(ds) == [("limit_cycle", 1, 0)]
    assert float(ds.period[0]) == pytest.approx(2.0 * math.pi, rel=1e-6)
