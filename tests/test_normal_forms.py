"""Normal forms: closed forms, textbook forms after a change of coordinates, and other ways to the same numbers."""

import cmath
import math

import mpmath
import numpy as np
import pytest
import sympy

import lyapkit as lk
from lyapkit.analyses.bifurcations import normal_forms as nf
from lyapkit.analyses.bifurcations.jets import Jets

ORIGIN = np.zeros(2)


def at(system, x, parameters=(), period=1):
    """The arguments of a normal form at a state of a system."""
    jets = Jets(system, parameters, period)
    return jets, np.asarray(x, dtype=float), jets.values


# ------------------------------------------------------------------ the plane


@pytest.mark.parametrize("theta", (0.02, 0.3, 0.9, 1.4, -0.6))
def test_hopf_of_the_plane(theta):
    """Re c1 = -1 / (2 cos^2 theta), omega = |tan theta|; Kuznetsov's l1 = -1 / sin(2 theta).

    The GRU's gates of 1/2 halve alpha and the time.
    """
    alpha, wanted = 1 / math.cos(theta), -1 / (2 * math.cos(theta) ** 2)
    found = nf.hopf(*at(lk.systems.rotation_flow(alpha, theta), ORIGIN, ("alpha", "theta")))
    assert found.coefficient == pytest.approx(wanted, rel=1e-13)
    assert found.frequency == pytest.approx(abs(math.tan(theta)), rel=1e-13)
    assert found.criticality == -1 and not found.degenerate
    l1 = lk.convert_coefficient(found.coefficient, frequency=found.frequency)
    assert l1 == pytest.approx(-1 / abs(math.sin(2 * theta)), rel=1e-13)
    slow = nf.hopf(*at(lk.systems.rotation_gru_flow(2 * alpha, theta), ORIGIN))
    assert slow.coefficient == pytest.approx(wanted / 2, rel=1e-13)
    assert slow.frequency == pytest.approx(found.frequency / 2, rel=1e-13)


def test_hopf_of_large_networks():
    """A critical block among 12 and 2: the units of a network of 24 are spread over the lanes."""
    for blocks in (2, 12):
        theta = np.linspace(0.4, 0.1, blocks)
        alpha = np.linspace(0.2, 0.8, blocks)
        theta[1], alpha[1] = 0.5, 1 / math.cos(0.5)
        found = nf.hopf(*at(lk.systems.block_rotation_flow(alpha=alpha, theta=theta), np.zeros(2 * blocks)))
        assert found.coefficient == pytest.approx(-1 / (2 * math.cos(0.5) ** 2), rel=1e-12)
        assert found.frequency == pytest.approx(math.tan(0.5), rel=1e-12)


def test_the_literal_flow_is_a_centre():
    """x' = tanh(alpha R(pi / 2) x) is Hamiltonian: Re c1 vanishes, flagged."""
    found = nf.hopf(*at(lk.systems.rotation_literal_flow(1.3, math.pi / 2), ORIGIN))
    assert abs(found.coefficient) < 1e-15 and found.degenerate and found.criticality == 0


@pytest.mark.parametrize("theta", (0.3, 1.1, 2.0, 3.0))
def test_neimark_sacker_of_the_plane(theta):
    """-1/2 at alpha = 1 for every theta; with C = -2 h (W .)^3, -h alpha^3 cos(theta - angle) / 2 of the Euler step."""
    found = nf.neimark_sacker(*at(lk.systems.rotation_map(1.0, theta), ORIGIN, ("alpha",)))
    assert found.coefficient == pytest.approx(-0.5, rel=1e-13) and found.criticality == -1
    assert found.frequency == pytest.approx(theta, rel=1e-13)
    for h in (0.1, 0.7):
        c = math.cos(theta)
        alpha = (-(1 - h) * c + math.sqrt((1 - h) ** 2 * c * c + h * (2 - h))) / h
        angle = cmath.phase(1 - h + h * alpha * cmath.exp(1j * theta))
        found = nf.neimark_sacker(*at(lk.systems.rotation_euler(alpha, theta, h), ORIGIN, ("h", "theta")))
        assert found.coefficient == pytest.approx(-h * alpha**3 * math.cos(theta - angle) / 2, rel=1e-12)
        assert found.frequency == pytest.approx(angle, rel=1e-12)


def test_neimark_sacker_of_the_literal_map():
    """x + tanh(alpha R x) at alpha = -2 cos(theta): the Euler step's form with h = 1 and its own angle."""
    theta = 2.2
    alpha = -2 * math.cos(theta)
    angle = cmath.phase(1 + alpha * cmath.exp(1j * theta))
    found = nf.neimark_sacker(*at(lk.systems.rotation_literal_map(alpha, theta), ORIGIN))
    assert found.coefficient == pytest.approx(-(alpha**3) * math.cos(theta - angle) / 2, rel=1e-12)


