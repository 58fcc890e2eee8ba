"""Pickles of plain data: numbers, bytes, lists, dictionaries, numpy arrays. Nothing else is ever called.

The one place that reads pickles, for the two official CIFAR archives that are made of them, and only
after their MD5 has been found to be the published one.
"""

import io
import pickle
from typing import Any

import numpy as np

from senet_lab.errors import DataError

_MAKE_ARRAY = np.empty(0).__reduce__()[0]  # what numpy's pickles call first
ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): _MAKE_ARRAY,
    ("numpy._core.multiarray", "_reconstruct"): _MAKE_ARRAY,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise DataError(f"a pickle asks for {module}.{name}; only numpy arrays and plain values are read")
        return ALLOWED[module, name]


def plain(content: bytes) -> Any:
    """What `content` holds, texts of Python 2 as bytes. Raises DataError for anything that is not plain data."""
    return _Plain(io.BytesIO(content), encoding="bytes").load()
