"""Interval arithmetic on arrays: what an operation can give, whatever the numbers between the bounds of its arguments.

An interval is a pair (low, high) of arrays; a thin one, of a single number, is a pair of one and the same array. Every
result encloses that of real arithmetic: bounds are moved outwards by one unit in the last place after + - * /
and sqrt, which IEEE 754 rounds correctly, and by `WIDE` relative to their size after an elementary function, whose
errors in NumPy's and SciPy's libraries stay below 4 units of 2.2e-16. Outside the domain of a function there is
nothing: NaN, which is passed on. A domain that is only touched is cut to its inner part, where the slope has no bound.

Moore, Kearfott & Cloud, Introduction to Interval Analysis, SIAM (2009).
"""

import functools

import numpy as np

WIDE = 16 * np.finfo(float).eps
_TINY = 1e-300  # results near the smallest numbers have no relative accuracy
_TURN = 2.0 * np.pi


def outwards(low, high):
    """Bounds moved by a unit in the last place."""
    return np.nextafter(low, -np.inf), np.nextafter(high, np.inf)


def _widened(low, high, least=-np.inf, most=np.inf):
    """Bounds moved by what an elementary function can err, within its range."""
    low, high = outwards(low, high)  # also makes infinities on the wrong side finite
    low = low - (WIDE * abs(low) + _TINY)
    high = high + (WIDE * abs(high) + _TINY)
    return np.maximum(low, least), np.minimum(high, most)


def _everything(low):
    """The interval of all numbers, for each element."""
    return np.full_like(low, -np.inf), np.full_like(low, np.inf)


def _choose(condition, a, b):
    return np.where(condition, a[0], b[0]), np.where(condition, a[1], b[1])


def _is_empty(a):
    return np.isnan(a[0])


def hull(a, b):
    """The smallest interval that holds both; one that is empty adds nothing."""
    return np.fmin(a[0], b[0]), np.fmax(a[1], b[1])


def contains_zero(a):
    """Whether 0 is inside."""
    return (a[0] <= 0.0) & (a[1] >= 0.0)


def add(a, b):
    """a + b; of thin ones exact where the sum is a double, so that whole exponents stay whole."""
    low, high = outwards(a[0] + b[0], a[1] + b[1])
    if a[0] is a[1] and b[0] is b[1]:
        total = a[0] + b[0]
        part = total - a[0]
        exact = (a[0] - (total - part)) + (b[0] - part) == 0.0  # Knuth's error of a sum
        return np.where(exact, total, low), np.where(exact, total, high)
    return low, high


def sub(a, b):
    """a - b."""
    return add(a, neg(b))


def neg(a):
    """-a."""
    if a[0] is a[1]:
        opposite = -a[0]
        return opposite, opposite
    return -a[1], -a[0]


def mul(a, b):
    """a b."""
    if a is b:
        return _square(a)
    products = [x * y for x in a for y in b]
    low = functools.reduce(np.minimum, products)
    high = functools.reduce(np.maximum, products)
    bad = np.isnan(low)
    if bad.any():  # 0 times an unbounded interval is 0
        products = [np.where(np.isnan(p), 0.0, p) for p in products]
        empty = np.broadcast_to(_is_empty(a) | _is_empty(b), low.shape)
        low = np.where(empty, np.nan, functools.reduce(np.minimum, products))
        high = np.where(empty, np.nan, functools.reduce(np.maximum, products))
    return outwards(low, high)


def _square(a):
    low, high = absolute(a)
    low, high = outwards(low * low, high * high)
    return np.maximum(low, 0.0), high


def div(a, b):
    """a / b: everything where b holds 0 and other numbers, nothing where it is 0."""
    zero = contains_zero(b)
    one = np.where(zero, 1.0, b[0]), np.where(zero, 1.0, b[1])
    quotients = [x / y for x in a for y in one]
    low = functools.reduce(np.fmin, quotients)  # an infinity by an infinity has no say: the other corners bound it
    high = functools.reduce(np.fmax, quotients)
    unbounded = np.isinf(a[0]) | np.isinf(a[1]) | np.isinf(one[0]) | np.isinf(one[1])
    if unbounded.any():
        low, high = np.where(unbounded, -np.inf, low), np.where(unbounded, np.inf, high)
    low, high = outwards(low, high)
    if zero.any():
        low, high = _choose(zero, _everything(low), (low, high))
    nothing = _is_empty(a) | _is_empty(b) | ((b[0] == 0.0) & (b[1] == 0.0))
    return np.where(nothing, np.nan, low), np.where(nothing, np.nan, high)


