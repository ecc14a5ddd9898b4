"""The two oracles of limit cycles agree: single shooting in double precision, and cycle_values.json."""

import json
import pathlib
from functools import partial

import naive
import numpy as np
import pytest
from naive_cycles import cycle_by_shooting, nontrivial_multipliers, phase_gradient

HERE = pathlib.Path(__file__).parent
VALUES = json.loads((HERE / "cycle_values.json").read_text())
AUTO = json.loads((HERE.parent / "benchmarks" / "auto07p" / "values.json").read_text())
LONG = 50.0  # periods that shooting takes seconds for: integrated once, by the script that made the file


def _label(entry):
    return f"{entry['api']['constructor']}({','.join(entry['parameters'].values())})"


def _numbers(nested):
    return np.array(nested, dtype=float)


SHORT = [pytest.param(e, id=_label(e)) for e in VALUES["flows"] if float(e["period"]) < LONG]
MAPS = [pytest.param(e, id=_label(e)) for e in VALUES["maps"]]


def _rule(entry):
    return partial(naive.RULES[entry["api"]["constructor"]], **entry["api"]["arguments"])


@pytest.mark.parametrize("entry", SHORT)
def test_shooting(entry):
    """From a start one part in a thousand off.

    DOP853 at rtol 1e-13 leaves some 1e-12 of the state, times the swing of the gradient, on its way around the cycle.
    """
    rule, start = _rule(entry), _numbers(entry["state"][0])
    tolerance = 1e-11 * float(entry["sensitivity_range"][1])
    guess = start + 1e-3 * np.array([*np.ones(len(start) - 1), 0.0])
    x, period, monodromy = cycle_by_shooting(rule, partial(naive.jacobian, rule), guess, 1.001 * float(entry["period"]))
    velocity, scale = rule(x), np.linalg.norm(start)
    np.testing.assert_allclose(x, start, rtol=0, atol=tolerance * scale)
    np.testing.assert_allclose(period, float(entry["period"]), rtol=tolerance)
    np.testing.assert_allclose(velocity, _numbers(entry["velocity"]), atol=10 * tolerance * np.linalg.norm(velocity))
    size = np.linalg.norm(monodromy)
    np.testing.assert_allclose(nontrivial_multipliers(monodromy), _numbers(entry["multiplier"]), atol=tolerance * size)
    gradient = _numbers(entry["adjoint"][0])
    wrong = np.linalg.norm(phase_gradient(monodromy, velocity) - gradient) / np.linalg.norm(gradient)
    gap = 1.0 - abs(float(entry["multiplier"][0]))
    assert wrong < 10 * tolerance * size / gap


@pytest.mark.parametrize("entry", VALUES["flows"], ids=_label)
def test_entries_are_consistent(entry):
    """What holds between the numbers of an entry: signs, products, the section, the agreement of the two runs."""
    rule, states, adjoints = _rule(entry), _numbers(entry["state"]), _numbers(entry["adjoint"])
    assert float(entry["two_runs_differ_by"]) < 1e-25
    assert all(v == "steps" or float(entry["checks"][v]) < 1e-38 for v in entry["checks"])
    assert states[0][-1] == pytest.approx(float(entry["level"]), abs=1e-15)
    assert float(entry["velocity"][-1]) > 0.0
    speeds = []
    for x, z in zip(states, adjoints):
        f = rule(x)
        speeds.append(np.linalg.norm(f))
        assert z @ f == pytest.approx(1.0, rel=1e-10)
        assert np.linalg.norm(f) * np.linalg.norm(z) <= float(entry["sensitivity_range"][1]) * (1 + 1e-10)
    slowest, fastest = _numbers(entry["speed_range"])
    assert slowest * (1 - 1e-9) <= min(speeds) and max(speeds) <= fastest * (1 + 1e-9)
    if "reference_values" in entry:
        assert float(entry["reference_values"]["differs_by"]) < 1e-21


@pytest.mark.parametrize("entry", MAPS)
def test_periodic_orbits_of_maps(entry):
    """Every point's image is the next one, and the product of the Jacobians has the multipliers."""
    rule, orbit = _rule(entry), _numbers(entry["orbit"])
    product = np.eye(orbit.shape[1])
    for x, following in zip(orbit, np.roll(orbit, -1, axis=0)):
        np.testing.assert_allclose(rule(x), following, rtol=0, atol=1e-14)
        product = naive.jacobian(rule, x) @ product
    wanted = np.array([complex(float(a), float(b)) for a, b in entry["multiplier"]])
    found = np.linalg.eigvals(product)
    np.testing.assert_allclose(abs(found).max(), abs(wanted).max(), rtol=1e-10)
    np.testing.assert_allclose(np.trace(product), wanted.sum().real, rtol=1e-10)
    logarithms = _numbers(entry["log_abs_multiplier"])
    volume = sum(np.linalg.slogdet(naive.jacobian(rule, x))[1] for x in orbit)
    np.testing.assert_allclose(logarithms.sum(), volume, rtol=1e-10)
    np.testing.assert_allclose(np.exp(logarithms), abs(wanted), rtol=1e-10)


@pytest.mark.parametrize("cycle", AUTO["cycles"], ids=lambda c: f"{c['system']}({','.join(c['parameters'].values())})")
def test_stored_values_of_auto07p(cycle):
    """Collocation by AUTO-07p: periods to 1e-7 of themselves, multipliers to 1e-7 (its rounding hides smaller ones)."""
    [entry] = [
        e
        for e in VALUES["flows"]
        if e["api"]["constructor"] == cycle["system"] and e["parameters"] == cycle["parameters"]
    ]
    assert cycle["period"] == pytest.approx(float(entry["period"]), rel=1e-7)
    assert cycle["multiplier"] == pytest.approx(float(entry["multiplier"][0]), abs=1e-7)
    assert cycle["trivial_multiplier"] == pytest.approx(1.0, abs=1e-7)
