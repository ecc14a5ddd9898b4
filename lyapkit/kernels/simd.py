"""Eight lanes as one value: the numba type behind every loop over lanes.

A scalar loop over lanes vectorises only when LLVM can prove that its rows do not overlap, and a short
block (one system padded to eight lanes) falls into the scalar remainder, whose rounding may differ from the
vector body's. Writing the vector as a value removes both: every lane of every block goes through the same
instructions, so its bits depend on neither its neighbours nor its place.

In a kernel::

    for lane in range(0, x.shape[-1], WIDTH):
        a = load(x, (0, lane))                  # x[0, lane:lane + 8]
        store(out, (0, lane), 2.0 * a + 1.0)

Values of type `lanes` know + - * / and comparisons (which give a `mask`), also with a Python float on
either side; ``where``, ``fma`` and the functions below do the rest.
"""

import operator

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model
from numba.np.arrayobj import make_array

WIDTH = 8
_DOUBLES = ir.VectorType(ir.DoubleType(), WIDTH)
_INTEGERS = ir.VectorType(ir.IntType(64), WIDTH)
_BOOLEANS = ir.VectorType(ir.IntType(1), WIDTH)
_FLAGS = ("contract",)  # the same as jit.FASTMATH; numba does not add it to hand-built instructions


class Lanes(types.Type):
    """Numba type of eight numbers of one kind; `element` is f8, i8 or b1."""

    def __init__(self, element):
        self.element = element
        super().__init__(name=f"lanes({element} x {WIDTH})")


class _Doubles(Lanes):
    pass


class _Integers(Lanes):
    pass


class _Booleans(Lanes):
    pass


lanes, bits, mask = _Doubles("f8"), _Integers("i8"), _Booleans("b1")

for _type, _llvm in ((_Doubles, _DOUBLES), (_Integers, _INTEGERS), (_Booleans, _BOOLEANS)):

    def _make_model(llvm):
        class Model(models.PrimitiveModel):
            def __init__(self, manager, numba_type):
                super().__init__(manager, numba_type, llvm)

        return Model

    register_model(_type)(_make_model(_llvm))


