"""Coefficients of normal forms on centre manifolds, for critical eigenvectors of norm 1.

Each function takes (jets, x, p): `Jets` of a flow or of a power of a map, at a point where the named bifurcation is. A
is the Jacobian, B and C the second and third derivatives, A q = mu q with |q| = 1, and p the adjoint eigenvector with
<p, q> = 1, <p, q> the sum of conj(p_i) q_i. Where the bifurcation is not there (a pair of real eigenvalues in place of
a complex one, numbers that are not finite) everything is NaN; nothing raises. So coefficients along a curve can be
asked for without a thought.

Kuznetsov, Elements of Applied Bifurcation Theory, 3rd ed. (2004), chapters 5, 8 and 9; Kuznetsov & Meijer, SIAM J. Sci.
Comput. 26 (2005) 1932, for maps.
"""

import cmath
import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from lyapkit.analyses.bifurcations.critical_point import CriticalPoint, pair

_DEGENERATE = 1e-6  # a coefficient of this part of its terms is none: points on curves are known to about 1e-8


@dataclasses.dataclass(frozen=True)
class NormalForm:
    """The coefficient that decides, and what goes with it.

    frequency    omega of a Hopf point (per time unit), angle theta of a Neimark-Sacker point (radians per iterate)
    criticality  -1 supercritical (what branches off is stable, if all else is), 1 subcritical, 0 neither
    degenerate   the coefficient vanishes relative to its terms, so that higher ones decide; or the Jordan block that
                 the form is made for is diagonal
    more         further coefficients by name
    """

    coefficient: float = math.nan
    frequency: float = math.nan
    criticality: int = 0
    degenerate: bool = False
    more: Mapping = dataclasses.field(default_factory=dict)


_NONE = NormalForm()


def fold(jets, x, p):
    """a = <p, B(q, q)> / 2 of xi' = beta + a xi^2 (maps: xi <- xi + beta + a xi^2)."""
    point = CriticalPoint(jets, x, p)
    q, w = point.null(point.unit)
    second = point.B(q, q)
    a = pair(w, second) / 2
    size = (point.size(w, second) + point.extent * point.size(w, point.C(q, q, q))) / 2
    return NormalForm(a, degenerate=_vanishes(a, size))


def cusp(jets, x, p):
    """c of xi' = beta + a xi^2 + c xi^3 (maps: xi <- xi + ...): where a = 0, c = <p, C(q, q, q) + 3 B(q, h)> / 6.

    (A - mu) h = -B(q, q) + <p, B(q, q)> q with <p, h> = 0. more: a.
    """
    point = CriticalPoint(jets, x, p)
    q, w = point.null(point.unit)
    second = point.B(q, q)
    h = point.bordered(point.unit, q, w, pair(w, second) * q - second)
    terms = point.C(q, q, q) / 6, point.B(q, h) / 2
    c = pair(w, terms[0] + terms[1])
    return NormalForm(c, degenerate=_vanishes(c, point.size(w, *terms)), more={"a": pair(w, second) / 2})


def hopf(jets, x, p):
    """Re c1 of z' = i omega z + c1 z |z|^2, negative where the cycle is stable.

    c1 = <p, C(q, q, q*) - 2 B(q, A^-1 B(q, q*)) + B(q*, (2 i omega - A)^-1 B(q, q))> / 2 (Kuznetsov 2004, 5.4).
    Bautin points are where it vanishes: degenerate.
    """
    point = CriticalPoint(jets, x, p)
    eigenvalue = point.critical_eigenvalue()
    if eigenvalue is None:
        return _NONE
    omega = eigenvalue.imag
    return _oscillation(point, eigenvalue, 0.0, 2j * omega, 1.0, omega)


def neimark_sacker(jets, x, p):
    """Re(exp(-i theta) d) of z <- exp(i theta) z + d z |z|^2, negative where the invariant circle is stable.

    d = <p, C(q, q, q*) + 2 B(q, (1 - A)^-1 B(q, q*)) + B(q*, (exp(2 i theta) - A)^-1 B(q, q))> / 2 (Kuznetsov 2004,
    5.4).
    """
    point = CriticalPoint(jets, x, p)
    eigenvalue = point.critical_eigenvalue()
    if eigenvalue is None:
        return _NONE
    theta = cmath.phase(eigenvalue)
    return _oscillation(point, eigenvalue, 1.0, cmath.exp(2j * theta), cmath.exp(-1j * theta), theta)


