"""The vector functions: rounding errors against 60 digits, special values, independence of the lanes."""

import functools
import math
import operator

import hypothesis
import mpmath
import numpy as np
import pytest
from hypothesis import strategies as st
from numba import types

from lyapkit.kernels import activations, vmath
from lyapkit.kernels.jit import kernel
from lyapkit.kernels.simd import WIDTH, load, store

ULP_BOUND = {
    "exp": 1.1,
    "expm1": 1.9,
    "log": 1.0,
    "log1p": 1.1,
    "sin": 1.6,
    "cos": 1.6,
    "tanh": 2.7,
    "sech2": 3.2,
    "sigmoid": 2.0,
    "sigmoid_slope": 3.3,
    "softplus": 1.8,
}
VECTOR = types.Array(types.float64, 1, "C")
INF, NAN, TINY = math.inf, math.nan, 5e-324
PAIRS = {
    "tanh_sech2": ("tanh", "sech2"),
    "sigmoid_pair": ("sigmoid", "sigmoid_slope"),
    "sin_cos": ("sin", "cos"),
}
BINARY = {
    "atan2": np.arctan2,
    "power": np.power,
    "minimum": np.minimum,
    "maximum": np.maximum,
    "mod": np.mod,
}
SCALAR = {
    "tan": np.tan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "cbrt": np.cbrt,
    "erf": np.vectorize(math.erf, otypes=[float]),
    "sign": np.sign,
}


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LYAPKIT_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@functools.cache
def compiled(name):
    """Kernel (arguments..., results...) that applies the function of this name to whole arrays."""
    function = getattr(vmath, name, None) or getattr(activations, name)
    if name in PAIRS:

        @kernel(types.void(VECTOR, VECTOR, VECTOR))
        def run(x, left, right):
            for lane in range(0, x.shape[0], WIDTH):
                a, b = function(load(x, (lane,)))
                store(left, (lane,), a)
                store(right, (lane,), b)

    elif name in BINARY:

        @kernel(types.void(VECTOR, VECTOR, VECTOR))
        def run(a, b, out):
            for lane in range(0, a.shape[0], WIDTH):
                store(out, (lane,), function(load(a, (lane,)), load(b, (lane,))))

    else:

        @kernel(types.void(VECTOR, VECTOR))
        def run(x, out):
            for lane in range(0, x.shape[0], WIDTH):
                store(out, (lane,), function(load(x, (lane,))))

    return run


def evaluate(name, *arguments):
    """The function at the arguments, whose number is filled up to whole vectors."""
    count = len(arguments[0])
    full = [np.concatenate([a, np.ones(-count % WIDTH)]) for a in arguments]
    results = [np.full_like(full[0], NAN) for _ in PAIRS.get(name, [name])]
    compiled(name)(*full, *results)
    results = [result[:count] for result in results]
    return results if name in PAIRS else results[0]


