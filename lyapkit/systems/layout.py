"""How systems lie in the arrays of the compiled core: a lane each, or one spread over the lanes.

Small systems share blocks of lanes: row i holds unit i of many systems. A large one fills its block alone: its vectors
are cut into rows of eight lanes, so that the same elementwise loops serve both (see `kernels.products`).
"""

import dataclasses

import numpy as np

from lyapkit.kernels.simd import WIDTH

# Numbers of a block's state and frame: with their slopes and images they then fit the second-level cache.
_BLOCK_NUMBERS = 2**13
MOST_LANES = 128  # the arrays of a system of two or three units then fit the first-level cache
BRIEF_LANES = 1024  # of a block for a few steps: making one costs as much as some hundred steps of eight lanes


@dataclasses.dataclass(frozen=True)
class Lanes:
    """Many systems, one in each lane."""

    dimension: int
    spread = False

    @property
    def rows(self):
        return self.dimension

    def points(self, columns, most=MOST_LANES):
        """Systems in a block that carries this many columns, at most `most`."""
        fitting = _BLOCK_NUMBERS // (self.dimension * (columns + 1)) // WIDTH * WIDTH
        return int(np.clip(fitting, WIDTH, most))

    def lanes(self, points):
        """Lanes of a block of so many systems."""
        return -(-points // WIDTH) * WIDTH

    def pack(self, states):
        """States (points, n) as rows, the last one repeated in the lanes that are left over."""
        return padded(states.T, self.lanes(len(states)))

    def pack_columns(self, frame, lanes):
        """Columns (k, n) for every lane."""
        return np.repeat(frame[:, :, None], lanes, axis=2)

    def unpack(self, rows):
        """Rows (..., n, lanes) as they are."""
        return rows

    def packed(self, vectors):
        """The inverse of `unpack`."""
        return vectors

    def vectors(self, rows, units):
        """Rows (..., units, lanes) of any vector of so many units."""
        return rows


@dataclasses.dataclass(frozen=True)
class Spread:
    """One system, its components' units spread over rows of eight lanes."""

    sizes: tuple  # units of each component
    spread = True

    @property
    def dimension(self):
        return sum(self.sizes)

    @property
    def rows(self):
        return sum(map(rows_of, self.sizes))

    def points(self, columns, most=MOST_LANES):
        return 1

    def lanes(self, points):
        return WIDTH

    def pack(self, states):
        return self._spread(states[0])

    def pack_columns(self, frame, lanes):
        return self._spread(frame)

    def _spread(self, vectors):
        """Vectors (..., n) as (..., rows, 8)."""
        parts = np.split(vectors, np.cumsum(self.sizes)[:-1], axis=-1)
        return np.concatenate([spread(part) for part in parts], axis=-2)

    def unpack(self, rows):
        """Rows (..., rows, 8) as vectors (..., n, 1)."""
        cuts = np.cumsum([rows_of(size) for size in self.sizes])[:-1]
        parts = np.split(rows, cuts, axis=-2)
        flat = [p.reshape(*p.shape[:-2], p.shape[-2] * WIDTH) for p in parts]
        flat = [vector[..., :size] for vector, size in zip(flat, self.sizes, strict=True)]
        return np.concatenate(flat, axis=-1)[..., None]

    def packed(self, vectors):
        """The inverse of `unpack`."""
        return self._spread(vectors[..., 0])

    def vectors(self, rows, units):
        """Rows (..., rows, 8) of any vector of so many units as (..., units, 1)."""
        return rows.reshape(*rows.shape[:-2], -1)[..., :units, None]


def _product_address():
    from lyapkit.kernels.product import product  # compiled only where there are matrices

    return product.address


def rows_of(size):
    """Rows that a vector of `size` units takes when it is spread."""
    return -(-size // WIDTH)


def spread(vector):
    """Vectors (..., m) as rows (..., rows, 8), filled up with zeros."""
    missing = -vector.shape[-1] % WIDTH
    full = np.pad(vector, [(0, 0)] * (vector.ndim - 1) + [(0, missing)])
    return np.ascontiguousarray(full.reshape(*vector.shape[:-1], full.shape[-1] // WIDTH, WIDTH))


def padded(rows, lanes):
    """Rows (m, points) with their last point repeated up to (m, lanes)."""
    return np.take(rows, np.minimum(np.arange(lanes), rows.shape[1] - 1), axis=1)


@dataclasses.dataclass(frozen=True)
class Data:
    """What all lanes of a system share: its layout, flat numbers and integers (see `network_codegen.Places`)."""

    layout: Lanes | Spread
    shared: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0))
    index: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    rows: dict = dataclasses.field(default_factory=dict)  # rows of each space
    rank_rows: int = 0
    turned_rows: int = 0

    def working(self, columns, lanes):
        """Working arrays of products, and the numbers that go with them, for the call table."""
        if not len(self.index):  # a small system without matrices
            return {}, {}
        sizes = {
            "product": _product_address(), "spread": self.layout.spread,
            "shared_length": len(self.shared), "index_length": len(self.index),
            "rank_blocks": max(columns, 1), "rank_rows": self.rank_rows, "turned_rows": self.turned_rows,
        }  # fmt: skip
        arrays = {
            "shared": self.shared,
            "index": self.index,
            "low_rank": np.zeros((max(columns, 1), self.rank_rows, lanes)),
            "turned": np.zeros((self.turned_rows, WIDTH)),
        }
        return sizes, arrays

    def linear_algebra(self, columns, single):
        """As `working`, of a system that is spread over the lanes: BLAS, and the QR that is made of it."""
        from lyapkit.kernels.blas import addresses
        from lyapkit.kernels.spread import orthonormalise  # compiled only where there is a large system

        sizes = {"orthonormalise": orthonormalise.address, **addresses()}
        arrays = {"gram": np.empty((columns, columns)), "info": np.zeros(1, dtype=np.int64)}
        if single and columns:
            length = columns * WIDTH * max(*self.rows.values(), self.rank_rows)
            sizes |= {"single": 1, "single_length": len(self.shared), "rounded_length": length}
            arrays |= {
                "shared_single": self.shared.astype(np.float32),
                "rounded": np.empty(length, dtype=np.float32),
                "images": np.empty(length, dtype=np.float32),
            }
        return sizes, arrays
