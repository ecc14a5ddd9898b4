"""Published and independently computed exponents: every entry of reference_values.json holds."""

import json
import math
import pathlib

import numpy as np
import pytest

import lyapkit as lk

REFERENCE = json.loads((pathlib.Path(__file__).parent / "reference_values.json").read_text())
CHAOTIC = ("lorenz63", "rossler", "henon", "logistic", "ikeda", "standard_map", "lorenz96")
NEAR_SNIC = math.pi / 21  # theta where alpha = 1.5 has its fold at 0.1478

# Regular orbits: the step of rk8 leaves an error of order dt^8, the weighted mean one that falls faster than any
# power of the duration. With these keywords both are below 1e-10, as halving dt and doubling the duration showed.
FLOW = {"method": "rk8", "dt": 0.05, "duration": 2000}
REGULAR = {"van_der_pol": FLOW | {"dt": 0.01}, "brusselator": FLOW | {"dt": 0.01}}
MAP = {"duration": 200_000}
TOLERANCE = 1e-10

# Chaotic orbits: so long that four standard errors stay below 0.02 (0.2 for the many of lorenz96).
LONG = {
    "lorenz63": {"duration": 10_000},
    "rossler": {"duration": 20_000},
    "henon": {"duration": 1_000_000},
    "logistic": {"duration": 1_000_000},
    "ikeda": {"duration": 1_000_000},
    "standard_map": {"duration": 1_000_000},
    "lorenz96": {"duration": 1000},
}
STICKY = {"k": 1.0}  # the standard map's chaotic sea beside its islands; from near its saddle (0, 0)


def _system(entry):
    return getattr(lk.systems, entry["api"]["constructor"])(**entry["api"]["arguments"])


def _label(entry):
    arguments = (f"{k}={v:.4g}" for k, v in entry["api"]["arguments"].items())
    return f"{entry['api']['constructor']}({','.join(arguments)})"


def _entries(chaotic):
    entries = REFERENCE["lyapunov_exponents"]
    chosen = [e for e in entries if (e["api"]["constructor"] in CHAOTIC) == chaotic]
    return [pytest.param(e, id=_label(e)) for e in chosen]


def _regular_keywords(entry):
    system = _system(entry)
    if system.kind == "map":
        return MAP
    if math.isclose(system.parameters.get("theta", 0.0), NEAR_SNIC):
        return FLOW | {"transient": 1000, "duration": 40 * 311.8}  # periods of 311.8
    return REGULAR.get(system.name, FLOW)


@pytest.mark.parametrize("entry", _entries(chaotic=False))
def test_regular(entry):
    """Cycles, tori, locked maps, nodes: absolute error below 1e-10 and the entry's own tolerance."""
    ds = lk.lyapunov_spectrum(_system(entry), estimator="birkhoff", **_regular_keywords(entry))
    wanted = np.array(entry["value_str"], dtype=float)
    np.testing.assert_allclose(ds.lyapunov_exponent, wanted, rtol=0, atol=TOLERANCE + entry["tolerance"])
    # what the result says of its own error: never more than a hundredth of the tolerance of the issue
    assert ds.lyapunov_exponent_stderr.max() < 1e-8
    assert ds.status == 0


@pytest.mark.parametrize("entry", _entries(chaotic=True))
def test_chaotic(entry):
    """Within four standard errors and the digits of the reference (its tolerance)."""
    system = _system(entry)
    sticky = system.parameters == STICKY
    start = {"initial_state": [0.01, 0.0]} if sticky else {}
    ds = lk.lyapunov_spectrum(system, **LONG[system.name], **start)
    error = ds.lyapunov_exponent_stderr.values
    wrong = abs(ds.lyapunov_exponent.values - np.array(entry["value_str"], dtype=float))
    assert (wrong <= 4.0 * error + entry["tolerance"]).all(), (wrong, error)
    assert ds.status == 0
    assert sticky or (4.0 * error < (0.2 if system.dimension > 3 else 0.02)).all()


def test_auto_is_as_good_on_regular_orbits():
    """estimator="auto" finds the weighted mean by itself: most of its errors are below 1e-8."""
    for entry in REFERENCE["lyapunov_exponents"]:
        system = _system(entry) if entry["api"]["constructor"] == "rotation_map" else None
        if system is not None:
            ds = lk.lyapunov_spectrum(system, **MAP)
            assert ds.estimator == 1, system
            wanted = np.array(entry["value_str"], dtype=float)
            np.testing.assert_allclose(ds.lyapunov_exponent, wanted, rtol=0, atol=1e-10)