def same(a, b):
    """Whether the bits agree, except that all NaN are one."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    return ((a.view(np.int64) == b.view(np.int64)) | (np.isnan(a) & np.isnan(b))).all()


def true_value(name, x):
    """The function at one double with 60 digits."""
    with mpmath.workdps(60):
        x = mpmath.mpf(float(x))
        if name == "sech2":
            return mpmath.sech(x) ** 2
        if name == "sigmoid":
            return 1 / (1 + mpmath.exp(-x))
        if name == "sigmoid_slope":
            return mpmath.sech(x / 2) ** 2 / 4
        if name == "softplus":
            return mpmath.log1p(mpmath.exp(x))
        return getattr(mpmath, name)(x)


def ulps(name, x):
    """Errors in units in the last place."""
    errors = np.empty(len(x))
    for i, value in enumerate(evaluate(name, x)):
        exact = true_value(name, x[i])
        with mpmath.workdps(60):
            errors[i] = abs(mpmath.mpf(float(value)) - exact) / float(np.spacing(abs(float(exact))))
    return errors


def sample(generator, low, high, count=1000):
    """Evenly spaced arguments, each moved at random: no pattern in the last bits."""
    step = (high - low) / count
    return low + step * (np.arange(count) + generator.random(count))


def small(generator, lowest=-300.0, highest=0.0):
    """Both signs, all magnitudes."""
    size = 10.0 ** sample(generator, lowest, highest)
    return size * generator.choice([-1.0, 1.0], size.shape)


def near_zeros_of_sine(generator):
    """Doubles next to multiples of pi/2, and as near as they come up to 2^26."""
    quarters = np.concatenate([np.arange(-50, 51), generator.integers(-(2**25), 2**25, 500)])
    nearest = quarters * (math.pi / 2)
    return np.concatenate([nearest, np.nextafter(nearest, INF), nearest_to_quarters()])


def nearest_to_quarters():
    """From the continued fractions of 2^e / (pi/2): doubles m 2^e very close to a multiple of pi/2."""
    found = []
    with mpmath.workdps(60):
        for e in range(-53, -26):
            rest, before, m = mpmath.ldexp(2 / mpmath.pi, e), 1, 0
            while True:
                whole = int(mpmath.floor(rest))
                before, m = m, whole * m + before
                if m >= 2**53:
                    break
                shift = 53 - m.bit_length()
                found.append(math.ldexp(m << shift, e))
                rest = 1 / (rest - whole)
    return np.array(found)


def arguments(name):
    """Dense sets over the range in which the bound holds."""
    generator = np.random.default_rng(7)
    part = functools.partial(sample, generator)
    sets = {
        "exp": lambda: [part(-708, 709.7), part(-1, 1), part(-20, 20)],
        "expm1": lambda: [part(-60, 709.7), part(-1, 1), part(0.34, 0.37), part(-3, 3)],
        "log": lambda: [part(0.5, 2), part(0.99, 1.01), part(0, 20), 10 ** part(-323, 308)],
        "log1p": lambda: [part(-0.9999, 3), part(-0.3, 0.45), part(0, 50), 10 ** part(0, 308)],
        "sin": lambda: [part(-4, 4), part(-100, 100), part(-1e5, 1e5), near_zeros_of_sine(generator)],
        "tanh": lambda: [part(-1, 1), part(0.18, 0.22), part(-20, 20), part(-300, 300)],
        "sigmoid": lambda: [part(-1, 1), part(-10, 10), part(-40, 40), part(-700, 700)],
        "softplus": lambda: [part(-3, 3), part(-40, 40), part(-700, 700)],
    }
    alike = {"cos": "sin", "sech2": "tanh", "sigmoid_slope": "sigmoid"}
    sets = sets[alike.get(name, name)]()
    if name != "log":
        sets.append(np.minimum(np.maximum(small(generator), -0.99), 300.0))
    return np.concatenate(sets)


@pytest.mark.parametrize("name", ULP_BOUND)
def test_errors_stay_below_the_stated_bound(name):
    x = arguments(name)
    errors = ulps(name, x)
    worst = np.argmax(errors)
    assert errors[worst] <= ULP_BOUND[name], (errors[worst], x[worst])


@pytest.mark.parametrize("name", ["sin", "cos"])
def test_far_angles_are_reduced_exactly(name):
    x = np.concatenate([sample(np.random.default_rng(2), 6.7e7, 6.8e7), [1e10, -1e22, 1e300]])
    exact = [float(getattr(mpmath, name)(mpmath.mpf(float(value)))) for value in x]
    assert np.allclose(evaluate(name, x), exact, rtol=4e-16, atol=0.0)


def test_two_tanh_at_once_are_two_tanh():
    x, y = np.random.default_rng(4).normal(0.0, 3.0, (2, 64))
    outputs = np.empty((4, 64))

    @kernel(types.void(VECTOR, VECTOR, types.Array(types.float64, 2, "C")))
    def run(x, y, out):
        for lane in range(0, x.shape[0], WIDTH):
            a, b, c, d = activations.tanh_sech2_two(load(x, (lane,)), load(y, (lane,)))
            store(out, (0, lane), a)
            store(out, (1, lane), b)
            store(out, (2, lane), c)
            store(out, (3, lane), d)

    run(x, y, outputs)
    assert same(outputs, [*evaluate("tanh_sech2", x), *evaluate("tanh_sech2", y)])


def test_gradual_underflow_of_exp_is_right_to_one_denormal_unit():
    x = sample(np.random.default_rng(3), -746, -708)
    with mpmath.workdps(60):
        for value, argument in zip(evaluate("exp", x), x, strict=True):
            exact = true_value("exp", argument)
            error = abs(mpmath.mpf(float(value)) - exact)
            assert error <= mpmath.mpf(TINY) + exact * 2.0**-51, argument


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("sech2", 353, 374), ("sigmoid", -746, -708), ("sigmoid_slope", -746, -708), ("sigmoid_slope", 708, 746)],
)
def test_exponentials_below_the_normal_numbers_count_as_zero(name, low, high):
    """The error stays below 2^-1022 (sech^2: four times that), and nothing is negative or larger than before."""
    x = np.sort(sample(np.random.default_rng(3), low, high))
    y = evaluate(name, x)
    exact = np.array([float(true_value(name, argument)) for argument in x])
    assert (y >= 0.0).all() and 0.0 in y
    assert abs(y - exact).max() <= (4 if name == "sech2" else 1) * 2.0**-1022
    assert (np.diff(y if name == "sigmoid" or low < 0 else y[::-1]) >= 0.0).all()


ODD = [(0, 0), (-0.0, -0.0), (TINY, TINY), (-TINY, -TINY)]
SPECIAL = {
    "exp": [(-INF, 0), (INF, INF), (0, 1), (-0.0, 1), (TINY, 1), (-746, 0), (710, INF), (1e300, INF)],
    "expm1": [*ODD, (-INF, -1), (INF, INF), (-50, -1), (710, INF)],
    "log": [(0, -INF), (-0.0, -INF), (-TINY, NAN), (-1, NAN), (-INF, NAN), (INF, INF), (1, 0)],
    "log1p": [*ODD, (-1, -INF), (-1.5, NAN), (-INF, NAN), (INF, INF)],
    "sin": [*ODD, (INF, NAN), (-INF, NAN)],
    "cos": [(0, 1), (-0.0, 1), (INF, NAN), (-INF, NAN), (TINY, 1)],
    "tanh": [*ODD, (INF, 1), (-INF, -1), (-1e300, -1), (20, 1)],
    "sech2": [(0, 1), (-0.0, 1), (INF, 0), (-INF, 0), (TINY, 1), (1e300, 0), (-374, 0)],
    "sigmoid": [(0, 0.5), (-0.0, 0.5), (INF, 1), (-INF, 0), (-1e300, 0), (TINY, 0.5)],
    "sigmoid_slope": [(0, 0.25), (-0.0, 0.25), (INF, 0), (-INF, 0), (1e300, 0), (TINY, 0.25)],
    "softplus": [(INF, INF), (-INF, 0), (0, math.log(2)), (1e300, 1e300), (-1e300, 0)],
    "sign": [*((x, math.copysign(1, x)) for x in (TINY, -TINY, INF, -INF)), (0, 0)],
}


@pytest.mark.parametrize("name", SPECIAL)
def test_special_values(name):
    x, expected = np.array([*SPECIAL[name], (NAN, NAN)], float).T
    y = evaluate(name, x.copy())
    assert same(y, expected.copy()), list(zip(x, y, expected, strict=True))


def test_logarithms_of_denormal_numbers():
    x = np.array([TINY, 1e-310, 2.0**-1022, np.nextafter(2.0**-1022, 0)])
    assert (ulps("log", x) <= ULP_BOUND["log"]).all()


@pytest.mark.parametrize("name", [*ULP_BOUND, "tan", "erf"])
def test_bits_depend_neither_on_the_place_nor_on_the_neighbours(name):
    generator = np.random.default_rng(4)
    x = np.abs(small(generator, -10, 2))
    alone = evaluate(name, np.repeat(x, WIDTH)).reshape(-1, WIDTH)
    assert same(alone, np.repeat(alone[:, :1], WIDTH, axis=1))
    strange = generator.choice([NAN, INF, -INF, 1e300, -1e300, 1e9, -1.0, 0.0, TINY], 2 * len(x))
    mixed = np.concatenate([x, strange])
    order = generator.permutation(len(mixed))
    result = np.empty_like(mixed)
    result[order] = evaluate(name, mixed[order])
    assert same(result[: len(x)], alone[:, 0])


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_equal_their_single_functions(name):
    x = np.concatenate([small(np.random.default_rng(5), -20, 9), [0.0, NAN, INF, -INF]])
    for single, result in zip(PAIRS[name], evaluate(name, x), strict=True):
        assert same(result, evaluate(single, x))


@pytest.mark.parametrize("name", SCALAR)
def test_functions_per_lane(name):
    x = np.concatenate([small(np.random.default_rng(6), -20, 2), [0.0, -0.0, 1.0, NAN, INF, -INF]])
    with np.errstate(all="ignore"):
        expected = SCALAR[name](x)
    y = evaluate(name, x)
    assert np.allclose(y, expected, rtol=1e-15, atol=0.0, equal_nan=True)


@pytest.mark.parametrize("name", ["atan2", "power", "minimum", "maximum"])
def test_functions_of_two_arguments(name):
    generator = np.random.default_rng(8)
    edges = np.array([0.0, -0.0, 1.0, -1.0, 2.5, NAN, INF, -INF])
    a = np.concatenate([small(generator, -3, 1), np.repeat(edges, 8)])
    b = np.concatenate([small(generator, -3, 1), np.tile(edges, 8)])
    with np.errstate(all="ignore"):
        expected = BINARY[name](a, b)
    assert np.allclose(evaluate(name, a, b), expected, rtol=1e-15, atol=0.0, equal_nan=True)


unhurried = hypothesis.settings(deadline=None)  # the first example compiles the kernels
finite = st.floats(allow_nan=False, allow_infinity=False)


@unhurried
@hypothesis.given(finite, finite.filter(bool))
@hypothesis.example(-1e-20, 1.0)
@hypothesis.example(1e300, 3.0)
@hypothesis.example(3 * 0.1, 0.1)
@hypothesis.example(-TINY, 1e300)
def test_mod_is_pythons_but_never_the_divisor(a, b):
    (result,) = evaluate("mod", np.array([a]), np.array([b]))
    expected = operator.mod(a, b)
    assert result == (0.0 if expected == b else expected)
    assert 0.0 <= result / math.copysign(1.0, b) < abs(b)


def test_mod_of_infinite_and_missing_numbers():
    a = np.array([5.0, -5.0, INF, NAN, 1.0, 1.0, 0.0])
    b = np.array([INF, -INF, 2.0, 2.0, NAN, 0.0, 0.0])
    assert same(evaluate("mod", a, b), [5.0, -5.0, NAN, NAN, NAN, NAN, NAN])


@unhurried
@hypothesis.given(finite)
def test_symmetries(x):
    both = np.array([x, -x])
    for name in ("tanh", "sin"):
        right, left = evaluate(name, both)
        assert right == -left and abs(right) <= 1.0
    for name in ("sech2", "sigmoid_slope", "cos"):
        right, left = evaluate(name, both)
        assert right == left <= 1.0
    assert math.isclose(evaluate("sigmoid", both).sum(), 1.0, rel_tol=4e-16)


@unhurried
@hypothesis.given(st.floats(-700, 700), st.floats(0, 700))
def test_monotonous_where_steps_exceed_the_error(x, step):
    hypothesis.assume(step > 1e-10)
    for name in ("exp", "expm1", "sigmoid", "tanh", "softplus"):
        low, high = evaluate(name, np.array([x, x + step]))
        assert low <= high * (1 + math.copysign(1e-15, high)), name
