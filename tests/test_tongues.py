"""Arnold tongues: borders against closed forms, and against the grid's own locked points; shares of the plane."""

import math

import numpy as np
import pytest

import lyapkit as lk
from lyapkit.flags import END, SIDE
from lyapkit.systems.models._rotation import snic_angle


@pytest.fixture(scope="module")
def plane():
    grid = {"alpha": np.linspace(1.0, 4.0, 31), "theta": np.linspace(0.0, math.pi / 2, 41)}
    return lk.tongues(lk.systems.rotation_map, grid, longest_q=8, duration=2000)


def circle():
    """x <- x + omega - k sin(x - 1.7) on the circle, whose 0/1 tongue is |omega| <= k; its jump is far from cycles."""
    return lk.define_map(
        lambda x, k, omega: [np.mod(x[0] + omega - k * np.sin(x[0] - 1.7), 2 * np.pi)],
        parameters={"k": 0.5, "omega": 1.0}, dimension=1, name="circle", initial_state=[1.0],
    )  # fmt: skip


def of(ds, p, q, side):
    chosen = (ds.border_p == p) & (ds.border_q == q) & (ds.border_side == SIDE[side])
    return ds.isel(border_point=np.flatnonzero(chosen))


def test_the_strong_resonance_opens_as_the_normal_form_says():
    grid = {"alpha": np.linspace(1.0, 1.3, 7), "theta": np.linspace(1.4, math.pi - 1.4, 25)}
    ds = lk.tongues(lk.systems.rotation_map, grid, longest_q=4)
    for side, sense in (("below", -1), ("above", 1)):
        border = of(ds, 1, 4, side)
        gain, off = border.border_alpha.values - 1, border.border_theta.values - math.pi / 2
        near = (gain < 0.1) & (gain > 1e-4)
        assert near.sum() > 5 and (sense * off[near] > 0).all()
        # edges at (alpha - 1) / (2 sqrt 2) (1 + O(alpha - 1))
        ratio = sense * off[near] * 2 * math.sqrt(2) / gain[near]
        assert (abs(ratio - 1) < 0.5 * gain[near]).all()
        assert END["no_cycle"] in border.border_end.values[[0, -1]] and gain.min() < 1e-3
    below, above = of(ds, 1, 4, "below"), of(ds, 1, 4, "above")
    order, other = np.argsort(below.border_alpha.values), np.argsort(above.border_alpha.values)
    at = np.linspace(1.05, 1.29, 9)
    mirrored = np.interp(at, above.border_alpha.values[other], math.pi - above.border_theta.values[other])
    own = np.interp(at, below.border_alpha.values[order], below.border_theta.values[order])
    np.testing.assert_allclose(own, mirrored, atol=1e-5)  # of the interpolation between points


def test_the_border_of_rest_is_the_fold_in_closed_form(plane):
    border = of(plane, 0, 1, "above")
    assert border.sizes["border_point"] > 20 and float(border.border_alpha.max()) == 4.0
    inside = border.border_alpha.values > 1.0 + 1e-6
    error = border.border_theta.values[inside] - snic_angle(border.border_alpha.values[inside])
    assert abs(error).max() < 1e-10


def test_points_on_borders_are_double_points_of_the_power_of_the_map(plane):
    for q in (4, 5, 8):
        border = of(plane, 1, q, "below").isel(border_point=slice(None, None, 7))
        for i in range(border.sizes["border_point"]):
            alpha, theta = float(border.border_alpha[i]), float(border.border_theta[i])
            x, slope = border.border_state.values[i], np.eye(2)
            turn = alpha * np.array([[math.cos(theta), -math.sin(theta)], [math.sin(theta), math.cos(theta)]])
            start = x
            for _ in range(q):
                x = np.tanh(turn @ x)
                slope = (1 - x**2)[:, None] * turn @ slope
            assert abs(x - start).max() < 1e-12
            assert abs(np.linalg.det(slope - np.eye(2))) < 1e-9


