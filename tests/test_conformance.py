"""Every built-in system and every propagator keeps the promises of its kernels; new files join by themselves."""

import copy
import functools
import inspect
import math
import pickle

import numpy as np
import pytest

import lyapkit as lk
from lyapkit.analyses.lyapunov_spectrum import starting_frame
from lyapkit.kernels import steps
from lyapkit.systems import evaluate
from lyapkit.systems.network import NetworkModel

SYSTEMS = lk.systems.names()
FLOWS = [name for name in SYSTEMS if getattr(lk.systems, name)().kind == "flow"]
MAPS = [name for name in SYSTEMS if name not in FLOWS]
METHODS = [name for name in steps.names() if steps.propagator(name).ORDER is not None]
# A five-point difference of step h errs by h^4 f^(5) / 30 and eps |f| / h: at h = 1e-3 some 1e-13 times the
# derivatives' size each. Two such differences nested would still stay below 1e-7.
STEP = 1e-3
CLOSE = 1e-8
# networks that are maps whose ln |det Df| has no closed form: more than a product between two diagonals
WITHOUT_VOLUME = ("rate_map", "gru_map", "lstm_map", "cornn_map")


@functools.cache
def _system(name):
    """The system at its defaults; where it has a size, a small one, so that its kernels compile fast."""
    constructor = getattr(lk.systems, name)
    return constructor(**dict.fromkeys(constructor.model.sizes, 6))


def _point(name, number=0):
    """A state near the system's own, and random vectors of its dimension."""
    generator = np.random.default_rng([number, *name.encode()])
    system = _system(name)
    x = system.initial_state * (1 + 0.05 * generator.standard_normal(system.dimension))
    return system, x, generator


def difference(f, h=STEP):
    """Derivative of f at 0, fourth order."""
    return (8.0 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12.0 * h)


def assert_close(value, wanted, size=1.0):
    scale = max(size, abs(np.asarray(wanted)).max(initial=0.0))
    np.testing.assert_allclose(value, wanted, rtol=0, atol=CLOSE * scale)


def _raw(system):
    """Names, indices and values of the raw parameters, in the order of the kernels; of a network, its numbers."""
    names = system.model.lane_parameters(system.parameters)
    visible = {k: v for k, v in system.parameters.items() if k in names}
    return [(k, i, np.asarray(v)[i]) for k, v in visible.items() for i in np.ndindex(np.shape(v))]


def _is_network(system):
    return isinstance(system.model, NetworkModel)


def _with_raw(system, number, change):
    """The system with its raw parameter `number` moved."""
    name, place, _ = _raw(system)[number]
    value = np.array(system.parameters[name], dtype=float)
    value[place] += change
    return system.with_(**{name: value})


@pytest.mark.parametrize("name", SYSTEMS)
def test_tangent(name):
    """The tangent along a column is the central difference of the value along it."""
    system, x, generator = _point(name)
    for direction in generator.standard_normal((3, system.dimension)):
        _, tangent, _ = evaluate.linearise(system, x, direction)
        wanted = difference(lambda h, d=direction: evaluate.value(system, x + h * d))
        assert_close(tangent[0], wanted)


@pytest.mark.parametrize("name", SYSTEMS)
def test_tangent_with_parameter_directions(name):
    """D_x f q + D_p f dp is the difference of f along (q, dp) at once."""
    system, x, generator = _point(name, 1)
    raw = _raw(system)
    if not raw:
        assert evaluate.adjoint(system, x, x)[1].shape == (1, 0)
        return
    direction, dp = generator.standard_normal(system.dimension), generator.standard_normal(len(raw))

    def moved(h):
        changed = system
        for number, part in enumerate(dp):
            changed = _with_raw(changed, number, h * part)
        return evaluate.value(changed, x + h * direction)

    value, tangent, _ = evaluate.linearise(system, x, direction, parameter_directions=dp[None])
    np.testing.assert_array_equal(value, evaluate.value(system, x))
    assert_close(tangent[0], difference(moved))


@pytest.mark.parametrize("name", SYSTEMS)
def test_adjoint_is_the_transpose(name):
    """<w, Jv> = <J'w, v> to rounding: 1e-12 of the sizes involved."""
    system, x, generator = _point(name, 2)
    v, w = generator.standard_normal((2, 4, system.dimension))
    forward = w @ evaluate.linearise(system, x, v)[1].T
    backward = evaluate.adjoint(system, x, w)[0] @ v.T
    np.testing.assert_allclose(forward, backward, rtol=0, atol=1e-12 * max(1, abs(forward).max()))


@pytest.mark.parametrize("name", SYSTEMS)
def test_adjoint_of_each_parameter(name):
    """<D_p f' w>_m is the difference of <w, f> in raw parameter m."""
    system, x, generator = _point(name, 3)
    w = generator.standard_normal(system.dimension)
    by_parameter = evaluate.adjoint(system, x, w)[1][0]
    assert by_parameter.shape == (len(_raw(system)),)
    for number, value in enumerate(by_parameter):
        wanted = difference(lambda h, m=number: w @ evaluate.value(_with_raw(system, m, h), x))
        assert_close(value, wanted)


