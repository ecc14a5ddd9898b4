"""Points of codimension two on curves of bifurcations: their names, from the test functions that vanish there."""

import numpy as np

from lyapkit.analyses.bifurcations import normal_forms
from lyapkit.flags import CODIMENSION_TWO

# kind of curve -> test function (see `curve_problems`) -> what its zero is; where several vanish the first one counts
_NAMES = {
    ("flow", "fold"): {
        "double": "bogdanov_takens", "real": "bogdanov_takens", "pair": "zero_hopf", "coefficient": "cusp",
    },
    ("flow", "hopf"): {
        "double": "bogdanov_takens", "turn": "bogdanov_takens", "real": "zero_hopf", "pair": "hopf_hopf",
        "coefficient": "bautin",
    },
    ("map", "fold"): {
        "double": "resonance_1_1", "real": "resonance_1_1", "minus": "fold_flip", "pair": "fold_neimark_sacker",
        "coefficient": "cusp",
    },
    ("map", "neimark_sacker"): {
        "one": "resonance_1_1", "two": "resonance_1_2", "turn": None, "three": "resonance_1_3",
        "four": "resonance_1_4", "real": "fold_neimark_sacker", "minus": "flip_neimark_sacker",
        "pair": "double_neimark_sacker", "coefficient": "chenciner",
    },
    ("map", "period_doubling"): {
        "double": "resonance_1_2", "real": "fold_flip", "minus": "resonance_1_2", "pair": "flip_neimark_sacker",
        "coefficient": "generalised_period_doubling",
    },
}  # fmt: skip
_NEUTRAL = 1e-6  # singular values below this belong to neutral directions
_FORMS = {"bogdanov_takens", "cusp", "resonance_1_1", "resonance_1_2", "resonance_1_3", "resonance_1_4"}


def classified(curve, point):
    """(code of flags.CODIMENSION_TWO, whether it is degenerate) of a point of a curve."""
    names = _NAMES["map" if curve.is_map else "flow", curve.kind]
    vanishing = [name for name in names if name in point.special]
    if not vanishing:
        return CODIMENSION_TWO["none"], False
    name = names[vanishing[0]]
    if curve.kind == "fold" and ends_here(curve, point):
        return CODIMENSION_TWO["resonance_1_1" if curve.is_map else "bogdanov_takens"], True
    if name is None:  # the pair's block is 1 or -1
        name = "resonance_1_1" if point.tests["one"] > -2.0 else "resonance_1_2"
    if "turn" in vanishing:
        return CODIMENSION_TWO[name], True
    if name not in _FORMS:
        return CODIMENSION_TWO[name], False
    return CODIMENSION_TWO[name], bool(normal_forms.FORMS[name](curve.jets, *curve.split(point.u)).degenerate)


def ends_here(curve, point):
    """Whether a curve of folds or Hopf points ends here, as a second direction is neutral, or a pair not turning.

    No unfolding of a single direction or of a turning pair applies; beyond is the curve of another equilibrium, or of
    the pair that turns the other way.
    """
    if curve.kind == "hopf":
        return "turn" in point.special
    if curve.kind != "fold":
        return False
    residual = curve.equations(point.u)[1][: curve.n, : curve.n]
    sizes = np.linalg.svd(residual, compute_uv=False)
    return bool((sizes <= _NEUTRAL * max(1.0, sizes[0])).sum() > 1)