def test_resonances_of_the_plane():
    """1:3 degenerate by symmetry; 1:4 with c = -i/2, |d| = 1/6, A0 = -3; 1:1, 1:2 and the double zero are no blocks."""
    turned = lambda theta: at(lk.systems.rotation_map(1.0, theta), ORIGIN, ("alpha", "theta"))  # noqa: E731
    third = nf.resonance_1_3(*turned(2 * math.pi / 3))
    assert third.degenerate and third.coefficient < 1e-15
    assert cmath.exp(-2j * math.pi / 3) * third.more["c"] == pytest.approx(-0.5, abs=1e-14)
    fourth = nf.resonance_1_4(*turned(math.pi / 2))
    assert not fourth.degenerate and fourth.criticality == -1
    assert fourth.coefficient == pytest.approx(1 / 6, rel=1e-13)
    assert fourth.more["A0"] == pytest.approx(-3, abs=1e-12)
    assert nf.resonance_1_2(*turned(math.pi)).degenerate and nf.resonance_1_1(*turned(0.0)).degenerate
    for theta in (0.0, 1e-9, -1e-8):
        double = nf.bogdanov_takens(*at(lk.systems.rotation_flow(1.0, theta), ORIGIN, ("alpha", "theta")))
        assert double.degenerate and math.isnan(double.coefficient) and double.criticality == 0


# ------------------------------------------------------------------ flows


def guckenheimer_holmes(equations, symbols, point):
    """Re c1 for |q| = 1 in 30 digits, by the centre manifold and (3.4.11) of Guckenheimer & Holmes (1983).

    Polynomial equations in two or three symbols. In coordinates y with x = Re(q) y1 - Im(q) y2 the radius is 2 |z|, so
    that Re c1 is four times their a.
    """
    with mpmath.workdps(30):
        n = len(symbols)
        shift = {s: s + v for s, v in zip(symbols, point, strict=True)}
        moved = [sympy.expand(sympy.sympify(e).subs(shift, simultaneous=True)) for e in equations]
        zero = dict.fromkeys(symbols, 0)
        matrix = mpmath.matrix([[mpmath.mpf(sympy.diff(e, s).subs(zero)) for s in symbols] for e in moved])
        values, vectors = mpmath.eig(matrix)
        k = next(i for i in range(n) if mpmath.im(values[i]) > 1e-9)
        q = vectors[:, k] / mpmath.norm(vectors[:, k])
        columns = [[mpmath.re(v) for v in q], [-mpmath.im(v) for v in q]]
        columns += [[mpmath.re(v) for v in vectors[:, i]] for i in range(n) if abs(mpmath.im(values[i])) < 1e-9]
        basis = sympy.Matrix([[sympy.Float(str(c[i]), 30) for c in columns] for i in range(n)])
        y = sympy.symbols("y1:4")[:n]
        inside = dict(zip(symbols, basis * sympy.Matrix(y), strict=True))
        flow = basis.inv() * sympy.Matrix([e.subs(inside, simultaneous=True) for e in moved])
        flow = [sympy.expand(e) for e in flow]
        f, g = flow[:2]
        if n == 3:  # y3 = a y1^2 + b y1 y2 + c y2^2 is invariant to second order
            a, b, c = sympy.symbols("a b c")
            h = a * y[0] ** 2 + b * y[0] * y[1] + c * y[1] ** 2
            third = next(v for v in values if abs(mpmath.im(v)) < 1e-9)
            omega, rate = (sympy.Float(str(v), 30) for v in (mpmath.im(values[k]), mpmath.re(third)))
            linear = sympy.diff(h, y[0]) * (-omega * y[1]) + sympy.diff(h, y[1]) * omega * y[0] - rate * h
            quadratic = flow[2].subs(y[2], 0)
            residual = sympy.Poly(sympy.expand(linear - quadratic), *y[:2])
            terms = [residual.coeff_monomial(m) for m in (y[0] ** 2, y[0] * y[1], y[1] ** 2)]
            h = h.subs(sympy.solve(terms, (a, b, c)))
            f, g = (sympy.expand(e.subs(y[2], h)) for e in (f, g))
        d = lambda e, i, j: sympy.diff(e, y[0], i, y[1], j).subs({y[0]: 0, y[1]: 0})  # noqa: E731
        w = d(g, 1, 0)
        cubic = d(f, 3, 0) + d(f, 1, 2) + d(g, 2, 1) + d(g, 0, 3)
        square = d(f, 1, 1) * (d(f, 2, 0) + d(f, 0, 2)) - d(g, 1, 1) * (d(g, 2, 0) + d(g, 0, 2))
        square += -d(f, 2, 0) * d(g, 2, 0) + d(f, 0, 2) * d(g, 0, 2)
        return float(4 * (cubic + square / w) / 16), float(w)


