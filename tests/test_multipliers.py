"""Floquet multipliers of made-up cycles: products of matrices with known eigenvalues, of any size."""

import numpy as np
import pytest

from lyapkit.analyses.cycles.multipliers import floquet
from lyapkit.analyses.cycles.shooting import solve_cyclic


def made_up(values, segments, seed):
    """Segments V_{s+1} D_s V_s^-1, V_S = V_0, whose product V_0 D V_0^-1 has these eigenvalues (complex: in pairs)."""
    rng, n = np.random.default_rng(seed), len(values)
    bases = [rng.standard_normal((n, n)) + 2 * np.eye(n) for _ in range(segments)]
    bases.append(bases[0])
    block, part, j = np.zeros((n, n)), np.zeros((n, n)), 0
    while j < n:
        r, angle = abs(values[j]) ** (1 / segments), np.angle(values[j]) / segments
        if values[j].imag:
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            block[j : j + 2, j : j + 2] = part[j : j + 2, j : j + 2] = r * turn
            j += 2
        else:
            block[j, j], part[j, j] = r, r * np.sign(values[j].real)
            j += 1
    middles = [part] + [block] * (segments - 1)
    return np.array([bases[s + 1] @ middles[s] @ np.linalg.inv(bases[s]) for s in range(segments)])


CASES = [
    ([1.0, 1e-92], 32),
    ([1.0, -1e-92], 32),
    ([1.0, 0.999], 16),
    ([1.0, 1.0], 16),
    ([1e40, 1.0, 1e-40], 32),
    ([-3.0, 1.0, 0.5, -1e-20], 16),
    ([1.0, 0.6 + 0.3j, 0.6 - 0.3j, 1e-30], 16),
    ([1e9 + 1e9j, 1e9 - 1e9j, 1.0, -1e-5, 2e-6 + 1e-6j, 2e-6 - 1e-6j], 16),
    (np.exp(-0.3 * np.arange(40)), 16),
    ([0.0625], 8),
]


@pytest.mark.parametrize("values, segments", CASES, ids=lambda case: str(case)[:40])
def test_known_eigenvalues(values, segments):
    """Rounding of a factor of condition c costs eps c of its share; bases of condition some 100 each."""
    values = np.array(values, dtype=complex)
    tangent = np.array([made_up(values, segments, seed) for seed in range(3)])
    logs, phases, basis, _ = floquet(tangent)
    order = np.argsort(-abs(values), kind="stable")
    np.testing.assert_allclose(logs, np.broadcast_to(np.log(abs(values[order])), logs.shape), rtol=1e-9, atol=2e-9)
    wanted = np.sort_complex(np.exp(1j * np.angle(values)))
    for found in phases:
        np.testing.assert_allclose(np.sort_complex(np.round(found, 7)), np.round(wanted, 7), atol=3e-6)
    eye = np.eye(len(values))
    np.testing.assert_allclose(basis.swapaxes(1, 2) @ basis, np.broadcast_to(eye, basis.shape), atol=1e-12)


def test_neighbours_change_no_bit():
    tangent = np.array([made_up(np.array([1.0, v], dtype=complex), 8, 1) for v in (0.5, 1e-30, -0.9, 1.0)])
    whole = floquet(tangent)
    for i in range(4):
        for all_, one in zip(whole, floquet(tangent[i : i + 1]), strict=True):
            np.testing.assert_array_equal(all_[i], one[0])


def test_lost_cycles_stay_apart():
    tangent = np.array([made_up(np.array([1.0, 0.5], dtype=complex), 8, 1)] * 2)
    tangent[0, 3] = np.nan
    logs, phases, *_ = floquet(tangent)
    assert np.isnan(logs[0]).all() and np.isnan(phases[0]).all()
    np.testing.assert_allclose(np.exp(logs[1]), [1.0, 0.5], rtol=1e-12)


@pytest.mark.parametrize(
    "values, segments", [([0.9, 0.5], 1), ([50.0, 0.1], 1), ([50.0, 0.1], 7), ([1e8, 1.5, 1e-8], 7)]
)
def test_newton_step_solves_its_equations(values, segments):
    """Against the dense system, also of cycles that are so unstable that shooting in one piece would fail."""
    rng, n = np.random.default_rng(3), len(values)
    tangent = made_up(np.array(values, dtype=complex), segments, 5)[None]
    wrong, velocity = rng.standard_normal((2, 1, segments, n))
    normal, distance = rng.standard_normal((1, n)), rng.standard_normal(1)
    moves, stretch = solve_cyclic(tangent, wrong, velocity, normal, distance)
    rest = (tangent @ moves[..., None])[..., 0] - np.roll(moves, -1, axis=1) + velocity * stretch[:, None, None] + wrong
    scale = abs(moves).max() * abs(tangent).max() + abs(wrong).max()
    assert abs(rest).max() < 1e-12 * scale
    assert abs((normal * moves[:, 0]).sum() - distance[0]) < 1e-10 * max(1.0, abs(moves).max())
