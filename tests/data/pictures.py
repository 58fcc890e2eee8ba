"""Small images, and data sets of them, that tests make themselves."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image


def pixels(seed: int, size: tuple[int, int] = (8, 8), channels: int = 3) -> NDArray[np.uint8]:
    """(height, width, channels), or (height, width) of one channel."""
    width, height = size
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def encoded(seed: int, form: str = "png", **more: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels(seed, **more)).save(buffer, form)
    return buffer.getvalue()


def put(path: Path, seed: int, **more: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(seed, "png" if path.suffix == ".png" else "jpeg", **more))


def write_parquet(
    path: Path,
    seeds: list[int],
    labels: list[int],
    *,
    columns: tuple[str, str] = ("image", "label"),
    names: list[str] | None = None,
    **more: Any,
) -> None:
    """Row i is the picture of `seeds[i]`; row groups of two."""
    image, label = columns
    rows = [{"bytes": encoded(seed, **more), "path": f"{seed}.png"} for seed in seeds]
    table = pa.table({image: rows, label: pa.array(labels, pa.int64())})
    if names is not None:
        features = {label: {"names": names, "_type": "ClassLabel"}, image: {"_type": "Image"}}
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=2)
