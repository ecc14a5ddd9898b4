"""Gradients swept back over delays, against differences of orbits, limit cycles and automatic differentiation."""

import numpy as np
import pytest

import lyapkit as lk
from lyapkit.analyses.gradients.adjoint_identity import over_a_period
from lyapkit.analyses.orbits.clock import clock
from lyapkit.progress import Monitor

RNN = {"W": [[0.9, -0.8, 0.1], [0.7, 0.8, -0.3], [0.2, 0.4, -0.5]], "b": [0.1, -0.2, 0.3]}


def rng(seed=0):
    return np.random.default_rng(seed)


def gru(seed=1, n=3):
    draw = rng(seed)
    matrices = {name: draw.standard_normal((n, n)) for name in ("Wz", "Wr", "Wh")}
    return lk.systems.gru_map(**matrices, **{name: draw.standard_normal(n) for name in ("bz", "br", "bh", "bn")})


def lstm(seed=2, n=3):
    draw = rng(seed)
    matrices = {f"W{gate}": draw.standard_normal((n, n)) for gate in "ifgo"}
    return lk.systems.lstm_map(**matrices, **{f"b{gate}": draw.standard_normal(n) for gate in "ifgo"})


def losses(system, state, delays, gradient, dt):
    """g . x(t0 + d) of the orbit that starts at `state`, for each delay."""
    steps = {} if system.kind == "map" else {"dt": dt}
    orbit = lk.trajectory(system, initial_state=state, duration=delays[-1], **steps)
    at = np.rint(np.asarray(delays) / orbit.attrs["dt"]).astype(int)
    return orbit.state.values[at] @ gradient


def central(loss, value, step=1e-5):
    """Derivative of loss(value), of fourth order."""
    near, far = loss(value + step) - loss(value - step), loss(value + 2 * step) - loss(value - 2 * step)
    return (8 * near - far) / (12 * step)


# --- against differences

CASES = {
    "rotation_flow": (lambda: lk.systems.rotation_flow(alpha=2.0, theta=np.pi / 4), [0.5, 5.0, 40.0]),
    "lorenz63": (lk.systems.lorenz63, [0.2, 1.0, 2.0]),
    "linear_map": (lambda: lk.systems.linear_map(A=[[0.9, 0.4], [-0.3, 0.8]]), [1, 4, 20]),
    "rnn_map": (lambda: lk.systems.rnn_map(**RNN), [1, 4, 20]),
    "gru_map": (gru, [1, 4, 20]),
    "lstm_map": (lstm, [1, 4, 20]),
}


@pytest.mark.parametrize("name", CASES)
def test_gradients_agree_with_central_differences_of_the_orbit(name):
    make, delays = CASES[name]
    system = make()
    n = system.dimension
    start = system.initial_state if system.initial_state.any() else rng(4).uniform(0.2, 0.8, n)
    gradient = rng(3).standard_normal(n)
    ds = lk.learning_signal(
        system, delays=delays, loss_gradient=gradient, initial_state=start, transient=0, singular_values=False
    )
    dt = ds.attrs["dt"]
    for unit in range(n):

        def shifted(value, unit=unit):
            return losses(system, np.where(np.arange(n) == unit, value, start), delays, gradient, dt)

        found = ds.state_gradient[:, unit]
        np.testing.assert_allclose(found, central(shifted, start[unit]), rtol=1e-7, atol=1e-9, err_msg=unit)
    np.testing.assert_allclose(ds.adjoint_log_norm, np.log(np.linalg.norm(ds.state_gradient, axis=1)), rtol=1e-12)
    for label in ds.parameter.values if "parameter" in ds.coords else []:
        parameter, _, entry = label.partition("[")
        entry = tuple(map(int, entry.rstrip("]").split(","))) if entry else ()
        expected = by_entry(system, parameter, entry, start, delays, gradient, dt)
        found = ds.parameter_gradient.sel(parameter=label)
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9, err_msg=label)
    for weights in ds.weight_name.values if "weight_name" in ds.coords else []:
        whole = ds[f"gradient_{weights}"].values
        for entry in np.ndindex(whole.shape):
            expected = by_entry(system, weights, entry, start, delays, gradient, dt)[-1]
            assert whole[entry] == pytest.approx(expected, rel=1e-7, abs=1e-9), (weights, entry)
        norm = ds.weight_gradient_log_norm.sel(weight_name=weights)[-1]
        assert float(norm) == pytest.approx(np.log(np.linalg.norm(whole)), rel=1e-10)


