"""The (alpha, theta) plane: symmetries, large gains against many digits, and how its systems belong together."""

import math

import mpmath
import numpy as np
import pytest

import lyapkit as lk
from lyapkit.analyses.lyapunov_spectrum import starting_frame

FINE = {"method": "rk8", "dt": 0.05}


def _exponents(system, **keywords):
    return lk.lyapunov_spectrum(system, **keywords).lyapunov_exponent.values


TURN = np.array([[0.0, -1.0], [1.0, 0.0]])
SWAP = np.array([[0.0, 1.0], [1.0, 0.0]])
START = np.array([0.5, 0.2])
REGULAR = [(2.0, math.pi / 4), (1.5, 0.6), (1.2, 0.5), (3.0, 1.0), (0.8, 0.4), (1.7, 0.1), (1.3, 1.4)]


def _flow(alpha, theta, start):
    return _exponents(
        lk.systems.rotation_flow(alpha=alpha, theta=theta), initial_state=start, duration=1500,
        estimator="birkhoff", **FINE,
    )  # fmt: skip


def _map(alpha, theta, start):
    return _exponents(
        lk.systems.rotation_map(alpha=alpha, theta=theta), initial_state=start, estimator="birkhoff",
        duration=50_000,
    )  # fmt: skip


@pytest.mark.parametrize(("alpha", "theta"), REGULAR)
def test_symmetries_of_the_flow(alpha, theta):
    """R(pi/2), x -> -x, and the swap of the units with theta -> -theta."""
    wanted = _flow(alpha, theta, START)
    images = [(theta, TURN @ START), (theta, -START), (-theta, SWAP @ START)]
    for angle, start in images:
        np.testing.assert_allclose(_flow(alpha, angle, start), wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("alpha", "theta"), [(2.0, math.pi / 4), (1.2, 0.7), (0.8, 0.4), (3.0, 0.2), (5.0, math.pi / 4)]
)
def test_symmetries_of_the_map(alpha, theta):
    """As the flow; and theta -> theta + pi/2, theta -> pi/2 - theta, which turn the orbit only."""
    wanted = _map(alpha, theta, START)
    images = [
        (theta, TURN @ START), (theta, -START), (-theta, SWAP @ START), (theta + math.pi / 2, START),
        (math.pi / 2 - theta, SWAP @ START),
    ]  # fmt: skip
    for angle, start in images:
        np.testing.assert_allclose(_map(alpha, angle, start), wanted, rtol=0, atol=1e-10)


def test_mapped_trajectories():
    """The orbits themselves are images of each other, not only their exponents."""
    system = lk.systems.rotation_flow(alpha=2.0, theta=0.8)

    def states(start, **changes):
        changed = system.with_(**changes)
        return lk.trajectory(changed, initial_state=start, duration=20).state.values

    wanted = states(START)
    np.testing.assert_allclose(states(TURN @ START), wanted @ TURN.T, rtol=0, atol=1e-13)
    np.testing.assert_allclose(states(SWAP @ START, theta=-0.8), wanted @ SWAP, rtol=0, atol=1e-13)
    np.testing.assert_array_equal(states(-START), -wanted)


@pytest.mark.parametrize("alpha", [0.3, 0.9])
@pytest.mark.parametrize("theta", [0.0, 0.4, 2.0])
def test_below_the_bifurcations_the_origin_attracts(alpha, theta):
    """Flow: alpha cos(theta) - 1 twice; map: ln alpha twice; Euler map: ln |1 - h + h alpha exp(i theta)| twice.

    The orbit falls into the origin, where the linearisation turns and shrinks evenly.
    """
    flow = _exponents(lk.systems.rotation_flow(alpha=alpha, theta=theta), initial_state=[0, 0], **FINE)
    np.testing.assert_allclose(flow, alpha * math.cos(theta) - 1, rtol=0, atol=1e-10)
    image = _exponents(lk.systems.rotation_map(alpha=alpha, theta=theta))
    np.testing.assert_allclose(image, math.log(alpha), rtol=0, atol=1e-10)
    for h in (0.1, 1.0):
        system = lk.systems.rotation_euler(alpha=alpha, theta=theta, h=h)
        size = abs(1 - h + h * alpha * np.exp(1j * theta))
        np.testing.assert_allclose(_exponents(system, initial_state=[0, 0]), math.log(size), atol=1e-10)


def _by_many_digits(alpha, theta, transient, steps, digits):
    """Growth rates of rotation_map with mpmath: plain loops, Gram-Schmidt with `digits` digits."""
    with mpmath.workdps(digits):
        c, s = alpha * mpmath.cos(theta), alpha * mpmath.sin(theta)
        x = [mpmath.mpf(float(v)) for v in START]
        columns = [[mpmath.mpf(float(v)) for v in row] for row in starting_frame(2, 2, 0)]
        total = [mpmath.mpf(0), mpmath.mpf(0)]
        for number in range(transient + steps):
            u = [c * x[0] - s * x[1], s * x[0] + c * x[1]]
            slope = [mpmath.sech(v) ** 2 for v in u]
            x = [mpmath.tanh(v) for v in u]
            columns = [[slope[0] * (c * q[0] - s * q[1]), slope[1] * (s * q[0] + c * q[1])] for q in columns]
            lengths, columns = _gram_schmidt(*columns)
            if number >= transient:
                total = [a + mpmath.log(length) for a, length in zip(total, lengths, strict=True)]
        return sorted((float(a / steps) for a in total), reverse=True)


