"""Spectra of networks: against a naive loop, identities of sums, closed forms, and the same bits every time."""

import json
import pathlib

import naive
import numpy as np
import pytest
import scipy.sparse

import lyapkit as lk
from lyapkit.analyses.exponents.checks import starting_frame
from lyapkit.systems import matrices

REFERENCE = json.loads((pathlib.Path(__file__).parent / "reference_values.json").read_text())


def _gaussian(n, gain, seed=0):
    return gain * np.random.default_rng([seed, n]).standard_normal((n, n)) / np.sqrt(n)


def _exponents(system, steps, k=None, dt=None, **more):
    """Plain means over so many steps from the first on."""
    unit = 1.0 if dt is None else dt
    given = {} if dt is None else {"dt": dt}
    ds = lk.lyapunov_spectrum(
        system, estimator="mean", transient=0, duration=steps * unit, n_exponents=k, **given, **more
    )
    assert ds.status == 0
    assert ds.frame_orthogonality < 1e-10
    return ds.lyapunov_exponent.values


def _naively(system, steps, k=None, dt=1.0, plain=None):
    n = system.dimension
    frame = starting_frame(n, k or n, 0).T
    return naive.spectrum(plain or naive.Plain(system), system.initial_state, frame, 0, steps, dt)


# Two computations of an orbit part as eps exp(lambda_1 steps): the lengths keep it below 1e-9. Exponents of steps
# that squeeze by many orders lose eps cond(R) in the oracle's own QR.
RUNS = [
    *(("rate_map", {"gain": g, "dt": dt}, steps) for g, dt, steps in
      ((1.5, 0.1, 200), (4.0, 0.1, 150), (1.5, 1.0, 100), (4.0, 1.0, 25))),
    ("rnn_map", {"gain": 1.5}, 100),
    ("rnn_map", {"gain": 4.0}, 25),
    ("gru_map", {"gain": 3.0}, 150),
    ("rate_flow", {"gain": 1.5}, 100),
    ("rate_flow", {"gain": 4.0}, 100),
]  # fmt: skip


def _network(name, n, gain, **more):
    """Random weights of this gain in every matrix."""
    constructor = getattr(lk.systems, name)
    keys = [key for key, (_, columns) in constructor.model.matrices.items() if columns != "input"]
    return constructor(**{key: _gaussian(n, gain, seed) for seed, key in enumerate(keys)}, **more)


@pytest.mark.parametrize("n", (8, 24, 64))
@pytest.mark.parametrize(("name", "given", "steps"), RUNS)
def test_naive_loop(name, given, steps, n):
    """Same frame, same steps, QR at every step by NumPy.

    Columns that a step squeezes by 1e-10 have lost eps 1e10 in either computation, measured against long doubles:
    1e-5 at exponents of -15. Those below -9 are left out (only gain 4 at dt = 1 and rnn_map have such).
    """
    system = _network(name, n, **given)
    dt = 0.05 if system.kind == "flow" else None
    wanted = _naively(system, steps, dt=dt or 1.0)
    kept = wanted > -9.0
    assert kept.sum() >= 0.85 * n
    np.testing.assert_allclose(_exponents(system, steps, dt=dt)[kept], wanted[kept], rtol=0, atol=1e-7)


@pytest.mark.parametrize("n", (12, 48))
@pytest.mark.parametrize(("name", "steps"), [("rate_map", 60), ("rate_flow", 100)])
def test_first_exponents_alone(name, steps, n):
    """Growth rates of the first k columns do not know of the others (before they are sorted)."""
    system = _network(name, n, 1.5)
    dt = 0.05 if system.kind == "flow" else None
    for k in (1, 3, 10):
        wanted = _naively(system, steps, k, dt=dt or 1.0)
        found = _exponents(system, steps, k, dt=dt)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-8)


@pytest.mark.parametrize("n", (12, 48))
def test_first_of_all_are_the_same_as_alone(n):
    """The same frame's first columns, long enough that the order of the growth rates is settled."""
    system = lk.systems.rate_flow(J=_symmetric(n))
    keywords = {"transient": 300, "duration": 100, "estimator": "birkhoff", "initial_state": 0.1 * np.ones(n)}
    whole = lk.lyapunov_spectrum(system, **keywords).lyapunov_exponent.values
    for k in (1, 3, 10):
        part = lk.lyapunov_spectrum(system, n_exponents=k, **keywords).lyapunov_exponent.values
        np.testing.assert_allclose(part, whole[:k], rtol=0, atol=1e-9)