@pytest.mark.parametrize("name", SYSTEMS)
def test_second_derivative(name):
    """D^2 f [v, w] is the difference of the tangent along v in the direction w, and symmetric."""
    system, x, generator = _point(name, 4)
    v, w = generator.standard_normal((2, system.dimension))
    second = evaluate.multilinear(system, x, [v, w])
    wanted = difference(lambda h: evaluate.linearise(system, x + h * w, v)[1][0])
    assert_close(second, wanted, 1e-2)
    swapped = evaluate.multilinear(system, x, [w, v])
    np.testing.assert_allclose(second, swapped, rtol=0, atol=1e-12 * max(1, abs(second).max()))


@pytest.mark.parametrize("name", SYSTEMS)
def test_third_derivative(name):
    """D^3 f [u, v, w] is the difference of D^2 f [u, v] in the direction w, and symmetric."""
    system, x, generator = _point(name, 5)
    u, v, w = generator.standard_normal((3, system.dimension))
    third = evaluate.multilinear(system, x, [u, v, w])
    wanted = difference(lambda h: evaluate.multilinear(system, x + h * w, [u, v]))
    assert_close(third, wanted, 1e-2)
    for order in ([v, w, u], [w, v, u]):
        other = evaluate.multilinear(system, x, order)
        np.testing.assert_allclose(third, other, rtol=0, atol=1e-11 * max(1, abs(third).max()))


@pytest.mark.parametrize("name", SYSTEMS)
def test_divergence(name):
    """tr Df of a flow, det Df (its sign included) of a map, of the Jacobian that the kernels give.

    Of a network that is a map ln |det Df|, NaN where there is no closed form.
    """
    for number in range(5):
        system, x, _ = _point(name, number)
        _, columns, divergence = evaluate.linearise(system, x, np.eye(system.dimension))
        if _is_network(system) and system.kind == "map":
            assert np.isnan(divergence) == (name in WITHOUT_VOLUME)
            if name not in WITHOUT_VOLUME:
                assert abs(divergence - np.linalg.slogdet(columns)[1]) <= 1e-12 * system.dimension
            continue
        wanted = np.trace(columns) if system.kind == "flow" else np.linalg.det(columns)
        assert abs(divergence - wanted) <= 1e-12 * max(1.0, abs(columns).max() ** system.dimension)


@pytest.mark.parametrize("name", SYSTEMS)
def test_finite_near_the_defaults(name):
    """Value, tangent and adjoint are finite at random states and parameters."""
    for number in range(20):
        system, x, generator = _point(name, number)
        for m in range(len(_raw(system))):
            system = _with_raw(system, m, 0.3 * generator.standard_normal())
        eye = np.eye(system.dimension)
        value, columns, divergence = evaluate.linearise(system, x, eye)
        rows, by_parameter = evaluate.adjoint(system, x, eye)
        assert all(np.isfinite(a).all() for a in (value, columns, rows, by_parameter))
        assert np.isfinite(divergence) or name in WITHOUT_VOLUME
        # the sums of a network's products cancel: what is left errs by 1e-12 of the largest term
        tiny = 1e-12 * abs(columns).max() if _is_network(system) else 1e-300
        np.testing.assert_allclose(rows, columns.T, rtol=1e-12, atol=tiny)


@pytest.mark.parametrize("name", SYSTEMS)
def test_description(name):
    """What every system says of itself."""
    system = _system(name)
    assert system.name == name
    assert system.kind in ("flow", "map")
    assert system.equation
    assert system.initial_state.shape == (system.dimension,)
    assert name in repr(system) and name in system._repr_html_()
    assert getattr(lk.systems, name).__doc__.strip().count("\n") >= 3
    assert system.cell.tangent.startswith("exact")
    for parameter in system.model.ranges:
        assert parameter in system.parameters


@pytest.mark.parametrize("name", SYSTEMS)
def test_frozen_and_copied(name):
    system = _system(name)
    with pytest.raises(AttributeError, match="frozen"):
        system.name = "other"
    system.parameters.clear()  # a copy: changes nothing
    assert copy.copy(system) == system.with_() == system
    assert list(system.parameters) == list(inspect.signature(getattr(lk.systems, name)).parameters)


@pytest.mark.parametrize("name", SYSTEMS)
def test_pickled(name):
    system = _system(name)
    again = pickle.loads(pickle.dumps(system))
    assert again == system
    state = system.initial_state
    np.testing.assert_array_equal(evaluate.value(again, state), evaluate.value(system, state))


# ------------------------------------------------------------------ propagators


def _one_length(method):
    """Keywords that let an adaptive step take its whole length at once, whatever the error."""
    return {"rtol": 1e30, "atol": 1e30} if steps.is_adaptive(steps.propagator(method)) else {}


