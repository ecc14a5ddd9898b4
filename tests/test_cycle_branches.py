"""Families of limit cycles: where others branch off, and what they are at their ends."""

import math

import numpy as np

import lyapkit as lk
from lyapkit.flags import END, SPECIAL_KIND


def test_a_pair_of_cycles_branches_off():
    """A cycle in the plane z = 0 that loses its stability to a pair of others, z = +- sqrt(mu), at mu = 0."""

    def rule(x, mu):
        growth = 1 - x[0] * x[0] - x[1] * x[1]
        return growth * x[0] - x[1], growth * x[1] + x[0], mu * x[2] - x[2] ** 3

    system = lk.define_flow(rule, parameters={"mu": -0.5}, dimension=3)
    cycle = lk.limit_cycle(system, initial_state=[0.9, 0.1, 0.1])
    ds = lk.continuation(system, "mu", (-1.0, 1.0), start=cycle, switch=("branch_point",))
    places = ds.special_mu.values[ds.special_kind.values == SPECIAL_KIND["branch_point"]]
    assert len(places) and abs(places).max() < 1e-9
    last = ds.isel(point=np.flatnonzero(ds.mu.values == 1.0))
    assert sorted(round(float(z), 8) for z in last.state.values[:, 2]) == [-1.0, 0.0, 1.0]
    np.testing.assert_allclose(last.log_abs_multiplier.min("mode"), -4 * math.pi, rtol=1e-7)  # radially, exp(-2 T)
    np.testing.assert_allclose(last.period, 2 * math.pi, rtol=1e-10)
    stable = last.stable.values[np.argsort(last.state.values[:, 2])]
    assert stable.tolist() == [1, -1, 1]


def test_fold_of_cycles_in_closed_form():
    """r' = r (mu + r^2 - r^4), angle' = 1: unstable cycles of the Hopf point turn into stable ones at mu = -1/4."""

    def rule(x, mu):
        square = x[0] * x[0] + x[1] * x[1]
        growth = mu + square - square * square
        return growth * x[0] - x[1], growth * x[1] + x[0]

    system = lk.define_flow(rule, parameters={"mu": -0.1}, dimension=2)
    ds = lk.continuation(system, "mu", (-1.0, 1.0), start=[0.0, 0.0], switch=("hopf",))
    at = np.flatnonzero(ds.special_kind == SPECIAL_KIND["fold"])
    assert len(at) == 1 and abs(float(ds.special_mu[at[0]]) + 0.25) < 1e-9
    cycles = ds.isel(point=np.flatnonzero((ds.branch_number == 2).values)[1:])
    square = (cycles.state.values**2).sum(axis=1)
    np.testing.assert_allclose(cycles.mu, square**2 - square, atol=1e-9)
    np.testing.assert_allclose(cycles.period, 2 * math.pi, rtol=1e-9)
    away = abs(square - 0.5) > 1e-3
    growth = 2 * math.pi * (2 * square - 4 * square**2)  # ln of the multiplier
    found = cycles.log_abs_multiplier.values
    others = np.where(abs(found[:, 0]) > abs(found[:, 1]), found[:, 0], found[:, 1])
    np.testing.assert_allclose(others[away], growth[away], atol=1e-6)
    np.testing.assert_array_equal(cycles.stable.values[away], np.where(square > 0.5, 1, -1)[away])


def test_a_doubled_family_between_two_doublings_is_followed_once():
    """x' = y, y' = z, z' = -z - b y - x + x^2: cycles that double and halve again; each doubling by limit_cycle too."""
    system = lk.symbolic_flow({"x": "y", "y": "z", "z": "-z-b*y-x+x**2"}, parameters={"b": 0.9})
    ds = lk.continuation(system, "b", (0.3, 1.2), start=[0.0, 0.0, 0.0], switch=True)
    doublings = ds.isel(special=np.flatnonzero(ds.special_kind == SPECIAL_KIND["period_doubling"]))
    assert doublings.sizes["special"] == 2 and ds.sizes["branch"] == 3
    assert (ds.end_reason.values[2] == END["other_branch"]).all()
    doubled = ds.isel(point=np.flatnonzero(ds.branch_number == 3))
    low, high = sorted(doublings.special_b.values)
    assert abs(doubled.b.min() - low) < 0.05 and abs(doubled.b.max() - high) < 1e-6
    for i in range(2):
        one = doublings.isel(special=i)
        there = lk.limit_cycle(
            system.with_(b=float(one.special_b)), guess=one.special_state.values, period=float(one.special_period)
        )
        assert abs(there.floquet_multiplier.values + 1.0).min() < 1e-6


def test_a_family_ends_where_it_shrinks_to_its_hopf_point():
    system = lk.systems.brusselator(A=1.0, B=2.5)
    ds = lk.continuation(system, "B", (1.5, 3.0), start=lk.limit_cycle(system))
    assert ds.end_reason.values[0].tolist() == [END["no_cycle"], END["bound"]]
    assert abs(float(ds.B[0]) - 2.0) < 0.01 and float(ds.B[-1]) == 3.0


def test_a_doubled_branch_begins_at_a_point_of_an_earlier_result():
    system = lk.systems.rossler(a=0.2, b=0.2, c=2.5)
    first = lk.continuation(system, "c", (2.0, 3.5), start=lk.limit_cycle(system))
    at = int(np.flatnonzero(first.special_kind == SPECIAL_KIND["period_doubling"])[0])
    doubled = lk.continuation(system, "c", (2.0, 3.5), start=first.isel(special=at))
    there = lk.limit_cycle(system.with_(c=3.5))
    one = doubled.isel(point=int(np.argmax(doubled.c.values)))
    assert float(one.c) == 3.5
    np.testing.assert_allclose(one.period, there.period, rtol=1e-8)