def test_hopf_of_lorenz():
    """At rho = 470/19, subcritical."""
    rho, beta = sympy.Rational(470, 19), sympy.Rational(8, 3)
    side = sympy.sqrt(beta * (rho - 1)).evalf(35)
    x, y, z = sympy.symbols("x y z")
    equations = [10 * (y - x), x * (rho - z) - y, x * y - beta * z]
    wanted, omega = guckenheimer_holmes(equations, (x, y, z), (side, side, rho - 1))
    point = [float(side), float(side), float(rho - 1)]
    found = nf.hopf(*at(lk.systems.lorenz63(rho=470 / 19), point, ("rho", "beta")))
    # the point and rho are rounded: 1e-16 of them, times condition numbers of about 100
    assert found.coefficient == pytest.approx(wanted, rel=1e-11) and found.criticality == 1
    assert found.frequency == pytest.approx(abs(omega), rel=1e-13)


@pytest.mark.parametrize("a", (0.5, 1.0, 1.7))
def test_hopf_of_the_brusselator(a):
    """At B = 1 + A^2, omega = A, supercritical for every A."""
    x, y = sympy.symbols("x y")
    b = 1 + sympy.Rational(a) ** 2
    equations = [sympy.Rational(a) + x**2 * y - (b + 1) * x, b * x - x**2 * y]
    wanted, _ = guckenheimer_holmes(equations, (x, y), (sympy.Rational(a), b / sympy.Rational(a)))
    found = nf.hopf(*at(lk.systems.brusselator(A=a, B=1 + a * a), [a, (1 + a * a) / a], ("A", "B")))
    assert found.coefficient == pytest.approx(wanted, rel=1e-12) and found.criticality == -1
    assert found.frequency == pytest.approx(a, rel=1e-13)


def test_matcont_adaptive_control():
    """MatCont's example x' = y, y' = z, z' = -a z - b y - x + x^2: Hopf at b = 1 where a = 1, omega 1, l1 = -0.3."""
    rule = lambda x, a, b: [x[1], x[2], -a * x[2] - b * x[1] - x[0] + x[0] ** 2]  # noqa: E731
    system = lk.define_flow(rule, parameters={"a": 1.0, "b": 1.0}, dimension=3)
    found = nf.hopf(*at(system, np.zeros(3), ("a", "b")))
    assert found.coefficient == pytest.approx(-0.3, rel=1e-13) and found.frequency == pytest.approx(1.0, rel=1e-14)
    x, y, z = sympy.symbols("x y z")
    wanted, _ = guckenheimer_holmes([y, z, -z - y - x + x**2], (x, y, z), (0, 0, 0))
    assert wanted == pytest.approx(-0.3, rel=1e-13)
    assert lk.convert_coefficient(found.coefficient, frequency=found.frequency, wanted="matcont") == found.coefficient


def test_hopf_of_van_der_pol():
    """mu = 0: the linear centre, degenerate; with mu (1 - x^2) y, Re c1 = 0 and its slope in mu is not asked for."""
    found = nf.hopf(*at(lk.systems.van_der_pol(mu=0.0), ORIGIN, ("mu",)))
    assert found.coefficient == 0.0 and found.degenerate and found.frequency == pytest.approx(1.0)


@pytest.mark.parametrize("second", (-0.7, 0.0, 0.4))
def test_bautin(second):
    """w' = (b1 + i) w + b2 w |w|^2 - w |w|^4, w = sqrt(2) z: Re c1 = 2 b2, degenerate at b2 = 0."""

    def rule(x, b1, b2):
        r = x[0] ** 2 + x[1] ** 2
        gain = b1 + b2 * r - r * r
        return [gain * x[0] - x[1], x[0] + gain * x[1]]

    system = lk.define_flow(rule, parameters={"b1": 0.0, "b2": second}, dimension=2)
    found = nf.hopf(*at(system, ORIGIN, ("b1", "b2")))
    assert found.coefficient == pytest.approx(2 * second, abs=1e-14)
    assert found.degenerate == (second == 0.0) and found.criticality == np.sign(second)
    landau = nf.hopf(*at(lk.systems.stuart_landau(mu=0.0, omega=2.0, c=0.5), ORIGIN, ("mu",)))
    assert landau.coefficient == pytest.approx(-2.0, rel=1e-14)
    assert landau.more["imaginary_part"] == pytest.approx(-1.0, rel=1e-13)


