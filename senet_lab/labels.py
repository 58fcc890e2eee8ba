"""The file that keeps the labels of a data set's test images, so that a store tells single classes without the data.

One column, `label`, in the order of every record's bits; the names of the classes, and a digest, in the metadata.
"""

import hashlib
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

NAMES_KEY, DIGEST_KEY = b"senet_lab.classes", b"senet_lab.sha256"
Labels = tuple[NDArray[np.int64], tuple[str, ...]]
"""Of all test images, and the names of the classes."""


def to_bytes(labels: NDArray[np.int64], names: tuple[str, ...]) -> bytes:
    """The file, the same bytes for the same labels."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kind = np.int16 if len(names) <= 2**15 else np.int32
    metadata = {NAMES_KEY: json.dumps(names, ensure_ascii=False), DIGEST_KEY: _digest(labels, names)}
    sink = pa.BufferOutputStream()
    table = pa.table({"label": labels.astype(kind)}).replace_schema_metadata(metadata)
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())


def from_bytes(payload: bytes) -> Labels | None:
    """What `to_bytes` was given; None for a file that is cut, damaged or of something else."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table: Any = pq.read_table(pa.BufferReader(payload))
        labels = table["label"].to_numpy().astype(np.int64)
        names = tuple(json.loads(table.schema.metadata[NAMES_KEY]))
        whole = table.schema.metadata[DIGEST_KEY] == _digest(labels, names)
    except Exception:  # a damaged file may be anything to its reader
        return None
    return (labels, names) if whole else None


def _digest(labels: NDArray[np.int64], names: tuple[str, ...]) -> bytes:
    sha = hashlib.sha256(json.dumps(names).encode())
    sha.update(np.ascontiguousarray(labels, "<i8").tobytes())
    return sha.hexdigest().encode()
