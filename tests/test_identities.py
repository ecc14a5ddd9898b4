"""What must hold exactly: traces, linear systems, symmetries of the plane, nested and transformed spectra."""

import functools
import math

import hypothesis
import mpmath
import numpy as np
import pytest
from hypothesis import strategies as st

import lyapkit as lk
from lyapkit.analyses.lyapunov_spectrum import starting_frame

SYSTEMS = lk.systems.names()
FINE = {"method": "rk8", "dt": 0.05}


@functools.cache
def _system(name):
    constructor = getattr(lk.systems, name)
    return constructor(**dict.fromkeys(constructor.model.sizes, 6))


def _exponents(system, **keywords):
    return lk.lyapunov_spectrum(system, **keywords).lyapunov_exponent.values


# ------------------------------------------------------------------ sums


@pytest.mark.parametrize("name", SYSTEMS)
def test_sum_of_exponents_is_the_mean_divergence(name):
    """Maps: equal to rounding. Flows: to the error of rk8, of order dt^8, at half the model's step."""
    system = _system(name)
    rough = {} if system.kind == "map" else {"method": "rk8", "dt": system.model.dt / 2}
    ds = lk.lyapunov_spectrum(system, estimator="mean", **rough)
    total = float(ds.lyapunov_exponent.sum())
    assert abs(total - float(ds.mean_divergence)) < 1e-10 * max(1.0, abs(total))
    assert abs(float(ds.exponent_sum_error)) < 1e-10 * max(1.0, abs(total))
    # the error said is the difference of what is shown, up to the rounding of the sums
    difference = total - float(ds.mean_divergence)
    assert abs(float(ds.exponent_sum_error) - difference) < 1e-14 * max(1.0, abs(total))
    assert float(ds.frame_orthogonality) < 1e-10


@pytest.mark.parametrize(
    ("name", "total"),
    [("lorenz63", -41 / 3), ("henon", math.log(0.3)), ("cat_map", 0.0), ("standard_map", 0.0),
     ("lorenz96", -6.0), ("ikeda", 2 * math.log(0.9))],
)  # fmt: skip
def test_known_sums(name, total):
    ds = lk.lyapunov_spectrum(_system(name))
    assert abs(float(ds.mean_divergence) - total) < 1e-11
    # rk4 keeps the sum to its own error, of order dt^4
    assert abs(float(ds.lyapunov_exponent.sum()) - total) < 1e-3


@pytest.mark.parametrize(("method", "order", "dt"), [("euler", 1, 0.0125), ("rk4", 4, 0.05)])
def test_sum_error_is_that_of_the_method(method, order, dt):
    """The difference shrinks with dt as the method's error does: it is a check, not a definition."""
    system = lk.systems.rotation_flow(alpha=2.0, theta=0.8)
    errors = [
        abs(float(lk.lyapunov_spectrum(system, method=method, dt=h).exponent_sum_error))
        for h in (dt, dt / 2)
    ]
    assert errors[0] > 1e-9
    assert abs(math.log2(errors[0] / errors[1]) - order) < 0.2


def test_no_sum_without_all_exponents():
    ds = lk.lyapunov_spectrum(lk.systems.lorenz63(), n_exponents=2, duration=20)
    assert np.isnan(ds.exponent_sum_error)
    assert abs(float(ds.mean_divergence) + 41 / 3) < 1e-11


# ------------------------------------------------------------------ linear systems


def _matrix(values, seed):
    """A matrix with these real eigenvalues in a random, well-conditioned basis."""
    n = len(values)
    generator = np.random.default_rng(seed)
    orthogonal = np.linalg.qr(generator.standard_normal((n, n)))[0]
    triangle = np.triu(generator.uniform(-1, 1, (n, n)), 1) + np.diag(values)
    return orthogonal @ triangle @ orthogonal.T


MODULI = st.lists(st.integers(1, 12), min_size=1, max_size=4, unique=True)


@hypothesis.settings(max_examples=25)
@hypothesis.given(MODULI, st.integers(0, 2**32 - 1))
def test_linear_map(steps, seed):
    """ln |eigenvalues|, separated by factors of 0.8 and more and of either sign.

    The frame converges as 0.8^t during the transient: its error is long below rounding.
    """
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], len(steps))
    A = _matrix(signs * 1.2 * 0.8 ** np.array(steps), seed)
    found = _exponents(lk.systems.linear_map(A=A), initial_state=np.zeros(len(A)))
    wanted = np.sort(np.log(abs(np.linalg.eigvals(A))))[::-1]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-10)


@hypothesis.settings(max_examples=25)
@hypothesis.given(MODULI, st.integers(0, 2**32 - 1))
def test_linear_flow(steps, seed):
    """Real parts of the eigenvalues, 0.25 apart: the frame converges as exp(-0.25 t) within the transient of 100.

    rk8 with dt = 0.05 errs by (3 * 0.05)^9 / 9! / 0.05, far below 1e-10.
    """
    A = _matrix(0.25 * np.array(steps) - 2.0, seed)
    found = _exponents(
        lk.systems.linear_flow(A=A), initial_state=np.zeros(len(A)), duration=50, **FINE
    )
    wanted = np.sort(np.linalg.eigvals(A).real)[::-1]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("damping", "turn"), [(-0.3, 2.0), (0.1, 0.7)])
def test_linear_flow_that_turns(damping, turn):
    """A complex pair gives its real part twice; the weighted mean takes the oscillation away."""
    A = np.array([[damping, -4.0 * turn], [turn / 4.0, damping]])
    found = _exponents(lk.systems.linear_flow(A=A), initial_state=[0, 0], estimator="birkhoff", **FINE)
    np.testing.assert_allclose(found, [damping, damping], rtol=0, atol=1e-9)


