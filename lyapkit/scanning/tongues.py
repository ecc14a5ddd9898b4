"""Arnold tongues: rotation numbers and locking over a plane of parameters, and the borders of what is locked."""

import numpy as np
import scipy.ndimage

from lyapkit.analyses.lyapunov_spectrum import lyapunov_spectrum
from lyapkit.analyses.orbits.clock import Clock, checked_state
from lyapkit.analyses.orbits.points import select
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.analyses.rotation_number import rotation_number
from lyapkit.analyses.tori.tongue_borders import borders
from lyapkit.analyses.verb import whole
from lyapkit.flags import END, LOCKED, STATUS
from lyapkit.progress import Monitor
from lyapkit.scanning.grid import checked_grid, points
from lyapkit.scanning.scan import scan
from lyapkit.systems.system import as_system
from lyapkit.vocabulary import describe

_WORK = 400  # points of two borders, for the progress bar
_SHORT = 1000  # iterates that tell how strongly a cycle attracts
_SETTLED = 20_000  # iterates in which an orbit comes near enough to its cycle for Newton's method


def tongues(system, grid=None, *, longest_q=12, workers=None, progress=None, **keywords):
    """tongues(system, grid=None, *, longest_q=12, workers=None, progress=None, **keywords)

    Rotation numbers and mode-locking of a map over two parameters, and the borders of its Arnold tongues.

    Returns the Dataset of ``scan(rotation_number, system, grid)``, and besides

    locked_share               share of the points locked, of those where the orbit turns (status "ok")
    locked_share_of_q(q)       of those, the share locked at p/q, for q from 1 to `longest_q`
    border_<parameter>(border_point), border_state(border_point, unit)   curves on which the tongues end, q up to
                               `longest_q`: both parameters, and a point of the cycle
    border_number, border_p, border_q, border_side(border_point)   1, 2, ...; the tongue p/q; whether it is the border
                               below or above along the grid's second parameter
    border_end(border_point)   at the first and last point of each border why it ends there: "bound", "no_cycle" (the
                               tip of the tongue, where the cycle shrinks to a point), or another of continuation's
                               reasons; "not_followed" between

    system     a map, or its constructor
    grid       two parameters with their values; default the system's own ranges
    longest_q  tongues with more turns are counted, but not followed; default 12
    keywords   of `rotation_number`
    workers, progress   see `scan`

    The cycle that attracts most, in the largest patch of a tongue on the grid, is followed along the second
    parameter to the folds on both sides, where it meets an unstable one, and these are followed in both parameters
    (pseudo-arclength, exact derivatives) to the grid's bounds or the tip; towards a tip that is thinner than
    rounding they end as "stalled". A tongue without a point of the grid inside is not seen; one whose cycle
    bifurcates otherwise first, is wider than where its orbits are locked; of a map on a circle, a border is lost
    where the cycle crosses the angle's jump. Source: Arnold, Geometrical Methods in the Theory of Ordinary
    Differential Equations (1988), paragraph 11; Kuznetsov, Elements of Applied Bifurcation Theory (4th ed. 2023),
    ch. 7.3.

    >>> import lyapkit as lk, numpy as np
    >>> grid = {"alpha": np.linspace(1.0, 1.3, 4), "theta": np.linspace(1.45, 1.69, 13)}
    >>> ds = lk.tongues(lk.systems.rotation_map, grid, longest_q=4)
    >>> sorted(set(zip(ds.border_p.values.tolist(), ds.border_q.values.tolist())))
    [(1, 4)]
    """
    system = as_system(system)
    axes = checked_grid(system, grid)
    if len(axes) != 2 or min(map(len, axes.values())) < 2:
        raise ValueError(f"grid: given {', '.join(axes)}, accepted: two parameters with two values or more each")
    for name in axes.keys() & {"q", "unit", "number", "p", "side", "state", "end"}:
        raise ValueError(f"grid: a parameter named {name!r} cannot be scanned, as the result has a {name} too")
    most = whole("longest_q", longest_q, 1, 10_000)
    ds = scan(rotation_number, system, axes, workers=workers, progress=progress, **keywords)
    turning, locked = (ds.status == STATUS["ok"]).values, (ds.locked == LOCKED["yes"]).values
    count = max(int(turning.sum()), 1)
    shares = [float((locked & (ds.locking_q.values == q)).sum()) / count for q in range(1, most + 1)]
    initial_state = keywords.get("initial_state")
    exponents = _exponents(system, axes, locked & (ds.locking_q.values <= most), initial_state, progress)
    found = _borders(system, axes, _patches(ds, exponents, most), initial_state, progress)
    variables = {
        "locked_share": ((), float(locked.sum()) / count), "locked_share_of_q": (("q",), np.array(shares)),
        **_flat(system, list(axes), found),
    }  # fmt: skip
    described = {name: (dims, array, describe(name, "map")) for name, (dims, array) in variables.items()}
    for name in axes:
        described[f"border_{name}"][2].update(ds[name].attrs)
    coords = {"q": ("q", np.arange(1, most + 1), describe("q", "map"))}
    coords |= {"unit": ("unit", np.arange(system.dimension), describe("unit", "map"))}
    return ds.assign(described).assign_coords(coords).assign_attrs(verb="tongues", longest_q=most)