@pytest.mark.parametrize("n", (12, 48))
def test_first_of_all_are_the_same_as_alone_in_chaos(n):
    """Starting frames are nested, so that nothing has to settle before the first columns agree."""
    np.testing.assert_allclose(starting_frame(n, n, 7)[:3], starting_frame(n, 3, 7), rtol=0, atol=1e-14)
    system = lk.systems.rate_map(J=2.5 * np.random.default_rng(n).standard_normal((n, n)) / n**0.5, dt=0.1)
    keywords = {"transient": 300, "duration": 300, "initial_state": 0.1 * np.ones(n), "history": True}
    whole = lk.lyapunov_spectrum(system, **keywords)
    part = lk.lyapunov_spectrum(system, n_exponents=3, **keywords)
    np.testing.assert_allclose(part.running_exponent, whole.running_exponent[:, :3], rtol=0, atol=1e-9)


def _symmetric(n):
    """Eigenvalues in a random basis, the first twelve 0.1 apart: the frame at the origin settles as exp(-t / 10)."""
    Q = np.linalg.qr(np.random.default_rng(n).standard_normal((n, n)))[0]
    return (Q * np.append(0.9 - 0.1 * np.arange(12), np.linspace(-0.5, -0.9, n - 12))) @ Q.T


@pytest.mark.parametrize("n", (6, 20, 24))
def test_product_is_not_transposed(n):
    system = _network("rnn_map", n, 2.0)
    plain, steps = naive.Plain(system), 40
    wanted = _naively(system, steps, plain=plain)
    plain.jacobian = lambda x: naive.jacobian(plain.rule, x).T
    transposed = _naively(system, steps, plain=plain)
    assert abs(transposed - wanted).max() > 1e-2  # so that the comparison below decides
    np.testing.assert_allclose(_exponents(system, steps), wanted, rtol=0, atol=1e-7)


# ------------------------------------------------------------------ identities


@pytest.mark.parametrize("activation", ("tanh", "relu"))
@pytest.mark.parametrize("n", (8, 19, 20, 40))
def test_sum_of_a_rate_flow(n, activation):
    """Without self-connections tr Df = -n at every state."""
    J = _gaussian(n, 2.0 if activation == "tanh" else 0.8)
    np.fill_diagonal(J, 0.0)
    system = lk.systems.rate_flow(J=J, activation=activation)
    ds = lk.lyapunov_spectrum(system, method="rk8", dt=0.05, transient=5, duration=20)
    assert abs(float(ds.mean_divergence) + n) < 1e-10 * n
    # rk8 errs by (|Df| dt)^9 / 9! a step, relu's kinks aside, across which a step errs by the jump of slopes dt^2
    assert abs(float(ds.lyapunov_exponent.sum()) + n) < (1e-8 if activation == "tanh" else 1e-3) * n


def _volumes(system, steps):
    """Mean ln |det| of dense Jacobians along a naive orbit."""
    plain = naive.Plain(system)
    states = naive.orbit(plain, system.initial_state, steps)[:-1]
    return np.mean([np.linalg.slogdet(plain.jacobian(x))[1] for x in states])


@pytest.mark.parametrize("n", (8, 20, 40))
@pytest.mark.parametrize(
    ("name", "more", "steps"), [("rnn_map", {}, 60), ("rate_map", {}, 60), ("rate_map", {"dt": 0.2}, 200)]
)
def test_sum_of_maps(name, more, steps, n):
    """Sum of the exponents = mean ln |det Df|, without QR."""
    system = _network(name, n, 1.5, **more)
    wanted = _volumes(system, steps)
    ds = lk.lyapunov_spectrum(system, estimator="mean", transient=0, duration=steps)
    assert abs(float(ds.lyapunov_exponent.sum()) - wanted) < 1e-8 * n
    if name == "rnn_map":
        assert abs(float(ds.mean_divergence) - wanted) < 1e-8 * n


@pytest.mark.parametrize("n", (8, 20))
def test_sampled_volume_is_the_sum_where_all_states_are_samples(n):
    """At the states at which the steps begin, as the exponents have it: so few that none need be left out."""
    system = _network("rate_map", n, 1.5)
    ds = lk.lyapunov_spectrum(system, estimator="mean", transient=0, duration=60)
    assert abs(float(ds.mean_divergence) - _volumes(system, 60)) < 1e-8 * n
    assert abs(float(ds.exponent_sum_error)) < 1e-8 * n


