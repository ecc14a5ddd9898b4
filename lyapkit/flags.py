"""Codes of flag variables in results, as CF flag_values and flag_meanings name them."""

STATUS = {
    "not_computed": -1,
    "ok": 0,
    "diverged": 1,
    "collapsed": 2,
    "not_converged": 3,
    "ill_conditioned": 4,
    "fixed_point": 5,
    "aperiodic": 6,
    "not_isolated": 7,
    "no_rotation": 8,
    "not_a_torus": 9,
    "section_missed": 10,
    "too_many": 11,
    "step_too_small": 12,
    "no_bifurcation": 13,
    "unreadable": 14,
}
REMEDY = {
    "not_computed": "the scan was stopped before this point; run it again",
    "diverged": "the state left the finite numbers; start elsewhere, or take a smaller dt",
    "collapsed": "the tangent map is singular, to rounding, on the orbit; an exponent is -inf",
    "ill_conditioned": "one step contracts by more than 15 digits; ask for fewer n_exponents, trailing ones are lost",
    "step_too_small": "the step fell below what the time resolves: the orbit blows up, or loosen rtol and atol",
    "not_converged": "the accuracy asked for was not reached; raise duration, or give a better guess",
    "fixed_point": "the orbit comes to rest at a fixed point (see fixed_points); start elsewhere",
    "aperiodic": "the orbit does not close: chaos, a torus or a very long transient; raise duration, or give a guess",
    "not_isolated": "one of a family of cycles, or too weakly attracting to tell; the start may decide on its period",
    "section_missed": "the cycle does not cross the section; give another one",
    "no_rotation": "turns cannot be counted: the orbit meets the centre or jumps by every angle; give another centre",
    "not_a_torus": "the spectrum is broad or has too many frequencies: chaos, or too short a duration or transient",
    "no_bifurcation": "no bifurcation of this kind was found; widen the bounds, or give a start",
    "unreadable": "the file holds no network that load_network takes; see the attribute unreadable for the reasons",
    "too_many": "more were found than there is room for; raise most_points (of attractors, most_attractors)",
}
SIGN = {"negative": -1, "zero": 0, "positive": 1, "undecided": 2}
ESTIMATOR = {"mean": 0, "birkhoff": 1}
LOCKED = {"no": 0, "yes": 1}
STABLE = {"absent": -2, "unstable": -1, "undecided": 0, "stable": 1}
COMPLETE = {"searched": 0, "proved": 1, "followed": 2}
POINT_KIND = {"fixed_point": 0, "slow_point": 1, "absent": 2}
BOX_SOURCE = {"given": 0, "model": 1, "orbit": 2}
DIRECTION = {"up": 0, "down": 1}
CURVE_KIND = {"hopf": 0, "fold": 1, "neimark_sacker": 2, "period_doubling": 3}
CURVE_SOURCE = {"computed": 0, "closed_form": 1}
SIDE = {"below": 0, "above": 1}
# a flow, its Euler map, and what becomes of the one in the other
FLOW_REGIME = {"rest": 0, "cycle": 1, "chaotic": 2, "unknown": 3}
MAP_REGIME = {"rest": 0, "circle": 1, "locked": 2, "chaotic": 3, "diverged": 4, "undecided": 5}
OUTCOME = {
    "both_rest": 0,
    "both_cycle": 1,
    "both_chaotic": 2,
    "locked": 3,
    "cycle_lost": 4,
    "cycle_made_by_the_step": 5,
    "chaos_made_by_the_step": 6,
    "chaos_lost": 7,
    "diverged": 8,
    "undecided": 9,
}
SAFE_H_SOURCE = {"eigenvalue": 0, "bisection": 1, "above_grid": 2, "below_grid": 3, "none": 4}
# points of codimension two on curves of bifurcations
CODIMENSION_TWO = {
    "none": 0,
    "cusp": 1,
    "bogdanov_takens": 2,
    "bautin": 3,
    "zero_hopf": 4,
    "hopf_hopf": 5,
    "resonance_1_1": 6,
    "resonance_1_2": 7,
    "resonance_1_3": 8,
    "resonance_1_4": 9,
    "chenciner": 10,
    "generalised_period_doubling": 11,
    "fold_flip": 12,
    "fold_neimark_sacker": 13,
    "flip_neimark_sacker": 14,
    "double_neimark_sacker": 15,
}
CRITICALITY = {"supercritical": -1, "undecided": 0, "subcritical": 1, "none": 2}
DEGENERATE = {"no": 0, "yes": 1}
# why a branch or a curve ends
END = {
    "not_followed": -1,
    "bound": 0,
    "closed": 1,
    "most_points": 2,
    "stalled": 3,
    "not_finite": 4,
    "double_zero": 5,
    "period_diverges": 6,
    "no_cycle": 7,
    "other_branch": 8,
    "unbounded": 9,
}

# what orbits do in the long run; coexistence: attractors of different kinds
REGIME = {
    "fixed_point": 0,
    "limit_cycle": 1,
    "quasi_periodic": 2,
    "locked": 3,
    "chaotic": 4,
    "coexistence": 5,
    "diverging": 6,
    "undecided": 7,
}
BRANCH_KIND = {"equilibrium": 0, "cycle": 1}
SPECIAL_KIND = {"hopf": 0, "fold": 1, "branch_point": 2, "period_doubling": 3, "neimark_sacker": 4}
PERIOD_LAW = {"none": 0, "saddle_node_circle": 1, "homoclinic": 2}
# attractors; continuous_family: moves, and has zeros that do not move besides
ATTRACTOR_KIND = {
    "absent": -1,
    "fixed_point": 0,
    "limit_cycle": 1,
    "torus": 2,
    "continuous_attractor": 3,
    "continuous_family": 4,
    "chaos": 5,
    "diverging": 6,
    "undecided": 7,
}
# what becomes of a gradient in a range of floating-point numbers
GRADIENT_END = {"vanishes": -1, "stays": 0, "explodes": 1, "undecided": 2}
# whether a trained network moves without being driven
OSCILLATES = {"no": 0, "yes": 1, "undecided": 2}
# what becomes of a signal, or a gradient, over long delays
SIGNAL = {"vanishes": -1, "persists": 0, "explodes": 1, "undecided": 2}