def absolute(a):
    """|a|."""
    size = abs(a[0]), abs(a[1])
    low = np.where(contains_zero(a), 0.0, np.minimum(*size))
    return low, np.maximum(*size)


def sign(a):
    """-1, 0 or 1."""
    return np.sign(a[0]), np.sign(a[1])


def floor(a):
    """The largest whole number that is not above a."""
    return np.floor(a[0]), np.floor(a[1])


def mod(a, b):
    """a - b floor(a / b), between 0 and b."""
    whole = floor(div(a, b))
    low, high = sub(a, mul(b, whole))
    least, most = np.minimum(b[0], 0.0), np.maximum(b[1], 0.0)
    settled = whole[0] == whole[1]
    empty = _is_empty(a) | _is_empty(b)
    low = np.where(settled, np.maximum(low, least), np.where(empty, np.nan, least))
    return low, np.where(settled, np.minimum(high, most), np.where(empty, np.nan, most))


def power(a, b):
    """a^b: of negative numbers for whole exponents only."""
    whole = (b[0] == b[1]) & (b[0] == np.floor(b[0]))
    even = whole & (np.mod(b[0], 2.0) == 0.0)
    base = _choose(even, absolute(a), a)
    negative = base[0] < 0.0
    turned = whole & negative  # odd: monotone on either side of a pole at 0
    start = np.where(negative & ~whole, 0.0, base[0])
    corners = [np.power(x, y) for x in (start, base[1]) for y in b]
    result = _widened(functools.reduce(np.minimum, corners), functools.reduce(np.maximum, corners))
    result = _choose(turned & (b[0] < 0.0) & (base[1] >= 0.0), _everything(result[0]), result)
    broken = (b[0] == b[1]) & ~whole
    result = _choose(negative & ~whole & ((base[1] >= 0.0) | ~broken), _everything(result[0]), result)
    empty = _is_empty(a) | _is_empty(b) | ((base[1] < 0.0) & broken)
    return np.where(empty, np.nan, result[0]), np.where(empty, np.nan, result[1])


def atan2(a, b):
    """The angle of the point (b, a), in [-pi, pi]."""
    y, x = (a[0] + 0.0, a[1] + 0.0), b  # -0.0 becomes 0.0
    corners = [np.arctan2(v, u) for v in y for u in x]
    low, high = functools.reduce(np.minimum, corners), functools.reduce(np.maximum, corners)
    cut = across_cut(a, b)
    return _widened(np.where(cut, -np.pi, low), np.where(cut, np.pi, high))


def across_cut(a, b):
    """Whether the angle of (b, a) may jump: its cut is the half-line of negative b."""
    return (b[0] <= 0.0) & contains_zero(a)


def _rising(function, least=-np.inf, most=np.inf, domain=(-np.inf, np.inf), open_domain=False):
    """A function that rises over its domain, between `least` and `most`."""

    def evaluate(a):
        low, high = np.maximum(a[0], domain[0]), np.minimum(a[1], domain[1])
        if open_domain:
            outside = (a[1] <= domain[0]) | (a[0] >= domain[1])
        else:
            outside = (a[1] < domain[0]) | (a[0] > domain[1])
        low, high = _widened(function(low), function(high), least, most)
        if outside.any():
            low, high = np.where(outside, np.nan, low), np.where(outside, np.nan, high)
        return low, high

    return evaluate


def _even(function, rises, least, most):
    """A function of |a| that rises or falls with it."""

    def evaluate(a):
        near, far = (function(bound) for bound in absolute(a))
        return _widened(near, far, least, most) if rises else _widened(far, near, least, most)

    return evaluate


def _wave(function, highest):
    """sin or cos, whose maxima stand at (highest + k) turns."""

    def reaches(a, place):
        low, high = a[0] / _TURN - place, a[1] / _TURN - place
        margin = 8 * np.finfo(float).eps * (1.0 + np.maximum(abs(low), abs(high)))
        return ~(np.floor(high + margin) == np.floor(low - margin))  # also where one is infinite

    def evaluate(a):
        ends = function(a[0]), function(a[1])
        low = np.where(reaches(a, highest + 0.5), -1.0, np.fmin(*ends))
        high = np.where(reaches(a, highest), 1.0, np.fmax(*ends))
        low, high = _widened(low, high, -1.0, 1.0)
        empty = _is_empty(a)
        return np.where(empty, np.nan, low), np.where(empty, np.nan, high)

    return evaluate


