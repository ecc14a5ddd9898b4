"""The call table: how kernels hand each other their arrays.

A kernel that is called through a pointer (a cell, a step, an input) takes one argument: the address of a table
of integers that holds sizes, other numbers and the addresses of arrays. Passing a dozen arrays by value
would cost more than the arithmetic of a step of eight lanes; reading from the table costs a load for
what is used. A step points entries elsewhere for the duration of a stage (`redirect`).

In a kernel: ``x = field(call, "x")``, ``number(call, "steps")``. From Python: `Call`, which checks every shape.

All arrays end in the lane axis, a multiple of `simd.WIDTH`, and are C-ordered float64 unless said.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from lyapkit.kernels.blas import ROUTINES
from lyapkit.kernels.jit import pointer_maker

# name -> meaning. Sizes first, as the shapes below use them.
NUMBERS = {
    "lanes": "lanes, a multiple of simd.WIDTH",
    "n": "rows of the state: its units, or spread over the lanes an eighth of them",
    "k": "columns of the tangent frame; 0: the state alone",
    "inputs": "rows of the input: its components, or spread over the lanes an eighth of them",
    "components": "components of the input",
    "held": "1: the input keeps its value during a step",
    "rows": "prepared parameters: the raw ones, then all that depends on them alone",
    "raw": "raw parameters",
    "directions": "k where parameter directions are carried, else 0",
    "shared_length": "numbers shared by all lanes",
    "index_length": "integers shared by all lanes",
    "scratch_rows": "rows of the cell's working space (a cell allocates nothing)",
    "stages": "stages of the step",
    "controls": "rows of control, 0 where steps are of fixed length",
    "units": "units of the state, padding not counted",
    "signal_length": "samples of the input",
    "sum_rows": "rows of sums: weighted ones, then batches",
    "growths": "k + 2: columns, volume, steps",
    "qualities": "rows of quality",
    "samples": "recorded states",
    "spare_rows": "rows of the driver's working space",
    "cell": "address of the cell",
    "step": "address of the step",
    "drive": "address of the input",
    "spread": "1: one system, its units spread over the lanes (see systems.layout); 0: one system a lane",
    "orthonormalise": "address of the kernel that orthonormalises a spread frame",
    **{name: f"address of BLAS or LAPACK's {name}" for name in ROUTINES},
    "product": "address of the kernel that multiplies matrices",
    "single": "1: products with a spread frame in single precision",
    "single_length": "numbers of the rounded matrices, 0 unless single",
    "rounded_length": "numbers of the rounded frame",
    "turned_rows": "units of the longest vector, where a spread system has sparse matrices",
    "rank_blocks": "k, or 1 without a frame: blocks of working space of products of low rank",
    "rank_rows": "rows of such a block",
    "start": "steps of the phase that are done",
    "steps": "steps to do now",
    "total": "steps of the phase",
    "settle": "while fewer steps are done, intervals may grow",
    "additive": "1: divergences add up, times h; 0: they are determinants, which multiply",
    "stride": "steps between recorded states; 0: none",
    "fixed": "1: the orthonormalisation intervals are not to be changed",
    "carry_rows": "2 (k + 1)",
    "collect": "steps between logarithms of growth, a multiple of all orthonormalisation intervals",
    "batch": "steps of a batch, a multiple of tangent.WINDOW",
    "column_rows": "rows of column_scratch",
    "half": "of an adjoint: 1: the rate, and what the columns need; 2: the columns; 0: both",
    "taped": "1: an adjoint of a network writes operand and cotangent",
    "operand_rows": "rows of the vectors that a network's matrices multiply, 0 unless taped",
    "cotangent_rows": "rows of the cotangents of products and vectors of parameters, 0 unless taped",
    "adjoint": "address of the adjoint",
    "is_map": "1: a map is swept backwards, 0: the steps of a flow",
    "tape_steps": "steps of a backward sweep",
    "tableau_rows": "stages + 1",
}
# name -> shape, in the numbers above
FIELDS = {
    "t": ("lanes",),  # time of each lane (maps: iterates done)
    "h": ("lanes",),  # step size
    "x": ("n", "lanes"),  # state
    "frame": ("k", "n", "lanes"),  # tangent frame Q, one column a row (adjoint: cotangents)
    "u": ("inputs", "lanes"),  # input at time t
    "signal": ("signal_length", "components"),
    "input_dt": (1,),  # time between samples
    "p": ("rows", "lanes"),  # prepared parameters
    "dp": ("directions", "raw", "lanes"),  # direction in the raw parameters of each column
    "shared": ("shared_length",),  # weights, stored once
    "index": ("index_length",),  # int64
    "scratch": ("scratch_rows", "lanes"),
    # what a cell writes: f(t, x, u, p) (maps: the next state), D_x f Q + D_p f dp, and
    # tr D_x f (maps: det D_x f, sign included)
    "rate": ("n", "lanes"),
    "frame_rate": ("k", "n", "lanes"),
    "divergence": ("lanes",),
    "parameter_part": ("k", "raw", "lanes"),  # adjoint: D_p f' w besides frame_rate = D_x f' w
    # what a step works with: the time, state and frame of a later stage, the slopes of all stages
    "stage_t": ("lanes",),
    "stage_x": ("n", "lanes"),
    "stage_frame": ("k", "n", "lanes"),
    "slopes": ("stages", "n", "lanes"),
    "frame_slopes": ("stages", "k", "n", "lanes"),
    "mean_divergence": ("lanes",),  # over the step
    "control": ("controls", "lanes"),  # of adaptive steps, see steps/_control.py
    "tolerance": (2,),  # rtol, atol
    # what the driver keeps: see tangent.py
    "carry": ("carry_rows", "lanes"),
    "interval": (2, "lanes"),
    "sums": ("sum_rows", "growths", "lanes"),
    "quality": ("qualities", "lanes"),
    "record": ("samples", "n", "lanes"),
    "growth": ("growths", "lanes"),  # R_jj of the last orthonormalisation
    "shared_single": ("single_length",),  # float32: the shared data rounded
    "rounded": ("rounded_length",),  # float32: working space of single precision
    "images": ("rounded_length",),
    "turned": ("turned_rows", 8),  # eight columns of a spread frame, entry by entry
    "low_rank": ("rank_blocks", "rank_rows", "lanes"),
    "gram": ("k", "k"),  # working space of a spread frame's QR, and LAPACK's verdict
    "info": (1,),
    "column_scratch": ("column_rows", "lanes"),  # working space of an adjoint's columns
    # what an adjoint of a network writes where it is taped
    "operand": ("operand_rows", "lanes"),
    "cotangent": ("k", "cotangent_rows", "lanes"),
    # a backward sweep, see backward.py
    "tableau": ("tableau_rows", "tableau_rows"),
    "begin": ("lanes",),
    "stage_states": ("tape_steps", "stages", "n", "lanes"),
    "stage_u": ("tape_steps", "stages", "inputs", "lanes"),
    "stage_scratch": ("tape_steps", "stages", "scratch_rows", "lanes"),
    "scale": ("k", "lanes"),
    "scales": ("tape_steps", "k", "lanes"),
    "parameter_parts": ("tape_steps", "k", "raw", "lanes"),
    "operands": ("tape_steps", "stages", "operand_rows", "lanes"),
    "cotangents": ("tape_steps", "stages", "k", "cotangent_rows", "lanes"),
    "spare": ("spare_rows", "lanes"),
}
_PLACE = {name: i for i, name in enumerate([*NUMBERS, *FIELDS])}
_DTYPES = dict.fromkeys(("index", "info"), types.int64)
_DTYPES |= dict.fromkeys(("shared_single", "rounded", "images"), types.float32)
_NUMPY = {name: np.dtype(str(_DTYPES.get(name, "float64"))) for name in FIELDS}

rows = types.Array(types.float64, 2, "C")
# A cell writes rate, frame_rate and divergence. A map is iterated in place: its cell must stand rate being x and
# frame_rate being frame. adjoint and multilinear (D^k f[frame_1, ..., frame_k] to rate) have the
# same form, as have a step (advances t, x and frame by h), an input (writes u at t) and `tangent.advance`.
CALL = types.void(types.int64)
# prepare(raw, p): the prepared parameters from the raw ones, once per block
PREPARE = types.void(rows, rows)

pointer_at = pointer_maker(types.FunctionType(CALL))


class Call:
    """A call table and the arrays that it points to, which it keeps alive."""

    def __init__(self, numbers, arrays):
        self._table = np.zeros(len(_PLACE), dtype=np.int64)
        self._arrays = {}
        self.set(**numbers)
        self.point(**arrays)

    @property
    def address(self):
        """What kernels are called with."""
        return self._table.ctypes.data

    def set(self, **numbers):
        """Write numbers to the table."""
        for name, value in numbers.items():
            if name not in NUMBERS:
                raise KeyError(name)
            self._table[_PLACE[name]] = value

    def point(self, **arrays):
        """Point fields at arrays, whose shapes must fit the numbers."""
        sizes = dict(zip(NUMBERS, self._table.tolist(), strict=False))
        for name, array in arrays.items():
            shape = tuple([sizes.get(d, d) for d in FIELDS[name]])
            dtype = _NUMPY[name]
            if array.shape != shape or array.dtype != dtype or not array.flags.c_contiguous:
                raise TypeError(f"{name}: {array.dtype} {array.shape}, expected {dtype} {shape}")
            self._arrays[name] = array
            self._table[_PLACE[name]] = array.__array_interface__["data"][0]


def _entry(builder, call, name):
    """Pointer to an entry of the table."""
    table = builder.inttoptr(call, ir.IntType(64).as_pointer())
    return builder.gep(table, [ir.Constant(ir.IntType(64), _PLACE[name])])


@intrinsic(prefer_literal=True)
def number(typing_context, call, name):
    """The number `name` of the table."""

    def emit(context, builder, sig, args):
        return builder.load(_entry(builder, args[0], sig.args[1].literal_value))

    return types.int64(types.int64, name), emit


@intrinsic(prefer_literal=True)
def field(typing_context, call, name):
    """The array `name` of the table, as a view that owns nothing."""
    dtype = _DTYPES.get(name.literal_value, types.float64)
    size = dtype.bitwidth // 8
    result = types.Array(dtype, len(FIELDS[name.literal_value]), "C")

    def emit(context, builder, sig, args):
        label = sig.args[1].literal_value
        array = make_array(sig.return_type)(context, builder)
        shape = [_size(builder, args[0], d) for d in FIELDS[label]]
        strides = [ir.Constant(ir.IntType(64), size)]
        for length in shape[:0:-1]:
            strides.insert(0, builder.mul(length, strides[0]))
        array.nitems = builder.udiv(builder.mul(shape[0], strides[0]), ir.Constant(ir.IntType(64), size))
        array.itemsize = ir.Constant(ir.IntType(64), size)
        array.shape = cgutils.pack_array(builder, shape)
        array.strides = cgutils.pack_array(builder, strides)
        address = builder.load(_entry(builder, args[0], label))
        array.data = builder.inttoptr(address, array.data.type)
        array.meminfo = cgutils.get_null_value(array.meminfo.type)
        array.parent = cgutils.get_null_value(array.parent.type)
        return array._getvalue()

    return result(types.int64, name), emit


def _size(builder, call, dimension):
    if isinstance(dimension, int):
        return ir.Constant(ir.IntType(64), dimension)
    return builder.load(_entry(builder, call, dimension))


@intrinsic(prefer_literal=True)
def renumber(typing_context, call, name, value):
    """Write the number `name` of the table."""

    def emit(context, builder, sig, args):
        builder.store(args[2], _entry(builder, args[0], sig.args[1].literal_value))
        return context.get_dummy_value()

    return types.void(types.int64, name, types.int64), emit


@intrinsic(prefer_literal=True)
def redirect(typing_context, call, name, array):
    """Point the table's field `name` at the array."""

    def emit(context, builder, sig, args):
        source = make_array(sig.args[2])(context, builder, args[2])
        address = builder.ptrtoint(source.data, ir.IntType(64))
        builder.store(address, _entry(builder, args[0], sig.args[1].literal_value))
        return context.get_dummy_value()

    return types.void(types.int64, name, array), emit
