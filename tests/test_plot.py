"""Plots: what the figures contain, measured on their artists; and what is refused."""

import subprocess
import sys

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import BoundaryNorm, CenteredNorm

import lyapkit as lk
from lyapkit.plot.labels import mathtext, value_text

PLANE = {"alpha": np.linspace(0.5, 4, 24), "theta": np.linspace(0, np.pi / 2, 20)}


@pytest.fixture(autouse=True)
def _close():
    plt.close("all")  # a doctest in the same worker may have left some open
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def flow_plane():
    return lk.scan(lk.lyapunov_spectrum, lk.systems.rotation_flow, PLANE, transient=50, duration=100)


@pytest.fixture(scope="module")
def euler_plane():
    system = lk.systems.rotation_euler(h=0.3)
    return lk.scan(lk.lyapunov_spectrum, system, PLANE, transient=100, duration=200)


@pytest.fixture(scope="module")
def logistic_line():
    grid = {"r": np.array([3.9, 2.0, 3.2, 3.5, 4.0])}
    ds = lk.scan(lk.lyapunov_spectrum, lk.systems.logistic, grid, duration=500)
    ds.lyapunov_exponent[1] = -np.inf  # superstable; rounding leaves about -37
    return ds


@pytest.fixture(scope="module")
def lorenz():
    return lk.lyapunov_spectrum(lk.systems.lorenz63(), duration=100, history=True)


def line(ax, label):
    (found,) = [one for one in ax.lines if one.get_label() == label]
    return found


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def colourbar(ax):
    (bar,) = [one for one in ax.figure.axes if one is not ax]
    return bar


