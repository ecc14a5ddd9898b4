"""A finite and an infinitesimal perturbation: phases, amplitudes and finite-size exponents against truths."""

import math

import numpy as np
import pytest
from scipy.linalg import expm

import lyapkit as lk
from lyapkit.analyses.cycles.cycle_phase import CyclePhase
from lyapkit.flags import STATUS

CYCLE = lk.systems.rotation_flow(alpha=2.0, theta=math.pi / 4)
# where the cycle crosses x2 = 0 upwards, and its phase gradient there, of thirty digits
SECTION, Z = np.array([0.6715583120021167, 0.0]), np.array([-1.8225115076801484, 1.5197738435385113])
SECOND = -3.283128073684900932 / 6.416230304075841384  # ln of the multiplier over the period
QUICK = {"trials": 0, "progress": False}


def shifted(delta):
    return lk.perturbation(CYCLE, delta=delta, initial_state=SECTION, transient=0, **QUICK)


@pytest.mark.parametrize("unit", [0, 1])
def test_the_phase_is_kept_as_the_phase_gradient_says(unit):
    push = 1e-3 * np.eye(2)[unit]
    there, back = shifted(push), shifted(-push)
    # the second order cancels, the third is 1e-6 times a number of order one per unit
    direct = float(there.asymptotic_phase_shift - back.asymptotic_phase_shift) / 2e-3
    assert direct == pytest.approx(Z[unit], abs=1e-5)
    assert float(there.predicted_phase_shift) == pytest.approx(1e-3 * Z[unit], rel=1e-9)


def test_what_the_phase_gradient_misses_is_of_second_order():
    missed = [
        float((d := shifted([size, 0.0])).asymptotic_phase_shift - d.predicted_phase_shift) for size in (4e-3, 2e-3)
    ]
    assert missed[0] / missed[1] == pytest.approx(4.0, rel=0.02)  # the next order: a relative 2e-3 and a bit


def test_the_amplitude_is_forgotten_at_the_second_exponent():
    ds = shifted([1e-3, 1e-3])
    # offsets are kept down to 100 times the distance of the numerical from the true cycle: a per cent in ln,
    # over a period of 6.4 and averaged over many phases
    assert float(ds.amplitude_decay_rate) == pytest.approx(SECOND, abs=1e-3)
    assert float(ds.cycle_distance[-1]) < 1e-9
    assert float(ds.distance[-1]) > 1e-4  # the phase is not


def test_amplitude_and_phase_of_a_closed_form():
    # Stuart-Landau: dr/dt = r - r^3, so that the phase shift of a state at radius r is that of its isochron:
    # phi = angle - c ln r, and time = phi / (omega - c)
    omega, c, r = 2.0, 0.5, 1.3
    system = lk.systems.stuart_landau(mu=1.0, omega=omega, c=c)
    ds = lk.perturbation(system, delta=[r - 1.0, 0.0], initial_state=[1.0, 0.0], transient=0, duration=30, **QUICK)
    assert float(ds.asymptotic_phase_shift) == pytest.approx(-c * math.log(r) / (omega - c), abs=1e-8)
    # the isochrons' slope: -c / r along the radius
    assert float(ds.predicted_phase_shift) == pytest.approx(-c * (r - 1.0) / (omega - c), rel=1e-8)
    t = ds.time.values
    radius = 1.0 / np.sqrt(1.0 + (r**-2 - 1.0) * np.exp(-2.0 * t))
    np.testing.assert_allclose(ds.cycle_distance, radius - 1.0, atol=1e-9)
    assert float(ds.amplitude_decay_rate) == pytest.approx(-2.0, abs=2e-3)


def test_a_linear_system_has_no_finite_size():
    a = np.array([[-0.1, 1.0], [-1.0, 0.05]])
    ds = lk.perturbation(lk.systems.linear_flow(A=a), delta=[3.0, 1.0], duration=20, transient=0, **QUICK)
    exact = [np.linalg.norm(expm(a * t) @ [3.0, 1.0]) for t in ds.time.values]
    np.testing.assert_allclose(ds.distance, exact, rtol=1e-8)
    np.testing.assert_allclose(ds.log_ratio, 0.0, atol=1e-10)


def test_the_tangent_vector_does_not_overflow():
    system = lk.systems.linear_map(A=[[2.0]])
    ds = lk.perturbation(system, delta=[1.0], initial_state=[0.0], transient=0, duration=100_000, every=10_000, **QUICK)
    np.testing.assert_allclose(ds.tangent_log_norm, math.log(2.0) * ds.time, rtol=1e-12)
    assert int(ds.status) == STATUS["diverged"]  # the finite one