def _oscillation(point, eigenvalue, unit, double, turn, frequency):
    """The real part of turn <p, C + 2 B(q, (unit - A)^-1 B(q, q*)) + B(q*, (double - A)^-1 B(q, q))> / 2."""
    q, w = point.null(eigenvalue)
    mean, twice = point.B((q, q), (q.conj(), q))
    terms = _cubic(point, q, point.resolvent(unit, mean), point.resolvent(double, twice))
    found = turn * pair(w, sum(terms))
    degenerate = _vanishes(found.real, point.size(w, *terms))
    critical = 0 if degenerate else _sign(found.real)
    return NormalForm(found.real, frequency, critical, degenerate, {"imaginary_part": found.imag})


def _cubic(point, q, h11, h20):
    """The terms of the coefficient of z |z|^2."""
    mean, twice = point.B((q, q.conj()), (h11, h20))
    return point.C(q, q, q.conj()) / 2, mean, twice / 2


def period_doubling(jets, x, p):
    """b of xi <- -xi + b xi^3, positive where the doubled orbit is stable.

    b = <p, C(q, q, q) + 3 B(q, (1 - A)^-1 B(q, q))> / 6 (Kuznetsov 2004, 5.4). Generalised period doublings are
    where it vanishes: degenerate.
    """
    point = CriticalPoint(jets, x, p)
    q, w = point.null(-1.0)
    terms = point.C(q, q, q) / 6, point.B(q, point.resolvent(1.0, point.B(q, q))) / 2
    b = pair(w, terms[0] + terms[1])
    degenerate = _vanishes(b, point.size(w, *terms))
    return NormalForm(b, math.pi, 0 if degenerate else -_sign(b), degenerate)


def bogdanov_takens(jets, x, p):
    """a of xi' = eta, eta' = a xi^2 + b xi eta; more: a and b. The Hopf points nearby are of the sign of a b.

    a = <p1, B(q0, q0)> / 2, b = <p1, B(q0, q1)> + <p0, B(q0, q0)> with A q1 = q0, A' p0 = p1, |q0| = 1
    (Kuznetsov 2004, 8.4).
    """
    return _double_one(CriticalPoint(jets, x, p), 0.0, 0.0)


def resonance_1_1(jets, x, p):
    """a of xi <- xi + eta, eta <- eta + a xi^2 + b xi eta; more: a and b. The circles nearby: sign of a (b - 2 a).

    As `bogdanov_takens`, of A - 1 (Kuznetsov & Meijer 2005).
    """
    return _double_one(CriticalPoint(jets, x, p), 1.0, 2.0)


def _double_one(point, eigenvalue, shift):
    chain = point.chain(eigenvalue)
    if chain is None:
        return NormalForm(degenerate=True, more={"a": math.nan, "b": math.nan})
    q0, q1, p0, p1 = chain
    second, mixed = point.B(q0, q0), point.B(q0, q1)
    a, b = pair(p1, second) / 2, pair(p1, mixed) + pair(p0, second)
    cubic = point.extent * point.C(q0, q0, q0)
    flat = _vanishes(a, point.size(p1, second, cubic))
    sizes = point.size(p1, mixed, shift * second, cubic) + point.size(p0, second)
    degenerate = flat or _vanishes(b - shift * a, sizes)
    return NormalForm(a, 0.0, 0 if degenerate else _sign(a * (b - shift * a)), degenerate, {"a": a, "b": b})


def resonance_1_2(jets, x, p):
    """c of xi <- -xi + eta, eta <- -eta + c xi^3 + d xi^2 eta; more: c and d. The circles nearby: sign of -(d + 3 c).

    c = <p1, C(q0, q0, q0) + 3 B(q0, h20)> / 6 and d = (<p1, C(q0, q0, q1) + B(q1, h20) + 2 B(q0, h11)> +
    <p0, C(q0, q0, q0) + 3 B(q0, h20)>) / 2 with h20 = (1 - A)^-1 B(q0, q0), h11 = (1 - A)^-1 (B(q0, q1) + h20), A q1 =
    -q1 + q0 (Kuznetsov & Meijer 2005).
    """
    point = CriticalPoint(jets, x, p)
    chain = point.chain(-1.0)
    if chain is None:
        return NormalForm(frequency=math.pi, degenerate=True, more={"c": math.nan, "d": math.nan})
    q0, q1, p0, p1 = chain
    h20 = point.resolvent(1.0, point.B(q0, q0))
    h11 = point.resolvent(1.0, point.B(q0, q1) + h20)
    first = point.C(q0, q0, q0), 3 * point.B(q0, h20)
    second = point.C(q0, q0, q1), point.B(q1, h20), 2 * point.B(q0, h11)
    c = pair(p1, sum(first)) / 6
    d = (pair(p1, sum(second)) + pair(p0, sum(first))) / 2
    sizes = point.size(p1, *first), point.size(p1, *second) + point.size(p0, *first)
    degenerate = _vanishes(c, sizes[0] / 6) or _vanishes(d + 3 * c, (sizes[0] + sizes[1]) / 2)
    return NormalForm(c, math.pi, 0 if degenerate else -_sign(d + 3 * c), degenerate, {"c": c, "d": d})


