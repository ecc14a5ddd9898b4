"""Generated kernels: modules in the kernel cache, named by the hash of their text.

A file, because numba caches machine code only for functions that stand in one; by its hash, so that the same
text finds the same machine code in every later process.
"""

import hashlib
import importlib.util
import os
import sys
import tempfile

from lyapkit.kernels.jit import cache_folder


def load_module(text):
    """Import `text` as a module from a file in the kernel cache named by its hash."""
    name = f"lyapkit_{hashlib.sha256(text.encode()).hexdigest()[:20]}"
    if name in sys.modules:
        return sys.modules[name]
    path = _write(name, text)
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
    for folder in (str(cache_folder()), tempfile.mkdtemp(prefix="lyapkit-")):
        path = os.path.join(folder, f"{name}.py")
        try:
            os.makedirs(folder, exist_ok=True)
            if not os.path.exists(path):
                handle, partial = tempfile.mkstemp(dir=folder)
                with os.fdopen(handle, "w") as file:
                    file.write(text)
                os.replace(partial, path)
            return path
        except OSError:
            continue
    raise OSError("neither the kernel cache nor the temporary folder can be written")
