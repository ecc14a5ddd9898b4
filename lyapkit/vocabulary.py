"""The vocabulary of results: long names and units of all variables and coordinates, their types and flags."""

import numpy as np

from lyapkit import flags

# variable -> (long name, units), {rate} and {step} standing for the words of a flow or a map
_WORDS = {
    "state": ("state", "1"),
    "lyapunov_exponent": ("Lyapunov exponent", "nats per {step}"),
    "lyapunov_exponent_stderr": ("standard error of the Lyapunov exponent", "nats per {step}"),
    "lyapunov_sign": ("sign of the Lyapunov exponent", "1"),
    "mean_divergence": ("mean {volume}, the sum of all exponents", "nats per {step}"),
    "exponent_sum_error": ("sum of the exponents minus the mean {volume}", "nats per {step}"),
    "frame_orthogonality": ("largest entry of Q'Q - 1 of the final tangent frame", "1"),
    "frame_condition": ("worst condition of the tangent frame", "1"),
    "kaplan_yorke_dimension": ("Kaplan-Yorke dimension", "1"),
    "kaplan_yorke_dimension_stderr": ("bound on the standard error of the Kaplan-Yorke dimension", "1"),
    "entropy_rate_stderr": ("bound on the standard error of the entropy rate", "nats per {step}"),
    "entropy_rate": ("sum of the positive Lyapunov exponents", "nats per {step}"),
    "averaging_duration": ("duration averaged over", "{steps}"),
    "estimator": ("estimator of the mean growth rates", "1"),
    "running_exponent": ("mean growth rate up to this time", "nats per {step}"),
    "covariant_vector": ("covariant Lyapunov vector", "1"),
    "finite_time_exponent": ("growth rate of the covariant vector until the next sample", "nats per {step}"),
    "angle": ("angle between covariant vectors", "rad"),
    "other_mode": ("number of the other exponent, 1 = largest", "1"),
    "period": ("period", "{steps}"),
    "frequency": ("frequency", "turns per {step}"),
    "floquet_multiplier": ("Floquet multiplier", "1"),
    "floquet_exponent": ("Floquet exponent", "nats per {step}"),
    "log_abs_multiplier": ("ln |Floquet multiplier|", "nats"),
    "trivial_mode": ("mode of the flow's direction, 0: none", "1"),
    "trivial_error": ("distance of the trivial multiplier from 1", "1"),
    "liouville_error": ("ln of the multipliers' product minus the {total}", "nats"),
    "residual": ("mismatch of the closed orbit relative to its size", "1"),
    "velocity": ("velocity", "state units per time unit"),
    "adjoint": ("phase gradient Z", "time units per state unit"),
    "gradient_swing": ("largest over smallest |f(x(t))| |Z(x(0))| in time", "1"),
    "period_derivative": ("derivative of the period", "{steps} per unit of the parameter"),
    "section_level": ("level of the section of phase 0", "1"),
    "mesh_error": ("relative change when the steps were doubled last", "1"),
    "phase": ("{phase}", "{phases}"),
    "parameter": ("parameter", "1"),
    "rotation_number": ("rotation number", "turns per {step}"),
    "rotation_number_stderr": ("standard error of the rotation number", "turns per {step}"),
    "locked": ("whether a periodic orbit attracts the orbit", "1"),
    "locking_p": ("turns p of the locked orbit, in lowest terms; 0 / 0: not locked", "turns"),
    "locking_q": ("{steps} q for p turns of the locked orbit; 0: not locked", "{steps}"),
    "orbit_period": ("period of the locked orbit; 0: not locked", "{steps}"),
    "circle_mode": ("Fourier mode of the invariant circle", "1"),
    "circle_residual": ("largest distance of the orbit from the sum of the Fourier modes", "1"),
    "harmonic": ("harmonic of the rotation number", "1"),
    "frequency_stderr": ("standard error of the frequency", "turns per {step}"),
    "amplitude": ("amplitude of the lines of this tone alone", "1"),
    "n_frequencies": ("number of independent frequencies, the dimension of the torus", "1"),
    "line_frequency": ("frequency of the spectral line", "turns per {step}"),
    "line_frequency_stderr": ("standard error of the line's frequency", "turns per {step}"),
    "line_amplitude": ("amplitude of the spectral line", "1"),
    "line_order": ("multiple of the tone that the line holds", "1"),
    "line_clock": ("multiple of 1 / clock_parts that the line of a map holds", "1"),
    "clock_parts": ("iterates in which the locked part of a map's motion closes", "1"),
    "n_lines": ("number of spectral lines found", "1"),
    "unexplained_share": ("share of the variance that the lines leave", "1"),
    "tone": ("number of the independent frequency, 1 = loudest", "1"),
    "line": ("number of the spectral line, 1 = strongest", "1"),
    "eigenvalue": ("eigenvalue of the Jacobian", "{rate}"),
    "stable": ("stability", "1"),
    "speed": ("speed |{residual}|", "1 per {step}"),
    "point_kind": ("fixed point or slow point", "1"),
    "n_fixed_points": ("number of fixed points", "1"),
    "n_stable": ("number of stable fixed points", "1"),
    "leading_eigenvalue": ("leading eigenvalue of the fixed point nearest to the orbit", "{rate}"),
    "growth_rate": ("{growth} of the leading eigenvalue", "1 per {step}"),
    "regime": ("regime", "1"),
    "orbit_regime": ("regime of the orbit of the initial state", "1"),
    "curve_point": ("number of the point among those of all curves", "1"),
    "curve_frequency": ("angular frequency", "rad per {step}"),
    "curve_coefficient": ("normal-form coefficient for an eigenvector of norm 1", "{rate}"),
    "curve_codimension_two": ("point of codimension two", "1"),
    "n_zeros": ("number of zero exponents", "1"),
    "cycle_status": ("outcome of the search of the cycle", "1"),
    "largest_multiplier": ("ln |largest nontrivial multiplier|", "nats"),
    "complete": ("whether these are proved to be all fixed points of the box", "1"),
    "box_low": ("lower end of the box", "1"),
    "box_high": ("upper end of the box", "1"),
    "box_source": ("where the box comes from", "1"),
    "point": ("number of the point", "1"),
    "normal_form_coefficient": ("normal-form coefficient for an eigenvector of norm 1", "{rate}"),
    "criticality": ("whether what branches off is stable", "1"),
    "codimension_two": ("point of codimension two", "1"),
    "degenerate": ("whether the point's own unfolding is degenerate", "1"),
    "curve_number": ("number of the curve", "1"),
    "curve": ("number of the curve", "1"),
    "end": ("end of the curve, 0: first point, 1: last point", "1"),
    "end_reason": ("why the curve ends", "1"),
    "direction": ("direction of the sweep", "1"),
    "curve_kind": ("bifurcation on the curve", "1"),
    "curve_source": ("where the curve comes from", "1"),
    "locked_share": ("share of the turning points of the grid that are locked", "1"),
    "locked_share_of_q": ("share of the turning points of the grid that are locked at p / q", "1"),
    "q": ("{steps} for p turns", "{steps}"),
    "border_number": ("number of the border", "1"),
    "border_p": ("turns p of the tongue", "turns"),
    "border_q": ("{steps} q of the tongue", "{steps}"),
    "border_side": ("side of the tongue along the second parameter", "1"),
    "border_end": ("why the border ends", "1"),
    "border_state": ("a point of the cycle on the border", "1"),
    "outcome": ("Euler map against flow", "1"),
    "flow_regime": ("what the flow settles on", "1"),
    "map_regime": ("what the Euler map settles on", "1"),
    "flow_period": ("period of the flow's cycle", "time units"),
    "flow_exponent": ("Lyapunov exponent of the flow", "nats per time unit"),
    "map_exponent": ("Lyapunov exponent of the Euler map", "nats per time unit"),
    "frequency_bias": ("frequency of the Euler map over that of the flow, less 1", "1"),
    "largest_safe_h": ("largest step up to which the Euler map agrees with the flow", "time units"),
    "safe_h_source": ("how the largest safe step was found", "1"),
    "lowest": ("lowest value over the orbit", "1"),
    "highest": ("highest value over the orbit", "1"),
    "branch_number": ("number of the branch", "1"),
    "branch": ("number of the branch", "1"),
    "branch_kind": ("equilibria or cycles", "1"),
    "parent": ("number of the branch that this one was born on; 0: none", "1"),
    "special": ("number of the special point", "1"),
    "special_kind": ("kind of the special point", "1"),
    "special_state": ("state at the special point", "1"),
    "special_branch": ("number of the branch that the special point lies on", "1"),
    "special_period": ("period at the special point", "{steps}"),
    "special_frequency": ("angular frequency of the critical pair", "rad per {step} or period"),
    "special_coefficient": ("normal-form coefficient for an eigenvector of norm 1", "{rate}"),
    "period_law": ("how the period diverges", "1"),
    "period_law_parameter": ("parameter at which the period diverges", "1"),
    "period_law_exponent": ("exponent of T ~ |p - p0|^exponent", "1"),
    "period_law_rate": ("lambda of T ~ -ln |p - p0| / lambda", "1 per {step}"),
    "delay": ("delay since t0, the end of the transient", "{steps}"),
    "log_singular_value": ("ln of the singular value of dx(t0 + d)/dx(t0)", "nats"),
    "finite_time_growth_rate": ("ln of the singular value over the delay", "nats per {step}"),
    "sensitivity_log_norm": ("ln |dx(t0 + d)/dx(t0)|", "nats"),
    "non_normal_growth": ("ln |dx(t0 + d)/dx(t0)| less the largest exponent times the delay", "nats"),
    "dtype": ("kind of floating-point number", "1"),
    "horizon": ("delay until the gradient leaves the range", "{steps}"),
    "asymptotic_horizon": ("delay until the gradient leaves the range, by the largest exponent", "{steps}"),
    "gradient_end": ("what becomes of the gradient", "1"),
    "directions_inside": ("singular values of dx(t0 + d)/dx(t0) inside the range", "1"),
    "sample": ("number of the sample", "1"),
    "duration_needed": ("duration to average over for a verdict on the sign", "{steps}"),
    "n_zeros_confidence": ("lower bound of the confidence in the number of zero exponents", "1"),
    "flow_direction_exponent": ("growth rate of the velocity", "nats per {step}"),
    "flow_direction_mode": ("mode of the flow's own direction; 0: none", "1"),
    "status": ("outcome", "1"),
    "time": ("time since the end of the transient", "{steps}"),
    # block_diagonal_weights
    "weight": ("weight", "1"),
    "input_unit": ("unit that the weight acts on", "1"),
    "block": ("number of the block of two units", "1"),
    "multiplier": ("factor by which distances from the cycle shrink in one {turn}", "1"),
    "distance_to_hopf": ("distance to the Hopf curve in the plane of gain and angle", "1"),
    "distance_to_snic": ("distance to the SNIC curve, the fold of fixed points, in the plane of gain and angle", "1"),
    "attempts": ("candidates until one passed its certificate", "1"),
    "share_accepted": ("blocks over candidates", "1"),
    "unit": ("unit of the state", "1"),
    "mode": ("number of the exponent, 1 = largest", "1"),
    # perturbation
    "distance": ("distance of the perturbed orbit", "1"),
    "log_distance": ("ln of the distance of the perturbed orbit", "nats"),
    "tangent_log_norm": ("ln of the length of the tangent vector", "nats"),
    "log_ratio": ("ln of the distance less that of the tangent vector", "nats"),
    "phase_shift": ("phase shift of the perturbed orbit", "time units"),
    "asymptotic_phase_shift": ("phase shift in the end", "time units"),
    "predicted_phase_shift": ("phase shift Z . delta of a small perturbation", "time units"),
    "cycle_distance": ("distance of the perturbed orbit from the cycle", "1"),
    "amplitude_decay_rate": ("rate at which the distance from the cycle decays", "nats per {step}"),
    "size": ("size of the perturbation", "1"),
    "finite_size_exponent": ("mean growth rate of errors of this size", "nats per {step}"),
    "finite_size_exponent_stderr": ("standard error of the finite-size exponent", "nats per {step}"),
}
_FLOW = {
    "step": "time unit", "steps": "time units", "volume": "divergence", "rate": "1 per time unit", "residual": "f(x)",
    "phase": "phase t / T", "phases": "turns", "total": "integral of the divergence",
    "growth": "real part", "turn": "period",
}  # fmt: skip
_MAP = {
    "step": "iterate", "steps": "iterates", "volume": "ln |det Df|", "rate": "1", "residual": "f(x) - x",
    "phase": "iterate", "phases": "1", "total": "sum of ln |det Df|",
    "growth": "ln of the modulus", "turn": "iterate",
}  # fmt: skip
_FLAGS = {
    "status": flags.STATUS, "lyapunov_sign": flags.SIGN, "estimator": flags.ESTIMATOR, "stable": flags.STABLE,
    "locked": flags.LOCKED, "complete": flags.COMPLETE, "point_kind": flags.POINT_KIND,
    "box_source": flags.BOX_SOURCE, "direction": flags.DIRECTION, "curve_kind": flags.CURVE_KIND,
    "curve_source": flags.CURVE_SOURCE, "outcome": flags.OUTCOME, "flow_regime": flags.FLOW_REGIME,
    "map_regime": flags.MAP_REGIME, "safe_h_source": flags.SAFE_H_SOURCE, "border_side": flags.SIDE,
    "border_end": flags.END, "criticality": flags.CRITICALITY, "codimension_two": flags.CODIMENSION_TWO,
    "degenerate": flags.DEGENERATE, "end_reason": flags.END, "regime": flags.REGIME, "orbit_regime": flags.REGIME,
    "curve_codimension_two": flags.CODIMENSION_TWO, "cycle_status": flags.STATUS, "branch_kind": flags.BRANCH_KIND,
    "special_kind": flags.SPECIAL_KIND, "period_law": flags.PERIOD_LAW,
    "gradient_end": flags.GRADIENT_END,
}  # fmt: skip
# what a point that was not computed holds
_EMPTY = dict.fromkeys(_FLAGS, 0) | {
    "status": flags.STATUS["not_computed"], "cycle_status": flags.STATUS["not_computed"],
    "lyapunov_sign": flags.SIGN["undecided"], "stable": flags.STABLE["absent"],
    "point_kind": flags.POINT_KIND["absent"], "regime": flags.REGIME["undecided"],
    "orbit_regime": flags.REGIME["undecided"], "gradient_end": flags.GRADIENT_END["undecided"],
}  # fmt: skip
# variables that are not real numbers, and their types
_WHOLE = (
    "trivial_mode", "locking_p", "locking_q", "orbit_period", "n_frequencies", "line_order", "line_clock",
    "clock_parts", "n_lines", "n_fixed_points", "curve_number", "n_stable", "n_zeros",
    "branch_number", "special_branch", "parent", "flow_direction_mode", "directions_inside", "attempts",
)  # fmt: skip
_COMPLEX = ("floquet_multiplier", "floquet_exponent", "circle_mode", "eigenvalue", "leading_eigenvalue")
_TYPES = dict.fromkeys(_WHOLE, np.int64) | dict.fromkeys(_COMPLEX, np.complex128)


def describe(name, kind):
    """The attributes (long_name, units, flags) of the variable `name` of a flow or a map."""
    words = _FLOW if kind == "flow" else _MAP
    if name not in _WORDS:
        return {"long_name": name, "units": "rad" if name == "theta" else "1"}
    long_name, units = (text.format(**words) for text in _WORDS[name])
    attrs = {"long_name": long_name, "units": units}
    if name in _FLAGS:
        attrs["flag_values"] = np.array(list(_FLAGS[name].values()), dtype=np.int8)
        attrs["flag_meanings"] = " ".join(_FLAGS[name])
    return attrs


def empty(name, shape):
    """The array of `name` before anything is computed: NaN, or the flag that says so."""
    if name in _FLAGS:
        return np.full(shape, _EMPTY[name], dtype=np.int8)
    kind = _TYPES.get(name, np.float64)
    return np.full(shape, 0 if kind is np.int64 else np.nan, dtype=kind)
