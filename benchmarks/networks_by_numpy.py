"""Networks as one would write them in NumPy: the product, then np.linalg.qr at every step. And bare products."""

import numpy as np


def rate_map(J, x, frame, steps, dt):
    """Exponents per iterate of x <- (1 - dt) x + dt J tanh(x); frame (n, k), columns."""
    total = np.zeros(frame.shape[1])
    for _ in range(steps):
        slope = dt / np.cosh(x) ** 2
        x = (1.0 - dt) * x + dt * (J @ np.tanh(x))
        frame, r = np.linalg.qr((1.0 - dt) * frame + J @ (slope[:, None] * frame))
        total += np.log(abs(np.diag(r)))
    return np.sort(total / steps)[::-1]


def rate_flow(J, x, frame, steps, dt):
    """Exponents per time of x' = -x + J tanh(x) by rk4, state and frame together."""
    total = np.zeros(frame.shape[1])
    for _ in range(steps):
        slopes, stage, stage_frame = [], x, frame
        for ahead in (0.5, 0.5, 1.0, None):
            tangent = J @ (stage_frame / np.cosh(stage)[:, None] ** 2) - stage_frame
            slopes.append((J @ np.tanh(stage) - stage, tangent))
            if ahead:
                stage, stage_frame = x + ahead * dt * slopes[-1][0], frame + ahead * dt * slopes[-1][1]
        x, frame = (
            start + dt / 6 * (a + 2 * b + 2 * c + d) for start, a, b, c, d in zip((x, frame), *slopes, strict=True)
        )
        frame, r = np.linalg.qr(frame)
        total += np.log(abs(np.diag(r)))
    return np.sort(total / (steps * dt))[::-1]


def products(J, columns, count):
    """A callable that multiplies J with a frame `count` times, and nothing else."""
    frame, image = np.random.default_rng(0).standard_normal((2, J.shape[0], columns))

    def run():
        for _ in range(count):
            np.matmul(J, frame, out=image)

    return run


def sparse_products(J, columns, count):
    """The same of a sparse matrix, by SciPy."""
    frame = np.random.default_rng(0).standard_normal((J.shape[0], columns))

    def run():
        for _ in range(count):
            J @ frame

    return run
