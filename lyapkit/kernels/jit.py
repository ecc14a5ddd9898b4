"""The one decorator of every compiled function, and where its machine code is kept.

Why one: ``fastmath`` and ``error_model`` of whichever caller compiles first leak into the callees and
into numba's disk cache, so both are stated here, once, for all kernels. Only ``contract`` is allowed
(``a * b + c`` may become one fused operation); NaN and infinities keep their meaning.

numba notices an edit of the file that holds a kernel, but not an edit of a helper in another file.
So the cache folder is named by a fingerprint of all kernel sources: any edit starts a fresh folder.
"""

import functools
import hashlib
import os
import pathlib
import sys

import numba
from numba.core import caching, cgutils
from numba.extending import intrinsic

FASTMATH = {"contract"}
_PACKAGE = pathlib.Path(__file__).resolve().parent.parent
# Everything that ends up inside machine code: the kernels, and the generator of cells.
_SOURCES = ("kernels", "systems")


@functools.cache
def fingerprint():
    """Hash (12 hex digits) of the kernel sources and of the versions that compile them."""
    digest = hashlib.sha256(f"{numba.__version__} {sys.version_info[:2]}".encode())
    for folder in _SOURCES:
        for path in sorted((_PACKAGE / folder).rglob("*.py")):
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def cache_folder():
    """Folder of compiled kernels and generated sources.

    ``$LYAPKIT_CACHE_DIR``, else ``$XDG_CACHE_HOME/lyapkit``, else ``~/.cache/lyapkit``, and in it one
    folder per fingerprint.
    """
    root = os.environ.get("LYAPKIT_CACHE_DIR")
    if not root:
        home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        root = os.path.join(home, "lyapkit")
    return pathlib.Path(root) / fingerprint()


class _Locator:
    """Puts a kernel's machine code into `cache_folder`, whatever file its source stands in."""

    def __init__(self, path):
        self._path = str(path)

    @classmethod
    def from_function(cls, function, source_file):
        locator = cls(cache_folder())
        try:
            locator.ensure_cache_path()
        except OSError:  # a read-only home: compile in every process, but work
            return None
        return locator

    def ensure_cache_path(self):
        os.makedirs(self._path, exist_ok=True)
        if not os.access(self._path, os.W_OK):
            raise PermissionError(self._path)

    def get_cache_path(self):
        return self._path

    def get_source_stamp(self):
        return os.path.basename(self._path)  # the folder's name is the stamp

    def get_disambiguator(self):
        return None


class _CacheImpl(caching.CompileResultCacheImpl):
    _locator_classes = [_Locator]


class _KernelCache(caching.FunctionCache):
    _impl_class = _CacheImpl

    def load_overload(self, signature, target_context):
        found = super().load_overload(signature, target_context)
        if found is None:
            announce(self._py_func.__name__)
        return found


_listener = [lambda name: None]


def on_compile(listener):
    """Call `listener(name)` from now on whenever a kernel is compiled instead of loaded."""
    _listener[0] = listener


def announce(name):
    """Tell the listener that the kernel `name` is about to be compiled."""
    _listener[0](name)


class Kernel:
    """A compiled function: callable from Python, and by `address` from other kernels.

    Kernels get each other's addresses as integers and turn them into function pointers by `pointer_maker`.
    numba would also take the function itself, but then either looks it up anew at every call (0.4 ms)
    or calls it through a wrapper for C, which takes the interpreter's lock (0.5 us).
    """

    def __init__(self, dispatcher, signature):
        self._dispatcher = dispatcher
        compiled = dispatcher.get_compile_result(signature)
        self.address = compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)

    def __call__(self, *args):
        return self._dispatcher(*args)


def pointer_maker(kind):
    """An intrinsic that makes the function pointer of type `kind` from the address of a Kernel."""

    @intrinsic
    def pointer(typing_context, address):
        def emit(context, builder, sig, args):
            made = cgutils.create_struct_proxy(kind)(context, builder)
            made.jit_addr = builder.inttoptr(args[0], made.jit_addr.type)
            made.c_addr = cgutils.get_null_value(made.c_addr.type)
            made.py_addr = cgutils.get_null_value(made.py_addr.type)
            return made._getvalue()

        return kind(numba.types.int64), emit

    return pointer


def kernel(signature):
    """Compile the decorated function now for `signature` (see abi), or load it from the cache."""

    def compile_or_load(function):
        dispatcher = inline(function)
        try:
            dispatcher._cache = _KernelCache(function)
        except RuntimeError:  # no writable cache folder
            announce(function.__name__)
        dispatcher.compile(signature)
        dispatcher.disable_compile()
        return Kernel(dispatcher, signature)

    return compile_or_load


def inline(function):
    """Compile the decorated function when a kernel calls it, as a part of that kernel."""
    return numba.njit(nogil=True, fastmath=FASTMATH, error_model="numpy", forceinline=True)(function)
