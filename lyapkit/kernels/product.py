"""The kernel of all products of matrices (see `products`), compiled when the first network asks for it."""

from lyapkit.kernels.abi import number
from lyapkit.kernels.jit import kernel
from lyapkit.kernels.products import MULTIPLY, by_kind
from lyapkit.kernels.views import block_at


@kernel(MULTIPLY)
def product(call, header, transposed, source, columns, rows, row, target, target_rows):
    """Multiply the blocks at the addresses `source` and `target`; see `products.multiply`."""
    lanes = number(call, "lanes")
    from_block, to_block = block_at(source, columns, rows, lanes), block_at(target, columns, target_rows, lanes)
    by_kind(call, header, transposed, from_block, row, to_block)
