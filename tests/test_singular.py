"""Networks whose tangent maps are singular, and driven runs at the edges of their input."""

import numpy as np
import pytest

import lyapkit as lk
from lyapkit.systems import evaluate

KEYWORDS = {"duration": 300, "estimator": "mean"}


def random_matrix(n, gain, seed=0):
    return gain * np.random.default_rng(seed).standard_normal((n, n)) / np.sqrt(n)


@pytest.mark.parametrize("activation", ["relu", "hard_tanh"])
@pytest.mark.parametrize("n", [12, 22, 40])
def test_units_at_rest_leave_the_leading_exponents_right(activation, n):
    """Flat units make the tangent map singular: exponents of -inf, and the others as if computed alone."""
    gain = 1.0 if (activation, n) == ("relu", 12) else 1.6  # at 1.6 that one overflows: it has diverged, see below
    system = lk.systems.rnn_map(W=random_matrix(n, gain), activation=activation, b=0.1)
    full = lk.lyapunov_spectrum(system, **KEYWORDS)
    assert full.lyapunov_exponent[-1] == -np.inf and np.isnan(full.lyapunov_exponent_stderr[-1])
    assert full.status == 2 and full.frame_orthogonality < 1e-10
    alone = lk.lyapunov_spectrum(system, n_exponents=1, **KEYWORDS)
    # two frames that begin apart: their memory fades as 1 / T where exponents are close
    np.testing.assert_allclose(full.lyapunov_exponent[0], alone.lyapunov_exponent[0], atol=1e-2)


def test_a_relu_network_that_overflows_has_diverged():
    system = lk.systems.rnn_map(W=random_matrix(12, 1.6), activation="relu", b=0.1)
    assert lk.lyapunov_spectrum(system, **KEYWORDS).status == 1


def test_weights_of_low_rank_leave_as_many_exponents():
    rng = np.random.default_rng(2)
    left, right = 3 * rng.standard_normal((30, 2)), rng.standard_normal((2, 30)) / 30
    low = lk.lyapunov_spectrum(lk.systems.rnn_map(W=lk.LowRank(np.zeros(30), left, right)), **KEYWORDS)
    dense = lk.lyapunov_spectrum(lk.systems.rnn_map(W=left @ right), **KEYWORDS)
    np.testing.assert_allclose(low.lyapunov_exponent[:2], dense.lyapunov_exponent[:2], atol=1e-9)
    assert (low.lyapunov_exponent[2:] < -30).all() and low.status != 0
    assert low.frame_orthogonality < 1e-10


@pytest.mark.parametrize("n", [6, 24])
def test_determinants_of_all_kinds_of_matrices(n):
    """ln |det W| by dense, by sparse elimination and by the bordered matrix of a low rank."""
    import scipy.sparse

    rng = np.random.default_rng(1)
    diagonal, left, right = rng.normal(size=n), rng.normal(size=(n, 3)), rng.normal(size=(3, n))
    matrix = np.diag(diagonal) + left @ right
    x = rng.normal(size=n)
    wanted = np.linalg.slogdet(evaluate.jacobian_matrix(lk.systems.rnn_map(W=matrix), x))[1]
    for given in (matrix, scipy.sparse.csr_array(matrix), lk.LowRank(diagonal, left, right)):
        found = evaluate.linearise(lk.systems.rnn_map(W=given), x, x)[2]
        assert abs(found - wanted) < 1e-11 * max(1.0, abs(wanted))


def test_a_covariant_vector_that_is_mapped_to_nothing():
    ds = lk.covariant_vectors(lk.systems.rnn_map(W=np.diag([1.5, 0.5, 0.0])), duration=10, transient=30, backward=30)
    assert ds.lyapunov_exponent[2] == -np.inf and ds.status == 2
    np.testing.assert_allclose(abs(ds.covariant_vector[:, 2]), np.tile([0, 0, 1.0], (10, 1)), atol=1e-12)
    assert np.isfinite(ds.lyapunov_exponent[:2]).all()


# ------------------------------------------------------------------ driven runs


@pytest.mark.parametrize("n", [5, 24])
def test_the_sampled_volume_of_a_driven_network_knows_the_time(n):
    rng = np.random.default_rng(1)
    W, V = random_matrix(n, 1.0), 2 * rng.standard_normal((n, 1))
    weights = {f"W{gate}": W for gate in "ifgo"} | {f"V{gate}": V for gate in "ifgo"}
    system = lk.systems.lstm_map(**weights, input=rng.standard_normal((400, 1)))
    ds = lk.lyapunov_spectrum(system, transient=100, duration=200, estimator="mean")
    assert abs(ds.exponent_sum_error) < 1e-9


@pytest.mark.parametrize("interpolation", ["hold", "linear"])
def test_until_stops_where_the_input_does(interpolation):
    samples = np.zeros((401, 1))
    samples[-1] = 50.0  # would saturate the network if it were held on
    system = lk.systems.rnn_map(W=random_matrix(5, 1.2), V=np.ones((5, 1)), input=samples, interpolation=interpolation)
    ds = lk.lyapunov_spectrum(system, transient=50, duration=100, until=1e-14)
    assert ds.status == 3
    assert ds.averaging_duration == 200.0  # 50, 100 and 200 fit, another 400 do not
    assert ds.lyapunov_exponent[0] > -5


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: lk.systems.rnn_map(W=1j * np.eye(2)), "^W: given "),
        (lambda: lk.systems.rnn_map(b=["x"] * 8), "^b: given "),
        (lambda: lk.systems.rnn_map(input=[[1], [1, 2]]), "^input: given "),
        (lambda: lk.LowRank("ab", [[1.0]], [[1.0]]), "^LowRank.diagonal: given 'ab'"),
        (lambda: lk.systems.rnn_map(W=np.ones((3, 4))), r"^W: given shape \(3, 4\), accepted: square, as \(3, 3\)"),
        (lambda: lk.white_noise(1, 10, 0), "^dt: given 0, accepted: a number above 0"),
    ],
)
def test_refused(make, words):
    with pytest.raises((TypeError, ValueError), match=words) as caught:
        make()
    assert "\n" not in str(caught.value)
