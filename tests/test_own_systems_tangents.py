"""Own systems that branch, bring a Jacobian of their own, or depend on time."""

import math

import numpy as np
import pytest

import lyapkit as lk
from lyapkit.systems import evaluate

# ------------------------------------------------------------------ branches


def tent(x, slope):
    if x[0] < 0.5:
        return [slope * x[0]]
    return [slope * (1.0 - x[0])]


BENT = {
    "if": (tent, None),
    "conditional expression": (lambda x, slope: slope * (x[0] if x[0] < 0.5 else 1.0 - x[0]), None),
    "min": (lambda x, slope: [slope * min(x[0], 1.0 - x[0])], None),
    "np.minimum": (lambda x, slope: [slope * np.minimum(x[0], 1.0 - x[0])], None),
    "abs": (lambda x, slope: [slope * (0.5 - abs(x[0] - 0.5))], None),
    "math.fabs": (lambda x, slope: [slope * (0.5 - math.fabs(x[0] - 0.5))], None),
    "max": (lambda x, slope: [slope * (1.0 - max(x[0], 1.0 - x[0]))], None),
    "np.where": (lambda x, slope: [slope * np.where(x[0] < 0.5, x[0], 1.0 - x[0])], None),
}


@pytest.mark.parametrize("style", BENT)
def test_branching_rules(style):
    """The tent map in all its spellings: exponent ln(slope) from every orbit that misses the tip."""
    system = lk.define_map(BENT[style][0], parameters={"slope": 1.9}, dimension=1, initial_state=[0.37], name="tent")
    for x in (0.2, 0.7):
        assert abs(evaluate.value(system, [x])[0] - 1.9 * min(x, 1 - x)) < 1e-15
    ds = lk.lyapunov_spectrum(system, duration=2000)
    # a central difference, where the rule could not be traced, errs by 1e-10 and rarely straddles the tip
    tolerance = 1e-12 if ds.attrs["tangent"].startswith("exact") else 1e-3
    assert abs(float(ds.lyapunov_exponent[0]) - math.log(1.9)) < tolerance
    assert ds.attrs["tangent"].startswith(("exact (traced)", "central difference"))


def test_branches_are_counted():
    system = lk.define_map(tent, parameters={"slope": 1.9}, dimension=1)
    assert system.cell.tangent == "exact (traced) along 2 branches"


def test_piecewise_of_two_units():
    """Lozi's map: abs inside, against the formula's own Jacobian at both sides."""
    parameters = {"a": 1.7, "b": 0.5}
    system = lk.define_map(lambda x, a, b: (1 - a * abs(x[0]) + x[1], b * x[0]), parameters=parameters, dimension=2)
    for x in ([0.3, 0.1], [-0.3, 0.1]):
        wanted = [[-1.7 * np.sign(x[0]), 1.0], [0.5, 0.0]]
        np.testing.assert_allclose(evaluate.jacobian_matrix(system, x), wanted, rtol=1e-15)
    ds = lk.lyapunov_spectrum(system, initial_state=[0.1, 0.1])
    assert abs(float(ds.lyapunov_exponent.sum()) - math.log(0.5)) < 1e-12


def with_while(x, r):
    """Collatz-like folding: as often as needed, so no fixed expression."""
    y = r * x[0]
    while y > 1.0:
        y = y - 1.0
    return np.array([y])


def with_int(x, r):
    y = r * x[0]
    return np.array([y - int(y)])