def test_importing_lyapkit_and_listing_plots_loads_no_matplotlib():
    code = (
        "import sys, lyapkit as lk; dir(lk.plot); assert 'plane' in lk.plot.__all__; "
        "assert 'matplotlib' not in sys.modules and 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_plots_stay_functions_after_their_modules_are_imported():
    import lyapkit.plot.planes
    import lyapkit.plot.portraits
    import lyapkit.plot.spectra  # noqa: F401

    assert all(callable(getattr(lk.plot, name)) for name in lk.plot.__all__)
    with pytest.raises(AttributeError, match="'plain'"):
        lk.plot.plain  # noqa: B018


# plane


def test_plane_shows_the_values_with_zero_in_the_middle(flow_plane):
    ax = lk.plot.plane(flow_plane, mode=2)
    image = ax.collections[0]
    expected = flow_plane.lyapunov_exponent.sel(mode=2).transpose("theta", "alpha").values
    np.testing.assert_array_equal(image.get_array(), expected)
    assert isinstance(image.norm, CenteredNorm)
    assert image.norm(0.0) == 0.5 and image.norm.vmin == -image.norm.vmax
    assert image.get_rasterized()


def test_plane_labels_carry_names_and_units(flow_plane):
    ax = lk.plot.plane(flow_plane)
    assert ax.get_xlabel() == r"$\alpha$" and ax.get_ylabel() == r"$\theta$ (rad)"
    bar = colourbar(ax)
    assert "lambda_{1}" in bar.get_ylabel() and "(nats per time unit)" in bar.get_ylabel()
    assert r"\tanh" in ax.get_title()
    ax.figure.canvas.draw()
    ticks = [tick.get_text() for tick in ax.get_yticklabels()]
    assert ticks == ["0", r"$\pi/6$", r"$\pi/3$", r"$\pi/2$"]


def test_plane_draws_the_closed_forms(flow_plane):
    ax = lk.plot.plane(flow_plane)
    alpha, theta = line(ax, "Hopf").get_data()
    np.testing.assert_allclose(alpha * np.cos(theta), 1.0, rtol=1e-12)
    assert {"Hopf", "SNIC"} <= set(legend_texts(ax))
    assert line(ax, "Hopf").get_linestyle() != line(ax, "SNIC").get_linestyle()
    half = 0.5 * (PLANE["alpha"][1] - PLANE["alpha"][0])
    np.testing.assert_allclose(ax.get_xlim(), (0.5 - half, 4 + half))  # curves do not widen the plane


def test_plane_gives_the_curves_the_fixed_parameters(euler_plane):
    ax = lk.plot.plane(euler_plane)
    alpha, theta = line(ax, "Neimark-Sacker").get_data()
    multiplier = 0.7 + 0.3 * alpha * np.exp(1j * theta)
    np.testing.assert_allclose(abs(multiplier), 1.0, rtol=1e-12)
    assert any("$h$ = 0.3" in text.get_text() for text in ax.texts)


def test_plane_without_curves(flow_plane):
    ax = lk.plot.plane(flow_plane, curves=False)
    assert "Hopf" not in [one.get_label() for one in ax.lines]


def test_plane_draws_no_curves_for_a_namesake(flow_plane):
    own = flow_plane.assign_attrs(equation="x' = -x")
    assert not [one for one in lk.plot.plane(own).lines if one.get_label() == "Hopf"]


def test_the_zero_line_ignores_the_noise_of_a_plateau(flow_plane):
    noise = 1e-12 * np.random.default_rng(0).standard_normal(flow_plane.lyapunov_exponent.shape)
    flat = flow_plane.copy()
    flat["lyapunov_exponent"] = flat.lyapunov_exponent.copy(data=noise)
    ax = lk.plot.plane(flat, curves=False)
    assert len(ax.collections) == 1  # the image alone
    slope = np.broadcast_to(PLANE["alpha"][:, None, None] - 2.0, noise.shape)
    flat["lyapunov_exponent"] = flat.lyapunov_exponent.copy(data=slope + noise)
    contour = lk.plot.plane(flat, curves=False).collections[1]
    corners = np.concatenate([path.vertices for path in contour.get_paths()])
    np.testing.assert_allclose(abs(corners[:, 0] - 2.0), 1e-3, rtol=1e-6)


def test_plane_counts_failed_points(flow_plane):
    values = flow_plane.lyapunov_exponent.values.copy()
    values[0, 0, 0], values[3, 4, 0], values[5, 5, 0] = np.nan, -np.inf, np.nan
    broken = flow_plane.copy()
    broken["lyapunov_exponent"] = broken.lyapunov_exponent.copy(data=values)
    ax = lk.plot.plane(broken)
    assert "failed points (3)" in legend_texts(ax)
    assert ax.collections[0].get_array().mask.sum() == 3
    assert np.isfinite(ax.collections[0].norm.vmin)


def test_plane_of_flags_has_a_colour_for_each_meaning(flow_plane):
    ax = lk.plot.plane(flow_plane, "lyapunov_sign")
    image = ax.collections[0]
    assert isinstance(image.norm, BoundaryNorm)
    meanings = [tick.get_text() for tick in colourbar(ax).get_yticklabels()]
    present = np.unique(flow_plane.lyapunov_sign.sel(mode=1))
    names = {-1: "negative", 0: "zero", 1: "positive", 2: "undecided"}
    assert meanings == [names[v] for v in present]
    assert len({tuple(image.to_rgba(float(v))) for v in present}) == len(present)


def test_plane_of_one_flag_and_of_a_sequential_variable(flow_plane):
    ax = lk.plot.plane(flow_plane, "status")
    assert [tick.get_text() for tick in colourbar(ax).get_yticklabels()] == ["ok"]
    ax = lk.plot.plane(flow_plane, "kaplan_yorke_dimension", limit=1.5, cmap="viridis")
    assert (ax.collections[0].norm.vmin, ax.collections[0].norm.vmax) == (0.0, 1.5)
    assert ax.collections[0].cmap.name == "viridis"


def test_plane_takes_an_axes_and_other_parameters():
    grid = {"a": np.linspace(1.0, 1.3, 4)[::-1], "b": np.linspace(0.1, 0.3, 3)}
    ds = lk.scan(lk.lyapunov_spectrum, lk.systems.henon, grid, duration=200)
    ax = plt.subplots()[1]
    assert lk.plot.plane(ds, ax=ax) is ax
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$a$", "$b$")
    expected = ds.lyapunov_exponent.sel(mode=1).sortby("a").transpose("b", "a")
    np.testing.assert_array_equal(np.ma.getdata(ax.collections[0].get_array()), expected)


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"variable": "lyapunov"}, "variable: given 'lyapunov', accepted: lyapunov_exponent"),
        ({"mode": 3}, "mode: given 3, accepted: a whole number from 1 to 2"),
        ({"mode": 0}, "mode: given 0"),
        ({"variable": "mean_divergence", "mode": 2}, "mode: given 2, but mean_divergence has no modes"),
        ({"limit": -1.0}, "limit: given -1.0"),
        ({"variable": "status", "limit": 1.0}, "limit: given 1.0, but status is a flag"),
    ],
)
def test_plane_refuses(flow_plane, keywords, words):
    with pytest.raises(ValueError, match=words):
        lk.plot.plane(flow_plane, **keywords)
    assert not plt.get_fignums()  # a refused plot leaves no empty figure


def test_plane_refuses_what_is_no_plane(logistic_line, lorenz, flow_plane):
    for ds in (logistic_line, lorenz, flow_plane.isel(alpha=[0])):
        with pytest.raises(ValueError, match=r"^ds: "):
            lk.plot.plane(ds)
    with pytest.raises(TypeError, match=r"^ds: given ndarray"):
        lk.plot.plane(np.zeros((3, 3)))


# spectrum


