"""Where an orbit returns to itself: first guesses of cycles, from trajectories alone."""

import numpy as np

_CLOSE = 0.1  # a return within this, relative to the orbit's size, is worth a Newton iteration
# Of several returns the first counts that is nearly as close as the closest; linear interpolation between samples
# alone makes differences of about a thousandth.
_AS_CLOSE, _BLUR = 3.0, 2e-3
_IDLE = 1e-6  # of 1 + |x|: units that vary less are not looked at


def returns(record, spacing, low, high, multiple):
    """Guesses (states (P, n), periods (P,)) from orbits (P, samples, n); NaN where an orbit does not come back.

    An orbit is cut where its least spiky unit crosses its mean upwards; the guess is the time between the last
    crossing and the first one before it that lies as close to it as any. Periods are kept within low and high, and
    multiplied by `multiple` (P,), 1 or more.
    """
    points, _, n = record.shape
    states, periods = np.full((points, n), np.nan), np.full(points, np.nan)
    for point in range(points):
        found = _last_return(record[point], spacing, low, high, int(multiple[point]))
        if found is not None:
            states[point], periods[point] = found
    return states, periods


def _last_return(orbit, spacing, low, high, multiple):
    deviation = orbit - orbit.mean(axis=0)
    sizes = abs(deviation).max(axis=0)
    with np.errstate(all="ignore"):  # the unit that is least of a spike, which samples could miss
        evenness = np.where(sizes > _IDLE * (1.0 + abs(orbit).max()), abs(deviation).mean(axis=0) / sizes, 0.0)
    unit = int(np.argmax(evenness))
    height = deviation[:, unit]
    before = np.flatnonzero((height[:-1] < 0) & (height[1:] >= 0))
    if len(before) < 2:
        return None
    part = height[before] / (height[before] - height[before + 1])
    states = orbit[before] + part[:, None] * (orbit[before + 1] - orbit[before])
    times = (before + part) * spacing
    distances = abs(states[:-1] - states[-1]).max(axis=1)[::-1] / sizes.max()
    spans = (times[-1] - times[:-1])[::-1]
    wanted = np.flatnonzero((spans >= low) & (spans <= high))
    if not len(wanted) or not distances[wanted].min() <= _CLOSE:
        return None
    enough = distances <= _AS_CLOSE * distances[wanted].min() + _BLUR
    first = wanted[np.argmax(enough[wanted])]
    again = (first + 1) * multiple - 1  # an orbit that only seemed to close after its true period's half
    if again >= len(spans) or not low <= spans[again] <= high:
        return None
    return orbit[before[-1]], spans[again]
