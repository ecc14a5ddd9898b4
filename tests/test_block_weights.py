"""block_diagonal_weights: regions in closed form, certificates by other means, reproducible, misuse refused."""

import math

import numpy as np
import pytest
import scipy.optimize

import lyapkit as lk
from lyapkit.analyses.initial_weights.block_certificate import Certifier
from lyapkit.analyses.initial_weights.block_region import Region
from lyapkit.analyses.initial_weights.block_sampling import draw
from lyapkit.progress import Monitor
from lyapkit.systems.models._rotation import snic_angle
from lyapkit.systems.models.rotation_euler import neimark_sacker_gain

KINDS = [
    {"kind": "map"}, {"kind": "map", "h": 0.3}, {"kind": "map", "cell": "gru"}, {"kind": "flow"},
    {"kind": "flow", "cell": "gru"},
]  # fmt: skip
STEPS = [1.0, 0.5, 0.2, 0.0]  # of maps; 0: the flow


def origin_repels(alpha, theta, h):
    """Of the flow the real part of its eigenvalues is the derivative of the multiplier's modulus at h = 0."""
    return alpha * np.cos(theta) > 1 if h == 0 else abs(1 - h + h * alpha * np.exp(1j * theta)) > 1


def largest_fixed_point_angle(alpha):
    """The largest |theta| for which tanh(alpha R(theta) x) has a fixed point besides 0, by root finding."""

    def missed(phi):
        def gap(length):
            return length - alpha * math.hypot(math.tanh(length * math.cos(phi)), math.tanh(length * math.sin(phi)))

        length = scipy.optimize.brentq(gap, 1e-6, 2 * alpha, xtol=1e-15, rtol=1e-14)
        return phi - math.atan2(math.tanh(length * math.sin(phi)), math.tanh(length * math.cos(phi)))

    options = {"bounds": (1e-6, math.pi / 4), "method": "bounded", "options": {"xatol": 1e-10}}
    return -scipy.optimize.minimize_scalar(missed, **options).fun


@pytest.mark.parametrize("h", STEPS)
def test_no_candidate_of_ten_thousand_lies_outside_the_region(h):
    region = Region(1.001, 3.0, h)
    alpha, theta = region.candidates(np.random.default_rng(1).random((10_000, 3))).T
    assert origin_repels(alpha, theta, h).all()
    assert (abs(theta) > snic_angle(alpha) - 1e-11).all() and (abs(theta) <= np.pi).all()
    assert 0.4 < (theta > 0).mean() < 0.6
    for one, angle in zip(alpha[:20], theta[:20], strict=True):
        assert abs(angle) > largest_fixed_point_angle(one) - 1e-9


@pytest.mark.parametrize("h", STEPS)
def test_the_region_goes_all_the_way(h):
    """Just beyond its edges there is a fixed point that attracts, or one besides the origin."""
    region, alpha = Region(1.05, 1.5, h), np.linspace(1.05, 1.5, 7)
    least, largest = region.angles(alpha)
    beyond = largest[largest < np.pi] + 1e-9
    assert not origin_repels(alpha[largest < np.pi], beyond, h).any()
    assert least == pytest.approx([largest_fixed_point_angle(one) for one in alpha], abs=1e-9)


