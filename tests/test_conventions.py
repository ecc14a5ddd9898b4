"""Conventions of normal-form coefficients: there and back, and the closed forms of the plane."""

import math

import pytest
from test_normal_forms import ORIGIN, at

import lyapkit as lk
from lyapkit.analyses.bifurcations import normal_forms as nf


def test_conventions_of_hopf():
    """There and back; Kuznetsov's divides by omega; amplitude halves."""
    names = ("unit_eigenvector", "kuznetsov", "matcont", "amplitude")
    for given in names:
        for wanted in names:
            there = lk.convert_coefficient(-0.7, frequency=2.5, given=given, wanted=wanted)
            assert lk.convert_coefficient(there, frequency=2.5, given=wanted, wanted=given) == pytest.approx(-0.7)
    assert lk.convert_coefficient(-0.7, frequency=2.5) == pytest.approx(-0.28)
    curve = lk.convert_coefficient([-0.7, -1.0], frequency=[2.5, 0.0])
    assert curve.tolist() == [pytest.approx(-0.28), -math.inf]
    assert lk.convert_coefficient(-0.7, "period_doubling", wanted="amplitude") == -0.7
    assert lk.convert_coefficient(-0.5, "neimark_sacker", wanted="amplitude") == -0.25


def test_amplitude_is_the_law_of_the_radius():
    """a = -alpha^2 / 4 in r' = mu r + a r^3 on the plane."""
    alpha, theta = 1 / math.cos(0.8), 0.8
    found = nf.hopf(*at(lk.systems.rotation_flow(alpha, theta), ORIGIN))
    assert lk.convert_coefficient(found.coefficient, wanted="amplitude") == pytest.approx(-(alpha**2) / 4, rel=1e-13)


def test_misuse_of_conventions():
    for words, keywords in (
        ("kind: given 'bautin'", {"kind": "bautin"}),
        ("wanted: given 'auto'", {"wanted": "auto"}),
        ("frequency: not given", {}),
        ("frequency: given for fold", {"kind": "fold", "frequency": 1.0}),
        ("frequency: given -1,", {"frequency": -1.0}),
    ):
        with pytest.raises(ValueError, match=words):
            lk.convert_coefficient(1.0, **keywords)
    with pytest.raises(TypeError, match="value: given 'a'"):
        lk.convert_coefficient("a", frequency=1.0)
