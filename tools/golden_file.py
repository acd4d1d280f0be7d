# SPDX-License-Identifier: Apache-2.0
"""golden_file.py - writes the arrays of a golden file as safetensors, for the golden_*.py beside it."""
import json
import struct


def write(path, arrays):
    header, at = {}, 0
    for name, a in arrays.items():
        kind = {"float64": "F64", "float32": "F32", "uint32": "U32", "int64": "I64"}[str(a.dtype)]
        header[name] = {"dtype": kind, "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-(len(text) + 8) % 64)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(a.tobytes() for a in arrays.values()))
