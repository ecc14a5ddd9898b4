"""Rotation numbers: closed forms, symmetries, an independent slow loop, locking proved, invariant circles."""

import math

import numpy as np
import pytest
import scipy.integrate

import lyapkit as lk
from lyapkit.analyses.orbits.clock import clock
from lyapkit.analyses.tori.locking import attracting_root
from lyapkit.flags import REMEDY, STATUS
from lyapkit.progress import Monitor

GOLDEN = (math.sqrt(5) - 1) / 2
# beyond the claimed error, a rotation number carries the rounding of its own last digits
ROUNDING = 4e-16


def turned(theta, gain=1.0):
    c, s = math.cos(theta), math.sin(theta)
    return gain * np.array([[c, -s], [s, c]])


def measured(system, **keywords):
    return lk.rotation_number(system, **keywords)


def difference(a, b):
    """Between turns, modulo 1."""
    return abs((a - b + 0.5) % 1.0 - 0.5)


@pytest.mark.parametrize("theta", [1.0, -1.0, 2.5, 0.01, math.pi - 1e-3, 2 * math.pi * GOLDEN, 4 * math.pi / 5])
@pytest.mark.parametrize("gain", [1.0, 0.9995])
def test_linear_map_turns_by_its_angle(theta, gain):
    ds = measured(lk.systems.linear_map(A=turned(theta, gain)), initial_state=[0.4, -0.3])
    assert difference(float(ds.rotation_number), theta / (2 * math.pi)) <= ROUNDING
    assert ds.rotation_number_stderr < 1e-15
    assert ds.locked == ds.locking_q == ds.orbit_period == 0  # a neutral cycle, if one, attracts nothing
    assert ds.status == 0


def test_elliptic_rotation_is_uneven_but_conjugate():
    """A rotation seen in other coordinates: uneven increments, the same mean."""
    S = np.array([[3.0, 1.0], [0.0, 0.4]])
    system = lk.systems.linear_map(A=S @ turned(1.0) @ np.linalg.inv(S))
    for duration, error in ((10_000, 1e-12), (40_000, 1e-15)):
        ds = measured(system, initial_state=[0.4, -0.3], duration=duration)
        assert abs(float(ds.rotation_number) - 1 / (2 * math.pi)) <= float(ds.rotation_number_stderr) < error


@pytest.mark.parametrize("p", [0.3, 2 * math.pi * GOLDEN, -1.0])
def test_standard_map_without_kicks_turns_by_its_momentum(p):
    ds = measured(lk.systems.standard_map(k=0.0), angle=0, initial_state=[1.0, p])
    assert difference(float(ds.rotation_number), p / (2 * math.pi)) <= ROUNDING


def standard_orbit(k, q, p, steps):
    turns = np.empty(steps)
    for i in range(steps):
        p = p + k * math.sin(q)
        turns[i] = p
        q = math.remainder(q + p, 2 * math.pi)
    return turns / (2 * math.pi)


def bump_mean(turns):
    s = (np.arange(len(turns)) + 1.0) / (len(turns) + 1.0)
    weights = np.exp(-1.0 / (s * (1.0 - s)))
    return math.fsum(weights * turns) / math.fsum(weights)


@pytest.mark.parametrize("k", [0.1, 0.5, 0.8])
def test_standard_map_on_a_golden_torus(k):
    """Momentum unreduced gives the lift itself; a long scalar loop averages it with `fsum`."""
    p = 2 * math.pi * GOLDEN
    ds = measured(lk.systems.standard_map(k=k), angle=0, initial_state=[1.0, p])
    truth = bump_mean(standard_orbit(k, 1.0, p, 300_000))
    assert difference(float(ds.rotation_number), truth) <= float(ds.rotation_number_stderr) + 2e-13


QUASI_PERIODIC = [
    (1.2, 0.7), (2, 1.1), (1.5, 0.6), (3, 1.0), (1.2, math.pi / 3), (1.5, 0.5), (2, 0.5), (1.02, 0.7),
]  # fmt: skip


def loop(alpha, theta, transient=5000, steps=200_000):
    """Turns per iterate by plain NumPy, all points at once: complex arithmetic, another run, another start."""
    alpha, theta = np.asarray(alpha, dtype=float), np.asarray(theta, dtype=float)
    z, factor = np.full(alpha.shape, 0.1 - 0.3j), alpha * np.exp(1j * theta)
    turns = np.empty((steps, *alpha.shape))
    for i in range(-transient, steps):
        w = factor * z
        image = np.tanh(w.real) + 1j * np.tanh(w.imag)
        if i >= 0:
            turns[i] = np.mod(np.angle(image / z), 2 * np.pi)
        z = image
    return np.array([bump_mean(column) for column in turns.T]) / (2 * np.pi)


