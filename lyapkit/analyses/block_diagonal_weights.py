"""Initial weights of a recurrent network made of blocks that oscillate."""

import numpy as np
import scipy.linalg

import lyapkit
from lyapkit.analyses.initial_weights.block_certificate import LONGEST_PERIOD, WORK, Certifier
from lyapkit.analyses.initial_weights.block_region import Region
from lyapkit.analyses.initial_weights.block_sampling import draw
from lyapkit.analyses.verb import choice, interval, positive, real, truth, whole
from lyapkit.progress import Monitor
from lyapkit.results import described

SINGLE_WEIGHT = 0.5  # tanh's gain of the unit that is left over
_MOST_UNITS = 2**14  # dense weights of 2 GB
_MOST_GAIN = 20.0
_GATED = 2.0  # zero gates: a GRU's reset gate halves the gain, its update gate the speed
_BY_BLOCK = (
    "alpha", "theta", "frequency", "period", "multiplier", "gradient_swing", "distance_to_hopf", "distance_to_snic",
    "locked", "locking_p", "locking_q", "attempts",
)  # fmt: skip
_EQUATIONS = {
    ("map", "tanh"): "x <- x + h (-x + tanh(W x)), W the weights",
    ("flow", "tanh"): "x' = -x + tanh(W x), W the weights",
    ("map", "gru"): "x <- x + h (-x + tanh(W x / 2)), W the weights: a GRU whose gates stand at h and 1/2",
    ("flow", "gru"): "x' = (-x + tanh(W x / 2)) / 2, W the weights: a GRU whose gates stand at 1/2",
}