@pytest.mark.parametrize("h", STEPS)
def test_distances_are_those_to_points_beside_the_curves(h):
    """A point a step off a curve along its normal has that step as its distance."""
    region, step = Region(1.05, 2.0, h), 0.02

    def beside(gain, angle, along):
        slope = (gain(along + 1e-5) - gain(along - 1e-5)) / 2e-5, (angle(along + 1e-5) - angle(along - 1e-5)) / 2e-5
        size = math.hypot(*slope)
        return float(gain(along) + step * slope[1] / size), float(angle(along) - step * slope[0] / size)

    if h == 0.0:
        alpha, theta = beside(lambda t: 1 / np.cos(t), lambda t: t, 0.7)
    else:
        alpha, theta = beside(lambda t: neimark_sacker_gain(t, h), lambda t: t, 0.7)
    assert region.distances([alpha], [theta])[0][0] == pytest.approx(step, abs=1e-6)
    alpha, theta = beside(lambda a: a, lambda a: snic_angle(np.array([a]))[0], 1.4)
    assert region.distances([alpha], [-theta])[1][0] == pytest.approx(step, abs=1e-6)
    if h == 1.0:
        assert region.distances([alpha], [np.pi / 2 - theta])[1][0] == pytest.approx(step, abs=1e-6)
        assert region.distances([1.3], [2.0])[0][0] == pytest.approx(0.3, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("h", STEPS)
def test_ten_thousand_blocks_lie_in_the_region_and_oscillate(h):
    """Every tenth is followed by itself: by limit_cycle, or turning by a rotation number that is not locked."""
    region = Region(1.05, 1.5, h)
    certifier = Certifier(h, 1.0, 5.0, 1e-5, None, False)
    blocks = draw(10_000, region, certifier, 3, Monitor(1, "blocks", False))
    alpha, theta = blocks["alpha"], blocks["theta"]
    assert origin_repels(alpha, theta, h).all() and (abs(theta) > snic_angle(alpha)).all()
    assert (abs(blocks["lyapunov_exponent"][:, 0]) <= 1e-5).all() and (blocks["gradient_swing"] <= 5).all()
    system = lk.systems.rotation_flow() if h == 0 else lk.systems.rotation_euler(h=h)
    verb = lk.limit_cycle if h == 0 else lk.rotation_number
    plan, part = verb.plan(system), {"alpha": alpha[::10], "theta": theta[::10]}
    states = np.broadcast_to([-0.1, 0.3], (1000, 2))
    with Monitor(1, "blocks", False) as monitor:
        found = plan.measure(part, states, monitor)
    assert (found["status"] == 0).all() and not np.any(found.get("locked", 0))


@pytest.mark.parametrize("keywords", KINDS)
def test_what_is_asked_for_is_what_is_certified(keywords):
    ds = lk.block_diagonal_weights(128, **keywords)
    assert (abs(ds.lyapunov_exponent.sel(mode=1)) <= 1e-5).all()
    assert (ds.lyapunov_exponent.sel(mode=2) < 0).all()
    assert (ds.gradient_swing <= 5).all() and (ds.gradient_swing >= 1).all()
    assert not ds.locked.any()
    assert (ds.alpha >= 1.05).all() and (ds.alpha <= 1.5).all()
    assert float(ds.share_accepted) == 64 / int(ds.attempts.sum()) > 0.8
    gain = 2.0 if keywords.get("cell") == "gru" else 1.0
    block = ds.weight[2:4, 2:4].values / gain
    a, t = float(ds.alpha[1]), float(ds.theta[1])
    assert block == pytest.approx(a * np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]))
    assert np.count_nonzero(ds.weight) == 4 * 64


@pytest.mark.parametrize("keywords", KINDS)
def test_blocks_do_not_depend_on_how_many_there_are(keywords):
    many, few = lk.block_diagonal_weights(41, seed=5, **keywords), lk.block_diagonal_weights(6, seed=5, **keywords)
    for name in set(few.data_vars) - {"weight", "share_accepted"}:
        assert few[name].equals(many[name][:3]), name
    assert few.weight.equals(many.weight[:6, :6])
    assert not np.array_equal(few.theta, lk.block_diagonal_weights(6, seed=6, **keywords).theta)


@pytest.mark.parametrize("cell", ["tanh", "gru"])
def test_flows_have_the_period_multiplier_and_swing_of_limit_cycle(cell):
    ds = lk.block_diagonal_weights(8, kind="flow", cell=cell, seed=2)
    name, gain = ("rotation_flow", 1.0) if cell == "tanh" else ("rotation_gru_flow", 2.0)
    for block in ds.block.values:
        own = ds.isel(block=block)
        system = getattr(lk.systems, name)(alpha=gain * float(own.alpha), theta=float(own.theta))
        cycle = lk.limit_cycle(system)
        assert float(own.period) == pytest.approx(float(cycle.period), rel=1e-9)
        assert float(own.frequency) == pytest.approx(float(cycle.frequency), rel=1e-9)
        assert math.log(own.multiplier) == pytest.approx(float(cycle.log_abs_multiplier[1]), rel=1e-8)
        assert own.lyapunov_exponent.values == pytest.approx(cycle.lyapunov_exponent.values, abs=1e-9)
        assert float(own.gradient_swing) == pytest.approx(float(cycle.gradient_swing), rel=1e-6)