def test_quasi_periodic_circles_agree_with_a_slow_loop():
    """1e-12 asked for; the loop's own average, of 20 times as many iterates, is good to its rounding."""
    truth = loop(*np.array(QUASI_PERIODIC).T)
    for (alpha, theta), value in zip(QUASI_PERIODIC, truth, strict=True):
        ds = measured(lk.systems.rotation_map(alpha, theta))
        assert ds.locked == 0 and ds.status == 0 and ds.estimator == 1
        assert ds.rotation_number_stderr < 1e-12
        assert abs(float(ds.rotation_number) - value) < 1e-14, (alpha, theta)


def test_rotation_tends_to_theta_at_the_bifurcation():
    """rho = theta / 2 pi + O((alpha - 1)^2), as the cubic coefficient is real: a tenth of the excess, 1/100 off."""
    off = [
        difference(float(measured(lk.systems.rotation_map(1 + e, 0.7)).rotation_number), 0.7 / (2 * math.pi))
        for e in (1e-2, 1e-3)
    ]
    assert off[0] < 1e-3 and 95 < off[0] / off[1] < 105


@pytest.mark.parametrize("alpha, theta", [(1.2, 0.7), (1.5, 0.6), (3.0, 1.0), (8.0, 0.7), (3.0, 0.2)])
def test_symmetries_of_the_plane(alpha, theta):
    """rho(theta + pi/2) = rho + 1/4, rho(-theta) = -rho, rho(pi/2 - theta) = 1/4 - rho, modulo 1."""
    rho = [
        float(measured(lk.systems.rotation_map(alpha, angle)).rotation_number)
        for angle in (theta, theta + math.pi / 2, -theta, math.pi / 2 - theta)
    ]
    assert all(0.0 <= value < 1.0 for value in rho)
    for value, truth in zip(rho[1:], (rho[0] + 0.25, -rho[0], 0.25 - rho[0]), strict=True):
        assert difference(value, truth) < 1e-13


@pytest.mark.parametrize(
    "alpha, theta, p, q",
    [
        (2.0, math.pi / 4, 1, 8), (5.0, math.pi / 4, 1, 8), (8.0, 0.7, 1, 12), (2.0, math.pi / 2, 1, 4),
        (3.0, 0.2, 0, 1), (2.0, -math.pi / 2, 3, 4), (1.3, math.pi / 4, 1, 8),
    ],
)  # fmt: skip
def test_locked_orbits(alpha, theta, p, q):
    ds = measured(lk.systems.rotation_map(alpha, theta))
    assert (int(ds.locked), int(ds.locking_p), int(ds.locking_q), int(ds.orbit_period)) == (1, p, q, q)
    assert float(ds.rotation_number) == p / q and ds.rotation_number_stderr == 0.0 and ds.status == 0
    assert difference(loop([alpha], [theta], transient=20_000, steps=5000)[0], p / q) < 1e-12


@pytest.mark.parametrize("alpha", [1.05, 1.01])
def test_weak_tongue_is_locked_although_the_orbit_has_not_arrived(alpha):
    """At theta = pi/4 rho is 1/8 by symmetry for every alpha, in a tongue of order 7: the orbit crawls for ages."""
    keywords = {"transient": 200, "duration": 2000}
    system = lk.systems.rotation_map(alpha, math.pi / 4)
    state = lk.trajectory(system, transient=2200, duration=8).state.values
    assert abs(state[-1] - state[0]).max() > 1e-9
    ds = measured(system, **keywords)
    assert (int(ds.locked), int(ds.locking_p), int(ds.locking_q)) == (1, 1, 8)


def test_a_tongue_too_weak_to_prove_is_inside_the_error():
    ds = measured(lk.systems.rotation_map(1.001, math.pi / 4))
    assert abs(float(ds.rotation_number) - 0.125) <= float(ds.rotation_number_stderr) < 1e-11


def test_just_outside_a_tongue_nothing_is_locked():
    """The 1/4 tongue's edge by its own fixed points: rotation numbers leave 1/4 where they vanish, by a square root."""
    alpha = 1.05
    theta = math.pi / 2 - np.linspace(0.0, 0.04, 81)
    ds = lk.scan(lk.rotation_number, lk.systems.rotation_map(alpha), {"theta": theta})
    locked = ds.locked.values == 1
    edge = theta[locked].min()
    assert abs((math.pi / 2 - edge) - (alpha - 1) / (2 * math.sqrt(2))) < 2e-3  # to the next order in alpha - 1
    assert (ds.rotation_number.values[locked] == 0.25).all()
    free = ds.rotation_number.values[~locked]
    assert (free < 0.25).all() and (np.diff(free) < 0).all()


