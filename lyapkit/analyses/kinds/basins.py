"""Which of many starts have settled on the same attractor.

Points of rest are one where they agree, or where they are joined: the shortest tree that spans the points of continua
is cut at every edge between whose ends orbits do not settle on points of a continuum, halving by halving. Orbits that
move are one where their signatures agree, and where they are of one family.
"""

import dataclasses
import itertools

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from scipy.spatial.distance import pdist, squareform

from lyapkit.analyses.kinds.attractor_kinds import label
from lyapkit.analyses.orbits import orbit_signature
from lyapkit.analyses.orbits.points import select
from lyapkit.analyses.orbits.propagation import Ensemble
from lyapkit.analyses.tori.tones import tones
from lyapkit.flags import ATTRACTOR_KIND

_SAME = 1e-6  # distance of one point of rest from itself, relative to 1 + |x|
_WEAK, _WEAKLY_SAME = 1e-4, 1e-2  # and of one that attracts as a power of time, of which Newton's method finds less
# halvings of edges, and how far apart, in their length, the points of a continuum then are; of many, short ones
_LONG, _SHORT, _MANY = (3, 0.25), (1, 0.6), 100
_ON = 20  # windows that orbits run on where they seem to be on different attractors
_LONGER = 4  # a family is watched so many times longer before it is taken for one
_REPELS = 1e-6  # exponent of a point that attracts nothing
_CONTINUUM = ATTRACTOR_KIND["continuous_attractor"]
_RESTS = [ATTRACTOR_KIND["fixed_point"], _CONTINUUM]
_MOVES = [ATTRACTOR_KIND[name] for name in ("limit_cycle", "torus", "chaos")]
_CYCLE, _TORUS, _FAMILY, _UNDECIDED = (
    ATTRACTOR_KIND[name] for name in ("limit_cycle", "torus", "continuous_family", "undecided")
)


def grouped(system, values, labels, chosen, how, monitor):
    """Groups (arrays of indices) of the starts `chosen`, all of one parameter point, that share an attractor.

    The first index of a group stands for it: of a continuum one with the most dimensions. Undecided orbits join the
    group that they look like; others are in none.
    """
    kind = labels.kind[chosen]
    resting = chosen[np.isin(kind, _RESTS) & ~(labels.exponents[chosen, 0] > _REPELS)]
    groups = _points(system, values, labels, resting, how, monitor)
    _look_again(system, values, labels, chosen[kind == _FAMILY], how, monitor)
    kind = labels.kind[chosen]
    for key in np.unique(_family_keys(labels, chosen[kind == _FAMILY]), axis=0):
        same = (_family_keys(labels, chosen) == key).all(axis=1) & (kind == _FAMILY)
        groups.append(chosen[same])
    moving = chosen[np.isin(kind, _MOVES)]
    moving = _orbits(system, values, labels, moving, chosen[kind == _UNDECIDED], how, monitor)
    return groups + _families(system, values, labels, moving, how, monitor)


def _look_again(system, values, labels, families, how, monitor):
    """Enter as cycles the orbits of a family that is none once it is watched for longer: they met too slowly."""
    longer = dataclasses.replace(how.clock, steps=_LONGER * how.clock.steps)
    for key in np.unique(_family_keys(labels, families), axis=0):
        same = families[(_family_keys(labels, families) == key).all(axis=1)]
        again = label(
            system, select(values, same[:1]), labels.state[same[:1]], dataclasses.replace(how, clock=longer), monitor
        )
        if again.kind[0] == _CYCLE:
            alike = {
                name: getattr(again, name) for name in ("kind", "dimension", "family_dimension", "exponents", "stderr")
            }
            labels.put(same, **alike)


def _families(system, values, labels, groups, how, monitor):
    """Groups of orbits, those joined that seemed tori of their own and are of one family, as some zeros do not move."""
    tori = [group for group in groups if labels.kind[group[0]] == _TORUS]
    result = [group for group in groups if labels.kind[group[0]] != _TORUS]
    for d in sorted({int(labels.dimension[group[0]]) for group in tori}):
        alike = [group for group in tori if labels.dimension[group[0]] == d]
        if len(alike) > 1:
            leader = alike[0][:1]
            part = labels.chosen(leader)
            still = tones(system, select(values, leader), part, how.clock, monitor)[3]
            alike = [np.concatenate(alike)] if still[0] else alike
        result += alike
    return result


def _family_keys(labels, index):
    return np.stack([labels.dimension[index], labels.family_dimension[index]], axis=1)