def _patches(ds, exponents, longest):
    """For each tongue p/q the most attracting point of its largest patch on the grid: (p, q, period, index)."""
    locked = (ds.locked == LOCKED["yes"]).values
    p, q, period = (ds[name].values for name in ("locking_p", "locking_q", "orbit_period"))
    patches = []
    for turns, iterates in sorted({(a, b) for a, b in zip(p[locked], q[locked], strict=True) if b <= longest}):
        own = locked & (p == turns) & (q == iterates)
        most_common = np.bincount(period[own]).argmax()
        own &= period == most_common
        label = scipy.ndimage.label(own, np.ones((3, 3)))[0]
        patch = label == 1 + np.bincount(label[own])[1:].argmax()
        index = np.unravel_index(np.where(patch, exponents, np.inf).argmin(), patch.shape)
        patches.append((int(turns), int(iterates), int(most_common), index))
    return patches


def _exponents(system, axes, wanted, initial_state, progress):
    """The first Lyapunov exponents at some points of the grid, where known; else 0."""
    exponents = np.zeros(wanted.shape)
    plan = lyapunov_spectrum.plan(system, n_exponents=1, initial_state=initial_state, duration=_SHORT)
    index = np.flatnonzero(wanted)
    values = select(points(axes), index)
    states = np.broadcast_to(plan.initial_state, (*wanted.shape, system.dimension))
    if len(index):
        with Monitor(len(index) * plan.work, "exponents", progress) as monitor:
            found = plan.measure(values, states.reshape(-1, system.dimension)[index], monitor)
        exponents.ravel()[index] = np.nan_to_num(found["lyapunov_exponent"][:, 0], nan=0.0)
    return exponents


def _borders(system, axes, patches, initial_state, progress):
    """(p, q, side, points, ends) of all borders."""
    names, limits = tuple(axes), [(axis.min(), axis.max()) for axis in axes.values()]
    shape = tuple(map(len, axes.values()))
    with Monitor(len(patches) * _WORK, "tongue borders", progress) as monitor:
        found = []
        for p, q, period, index in patches:
            at = np.array([axis[i] for axis, i in zip(axes.values(), index, strict=True)])
            own = system.with_(**dict(zip(names, at, strict=True)))
            x = _settled(own, _start(system, initial_state, shape, index), monitor)
            both = borders(own, names, limits, period, x, at, monitor)
            found += [(p, q, side, *border) for side, border in enumerate(both) if border is not None]
    return found


def _start(system, initial_state, shape, index):
    """Where the orbit at a point of the grid begins."""
    state = checked_state(system, initial_state)
    return np.broadcast_to(state, (*shape, system.dimension))[index]


def _settled(system, state, monitor):
    """A point near the attracting cycle."""
    ensemble = Ensemble(system, {}, state[None], Clock("iterate", 1.0, 0, 0), 0)
    ensemble.run(_SETTLED, monitor)
    return ensemble.gather("x")[:, 0]


def _flat(system, names, found):
    """The variables border_* (border_point, ...)."""
    n = system.dimension
    lengths = [len(points) for *_, points, _ in found]
    unknowns = np.concatenate([points for *_, points, _ in found] or [np.empty((0, n + 2))])
    ends = [np.full(length, END["not_followed"]) for length in lengths]
    for array, (*_, both) in zip(ends, found, strict=True):
        array[[0, -1]] = [END[end] for end in both]

    def along(values, kind=np.int64):
        return ("border_point",), np.repeat(np.array(values, dtype=kind), lengths)

    return {
        **{f"border_{name}": (("border_point",), unknowns[:, n + i]) for i, name in enumerate(names)},
        "border_state": (("border_point", "unit"), unknowns[:, :n]),
        "border_number": along(range(1, len(found) + 1)),
        "border_p": along([p for p, *_ in found]),
        "border_q": along([q for _, q, *_ in found]),
        "border_side": along([side for _, _, side, *_ in found], np.int8),
        "border_end": (("border_point",), np.concatenate(ends or [[]]).astype(np.int8)),
    }
