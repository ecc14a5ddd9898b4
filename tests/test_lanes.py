"""The QR of frames over lanes, in its general form and for two columns of two units, against exact arithmetic."""

import mpmath
import numpy as np
import pytest
from numba import types

from lyapkit.kernels.jit import kernel
from lyapkit.kernels.lanes import orthonormalise
from lyapkit.kernels.simd import WIDTH, load

CUBE, PLANE, LINE = (types.Array(types.float64, ndim, "C") for ndim in (3, 2, 1))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LYAPKIT_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))

        @kernel(types.void(CUBE, LINE, PLANE, LINE, LINE))
        def orthonormalise_all(frame, due, growth, condition, stretch):
            for lane in range(0, due.shape[0], WIDTH):
                orthonormalise(frame, lane, load(due, (lane,)), growth, condition, stretch)

        yield orthonormalise_all


def qr(run, frame, due=None):
    """Q, growth, condition and stretch of frames (k, n, lanes)."""
    frame = np.array(frame, order="C")
    k, _, lanes = frame.shape
    due = np.ones(lanes) if due is None else due
    growth, condition, stretch = np.full((k, lanes), np.nan), np.ones(lanes), np.ones(lanes)
    with np.errstate(all="ignore"):
        run(frame, due, growth, condition, stretch)
    return frame, growth, condition, stretch


def random_frames(k, n, count=64, seed=0):
    return np.random.default_rng(seed).standard_normal((k, n, count))


def exact_growth(columns):
    """R_11 and |R_22| of two columns of two units, with 60 digits."""
    with mpmath.workdps(60):
        (a, b), (c, d) = [[mpmath.mpf(float(v)) for v in column] for column in columns]
        length = mpmath.hypot(a, b)
        return float(length), float(abs(a * d - b * c) / length)


@pytest.mark.parametrize(("k", "n"), [(1, 1), (1, 2), (2, 2), (2, 3), (3, 3), (4, 6)])
def test_against_numpy(run, k, n):
    frames = random_frames(k, n)
    q, growth, condition, _ = qr(run, frames)
    for lane in range(frames.shape[-1]):
        wanted_q, wanted_r = np.linalg.qr(frames[:, :, lane].T)
        signs = np.sign(np.diag(wanted_r))
        # Gram-Schmidt's R errs by condition times rounding
        close = {"rtol": 1e-15 * 20 * condition[lane] ** 0.5, "atol": 1e-15 * 20 * condition[lane] ** 0.5}
        np.testing.assert_allclose(growth[:, lane], abs(np.diag(wanted_r)), **close)
        np.testing.assert_allclose(q[:, :, lane].T, wanted_q * signs, **close)
        # one pass of Gram-Schmidt leaves rounding over the share of length that sends it into a second
        np.testing.assert_allclose(q[:, :, lane] @ q[:, :, lane].T, np.eye(k), atol=1e-15 if n == 2 else 4e-14)


@pytest.mark.parametrize("angle", [1e-3, 1e-8, 1e-14])
@pytest.mark.parametrize("sizes", [(1.0, 1.0), (1e-150, 1e150), (1e-305, 1.0), (3e200, 1e-200), (1e-280, 1e-290)])
def test_two_nearly_parallel_columns_of_any_size(run, angle, sizes):
    phases = np.linspace(0.1, 6.0, 16)
    first = np.array([np.cos(phases), np.sin(phases)])
    second = np.array([np.cos(phases + angle), np.sin(phases + angle)])
    frames = np.array([first * sizes[0], second * sizes[1]])
    q, growth, _, stretch = qr(run, frames)
    for lane in range(len(phases)):
        wanted = exact_growth(frames[:, :, lane])
        np.testing.assert_allclose(growth[0, lane], wanted[0], rtol=4e-16)
        # the determinant of unit columns at this angle is right to rounding over the angle
        np.testing.assert_allclose(growth[1, lane], wanted[1], rtol=1e-15 / angle)
        np.testing.assert_allclose(q[:, :, lane] @ q[:, :, lane].T, np.eye(2), atol=1e-15)
        with np.errstate(over="ignore"):
            reach = max(*growth[:, lane], *(1.0 / growth[:, lane]))
        np.testing.assert_allclose(stretch[lane], reach, rtol=1e-12)


@pytest.mark.parametrize(("k", "n"), [(2, 2), (3, 3)])
def test_columns_of_denormal_numbers_keep_their_digits(run, k, n):
    frames = np.zeros((k, n, 8))
    for j in range(k):
        frames[j, j] = 2.0 ** -(1040 + j)
    q, growth, *_ = qr(run, frames)
    np.testing.assert_array_equal(growth, np.repeat(2.0 ** -(1040.0 + np.arange(k))[:, None], 8, axis=1))
    np.testing.assert_allclose(q[..., 0], np.eye(k, n), atol=2e-16)


@pytest.mark.parametrize(("k", "n"), [(2, 2), (3, 3)])
def test_dead_columns_stay_zero_and_grow_by_zero(run, k, n):
    frames = random_frames(k, n, 8)
    frames[0, :, 1] = 0.0
    frames[1, :, 2] = 0.0
    frames[:, :, 3] = 0.0
    q, growth, *_ = qr(run, frames)
    assert growth[0, 1] == growth[1, 2] == 0.0 and (growth[:, 3] == 0.0).all()
    assert not q[0, :, 1].any() and not q[1, :, 2].any() and not q[:, :, 3].any()
    # the column beside a dead one keeps its own direction
    np.testing.assert_allclose(growth[1, 1], np.linalg.norm(frames[1, :, 1]), rtol=1e-15)
    np.testing.assert_allclose(q[1, :, 1], frames[1, :, 1] / growth[1, 1], atol=1e-15)
    np.testing.assert_allclose(growth[0, 2], np.linalg.norm(frames[0, :, 2]), rtol=1e-15)


@pytest.mark.parametrize(("k", "n"), [(2, 2), (3, 3)])
def test_lanes_do_not_see_each_other(run, k, n):
    """Neighbours that are extreme, dead, not finite or not due change no bit of a lane."""
    frames = random_frames(k, n, 16)
    alone = qr(run, frames)
    disturbed = frames.copy()
    disturbed[0, :, 1] *= 1e-200
    disturbed[1, :, 2] *= 1e250
    disturbed[0, :, 3] = 0.0
    disturbed[1, 0, 4], disturbed[1, 1, 5] = np.nan, np.inf
    disturbed[1, :, 6] = disturbed[0, :, 6]
    due = np.ones(16)
    due[7] = 0.0
    together = qr(run, disturbed, due)
    kept = [0, *range(8, 16)]
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_array_equal(a[..., kept], b[..., kept])
    np.testing.assert_array_equal(together[0][..., 7], frames[..., 7])
    assert np.isnan(together[1][1, 4])
    assert not np.isfinite(together[1][1, 5])