def _gram_schmidt(first, second):
    length = mpmath.hypot(*first)
    first = [v / length for v in first]
    overlap = first[0] * second[0] + first[1] * second[1]
    second = [b - overlap * a for a, b in zip(first, second, strict=True)]
    other = mpmath.hypot(*second)
    return (length, other), (first, [v / other for v in second])


@pytest.mark.parametrize("alpha", [8.0, 14.0, 20.0, 40.0, 200.0])
@pytest.mark.parametrize("theta", [0.7, 0.3])
def test_large_gains(alpha, theta):
    """sech^2 down to 1e-35 (1e-170 at alpha = 200) keeps its digits, and the QR its columns, against 120 digits.

    u = alpha R x carries alpha eps, so ln sech^2 some 2 alpha eps = 2e-14 at each of the steps; locked
    orbits do not amplify it. The second exponent is the sum's, exact, less the first.
    """
    steps = 120
    wanted = _by_many_digits(alpha, theta, 40, steps, 120)
    ds = lk.lyapunov_spectrum(
        lk.systems.rotation_map(alpha=alpha, theta=theta), initial_state=START, transient=40,
        duration=steps, estimator="mean",
    )  # fmt: skip
    assert np.isfinite(ds.lyapunov_exponent).all()
    np.testing.assert_allclose(ds.lyapunov_exponent, wanted, rtol=1e-12, atol=1e-12)


# ------------------------------------------------------------------ relatives


def test_hamiltonian_centre():
    """rotation_literal_flow at theta = pi/2 keeps volume: two zeros, the frame sheared as ln t / t."""
    system = lk.systems.rotation_literal_flow(alpha=1.0, theta=math.pi / 2)
    ds = lk.lyapunov_spectrum(system, initial_state=[1.0, 0.0], duration=5000, **FINE)
    assert abs(float(ds.mean_divergence)) < 1e-12
    assert (abs(ds.lyapunov_exponent) < 5 * math.log(5000) / 5000).all()


DT = 0.1


def _rotation_velocity(x, alpha, theta):
    c, s = alpha * np.cos(theta), alpha * np.sin(theta)
    return np.array([np.tanh(c * x[0] - s * x[1]), np.tanh(s * x[0] + c * x[1])], dtype=object) - x


def _rk4_map(x, alpha, theta):
    x = np.asarray(x)
    k1 = _rotation_velocity(x, alpha, theta)
    k2 = _rotation_velocity(x + DT / 2 * k1, alpha, theta)
    k3 = _rotation_velocity(x + DT / 2 * k2, alpha, theta)
    k4 = _rotation_velocity(x + DT * k3, alpha, theta)
    return x + DT / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def test_time_step_map():
    """The RK4 step written as a map: dt times the exponents of the flow under the same method."""
    parameters = {"alpha": 2.0, "theta": 0.8}
    stepped = lk.define_map(_rk4_map, parameters=parameters, dimension=2)
    assert stepped.cell.tangent == "exact (traced)"
    flow = lk.systems.rotation_flow(**parameters)
    keywords = {"initial_state": START, "estimator": "mean"}
    by_map = _exponents(stepped, transient=200, duration=2000, **keywords)
    by_flow = _exponents(flow, transient=200 * DT, duration=2000 * DT, dt=DT, method="rk4", **keywords)
    np.testing.assert_allclose(by_map, DT * by_flow, rtol=0, atol=1e-12)


def test_euler_is_biased_and_the_euler_map_knows_it():
    """rotation_euler(h) over h is method="euler" with dt = h: the same map, to rounding."""
    h = 0.1
    flow = lk.systems.rotation_flow(alpha=2.0, theta=0.8)
    euler = lk.systems.rotation_euler(alpha=2.0, theta=0.8, h=h)
    keywords = {"initial_state": START, "estimator": "mean"}
    by_flow = _exponents(flow, method="euler", dt=h, duration=3000 * h, transient=20, **keywords)
    by_map = _exponents(euler, duration=3000, transient=200, **keywords) / h
    np.testing.assert_allclose(by_flow, by_map, rtol=0, atol=1e-11)
    exact = _exponents(flow, estimator="birkhoff", **FINE)
    assert abs(by_flow[1] - exact[1]) > 1e-3  # first order in h: what the method costs


def test_gru_is_the_slowed_plane():
    """Zero gates: rotation_flow at half the gain, slowed by 2; as a map rotation_euler with h = 1/2."""
    gru = _exponents(lk.systems.rotation_gru_flow(alpha=3.0, theta=0.5), estimator="birkhoff", **FINE)
    flow = _exponents(lk.systems.rotation_flow(alpha=1.5, theta=0.5), estimator="birkhoff", **FINE)
    np.testing.assert_allclose(gru, flow / 2, rtol=0, atol=1e-10)
    gru = _exponents(lk.systems.rotation_gru_map(alpha=3.0, theta=0.5), estimator="birkhoff")
    euler = _exponents(lk.systems.rotation_euler(alpha=1.5, theta=0.5, h=0.5), estimator="birkhoff")
    np.testing.assert_allclose(gru, euler, rtol=0, atol=1e-10)


def test_euler_map_with_h_of_one_is_the_map():
    one = _exponents(lk.systems.rotation_euler(alpha=1.2, theta=0.7, h=1.0), estimator="birkhoff")
    other = _exponents(lk.systems.rotation_map(alpha=1.2, theta=0.7), estimator="birkhoff")
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)