def block_diagonal_weights(
    n_units, *, kind="map", cell="tanh", h=None, alpha=(1.05, 1.5), frequency=None, swing=5.0, margin=1e-5,
    locked=False, seed=0, progress=None,
):  # fmt: skip
    """block_diagonal_weights(n_units, *, kind="map", cell="tanh", h=None, alpha=(1.05, 1.5), frequency=None, ...)

    Weights of a recurrent network of two-unit blocks alpha_i R(theta_i), each drawn where it oscillates and certified.

    Each block carries one zero Lyapunov exponent: gradients through it neither vanish nor explode, over any
    delay. Returns a Dataset:

    weight(unit, input_unit)    W, block-diagonal: of the tanh network the recurrent weights, of the GRU those of the
                                candidate (its gates' are zero)
    alpha, theta(block)         gain and angle (rad) in tanh(alpha R(theta) x); of a GRU the block of W is 2 alpha R
    frequency(block), period(block)   turns per iterate (maps) or per time unit (flows), and one over that
    lyapunov_exponent(block, mode)    both exponents, per iterate or time unit
    multiplier(block)           factor by which distances from the cycle shrink, in one period (flows) or iterate
    gradient_swing(block)       largest over smallest norm in time of the gradient that the cycle carries
                                (flows: as of `limit_cycle`; maps: along iterates of the invariant circle that come
                                to each 256th of it, to about 1e-3). NaN of locked blocks, whose gradient vanishes
    distance_to_hopf, distance_to_snic(block)   Euclidean distances in (alpha, theta in rad) to the curves where the
                                cycle shrinks to a point and where it meets a fixed point (SNIC; of the map with h = 1
                                also that curve's copies by quarter turns, where cycles of 2 or 4 iterates begin)
    locked, locking_p, locking_q(block)   maps: whether a periodic orbit of up to 512 iterates attracts the orbit
    attempts(block), share_accepted   candidates until one passed, and blocks over candidates

    n_units    a last unit without a partner stands alone, with the gain 0.5, and comes to rest
    kind       "map", the network as it is iterated, or "flow", the network in continuous time
    cell       "tanh" or "gru"
    h          maps: x <- x + h (-x + tanh(W x)). 1 (default) is the plain tanh network; a GRU has it from the bias of
               its update gate, 1/2 (default) where that is zero; 0 < h <= 1, below 1 for a GRU
    alpha      (low, high), or one number: the gain, above 1; drawn uniformly
    frequency  (low, high): the band wanted, as `frequency`; default anything the cells do
    swing      the largest gradient_swing accepted
    margin     the largest |first exponent| accepted
    locked     True: accept blocks that are locked too, p/q with p > 0; they have no zero exponent
    seed       block i depends on seed and i alone, not on how many are asked for
    progress   True, False, or None: a bar on a terminal

    With h = 0 for the flow, a block oscillates where theta_SN(alpha) < |theta| < theta_H(alpha),
    cos(theta_H) = (2 - h - h alpha^2) / (2 (1 - h) alpha), up to pi where that is below -1; theta_SN is the
    fold of fixed points of tanh(alpha R x). |theta| is drawn uniformly between, with either sign: both senses
    of rotation are mirror images. Candidates that miss swing, margin, locking or frequency are
    dropped: a cycle of a flow is never locked, but most of a map's plane is at large gain. Share accepted, and
    share locked, by the range of alpha:

    1.05 to         1.5          2           4          10
    map, h = 1      87 %, 8 %    76 %, 15 %  34 %, 38 % 12 %, 72 %
    map, h = 1/2    96 %, 0                  85 %, 7 %
    flow            93 %, 0                  86 %, 0

    Blocks next to the Hopf curve attract slowly (multiplier near 1): give them longer transients.

    Chang, Chen, Haber & Chi, ICLR 2019, arXiv:1902.09689, and Henaff, Szlam & LeCun, ICML 2016, arXiv:1602.06662, start
    from orthogonal and antisymmetric weights, whose zero exponents hold for the linear network alone.

    >>> import lyapkit as lk
    >>> ds = lk.block_diagonal_weights(8, seed=1)
    >>> bool((abs(ds.lyapunov_exponent.sel(mode=1)) < 1e-5).all()), bool((ds.gradient_swing <= 5).all())
    (True, True)
    >>> network = lk.load_network(lk.torch_weights(ds))
    >>> int((abs(lk.lyapunov_spectrum(network).lyapunov_exponent) < 1e-4).sum())
    4
    """
    n = whole("n_units", n_units, 2, _MOST_UNITS)
    choice("kind", kind, ("map", "flow"))
    choice("cell", cell, ("tanh", "gru"))
    step = _checked_step(kind, cell, h)
    region = Region(*_checked_gain(alpha), step)
    certifier = Certifier(
        step, _GATED if (kind, cell) == ("flow", "gru") else 1.0, _above_one("swing", swing),
        positive("margin", margin), None if frequency is None else interval("frequency", frequency),
        _checked_locked(kind, locked),
    )  # fmt: skip
    seed = whole("seed", seed, 0, 2**63 - 1)
    with Monitor(WORK * (n // 2), "block_diagonal_weights", progress) as monitor:
        blocks = draw(n // 2, region, certifier, seed, monitor)
    blocks["distance_to_hopf"], blocks["distance_to_snic"] = region.distances(blocks["alpha"], blocks["theta"])
    attrs = {
        "cell": cell, "alpha_range": np.array([region.low, region.high]), "swing": certifier.swing,
        "margin": certifier.margin, "accept_locked": int(certifier.locked), "seed": seed,
        "longest_period": LONGEST_PERIOD,
    }  # fmt: skip
    attrs |= {} if kind == "flow" else {"h": step}
    attrs |= {} if frequency is None else {"frequency_band": np.array(certifier.frequency)}
    return _dataset(n, kind, cell, blocks, attrs)


def _dataset(n, kind, cell, blocks, attrs):
    """The Dataset of drawn blocks: weights besides, all described."""
    count = n // 2
    weight = _weights(n, blocks["alpha"], blocks["theta"]) * (_GATED if cell == "gru" else 1.0)
    variables = {"weight": (("unit", "input_unit"), weight)}
    variables |= {name: (("block",), blocks[name]) for name in _BY_BLOCK}
    variables["lyapunov_exponent"] = (("block", "mode"), blocks["lyapunov_exponent"])
    variables["share_accepted"] = ((), count / blocks["attempts"].sum())
    coords = {
        "unit": np.arange(n), "input_unit": np.arange(n), "block": np.arange(count), "mode": np.array([1, 2])
    }  # fmt: skip
    origin = {
        "verb": "block_diagonal_weights", "kind": kind, "equation": _EQUATIONS[kind, cell], **attrs,
        "logarithm": "natural", "lyapkit_version": lyapkit.__version__,
    }  # fmt: skip
    return described(kind, variables, coords, origin)


def _weights(n, alpha, theta):
    """diag(alpha_i R(theta_i)), and the gain of a unit that is left over."""
    c, s = alpha * np.cos(theta), alpha * np.sin(theta)
    blocks = np.stack([np.stack([c, -s], axis=-1), np.stack([s, c], axis=-1)], axis=-2)
    return scipy.linalg.block_diag(*blocks, *([[[SINGLE_WEIGHT]]] if n % 2 else []))


def _checked_step(kind, cell, h):
    """Euler step of the network, 0 of a flow."""
    if kind == "flow":
        if h is not None:
            raise ValueError(f"h: given {h!r} with kind='flow', accepted: None (a flow has no step)")
        return 0.0
    if h is None:
        return 1.0 if cell == "tanh" else 0.5
    step = real("h", h)
    if not 0.0 < step <= 1.0 or (cell == "gru" and step == 1.0):
        raise ValueError(f"h: given {h!r}, accepted: above 0 and {'below' if cell == 'gru' else 'up to'} 1")
    return step


def _checked_gain(alpha):
    """(low, high) of the keyword."""
    low, high = interval("alpha", alpha) if np.ndim(alpha) else (real("alpha", alpha),) * 2
    if not 1.0 < low <= high <= _MOST_GAIN:
        raise ValueError(f"alpha: given {alpha!r}, accepted: gains above 1, up to {_MOST_GAIN:g}")
    return low, high


def _above_one(name, value):
    number = real(name, value)
    if not number > 1.0:
        raise ValueError(f"{name}: given {value!r}, accepted: a number above 1")
    return number


def _checked_locked(kind, locked):
    if truth("locked", locked) and kind == "flow":
        raise ValueError("locked: given True with kind='flow', accepted: False (a flow's cycle is never locked)")
    return bool(locked)
