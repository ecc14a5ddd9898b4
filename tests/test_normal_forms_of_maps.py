"""Normal forms of maps: closed forms, and textbook forms after a change of coordinates."""

import cmath
import math

import mpmath
import numpy as np
import pytest
import sympy
from test_normal_forms import ORIGIN, at, disguised_map

import lyapkit as lk
from lyapkit.analyses.bifurcations import normal_forms as nf


def test_period_doubling_in_one_dimension():
    """b = f''^2 / 4 + f''' / 6: 9 of the logistic map at r = 3, and of its second power at 1 + sqrt(6)."""
    found = nf.period_doubling(*at(lk.systems.logistic(r=3.0), [2 / 3], ("r",)))
    assert found.coefficient == pytest.approx(9.0, rel=1e-13) and found.criticality == -1
    r = 1 + math.sqrt(6)
    x, p = sympy.symbols("x p")
    twice = (p * x * (1 - x)) * p * (1 - p * x * (1 - x))
    with mpmath.workdps(30):
        exact = 1 + mpmath.sqrt(6)
        point = (exact + 1 + mpmath.sqrt((exact - 3) * (exact + 1))) / (2 * exact)
        here = {x: sympy.Float(str(point), 30), p: sympy.Float(str(exact), 30)}
        second, third = (sympy.diff(twice, x, k).subs(here) for k in (2, 3))
    found = nf.period_doubling(*at(lk.systems.logistic(r=r), [float(point)], ("r",), period=2))
    assert found.coefficient == pytest.approx(float(second**2 / 4 + third / 6), rel=1e-12)


def test_period_doubling_of_henon():
    """At a = 0.3675, b = 0.3, from the exact cycle of period two.

    The eigenvalue -(1 + nu) and the half-amplitude xi of the cycle obey nu = b xi^2 to first order.
    """
    b = mpmath.mpf("0.3")
    with mpmath.workdps(40):
        rest = lambda a: (-(1 - b) + mpmath.sqrt((1 - b) ** 2 + 4 * a)) / (2 * a)  # noqa: E731
        beyond = lambda a: a * rest(a) + mpmath.sqrt((a * rest(a)) ** 2 + b) - 1  # noqa: E731
        gap = lambda a: ((1 - b) / a) ** 2 - 4 * ((1 - b) ** 2 / a - 1) / a  # noqa: E731  # (x+ - x-)^2
        critical = 3 * (1 - b) ** 2 / 4
        wanted = mpmath.diff(beyond, critical) / (mpmath.diff(gap, critical) * (1 + b * b) / 4)
        x = float(rest(critical))
    found = nf.period_doubling(*at(lk.systems.henon(a=0.3675, b=0.3), [x, 0.3 * x], ("a", "b")))
    assert found.coefficient == pytest.approx(float(wanted), rel=1e-12) and found.criticality == -1


def test_neimark_sacker_of_the_delayed_logistic_map():
    """x <- r x (1 - y), y <- x at r = 2: angle pi / 3; Kuznetsov (2004), example 4.2: a(0) = -2 with |q|^2 = 2."""
    system = lk.define_map(lambda x, r: [r * x[0] * (1 - x[1]), x[0]], parameters={"r": 2.0}, dimension=2)
    found = nf.neimark_sacker(*at(system, [0.5, 0.5], ("r",)))
    assert found.frequency == pytest.approx(math.pi / 3, rel=1e-13)
    assert found.coefficient == pytest.approx(-1.0, rel=1e-12) and found.criticality == -1


def rotated(theta, c, d=0.0, b=0.0):
    """w <- exp(i theta) w + b w*^2 + c w |w|^2 + d w*^3 in real coordinates."""
    turn, c, d, b = cmath.exp(1j * theta), complex(c), complex(d), complex(b)

    def form(u, v):
        r = u * u + v * v
        terms = [(turn, (u, v)), (c, (u * r, v * r)), (b, (u * u - v * v, -2 * u * v))]
        terms.append((d, (u**3 - 3 * u * v * v, v**3 - 3 * u * u * v)))
        return (
            sum(k.real * x - k.imag * y for k, (x, y) in terms),
            sum(k.real * y + k.imag * x for k, (x, y) in terms),
        )

    return form


