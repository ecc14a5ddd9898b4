"""Views of arrays that own nothing.

An ordinary slice in a kernel counts a reference to its memory, atomically, at 5 ns each way: more than the
arithmetic of a step of eight lanes. Whoever calls a kernel keeps the memory alive.
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array


def _view(builder, context, source, result_type, data, shape, strides):
    """An array struct on the memory of `source`, without ownership."""
    view = make_array(result_type)(context, builder)
    items = ir.Constant(ir.IntType(64), 1)
    for length in shape:
        items = builder.mul(items, length)
    view.data, view.itemsize, view.nitems = data, source.itemsize, items
    view.shape = cgutils.pack_array(builder, shape)
    view.strides = cgutils.pack_array(builder, strides)
    view.meminfo = cgutils.get_null_value(view.meminfo.type)
    view.parent = cgutils.get_null_value(view.parent.type)
    return view._getvalue()


@intrinsic
def part(typing_context, array, i):
    """array[i]."""
    result = types.Array(array.dtype, array.ndim - 1, "C")

    def emit(context, builder, sig, args):
        source = make_array(sig.args[0])(context, builder, args[0])
        shape = cgutils.unpack_tuple(builder, source.shape)
        strides = cgutils.unpack_tuple(builder, source.strides)
        data = cgutils.pointer_add(builder, source.data, builder.mul(args[1], strides[0]), source.data.type)
        return _view(builder, context, source, result, data, shape[1:], strides[1:])

    return result(array, types.intp), emit


@intrinsic
def merged(typing_context, array):
    """array with its last but one axis and the one before made one: (..., k, n, L) as (..., k n, L).

    The array is C-ordered, so that no number moves.
    """
    result = types.Array(array.dtype, array.ndim - 1, "C")

    def emit(context, builder, sig, args):
        source = make_array(sig.args[0])(context, builder, args[0])
        shape = cgutils.unpack_tuple(builder, source.shape)
        strides = cgutils.unpack_tuple(builder, source.strides)
        shape = [*shape[:-3], builder.mul(shape[-3], shape[-2]), shape[-1]]
        strides = [*strides[:-3], *strides[-2:]]
        return _view(builder, context, source, result, source.data, shape, strides)

    return result(array), emit


@intrinsic
def block_at(typing_context, address, count, rows, lanes):
    """A block (count, rows, lanes) of doubles at an address."""
    result = types.Array(types.float64, 3, "C")

    def emit(context, builder, sig, args):
        view = make_array(sig.return_type)(context, builder)
        size = ir.Constant(ir.IntType(64), 8)
        row = builder.mul(args[3], size)
        view.data = builder.inttoptr(args[0], view.data.type)
        view.itemsize, view.nitems = size, builder.mul(builder.mul(args[1], args[2]), args[3])
        view.shape = cgutils.pack_array(builder, args[1:])
        view.strides = cgutils.pack_array(builder, [builder.mul(args[2], row), row, size])
        view.meminfo = cgutils.get_null_value(view.meminfo.type)
        view.parent = cgutils.get_null_value(view.parent.type)
        return view._getvalue()

    return result(types.int64, types.int64, types.int64, types.int64), emit


@intrinsic
def block(typing_context, array, row, count, rows):
    """`count` neighbouring blocks of `rows` rows of a two-dimensional array, from `row` on: (count, rows, L)."""
    result = types.Array(array.dtype, 3, "C")

    def emit(context, builder, sig, args):
        source = make_array(sig.args[0])(context, builder, args[0])
        lanes = cgutils.unpack_tuple(builder, source.shape)[1]
        stride, item = cgutils.unpack_tuple(builder, source.strides)
        data = cgutils.pointer_add(builder, source.data, builder.mul(args[1], stride), source.data.type)
        shape = [args[2], args[3], lanes]
        return _view(builder, context, source, result, data, shape, [builder.mul(args[3], stride), stride, item])

    return result(array, types.intp, types.intp, types.intp), emit