def shear(u, v, k, m, sign):
    """A change of coordinates near the identity whose inverse is as simple: two shears."""
    if sign > 0:
        u = u + k * v * v
        return u, v + m * u * u - k * u * u * u
    v = v - m * u * u + k * u * u * u
    return u - k * v * v, v


TURN = np.array([[math.cos(0.4), -math.sin(0.4)], [math.sin(0.4), math.cos(0.4)]])


def disguised_map(form, turn=TURN):
    """The map h(turn form(.)) in turned and sheared coordinates: the same coefficients."""

    def rule(x, k, m):
        y = turn.T @ x
        u, v = form(*shear(y[0], y[1], k, m, -1))
        u, v = shear(u, v, k, m, 1)
        return [turn[0, 0] * u + turn[0, 1] * v, turn[1, 0] * u + turn[1, 1] * v]

    return lk.define_map(rule, parameters={"k": 0.7, "m": -0.4}, dimension=2)


def disguised_flow(form):
    """The same of a flow: the velocity is carried by the derivative of the change."""

    def rule(x, k, m):
        y = TURN.T @ x
        u, v = shear(y[0], y[1], k, m, -1)
        du, dv = form(u, v)
        u, du = u + k * v * v, du + 2 * k * v * dv
        dv = dv + (2 * m * u - 3 * k * u * u) * du
        return [TURN[0, 0] * du + TURN[0, 1] * dv, TURN[1, 0] * du + TURN[1, 1] * dv]

    return lk.define_flow(rule, parameters={"k": 0.7, "m": -0.4}, dimension=2)


@pytest.mark.parametrize(("a", "b"), [(1.0, -1.0), (-0.6, -1.3), (2.0, 0.5)])
def test_bogdanov_takens(a, b):
    """eta' = a xi^2 + b xi eta, in other coordinates too. The sign of q0 changes that of both."""
    found = nf.bogdanov_takens(*at(disguised_flow(lambda u, v: (v, a * u * u + b * u * v)), ORIGIN, ("k",)))
    sign = np.sign(found.more["a"] / a)
    assert [found.more["a"], found.more["b"]] == pytest.approx([sign * a, sign * b], rel=1e-12)
    assert found.criticality == np.sign(a * b) and not found.degenerate


def test_degenerate_bogdanov_takens():
    for a, b in ((1.0, 0.0), (0.0, 1.0)):
        system = lk.define_flow(lambda x, a, b: [x[1], a * x[0] ** 2 + b * x[0] * x[1]], parameters={"a": a, "b": b},
                                dimension=2)  # fmt: skip
        assert nf.bogdanov_takens(*at(system, ORIGIN)).degenerate


def test_fold_and_cusp_of_flows():
    """x' = b1 + b2 x + s x^2 - x^3 with a fast unit; disguised fold."""

    def rule(x, s):
        return [s * x[0] ** 2 - x[0] ** 3 + x[0] * x[1], -2 * x[1] + x[0] ** 2]

    # y = x^2 / 2 on the centre manifold: cubic -1 + 1/2
    fold = lk.define_flow(rule, parameters={"s": 0.8}, dimension=2)
    found = nf.fold(*at(fold, ORIGIN, ("s",)))
    assert found.coefficient == pytest.approx(0.8, rel=1e-14) and not found.degenerate
    cusp = at(fold.with_(s=0.0), ORIGIN, ("s",))
    assert nf.fold(*cusp).degenerate
    assert nf.cusp(*cusp).coefficient == pytest.approx(-0.5, rel=1e-14) and nf.cusp(*cusp).more == {"a": 0.0}
    assert nf.cusp(*cusp).degenerate is False
    turned = disguised_flow(lambda u, v: (1.5 * u * u, -v))
    assert abs(nf.fold(*at(turned, ORIGIN)).coefficient) == pytest.approx(1.5, rel=1e-13)


# ------------------------------------------------------------------ where there is nothing


def test_nothing_raises_where_the_bifurcation_is_not():
    """A saddle, a stable focus, a point at infinity: NaN, and no criticality."""
    saddle = lk.define_flow(lambda x, a: [x[0] + a * x[1] ** 2, -x[1]], parameters={"a": 1.0}, dimension=2)
    focus = lk.systems.rotation_flow(1.2, 0.9)
    large = lk.systems.henon()
    cases = [at(saddle, ORIGIN), at(focus, ORIGIN, ("alpha",)), at(large, [1e200, 1e200], ("a",), 3)]
    cases.append(at(lk.systems.logistic(r=3.3), [0.2], ("r",)))
    for case in cases:
        for kind, form in nf.FORMS.items():
            found = form(*case)
            assert math.isnan(found.coefficient) and found.criticality == 0, kind