@pytest.mark.parametrize("c", (-0.8 + 0.3j, 0.2 - 1.1j, 0.0))
def test_neimark_sacker_in_other_coordinates(c):
    """w = sqrt(2) z: 2 Re c for a coefficient c exp(i theta) of w |w|^2."""
    theta = 1.234
    found = nf.neimark_sacker(*at(disguised_map(rotated(theta, c * cmath.exp(1j * theta))), ORIGIN, ("k",)))
    assert found.coefficient == pytest.approx(2 * complex(c).real, abs=1e-12)
    assert found.frequency == pytest.approx(theta, rel=1e-13)
    assert found.degenerate == (c == 0.0)


def test_resonance_1_3_in_other_coordinates():
    """b becomes sqrt(2) b and c becomes 2 c, of which other coordinates keep the real part of c1."""
    theta, b, c = 2 * math.pi / 3, 0.6 - 0.2j, 0.3 + 0.9j
    wanted = 3 * (cmath.exp(-1j * theta) * 2 * c - 2 * abs(b) ** 2)
    system = disguised_map(rotated(theta, c, b=b))
    found = nf.resonance_1_3(*at(system, ORIGIN, ("k",)))
    assert found.coefficient == pytest.approx(math.sqrt(2) * abs(b), rel=1e-12)
    assert found.more["c1"].real == pytest.approx(wanted.real, rel=1e-12)
    assert found.criticality == np.sign(wanted.real) and not found.degenerate
    plain = nf.resonance_1_3(*at(system.with_(k=0.0, m=0.0), ORIGIN, ("k",)))
    assert plain.more["c"] == pytest.approx(2 * c, rel=1e-12) and plain.more["c1"] == pytest.approx(wanted, rel=1e-12)


def test_resonance_1_4_in_other_coordinates():
    c, d = 0.3 - 0.7j, 0.2 + 0.5j
    found = nf.resonance_1_4(*at(disguised_map(rotated(math.pi / 2, c, d)), ORIGIN, ("k",)))
    assert found.more["c"] == pytest.approx(2 * c, rel=1e-12)
    assert found.coefficient == pytest.approx(2 * abs(d), rel=1e-12)
    assert found.more["A0"] == pytest.approx(-1j * c / abs(d), rel=1e-12)
    assert nf.resonance_1_4(*at(disguised_map(rotated(math.pi / 2, c, 0.0)), ORIGIN)).degenerate


def test_resonances_1_1_and_1_2_in_other_coordinates():
    """xi <- xi + eta, eta <- eta + a xi^2 + b xi eta; xi <- -xi + eta, eta <- -eta + c xi^3 + d xi^2 eta."""
    a, b = -0.5, 1.3
    first = nf.resonance_1_1(*at(disguised_map(lambda u, v: (u + v, v + a * u * u + b * u * v)), ORIGIN, ("k",)))
    sign = np.sign(first.more["a"] / a)
    assert [first.more["a"], first.more["b"]] == pytest.approx([sign * a, sign * b], rel=1e-12)
    assert first.criticality == np.sign(a * (b - 2 * a)) and not first.degenerate
    c, d = 0.4, -1.1
    second = nf.resonance_1_2(*at(disguised_map(lambda u, v: (-u + v, -v + c * u**3 + d * u * u * v)), ORIGIN, ("k",)))
    assert [second.more["c"], second.more["d"]] == pytest.approx([c, d], rel=1e-12)
    assert second.criticality == np.sign(-(d + 3 * c)) and not second.degenerate
    flat = disguised_map(lambda u, v: (-u + v, -v + d * u * u * v))
    assert nf.resonance_1_2(*at(flat, ORIGIN)).degenerate


def test_fold_and_cusp_of_maps():
    found = nf.fold(*at(disguised_map(lambda u, v: (u + 0.7 * u * u, 0.3 * v)), ORIGIN))
    assert abs(found.coefficient) == pytest.approx(0.7, rel=1e-13) and not found.degenerate
    flat = at(disguised_map(lambda u, v: (u - 1.2 * u**3, 0.3 * v)), ORIGIN)
    assert nf.fold(*flat).degenerate and nf.cusp(*flat).coefficient == pytest.approx(-1.2, rel=1e-12)
    doubled = at(disguised_map(lambda u, v: (-u + 1.2 * u**3, 0.3 * v)), ORIGIN)
    assert nf.period_doubling(*doubled).coefficient == pytest.approx(1.2, rel=1e-12)
    assert nf.period_doubling(*at(disguised_map(lambda u, v: (-u, 0.3 * v)), ORIGIN)).degenerate