def test_the_root_that_attracts_is_found_from_beside_the_one_that_repels():
    """Arnold's circle map: x + w - k sin(x), fixed points sin(x) = w / k; the attracting one has cos(x) > 0."""
    system = lk.define_map(
        lambda x, w, k: (x[0] + w - k * np.sin(x[0]),), parameters={"w": 0.0, "k": 1e-4}, dimension=1
    )
    steps = clock(system, 0, 1, None, None)
    start = np.array([[math.pi - 0.1], [0.3], [-2.9]])
    with Monitor(1, "test") as monitor:
        found, root = attracting_root(system, {}, start, steps, 1, np.full(3, 4.0), monitor)
        neutral, _ = attracting_root(system.with_(k=0.0), {}, start, steps, 1, np.full(3, 4.0), monitor)
    assert found.all() and not neutral.any()
    assert abs(root).max() < 1e-3


@pytest.mark.parametrize("w, k", [(1.0, 0.5), (2.2, 0.9), (0.4, 0.5)])
def test_circle_map_as_an_angle(w, k):
    """One unit that is an angle; the lift's mean advance by a plain loop. (0.4, 0.5) rests: locked 0 / 1."""
    system = lk.define_map(
        lambda x, w, k: (np.mod(x[0] + w - k * np.sin(x[0]), 2 * np.pi),), parameters={"w": w, "k": k}, dimension=1
    )
    x, turns = 0.3, np.empty(200_000)
    for i in range(len(turns)):
        turns[i] = (w - k * math.sin(x)) / (2 * math.pi)
        x += 2 * math.pi * turns[i]
    ds = measured(system, angle=0, initial_state=[0.1])
    if w < k:
        assert (int(ds.locked), int(ds.locking_p), int(ds.locking_q)) == (1, 0, 1)
    assert difference(float(ds.rotation_number), bump_mean(turns)) < 1e-12


def test_period_doubled_cycle_turns_in_lowest_terms():
    """Henon at a = 1.0 has a cycle of 4 that turns about the fixed point as the cycle of 2 did."""
    b, a = 0.3, 1.0
    fixed = ((b - 1) + math.sqrt((1 - b) ** 2 + 4 * a)) / (2 * a)
    ds = measured(lk.systems.henon(a=a), centre=[fixed, b * fixed])
    assert int(ds.orbit_period) == 4 and int(ds.locking_q) == 2 and float(ds.rotation_number) == 0.5


def test_euler_map_turns_as_its_flow_to_first_order():
    """rho / h tends to the flow's frequency; halving h halves the distance."""
    alpha, theta = 2.0, 0.9
    W = turned(theta, alpha)
    crossing = lambda t, x: x[1]  # noqa: E731
    crossing.direction = 1.0
    flow = scipy.integrate.solve_ivp(
        lambda t, x: -x + np.tanh(W @ x), (0, 200), [0.5, 0.2], rtol=1e-11, atol=1e-12, events=crossing
    )
    frequency = 1.0 / (flow.t_events[0][-1] - flow.t_events[0][-2])
    system = lk.systems.rotation_euler(alpha, theta)
    off = [float(measured(system.with_(h=h)).rotation_number) / h - frequency for h in (0.02, 0.01)]
    assert abs(off[1]) < 0.01 * frequency * 5
    assert abs(off[0] / off[1] - 2.0) < 0.1


def test_blocks_of_a_network_turn_as_they_do_alone():
    system = lk.systems.block_rotation_map(alpha=[1.5, 2.0, 1.2], theta=[0.7, 1.1, 0.7])
    for block, (alpha, theta) in enumerate([(1.5, 0.7), (2.0, 1.1), (1.2, 0.7)]):
        ds = measured(system, plane=(2 * block, 2 * block + 1))
        alone = measured(lk.systems.rotation_map(alpha, theta))
        assert abs(float(ds.rotation_number) - float(alone.rotation_number)) < 1e-14