def _end(method, dt, system, start, duration=4.0):
    keywords = {"initial_state": start, "duration": duration, "every": round(duration / dt), **_one_length(method)}
    return lk.trajectory(system, method=method, dt=dt, **keywords).state.values[-1]


def _coarse(order):
    """A step whose error, and those of its half and quarter, the leading term rules: above rounding by far."""
    return 1 / 512 if order < 3 else 1 / 32 if order < 5 else 1 / 16 if order < 8 else 1 / 2


SMOOTH = [
    (lk.systems.lorenz96(n=6, F=1.0), 1.0 + 0.1 * np.cos(1.0 + np.arange(6) ** 2)),
    (lk.systems.stuart_landau(mu=0.5, omega=2.0, c=-1.0), [0.5, 0.2]),
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("system", "start"), SMOOTH, ids=["lorenz96", "stuart_landau"])
def test_order(method, system, start):
    """Halving the step divides the error by 2^ORDER, +-0.2 in the exponent."""
    order = steps.propagator(method).ORDER
    exact = _end("rk8", 1 / 64, system, start)
    coarse = _coarse(order)
    errors = [np.linalg.norm(_end(method, coarse / c, system, start) - exact) for c in (1, 2, 4)]
    assert errors[-1] > 1e-13
    measured = np.log2(errors[0] / errors[-1]) / 2
    assert abs(measured - order) < 0.2, (errors, measured)


def test_rk8_is_not_its_own_judge():
    """The reference orbit of `test_order`, against SciPy."""
    import scipy.integrate

    system = lk.systems.van_der_pol()
    solution = scipy.integrate.solve_ivp(
        lambda _, x: [x[1], (1 - x[0] ** 2) * x[1] - x[0]], (0, 4), [2.0, 0.0],
        method="DOP853", rtol=1e-13, atol=1e-14,
    )  # fmt: skip
    np.testing.assert_allclose(_end("rk8", 1 / 128, system, [2.0, 0.0]), solution.y[:, -1], atol=1e-12)


def _stretch(system, x, seed, keywords):
    """Length of the image of the unit vector `seed` under the tangent of three steps, from the frame."""
    ds = lk.lyapunov_spectrum(
        system, initial_state=x, n_exponents=1, transient=0, estimator="mean", seed=seed, **keywords
    )
    return math.exp(float(ds.lyapunov_exponent[0]) * keywords["duration"])


def _stretch_of_displacements(system, x, seed, keywords):
    """The same from the ends of trajectories that start a little apart."""
    direction = starting_frame(system.dimension, 1, seed)[0]

    def end(shift):
        start = x + shift * direction
        return lk.trajectory(system, initial_state=start, **keywords).state.values[-1]

    return np.linalg.norm(difference(end, 3e-4))  # h^4 f^(5) of three steps: below 1e-10


def _carried(name):
    """The point, of a network of independent blocks as one whole: their frames are not the one that is given."""
    system, x, _ = _point(name, 6)
    if "coupling" in system.parameters:
        system = system.with_(coupling=np.zeros((system.dimension, system.dimension)))
    return system, x


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize("method", METHODS)
def test_tangent_of_the_step(method, name):
    """The frame follows the derivative of the numerical step itself (not of the flow), to 1e-9 of its size.

    Lengths along a few directions fix the tangent map up to a rotation; a large step keeps the step's own
    derivative apart from the flow's.
    """
    system, x = _carried(name)
    h = 4.0 * system.model.dt
    keywords = {"method": method, "dt": h, "duration": 3 * h, **_one_length(method)}
    for seed in range(4):
        wanted = _stretch_of_displacements(system, x, seed, keywords)
        assert abs(_stretch(system, x, seed, keywords) - wanted) < 1e-9 * max(1.0, wanted)


@pytest.mark.parametrize("name", MAPS)
def test_tangent_of_an_iterate(name):
    system, x = _carried(name)
    for seed in range(4):
        wanted = _stretch_of_displacements(system, x, seed, {"duration": 3})
        assert abs(_stretch(system, x, seed, {"duration": 3}) - wanted) < 1e-8 * max(1.0, wanted)


@pytest.mark.parametrize("method", steps.names())
def test_propagator_describes_itself(method):
    from lyapkit.kernels.tangent import WINDOW

    module = steps.propagator(method)
    assert module.SOURCE and module.__doc__
    longest = module.LONGEST_INTERVAL
    assert 1 <= longest <= WINDOW and longest & (longest - 1) == 0
    if module.ORDER is not None:
        weights, rows = module.TABLEAU[-1, 1:], module.TABLEAU[:-1]
        assert abs(weights.sum() - 1.0) < 1e-14
        np.testing.assert_allclose(rows[:, 1:].sum(axis=1), rows[:, 0], atol=1e-14)
        assert (np.triu(rows[:, 1:]) == 0.0).all()  # explicit