def _points(system, values, labels, index, how, monitor):
    """Groups of points of rest."""
    leaders, members, states = [], {}, labels.state[index]
    loose = (labels.exponents[index, 0] > -_WEAK) & (labels.family_dimension[index] == 0)
    reach = np.where(loose, _WEAKLY_SAME, _SAME) * (1.0 + abs(states).max(axis=1))
    free = np.ones(len(index), dtype=bool)
    while free.any():
        leader = int(np.argmax(free))
        same = free & (abs(states - states[leader]).max(axis=1) <= reach)
        same[leader] = True
        leaders.append(index[leader])
        members[index[leader]] = index[same]
        free &= ~same
    leaders = np.array(leaders, dtype=np.int64)
    groups = []
    for part in _joined(system, values, labels, leaders, how, monitor):
        group = np.concatenate([members[i] for i in part])
        groups.append(group[np.argsort(-labels.family_dimension[group], kind="stable")])
    return groups


def _joined(system, values, labels, index, how, monitor):
    """Distinct points of rest, in groups of those on one continuum."""
    states, continuum = labels.state[index], labels.family_dimension[index] > 0
    if not continuum.any() or len(index) < 2:
        return [[i] for i in index]

    def linked(first, second):
        """Whether points joined by edges lie on one continuum: between them there are points as near as one likes."""
        path, good = [states[first], states[second]], continuum[first] | continuum[second]
        length = abs(path[1] - path[0]).max(axis=1)
        halvings, most = _SHORT if len(first) > _MANY else _LONG
        for _ in range(halvings):
            middles = np.concatenate([0.5 * (a + b) for a, b in itertools.pairwise(path)])
            which = np.tile(first, len(path) - 1)
            found = label(system, select(values, index[which]), middles, how, monitor)
            lies = (found.kind == _CONTINUUM) & ~(found.exponents[:, 0] > _REPELS)
            good = good & lies.reshape(-1, len(first)).all(axis=0)
            between = np.split(found.state, len(path) - 1)
            path = [x for pair in zip(path, between, strict=False) for x in pair] + path[-1:]
        with np.errstate(invalid="ignore"):
            gaps = [abs(a - b).max(axis=1) <= most * length for a, b in itertools.pairwise(path)]
        return good & np.all(gaps, axis=0)

    distances = squareform(pdist(states))
    tree = minimum_spanning_tree(distances).tocoo()
    first, second = tree.row, tree.col
    kept = linked(first, second)
    first, second = first[kept], second[kept]
    place = _pieces(first, second, len(index))
    between = _shortest(distances, place, continuum)  # the tree may go through another continuum
    if len(between):
        kept = linked(*between.T)
        first, second = (np.append(one, more) for one, more in zip((first, second), between[kept].T, strict=True))
        place = _pieces(first, second, len(index))
    return [index[place == number] for number in range(place.max() + 1)]


def _pieces(first, second, count):
    """The number (count,) of the connected piece that each point lies in."""
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(count, count))
    return connected_components(graph, directed=False)[1]


def _shortest(distances, place, continuum):
    """The shortest edges (edges, 2) between any two pieces of continua."""
    pieces = [np.flatnonzero(place == number) for number in range(place.max() + 1)]
    pieces = [piece for piece in pieces if continuum[piece].any()]
    edges = []
    for i, one in enumerate(pieces):
        for other in pieces[:i]:
            nearest = np.argmin(distances[np.ix_(one, other)])
            edges.append((one[nearest // len(other)], other[nearest % len(other)]))
    return np.array(edges, dtype=np.int64).reshape(-1, 2)


def _orbits(system, values, labels, moving, undecided, how, monitor):
    """Groups of orbits that move, by their signatures; those of a slow approach once they have run on."""
    groups = [np.array([i]) for i in moving]
    groups = _alike(system, values, labels, groups, undecided, how, monitor)
    if len(groups) > 1:
        leaders = np.array([group[0] for group in groups])
        ensemble = Ensemble(system, select(values, leaders), labels.state[leaders], how.clock, 0)
        ensemble.run(_ON * how.clock.steps, monitor)
        labels.put(leaders, state=ensemble.gather("x").T[: len(leaders)])
        groups = _alike(system, values, labels, groups, undecided[:0], how, monitor)
    return groups


def _alike(system, values, labels, groups, undecided, how, monitor):
    """Groups whose first orbits have the same signature and kind, joined; undecided orbits with the first that fits."""
    if not groups:
        return []
    leaders = np.array([group[0] for group in groups])
    both = np.concatenate([leaders, undecided])
    waves, errors = orbit_signature.signatures(system, select(values, both), labels.state[both], how.clock, monitor)
    members = [*groups, *undecided[:, None]]
    result, free = [], np.ones(len(both), dtype=bool)
    while free[: len(leaders)].any():
        first = int(np.argmax(free))
        same = free & orbit_signature.alike(waves, errors, waves[first], errors[first])
        same[: len(leaders)] &= labels.kind[leaders] == labels.kind[leaders[first]]
        same[first] = True
        result.append(np.concatenate([members[i] for i in np.flatnonzero(same)]))
        free &= ~same
    return result
