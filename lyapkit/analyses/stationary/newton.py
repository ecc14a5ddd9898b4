"""Zeros of f(x) (maps: f(x) - x) by Newton's method from many starts, with those already found deflated.

Farrell, Birkisson & Funke, SIAM J. Sci. Comput. 37 (2015) A2026: the residual times M(x) = prod_i (1 + 1/|x - x_i|^2)
has no zero at any x_i any more, so that the same starts lead elsewhere. Newton's step d for f becomes
d / (1 - d . grad M / M). Without deflation steps are halved until the residual shrinks; with it they are only limited
in length, which found 8.9 of 9 zeros where halving found 8.6, in a third of the time. Starts are lanes: what happens to
one depends on no other.
"""

import numpy as np

from lyapkit.systems.evaluate import values_and_jacobians, values_at

_ITERATIONS = 60
_HALVINGS = 12
_ROUNDS, _FRUITLESS = 8, 2  # with new starts, what was found before deflated; so many without a new zero are the end
_LONGEST = 0.25  # deflated step, in sides of the box
_CONVERGED = 1e-9  # Newton's step, in sides of the box
_SAME = 1e-6  # zeros closer than this, in sides of the box, are one: about what is left of a double zero
_CLOSE = 1e-11  # residual, relative to the terms that it is made of
_POLISHING = 5


def residual(system, states, values):
    """f(x) of a flow, f(x) - x of a map (count, n), at states (count, n); `values`: parameters (count,) that differ."""
    rates = values_at(system, states, values)
    return rates if system.kind == "flow" else rates - states


def residual_and_jacobian(system, states, values):
    """The residual (count, n) and its Jacobian (count, n, n)."""
    rates, jacobians = values_and_jacobians(system, states, values)
    if system.kind == "map":
        rates, jacobians = rates - states, jacobians - np.eye(system.dimension)
    return rates, jacobians


def steps(rates, jacobians):
    """Newton's steps (count, n): those of least length where the Jacobian is singular, NaN where it is not finite."""
    result = np.full_like(rates, np.nan)
    finite = np.isfinite(jacobians).all(axis=(1, 2)) & np.isfinite(rates).all(axis=1)
    try:  # all at once, which gives the same bits
        result[finite] = np.linalg.solve(jacobians[finite], -rates[finite][..., None])[..., 0]
        return result
    except np.linalg.LinAlgError:  # at least one of them is singular
        pass
    for i in np.flatnonzero(finite):
        try:
            result[i] = np.linalg.solve(jacobians[i], -rates[i])
        except np.linalg.LinAlgError:
            result[i] = np.linalg.lstsq(jacobians[i], -rates[i], rcond=None)[0]
    return result


def polished(system, states, values):
    """States (count, n) after some of Newton's steps, for zeros that are already known well."""
    with np.errstate(all="ignore"):
        for _ in range(_POLISHING):
            moved = states + steps(*residual_and_jacobian(system, states, values))
            states = np.where(np.isfinite(moved).all(axis=1)[:, None], moved, states)
    return states


def search(system, starts, values, low, high, monitor, most):
    """Zeros (found, n) in the box low, high (n,) of one system, in the order of discovery.

    starts(round) gives states (count, n); `values`: numbers of this system that are changed. Ends when `most` are
    found, or some rounds in a row have found nothing new.
    """
    found, fruitless = np.empty((0, system.dimension)), 0
    for number in range(_ROUNDS):
        before = len(found)
        found = one_round(system, starts(number), values, found, low, high, monitor)
        fruitless = fruitless + 1 if len(found) == before else 0
        if fruitless == _FRUITLESS or len(found) >= most:
            break
    return found


def one_round(system, starts, values, found, low, high, monitor):
    """The zeros `found` (count, n), which are deflated, and those in the box at which the starts arrive."""
    side = high - low
    ends = _newton(system, starts, values, found, side, monitor)
    return distinct(found, [x for x in ends if within(x, low, high)], side)


def within(x, low, high):
    """Whether a state lies in the box, its edge included."""
    margin = _SAME * (high - low)
    return bool(((x >= low - margin) & (x <= high + margin)).all())


def distinct(found, new, side, tolerance=_SAME):
    """The states `found` (count, n) and those of `new` that are none of them."""
    for x in new:
        if not (abs(found - x) <= tolerance * side).all(axis=1).any():
            found = np.concatenate([found, x[None]])
    return found


def _newton(system, starts, values, found, side, monitor):
    """The zeros (count, n) at which some of the starts arrive."""
    x, active = starts.copy(), np.arange(len(starts))
    arrived = np.zeros(len(starts), dtype=bool)
    with np.errstate(all="ignore"):
        for _ in range(_ITERATIONS):
            monitor.add(0)
            part = {name: np.full(len(active), value) for name, value in values.items()}
            rates, jacobians = residual_and_jacobian(system, x[active], part)
            direction = steps(rates, jacobians)
            small = (abs(direction) <= _CONVERGED * side).all(axis=1)
            arrived[active[small]] = True
            going = ~small & np.isfinite(direction).all(axis=1)
            active, rates, direction = active[going], rates[going], direction[going]
            if len(found):
                x[active] += _deflated(x[active], direction, found, side)
            else:
                x[active], accepted = _searched_along(system, x[active], rates, direction, values)
                active = active[accepted]
            if not len(active):
                break
        left = np.flatnonzero(np.isfinite(x).all(axis=1))
        part = {name: np.full(len(left), value) for name, value in values.items()}
        ends = polished(system, x[left], part)
        rates, jacobians = residual_and_jacobian(system, ends, part)
        terms = abs(jacobians) @ abs(ends)[:, :, None]
        close = (abs(rates) <= _CLOSE * (1.0 + terms[:, :, 0])).all(axis=1)
        near = (abs(ends - x[left]) <= 0.01 * side).all(axis=1)  # polishing did not jump elsewhere
    return ends[close & (near | arrived[left])]


def _searched_along(system, x, rates, direction, values):
    """Steps halved until the residual shrinks: (states, whether there was such a step)."""
    merit = np.sqrt((rates**2).sum(axis=1))
    result, waiting, length = x.copy(), np.arange(len(x)), 1.0
    for _ in range(_HALVINGS):
        if not len(waiting):
            break
        trial = x[waiting] + length * direction[waiting]
        part = {name: np.full(len(waiting), value) for name, value in values.items()}
        now = np.sqrt((residual(system, trial, part) ** 2).sum(axis=1))
        better = now <= (1.0 - 1e-4 * length) * merit[waiting]
        result[waiting[better]] = trial[better]
        waiting = waiting[~better]
        length *= 0.5
    accepted = np.ones(len(x), dtype=bool)
    accepted[waiting] = False
    return result, accepted


def _deflated(x, direction, found, side):
    """Newton's steps for the deflated residual, from those for the residual; distances in sides of the box."""
    n = x.shape[1]
    gradient = np.zeros_like(x)  # of ln M
    for zero in found:
        away = (x - zero) / side
        square = (away * away).sum(axis=1) / n
        gradient -= (2.0 / (n * square * (square + 1.0)))[:, None] * away / side
    along = (gradient * direction).sum(axis=1)
    step = direction / np.where(along == 1.0, 1e-3, 1.0 - along)[:, None]
    longest = (abs(step) / side).max(axis=1)
    step *= np.minimum(1.0, _LONGEST / longest)[:, None]
    return np.where(np.isfinite(step), step, 0.0)
