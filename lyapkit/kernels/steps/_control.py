"""Control of adaptive steps: what each lane keeps of its substeps, how long the next one is, when it ends.

A call of an adaptive step advances every lane by the same `h`, in as many substeps as that lane needs by itself. All
lanes of a block try their substeps side by side; a lane that has arrived tries substeps of length 0 and
keeps its numbers. Nothing looks across lanes, unless one system is spread over them.

**Error.** Of the state err = rms of e_i / (atol + rtol max(|x_i|, |x_i new|)) over its units (Hairer, Norsett & Wanner,
Solving ODEs I, II.4), of each column of the frame sum |e_i| / (rtol sum |q_i new|); the largest of all counts. Near a
fixed point the state alone would allow any length, at which growth rates err at will.

**Length.** A substep of err <= 1 is accepted; the next is 0.9 err^(-0.7/q) err_before^(0.4/q) times as long (PI
controller of Gustafsson, ACM TOMS 17 (1991) 533; q is the order of the error's estimate), at least 0.2 and at most 10
times, and not longer right after a rejection. A rejected one is tried again 0.9 err^(-1/q) as long. What is left
of h is divided into equal substeps, at most a tenth longer than that: there is no tiny rest.
"""

import math

from lyapkit.kernels.abi import field
from lyapkit.kernels.jit import inline
from lyapkit.kernels.simd import WIDTH, absolute, any_lane, floor, load, pick, splat, sqrt, store, where
from lyapkit.kernels.vmath import exp, log, maximum, minimum

# Rows of `control`: the length to try next (0: the lane has ended), ln err of the last accepted substep and the most
# that the length may grow by, kept from step to step; then what belongs to one step: the substep that is tried, the
# time done, the divergence where the substep begins and its mean, and 1 where it is accepted.
CONTROLS = 8
PROPOSAL, BEFORE, GROWTH, TAKEN, ELAPSED, FIRST, MEAN, GOOD = range(CONTROLS)
MOST_SUBSTEPS = 100_000  # that one step may try
_SHORTEST = 16 * 2.0**-52  # of the time: shorter substeps are lost in its rounding
_SAFETY, _LEAST, _MOST, _STRETCH = 0.9, 0.2, 10.0, 0.1
_EXACT = 1e-30  # err is no less
_ESCAPED = 1e150  # a lane that ends with a larger state is on its way to infinity


@inline
def across(value, spread):
    """Of a system spread over the lanes the sum over them, else the value itself."""
    if not spread:
        return value
    total = 0.0
    for lane in range(WIDTH):
        total += pick(value, lane)
    return splat(total)


@inline
def blended(fifth, third):
    """Root of the squared error that two squared estimates give together (Hairer's dop853)."""
    both = fifth + 0.01 * third
    return where(both == 0.0, both, fifth / sqrt(both))


@inline
def begin(call):
    """Start a step; a lane that has ended has nothing left to do."""
    control, h, mean = field(call, "control"), field(call, "h"), field(call, "mean_divergence")
    for lane in range(0, h.shape[0], WIDTH):
        ended = load(control, (PROPOSAL, lane)) == 0.0
        store(control, (ELAPSED, lane), where(ended, load(h, (lane,)), splat(0.0)))
        store(mean, (lane,), splat(0.0))


@inline
def choose(call, t):
    """The next substep of every lane, and the time when it begins; whether any lane is still on its way."""
    control, h, stage_t = field(call, "control"), field(call, "h"), field(call, "stage_t")
    some = False
    for lane in range(0, h.shape[0], WIDTH):
        elapsed, proposal = load(control, (ELAPSED, lane)), load(control, (PROPOSAL, lane))
        left = load(h, (lane,)) - elapsed
        pieces = maximum(-floor(_STRETCH - left / proposal), splat(1.0))
        store(control, (TAKEN, lane), where(left > 0.0, left / pieces, splat(0.0)))
        store(stage_t, (lane,), load(t, (lane,)) + elapsed)
        some = some or any_lane(left > 0.0)
    return some


@inline
def judge(call, lane, t, error, order, attempts):
    """Accept or reject the substeps of eight lanes by their err, and propose the next; whether a lane has to end."""
    control, h = field(call, "control"), load(field(call, "h"), (lane,))
    taken, elapsed = load(control, (TAKEN, lane)), load(control, (ELAPSED, lane))
    growth = load(control, (GROWTH, lane))
    active, good = taken > 0.0, error <= 1.0
    size = log(maximum(error, splat(_EXACT)))
    power = where(good, 0.4 * load(control, (BEFORE, lane)) - 0.7 * size, -size) * (1.0 / order)
    factor = minimum(where(error < math.inf, _SAFETY * exp(power), splat(0.0)), growth)
    factor = maximum(factor, splat(_LEAST))
    arrived = good & (taken == h - elapsed)
    done = where(arrived, h, elapsed + taken)
    proposal = taken * factor
    short = proposal < _SHORTEST * (absolute(load(t, (lane,))) + h)
    stuck = active & (short | (splat(1.0 * attempts) > 1.0 * MOST_SUBSTEPS)) & ~arrived
    proposal = where(stuck, splat(0.0), proposal)
    store(control, (PROPOSAL, lane), where(active, proposal, load(control, (PROPOSAL, lane))))
    store(control, (BEFORE, lane), where(active & good, size, load(control, (BEFORE, lane))))
    store(control, (GROWTH, lane), where(active, where(good, splat(_MOST), splat(1.0)), growth))
    store(control, (ELAPSED, lane), where(stuck, h, where(active & good, done, elapsed)))
    store(control, (GOOD, lane), where(active & good, splat(1.0), splat(0.0)))
    return any_lane(stuck)


@inline
def accept(control, lane, new, old):
    """Move what a substep has reached from `new` (rows, L) to `old` in the lanes where it is accepted."""
    for i in range(old.shape[0]):
        good = load(control, (GOOD, lane)) > 0.5
        store(old, (i, lane), where(good, load(new, (i, lane)), load(old, (i, lane))))


@inline
def end(control, lane, x, columns, spread):
    """Give up the lanes that were stuck: NaN, the state infinity where it was on its way there."""
    largest = splat(0.0)
    for i in range(x.shape[0]):
        largest = maximum(largest, absolute(load(x, (i, lane))))
    escaped = across(where(largest > _ESCAPED, splat(1.0), splat(0.0)), spread) > 0.5
    ended = load(control, (PROPOSAL, lane)) == 0.0
    for i in range(x.shape[0]):
        value = where(escaped, splat(math.inf), splat(math.nan))
        store(x, (i, lane), where(ended, value, load(x, (i, lane))))
    for i in range(columns.shape[0]):
        store(columns, (i, lane), where(ended, splat(math.nan), load(columns, (i, lane))))
