"""Generated kernels: modules in the kernel cache, named by the hash of their text.

A file, because numba caches machine code only for functions that stand in one; by its hash, so that the same
text finds the same machine code in every later process.
"""

import functools
import hashlib
import importlib.util
import os
import sys
import tempfile
import threading

from lyapkit.kernels.jit import cache_folder

_lock = threading.RLock()


def load_module(text):
    """Import `text` as a module from a file in the kernel cache named by its hash."""
    name = f"lyapkit_{hashlib.sha256(text.encode()).hexdigest()[:20]}"
    with _lock:
        return sys.modules.get(name) or _execute(name, _write(name, text))


def _execute(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # numba's cache looks the module up by name, also while it is executed
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _write(name, text):
    """Write the module where it can be written; atomically, since processes may race."""
    try:
        return _write_into(str(cache_folder()), name, text)
    except OSError:
        return _write_into(_temporary_folder(), name, text)


@functools.cache
def _temporary_folder():
    return tempfile.mkdtemp(prefix="lyapkit-")


def _write_into(folder, name, text):
    path = os.path.join(folder, f"{name}.py")
    os.makedirs(folder, exist_ok=True)
    if not os.path.exists(path):
        handle, partial = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "w") as file:
            file.write(text)
        os.replace(partial, path)
    return path
