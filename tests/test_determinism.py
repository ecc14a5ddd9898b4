"""A point's bits depend on its own numbers alone: not on blocks, workers, order or neighbours."""

import numpy as np
import pytest

import lyapkit as lk

GRID = {"alpha": np.linspace(0.6, 12.0, 19), "theta": np.linspace(0.05, 1.5, 7)}  # 133 points: no multiple of 8
CASES = {
    "map": ("rotation_map", GRID, {"transient": 100, "duration": 500}),
    "steep map": ("rotation_map", GRID | {"alpha": np.linspace(10, 60, 19)}, {"duration": 300}),
    "rk4": ("rotation_flow", GRID, {"transient": 5, "duration": 20}),
    "rk8": ("rotation_flow", GRID, {"transient": 5, "duration": 20, "method": "rk8", "dt": 0.1}),
    "tsit5": ("rotation_flow", GRID, {"transient": 5, "duration": 20, "method": "tsit5", "rtol": 1e-5}),
    "dop853": ("lorenz63", {"rho": np.linspace(0.5, 60, 21)}, {"transient": 3, "duration": 9, "method": "dop853"}),
    "euler": ("rotation_flow", GRID, {"transient": 5, "duration": 20, "method": "euler"}),
    "chaotic map": ("henon", {"a": np.linspace(0.9, 1.45, 141)}, {"duration": 700}),
    "chaotic flow": ("lorenz63", {"rho": np.linspace(0.5, 60, 137)}, {"transient": 3, "duration": 9}),
    "five units": ("lorenz96", {"F": np.linspace(0.5, 9, 21)}, {"transient": 1, "duration": 4}),
    "one exponent": ("rotation_map", GRID, {"n_exponents": 1, "duration": 300}),
    "until": ("henon", {"a": np.linspace(1.1, 1.4, 21)}, {"duration": 200, "until": 0.01}),
    "history": ("lorenz63", {"rho": np.linspace(20, 40, 21)}, {"duration": 9, "history": True}),
    "fixed interval": ("rotation_map", GRID, {"frame_interval": 4, "duration": 300}),
}
SIZES = {"lorenz96": {"n": 5}}


def _system(name):
    return getattr(lk.systems, name)(**SIZES.get(name, {}))


def _scan(case, **changes):
    name, grid, keywords = CASES[case]
    grid = changes.pop("grid", grid)
    return lk.scan(lk.lyapunov_spectrum, _system(name), grid, **{**keywords, **changes})


def assert_same_bits(one, other):
    """Every variable and coordinate, NaN and the sign of zero included."""
    assert set(one.variables) == set(other.variables)
    for name in one.variables:
        a, b = one[name].values, other[name].values
        assert a.dtype == b.dtype and a.shape == b.shape, name
        assert np.array_equal(a, b, equal_nan=a.dtype.kind == "f"), name
        if a.dtype.kind == "f":
            assert np.array_equal(np.signbit(a) | np.isnan(a), np.signbit(b) | np.isnan(b)), name


@pytest.mark.parametrize("block", [1, 7, 128])
@pytest.mark.parametrize("case", CASES)
def test_block_size(case, block):
    assert_same_bits(_scan(case), _scan(case, block=block))


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("case", ["map", "rk4", "rk8", "tsit5", "chaotic flow", "until"])
def test_workers(case, workers):
    assert_same_bits(_scan(case, block=50), _scan(case, block=16, workers=workers))


@pytest.mark.parametrize("case", CASES)
def test_order_of_the_axis(case):
    """A reversed axis gives the reversed result."""
    first = next(iter(CASES[case][1]))
    backwards = CASES[case][1] | {first: CASES[case][1][first][::-1]}
    there, back = _scan(case), _scan(case, grid=backwards)
    assert_same_bits(there, back.isel({first: slice(None, None, -1)}))


