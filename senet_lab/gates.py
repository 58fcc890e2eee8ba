"""The file that keeps a trial's gates on the test images: which of them, and how they are written (v4 section 7.2).

One row a number, in columns: `block` ("SE_<stage>_<block>"), `class` (-1: all images), `image` (index in the test
part; -1: a statistic over images), `channel` (from 0), `channels` (of the block), `images` (how many the row is of),
`mean`, `sd` (over these images; 0 for a single one). Rows go by depth; then all images, each class, single images.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from senet_lab.errors import StoreError

VERSION = b"1"
VERSION_KEY, CLASSES_KEY = b"senet_lab.gates", b"senet_lab.classes"
ON_GRID = 50
"""The paper's figures have at most so many channels of a block."""
WHOLE = 100_000
"""Up to so many classes x channels of a block, every channel of every class is kept."""
MOST_CLASSES = 1_000
"""Of more, evenly spaced ones are kept."""
PROBED_CLASSES, PROBED_IMAGES = 10, 5

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation (ddof 0) over the images of each row: (rows, channels)."""

    images: Ints
    """(rows,)."""
    mean: Reals
    sd: Reals


@dataclass(frozen=True)
class Block:
    """What the gates of one SE block were. Channels of `every` are all; of others see `stride` and `grid`."""

    name: str
    every: Moments
    """One row: over all images."""
    by_class: Moments
    """A row for each of `classes`."""
    probed: Reals
    """(images of the probe set, channels of the grid)."""


@dataclass(frozen=True)
class Choice:
    """Which classes and single images of a test part are kept, the same of every block."""

    names: tuple[str, ...]
    """Of all classes."""
    labels: Ints
    """Of all test images, in the part's order."""

    @cached_property
    def classes(self) -> Ints:
        """Those whose statistics are kept, of those with test images: all, or up to 1,000 that are evenly spaced."""
        return _spaced(np.unique(self.labels), MOST_CLASSES)

    @cached_property
    def probe(self) -> Ints:
        """Test images whose own gates are kept: the first five of each of up to ten evenly spaced classes, ascending.

        A test part may have images of some of the classes alone; those are the ones that count.
        """
        chosen = _spaced(np.unique(self.labels), PROBED_CLASSES)
        first = [np.flatnonzero(self.labels == k)[:PROBED_IMAGES] for k in chosen]
        return np.sort(np.concatenate(first))

    def stride(self, channels: int) -> int:
        """Of the channels that are kept of each class, from the first on."""
        return 1 if len(self.names) * channels <= WHOLE else grid_stride(channels)


def grid_stride(channels: int) -> int:
    """Of the channels in the paper's figures: `channels[::ceil(C / 50)]`, measured in v4 Figs. 6 and 7."""
    return -(-channels // ON_GRID)


def to_bytes(blocks: Iterable[Block], choice: Choice) -> bytes:
    """The file, the same bytes for the same numbers; without classes that have no test image."""
    import pyarrow as pa

    blocks = tuple(blocks)
    parts = [part for number, block in enumerate(blocks) for part in _parts(number, block, choice)]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if columns["class"].max() < 2**15:
        columns["class"] = columns["class"].astype(np.int16)
    names = pa.array([block.name for block in blocks])
    number = columns.pop("block").astype(np.int16)
    arrays = [pa.DictionaryArray.from_arrays(pa.array(number), names), *map(pa.array, columns.values())]
    table = pa.table(arrays, ["block", *columns])
    return _written(table, {VERSION_KEY: VERSION, CLASSES_KEY: json.dumps(choice.names, ensure_ascii=False).encode()})


def from_bytes(payload: bytes, single_images: bool = True) -> Any:
    """The file as a pyarrow table, or without the lines of single images and so without the column `image`.

    Raises StoreError for a file that `to_bytes` of this version did not write.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(pa.BufferReader(payload))
        version, table = (schema.metadata or {}).get(VERSION_KEY), None
        if version == VERSION:
            chosen = [name for name in schema.names if single_images or name != "image"]
            which = None if single_images else [("image", "==", -1)]
            table = pq.read_table(pa.BufferReader(payload), columns=chosen, filters=which, read_dictionary=["block"])
    except (OSError, pa.ArrowException) as error:
        raise StoreError(
            f"gates.parquet: cannot be read ({error}); run the trial again, or leave the file out"
        ) from None
    if version != VERSION:
        raise StoreError(
            f"gates.parquet: found version {version and version.decode(errors='replace')}, this senet-lab reads "
            f"{VERSION.decode()}; use the version that wrote it"
        )
    return table


def class_names(table: Any) -> tuple[str, ...]:
    """Of the classes, by label, as the table of `from_bytes` has them."""
    return tuple(json.loads(table.schema.metadata[CLASSES_KEY]))


def _written(table: Any, metadata: dict[bytes, bytes]) -> bytes:
    """Parquet in one row group, `metadata` once: pyarrow's own copy of the schema would hold it another time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    numbers = ["mean", "sd"]
    with pq.ParquetWriter(
        sink,
        table.schema,
        compression="zstd",
        compression_level=9,
        use_dictionary=[name for name in table.column_names if name not in numbers],
        use_byte_stream_split=numbers,
        write_statistics=False,
        store_schema=False,
    ) as file:
        file.write_table(table, row_group_size=max(1, table.num_rows))
        file.add_key_value_metadata(metadata)
    return bytes(sink.getvalue())


def _parts(number: int, block: Block, choice: Choice) -> Iterable[dict[str, NDArray[Any]]]:
    """All images, classes, single images: each as columns."""
    channels = block.every.mean.shape[1]
    all_of_it, one = np.arange(channels), np.array([-1])
    yield _columns(number, channels, (one, one, all_of_it), block.every)
    there = np.flatnonzero(block.by_class.images)
    found = Moments(block.by_class.images[there], block.by_class.mean[there], block.by_class.sd[there])
    labels = choice.classes[there]
    kept = all_of_it[:: choice.stride(channels)]
    yield _columns(number, channels, (labels, np.full(len(labels), -1), kept), found)
    images = choice.probe
    alone = Moments(np.ones(len(images), np.int64), block.probed, np.zeros_like(block.probed))
    grid = all_of_it[:: grid_stride(channels)]
    yield _columns(number, channels, (choice.labels[images], images, grid), alone)


def _columns(number: int, channels: int, keys: tuple[Ints, Ints, Ints], moments: Moments) -> dict[str, NDArray[Any]]:
    """`keys`: class and image of each row of `moments`, and the channels of its columns."""
    labels, images, kept = keys
    rows, size = len(labels), len(labels) * len(kept)
    return {
        "block": np.full(size, number),
        "class": np.repeat(labels, len(kept)).astype(np.int32),
        "image": np.repeat(images, len(kept)).astype(np.int32),
        "channel": np.tile(kept, rows).astype(np.int32),
        "channels": np.full(size, channels, np.int32),
        "images": np.repeat(moments.images, len(kept)).astype(np.int32),
        "mean": moments.mean.ravel().astype(np.float32),
        "sd": moments.sd.ravel().astype(np.float32),
    }


def _spaced(labels: Ints, most: int) -> Ints:
    return labels[:: max(1, -(-len(labels) // most))]