@pytest.mark.parametrize("rule", [with_while, with_int])
def test_untraceable_rules_still_work(rule):
    """x <- 3 x mod 1 (r = 2.9): slope r everywhere; the result says how its tangent was made."""
    system = lk.define_map(rule, parameters={"r": 2.9}, dimension=1, initial_state=[0.217])
    ds = lk.lyapunov_spectrum(system, duration=1000)
    # either traced along its branches, or by central differences: 1e-10, and wrong only on the few steps
    # (2 r 6e-6 of all) that straddle a jump
    assert abs(float(ds.lyapunov_exponent[0]) - math.log(2.9)) < 0.02
    assert ds.attrs["tangent"].startswith(("central difference", "exact (traced) along"))
    orbit = [0.217]
    for _ in range(20):
        orbit.append(2.9 * orbit[-1] % 1.0)
    states = lk.trajectory(system, duration=20).state.values[:, 0]
    # rounding grows as 2.9^20 = 1.8e9
    np.testing.assert_allclose(states, orbit, rtol=0, atol=1e-16 * 2.9**20)


def test_untraceable_rule_says_central_difference():
    ds = lk.lyapunov_spectrum(lk.define_map(with_int, parameters={"r": 2.9}, dimension=1), duration=200)
    assert "central difference" in ds.attrs["tangent"]


def _folded(x, r):
    """A smooth rule that tracing refuses because of int()."""
    unused = int(x[0])
    return np.array([r * x[0] * (1.0 - x[0]) + 0 * unused])


def test_central_differences_are_accurate():
    """The logistic map hidden from the tracer: relative error of the tangent about 1e-10."""
    hidden = lk.define_map(_folded, parameters={"r": 3.5}, dimension=1, initial_state=[0.3])
    ours, theirs = (
        lk.lyapunov_spectrum(s, initial_state=[0.3], duration=500, estimator="mean")
        for s in (hidden, lk.systems.logistic(r=3.5))
    )
    np.testing.assert_allclose(ours.lyapunov_exponent, theirs.lyapunov_exponent, rtol=0, atol=1e-9)


def test_untraceable_rule_with_a_jacobian_uses_it():
    system = lk.define_map(
        _folded, parameters={"r": 3.5}, dimension=1, initial_state=[0.3],
        jacobian=lambda x, r: np.array([[r * (1.0 - 2.0 * x[0])]]),
    )  # fmt: skip
    ours = lk.lyapunov_spectrum(system, duration=500, estimator="mean")
    theirs = lk.lyapunov_spectrum(lk.systems.logistic(r=3.5), initial_state=[0.3], duration=500, estimator="mean")
    np.testing.assert_allclose(ours.lyapunov_exponent, theirs.lyapunov_exponent, rtol=0, atol=1e-12)
    assert ours.attrs["tangent"] == "the given Jacobian"


def test_untraceable_flow():
    """A flow by numba and differences: trace and exponents as of the same flow traced."""

    def hidden(x, mu):
        unused = int(x[0])
        return np.array([x[1] + 0 * unused, mu * (1.0 - x[0] ** 2) * x[1] - x[0]])

    own = lk.define_flow(hidden, parameters={"mu": 1.0}, dimension=2, initial_state=[2.0, 0.0])
    keywords = {"duration": 20, "dt": 0.02, "transient": 20, "estimator": "mean"}
    ours = lk.lyapunov_spectrum(own, **keywords)
    theirs = lk.lyapunov_spectrum(lk.systems.van_der_pol(), **keywords)
    np.testing.assert_allclose(ours.lyapunov_exponent, theirs.lyapunov_exponent, rtol=0, atol=1e-8)
    np.testing.assert_allclose(ours.mean_divergence, theirs.mean_divergence, rtol=0, atol=1e-8)


# ------------------------------------------------------------------ given Jacobians


def _henon(x, a, b):
    return 1 - a * x[0] ** 2 + x[1], b * x[0]


HENON = {"parameters": {"a": 1.4, "b": 0.3}, "dimension": 2}


def test_right_jacobian_is_accepted():
    system = lk.define_map(_henon, jacobian=lambda x, a, b: [[-2 * a * x[0], 1.0], [b, 0.0]], **HENON)
    ds = lk.lyapunov_spectrum(system, initial_state=[0.1, 0.1], duration=500)
    assert abs(float(ds.mean_divergence) - math.log(0.3)) < 1e-12


