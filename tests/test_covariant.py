"""Covariant Lyapunov vectors: eigenvectors of linear systems, covariance, the direction of the flow."""

import numpy as np
import pytest

import lyapkit as lk
from lyapkit.systems import evaluate

A = np.array([[1.6, 0.7, -0.2], [0.0, -0.9, 0.5], [0.0, 0.0, 0.4]])


def lines_differ(v, w):
    """Largest difference of unit vectors up to their signs."""
    return np.minimum(abs(v - w).max(axis=-1), abs(v + w).max(axis=-1)).max()


def test_a_linear_map_has_its_eigenvectors():
    ds = lk.covariant_vectors(lk.systems.linear_map(A=A), initial_state=np.zeros(3), duration=5)
    values, vectors = np.linalg.eig(A)
    order = np.argsort(-abs(values))
    # both passes converge as (0.9 / 0.4)^-t within hundreds of iterates
    assert lines_differ(ds.covariant_vector.values[0], vectors[:, order].T) < 1e-12
    np.testing.assert_allclose(ds.lyapunov_exponent, np.log(abs(values[order])), atol=1e-12)
    cosine = abs(vectors[:, order[0]] @ vectors[:, order[1]])
    np.testing.assert_allclose(np.cos(ds.angle.values[0, 0, 1]), cosine, atol=1e-12)


def test_a_linear_flow_has_its_eigenvectors():
    matrix = A - 2.0 * np.eye(3)
    system = lk.systems.linear_flow(A=matrix)
    ds = lk.covariant_vectors(system, initial_state=np.zeros(3), duration=2, method="rk8")
    values, vectors = np.linalg.eig(matrix)
    order = np.argsort(-values)
    assert lines_differ(ds.covariant_vector.values[3], vectors[:, order].T) < 1e-11
    np.testing.assert_allclose(ds.finite_time_exponent.values[3], values[order], atol=1e-10)


@pytest.mark.parametrize(
    ("system", "keywords"),
    [
        (lk.systems.henon(), {}),
        (lk.systems.rnn_map(), {}),
        (lk.random_network(n=24, gain=2.5, kind="map"), {"n_exponents": 7}),
        (lk.systems.lstm_map(), {"n_exponents": 3}),
    ],
    ids=["henon", "rnn", "spread", "lstm"],
)
def test_the_tangent_map_takes_each_vector_to_the_next(system, keywords):
    """Covariance to rounding, and the finite-time exponent is the growth that this shows."""
    ds = lk.covariant_vectors(system, duration=40, transient=300, **keywords)
    vectors, growth = ds.covariant_vector.values, ds.finite_time_exponent.values
    for i in range(len(vectors) - 1):
        images = evaluate.linearise(system, ds.state.values[i], vectors[i])[1]
        lengths = np.linalg.norm(images, axis=1)
        assert lines_differ(images / lengths[:, None], vectors[i + 1]) < 1e-9
        np.testing.assert_allclose(np.log(lengths), growth[i], atol=1e-9)
    assert ds.covariant_vector.dims == ("time", "mode", "unit") and ds.angle.attrs["units"] == "rad"


def test_the_second_vector_of_lorenz_lies_along_the_flow():
    system = lk.systems.lorenz63()
    ds = lk.covariant_vectors(system, duration=20)
    velocity = np.array([evaluate.value(system, x) for x in ds.state.values])
    velocity /= np.linalg.norm(velocity, axis=1)[:, None]
    assert lines_differ(ds.covariant_vector.values[:, 1], velocity) < 1e-4  # rk4's own flow at dt = 0.05


def test_means_are_the_exponents_of_the_spectrum():
    system, keywords = lk.systems.henon(), {"transient": 500, "duration": 4000}
    ds = lk.covariant_vectors(system, **keywords)
    wanted = lk.lyapunov_spectrum(system, estimator="mean", **keywords).lyapunov_exponent
    # the same orbit; bases differ by a bounded factor over the whole time
    np.testing.assert_allclose(ds.lyapunov_exponent, wanted, atol=5 / 4000)
    np.testing.assert_allclose(ds.finite_time_exponent.sum("mode").mean(), np.log(0.3), atol=5 / 4000)


def test_scans_and_files(tmp_path):
    grid = {"a": np.array([1.2, 1.4])}
    ds = lk.scan(lk.covariant_vectors, lk.systems.henon, grid, duration=20)
    alone = lk.covariant_vectors(lk.systems.henon(a=1.2), duration=20)
    np.testing.assert_array_equal(ds.covariant_vector.values[0], alone.covariant_vector.values)
    lk.save(ds, tmp_path / "vectors.nc")
    assert lk.load(tmp_path / "vectors.nc").identical(ds)


def test_a_diverging_orbit_is_nan_with_its_status():
    system = lk.define_map(lambda x: x * x + 1.0, dimension=1, initial_state=[2.0], name="away")
    ds = lk.covariant_vectors(system, duration=5)
    assert np.isnan(ds.covariant_vector).all() and ds.status == 1


@pytest.mark.parametrize(
    ("keyword", "value", "words"),
    [("every", 0, "every"), ("backward", -1, "backward"), ("n_exponents", 3, "n_exponents"), ("dt", 0.1, "dt")],
)
def test_refused(keyword, value, words):
    with pytest.raises(ValueError, match=f"^{words}: given"):
        lk.covariant_vectors(lk.systems.henon(), **{keyword: value})