def test_lorenz96_dimension_and_sign_count():
    """13 positive exponents and a Kaplan-Yorke dimension of 27.0 (the entry's own ensemble).

    At T = 400 an exponent errs by 0.04, as much as lie between the 13th and the 14th, the dimension by 0.2.
    """
    ds = lk.lyapunov_spectrum(lk.systems.lorenz96(), duration=400)
    assert 12 <= int((ds.lyapunov_exponent > 0.02).sum()) <= 14
    assert abs(float(ds.kaplan_yorke_dimension) - 27.0) < 0.6


def _fold(alpha):
    """theta_SN as the model itself knows it."""
    ranges = {"alpha": (0.5, alpha, 2), "theta": (0.0, math.pi / 2, 2)}
    curve = lk.systems.rotation_flow.model.curves(ranges, {})["SNIC"]
    assert curve["alpha"][-1] == alpha
    return curve["theta"][-1]


@pytest.mark.parametrize("entry", REFERENCE["theta_SN"], ids=_label)
def test_fold_angle(entry):
    assert abs(_fold(entry["api"]["arguments"]["alpha"]) - float(entry["value_str"])) < 1e-10


@pytest.mark.parametrize("entry", REFERENCE["theta_SN"][2:6], ids=_label)
def test_zero_exponent_begins_at_the_fold(entry):
    """A cycle (first exponent 0) just above theta_SN, a node (both negative) just below it.

    The passage time of the fold grows as the inverse square root of the distance, some 50 at 0.01.
    """
    alpha, fold = entry["api"]["arguments"]["alpha"], float(entry["value_str"])
    first = [
        float(
            lk.lyapunov_spectrum(
                lk.systems.rotation_flow(alpha=alpha, theta=fold + distance),
                method="rk8", transient=500, duration=10_000, dt=0.1, estimator="birkhoff",
            ).lyapunov_exponent[0]
        )
        for distance in (-0.01, 0.01)
    ]  # fmt: skip
    assert first[0] < -0.01
    assert abs(first[1]) < 1e-8


@pytest.mark.parametrize("entry", REFERENCE["large_gain_limit"], ids=_label)
def test_large_gain_limit(entry):
    """alpha -> infinity: lambda_2 -> -1 and so ln(multiplier) -> -T; the deviation is c / alpha + O(1/alpha^2)."""
    gains = (200.0, 400.0)
    second = []
    for alpha in gains:
        system = lk.systems.rotation_flow(alpha=alpha, **entry["api"]["arguments"])
        keywords = {"dt": 0.5 / alpha, "duration": 200, "transient": 20, "estimator": "birkhoff"}
        ds = lk.lyapunov_spectrum(system, method="rk8", **keywords)
        assert abs(float(ds.lyapunov_exponent[0])) < 1e-8
        second.append(float(ds.lyapunov_exponent[1]))
    period, limit, multiplier = map(float, entry["value_str"])
    extrapolated = 2.0 * second[1] - second[0]
    assert abs(extrapolated - limit) < 4.0 / gains[-1] ** 2
    assert abs(math.exp(extrapolated * period) - multiplier) < 4.0 * period / gains[-1] ** 2


@pytest.mark.parametrize("name", ["rotation_flow", "rotation_gru_flow"])
def test_hopf_curve(name):
    """On the model's Hopf curve both exponents of the origin vanish: no growth to first order."""
    _both_vanish_at_the_origin(getattr(lk.systems, name), "Hopf", {})


@pytest.mark.parametrize("h", [0.1, 0.5, 1.0])
def test_neimark_sacker_curve_of_the_euler_map(h):
    _both_vanish_at_the_origin(lk.systems.rotation_euler, "Neimark-Sacker", {"h": h})


@pytest.mark.parametrize("name", ["rotation_map", "rotation_gru_map", "rotation_literal_map"])
def test_neimark_sacker_curve(name):
    _both_vanish_at_the_origin(getattr(lk.systems, name), "Neimark-Sacker", {})


def _both_vanish_at_the_origin(constructor, label, parameters):
    model = constructor.model
    curve = model.curves(dict(model.ranges), {**model.defaults, **parameters})[label]
    count = len(curve["alpha"])
    assert count > 100
    for i in (count // 5, count // 2, count - 20):
        system = constructor(alpha=curve["alpha"][i], theta=curve["theta"][i], **parameters)
        ds = lk.lyapunov_spectrum(
            system, initial_state=[0.0, 0.0], transient=0, estimator="birkhoff",
            **({"method": "rk8", "dt": 0.05} if system.kind == "flow" else {}),
        )  # fmt: skip
        # the frame turns at a constant rate: the weighted mean of its growth is exact to rounding and 1e-10
        np.testing.assert_allclose(ds.lyapunov_exponent, 0.0, atol=1e-9)
