"""Conventions of normal-form coefficients, and the way from one to another."""

import numpy as np

from lyapkit.analyses.verb import choice

_KINDS = ("hopf", "neimark_sacker", "period_doubling", "fold")
_CONVENTIONS = ("unit_eigenvector", "kuznetsov", "matcont", "amplitude")


def convert_coefficient(value, kind="hopf", *, frequency=None, given="unit_eigenvector", wanted="kuznetsov"):
    """convert_coefficient(value, kind="hopf", *, frequency=None, given="unit_eigenvector", wanted="kuznetsov")

    A normal-form coefficient in another convention.

    Returns a number or an array, of the sign of `value`.

    value          the coefficient, a number or an array, such as normal_form_coefficient of a curve
    kind           "hopf", "neimark_sacker", "period_doubling" or "fold"
    frequency      omega of the Hopf points, radians per time unit; needed where one side is Kuznetsov's of a Hopf point
    given, wanted  "unit_eigenvector" (every result of lyapkit), "kuznetsov", "matcont" or "amplitude"

    With the critical eigenvector q of norm 1 and x = x0 + z q + conj(z q) near the point:

    * "unit_eigenvector": Re c1 of z' = i omega z + c1 z |z|^2; Re(exp(-i theta) d) of z <- exp(i theta) z + d z |z|^2;
      b of xi <- -xi + b xi^3; a of xi' = a xi^2.
    * "kuznetsov": the first Lyapunov coefficient l1 = Re c1 / omega of a Hopf point, after the book, which scales the
      time; of the others the same as "unit_eigenvector".
    * "matcont": what MatCont and MatContM print. They take |q| = 1 and leave the time as it is, so the same as
      "unit_eigenvector" of all kinds: MatCont's "First Lyapunov coefficient" is Re c1, which is l1 where omega = 1.
    * "amplitude": a of r' = mu r + a r^3 (maps: r <- (1 + mu) r + a r^3), r the root mean square of |x - x0| over a
      turn: r^2 = 2 |z|^2, so half of "unit_eigenvector". Where the turn is a circle, as in `systems.rotation_flow`,
      r = |x|. Of period doublings and folds r = |xi|, and the same.

    Another length of the eigenvector, |q| = s, multiplies the coefficients of third order by s^2, a of a fold by s.

    Kuznetsov, Elements of Applied Bifurcation Theory, 3rd ed. (2004), 5.4; Dhooge, Govaerts & Kuznetsov, ACM Trans.
    Math. Softw. 29 (2003) 141 (MatCont); Govaerts, Ghaziani, Kuznetsov & Meijer, SIAM J. Sci. Comput. 29 (2007) 2644
    (MatContM).

    >>> import lyapkit as lk
    >>> lk.convert_coefficient(-1.0, frequency=2.0), lk.convert_coefficient(-1.0, wanted="amplitude")
    (-0.5, -0.5)
    >>> lk.convert_coefficient(-0.25, "neimark_sacker", given="amplitude", wanted="matcont")
    -0.5
    """
    value = _numbers("value", value)
    choice("kind", kind, _KINDS)
    given, wanted = choice("given", given, _CONVENTIONS), choice("wanted", wanted, _CONVENTIONS)
    scaled = kind == "hopf" and (given == "kuznetsov") != (wanted == "kuznetsov")
    if scaled and frequency is None:
        raise ValueError("frequency: not given, accepted: omega of the Hopf point, by which Kuznetsov's l1 is divided")
    if frequency is not None:
        if kind != "hopf":
            raise ValueError(f"frequency: given for {kind}, accepted: None, as no convention of it takes one")
        frequency = _numbers("frequency", frequency)
        if (frequency < 0.0).any():
            raise ValueError(f"frequency: given {frequency.min():g}, accepted: numbers of at least 0")
    with np.errstate(all="ignore"):  # a frequency of 0, at a double zero
        result = value * _factor(kind, wanted, frequency) / _factor(kind, given, frequency)
    return result if result.ndim else float(result)


def _numbers(name, value):
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: given {value!r}, accepted: a number, or an array of numbers") from None


def _factor(kind, convention, frequency):
    """The coefficient in a convention, of that with the unit eigenvector."""
    if convention == "amplitude" and kind in ("hopf", "neimark_sacker"):
        return 0.5
    if convention == "kuznetsov" and kind == "hopf" and frequency is not None:
        return 1.0 / frequency
    return 1.0
