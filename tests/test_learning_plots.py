"""Plots of learning signals: what is drawn is what the Dataset holds."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

import lyapkit as lk


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_lines_are_powers_of_ten_of_the_singular_values():
    ds = lk.learning_signal(lk.systems.henon(), delays=[1, 10, 100, 1000])
    ax = lk.plot.learning_signal(ds)
    lines = {line.get_label(): line for line in ax.lines}
    np.testing.assert_allclose(lines[r"$\sigma_{1}$"].get_ydata(), ds.log_singular_value[:, 0] / np.log(10.0))
    dashed = lines["by the exponents alone"]
    np.testing.assert_allclose(dashed.get_ydata()[-1], ds.lyapunov_exponent[1] * 1000 / np.log(10.0))
    assert ax.get_xscale() == "log" and "iterates" in ax.get_xlabel()
    assert {text.get_text() for text in ax.texts} >= {"float16", "float32", "float64"}
    assert lk.plot.learning_signal(ds, scale="linear", modes=1).get_xscale() == "linear"


def test_collapsed_directions_are_left_out():
    system = lk.systems.rnn_map(W=[[0.5, 0.0], [0.0, 2.0]], b=[-1.0, 0.0], activation="relu")
    ds = lk.learning_signal(system, delays=[1, 3], initial_state=[2.5, 1.0], transient=0)
    lk.plot.learning_signal(ds).figure.canvas.draw()


def test_gradients_are_drawn_without_singular_values_too():
    ds = lk.learning_signal(lk.systems.henon(), delays=[1, 10, 100], singular_values=False)
    ax = lk.plot.learning_signal(ds)
    dots = ax.lines[1]
    np.testing.assert_allclose(dots.get_ydata(), ds.adjoint_log_norm / np.log(10.0))
    assert "gradient" in dots.get_label() and ax.get_ylabel() == "norm"


def test_the_adjoint_is_drawn_over_the_phase():
    ds = lk.limit_cycle(lk.systems.rotation_flow(), n_phase=32)
    ax = lk.plot.adjoint(ds)
    lines = {line.get_label(): line.get_ydata() for line in ax.lines}
    np.testing.assert_array_equal(lines["unit 0"][:-1], ds.adjoint[:, 0])
    np.testing.assert_allclose(lines["$|Z|$"][:-1], np.hypot(ds.adjoint[:, 0], ds.adjoint[:, 1]))


def test_the_table_says_what_the_horizons_are():
    ds = lk.gradient_horizon(lk.systems.linear_map(A=[[2.0, 0.0], [0.0, 0.5]]))
    cells = lk.plot.horizon(ds).tables[0]
    row = [cells[1, column].get_text().get_text() for column in range(5)]
    assert row == ["float16", "16", "16", "explodes", "0 of 2"]
    cycle = lk.gradient_horizon(lk.systems.rotation_flow(), delays=[10.0, 20.0])
    assert lk.plot.horizon(cycle).tables[0][3, 1].get_text().get_text() == "never"


def test_what_cannot_be_drawn_is_named():
    ds = lk.scan(lk.learning_signal, lk.systems.henon, {"a": np.array([1.2, 1.4])}, delays=[1, 5], duration=50)
    with pytest.raises(ValueError, match="ds: a scan over a, accepted"):
        lk.plot.learning_signal(ds)
    one = ds.isel(a=0)
    with pytest.raises(ValueError, match="modes: given 3, accepted: a whole number from 1 to 2"):
        lk.plot.learning_signal(one, modes=3)
    with pytest.raises(ValueError, match="scale: given 'x'"):
        lk.plot.learning_signal(one, scale="x")
    with pytest.raises(ValueError, match="variable: given 'adjoint'"):
        lk.plot.adjoint(one)
