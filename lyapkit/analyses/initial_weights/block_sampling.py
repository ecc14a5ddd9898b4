"""Drawing blocks: the first of each block's own candidates that passes its certificate."""

import itertools

import numpy as np

from lyapkit.analyses.initial_weights.block_certificate import WORK

_PAGE = 16  # candidates drawn at a time
_LANES = 128  # candidates certified at a time, at least
_MOST = 1000  # candidates of one block
_MOST_PASSED = 2**14  # candidates, one after the other, that are far from the band of frequencies
_ALPHAS, _HEIGHTS = 9, 49  # of the table of frequencies
_EDGE = 0.01  # how near, in heights, the table comes to the region's edges
_BLUR = 0.1  # by so much, relative to a cell's own, its range of frequencies is widened


def draw(count, region, certifier, seed, monitor):
    """`count` blocks: name -> (count, ...), with alpha, theta and attempts besides the certificates.

    Block i is the first accepted one of its own candidates, so it does not depend on how many are asked for.
    """
    likely = _Band(region, certifier, monitor) if certifier.frequency else None
    streams = [_candidates(seed, block, region, likely) for block in range(count)]
    result, attempts, open_ = {}, np.zeros(count, dtype=np.int64), np.arange(count)
    while len(open_):
        each = max(1, _LANES // len(open_))
        pairs = np.array([list(itertools.islice(streams[block], each)) for block in open_])
        found = certifier.certify(*pairs.reshape(-1, 2).T, monitor)
        found |= {"alpha": pairs[..., 0].ravel(), "theta": pairs[..., 1].ravel()}
        accepted = found.pop("accepted").reshape(len(open_), each)
        first, passed = accepted.argmax(axis=1), accepted.any(axis=1)
        attempts[open_] += np.where(passed, first + 1, each)
        rows = (np.arange(len(open_)) * each + first)[passed]
        for name, array in found.items():
            whole = result.setdefault(name, np.empty((count, *array.shape[1:]), array.dtype))
            whole[open_[passed]] = array[rows]
        monitor.add(WORK * int(passed.sum()))
        open_ = open_[~passed]
        if (attempts[open_] >= _MOST).any():
            raise ValueError(_too_few(region, certifier, attempts, count - len(open_)))
    return result | {"attempts": attempts}


def _candidates(seed, block, region, likely):
    """The candidates (alpha, theta) of a block, one after the other, those that may be in the band alone."""
    generator, passed = np.random.default_rng([seed, block]), 0
    while True:
        page = region.candidates(generator.random((_PAGE, 3)))
        chosen = page if likely is None or passed > _MOST_PASSED else page[likely(*page.T)]
        passed = 0 if len(chosen) else passed + _PAGE
        yield from chosen


class _Band:
    """Tells candidates that may have a frequency of the band from those that cannot, by a table of frequencies."""

    def __init__(self, region, certifier, monitor):
        self._region = region
        self._alphas = np.linspace(region.low, region.high, _ALPHAS if region.high > region.low else 2)
        self._heights = np.linspace(_EDGE, 1.0 - _EDGE, _HEIGHTS)
        alpha, height = (grid.ravel() for grid in np.meshgrid(self._alphas, self._heights, indexing="ij"))
        found = certifier.certify(alpha, region.place(alpha, height), monitor)
        table = np.where(found["ok"], found["frequency"], np.nan).reshape(len(self._alphas), _HEIGHTS)
        smooth = found["ok"] & ((found["gradient_swing"] <= certifier.swing) | (found["locking_q"] > 0))
        self._check(certifier, found["frequency"][smooth])
        corners = np.stack([table[:-1, :-1], table[1:, :-1], table[:-1, 1:], table[1:, 1:]])
        low, high = np.fmin.reduce(corners), np.fmax.reduce(corners)
        wider = _BLUR * (high - low)
        least, most = certifier.frequency
        self._likely = ~((high + wider < least) | (low - wider > most))
        # beyond the outermost heights frequencies go on, to 0 at the fold
        self._likely[:, 0] |= least < high[:, 0]
        self._likely[:, -1] |= most > low[:, -1]

    def _check(self, certifier, frequency):
        """Refuse a band that no block reaches."""
        least, most = certifier.frequency
        low, high = frequency.min(initial=np.inf), frequency.max(initial=-np.inf)
        if not (least <= high and low <= most):
            reach = f"a band that meets {low:.3g} to {high:.3g}" if low < np.inf else "none for these alpha and swing"
            what = "turns per time unit" if certifier.h == 0.0 else "turns per iterate"
            a, b = self._region.low, self._region.high
            raise ValueError(
                f"frequency: given ({least:g}, {most:g}), accepted: {reach} ({what}, at alpha {a:g} to {b:g} and "
                f"swing up to {certifier.swing:g})"
            )

    def __call__(self, alpha, theta):
        least, largest = self._region.angles(alpha)
        height = (abs(theta) - least) / (largest - least)
        row = np.clip(np.searchsorted(self._alphas, alpha) - 1, 0, len(self._alphas) - 2)
        column = np.clip(np.searchsorted(self._heights, height) - 1, 0, _HEIGHTS - 2)
        return self._likely[row, column]


def _too_few(region, certifier, attempts, found):
    given = f"alpha {region.low:g} to {region.high:g}, swing {certifier.swing:g}"
    if certifier.frequency:
        given += ", frequency {:g} to {:g}".format(*certifier.frequency)
    return (
        f"alpha, swing, frequency: given {given}, of which {found} of {attempts.sum()} candidates passed, and none of "
        f"{attempts.max()} of one block; accepted: wider ones"
    )