@pytest.mark.parametrize("gain, theta, q", [(1.2, 0.7, 0), (8.0, 0.7, 12), (1.3, math.pi / 4, 8)])
def test_network_of_many_units(gain, theta, q):
    """A block that turns within a network of 60 units that fade away: weights spread over lanes, Newton-Picard."""
    W = np.zeros((60, 60))
    W[:2, :2] = turned(theta, gain)
    W[2:, 2:] = 0.3 * np.random.default_rng(1).normal(size=(58, 58)) / math.sqrt(58)
    ds = measured(lk.systems.rnn_map(W), duration=3000)
    alone = measured(lk.systems.rotation_map(gain, theta))
    assert int(ds.locking_q) == int(alone.locking_q) == q
    assert abs(float(ds.rotation_number) - float(alone.rotation_number)) < 1e-12


def skew(x, omega):
    """A turn by omega + s / 10, s from the logistic map of r = 4: mean 1/2, variance 1/8, uncorrelated."""
    angle = omega + 0.1 * x[2]
    c, s = np.cos(angle), np.sin(angle)
    return c * x[0] - s * x[1], s * x[0] + c * x[1], 4.0 * x[2] * (1.0 - x[2])


def test_chaotic_turning_has_honest_errors():
    """Errors over 64 orbits scatter as claimed, and the claim is sigma / sqrt(steps)."""
    system = lk.define_map(skew, parameters={"omega": 0.5}, dimension=3)
    omega = np.linspace(0.4, 0.9, 64)
    start = np.stack([np.ones(64), np.zeros(64), np.random.default_rng(3).uniform(0.1, 0.9, 64)], axis=-1)
    ds = lk.scan(lk.rotation_number, system, {"omega": omega}, initial_state=start)
    assert (ds.status == 0).all() and (ds.estimator == 0).all() and not ds.locked.any()
    error = ds.rotation_number_stderr.values
    expected = 0.1 * math.sqrt(1 / 8) / (2 * math.pi) / math.sqrt(10_000)
    assert 0.8 < np.median(error) / expected < 1.5  # the larger of two groupings is somewhat more
    score = (ds.rotation_number.values - (omega + 0.05) / (2 * math.pi)) / error
    assert np.sqrt(np.mean(score**2)) < 1.3 and abs(score).max() < 4.5


@pytest.mark.parametrize(
    "system, keywords, word",
    [
        (lk.systems.rotation_map(0.5, 0.7), {}, "fixed_point"),
        (lk.systems.rotation_map(2.0, 0.7), {"initial_state": [0.0, 0.0]}, "fixed_point"),
        (lk.systems.henon(a=5.0), {}, "diverged"),
        (lk.systems.henon(), {}, "no_rotation"),
        (lk.systems.linear_map(A=turned(math.pi / 2)), {"initial_state": [1.0, 0.0], "centre": [0.0, 1.0]},
         "no_rotation"),
    ],
)  # fmt: skip
def test_a_missing_number_says_why(system, keywords, word):
    ds = measured(system, **keywords)
    assert int(ds.status) == STATUS[word] and word in REMEDY
    assert np.isnan(ds.rotation_number) and np.isnan(ds.rotation_number_stderr)
    assert ds.locked == ds.locking_p == ds.locking_q == ds.orbit_period == 0


def test_an_orbit_that_does_not_go_around_turns_by_nothing():
    ds = measured(lk.systems.linear_map(A=turned(1.0)), initial_state=[0.5, 0.2], centre=[5.0, 0.0])
    value = float(ds.rotation_number)
    assert min(value, 1.0 - value) < 1e-15 and ds.locked == 0


def curve(modes, phi):
    k = np.arange(1, len(modes))
    return modes[0].real + 2.0 * np.real(np.exp(2j * np.pi * np.multiply.outer(phi, k)) @ modes[1:])


@pytest.mark.parametrize("alpha, theta", [(1.2, 0.7), (2.0, 1.1), (1.5, 0.5)])
def test_invariant_circle(alpha, theta):
    """f(X(phi)) = X(phi + rho), to alpha times the modes left out plus those themselves."""
    K = 24
    system = lk.systems.rotation_map(alpha, theta)
    ds = measured(system, n_modes=K)
    all_modes = measured(system, n_modes=5 * K, duration=40_000).circle_mode.values
    left_out = 2.0 * abs(all_modes[K + 1 :]).sum(axis=0).max()
    phi = np.linspace(0.0, 1.0, 200, endpoint=False)
    modes = ds.circle_mode.values
    X, later = curve(modes, phi), curve(modes, phi + float(ds.rotation_number))
    bound = (1.0 + alpha * math.sqrt(2)) * left_out + 1e-11
    assert abs(np.tanh(X @ turned(theta, alpha).T) - later).max() <= bound < 1e-3
    assert 0.0 < float(ds.circle_residual) <= left_out + 1e-11
    assert modes[1, 0].real > 0 and abs(modes[1, 0].imag) < 1e-15