@pytest.mark.parametrize("reset", ("after", "before"))
@pytest.mark.parametrize("pairs", (1, 10))
def test_zero_gates_halve(pairs, reset):
    """z = r = 1/2: h' = (n - h) / 2 with n = tanh(Wh h / 2), at every step of twice the length."""
    turn = 3.0 * np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])
    n = 2 * pairs
    W, zero = np.kron(np.diag(np.linspace(1.0, 0.6, pairs)), turn), np.zeros((n, n))
    gru = lk.systems.gru_flow(Wz=zero, Wr=zero, Wh=W, reset=reset)
    slow = lk.lyapunov_spectrum(gru, dt=0.1, transient=20, duration=60, estimator="mean").lyapunov_exponent
    rnn = lk.systems.rnn_flow(W=W / 2)
    fast = lk.lyapunov_spectrum(rnn, dt=0.05, transient=10, duration=30, estimator="mean").lyapunov_exponent
    np.testing.assert_allclose(slow, fast / 2, rtol=0, atol=1e-11)


def _entries(*systems):
    return [e for e in REFERENCE["lyapunov_exponents"] if e["system"].startswith(systems)]


@pytest.mark.parametrize("entry", _entries("gru_flow"), ids=lambda e: e["system"])
@pytest.mark.parametrize("reset", ("after", "before"))
def test_reference_values_of_the_gru(entry, reset):
    """The entry's own weights; at zero gates both conventions are the same."""
    p = entry["params"]
    assert not any(np.any(p[key]) for key in ("Uz", "Ur", "bz", "br", "bh"))
    system = lk.systems.gru_flow(Wz=p["Uz"], Wr=p["Ur"], Wh=p["Uh"], bz=p["bz"], br=p["br"], bh=p["bh"], reset=reset)
    ds = lk.lyapunov_spectrum(system, method="rk8", duration=2000)
    np.testing.assert_allclose(ds.lyapunov_exponent, np.array(entry["value_str"], float), rtol=0, atol=1e-9)


def _spectral(n):
    """A non-normal matrix with well-separated real eigenvalues."""
    generator = np.random.default_rng(n)
    values = np.linspace(0.9, 0.2, n) * np.where(np.arange(n) % 2, -1, 1)
    basis = np.eye(n) + 0.3 * generator.standard_normal((n, n)) / np.sqrt(n)
    return basis @ np.diag(values) @ np.linalg.inv(basis), values


@pytest.mark.parametrize("n", (5, 20))
@pytest.mark.parametrize(
    ("name", "key", "more"),
    [("rnn_map", "W", {"activation": "identity"}), ("rnn_flow", "W", {"activation": "identity", "tau": 0.7}),
     ("rate_flow", "J", {"activation": "identity"}), ("linear_integrator_flow", "W", {"tau": 2.0})],
)  # fmt: skip
def test_linear_networks(name, key, more, n):
    """ln |eig W| of maps, Re eig(W) - 1 over tau of flows; the frame settles as the ratio of neighbours' growth."""
    W, values = _spectral(n)
    system = getattr(lk.systems, name)(**{key: W}, **more)
    tau = more.get("tau", 1.0)
    wanted = np.log(abs(values)) if system.kind == "map" else (values - 1.0) / tau
    given = {"transient": 2000} if system.kind == "map" else {"method": "rk8", "dt": 0.05, "transient": 1200}
    ds = lk.lyapunov_spectrum(system, duration=400, initial_state=np.zeros(n), **given)
    np.testing.assert_allclose(ds.lyapunov_exponent, np.sort(wanted)[::-1], rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ("bounded_line_attractor_flow", {}, (0.0, -2.0)),
        ("unbounded_line_attractor_flow", {}, (0.0, -2.0)),
        ("ring_attractor_flow", {"mu": 1.0}, (0.0, -2.0)),
        ("ring_attractor_flow", {"mu": 0.4}, (0.0, -0.8)),
        ("identity_relu_map", {"n": 3}, (0.0, 0.0, 0.0)),
        ("linear_integrator_flow", {}, (0.0, -1.0)),
    ],
)
def test_continuous_attractors(name, given, wanted):
    """rk8 at 0.05 errs by (2 dt)^9 / 9! a step, below 1e-13."""
    system = getattr(lk.systems, name)(**given)
    method = {"method": "rk8", "dt": 0.05} if system.kind == "flow" else {}
    ds = lk.lyapunov_spectrum(system, **method)
    np.testing.assert_allclose(ds.lyapunov_exponent, wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", ("flow", "map"))
def test_blocks_alone_and_together(kind):
    """The spectrum of independent blocks is that of the whole matrix, and the union of the planes' own."""
    alpha, theta = np.array([1.5, 2.0, 0.6]), np.array([0.7, 1.1, 0.3])
    system = getattr(lk.systems, f"block_rotation_{kind}")(alpha=alpha, theta=theta)
    plane = getattr(lk.systems, f"rotation_{kind}")
    keywords = {"estimator": "birkhoff", "duration": 10_000}
    found = lk.lyapunov_spectrum(system, **keywords).lyapunov_exponent.values
    parts = [lk.lyapunov_spectrum(plane(alpha=a, theta=t), **keywords).lyapunov_exponent.values for a, t in
             zip(alpha, theta, strict=True)]  # fmt: skip
    np.testing.assert_allclose(found, np.sort(np.concatenate(parts))[::-1], rtol=0, atol=1e-8)
    whole = lk.lyapunov_spectrum(system.with_(coupling=np.zeros((6, 6))), **keywords)
    np.testing.assert_allclose(whole.lyapunov_exponent, found, rtol=0, atol=1e-8)


# ------------------------------------------------------------------ kinds of matrices, inputs, bits


@pytest.mark.parametrize("n", (7, 30))
@pytest.mark.parametrize(("name", "key"), [("rate_flow", "J"), ("rnn_map", "W")])
def test_kinds_of_matrices(name, key, n):
    """The same matrix dense, sparse and of low rank: rounding alone, on runs too short for it to grow."""
    generator = np.random.default_rng(n)
    low = matrices.LowRank(
        generator.uniform(0.3, 0.9, n), generator.standard_normal((n, 2)), generator.standard_normal((2, n)) / n
    )
    full = low.toarray()
    found = [_exponents(getattr(lk.systems, name)(**{key: W}), 20) for W in (full, low, scipy.sparse.coo_array(full))]
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=1e-12, atol=1e-12)


