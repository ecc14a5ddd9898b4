"""Results of single analyses as text, for the command line."""

import math

_SHOWN = 6  # units of a state, at most
_LEADING = 4  # exponents of an attractor, at most
_LABELS = ("attractor_kind", "signal_fate")


def spectrum_text(ds):
    signs = dict(zip(ds.lyapunov_sign.flag_values, ds.lyapunov_sign.flag_meanings.split(), strict=True))
    rows = [
        f"{mode:4d} {value: .12g} +- {error:.2g} {signs[sign]}"
        for mode, value, error, sign in zip(
            ds.mode.values, ds.lyapunov_exponent.values, ds.lyapunov_exponent_stderr.values,
            ds.lyapunov_sign.values, strict=True,
        )
    ]  # fmt: skip
    single = (
        "kaplan_yorke_dimension", "entropy_rate", "mean_divergence", "exponent_sum_error",
        "frame_orthogonality",
    )  # fmt: skip
    rows += [f"{ds[name].long_name}: {float(ds[name]):.6g} {_unit(ds[name])}".rstrip() for name in single]
    return "\n".join([f"{ds.attrs['system']}: {ds.attrs['equation']}", *rows])


def _unit(variable):
    return "" if variable.units == "1" else variable.units


def cycle_text(ds):
    rows = [f"{'mode':>4s}  {'ln |multiplier|':>20s}  {'Re exponent':>20s}  {'Im exponent':>20s}"]
    for one in (ds.sel(mode=mode) for mode in ds.mode.values):
        exponent = complex(one.floquet_exponent)
        trivial = "  (trivial: the flow's direction)" if int(one.mode) == int(ds.trivial_mode) else ""
        numbers = (float(one.log_abs_multiplier), exponent.real, exponent.imag)
        rows.append(f"{int(one.mode):4d}  " + "  ".join(f"{number:20.13g}" for number in numbers) + trivial)
    stable = dict(zip(ds.stable.flag_values, ds.stable.flag_meanings.split(), strict=True))
    rows.append(f"stability: {stable[int(ds.stable)]}")
    single = ["period", "frequency", "gradient_swing", "residual", "trivial_error", "liouville_error"]
    present = [ds[name] for name in single if name in ds and not math.isnan(ds[name])]
    rows += [f"{one.long_name}: {float(one):.15g} {_unit(one)}".rstrip() for one in present]
    for name in ds.get("parameter", []):
        value = float(ds.period_derivative.sel(parameter=name))
        rows.append(f"derivative of the period by {name.values!s}: {value:.12g}")
    return "\n".join([f"{ds.attrs['system']}: {ds.attrs['equation']}", *rows])


def points_text(ds):
    """Fixed points (and slow points, where asked for) with their stability and leading eigenvalues."""
    stable = dict(zip(ds.stable.flag_values, ds.stable.flag_meanings.split(), strict=True))
    proved = "proved to be all in" if int(ds.complete) else "searched, there may be more, in"
    sides = " x ".join(f"[{low:g}, {high:g}]" for low, high in zip(ds.box_low.values, ds.box_high.values, strict=True))
    rows = [f"{int(ds.n_fixed_points)} fixed points, {proved} {sides if ds.sizes['unit'] <= _SHOWN else 'the box'}"]
    shown = min(ds.sizes["unit"], _SHOWN)
    for one in (ds.isel(point=point) for point in range(ds.sizes["point"])):
        state = " ".join(f"{value:18.12g}" for value in one.state.values[:shown])
        leading = complex(one.eigenvalue[0])
        numbers = f"leading eigenvalue {leading.real:.10g} {leading.imag:+.10g}i, speed {float(one.speed):.2g}"
        rows.append(f"{state}{' ...' if shown < ds.sizes['unit'] else ''}  {stable[int(one.stable)]:9s} {numbers}")
    return "\n".join([f"{ds.attrs['system']}: {ds.attrs['equation']}", *rows])


def signal_text(ds):
    """Norms of sensitivity and gradient over the delays, and the leading exponents."""
    shown = min(ds.sizes["mode"], _SHOWN)
    names = ["delay", "ln |dx(t0 + d)/dx(t0)|", "ln |dL/dx(t0)|", *(f"ln sigma {m}" for m in ds.mode.values[1:shown])]
    columns = [ds.delay, ds.sensitivity_log_norm, ds.adjoint_log_norm]
    columns += [ds.log_singular_value[:, mode] for mode in range(1, shown)]
    rows = ["  ".join(f"{name:>22s}" for name in names)]
    rows += ["  ".join(f"{value:22.12g}" for value in row) for row in zip(*(c.values for c in columns), strict=True)]
    leading = " ".join(f"{value:.6g}" for value in ds.lyapunov_exponent.values[:shown])
    rows.append(f"Lyapunov exponents: {leading}{' ...' if shown < ds.sizes['mode'] else ''}")
    return "\n".join([f"{ds.attrs['system']}: {ds.attrs['equation']}", *rows])


def attractors_text(ds):
    """A line for each attractor: kind, dimension, basin, zeros, leading exponents, and what becomes of gradients."""
    kinds, fates = (dict(zip(ds[n].flag_values, ds[n].flag_meanings.split(), strict=True)) for n in _LABELS)
    shown, delay = min(ds.sizes["mode"], _LEADING), ds.attrs["signal_delay"]
    signal = f"ln sigma({delay:g})"
    rows = [f"{'kind':20s} {'dim':>3s} {'basin':>6s} {'zeros':>5s}  {'gradient':9s} {signal:>15s}  exponents"]
    for one in (ds.isel(attractor=i) for i in range(ds.sizes["attractor"])):
        leading = " ".join(f"{value:.6g}" for value in one.lyapunov_exponent.values[:shown])
        rows.append(
            f"{kinds[int(one.attractor_kind)]:20s} {int(one.attractor_dimension):3d} {float(one.basin_share):6.3f} "
            f"{int(one.n_zeros):5d}  {fates[int(one.signal_fate)]:9s} {float(one.signal_growth):15.6g}  {leading}"
        )
    for name in ("diverging_share", "undecided_share"):
        if float(ds[name]) > 0.0:
            rows.append(f"{ds[name].long_name}: {float(ds[name]):.3f}")
    return "\n".join([f"{ds.attrs['system']}: {ds.attrs['equation']}", *rows])