@pytest.mark.parametrize("h", [1.0, 0.4])
def test_maps_swing_as_the_tangent_of_their_circle(h):
    """The invariant circle's Fourier series X gives the swing max |X'| / min |X'|, to the spacing of the iterates."""
    ds = lk.block_diagonal_weights(10, h=h, seed=1)
    checked = 0
    for block in ds.block.values:
        own = ds.isel(block=block)
        system = lk.systems.rotation_euler(alpha=float(own.alpha), theta=float(own.theta), h=h)
        turning = lk.rotation_number(system, n_modes=64)
        frequency = float(turning.rotation_number)
        assert float(own.frequency) == pytest.approx(min(frequency, 1 - frequency), abs=1e-9)
        if float(turning.circle_residual) > 1e-6:
            continue  # a circle of sharp turns has more modes
        checked += 1
        k, phase = np.arange(65), np.arange(4096) / 4096
        waves = np.exp(2j * np.pi * np.outer(phase, k)) * k
        speed = np.hypot(*(waves @ (2j * turning.circle_mode.values)).real.T)
        assert float(own.gradient_swing) == pytest.approx(speed.max() / speed.min(), rel=2e-3)
    assert checked >= 3


@pytest.mark.parametrize(("keywords", "run"), [
    ({"kind": "map"}, {}), ({"kind": "map", "cell": "gru"}, {"transient": 3000}),
    ({"kind": "flow"}, {"transient": 1000, "duration": 500, "dt": 0.25}),
])  # fmt: skip
def test_sixty_four_blocks_have_sixty_four_zeros(keywords, run):
    ds = lk.block_diagonal_weights(128, **keywords)
    network = lk.load_network(lk.torch_weights(ds), kind=keywords["kind"])
    spectrum = lk.lyapunov_spectrum(network, **run).lyapunov_exponent
    assert int((abs(spectrum) < 1e-3).sum()) == 64
    assert spectrum[64:].values == pytest.approx(np.sort(ds.lyapunov_exponent[:, 1])[::-1], abs=2e-3)


def log_norms(step, state, tangent, steps):
    """ln |dx(t)/dx(0) v| by renormalised tangent vectors in plain NumPy."""
    total, norms = 0.0, []
    for _ in range(steps):
        state, tangent = step(state, tangent)
        size = np.linalg.norm(tangent)
        total, tangent = total + math.log(size), tangent / size
        norms.append(total)
    return np.array(norms)


def test_gradients_stay_where_other_networks_lose_them():
    """Over 10,000 steps: within a factor of ten of the start; 0.9 orthogonal and gain 3 leave float32's range."""
    n, steps, random = 128, 10_000, np.random.default_rng(0)

    def tanh_network(W):
        def step(x, v):
            y = np.tanh(W @ x)
            return y, (1 - y**2) * (W @ v)

        return step

    state = 0.5 * random.standard_normal(n)
    blocks = tanh_network(lk.block_diagonal_weights(n).weight.values)
    for _ in range(500):  # onto the attractor
        state = blocks(state, state)[0]
    kept = log_norms(blocks, state, random.standard_normal(n) / math.sqrt(n), steps)
    assert abs(kept).max() < math.log(10.0)
    float32 = np.finfo(np.float32)
    orthogonal = np.linalg.qr(random.standard_normal((n, n)))[0]
    lost = log_norms(tanh_network(0.9 * orthogonal), state, random.standard_normal(n), steps)
    assert lost[-1] < math.log(float32.smallest_subnormal)
    chaotic = tanh_network(3.0 * random.standard_normal((n, n)) / math.sqrt(n))
    grown = log_norms(chaotic, state, random.standard_normal(n), steps)
    assert grown[-1] / steps > 0.1 and grown.max() > math.log(float32.max)


