"""JAX's reverse mode over a lax.scan: the gradient of an orbit's end by the first state and the weights, in float64.

Importing this module raises ImportError where JAX is not installed.
"""

import jax
import jax.numpy as jnp

jax.config.update("jax_enable_x64", True)


def gradient(W, x, cotangent, steps, weights):
    """A callable: d (cotangent . x_steps) of x <- tanh(W x), by x_0, and by W where asked."""

    def loss(x, W):
        return cotangent @ jax.lax.scan(lambda x, _: (jnp.tanh(W @ x), None), x, length=steps)[0]

    compiled = jax.jit(jax.grad(loss, argnums=(0, 1) if weights else 0))
    arguments = jnp.asarray(x), jnp.asarray(W)
    return lambda: jax.block_until_ready(compiled(*arguments))
