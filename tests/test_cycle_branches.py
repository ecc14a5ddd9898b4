"""Families of limit cycles: where others branch off, and what they are at their ends."""

import math

import numpy as np

import lyapkit as lk
from lyapkit.flags import SPECIAL_KIND


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
