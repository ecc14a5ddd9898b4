"""Attractors of systems whose attractors are known."""

import labelled_systems
import numpy as np
import pytest

import lyapkit as lk
from lyapkit.flags import ATTRACTOR_KIND

NAMES = {code: name for name, code in ATTRACTOR_KIND.items()}


def kinds(ds):
    """(kind, dimension, dimension of the family) of each attractor, sorted."""
    columns = ds.attractor_kind, ds.attractor_dimension, ds.family_dimension
    return sorted((NAMES[int(a)], int(b), int(c)) for a, b, c in zip(*columns, strict=True))


@pytest.mark.parametrize("name", labelled_systems.CASES)
def test_kinds(name):
    make, expected, keywords = labelled_systems.CASES[name]
    ds = lk.attractors(make(), n_starts=60, **keywords)
    assert kinds(ds) == sorted(expected)
    np.testing.assert_allclose(ds.basin_share.sum() + ds.diverging_share + ds.undecided_share, 1.0)
    assert ds.undecided_share <= 0.05