def test_linear_map_that_turns():
    A = 0.7 * np.array([[math.cos(1), -3 * math.sin(1)], [math.sin(1) / 3, math.cos(1)]])
    found = _exponents(lk.systems.linear_map(A=A), estimator="birkhoff")
    np.testing.assert_allclose(found, math.log(0.7), rtol=0, atol=1e-9)


def test_decay_over_a_long_time():
    """x' = -x over T = 1e4: -1 to 1e-6, although the state underflows on the way."""
    system = lk.define_flow(lambda x: -x, dimension=1, initial_state=[1.0], name="decay")
    for method in ("rk4", "rk8"):
        ds = lk.lyapunov_spectrum(system, duration=1e4, dt=0.05, transient=0, method=method)
        # rk4's factor per step is off by dt^5 / 120: 5e-8 in the exponent
        assert abs(float(ds.lyapunov_exponent[0]) + 1.0) < 1e-6
        assert ds.status == 0


@pytest.mark.parametrize("estimator", ["auto", "mean", "birkhoff"])
@pytest.mark.parametrize("transient", [0, 100])
def test_superstable_logistic(estimator, transient):
    """r = 2 from the critical point 1/2: a multiplier of zero, so -inf, said by the status."""
    ds = lk.lyapunov_spectrum(
        lk.systems.logistic(r=2.0), initial_state=[0.5], estimator=estimator, transient=transient
    )
    assert float(ds.lyapunov_exponent[0]) == -math.inf
    assert float(ds.mean_divergence) == -math.inf
    assert ds.status == lk_status(ds, "collapsed")
    assert ds.lyapunov_sign[0] == -1
    assert float(ds.exponent_sum_error) == 0.0


def lk_status(ds, word):
    """The code of a word, read from the flags as a reader of the file would."""
    attrs = ds.status.attrs
    return dict(zip(attrs["flag_meanings"].split(), attrs["flag_values"], strict=True))[word]


def test_collapse_of_one_direction():
    """A projection: one exponent ln 0.5, the other -inf."""
    system = lk.systems.linear_map(A=[[0.5, 0.2], [0.0, 0.0]])
    ds = lk.lyapunov_spectrum(system, initial_state=[0.1, 0.2])
    assert abs(float(ds.lyapunov_exponent[0]) - math.log(0.5)) < 1e-12
    assert float(ds.lyapunov_exponent[1]) == -math.inf
    assert ds.status == lk_status(ds, "collapsed")


# ------------------------------------------------------------------ the plane

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


@pytest.mark.parametrize("alpha", [8.0, 14.0, 20.0, 40.0])
@pytest.mark.parametrize("theta", [0.7, 0.3])
def test_large_gains(alpha, theta):
    """sech^2 down to 1e-35 keeps its digits, and the QR its columns, against 120 digits.

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


# ------------------------------------------------------------------ nested, transformed and known spectra


@pytest.mark.parametrize(
    ("name", "parameters", "keywords"),
    [
        ("lorenz63", {}, {"duration": 30, "transient": 60}),
        ("henon", {}, {"duration": 3000}),
        ("rossler", {}, {"transient": 500}),
        ("rotation_map", {"alpha": 1.5, "theta": 0.6}, {}),
        ("rotation_flow", {}, {"transient": 200}),
    ],
)
def test_first_exponents(name, parameters, keywords):
    """k exponents are the k leading ones: the orbit is the same to the bit, the flags converge in the transient."""
    system = getattr(lk.systems, name)(**parameters)
    full = _exponents(system, estimator="mean", **keywords)
    for k in range(1, system.dimension):
        ds = lk.lyapunov_spectrum(system, estimator="mean", n_exponents=k, **keywords)
        assert ds.sizes["mode"] == k
        np.testing.assert_allclose(ds.lyapunov_exponent, full[:k], rtol=0, atol=1e-8)


@pytest.mark.parametrize(("mu", "omega", "c"), [(0.5, 1.0, 0.0), (1.0, 2.0, 0.7), (0.1, -1.0, 0.3)])
def test_stuart_landau(mu, omega, c):
    """The cycle |w|^2 = mu: exponents 0 and -2 mu."""
    system = lk.systems.stuart_landau(mu=mu, omega=omega, c=c)
    found = _exponents(system, transient=40 / mu, estimator="birkhoff", **FINE)
    np.testing.assert_allclose(found, [0.0, -2.0 * mu], rtol=0, atol=1e-10)


def test_stuart_landau_at_rest():
    """Below the bifurcation both are mu."""
    found = _exponents(lk.systems.stuart_landau(mu=-0.4), initial_state=[0, 0], **FINE)
    np.testing.assert_allclose(found, -0.4, rtol=0, atol=1e-12)


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


@pytest.mark.parametrize("name", ["lorenz63", "rossler", "henon", "lorenz96"])
def test_dimension_and_entropy(name):
    """Kaplan-Yorke dimension and entropy rate by their definitions, from the exponents shown."""
    ds = lk.lyapunov_spectrum(_system(name), duration=300)
    values = np.where(ds.lyapunov_sign == 0, 0.0, ds.lyapunov_exponent)
    j = int(np.argmax(np.cumsum(values) < 0))
    assert np.cumsum(values)[j] < 0
    wanted = j + values[:j].sum() / abs(values[j])
    assert abs(float(ds.kaplan_yorke_dimension) - wanted) < 1e-12
    assert abs(float(ds.entropy_rate) - values[values > 0].sum()) < 1e-12