def test_borders_separate_what_is_locked_from_what_is_not(plane):
    for q in (4, 5, 6, 8):
        mine = ((plane.locking_p == 1) & (plane.locking_q == q)).values
        low, high = (of(plane, 1, q, side) for side in ("below", "above"))
        for i, alpha in enumerate(plane.alpha.values):
            edges = []
            for border, default in ((low, -np.inf), (high, np.inf)):
                order = np.argsort(border.border_alpha.values)
                x, y = border.border_alpha.values[order], border.border_theta.values[order]
                known = len(x) > 0
                edges.append(np.interp(alpha, x, y, left=np.nan) if known else default)
            if np.isnan(edges).any():  # before the tip, where the tongue is thinner than rounding
                continue
            theta, slack = plane.theta.values, 1e-4  # interpolation, and what is too slow to be proved locked
            inside = (theta > edges[0] + slack) & (theta < edges[1] - slack)
            outside = (theta < edges[0] - slack) | (theta > edges[1] + slack)
            assert mine[i, inside].all(), (q, alpha)
            assert not mine[i, outside].any(), (q, alpha)


def test_shares_count_points_that_turn(plane):
    turning = plane.status.values == 0
    locked = plane.locked.values == 1
    assert float(plane.locked_share) == locked.sum() / turning.sum()
    for q in (1, 4, 8):
        assert float(plane.locked_share_of_q.sel(q=q)) == (locked & (plane.locking_q.values == q)).sum() / turning.sum()
    assert float(plane.locked_share_of_q.sum()) <= float(plane.locked_share)


@pytest.mark.parametrize(
    ("low", "high", "share", "slack"), [(1.001, 1.5, 0.09, 0.03), (1.001, 2.0, 0.20, 0.03), (1.001, 10.0, 0.75, 0.04)]
)  # the slack is that of 900 points
def test_shares_of_the_plane_are_those_known(low, high, share, slack):
    middle = (np.arange(30) + 0.5) / 30
    grid = {"alpha": low + (high - low) * middle, "theta": math.pi / 2 * middle}
    ds = lk.tongues(lk.systems.rotation_map, grid, longest_q=1, duration=2000)
    assert abs(float(ds.locked_share) - share) < slack


def test_the_circle_map_has_its_main_tongue_in_closed_form():
    grid = {"k": np.linspace(0.1, 0.95, 7), "omega": np.linspace(-1.0, 3.6, 42)}
    ds = lk.tongues(circle(), grid, angle=0, longest_q=3)
    for side, sense in (("below", -1), ("above", 1)):
        border = of(ds, 0, 1, side)
        assert abs(sense * border.border_omega - border.border_k).max() < 1e-12
        assert border.border_k.values[[0, -1]].tolist() in ([0.1, 0.95], [0.95, 0.1])
    for side, sense in (("below", -1), ("above", 1)):
        border = of(ds, 1, 2, side)  # omega = pi -+ k^2 / 4 to higher orders
        k = border.border_k.values
        assert len(k) > 10 and (abs(sense * (border.border_omega - math.pi) - k**2 / 4) < 0.15 * k**3).all()


def test_it_is_drawn_and_kept_in_a_file(plane, tmp_path):
    ax = lk.plot.tongues(plane)
    named = [text.get_text() for text in ax.texts if "/" in text.get_text()]
    assert "0/1" in named and "1/4" in named and "1/8" in named
    assert ax.get_xlabel() == r"$\alpha$"
    assert lk.plot.plane(plane, "rotation_number").get_ylabel() == r"$\theta$ (rad)"
    lk.save(plane, tmp_path / "tongues.nc")
    assert lk.load(tmp_path / "tongues.nc").identical(plane)


def test_a_plane_without_tongues_has_no_borders():
    grid = {"alpha": np.linspace(0.5, 0.8, 3), "theta": np.linspace(0.0, 1.0, 3)}
    ds = lk.tongues(lk.systems.rotation_map, grid)
    assert ds.sizes["border_point"] == 0 and float(ds.locked_share) == 0.0
    lk.plot.tongues(ds)


def test_misuse_is_named():
    with pytest.raises(ValueError, match="two parameters"):
        lk.tongues(lk.systems.rotation_map, {"alpha": [1.0, 2.0]})
    with pytest.raises(ValueError, match="longest_q"):
        lk.tongues(lk.systems.rotation_map, longest_q=0)
    with pytest.raises(ValueError, match="a flow"):
        lk.tongues(lk.systems.rotation_flow)
    with pytest.raises(ValueError, match="borders"):
        lk.plot.tongues(lk.trajectory(lk.systems.henon(), duration=3))
