"""Spectral lines of a sampled, almost periodic signal: frequencies far finer than the spacing of its Fourier transform.

Frequency analysis after Laskar, Physica D 67 (1993) 257: the lines of a quasi-periodic signal are found one below the
other in the spectrum under a Hann^p window, each placed where the windowed amplitude is largest, and subtracted. Here
all lines are fitted together, amplitudes by weighted least squares and frequencies by Newton's method on the
residual, so that they do not disturb each other. A sample is the unit of time.
"""

import dataclasses

import numpy as np

_POWER, _HALF_POWER = 4, 2  # of the Hann windows over the whole and over the halves
_APART = _POWER + 2  # lines nearer than this (in 1/T) are not told apart
_BATCH = 1e-3  # lines down to this part of the strongest one left are added together
_SWEEPS, _LAST_SWEEPS = 3, 8


@dataclasses.dataclass(frozen=True)
class Lines:
    """Lines of a signal, strongest first: frequency (m,), its doubt (m,), cosine and sine parts (m, n)."""

    frequency: np.ndarray
    doubt: np.ndarray
    cosine: np.ndarray
    sine: np.ndarray

    @property
    def amplitude(self):
        """Amplitude (m, n): a peak-to-peak range of 2 amplitude."""
        return np.hypot(self.cosine, self.sine)

    def chosen(self, index):
        """Some of the lines."""
        return Lines(self.frequency[index], self.doubt[index], self.cosine[index], self.sine[index])


def window(count, power):
    """Hann window to a power, of mean 1."""
    s = (np.arange(count) + 0.5) / count
    w = (1.0 - np.cos(2.0 * np.pi * s)) ** power
    return w / w.mean()


def find_lines(signal, most, threshold):
    """At most so many lines of signal (T, n) above `threshold` times the strongest, and their residual's share.

    A line's doubt is how far the frequencies that the two halves give are from that of the whole and from each other,
    and how far what is left beside the line, another one perhaps that is too near, can have moved it. The share is the
    part of the variance that the lines leave, under the window.
    """
    count = len(signal)
    weights = window(count, _POWER)
    left = signal - np.average(signal, axis=0, weights=weights)
    variance = np.sum(weights[:, None] * left**2)
    frequencies, parts = np.empty(0), None
    limit = 0.0
    while len(frequencies) < most:
        new, strongest = _peaks(left, weights, frequencies, limit, most - len(frequencies))
        if not len(new):
            break
        limit = limit or threshold * strongest
        frequencies = np.concatenate([frequencies, new])
        frequencies, parts, left = _polished(signal, weights, frequencies, _SWEEPS)
    if parts is None:
        return Lines(np.empty(0), np.empty(0), *np.empty((2, 0, signal.shape[1]))), 1.0
    frequencies, parts, left = _polished(signal, weights, frequencies, _LAST_SWEEPS)
    lines = Lines(frequencies, _doubts(signal, frequencies), *parts)
    lines = dataclasses.replace(lines, doubt=lines.doubt + _pull(lines, left, weights))
    order = np.argsort(-np.sum(lines.amplitude**2, axis=1), kind="stable")
    return lines.chosen(order), float(np.sum(weights[:, None] * left**2) / variance)


def _peaks(left, weights, frequencies, limit, most):
    """Frequencies of the highest peaks of the spectrum of what is left, not near those known; and the highest.

    A parabola through the logarithms of a peak and its neighbours places it to some hundredths of a bin.
    """
    count, power = len(left), _power(left, weights)
    bins = np.arange(len(power))
    power[: _APART + 1] = 0.0  # the mean and slow drifts
    for frequency in frequencies:
        power[abs(bins - frequency * count) < _APART] = 0.0
    strength = np.sqrt(power)
    strongest = strength.max()
    floor = max(limit, _BATCH * strongest)
    found = []
    inner = power[1:-1]
    tops = np.flatnonzero((inner > power[:-2]) & (inner >= power[2:])) + 1
    if power[-1] > power[-2]:
        tops = np.append(tops, len(power) - 1)
    for top in tops[np.argsort(-power[tops], kind="stable")]:
        if len(found) == most or not strength[top] > floor:
            break
        if all(abs(top - other) >= _APART for other in found):
            found.append(top)
    return np.array([_placed(power, top) for top in found]) / count, strongest


def _power(left, weights):
    """Power spectrum under the window, summed over units: a quarter of a line's squared amplitude at its top."""
    return np.sum(abs(np.fft.rfft(weights[:, None] * left, axis=0)) ** 2, axis=1) / len(left) ** 2


def _pull(lines, left, weights):
    """How far a line as strong as the most that is left near each line can pull its frequency: 1/T for equals."""
    count, power = len(left), _power(left, weights)
    bins = np.arange(len(power))
    near = [power[abs(bins - f * count) <= _APART].max(initial=0.0) for f in lines.frequency]
    return 2.0 * np.sqrt(near) / np.sqrt(np.sum(lines.amplitude**2, axis=1)) / count


def _placed(power, top):
    """The place of a peak between the bins."""
    if top + 1 == len(power) or power[top - 1] == 0.0 or power[top + 1] == 0.0:
        return float(top)
    low, middle, high = np.log(power[top - 1 : top + 2])
    return top + 0.5 * (low - high) / (low - 2.0 * middle + high)


def _polished(signal, weights, frequencies, sweeps):
    """Frequencies (m,) fitted together, (cosine, sine) parts (m, n), and what is left of the signal (T, n)."""
    count, m = len(signal), len(frequencies)
    time = np.arange(count) - 0.5 * (count - 1)
    spread = np.sum(weights * time**2)
    for sweep in range(sweeps + 1):
        phase = 2.0 * np.pi * np.multiply.outer(time, frequencies)
        waves = np.concatenate([np.cos(phase), np.sin(phase), np.ones((count, 1))], axis=1)
        weighted = weights[:, None] * waves
        gram, against = weighted.T @ waves, weighted.T @ signal
        fitted = np.linalg.lstsq(gram, against, rcond=1e-13)[0]
        left = signal - waves @ fitted
        cosine, sine = fitted[:m], fitted[m : 2 * m]
        if sweep == sweeps:
            break
        moment = (time[:, None] * weighted[:, : 2 * m]).T @ left
        slope = np.sum(sine * moment[:m] - cosine * moment[m:], axis=1)
        size = np.sum(cosine**2 + sine**2, axis=1)
        step = slope / np.maximum(np.pi * spread * size, np.finfo(float).tiny)
        frequencies = frequencies + np.clip(step, -0.5 / count, 0.5 / count)
    return frequencies, (cosine, sine), left


def _doubts(signal, frequencies):
    """How far the halves' frequencies are from those of the whole, and from each other."""
    half = len(signal) // 2
    weights = window(half, _HALF_POWER)
    first, second = (_polished(part, weights, frequencies, _LAST_SWEEPS)[0] for part in (signal[:half], signal[-half:]))
    return np.maximum(abs(first - second), np.maximum(abs(first - frequencies), abs(second - frequencies)))