def resonance_1_3(jets, x, p):
    """|b| of z <- exp(i theta) z + b z*^2 + c z |z|^2, theta = 2 pi / 3; more: b, c. Circles: sign of Re c1.

    b = <p, B(q*, q*)> / 2; c = <p, C(q, q, q*) + 2 B(q, (1 - A)^-1 B(q, q*)) + B(q*, h20)> / 2 with
    (exp(2 i theta) - A) h20 = B(q, q) - 2 b* q*, <p*, h20> = 0; c1 = 3 (exp(-i theta) c - |b|^2) (Kuznetsov & Meijer
    2005). The phase of b goes with that of q, and the imaginary part of c1 with the choice of h20.
    """
    point, turn = CriticalPoint(jets, x, p), cmath.exp(2j * math.pi / 3)
    q, w = point.null(turn)
    second = point.B(q, q)
    b = pair(w, second.conj()) / 2
    h20 = point.bordered(turn.conjugate(), q.conj(), w.conj(), 2 * b.conjugate() * q.conj() - second)
    terms = _cubic(point, q, point.resolvent(1.0, point.B(q, q.conj())), h20)
    c = pair(w, sum(terms))
    stability = 3 * (turn.conjugate() * c - abs(b) ** 2)
    size = point.size(w, second) / 2 + point.extent * point.size(w, terms[0])
    degenerate, critical = _vanishes(abs(b), size), _sign(stability.real)
    return NormalForm(abs(b), 2 * math.pi / 3, critical, degenerate, {"b": b, "c": c, "c1": stability})


def resonance_1_4(jets, x, p):
    """|d| of z <- i z + c z |z|^2 + d z*^3; more: c, d and A0 = -i c / |d|. Circles: sign of Re A0.

    c as in `neimark_sacker`, d = <p, C(q*, q*, q*) + 3 B(q*, h02)> / 6 with h02 = -(1 + A)^-1 B(q*, q*)
    (Kuznetsov & Meijer 2005). There are four pairs of fixed points, and tongues, where |A0| > 1 or |Im A0| is small.
    """
    point = CriticalPoint(jets, x, p)
    q, w = point.null(1j)
    h20 = point.resolvent(-1.0, point.B(q, q))
    c = pair(w, sum(_cubic(point, q, point.resolvent(1.0, point.B(q, q.conj())), h20)))
    terms = point.C(q.conj(), q.conj(), q.conj()) / 6, point.B(q.conj(), h20.conj()) / 2
    d = pair(w, terms[0] + terms[1])
    with np.errstate(all="ignore"):
        a0 = complex(np.complex128(-1j * c) / abs(d))
    degenerate = _vanishes(abs(d), point.size(w, *terms))
    return NormalForm(abs(d), math.pi / 2, _sign((-1j * c).real), degenerate, {"c": c, "d": d, "A0": a0})


FORMS = {
    "fold": fold, "cusp": cusp, "hopf": hopf, "bautin": hopf, "bogdanov_takens": bogdanov_takens,
    "period_doubling": period_doubling, "generalised_period_doubling": period_doubling,
    "neimark_sacker": neimark_sacker, "chenciner": neimark_sacker, "resonance_1_1": resonance_1_1,
    "resonance_1_2": resonance_1_2, "resonance_1_3": resonance_1_3, "resonance_1_4": resonance_1_4,
}  # fmt: skip


def _sign(number):
    return int(np.sign(np.nan_to_num(number)))


def _vanishes(number, size):
    return bool(abs(number) <= _DEGENERATE * size)