def by_entry(system, name, entry, start, delays, gradient, dt):
    """Derivatives of the losses by one entry of a parameter."""

    def loss(value):
        changed = np.array(system.parameters[name], dtype=float)
        changed[entry] = value
        return losses(system.with_(**{name: changed}), start, delays, gradient, dt)

    return central(loss, np.asarray(system.parameters[name], dtype=float)[entry])


def test_a_driven_network_is_swept_back_along_its_input():
    inputs = rng(5).standard_normal((40, 2))
    system = lk.systems.rnn_map(**RNN, V=rng(6).standard_normal((3, 2)), input=inputs)
    ds = lk.learning_signal(system, delays=[3, 12], transient=8, loss_gradient=[1.0, -2.0, 0.5])
    assert "pairing_error" not in ds and float(ds.adjoint_identity_error) < 1e-14

    def loss(value):
        state = lk.trajectory(system, duration=8).state.values[-1]
        W = np.array(RNN["W"])
        for t in range(8, 20):
            W[0, 1] = value
            state = np.tanh(W @ state + RNN["b"] + system.parameters["V"] @ inputs[t])
        return state @ [1.0, -2.0, 0.5]

    assert float(ds.gradient_W[0, 1]) == pytest.approx(central(loss, RNN["W"][0][1]), rel=1e-7)
    assert ds.gradient_V.shape == (3, 2)


# --- limit cycles


@pytest.fixture(scope="module")
def cycle():
    system = lk.systems.rotation_flow(alpha=2.0, theta=np.pi / 4)
    return system, lk.limit_cycle(system, section=(1, 0.0), n_phase=64)


def test_on_a_cycle_what_survives_is_the_phase_gradient_times_the_overlap(cycle):
    system, orbit = cycle
    period = float(orbit.period)
    ds = lk.learning_signal(system, delays=period * np.array([1, 2, 4, 20, 50, 100]), cycle=True, dt=0.02, method="rk8")
    assert float(ds.period) == pytest.approx(period, rel=1e-12) and int(ds.status) == 0
    assert float(ds.adjoint_period) == pytest.approx(period, rel=1e-11)
    # the second multiplier is e^(-.5117 T) a period
    decay = np.exp(-0.5116911205 * period * np.array([1, 2, 4]))
    np.testing.assert_array_less(ds.surviving_error[:3], 2 * decay)
    np.testing.assert_array_less(ds.surviving_error[3:], 1e-11)
    np.testing.assert_array_less(ds.pairing_error, 1e-12)
    assert float(ds.adjoint_return_error) < 1e-11 and float(ds.adjoint_identity_error) < 1e-13
    assert abs(float(ds.adjoint_drift)) < 1e-10


def test_gradients_by_parameters_grow_as_the_period_s_derivative_says(cycle):
    system, orbit = cycle
    start, turns = orbit.state[0].values, np.array([1, 10, 100])
    columns = [
        lk.learning_signal(
            system, delays=float(orbit.period) * turns, loss_gradient=one, initial_state=start, transient=0,
            dt=0.02, method="rk8", singular_values=False,
        ).parameter_gradient
        for one in np.eye(2)
    ]  # fmt: skip
    sizes = np.hypot(*(column.sel(parameter="alpha") for column in columns))
    np.testing.assert_allclose(sizes, [0.30, 2.5, 28.8], rtol=0.01)
    slope = (columns[1][2] - columns[1][1]) / 90
    drift = -orbit.period_derivative * orbit.velocity[0, 1]
    np.testing.assert_allclose(slope, drift, rtol=1e-9)


def test_secular_gradients_differ_by_what_stays_bounded(cycle):
    system, orbit = cycle
    ds = lk.learning_signal(system, delays=float(orbit.period) * np.array([1, 10, 100, 1000]), cycle=True, dt=0.05)
    rest = ds.parameter_gradient - ds.secular_gradient
    assert abs(rest).max() < 1 and abs(ds.secular_gradient[-1]).min() > 3


def test_a_velocity_loss_overlaps_wholly():
    ds = lk.learning_signal(lk.systems.lorenz63(), delays=[0.5, 1.0, 1.5], loss_gradient="velocity", transient=5)
    np.testing.assert_allclose(ds.velocity_overlap, 1.0, rtol=1e-14)
    np.testing.assert_allclose(np.linalg.norm(ds.loss_gradient, axis=1), 1.0, rtol=1e-14)
    assert ds.pairing_error.max() < 1e-4  # rk4 at dt = .01


# --- logarithms


