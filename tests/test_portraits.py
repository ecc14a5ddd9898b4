"""Phase portraits: the rule at many points, orbits, fields, nullclines, cobwebs."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

import lyapkit as lk
from lyapkit.plot.vector_field import orbits, rule_values
from lyapkit.systems.evaluate import value


def line(ax, label):
    (found,) = [one for one in ax.lines if one.get_label() == label]
    return found


@pytest.fixture(autouse=True)
def _close():
    plt.close("all")  # a doctest in the same worker may have left some open
    yield
    plt.close("all")


def test_the_rule_at_many_points_is_the_rule_at_each():
    system = lk.systems.rotation_flow(alpha=2.0, theta=0.4)
    points = np.random.default_rng(0).uniform(-1, 1, (13, 2))
    expected = [value(system, point) for point in points]
    np.testing.assert_allclose(rule_values(system, points), expected, rtol=0, atol=1e-15)


def test_orbits_are_trajectories():
    system = lk.systems.van_der_pol()
    states = np.random.default_rng(1).uniform(-1, 1, (140, 2))  # more than one block
    paths = orbits(system, states, 2.0)
    for at in (0, 127, 128, 139):
        one = lk.trajectory(system, initial_state=states[at], duration=2.0)
        np.testing.assert_array_equal(paths[:, at], one.state)


def test_portrait_of_a_planar_flow_has_orbits_field_and_nullclines():
    system = lk.systems.van_der_pol(mu=1.0)
    ax = lk.plot.phase_portrait(system, trajectories=5, box=[(-3, 3), (-4, 4)], duration=20)
    long = [one for one in ax.lines if len(one.get_xdata()) > 100]
    assert len(long) == 5
    assert ax.get_xlim() == (-3, 3) and ax.get_ylim() == (-4, 4)
    assert len([text.get_text() for text in ax.get_legend().get_texts()]) == 2
    flat = [one for one in ax.collections if one.get_label() == "" or hasattr(one, "levels")]
    corners = np.concatenate([path.vertices for path in flat[0].get_paths()])
    np.testing.assert_allclose(corners[:, 1], 0.0, atol=1e-12)  # x' = y
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("state $x_{0}$", "state $x_{1}$")


def test_portrait_is_the_same_for_a_seed():
    first, again, other = (
        lk.plot.phase_portrait(lk.systems.henon, trajectories=2, duration=50, seed=seed).lines[0] for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.get_xydata(), again.get_xydata())
    assert not np.array_equal(first.get_xydata(), other.get_xydata())


def test_the_default_box_holds_the_attractor():
    ax = lk.plot.phase_portrait(lk.systems.van_der_pol(), field=None, nullclines=False)
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert -4 < left < -2.1 and 2.1 < right < 4 and -6 < bottom < -2.7 and 2.7 < top < 6
    assert not ax.collections


def test_portrait_of_a_map_draws_points():
    ax = lk.plot.phase_portrait(lk.systems.standard_map(k=0.9), trajectories=7, duration=100)
    assert len(ax.lines) == 7
    assert all(one.get_marker() == "." and one.get_linestyle() == "None" for one in ax.lines)
    assert len({tuple(one.get_color()) for one in ax.lines}) == 7


def test_portrait_of_many_units_projects():
    ax = lk.plot.phase_portrait(lk.systems.lorenz63(), units=(0, 2), duration=20)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("state $x_{0}$", "state $x_{2}$")
    (orbit,) = ax.lines
    assert orbit.get_ydata().min() > 0 and orbit.get_ydata().max() < 55


def test_portrait_of_one_unit_is_a_cobweb():
    ax = lk.plot.phase_portrait(lk.systems.logistic(r=3.2), box=(0, 1), duration=30)
    x, y = line(ax, "map").get_data()
    np.testing.assert_allclose(y, 3.2 * x * (1 - x), atol=1e-14)
    x, y = ax.lines[-1].get_data()
    np.testing.assert_allclose(y[1::2], 3.2 * x[1::2] * (1 - x[1::2]), atol=1e-14)


def test_portrait_of_an_own_system_that_leaves():
    system = lk.define_flow(lambda x: (x[0] ** 2, x[1]), dimension=2, name="leaves")
    ax = lk.plot.phase_portrait(system, duration=5)
    assert np.isfinite(ax.get_xlim()).all()


@pytest.mark.parametrize(
    ("name", "keywords", "words"),
    [
        (
            "lorenz63",
            {"units": (0, 3)},
            r"units: given \(0, 3\), accepted: two different whole numbers from 0",
        ),
        ("lorenz63", {"units": (1, 1)}, "units: "),
        ("lorenz63", {"field": "stream"}, "field: given 'stream', but lorenz63 is a flow of 3 units"),
        ("henon", {"nullclines": True}, "nullclines: given True, but henon is a map"),
        ("van_der_pol", {"field": "lines"}, "field: given 'lines', accepted: 'auto', 'stream'"),
        ("van_der_pol", {"box": [(1, 0), (0, 1)]}, "box: "),
        ("van_der_pol", {"box": 3}, "box: given 3, accepted: 2 pairs"),
        ("van_der_pol", {"trajectories": 0}, "trajectories: given 0"),
        ("van_der_pol", {"duration": -1}, "duration: given -1"),
        ("van_der_pol", {"seed": -1}, "seed: given -1"),
    ],
)
def test_portrait_refuses(name, keywords, words):
    with pytest.raises(ValueError, match=words):
        lk.plot.phase_portrait(getattr(lk.systems, name)(), **keywords)
    assert not plt.get_fignums()


def test_portrait_refuses_a_flow_of_one_unit():
    with pytest.raises(ValueError, match=r"^system: linear_flow is a flow of 1 units"):
        lk.plot.phase_portrait(lk.systems.linear_flow(A=[[-1.0]]))
    with pytest.raises(TypeError, match=r"^system: given 3"):
        lk.plot.phase_portrait(3)
