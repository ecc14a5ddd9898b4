"""BLAS and LAPACK routines inside kernels, called by the addresses that SciPy's Cython interface publishes.

The addresses stand in the call table (`ADDRESSES`): an address baked into machine code could not be kept in the
disk cache. All matrices are column-major, as in Fortran; every routine runs on the thread that calls it
(see `one_thread`).
"""

import contextlib
import ctypes
import functools

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

# routine -> (module of scipy.linalg, arguments: c character, i integer, d double, f float, p address)
ROUTINES = {
    "dgemm": ("cython_blas", "cciiidpipidpi"),
    "sgemm": ("cython_blas", "cciiifpipifpi"),
    "dgemv": ("cython_blas", "ciidpipidpi"),
    "dsyrk": ("cython_blas", "cciidpidpi"),
    "dtrsm": ("cython_blas", "cccciidpipi"),
    "dpotrf": ("cython_lapack", "cipip"),
}
_LLVM = {"c": ir.IntType(8), "i": ir.IntType(32), "d": ir.DoubleType(), "f": ir.FloatType()}
_NUMBA = {"c": types.int64, "i": types.int64, "d": types.float64, "f": types.float64, "p": types.int64}


@functools.cache
def addresses():
    """Addresses of all routines, for the call table."""
    import importlib

    ctypes.pythonapi.PyCapsule_GetName.restype = ctypes.c_char_p
    ctypes.pythonapi.PyCapsule_GetName.argtypes = [ctypes.py_object]
    ctypes.pythonapi.PyCapsule_GetPointer.restype = ctypes.c_void_p
    ctypes.pythonapi.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    found = {}
    for name, (module, _) in ROUTINES.items():
        capsule = importlib.import_module(f"scipy.linalg.{module}").__pyx_capi__[name]
        text = ctypes.pythonapi.PyCapsule_GetName(capsule)
        found[name] = ctypes.pythonapi.PyCapsule_GetPointer(capsule, text)
    return found


def one_thread(wanted=True):
    """Keep BLAS to the calling thread: our own threads fill the cores, and bits must not depend on theirs."""
    if not wanted:
        return contextlib.nullcontext()
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, user_api="blas")


def _routine(name):
    letters = ROUTINES[name][1]

    @intrinsic
    def routine(typing_context, address, *args):
        expected = tuple(_NUMBA[letter] for letter in letters)

        def emit(context, builder, sig, values):
            arguments = [
                _by_reference(builder, letter, value)
                for letter, value in zip(letters, cgutils.unpack_tuple(builder, values[1]), strict=True)
            ]
            kind = ir.FunctionType(ir.VoidType(), [a.type for a in arguments])
            builder.call(builder.inttoptr(values[0], kind.as_pointer()), arguments)
            return context.get_dummy_value()

        return types.void(types.int64, types.StarArgTuple(expected)), emit

    return routine


def _by_reference(builder, letter, value):
    """Fortran takes every argument by reference."""
    if letter == "p":
        return builder.inttoptr(value, ir.IntType(8).as_pointer())
    if letter in "ci":
        value = builder.trunc(value, _LLVM[letter])
    if letter == "f":
        value = builder.fptrunc(value, _LLVM[letter])
    place = cgutils.alloca_once(builder, _LLVM[letter])
    builder.store(value, place)
    return place


dgemm, sgemm, dgemv, dsyrk, dtrsm, dpotrf = map(_routine, ROUTINES)


@intrinsic
def address(typing_context, array):
    """Where the array's numbers lie."""

    def emit(context, builder, sig, args):
        return builder.ptrtoint(make_array(sig.args[0])(context, builder, args[0]).data, ir.IntType(64))

    return types.int64(array), emit
