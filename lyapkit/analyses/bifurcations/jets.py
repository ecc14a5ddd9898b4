"""Exact derivatives of a flow's velocity, a map, or a power of a map, in the state and in chosen parameters."""

import numpy as np

from lyapkit.analyses.orbits.clock import depends_on_time
from lyapkit.nearest import nearest
from lyapkit.systems.directional import Directional, movable

_OTHERS = (1, 2), (0, 2), (0, 1)  # of three, those that are left when one is taken


class Jets:
    """The derivatives of F = f (flows) or f^period (maps), to third order, at states x (n,) and parameters p (m,).

    system      whose rule is traced; the numbers other than `parameters` stay as they are
    parameters  names of m numbers (of a network also of vectors given as one number for all units)
    period      of points of a map; 1 for a flow

    Directions are rows (k, n + m), real or complex, the state's part first. The derivatives of f are generated from its
    rule; those of f^period follow along the iterates by the chain rule (Faa di Bruno). Nothing is a finite
    difference. Where numbers overflow the result is not finite. A Jets is not to be shared by threads.

    >>> import numpy as np, lyapkit as lk
    >>> jets = Jets(lk.systems.henon(), ("a",))
    >>> value, jacobian, by_parameter = jets.first(np.array([0.5, 0.1]), np.array([1.0]))
    >>> value.tolist(), jacobian.tolist(), by_parameter.tolist()
    ([0.85, 0.15], [[-1.0, 1.0], [0.3, 0.0]], [[-0.25], [0.0]])
    """

    def __init__(self, system, parameters, period=1):
        if isinstance(period, bool) or not isinstance(period, int | np.integer) or period < 1:
            raise ValueError(f"period: given {period!r}, accepted: a whole number of at least 1")
        if system.kind == "flow" and period > 1:
            raise ValueError(f"period: given {period}, accepted: 1, as {system.name} is a flow")
        if system.parameters.get("input") is not None or depends_on_time(system):
            raise ValueError(f"system: given {system.name} driven in time, accepted: one whose rule is always the same")
        accepted = movable(system)
        for name in parameters:
            if name not in accepted:
                raise ValueError(
                    f"parameters: given {name!r}{nearest(name, accepted)}, accepted: {', '.join(accepted) or 'none'} "
                    f"of {system.name}, its numbers with exact derivatives"
                )
        self.system, self.parameters, self.period = system, tuple(parameters), int(period)
        self.n, self.m = system.dimension, len(self.parameters)
        self._f, self._key, self._orbit = Directional(system, self.parameters), None, []

    @property
    def values(self):
        """The parameters (m,) that the system has."""
        given = self.system.parameters
        return np.array([given[name] for name in self.parameters], dtype=float)

    def first(self, x, p):
        """F (n,), D_x F (n, n) and D_p F (n, m)."""
        last = self._steps(x, p)[-1]
        return last.image.copy(), last.growth[:, : self.n].copy(), last.growth[:, self.n :].copy()

    @np.errstate(all="ignore")
    def second(self, x, p, a, b):
        """D^2 F [a_i, b_i], rows (k, n)."""
        a, b = _rows(a), _rows(b)
        found = None
        for step in self._steps(x, p):
            new = self._f_along(step, step.moved(a), step.moved(b))
            found = new if found is None else found @ step.jacobian.T + new
        return found

    @np.errstate(all="ignore")
    def third(self, x, p, a, b, c):
        """D^3 F [a_i, b_i, c_i], rows (k, n)."""
        given = [_rows(one) for one in (a, b, c)]
        steps = self._steps(x, p)
        found = self._f_along(steps[0], *given)
        # D^2 of the iterate along all but one of the directions
        pairs = [self._f_along(steps[0], given[one], given[two]) for one, two in _OTHERS if len(steps) > 1]
        for step in steps[1:]:
            moved = [step.moved(one) for one in given]
            found = found @ step.jacobian.T + self._f_along(step, *moved)
            for i, (one, two) in enumerate(_OTHERS):
                found = found + self._f_along(step, moved[i], self._as_states(pairs[i]))
                pairs[i] = pairs[i] @ step.jacobian.T + self._f_along(step, moved[one], moved[two])
        return found

    def _as_states(self, rows):
        """Directions of the state (k, n) as directions (k, n + m)."""
        return np.concatenate([rows, np.zeros((len(rows), self.m))], axis=1)

    def _f_along(self, step, *directions):
        """D^d f [z_1, ..., z_d] at an iterate: each complex direction doubles the real ones."""
        parts, doubled = [directions], 0
        for i, direction in enumerate(directions):
            if np.iscomplexobj(direction):
                parts = [(*one[:i], side, *one[i + 1 :]) for one in parts for side in (one[i].real, one[i].imag)]
                doubled += 1
        stacked = [np.concatenate(column) for column in zip(*parts, strict=True)] if doubled else directions
        values = self._f.along(step.x, step.p, stacked).reshape(len(parts), -1, self.n)
        for _ in range(doubled):  # the last direction's real and imaginary parts are neighbours
            values = values[::2] + 1j * values[1::2]
        return values[0]

    @np.errstate(all="ignore")
    def _steps(self, x, p):
        """The iterates from (x, p), kept until another point is asked for."""
        x, p = np.array(x, dtype=float), np.array(p, dtype=float)
        if x.shape != (self.n,) or p.shape != (self.m,):
            raise ValueError(f"x, p: given shapes {x.shape}, {p.shape}, accepted: ({self.n},), ({self.m},)")
        key = (x.tobytes(), p.tobytes())
        if key != self._key:
            growth, steps = None, []
            for _ in range(self.period):
                steps.append(_Step(x, p, growth, *self._f.linearise(x, p)))
                x, growth = steps[-1].image, steps[-1].growth
            self._key, self._orbit = key, steps
        return self._orbit


class _Step:
    """One application of f at x: its image, D f there, and how the start's directions arrive (None: as they are)."""

    def __init__(self, x, p, arriving, image, jacobian, by_parameters):
        self.x, self.p, self.image, self.jacobian, self._arriving = x, p, image, jacobian, arriving
        self._first = arriving is None
        if self._first:
            self.growth = np.concatenate([jacobian, by_parameters], axis=1)
        else:
            self.growth = jacobian @ arriving
            self.growth[:, len(x) :] += by_parameters

    def moved(self, rows):
        """Directions of the start (k, n + m) as directions at x."""
        return rows if self._first else np.concatenate([rows @ self._arriving.T, rows[:, len(self.x) :]], axis=1)


def _rows(directions):
    return np.atleast_2d(np.asarray(directions))
