"""Frequencies of tori: exact lines, blocks of networks against single blocks, lattices, chaos."""

import math

import numpy as np
import pytest
import scipy.integrate

import lyapkit as lk
from lyapkit.analyses.tori.spectral_lines import find_lines
from lyapkit.analyses.tori.tone_lattice import Lattice, combinations, echelon
from lyapkit.flags import STATUS

ALPHA, THETA = [1.2, 2.0, 1.5, 3.0], [0.7, 1.1, 0.6, 1.0]  # quasi-periodic blocks of the map
FLOW_ALPHA, FLOW_THETA = [2.0, 1.5, 1.8, 3.0], [0.9, 0.6, 0.8, 1.1]  # cycles of the flow


def measured(system, **keywords):
    return lk.torus_frequencies(system, **keywords)


def tones(ds):
    assert int(ds.status) == 0
    count = int(ds.n_frequencies)
    assert np.isnan(ds.frequency[count:]).all()
    return ds.frequency.values[:count]


def lines_are_combinations(ds):
    """Every line is the combination it claims, within its own error and its tones'."""
    count, lines = int(ds.n_frequencies), int(ds.n_lines)
    orders = ds.line_order.values[:lines, :count]
    predicted = orders @ ds.frequency.values[:count]
    if ds.attrs["kind"] == "map":
        predicted = predicted + ds.line_clock.values[:lines] / int(ds.clock_parts)
    reach = 3 * ds.line_frequency_stderr.values[:lines] + abs(orders) @ ds.frequency_stderr.values[:count]
    assert (abs(predicted - ds.line_frequency.values[:lines]) <= reach + 1e-15).all()


