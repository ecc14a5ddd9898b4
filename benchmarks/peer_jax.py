"""JAX on the map: a vmapped, jitted lax.scan in float64, written in three ways.

    general      the map as a function of its state, tangents by jax.linearize, Gram-Schmidt over columns:
                 what a user writes who wants any map to work (the form that the bound is about)
    library_qr   the same with jnp.linalg.qr, one LAPACK call per point and step
    written_out  Jacobian products and Gram-Schmidt by hand for two units: JAX's own limit

Importing this module raises ImportError where JAX is not installed. XLA takes as many threads as it sees
cores when it starts, so the caller pins the process to one core before the import.
"""

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)


def _columns_orthonormal(frame):
    columns, logs = [], []
    for j in range(frame.shape[1]):
        column = frame[:, j]
        for earlier in columns:
            column = column - (earlier @ column) * earlier
        length = jnp.linalg.norm(column)
        columns.append(column / length)
        logs.append(jnp.log(length))
    return jnp.stack(columns, 1), jnp.stack(logs)


def _library_qr(frame):
    q, r = jnp.linalg.qr(frame)
    return q, jnp.log(jnp.abs(jnp.diag(r)))


def _by_linearize(orthonormalise):
    def exponents(a, b, steps):
        matrix = jnp.array([[a, -b], [b, a]])

        def step(carry, _):
            x, frame, logs = carry
            x, tangent = jax.linearize(lambda state: jnp.tanh(matrix @ state), x)
            frame, grown = orthonormalise(jax.vmap(tangent, 1, 1)(frame))
            return (x, frame, logs + grown), None

        start = jnp.array([0.3, 0.1]), jnp.eye(2), jnp.zeros(2)
        return jax.lax.scan(step, start, length=steps)[0][2] / steps

    return exponents


def _normalise(p, q):
    length = jnp.sqrt(p * p + q * q)
    return p / length, q / length, jnp.log(length)


def _step_written_out(a, b, carry):
    x, y, p0, p1, q0, q1, sum1, sum2 = carry
    x, y = jnp.tanh(a * x - b * y), jnp.tanh(b * x + a * y)
    s, r = 1.0 - x * x, 1.0 - y * y
    p0, p1 = s * (a * p0 - b * p1), r * (b * p0 + a * p1)
    q0, q1 = s * (a * q0 - b * q1), r * (b * q0 + a * q1)
    p0, p1, log1 = _normalise(p0, p1)
    along = p0 * q0 + p1 * q1
    q0, q1, log2 = _normalise(q0 - along * p0, q1 - along * p1)
    return x, y, p0, p1, q0, q1, sum1 + log1, sum2 + log2


def _written_out(a, b, steps):
    start = tuple(jnp.float64(value) for value in (0.3, 0.1, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0))
    last, _ = jax.lax.scan(lambda carry, _: (_step_written_out(a, b, carry), None), start, length=steps)
    return jnp.stack(last[-2:]) / steps


FORMS = {
    "general": _by_linearize(_columns_orthonormal),
    "library_qr": _by_linearize(_library_qr),
    "written_out": _written_out,
}


def rotation_map(form, points, steps):
    """A callable that gives both exponents of every point (alpha, theta), compiled already."""
    exponents = FORMS[form]

    @jax.jit
    @jax.vmap
    def over_points(point):
        return exponents(point[0] * jnp.cos(point[1]), point[0] * jnp.sin(point[1]), steps)

    points = jnp.asarray(points, dtype=jnp.float64)
    np.asarray(over_points(points))
    return lambda: np.asarray(over_points(points))