def _splat(builder, scalar, vector_type):
    undefined = ir.Constant(vector_type, ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(first, undefined, zeros)


def _widen(builder, sig, args):
    """The arguments with scalars repeated over the lanes."""
    vector = {types.float64: _DOUBLES, types.int64: _INTEGERS}
    return [
        _splat(builder, value, vector[kind]) if kind in vector else value
        for kind, value in zip(sig.args, args, strict=True)
    ]


def _define_operator(function, emit, result, left, right):
    """Teach numba `left function right`, and both mixed forms with a scalar."""
    scalar = {lanes: types.float64, bits: types.int64}.get(left)
    signatures = [signature(result, left, right)]
    if scalar is not None:
        signatures += [signature(result, left, scalar), signature(result, scalar, right)]

    @infer_global(function)
    class Operator(ConcreteTemplate):
        cases = signatures

    def lower(context, builder, sig, args):
        return emit(builder, *_widen(builder, sig, args))

    for one in signatures:
        lower_builtin(function, *one.args)(lower)


def _float_operation(name):
    return lambda builder, a, b: getattr(builder, name)(a, b, flags=_FLAGS)


def _comparison(predicate):
    # != is true for NaN ("unordered"), every other comparison is false
    method = "fcmp_unordered" if predicate == "!=" else "fcmp_ordered"
    return lambda builder, a, b: getattr(builder, method)(predicate, a, b)


def _integer_operation(name):
    return lambda builder, a, b: getattr(builder, name)(a, b)


for _functions, _name in (
    ((operator.add, operator.iadd), "fadd"),
    ((operator.sub, operator.isub), "fsub"),
    ((operator.mul, operator.imul), "fmul"),
    ((operator.truediv, operator.itruediv), "fdiv"),
):
    for _function in _functions:
        _define_operator(_function, _float_operation(_name), lanes, lanes, lanes)
for _function, _predicate in (
    (operator.lt, "<"),
    (operator.le, "<="),
    (operator.gt, ">"),
    (operator.ge, ">="),
    (operator.eq, "=="),
    (operator.ne, "!="),
):
    _define_operator(_function, _comparison(_predicate), mask, lanes, lanes)
for _function, _name in (
    (operator.add, "add"),
    (operator.sub, "sub"),
    (operator.and_, "and_"),
    (operator.or_, "or_"),
    (operator.xor, "xor"),
    (operator.lshift, "shl"),
    (operator.rshift, "lshr"),
):
    _define_operator(_function, _integer_operation(_name), bits, bits, bits)
for _function, _name in ((operator.and_, "and_"), (operator.or_, "or_")):
    _define_operator(_function, _integer_operation(_name), mask, mask, mask)


@infer_global(operator.neg)
class _Negation(ConcreteTemplate):
    cases = [signature(lanes, lanes)]


@lower_builtin(operator.neg, lanes)
def _lower_negation(context, builder, sig, args):
    return builder.fneg(args[0])


@infer_global(operator.invert)
class _Inversion(ConcreteTemplate):
    cases = [signature(mask, mask)]


@lower_builtin(operator.invert, mask)
def _lower_inversion(context, builder, sig, args):
    return builder.not_(args[0])


def _pointer(context, builder, sig, args):
    """Address of the first of the eight neighbours at the index tuple args[1]."""
    array = make_array(sig.args[0])(context, builder, args[0])
    address = cgutils.get_item_pointer2(
        context,
        builder,
        array.data,
        cgutils.unpack_tuple(builder, array.shape),
        cgutils.unpack_tuple(builder, array.strides),
        "C",
        cgutils.unpack_tuple(builder, args[1]),
        wraparound=False,
    )
    return builder.bitcast(address, _DOUBLES.as_pointer())


def _indices(array):
    return types.UniTuple(types.intp, array.ndim)


@intrinsic
def load(typing_context, array, index):
    """array[index] and its seven right-hand neighbours."""

    def emit(context, builder, sig, args):
        value = builder.load(_pointer(context, builder, sig, args))
        value.align = 8
        return value

    return lanes(array, _indices(array)), emit


@intrinsic
def repeat(typing_context, array, index):
    """array[index] in all lanes, for an index that is not negative."""

    def emit(context, builder, sig, args):
        source = make_array(sig.args[0])(context, builder, args[0])
        return _splat(builder, builder.load(builder.gep(source.data, [args[1]])), _DOUBLES)

    return lanes(array, types.intp), emit


@intrinsic
def store(typing_context, array, index, value):
    """Write `value` to array[index] and its seven right-hand neighbours."""

    def emit(context, builder, sig, args):
        written = builder.store(args[2], _pointer(context, builder, sig, args))
        written.align = 8
        return context.get_dummy_value()

    return types.void(array, _indices(array), lanes), emit


def _llvm_function(name, arity):
    """An LLVM floating-point intrinsic, elementwise over the lanes."""

    def emit(context, builder, sig, args):
        kind = ir.FunctionType(_DOUBLES, [_DOUBLES] * arity)
        function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{WIDTH}f64")
        return builder.call(function, args)

    return emit


@intrinsic
def fma(typing_context, a, b, c):
    """a * b + c, rounded once."""
    return lanes(lanes, lanes, lanes), _llvm_function("fma", 3)


@intrinsic
def sqrt(typing_context, a):
    """Square root; NaN below zero."""
    return lanes(lanes), _llvm_function("sqrt", 1)


@intrinsic
def absolute(typing_context, a):
    """|a|."""
    return lanes(lanes), _llvm_function("fabs", 1)


@intrinsic
def floor(typing_context, a):
    """Largest integer not above a."""
    return lanes(lanes), _llvm_function("floor", 1)


@intrinsic
def rint(typing_context, a):
    """Nearest integer, ties to even."""
    return lanes(lanes), _llvm_function("rint", 1)


@intrinsic
def copysign(typing_context, size, sign):
    """|size| with the sign of `sign`, also for zeros and NaN."""
    return lanes(lanes, lanes), _llvm_function("copysign", 2)


@intrinsic
def where(typing_context, condition, a, b):
    """a where the mask is set, else b."""

    def emit(context, builder, sig, args):
        return builder.select(*args)

    return lanes(mask, lanes, lanes), emit


@intrinsic
def splat(typing_context, scalar):
    """The scalar in all lanes."""

    def emit(context, builder, sig, args):
        return _splat(builder, args[0], _DOUBLES)

    return lanes(types.float64), emit


@intrinsic
def to_bits(typing_context, a):
    """The IEEE bit patterns as integers."""

    def emit(context, builder, sig, args):
        return builder.bitcast(args[0], _INTEGERS)

    return bits(lanes), emit


@intrinsic
def from_bits(typing_context, a):
    """The numbers with these IEEE bit patterns."""

    def emit(context, builder, sig, args):
        return builder.bitcast(args[0], _DOUBLES)

    return lanes(bits), emit


@intrinsic
def any_lane(typing_context, condition):
    """Whether the mask is set in at least one lane."""

    def emit(context, builder, sig, args):
        packed = builder.bitcast(args[0], ir.IntType(WIDTH))
        return builder.icmp_unsigned("!=", packed, ir.Constant(ir.IntType(WIDTH), 0))

    return types.boolean(mask), emit


@intrinsic
def pick(typing_context, a, lane):
    """The number in one lane."""

    def emit(context, builder, sig, args):
        return builder.extract_element(args[0], builder.trunc(args[1], ir.IntType(32)))

    return types.float64(lanes, types.intp), emit


@intrinsic
def put(typing_context, a, lane, value):
    """`a` with the number in one lane replaced."""

    def emit(context, builder, sig, args):
        return builder.insert_element(args[0], args[2], builder.trunc(args[1], ir.IntType(32)))

    return lanes(lanes, types.intp, types.float64), emit
