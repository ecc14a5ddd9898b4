"""Weights as the bytes of a file, .npz or .safetensors; `load_network` reads them."""

import io
import json

import numpy as np

_DTYPES = {"float32": "F32", "float64": "F64"}  # of NumPy -> those of safetensors


def npz(arrays, notes):
    """A .npz file of name -> array; it has no room for notes."""
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def safetensors(arrays, notes):
    """A .safetensors file of name -> array, with notes name -> text.

    The length of the header (8 bytes, little-endian), the header in JSON padded to whole 8 bytes, then the arrays'
    bytes by rows, one after the other (https://huggingface.co/docs/safetensors).
    """
    header, content = {"__metadata__": dict(notes)}, []
    end = 0
    for name, array in arrays.items():
        ordered = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        start, end = end, end + ordered.nbytes
        place = {"dtype": _DTYPES[array.dtype.name], "shape": list(array.shape), "data_offsets": [start, end]}
        header[name] = place
        content.append(ordered.tobytes())
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *content])


WRITERS = {".npz": npz, ".safetensors": safetensors}
