"""Systems with disturbed weights, or parameters: many at once, each labelled by what its orbit settles on."""

import dataclasses

import numpy as np

from lyapkit.analyses.disturbances.block_locking import block_frequencies
from lyapkit.analyses.kinds.attractor_kinds import label
from lyapkit.systems.free_weights import MOST_UNITS, as_network, freed, recurrent
from lyapkit.systems.matrices import dense
from lyapkit.systems.network import NetworkModel


@dataclasses.dataclass(frozen=True)
class Directions:
    """What is added to a system's matrices, for a size of 1: name -> (members, *shape); `relative`: times what is
    there."""

    added: dict
    relative: bool = False

    @property
    def members(self):
        """How many directions."""
        return len(next(iter(self.added.values())))

    @property
    def words(self):
        """What is disturbed, in words."""
        names = ", ".join(self.added)
        return f"{names}, each relative to itself" if self.relative else names


def matrices_of(system):
    """name -> shape of what is disturbed: the weights from the state to itself, else all numbers."""
    target = as_network(system) or system
    known = target.derived_parameters
    names = recurrent(target) or target.model.lane_parameters(target.parameters)
    if not names:
        raise ValueError(f"system: {system.name} has neither weights nor numbers to disturb, accepted: one that has")
    return {name: np.shape(known[name]) for name in names}, bool(recurrent(target))


def drawn(system, members, seed):
    """Directions with entries N(0, 1) / sqrt(n) for weights, N(0, 1) times itself for every number of other systems."""
    shapes, weights = matrices_of(system)
    generator = np.random.default_rng(seed)
    added = {name: generator.standard_normal((members, *shape)) for name, shape in shapes.items()}
    if weights:
        added = {name: array / np.sqrt(array.shape[-1]) for name, array in added.items()}
    return Directions(added, relative=not weights)


def between_blocks(directions):
    """Directions without what they do inside of blocks of two units."""
    inside = {name: np.kron(np.eye(array.shape[1] // 2), np.ones((2, 2))) for name, array in directions.added.items()}
    return Directions({name: array * (1.0 - inside[name]) for name, array in directions.added.items()})


def given(system, directions):
    """Directions as a user gives them: (members, *shape) for the only matrix, or name -> such an array."""
    shapes, _ = matrices_of(system)
    if not hasattr(directions, "items"):
        if len(shapes) > 1:
            accepted = f"a mapping from some of {', '.join(shapes)} to arrays"
            raise ValueError(f"directions: given an array, accepted: {accepted}")
        directions = {next(iter(shapes)): directions}
    added, members = {}, None
    for name, array in directions.items():
        if name not in shapes:
            raise ValueError(f"directions: given for {name!r}, accepted: {', '.join(shapes)}")
        array = np.array(array, dtype=float)
        if array.shape[1:] != shapes[name] or not len(array) or members not in (None, len(array)):
            wanted = ", ".join(map(str, ("members", *shapes[name])))
            raise ValueError(f"directions: given shape {array.shape} for {name}, accepted: ({wanted})")
        if not np.isfinite(array).all():
            raise ValueError("directions: given a number that is not finite, accepted: finite numbers")
        added[name], members = array, len(array)
    return Directions(added)


@dataclasses.dataclass
class Outcomes:
    """Labels of the disturbed systems: kind, zeros (points, sizes, members), exponents and stderr (..., k), state
    (..., n)."""

    kind: np.ndarray
    zeros: np.ndarray
    exponents: np.ndarray
    stderr: np.ndarray
    state: np.ndarray


class Family:
    """The systems of some points, and each of them disturbed by every size along every direction.

    values: parameters (points,) that differ. Networks of up to MOST_UNITS units, and other systems, run side by side in
    lanes; larger networks one after the other.
    """

    def __init__(self, system, values, points, sizes, directions):
        self.sizes, self.directions = np.asarray(sizes, dtype=float), directions
        self.members = directions.members
        changes = [{name: float(column[i]) for name, column in values.items()} for i in range(points)]
        systems = [system.with_(**change) for change in changes]
        self._targets = [as_network(one) or one for one in systems]
        first = self._targets[0]
        self.one_by_one = isinstance(first.model, NetworkModel) and first.dimension > MOST_UNITS
        if not self.one_by_one:
            frees = [freed(target) for target in self._targets]
            self._free = frees[0]
            self._numbers = np.array([free.numbers() for free in frees])

    def before(self, states, how, monitor):
        """Labels of the systems as they are, from states (points, n)."""
        if self.one_by_one:
            pairs = zip(self._targets, states, strict=True)
            return _joined([label(target, {}, state[None], how, monitor) for target, state in pairs])
        return label(self._free.system, self._free.values(self._numbers), states, how, monitor)

    def after(self, states, how, monitor):
        """`Outcomes` of all disturbed systems, from states (points, n)."""
        shape = len(states), len(self.sizes), self.members
        starts = np.repeat(states, shape[1] * shape[2], axis=0)
        if self.one_by_one:
            pairs = zip(self.parts(), starts, strict=True)
            found = _joined([label(one, {}, state[None], how, monitor) for (one, _), state in pairs])
        else:
            ((one, values),) = self.parts()
            found = label(one, values, starts, how, monitor)
        names = [field.name for field in dataclasses.fields(Outcomes)]
        return Outcomes(*(getattr(found, name).reshape(*shape, *getattr(found, name).shape[1:]) for name in names))

    def turning(self, states, clock, steps, monitor):
        """Frequencies (points, sizes, members, blocks) of the blocks of the disturbed systems, from states (..., n)."""
        shape, starts = states.shape[:-1], states.reshape(-1, states.shape[-1])
        if self.one_by_one:
            pairs = zip(self.parts(), starts, strict=True)
            found = [block_frequencies(one, {}, state[None], clock, steps, monitor) for (one, _), state in pairs]
            return np.concatenate(found).reshape(*shape, -1)
        ((one, values),) = self.parts()
        return block_frequencies(one, values, starts, clock, steps, monitor).reshape(*shape, -1)

    def turning_before(self, states, clock, steps, monitor):
        """Frequencies (points, blocks) of the blocks of the systems as they are, from states (points, n)."""
        pairs = zip(self._targets, states, strict=True)
        found = [block_frequencies(one, {}, state[None], clock, steps, monitor) for one, state in pairs]
        return np.concatenate(found)

    def parts(self):
        """(system, parameters that differ) that the disturbed systems are, in their order: one, or each of its own."""
        if not self.one_by_one:
            return [(self._free.system, self._free.values(self._disturbed_numbers()))]
        return self._each()

    def _each(self):
        for target in self._targets:
            known = target.derived_parameters
            for size in self.sizes:
                for m in range(self.members):
                    added = self.directions.added.items()
                    yield target.with_(**{name: dense(known[name]) + size * array[m] for name, array in added}), {}

    def _disturbed_numbers(self):
        """(points * sizes * members, m)."""
        direction = np.zeros((self.members, self._numbers.shape[1]))
        for name, array in self.directions.added.items():
            first, shape = self._free.places[name]
            direction[:, first : first + int(np.prod(shape, dtype=int))] = array.reshape(self.members, -1)
        there = self._numbers[:, None, None, :]
        along = direction[None, None] * (there if self.directions.relative else 1.0)
        numbers = there + self.sizes[None, :, None, None] * along
        return numbers.reshape(-1, self._numbers.shape[1])


def _joined(labels):
    """Labels of single orbits as those of many."""
    first = labels[0]
    columns = {f.name: np.concatenate([getattr(one, f.name) for one in labels]) for f in dataclasses.fields(first)}
    return type(first)(**columns)