def test_spectrum_shows_exponents_with_errors_and_signs(lorenz):
    ax = lk.plot.spectrum(lorenz, history=False)
    drawn = {}
    for container in ax.containers:
        points, _, bars = container.lines
        for at, exponent, bar in zip(*points.get_data(), bars[0].get_segments(), strict=True):
            drawn[int(at)] = (exponent, 0.5 * np.diff(bar[:, 1])[0], container.get_label())
    for mode in (1, 2, 3):
        one = lorenz.sel(mode=mode)
        assert drawn[mode][0] == one.lyapunov_exponent
        np.testing.assert_allclose(drawn[mode][1], one.lyapunov_exponent_stderr, rtol=1e-9)
    assert drawn[1][2] == "positive" and drawn[3][2] == "negative"
    assert ax.get_ylabel() == "Lyapunov exponent (nats per time unit)"
    dimension = f"dimension {float(lorenz.kaplan_yorke_dimension):.3f}"
    assert any(dimension in text.get_text() for text in ax.texts)


def test_spectrum_shows_the_history_where_there_is_one(lorenz):
    ax = lk.plot.spectrum(lorenz)
    running = [one for one in ax.lines if len(one.get_xdata()) == lorenz.sizes["time"]]
    assert len(running) == 3
    np.testing.assert_array_equal(running[0].get_ydata(), lorenz.running_exponent.sel(mode=1))
    assert "(time units)" in ax.get_xlabel()
    assert legend_texts(ax)[2].startswith(r"$\lambda_{3} = -14.")


def test_spectrum_of_a_line_of_parameters(logistic_line):
    ax = lk.plot.spectrum(logistic_line)
    x, y = line(ax, r"$\lambda_{1}$").get_data()
    np.testing.assert_array_equal(x, [2.0, 3.2, 3.5, 3.9, 4.0])
    assert np.isnan(y[0]) and np.isfinite(y[1:]).all()  # -inf at r = 2 is a gap
    assert ax.get_xlabel() == "$r$" and "(nats per iterate)" in ax.get_ylabel()
    assert len(ax.collections) == 1  # the band of one standard error


def test_spectrum_tells_of_exponents_at_minus_infinity():
    ds = lk.lyapunov_spectrum(lk.systems.logistic(r=2.0), initial_state=[0.5], duration=100)
    texts = [text.get_text() for text in lk.plot.spectrum(ds).texts]
    assert r"1 at $-\infty$" in texts


def test_spectrum_refuses(flow_plane, logistic_line, lorenz):
    with pytest.raises(ValueError, match=r"^ds: a scan over 2 parameters"):
        lk.plot.spectrum(flow_plane)
    with pytest.raises(ValueError, match=r"^history: given True, but ds is a scan"):
        lk.plot.spectrum(logistic_line, history=True)
    with pytest.raises(ValueError, match=r"^history: given True, but ds has no running"):
        lk.plot.spectrum(lorenz.drop_vars("running_exponent"), history=True)
    with pytest.raises(ValueError, match=r"^history: given 'yes'"):
        lk.plot.spectrum(lorenz, history="yes")
    with pytest.raises(ValueError, match=r"^variable: given 'lyapunov_exponent', accepted: state"):
        lk.plot.spectrum(lk.trajectory(lk.systems.henon(), duration=5))


# labels


@pytest.mark.parametrize("name", lk.systems.names())
def test_every_equation_is_typeset(name):
    equation = getattr(lk.systems, name).model.equation
    assert mathtext(equation) != equation.replace("$", r"\$")


def test_what_cannot_be_typeset_stays_text():
    assert mathtext("x' = a_b_c {x") == "x' = a_b_c {x"


@pytest.mark.parametrize(
    ("equation", "typeset"),
    [
        ("x' = -x + tanh(alpha R(theta) x)", r"$x' = -x + \tanh (\alpha  R(\theta ) x)$"),
        ("x <- two_loops(x, mu)", r"$x \leftarrow  \ \mathrm{two\_loops}(x, \mu )$"),
        ("x <- a x^2 mod 1", r"$x \leftarrow  a\, x^2\ \mathrm{mod}\  1$"),
    ],
)
def test_equations_in_tex(equation, typeset):
    assert mathtext(equation).replace(" ", "") == typeset.replace(" ", "")


def test_values_are_written_to_the_second_digit_of_their_error(lorenz):
    one = lorenz.sel(mode=1)
    for exponent, error, text in (
        (0.90563, 0.00123, r"$\lambda_{1} = 0.9056 \pm 0.0012$"),
        (-3.5e-17, 1e-14, r"$\lambda_{1} = 0.000000000$"),
        (-np.inf, np.nan, r"$\lambda_{1} = -\infty$"),
    ):
        changed = one.assign(lyapunov_exponent=exponent, lyapunov_exponent_stderr=error)
        assert value_text(changed) == text