@pytest.mark.parametrize("case", CASES)
def test_single_call(case):
    """One system by itself gives the bits of its grid point."""
    name, grid, keywords = CASES[case]
    ds = _scan(case)
    for i in (0, 11, 18):
        place = {axis: min(i, len(values) - 1) for axis, values in grid.items()}
        chosen = {axis: grid[axis][k] for axis, k in place.items()}
        alone = lk.lyapunov_spectrum(_system(name).with_(**chosen), **keywords)
        point = ds.isel(place).drop_vars(list(grid))
        assert_same_bits(alone, point)


def test_diverging_neighbours():
    """henon leaves the finite numbers above a = 1.43: those points are NaN, the others keep their bits."""
    mixed = np.array([0.3, 2.5, 1.0, 1.4, 3.0, 1.2, 9.0, 0.9, 1.3, 50.0])
    calm = mixed[mixed < 1.42]
    keywords = {"initial_state": [0.1, 0.1], "duration": 600}
    ds = lk.scan(lk.lyapunov_spectrum, lk.systems.henon, {"a": mixed}, **keywords)
    assert ds.status.values.tolist() == [0 if a < 1.42 else 1 for a in mixed]
    assert np.isnan(ds.lyapunov_exponent.sel(a=[2.5, 3.0, 9.0, 50.0])).all()
    alone = lk.scan(lk.lyapunov_spectrum, lk.systems.henon, {"a": calm}, **keywords)
    assert_same_bits(ds.sel(a=calm), alone)


def test_neighbours_that_need_shorter_intervals():
    """A steep map halves its interval and repeats windows: a calm neighbour does not notice."""
    calm, both = np.array([0.8, 1.1]), np.array([0.8, 40.0, 1.1, 25.0])
    keywords = {"duration": 500, "transient": 64}
    system = lk.systems.rotation_map(theta=0.7)
    ds = lk.scan(lk.lyapunov_spectrum, system, {"alpha": both}, **keywords)
    assert_same_bits(ds.sel(alpha=calm), lk.scan(lk.lyapunov_spectrum, system, {"alpha": calm}, **keywords))


@pytest.mark.parametrize("block", [1, 3, 512])
@pytest.mark.parametrize("method", ["rk4", "rk8", "tsit5"])
def test_trajectories(method, block):
    grid = {"rho": np.linspace(10, 40, 11)}
    keywords = {"method": method, "duration": 5, "transient": 1}
    ds = lk.scan(lk.trajectory, lk.systems.lorenz63, grid, block=block, **keywords)
    for i, rho in enumerate(grid["rho"]):
        alone = lk.trajectory(lk.systems.lorenz63(rho=rho), **keywords)
        assert_same_bits(alone, ds.isel(rho=i).drop_vars("rho"))


def test_initial_states_per_point():
    """(*grid, unit) initial states: each point starts from its own."""
    grid = {"a": np.linspace(1.0, 1.3, 5)}
    states = np.random.default_rng(2).uniform(-0.2, 0.2, (5, 2))
    ds = lk.scan(lk.trajectory, lk.systems.henon, grid, initial_state=states, duration=20)
    np.testing.assert_array_equal(ds.state.isel(time=0), states)
    for i, a in enumerate(grid["a"]):
        alone = lk.trajectory(lk.systems.henon(a=a), initial_state=states[i], duration=20)
        assert_same_bits(alone, ds.isel(a=i).drop_vars("a"))


def test_repeatable():
    """The same call twice, and with a progress bar."""
    system = lk.systems.lorenz63()
    one = lk.lyapunov_spectrum(system, duration=20)
    assert_same_bits(one, lk.lyapunov_spectrum(system, duration=20))
    assert_same_bits(one, lk.lyapunov_spectrum(system, duration=20, progress=True))


def test_length_of_a_driver_call_changes_nothing(monkeypatch):
    """Stopping the driver at any multiple of its window changes no bit."""
    from lyapkit.analyses.orbits import propagation

    keywords = {"duration": 30, "transient": 5, "history": True}
    one = lk.lyapunov_spectrum(lk.systems.lorenz63(), **keywords)
    monkeypatch.setattr(propagation, "_next_chunk", lambda steps, spent: propagation.tangent.WINDOW)
    assert_same_bits(one, lk.lyapunov_spectrum(lk.systems.lorenz63(), **keywords))