def test_norms_go_beyond_the_numbers_and_lie_between_the_singular_values():
    ds = lk.learning_signal(lk.systems.henon(), delays=[10, 1000, 10_000], transient=0)
    assert (ds.adjoint_log_norm <= ds.sensitivity_log_norm + 1e-9).all()
    assert (ds.adjoint_log_norm >= ds.log_singular_value[:, -1] - 1e-9).all()
    assert ds.adjoint_log_norm[-1] > 4000 and np.isinf(ds.state_gradient[-1]).all()
    assert np.isfinite(ds.parameter_gradient_log).all()
    shrinking = lk.learning_signal(lk.systems.linear_map(A=[[0.5, 0.0], [0.0, 0.1]]), delays=[5000])
    assert float(shrinking.adjoint_log_norm[0]) == pytest.approx(5000 * np.log(0.5), rel=1e-3)


def test_gradients_of_an_orbit_that_ends_are_nan_from_then_on():
    # swept back from its end they would be inf and -inf, which says "explodes" of what is nothing at all
    ds = lk.learning_signal(lk.systems.henon(), delays=[1, 5, 1000], initial_state=[5.0, 5.0], transient=0)
    assert int(ds.status) == 1 and np.isnan(ds.adjoint_drift)
    for name in ("state_gradient", "adjoint_log_norm", "parameter_gradient", "parameter_gradient_log"):
        assert np.isfinite(ds[name][:2]).all(), name
        assert np.isnan(ds[name][2]).all(), name


def test_a_relu_network_that_overflows_has_diverged_and_not_come_to_rest():
    # 3^1000 overflows, 0 inf is NaN, and a relu that makes 0 of it would start the orbit again
    system = lk.systems.rnn_map(W=3.0 * np.eye(2), b=[0.0, 0.0], activation="relu")
    ds = lk.learning_signal(system, delays=[1, 5, 1000], initial_state=[5.0, 5.0], transient=0)
    assert int(ds.status) == 1
    np.testing.assert_allclose(ds.adjoint_log_norm[:2], np.log(3.0) * np.array([1, 5]), rtol=1e-14)
    for name in ("adjoint_log_norm", "weight_gradient_log_norm", "log_singular_value"):
        assert np.isnan(ds[name][2]).all(), name
    assert np.isnan(ds.gradient_W).all() and np.isnan(ds.gradient_b).all()


def test_the_drift_is_the_slope_of_the_logarithm():
    ds = lk.learning_signal(lk.systems.linear_map(A=[[0.5, 1.0], [0.0, 0.3]]), delays=np.arange(10, 310, 10))
    assert float(ds.adjoint_drift) == pytest.approx(np.log(0.5), rel=1e-6)


@pytest.mark.parametrize("system", [lk.systems.lorenz63(), gru(), lk.random_network(24, kind="flow", gain=1.5)])
def test_the_adjoint_is_the_transpose_of_the_tangent_map(system):
    ds = lk.learning_signal(system, delays=[1.0, 2.0], transient=3, duration=3)
    assert float(ds.adjoint_identity_error) < 1e-12


# --- automatic differentiation


@pytest.mark.parametrize("cell", ["RNN", "GRU", "LSTM"])
def test_gradients_agree_with_autograd(cell):
    torch = pytest.importorskip("torch", reason="torch is not installed: nothing to compare with")
    torch.manual_seed(0)
    units, steps = 5, 30
    module = getattr(torch.nn, cell)(2, units).double()
    weights = {name: array.numpy() for name, array in module.state_dict().items()}
    system = lk.load_network(weights, cell=cell.lower())
    parts = 2 if cell == "LSTM" else 1
    start, gradient = rng(7).uniform(-0.5, 0.5, units * parts), rng(8).standard_normal(units)
    hidden = [torch.tensor(part[None, None], requires_grad=True) for part in np.split(start, parts)]
    output = module(torch.zeros(steps, 1, 2).double(), tuple(hidden) if parts == 2 else hidden[0])[0]
    (output[-1, 0] * torch.tensor(gradient)).sum().backward()
    ds = lk.learning_signal(
        system, delays=[steps], initial_state=start, transient=0, singular_values=False,
        loss_gradient=np.concatenate([gradient, np.zeros(units * (parts - 1))]),
    )  # fmt: skip
    expected = np.concatenate([part.grad.numpy().ravel() for part in hidden])
    np.testing.assert_allclose(ds.state_gradient[0], expected, rtol=1e-5, atol=1e-14)
    order = {"RNN": ["W"], "GRU": ["Wr", "Wz", "Wh"], "LSTM": ["Wi", "Wf", "Wg", "Wo"]}[cell]
    mine = np.concatenate([ds[f"gradient_{name}"].values for name in order])
    np.testing.assert_allclose(mine, module.weight_hh_l0.grad.numpy(), rtol=1e-5, atol=1e-12)


# --- many points, keywords