def _tan(a):
    low, high = a[0] / np.pi - 0.5, a[1] / np.pi - 0.5
    margin = 8 * np.finfo(float).eps * (1.0 + np.maximum(abs(low), abs(high)))
    pole = ~(np.floor(high + margin) == np.floor(low - margin)) & ~_is_empty(a)
    values = _widened(np.tan(a[0]), np.tan(a[1]))
    return _choose(pole, _everything(values[0]), values)


def _acos(a):
    low, high = _rising(lambda x: -np.arccos(x), domain=(-1.0, 1.0))(a)
    return -high, -low


def _erf(x):
    from scipy.special import erf

    return erf(x)


def _sigmoid(x):
    e = np.exp(-abs(x))
    return np.where(x >= 0.0, 1.0, e) / (1.0 + e)


def _sigmoid_slope(x):
    e = np.exp(-abs(x))
    return e / (1.0 + e) ** 2


def _sech2(x):
    e = np.exp(-2.0 * abs(x))
    return 4.0 * e / (1.0 + e) ** 2


def _softplus(x):
    return np.maximum(x, 0.0) + np.log1p(np.exp(-abs(x)))


def lt(a, b):
    """a < b as an interval of truth values: (certainly, possibly)."""
    return a[1] < b[0], ~(a[0] >= b[1])


def le(a, b):
    """a <= b."""
    return a[1] <= b[0], ~(a[0] > b[1])


def eq(a, b):
    """a == b."""
    certain = (a[0] == a[1]) & (b[0] == b[1]) & (a[0] == b[0])
    return certain, ~((a[0] > b[1]) | (a[1] < b[0]))


def not_(a):
    """Not a."""
    return ~a[1], ~a[0]


def where(condition, a, b):
    """a or b; the hull of both where the condition is undecided."""
    certain, possible = condition
    return _choose(certain, a, _choose(~possible, b, hull(a, b)))


FUNCTIONS = {
    "add": add, "sub": sub, "mul": mul, "div": div, "neg": neg, "power": power, "mod": mod, "atan2": atan2,
    "absolute": absolute, "sign": sign, "floor": floor, "where": where,
    "sech2": _even(_sech2, False, 0.0, 1.0),
    "sigmoid": _rising(_sigmoid, 0.0, 1.0),
    "sigmoid_slope": _even(_sigmoid_slope, False, 0.0, 0.25),
    "softplus": _rising(_softplus, 0.0),
    "sqrt": _rising(np.sqrt, 0.0, domain=(0.0, np.inf)),
    "exp": _rising(np.exp, 0.0),
    "expm1": _rising(np.expm1, -1.0),
    "log": _rising(np.log, domain=(0.0, np.inf), open_domain=True),
    "log1p": _rising(np.log1p, domain=(-1.0, np.inf), open_domain=True),
    "sin": _wave(np.sin, 0.25),
    "cos": _wave(np.cos, 0.0),
    "tan": _tan,
    "asin": _rising(np.arcsin, domain=(-1.0, 1.0)),
    "acos": _acos,
    "atan": _rising(np.arctan),
    "sinh": _rising(np.sinh),
    "cosh": _even(np.cosh, True, 1.0, np.inf),
    "tanh": _rising(np.tanh, -1.0, 1.0),
    "asinh": _rising(np.arcsinh),
    "acosh": _rising(np.arccosh, 0.0, domain=(1.0, np.inf)),
    "atanh": _rising(np.arctanh, domain=(-1.0, 1.0), open_domain=True),
    "erf": _rising(_erf, -1.0, 1.0),
    "lt": lt, "le": le, "gt": lambda a, b: lt(b, a), "ge": lambda a, b: le(b, a),
    "eq": eq, "ne": lambda a, b: not_(eq(a, b)),
    "and_": lambda a, b: (a[0] & b[0], a[1] & b[1]), "or_": lambda a, b: (a[0] | b[0], a[1] | b[1]), "not_": not_,
}  # fmt: skip
# operations that may jump, and where they do: (arguments) -> whether there is a jump among them
JUMPS = {
    "sign": contains_zero,
    "floor": lambda a: ~(np.floor(a[0]) == np.floor(a[1])),
    "mod": lambda a, b: FUNCTIONS["floor"](div(a, b))[0] != FUNCTIONS["floor"](div(a, b))[1],
    "atan2": across_cut,
}