def test_a_fixed_point_forgets_everything():
    ds = lk.perturbation(lk.systems.rotation_flow(alpha=0.5, theta=0.3), **QUICK)
    assert int(ds.cycle_status) == STATUS["fixed_point"]
    assert np.isnan(ds.phase_shift).all() and np.isnan(ds.asymptotic_phase_shift)
    rate = float(ds.log_distance[-1] - ds.log_distance[0]) / 100.0
    assert rate == pytest.approx(-1.0 + 0.5 * math.cos(0.3), rel=1e-6)  # eigenvalues -1 + alpha exp(i theta), normal


def test_errors_of_the_cat_map_grow_alike_whatever_their_size():
    sizes = 1e-9 * 4.0 ** np.arange(8)
    ds = lk.perturbation(lk.systems.cat_map(), sizes=sizes, trials=64, progress=False)
    # a pair that is 1e-5 apart is torn by the modulo with this probability each step; rounding is 1e-16 / 1e-11
    inside = ds.finite_size_exponent.values[:5]
    np.testing.assert_allclose(inside, math.log((3.0 + math.sqrt(5.0)) / 2.0), rtol=1e-4)


@pytest.mark.parametrize(
    ("system", "exponent", "large"),
    [
        (lk.systems.henon(), 0.419217, 1.0),
        (lk.systems.logistic(r=4.0), math.log(2.0), 0.7),
        (lk.systems.lorenz63(), 0.90563, 40.0),
    ],
)
def test_small_errors_grow_at_the_largest_exponent_and_large_ones_do_not(system, exponent, large):
    sizes = 1e-7 * 2.0 ** np.arange(14)
    keywords = {"duration": 40 if system.kind == "flow" else 100, "progress": False}
    ds = lk.perturbation(system, sizes=sizes, **keywords)
    error = ds.finite_size_exponent_stderr.values
    weight = error**-2 / (error**-2).sum()
    mean = float((weight * ds.finite_size_exponent.values).sum())
    # rates are ratios, whose weights favour the small ones by some error^2 of one size
    assert mean == pytest.approx(exponent, abs=4.0 * float((error**-2).sum() ** -0.5) + float((error**2).max()))
    ds = lk.perturbation(system, sizes=large * 1.1 ** np.arange(2), **keywords)
    assert float(ds.finite_size_exponent[0]) < 0.5 * exponent


def test_a_common_input_is_seen_by_both():
    noise = lk.white_noise(2, duration=60.0, dt=0.05, seed=3)
    system = lk.systems.rnn_flow(W=[[1.4, -1.4], [1.4, 1.4]], V=0.1 * np.eye(2), input=noise, input_dt=0.05)
    ds = lk.perturbation(system, delta=1e-7, transient=20, duration=30, progress=False)
    assert "phase_shift" not in ds and "finite_size_exponent" not in ds
    np.testing.assert_allclose(ds.log_ratio, 0.0, atol=1e-5)


def test_a_scan_is_the_single_calls_to_the_last_bit(tmp_path):
    grid = {"alpha": np.array([0.7, 1.6, 2.0])}
    keywords = {"trials": 4, "sizes": [1e-3, 2e-3], "every": 50, "progress": False}
    ds = lk.scan(lk.perturbation, lk.systems.rotation_flow, grid, **keywords)
    for alpha in grid["alpha"]:
        one = lk.perturbation(lk.systems.rotation_flow(alpha=alpha), **keywords)
        for name in one:
            np.testing.assert_array_equal(ds[name].sel(alpha=alpha).values, one[name].values, err_msg=name)
    lk.save(ds, tmp_path / "a.nc")
    assert lk.load(tmp_path / "a.nc").identical(ds)


def test_nearest_points_of_a_circle():
    t = 2.0 * np.pi * np.arange(256) / 256
    cycle = CyclePhase(np.stack([np.cos(t), np.sin(t)], 1), np.stack([-np.sin(t), np.cos(t)], 1), 2.0 * np.pi)
    angle, radius = np.linspace(0.1, 6.2, 41), np.linspace(0.3, 4.0, 41)
    time, distance = cycle.nearest(radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1))
    # cubics err by spacing^4 / 384 in the point and spacing^3 / 72 along it, the fourth derivative being 1
    np.testing.assert_allclose(distance, abs(radius - 1.0), atol=2.0 * (2 * np.pi / 256) ** 4 / 384)
    np.testing.assert_allclose(time, angle, atol=4.0 * (2 * np.pi / 256) ** 3 / 72)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"delta": 0.0}, "delta: given 0.0, accepted: a number above 0"),
        ({"delta": [0.0, 0.0]}, "not all zero"),
        ({"delta": [1.0, 0.0, 0.0]}, r"delta: .*\(2,\)"),
        ({"sizes": [1.0, 2.0, 3.0]}, "sizes: .*same factor"),
        ({"sizes": [1.0, 2.0], "trials": 0}, "sizes: given without trials"),
        ({"trials": -1}, "trials: given -1"),
    ],
)
def test_misuse_is_refused(keywords, message):
    with pytest.raises(ValueError, match=message):
        lk.perturbation(CYCLE, **keywords)