def _driven(n, **more):
    V = np.random.default_rng(n).standard_normal((n, 2))
    signal = np.random.default_rng(n + 1).standard_normal((80, 2))
    return {"V": V, "input": signal, **more}


@pytest.mark.parametrize("n", (6, 24))
def test_driven_linear_network(n):
    """Its tangent knows nothing of the input: conditional exponents are the undriven ones."""
    system = lk.systems.rnn_map(W=_gaussian(n, 0.8), activation="identity")
    driven = system.with_(**_driven(n))
    np.testing.assert_allclose(_exponents(driven, 60), _exponents(system, 60), rtol=0, atol=1e-13)


@pytest.mark.parametrize("n", (6, 24))
def test_driven_map_against_the_naive_loop(n):
    """Conditional exponents of a tanh map, sample by sample; twice the same bits."""
    system = lk.systems.rnn_map(W=_gaussian(n, 1.5), **_driven(n))
    x, Q, total, steps = system.initial_state, starting_frame(n, n, 0).T, 0.0, 60
    for u in system.parameters["input"][:steps]:
        J = naive.jacobian(lambda y, u=u: naive.value(system, y, u), x)
        x, (Q, R) = naive.value(system, x, u), np.linalg.qr(J @ Q)
        total = total + np.log(abs(np.diag(R)))
    found = _exponents(system, steps)
    np.testing.assert_allclose(found, np.sort(total / steps)[::-1], rtol=0, atol=1e-8)
    again = system.with_(input=system.parameters["input"].copy())
    np.testing.assert_array_equal(_exponents(again, steps), found)


@pytest.mark.parametrize("n", (6, 24))
@pytest.mark.parametrize(("name", "key", "steps"), [("rnn_flow", "tau", {"transient": 5}), ("rate_map", "dt", {})])
def test_scans_give_the_same_bits(name, key, steps, n):
    """A number in the lanes: any block, any workers, and single calls."""
    system, axis = _network(name, n, 2.0), np.linspace(0.3, 0.9, 11)
    keywords = {"duration": 40, "transient": 20, **steps}
    scans = [
        lk.scan(lk.lyapunov_spectrum, system, {key: axis}, **keywords, **more)
        for more in ({}, {"block": 1}, {"block": 3}, {"block": 4, "workers": 2})
    ]
    for other in scans[1:]:
        _assert_same_bits(scans[0], other)
    for i in (0, 4, 10):
        alone = lk.lyapunov_spectrum(system.with_(**{key: axis[i]}), **keywords)
        _assert_same_bits(scans[0].isel({key: i}).drop_vars(key), alone)


def _assert_same_bits(one, other):
    assert set(one.variables) == set(other.variables)
    for name in one.variables:
        np.testing.assert_array_equal(one[name].values, other[name].values, err_msg=name)