@pytest.mark.parametrize(
    ("jacobian", "entry"),
    [
        (lambda x, a, b: [[-2 * a * x[0], b], [1.0, 0.0]], r"\[0, 1\]"),  # transposed
        (lambda x, a, b: [[2 * a * x[0], 1.0], [b, 0.0]], r"\[0, 0\]"),  # a sign
        (lambda x, a, b: [[-2 * a * x[0], 1.0], [b, 1e-5]], r"\[1, 1\]"),
    ],
)
def test_wrong_jacobian_is_refused_with_both_numbers(jacobian, entry):
    with pytest.raises(ValueError, match=f"jacobian: entry {entry} .* is .*but .* is ") as caught:
        lk.define_map(_henon, jacobian=jacobian, **HENON)
    given, own = (float(w) for w in _numbers(str(caught.value).split("] is ")[1]))
    assert given != own


def _numbers(text):
    """The two numbers of the message, wherever its commas and words are."""
    words = text.replace(",", " ").split()
    for word in words:
        try:
            yield float(word)
        except ValueError:
            continue


def test_jacobian_of_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"jacobian: returned shape \(2,\)"):
        lk.define_map(_henon, jacobian=lambda x, a, b: [1.0, 2.0], **HENON)


def test_wrong_jacobian_of_an_untraceable_rule_is_refused():
    with pytest.raises(ValueError, match="jacobian: entry"):
        lk.define_map(_folded, parameters={"r": 3.5}, dimension=1, jacobian=lambda x, r: np.array([[r * x[0]]]))


# ------------------------------------------------------------------ time


def test_time_dependent_flow():
    """x' = -x + cos t: the orbit in closed form, the exponent -1."""
    system = lk.define_flow(lambda x, t: -x[0] + np.cos(t), dimension=1, initial_state=[0.5])
    ds = lk.trajectory(system, method="rk8", dt=0.05, duration=10)
    t = ds.time.values
    wanted = 0.5 * (np.cos(t) + np.sin(t))  # the transient's coefficient is 0 from x(0) = 1/2
    np.testing.assert_allclose(ds.state[:, 0], wanted, rtol=0, atol=1e-11)
    exponent = lk.lyapunov_spectrum(system, method="rk8", dt=0.05, duration=50).lyapunov_exponent
    assert abs(float(exponent[0]) + 1) < 1e-10


@pytest.mark.parametrize("method", ["rk4", "rk8", "euler"])
def test_time_at_the_stages(method):
    """x' = 3 t^2: rk4 and rk8 integrate it exactly from their stage times, Euler as a left sum."""
    system = lk.define_flow(lambda x, t: 3 * t**2 + 0 * x[0], dimension=1, initial_state=[0.0])
    end = float(lk.trajectory(system, method=method, dt=0.1, duration=1).state[-1, 0])
    left_sum = sum(3 * (0.1 * i) ** 2 * 0.1 for i in range(10))
    assert abs(end - (left_sum if method == "euler" else 1.0)) < 1e-13


def test_time_dependent_map():
    """x <- t: the number of iterates done."""
    system = lk.define_map(lambda x, t: t + 0 * x[0], dimension=1, initial_state=[7.0])
    assert lk.trajectory(system, duration=4).state.values.ravel().tolist() == [7, 0, 1, 2, 3]


def test_time_goes_on_after_the_transient():
    system = lk.define_map(lambda x, t: t + 0 * x[0], dimension=1, initial_state=[7.0])
    assert lk.trajectory(system, transient=10, duration=2).state.values.ravel().tolist() == [9, 10, 11]


def test_time_in_an_untraceable_rule():
    def rule(x, t):
        unused = int(x[0])
        return np.array([t + 0.0 * unused])

    system = lk.define_map(rule, dimension=1, initial_state=[7.0])
    assert lk.trajectory(system, duration=3).state.values.ravel().tolist() == [7, 0, 1, 2]