def test_circle_of_a_linear_map_has_one_mode():
    """X = (cos, sin)(2 pi phi) r: c_1 = r/2 (1, -i), all others nothing."""
    ds = measured(lk.systems.linear_map(A=turned(1.0)), initial_state=[0.3, 0.4], n_modes=3)
    truth = np.zeros((4, 2), dtype=complex)
    truth[1] = 0.25, -0.25j
    iterates = 1000 + 10_000 + 20_000  # the radius keeps within eps for each
    assert abs(ds.circle_mode.values - truth).max() < 0.25 * iterates * np.finfo(float).eps
    assert np.isnan(measured(lk.systems.rotation_map(), n_modes=3).circle_mode).all()  # locked: no circle


GRID = {"alpha": np.linspace(0.9, 3.0, 6), "theta": np.linspace(0.1, 1.5, 7)}


def test_scan_is_the_same_to_the_bit_whatever_the_blocks():
    keywords = {"duration": 2000, "n_modes": 4}
    one = lk.scan(lk.rotation_number, lk.systems.rotation_map, GRID, block=8, workers=2, **keywords)
    other = lk.scan(lk.rotation_number, lk.systems.rotation_map, GRID, block=512, workers=1, **keywords)
    for name, variable in one.variables.items():
        assert variable.values.tobytes() == other[name].values.tobytes(), name
    for i, j in [(0, 0), (1, 3), (5, 6), (3, 3)]:
        system = lk.systems.rotation_map(GRID["alpha"][i], GRID["theta"][j])
        alone = measured(system, **keywords)
        for name in alone.data_vars:
            assert alone[name].values.tobytes() == one[name].values[i, j].tobytes(), (name, i, j)


def test_scan_round_trip(tmp_path):
    ds = lk.scan(lk.rotation_number, lk.systems.rotation_map, GRID, duration=1000, n_modes=2)
    assert ds.circle_mode.dtype == complex and ds.locking_q.dtype == np.int64 and ds.locked.dtype == np.int8
    lk.save(ds, tmp_path / "rho.nc")
    assert lk.load(tmp_path / "rho.nc").identical(ds)
    for name, variable in ds.variables.items():
        assert variable.attrs["long_name"] != name or name in GRID, name


def test_until_runs_on_and_says_when_it_does_not_suffice():
    system = lk.systems.rotation_map(2.0, 0.5)
    early = measured(system, duration=200, until=1e-3)
    late = measured(system, duration=200, until=1e-13)
    assert early.averaging_duration == 200 < late.averaging_duration
    assert late.rotation_number_stderr <= 1e-13 and late.status == 0
    chaotic = lk.define_map(skew, parameters={"omega": 0.5}, dimension=3)
    ds = measured(chaotic, initial_state=[1.0, 0.0, 0.3], duration=600, until=1e-9)
    assert int(ds.status) == STATUS["not_converged"]
    assert abs(float(ds.rotation_number) - 0.55 / (2 * math.pi)) < 5 * float(ds.rotation_number_stderr)


@pytest.mark.parametrize(
    "system, keywords, message",
    [
        (lk.systems.rotation_flow(), {}, r"limit_cycle\(system\)\.frequency"),
        (lk.systems.rotation_map(), {"plane": (0, 0)}, "plane: given"),
        (lk.systems.rotation_map(), {"plane": (0, 2)}, "plane: given"),
        (lk.systems.rotation_map(), {"centre": [1.0, 2.0, 3.0]}, "centre: given"),
        (lk.systems.rotation_map(), {"angle": 0, "centre": [0.0, 0.0]}, "angle: given"),
        (lk.systems.rotation_map(), {"angle": 0, "n_modes": 2}, "n_modes: given"),
        (lk.systems.rotation_map(), {"n_modes": -1}, "n_modes: given"),
        (lk.systems.rotation_map(), {"longest_period": 0}, "longest_period: given"),
        (lk.systems.rotation_map(), {"until": 0.0}, "until: given"),
        (lk.systems.logistic(), {}, "one unit"),
        (lk.systems.rnn_map(input=np.ones((20_000, 1)), V=[[1.0], [0.0]], W=np.eye(2)), {}, "input"),
    ],
)  # fmt: skip
def test_misuse_is_refused(system, keywords, message):
    with pytest.raises(ValueError, match=message):
        measured(system, **keywords)


def test_only_one_period_at_most_is_sought():
    ds = measured(lk.systems.rotation_map(2.0, math.pi / 4), longest_period=7)
    assert ds.locked == 0 and abs(float(ds.rotation_number) - 0.125) < 1e-14
