"""Floquet multipliers of any size: eigenvalues of a product of matrices that is never formed.

Orthogonal iteration runs around the cycle, Q_{s+1} R_s = A_s Q_s, until Q returns to itself up to blocks: then the
logarithms of a block's multipliers are sums of those of the diagonals of R (the periodic Schur form; Bojanczyk, Golub
& Van Dooren, SPIE 1770 (1992) 31). Multipliers of nearly equal modulus stay together in a block; its product, scaled,
is a small matrix whose eigenvalues are of similar size.
"""

import itertools

import numpy as np
import scipy.linalg

NEUTRAL = 1e-6  # |ln multiplier| below this counts as 1
_MOST_SWEEPS = 60
_COUPLED = 1e-13  # entries of Q' Q below the diagonal that still couple columns
_FREE = 1e-3  # ratio of moduli from which a column need not wait for its neighbour


def floquet(tangent):
    """Multipliers of cycles with tangent maps (P, S, n, n) of their segments, the first one first.

    Returns ln |multiplier| (P, n) sorted downwards, their unit phases (P, n) complex, an orthogonal basis (P, n, n) at
    the first segment's start that comes back to itself, and which columns (P, n) of it turn in a plane with the next.
    """
    points, _, n, _ = tangent.shape
    logs, phases = np.full((points, n), np.nan), np.full((points, n), np.nan, dtype=complex)
    basis = np.broadcast_to(np.eye(n), (points, n, n)).copy()
    good = np.flatnonzero(np.isfinite(tangent).all(axis=(1, 2, 3)))
    paired = np.zeros((points, n), dtype=bool)
    for index in good[:, None] if n > 8 else ([good] if len(good) else []):
        logs[index], phases[index], basis[index], paired[index] = _of_finite(tangent[index])
    return logs, phases, basis, paired


def _of_finite(tangent):
    points, _, n, _ = tangent.shape
    start = np.linalg.qr(np.random.default_rng(0).standard_normal((n, n)))[0]
    q = np.broadcast_to(start, (points, n, n)).copy()
    returned, growth = np.empty_like(q), np.empty((points, n))
    active = np.arange(points)
    for _ in range(_MOST_SWEEPS):
        begin = q[active]
        end, sums, _ = _sweep(tangent[active], begin, None)
        returned[active], growth[active] = begin.swapaxes(1, 2) @ end, sums
        q[active] = end
        active = active[~_settled(returned[active], sums)]
        if not len(active):
            break
    begin = q
    end, growth, triangles = _sweep(tangent, begin, True)
    return _eigenvalues(begin.swapaxes(1, 2) @ end, growth, triangles, begin)


def _settled(returned, growth):
    """Whether all columns whose multipliers differ clearly in modulus have parted (P,)."""
    n = returned.shape[1]
    settled = np.ones(len(returned), dtype=bool)
    for j in range(n - 1):
        coupling = abs(returned[:, j + 1 :, : j + 1]).max(axis=(1, 2))
        with np.errstate(all="ignore"):
            apart = growth[:, j + 1] - growth[:, j] < np.log(_FREE)
        settled &= (coupling <= _COUPLED) | ~apart
    return settled


def _sweep(tangent, q, keep):
    """Carry bases q once around: the basis at the end, sums of ln R_jj (P, n) and, where kept, all R."""
    points, segments, n, _ = tangent.shape
    diagonals, triangles = np.empty((segments, points, n)), []
    for s in range(segments):
        q, r = np.linalg.qr(tangent[:, s] @ q)
        diagonals[s] = np.diagonal(r, axis1=1, axis2=2)
        signs = np.where(diagonals[s] < 0, -1.0, 1.0)
        q = q * signs[:, None, :]
        if keep:
            triangles.append(r * signs[:, :, None])
    with np.errstate(divide="ignore"):
        growth = np.cumsum(np.log(abs(diagonals)), axis=0)[-1]  # one after the other, whatever the shape
    return q, growth, triangles


def _eigenvalues(returned, growth, triangles, basis):
    """Logarithms and phases of all multipliers, block by block, and the basis turned within the blocks."""
    points, n = growth.shape
    basis, paired = basis.copy(), np.zeros((points, n), dtype=bool)
    logs, phases = np.empty((points, n)), np.ones((points, n), dtype=complex)
    coupled = np.zeros((points, n), dtype=bool)  # column j with j + 1
    for j in range(n - 1):
        coupled[:, j] = abs(returned[:, j + 1 :, : j + 1]).max(axis=(1, 2)) > _COUPLED
    for pattern in np.unique(coupled, axis=0):
        index = np.flatnonzero((coupled == pattern).all(axis=1))
        edges = [0, *(np.flatnonzero(~pattern[:-1]) + 1).tolist(), n] if n > 1 else [0, 1]
        for low, high in itertools.pairwise(edges):
            if high - low == 1:
                logs[index, low] = growth[index, low]
                phases[index, low] = np.sign(returned[index, low, low])
            else:
                block = [r[index, low:high, low:high] for r in triangles]
                product, scale = _scaled_product(returned[index, low:high, low:high], block)
                logs[index, low:high], phases[index, low:high] = _sorted_eigenvalues(product, scale)
                for i, one in zip(index, product, strict=True):
                    triangle, turn = scipy.linalg.schur(one)
                    basis[i, :, low:high] = basis[i, :, low:high] @ turn
                    paired[i, low : high - 1] = np.diagonal(triangle, -1) != 0.0
    order = np.argsort(-logs, axis=1, kind="stable")
    return np.take_along_axis(logs, order, axis=1), np.take_along_axis(phases, order, axis=1), basis, paired


def _scaled_product(returned, triangles):
    """returned R_S ... R_1 as matrices (P, m, m) and the logarithms (P,) of factors taken out of them."""
    points, m, _ = returned.shape
    product, scale = np.broadcast_to(np.eye(m), (points, m, m)), np.zeros(points)
    for r in triangles:
        product = r @ product
        size = abs(product).max(axis=(1, 2))
        size = np.where(size > 0, size, 1.0)
        product, scale = product / size[:, None, None], scale + np.log(size)
    return returned @ product, scale


def _sorted_eigenvalues(product, scale):
    values = np.linalg.eigvals(product).astype(complex)
    order = np.argsort(-abs(values), axis=1, kind="stable")
    values = np.take_along_axis(values, order, axis=1)
    with np.errstate(all="ignore"):
        return np.log(abs(values)) + scale[:, None], np.where(values == 0, 1.0, values / abs(values))


def sorted_growth(growth, paired):
    """Growth (P, n) of the columns of a basis that returns, sorted downwards; of a pair, the mean of both."""
    growth = growth.copy()
    for j in range(growth.shape[1] - 1):
        mean = (growth[:, j] + growth[:, j + 1]) / 2
        growth[:, j : j + 2] = np.where(paired[:, j, None], mean[:, None], growth[:, j : j + 2])
    return -np.sort(-growth, axis=1)


def described(logs, phases, period):
    """The variables of multipliers, from their logarithms and phases (P, n), and of their rates over periods (P,)."""
    angle = np.angle(phases)
    with np.errstate(all="ignore"):
        return {
            "floquet_multiplier": np.exp(logs) * phases,
            "log_abs_multiplier": logs,
            "floquet_exponent": (logs + 1j * np.where(angle <= -np.pi, np.pi, angle)) / period[:, None],
        }
