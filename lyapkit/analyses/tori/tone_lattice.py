"""The fewest independent frequencies of which all lines are combinations with integer coefficients.

The lines of a torus generate a lattice. Lines are taken in turn: one that is an integer combination of the tones so far
adds nothing; one that is a fraction of such a combination refines the lattice, whose basis is then made anew; any
other is a tone of its own. Maps have one tone from the start, the iterate itself, called the clock: frequencies
that differ by a multiple of it are the same.
"""

import functools
import itertools

import numpy as np

MOST_COMBINATIONS = 300_000  # of so and so many tones
# A fraction 1/q of a combination k is tried up to q (1 + |k|) of the first, and of the clock alone up to the second.
_MOST_PARTS, _LONGEST = 64, 512


@functools.lru_cache(maxsize=32)
def combinations(tones, order):
    """Integer vectors (c, tones) with sum |k| <= order, small ones first.

    Of many tones together only as high an order as can be tried: the harmonics of a few go farther.
    """
    found = [np.zeros((1, tones), dtype=np.int64)]
    for count in range(1, tones + 1):
        chosen = list(itertools.combinations(range(tones), count))
        ball = _ball(count, _highest_order(count, order, MOST_COMBINATIONS // len(chosen)))
        ball = ball[(ball != 0).all(axis=1)]
        for columns in chosen:
            rows = np.zeros((len(ball), tones), dtype=np.int64)
            rows[:, columns] = ball
            found.append(rows)
    together = np.concatenate(found)
    return together[np.argsort(abs(together).sum(axis=1), kind="stable")]


def _ball(tones, order):
    """All integer vectors (c, tones) with sum |k| <= order."""
    rows = np.zeros((1, 0), dtype=np.int64)
    for _ in range(tones):
        room = order - abs(rows).sum(axis=1)
        grown = [np.insert(rows[room >= abs(k)], rows.shape[1], k, axis=1) for k in range(-order, order + 1)]
        rows = np.concatenate(grown)
    return rows


def _highest_order(tones, order, most):
    """`order`, or less where there would be more combinations than so many."""
    while _ball_size(tones, order) > most:
        order -= 1
    return order


@functools.lru_cache(maxsize=4096)
def _ball_size(tones, order):
    """Number of integer vectors with sum |k| <= order."""
    if tones == 0:
        return 1
    return sum(_ball_size(tones - 1, order - abs(k)) for k in range(-order, order + 1))


class Lattice:
    """Tones (D,) found so far, the clock's part 1 / `parts` of maps, and the lines' coefficients.

    coefficients: one row for each line, of D tones and, last, of the clock (0 for flows). Of flows, a line that is a
    combination but for a whole number of turns per sample was folded by the sampling.
    """

    def __init__(self, has_clock, order):
        self.has_clock, self.order = has_clock, order
        self.tones, self.parts, self.coefficients = np.empty(0), 1, []
        self.doubt = 0.0  # of the tones

    @property
    def basis(self):
        """The tones and the clock's part."""
        return np.append(self.tones, 1.0 / self.parts if self.has_clock else 0.0)

    def add(self, frequency, doubt):
        """Take the next line, whose frequency is known to +-doubt; returns it unfolded."""
        found = self._simplest(frequency, doubt)
        if found is None:
            self.tones, self.doubt = np.append(self.tones, frequency), max(self.doubt, doubt)
            self.coefficients = [np.insert(row, -1, 0) for row in self.coefficients]
            self.coefficients.append(np.eye(len(self.tones) + 1, dtype=np.int64)[-2])
            return frequency
        parts, row = found
        if parts > 1:
            self._refine(parts, row)
            row = self._integer(frequency)
        if self.has_clock:
            self.coefficients.append(row)
            return frequency
        unfolded = frequency - row[-1]
        row[-1] = 0
        self.coefficients.append(row if unfolded > 0 else -row)
        return abs(unfolded)

    def _simplest(self, frequency, doubt):
        """The simplest (q, k) with q frequency = k . basis, if any: whole combinations before fractions."""
        known = combinations(len(self.tones), self.order)
        size = abs(known).sum(axis=1)
        value, reach = known @ self.tones, doubt + size * self.doubt
        clock = self.basis[-1] if self.has_clock else 1.0
        for parts in range(1, _LONGEST + 1):
            simple = np.searchsorted(size, max(_MOST_PARTS // parts - 1, 0), side="right")
            usable = simple if parts > 1 else len(size)
            off = parts * frequency - value[:usable]
            turns = np.round(off / clock)
            fits = (abs(off - turns * clock) <= parts * reach[:usable]) & ((size[:usable] > 0) | self.has_clock)
            if not self.has_clock and (parts > 1 or (fits & (turns == 0)).any()):
                fits &= turns == 0
            if fits.any():
                first = np.argmax(fits)
                return parts, np.append(known[first], int(turns[first]))
        return None

    def _integer(self, frequency):
        """The coefficients of a line that the refined lattice holds."""
        known = combinations(len(self.tones), self.order)
        off = frequency - known @ self.tones
        clock = self.basis[-1]
        turns = np.round(off / clock) if self.has_clock else np.zeros(len(off))
        best = np.argmin(abs(off - turns * clock))
        return np.append(known[best], int(turns[best]))

    def _refine(self, parts, row):
        """The lattice with k . basis / q added: its new basis, tones first, and the lines in it."""
        n = len(row)
        generators = np.concatenate([parts * np.eye(n, dtype=np.int64), row[None]])
        if not self.has_clock:
            generators = generators[[i for i in range(len(generators)) if i != n - 1]]
            generators = generators[:, :-1]
        basis = echelon(generators)
        new = basis @ self.basis[: basis.shape[1]] / parts
        rows = np.array(self.coefficients, dtype=np.int64).reshape(-1, n)[:, : basis.shape[1]]
        rows = np.rint(parts * np.linalg.solve(basis.T.astype(float), rows.T.astype(float)).T).astype(np.int64)
        if self.has_clock:
            self.parts = int(np.rint(1.0 / abs(new[-1])))
            rows[:, -1] *= 1 if new[-1] > 0 else -1
            self.tones = new[:-1]
        else:
            self.tones, rows = new, np.concatenate([rows, np.zeros((len(rows), 1), dtype=np.int64)], axis=1)
        self.coefficients = list(rows)

    def simplify(self):
        """Make the coefficients small: add tones to each other, bring them into (0, 1/2] of maps, positive of flows."""
        rows = np.array(self.coefficients, dtype=np.int64).reshape(-1, len(self.tones) + 1)
        tones = self.tones.copy()
        improved = True
        while improved:
            improved = False
            for i, j in itertools.permutations(range(len(tones)), 2):
                square = int(rows[:, i] @ rows[:, i])
                times = int(np.rint((rows[:, i] @ rows[:, j]) / square)) if square else 0
                if abs(rows[:, j] - times * rows[:, i]).sum() < abs(rows[:, j]).sum():
                    rows[:, j] -= times * rows[:, i]
                    tones[i] += times * tones[j]
                    improved = True
        for i in range(len(tones)):
            if self.has_clock:
                tones[i] -= self._shift(tones[i], rows, i)
            if tones[i] < 0:
                tones[i], rows[:, i] = -tones[i], -rows[:, i]
        self.tones, self.coefficients = tones, list(rows)

    def _shift(self, tone, rows, i):
        """What the clock can take from a tone: its strongest own line is to hold nothing of the clock but turns."""
        own = np.flatnonzero((abs(rows[:, i]) == 1) & (abs(rows[:, :-1]).sum(axis=1) == 1))
        parts = -int(rows[own[0], -1] * rows[own[0], i]) if len(own) else 0
        parts += self.parts * int(np.round(tone - parts / self.parts))
        rows[:, -1] += parts * rows[:, i]
        return parts / self.parts


def echelon(generators):
    """A basis (r, n), in echelon form, of the lattice that integer rows generate."""
    rows = [list(map(int, row)) for row in generators]
    basis = []
    for column in range(len(rows[0])):
        while sum(row[column] != 0 for row in rows) > 1:
            pivot = min((row for row in rows if row[column]), key=lambda row: abs(row[column]))
            rows = [
                row
                if row is pivot
                else [a - (row[column] // pivot[column]) * b for a, b in zip(row, pivot, strict=True)]
                for row in rows
            ]
        chosen = [row for row in rows if row[column]]
        basis += chosen
        rows = [row for row in rows if not row[column] and any(row)]
        if not rows:
            break
    return np.array(basis, dtype=np.int64)