@pytest.mark.parametrize(("keywords", "band"), [
    ({"kind": "map"}, (0.1, 0.11)), ({"kind": "map", "cell": "gru"}, (0.05, 0.06)), ({"kind": "flow"}, (0.02, 0.025)),
    ({"kind": "flow", "cell": "gru"}, (0.002, 0.004)),
])  # fmt: skip
def test_frequencies_lie_in_the_band(keywords, band):
    ds = lk.block_diagonal_weights(32, frequency=band, **keywords)
    assert (ds.frequency >= band[0]).all() and (ds.frequency <= band[1]).all()
    again = lk.block_diagonal_weights(8, frequency=band, **keywords)
    assert again.theta.equals(ds.theta[:4])


def test_a_wide_band_is_no_band():
    """The table that spares hopeless candidates spares no other."""
    free, wide = lk.block_diagonal_weights(64), lk.block_diagonal_weights(64, frequency=(0.0, 0.6))
    assert wide.theta.equals(free.theta) and wide.attempts.equals(free.attempts)


def test_locked_blocks_come_on_request():
    ds = lk.block_diagonal_weights(64, alpha=(2.0, 4.0), locked=True)
    locked = ds.where(ds.locked == 1, drop=True)
    assert 5 < locked.sizes["block"] < 32
    assert (locked.lyapunov_exponent.sel(mode=1) < 0).all() and locked.gradient_swing.isnull().all()
    assert (locked.locking_p > 0).all() and (locked.locking_q <= ds.attrs["longest_period"]).all()
    ratio = locked.locking_p / locked.locking_q
    assert locked.frequency.values == pytest.approx(ratio.values, abs=1e-15)
    free = ds.where(ds.locked == 0, drop=True)
    assert (abs(free.lyapunov_exponent.sel(mode=1)) <= 1e-5).all()


def test_an_odd_unit_stands_alone():
    ds = lk.block_diagonal_weights(7, cell="gru")
    assert ds.sizes["block"] == 3 and float(ds.weight[6, 6]) == 1.0 and np.count_nonzero(ds.weight) == 13
    end = lk.trajectory(lk.load_network(lk.torch_weights(ds)), initial_state=np.ones(7), duration=500).state[-1]
    assert abs(float(end[6])) < 1e-12 < 0.01 < float(abs(end[:6]).min())


@pytest.mark.parametrize(
    ("keywords", "named"),
    [
        ({"n_units": 1}, "n_units"), ({"n_units": 4.0}, "n_units"), ({"kind": "both"}, "kind"),
        ({"cell": "lstm"}, "cell"), ({"h": 1.5}, "h: given 1.5"), ({"h": 0.0}, "h: given 0.0"),
        ({"kind": "flow", "h": 0.1}, "h: given 0.1"), ({"cell": "gru", "h": 1.0}, "h: given 1.0"),
        ({"alpha": (0.9, 1.5)}, "alpha: given"), ({"alpha": 1.0}, "alpha: given"), ({"alpha": (2, 1)}, "alpha"),
        ({"alpha": (1.1, 100.0)}, "up to 20"), ({"swing": 1.0}, "swing: given"), ({"margin": 0.0}, "margin"),
        ({"frequency": 0.1}, "frequency"), ({"frequency": (0.6, 0.7)}, "frequency: given .0.6, 0.7., accepted: a band"),
        ({"kind": "flow", "frequency": (0.3, 0.4)}, "turns per time unit"),
        ({"kind": "flow", "locked": True}, "locked"), ({"locked": 1}, "locked"), ({"seed": -1}, "seed"),
        ({"n_units": 2, "swing": 1.0001, "alpha": 10.0}, "alpha, swing, frequency"),
    ],
)  # fmt: skip
def test_misuse_is_named(keywords, named):
    with pytest.raises((ValueError, TypeError), match=named):
        lk.block_diagonal_weights(**{"n_units": 4, **keywords})