def block_diagonal(angles, make):
    A = np.zeros((2 * len(angles), 2 * len(angles)))
    for i, angle in enumerate(angles):
        A[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = make(angle)
    return A


def turn(angle):
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_linear_map_has_its_eigenvalues_as_lines(count):
    angles = [1.0, math.sqrt(5) - 1, math.sqrt(7), math.sqrt(3)][:count]
    start = np.repeat([1.0, 0.5, 0.2, 0.1][:count], 2)
    ds = measured(lk.systems.linear_map(A=block_diagonal(angles, turn)), initial_state=start)
    assert abs(tones(ds) - np.array(angles) / (2 * math.pi)).max() < 1e-14
    assert int(ds.n_lines) == count and int(ds.clock_parts) == 1 and ds.unexplained_share < 1e-20
    radii = start[::2, None] * math.sqrt(2) * np.repeat(np.eye(count), 2, axis=1)
    assert abs(ds.line_amplitude.values[:count] - radii).max() < 1e-10
    assert abs(ds.amplitude.values[:count] - start[::2] * 2).max() < 1e-10


def test_linear_flow_has_its_eigenvalues_as_lines():
    """rk8 keeps a centre's frequency to far below rounding of the sum at this step."""
    A = block_diagonal([1.0, math.sqrt(2)], lambda omega: np.array([[0.0, -omega], [omega, 0.0]]))
    ds = measured(lk.systems.linear_flow(A=A), method="rk8", duration=1000, initial_state=[1.0, 0.0, 0.5, 0.0])
    assert abs(tones(ds) - np.array([1.0, math.sqrt(2)]) / (2 * math.pi)).max() < 1e-12
    assert (ds.frequency_stderr.values[:2] < 1e-12).all()


@pytest.mark.parametrize("mu, omega, c", [(1.0, 2.0, 0.5), (0.5, 1.0, -1.0), (2.0, 3.0, 0.3)])
def test_stuart_landau(mu, omega, c):
    ds = measured(lk.systems.stuart_landau(mu, omega, c), method="rk8", duration=500, dt=0.02)
    assert abs(tones(ds) - (omega - c * mu) / (2 * math.pi)).max() < 1e-12
    assert int(ds.n_lines) == 1
    assert abs(ds.line_amplitude.values[0] - math.sqrt(mu)).max() < 1e-10


def bump_mean(turns):
    s = (np.arange(len(turns)) + 1.0) / (len(turns) + 1.0)
    weights = np.exp(-1.0 / (s * (1.0 - s)))
    return math.fsum(weights * turns) / math.fsum(weights)


def turning(system, plane, dt=0.05, transient=500, duration=8000):
    """Turns per time unit in a plane: weighted Birkhoff mean of an orbit's increments of its angle."""
    state = lk.trajectory(system, transient=transient, duration=duration, dt=dt).state.values
    z = state[:, plane] + 1j * state[:, plane + 1]
    return bump_mean(np.angle(z[1:] / z[:-1])) / (2 * math.pi * dt)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_blocks_of_a_map_have_the_frequencies_of_single_blocks(count):
    ds = measured(lk.systems.block_rotation_map(alpha=ALPHA[:count], theta=THETA[:count]))
    alone = [
        float(lk.rotation_number(lk.systems.rotation_map(a, t)).rotation_number)
        for a, t in zip(ALPHA[:count], THETA[:count], strict=True)
    ]
    assert abs(np.sort(tones(ds)) - np.sort(alone)).max() < 1e-13  # 1e-9 asked for
    lines_are_combinations(ds)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_blocks_of_a_flow_have_the_frequencies_of_single_blocks(count):
    ds = measured(lk.systems.block_rotation_flow(alpha=FLOW_ALPHA[:count], theta=FLOW_THETA[:count]))
    alone = [
        turning(lk.systems.rotation_flow(a, t), 0) for a, t in zip(FLOW_ALPHA[:count], FLOW_THETA[:count], strict=True)
    ]
    assert abs(np.sort(tones(ds)) - np.sort(alone)).max() < 1e-12
    lines_are_combinations(ds)


def test_frequency_of_a_flow_is_one_over_its_period():
    """The period by SciPy's integrator and its event location, to their tolerance."""
    W = 2.0 * turn(0.9)
    crossing = lambda t, x: x[1]  # noqa: E731
    crossing.direction = 1.0
    flow = scipy.integrate.solve_ivp(
        lambda t, x: -x + np.tanh(W @ x), (0, 400), [0.5, 0.2], "DOP853", rtol=1e-12, atol=1e-13, events=crossing
    )
    times = flow.t_events[0]
    frequency = 20 / (times[-1] - times[-21])
    ds = measured(lk.systems.rotation_flow(2.0, 0.9), method="rk8")
    assert abs(tones(ds)[0] - frequency) < 1e-10


@pytest.mark.parametrize("count", [2, 3])
def test_weakly_coupled_blocks_of_a_map(count):
    """The torus persists; each frequency is the mean turning in its block's plane."""
    coupling = 1e-2 * np.random.default_rng(0).normal(size=(2 * count, 2 * count))
    system = lk.systems.block_rotation_map(alpha=ALPHA[:count], theta=THETA[:count], coupling=coupling)
    ds = measured(system)
    planes = [lk.rotation_number(system, plane=(2 * i, 2 * i + 1), duration=40_000) for i in range(count)]
    alone = np.sort([float(plane.rotation_number) for plane in planes])
    error = max(float(plane.rotation_number_stderr) for plane in planes)
    assert error < 1e-9
    off = abs(np.sort(tones(ds)) - alone)
    assert off.max() < 1e-9 and off.max() <= 4 * ds.frequency_stderr.values[:count].max() + error
    lines_are_combinations(ds)
    mixed = (ds.line_order.values != 0).sum(axis=1) > 1
    assert mixed.any()  # lines of both: the blocks do know of each other


@pytest.mark.parametrize("count, strength", [(2, 3e-3), (3, 3e-3), (4, 1e-3)])
def test_weakly_coupled_blocks_of_a_flow(count, strength):
    """The mean turning's own error is the change from 8000 to 16,000 time units."""
    coupling = strength * np.random.default_rng(0).normal(size=(2 * count, 2 * count))
    system = lk.systems.block_rotation_flow(alpha=FLOW_ALPHA[:count], theta=FLOW_THETA[:count], coupling=coupling)
    ds = measured(system, duration=2000 if count < 4 else 4000)  # many lines need room
    early, alone = (np.sort([turning(system, 2 * i, duration=T) for i in range(count)]) for T in (8000, 16_000))
    off = abs(np.sort(tones(ds)) - alone)
    assert off.max() < 1e-9
    assert off.max() <= 4 * ds.frequency_stderr.values[:count].max() + 2 * abs(early - alone).max() + 1e-14
    lines_are_combinations(ds)


@pytest.mark.parametrize(
    "alpha, theta, parts", [(2.0, math.pi / 4, 8), (8.0, 0.7, 12), (2.0, math.pi / 2, 4), (-2.0, 0.1, 2)]
)
def test_locked_orbit_of_a_map_has_no_frequency_of_its_own(alpha, theta, parts):
    ds = measured(lk.systems.rotation_map(alpha, theta))
    assert len(tones(ds)) == 0 and int(ds.clock_parts) == parts
    lines_are_combinations(ds)


def test_locked_block_beside_a_free_one():
    """One free frequency, and lines at eighths of the clock; the free tone is that of its block, not less an eighth."""
    ds = measured(lk.systems.block_rotation_map(alpha=[2.0, 1.2], theta=[math.pi / 4, 0.7]))
    alone = lk.rotation_number(lk.systems.rotation_map(1.2, 0.7))
    assert int(ds.clock_parts) == 8 and abs(tones(ds) - float(alone.rotation_number)).max() < 1e-13
    lines_are_combinations(ds)


def test_sharp_cycle_is_one_frequency_although_its_harmonics_are_folded():
    """Some harmonics of the Brusselator above 1e-6 are faster than half a turn per sample: unfolded."""
    ds = measured(lk.systems.brusselator())
    assert len(tones(ds)) == 1
    assert ds.line_frequency.max() > 0.5 / (int(ds.every) * float(ds.dt))
    lines_are_combinations(ds)


@pytest.mark.parametrize("name", ["henon", "lorenz63", "rossler", "ikeda"])
def test_chaos_is_not_a_torus(name):
    ds = measured(getattr(lk.systems, name)())
    assert int(ds.status) == STATUS["not_a_torus"]
    assert np.isnan(ds.frequency).all() and ds.unexplained_share > 0.01 and int(ds.n_frequencies) == 0


def test_what_rests_or_diverges_is_no_torus_either():
    ds = measured(lk.systems.rotation_map(0.5, 0.7))
    assert int(ds.status) == STATUS["fixed_point"] and int(ds.n_frequencies) == 0
    assert int(measured(lk.systems.rotation_map(3.0, 0.2)).status) == STATUS["fixed_point"]
    assert int(measured(lk.systems.henon(a=5.0)).status) == STATUS["diverged"]


def signal(lines, count=8192):
    time = np.arange(count)
    return sum(a * np.cos(2 * np.pi * f * time + p) for f, a, p in lines)[:, None]


def test_lines_of_a_made_up_signal():
    """Amplitudes over six orders, all of them placed to (amplitude ratio) x rounding."""
    known = [(0.1234567, 1.0, 0.3), (0.2, 0.2, 1.0), (0.3141592, 1e-2, 2.0), (0.41, 1e-4, 0.1), (0.05, 3e-6, 0.0)]
    lines, residual = find_lines(signal(known), 20, 1e-6)
    assert len(lines.frequency) == len(known) and residual < 1e-24
    for i, (frequency, amplitude, _) in enumerate(known):
        assert abs(lines.frequency[i] - frequency) < 1e-16 / amplitude + 1e-15
        assert abs(lines.amplitude[i, 0] - amplitude) < 1e-13
    assert (abs(lines.frequency - [f for f, _, _ in known]) <= lines.doubt + 4e-15).all()


def test_lines_too_near_each_other_are_doubted():
    """Two lines 2/T apart are seen as one; its doubt is as wide as the other is near."""
    known = [(0.2, 1.0, 0.3), (0.2 + 2 / 8192, 0.3, 1.0)]
    lines, _ = find_lines(signal(known), 20, 1e-6)
    assert abs(lines.frequency[0] - 0.2) <= lines.doubt[0]
    assert lines.doubt[0] > 1e-6


def test_fundamental_is_found_where_no_line_has_it():
    """Lines at 2 f, 3 f and 5 f, and at 2 g + f: tones f and (as nothing else tells) one that gives 2 g + f."""
    f, g = 0.05 * math.sqrt(2), 0.03 * math.sqrt(3)
    lattice = Lattice(False, 50)
    for frequency in (2 * f, 3 * f, 5 * f, 2 * g + f, 4 * g):
        assert lattice.add(frequency, 1e-13) == frequency
    lattice.simplify()
    assert len(lattice.tones) == 2
    orders = np.array(lattice.coefficients)[:, :2]
    assert abs(orders @ lattice.tones - [2 * f, 3 * f, 5 * f, 2 * g + f, 4 * g]).max() < 1e-14
    assert abs(round(np.linalg.det(orders[[0, 3]]))) == 2  # f and 2 g span: the coarsest lattice that holds all
    assert np.min(abs(lattice.tones - f)) < 1e-14


def test_lattice_of_a_map_takes_fractions_of_the_clock():
    lattice = Lattice(True, 50)
    f = 0.1 * math.sqrt(2)
    lines = [f, 3 / 8, 1 / 12, (2 * f + 5 / 24) % 1.0]
    for frequency in lines:
        lattice.add(frequency, 1e-13)
    lattice.simplify()
    assert lattice.parts == 24 and abs(lattice.tones - f).max() < 1e-14
    rows = np.array(lattice.coefficients)
    assert abs((rows @ lattice.basis - lines + 0.5) % 1.0 - 0.5).max() < 1e-13


def test_echelon_keeps_the_lattice():
    rng = np.random.default_rng(2)
    for _ in range(20):
        rows = rng.integers(-6, 7, size=(5, 3))
        basis = echelon(rows)
        coordinates = rows @ np.linalg.inv(basis)
        assert abs(coordinates - np.round(coordinates)).max() < 1e-9
        assert np.gcd.reduce([round(abs(np.linalg.det(rows[list(i)]))) for i in TRIPLES]) == round(
            abs(np.linalg.det(basis))
        )


TRIPLES = [(i, j, k) for i in range(5) for j in range(i + 1, 5) for k in range(j + 1, 5)]


def test_combinations_are_those_of_the_order_and_small_ones_first():
    known = combinations(2, 5)
    assert len(known) == len({tuple(row) for row in known}) == 61  # 2 r^2 + 2 r + 1
    assert (np.diff(abs(known).sum(axis=1)) >= 0).all() and abs(known).sum(axis=1).max() == 5
    many = combinations(4, 100)
    alone = many[(many != 0).sum(axis=1) == 1]
    assert abs(alone).max() == 100  # harmonics go all the way
    assert len(many) < 1_300_000


GRID = {"alpha": np.array([0.5, 1.2, 2.0]), "theta": np.array([0.7, math.pi / 4, 1.1])}


def test_scan_gives_the_bits_of_single_calls(tmp_path):
    keywords = {"duration": 4096, "n_lines": 12}
    ds = lk.scan(lk.torus_frequencies, lk.systems.rotation_map, GRID, block=8, **keywords)
    other = lk.scan(lk.torus_frequencies, lk.systems.rotation_map, GRID, block=64, workers=1, **keywords)
    for name, variable in ds.variables.items():
        assert variable.values.tobytes() == other[name].values.tobytes(), name
    for i, j in [(0, 0), (1, 0), (2, 1), (2, 2)]:
        alone = measured(lk.systems.rotation_map(GRID["alpha"][i], GRID["theta"][j]), **keywords)
        for name in alone.data_vars:
            assert alone[name].values.tobytes() == ds[name].values[i, j].tobytes(), (name, i, j)
    lk.save(ds, tmp_path / "torus.nc")
    assert lk.load(tmp_path / "torus.nc").identical(ds)


@pytest.mark.parametrize(
    "keywords",
    [
        {"duration": 10}, {"n_lines": 0}, {"threshold": 0.0}, {"max_order": 0}, {"every": 0}, {"max_unexplained": -1.0},
        {"transient": -1}, {"dt": 0.1}, {"method": "rk4"},
    ],
)  # fmt: skip
def test_misuse_is_refused(keywords):
    with pytest.raises(ValueError, match=f"{next(iter(keywords))}: "):
        measured(lk.systems.rotation_map(), **keywords)