def test_a_scan_of_cycles_gives_each_point_its_own_bits(tmp_path):
    grid = {"alpha": np.array([0.9, 1.6, 2.5]), "theta": np.array([0.4, 0.8])}
    keywords = {"delays": [2.0, 10.0, 30.0], "transient": 30, "duration": 50, "cycle": True}
    ds = lk.scan(lk.learning_signal, lk.systems.rotation_flow, grid, **keywords)
    for alpha in (0.9, 1.6):
        one = lk.learning_signal(lk.systems.rotation_flow(alpha=alpha, theta=0.8), **keywords)
        for name in one.data_vars:
            np.testing.assert_array_equal(ds[name].sel(alpha=alpha, theta=0.8), one[name], err_msg=name)
    meanings = dict(zip(ds.status.flag_values.tolist(), ds.status.flag_meanings.split(), strict=True))
    assert meanings[int(ds.status.sel(alpha=0.9, theta=0.8))] == "fixed_point"
    assert np.isnan(ds.state_gradient.sel(alpha=0.9)).all() and (ds.status.sel(alpha=[1.6, 2.5]) == 0).all()
    lk.save(ds, tmp_path / "signal.nc")
    assert lk.load(tmp_path / "signal.nc").identical(ds)


def test_two_workers_at_once_give_the_bits_of_one():
    # call tables that are freed while a kernel reads them are overwritten by the other thread, in most of such scans
    grid = {"alpha": np.linspace(0.8, 3.0, 9), "theta": np.linspace(0.1, 1.5, 5)}
    keywords = {"delays": [1.0, 7.0, 50.0], "transient": 20, "block": 4}
    one = lk.scan(lk.learning_signal, lk.systems.rotation_flow, grid, workers=1, **keywords)
    for _ in range(3):
        assert lk.scan(lk.learning_signal, lk.systems.rotation_flow, grid, workers=2, **keywords).identical(one)


def test_without_singular_values_the_rest_stays_the_same():
    system = lk.random_network(24, kind="map", gain=1.4)
    ds = lk.learning_signal(system, delays=[1, 10], transient=5, duration=10)
    lean = lk.learning_signal(system, delays=[1, 10], transient=5, singular_values=False)
    assert "log_singular_value" not in lean and "mode" not in lean.coords
    for name in lean.data_vars:
        np.testing.assert_array_equal(lean[name], ds[name], err_msg=name)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"loss_gradient": "velocity"}, "loss_gradient: given 'velocity', accepted"),
        ({"loss_gradient": [1.0]}, "loss_gradient: given"),
        ({"loss_gradient": [0.0, 0.0]}, "not all zero"),
        ({"cycle": True}, "cycle: given True, but henon is a map"),
        ({"cycle": 1}, "cycle: given 1, accepted: True or False"),
        ({"singular_values": 0}, "singular_values: given 0"),
    ],
)
def test_misuse_is_named(keywords, message):
    with pytest.raises(ValueError, match=message):
        lk.learning_signal(lk.systems.henon(), **keywords)


def test_a_wrong_period_is_seen_by_the_adjoint(cycle):
    """Swept back to x(0) and to x(T + s), it is late by s; what is left of other directions is s e^(-3.28) twice."""
    system, orbit = cycle
    period, late = float(orbit.period), 1e-4
    time = clock(system, 0, 1, 0.02, "rk8")
    state, phase_gradient = orbit.state[:1].values, orbit.adjoint[:1].values
    with Monitor(1, "test", False) as monitor:
        *_, found = over_a_period(system, {}, state, np.array([period + late]), phase_gradient, time, monitor)
    assert found[0] == pytest.approx(period, abs=late * np.exp(-0.51169 * 2 * period) + 100 * late**2)


def test_losses_of_any_size_and_maps_that_forget_all():
    """Gradients are linear in that of the loss, also where its square or its product with a number overflows."""
    system, keywords = lk.systems.gru_map(), {"delays": [1, 20], "singular_values": False}
    one = np.array([1.0, -0.5, 0.25, 2.0])
    plain = lk.learning_signal(system, loss_gradient=one, **keywords)
    for power in (1020, -1000):
        scaled = lk.learning_signal(system, loss_gradient=np.ldexp(one, power), **keywords)
        for name in ("adjoint_log_norm", "weight_gradient_log_norm"):
            np.testing.assert_allclose(scaled[name], plain[name] + power * np.log(2.0), rtol=1e-14)
    nothing = lk.learning_signal(lk.systems.linear_map(A=[[0.0, 0.0], [0.0, 0.0]]), delays=[1, 2])
    assert float(nothing.adjoint_identity_error) == 0.0
