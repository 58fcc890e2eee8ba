"""Image data sets in the Parquet layout of Hugging Face, sharded or not.

    DIR/[data/]train*.parquet
    DIR/[data/]test*.parquet, or validation*.parquet, or val*.parquet
        image or img: struct {bytes, path}; label, fine_label or labels: integer

The test part is the first of test, validation and val whose labels are given (those of ImageNet's
test part are all -1). Names of the classes come from the schema's metadata, where they are there.
"""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from senet_lab.data import Encoded, cache, notice
from senet_lab.data.decode import write
from senet_lab.errors import DataError

MOST_CLASSES = 1_000_000
IMAGES, LABELS = ("image", "img"), ("label", "fine_label", "labels")
TESTS = ("test", "validation", "val")


class Rows:
    """The encoded images of some files, in order. Quick one after another; keeps one row group in memory."""

    def __init__(self, files: Iterable[pq.ParquetFile], column: str, part: str) -> None:
        self.column, self.part = column, part
        self.groups = [(file, i) for file in files for i in range(file.num_row_groups)]
        sizes = [file.metadata.row_group(i).num_rows for file, i in self.groups]
        self.ends = np.cumsum(sizes, dtype=np.int64).tolist()
        self._group, self._images = -1, pa.nulls(0)

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    def __getitem__(self, i: int) -> bytes:
        group = bisect_right(self.ends, i)
        if group != self._group:
            file, number = self.groups[group]
            column = file.read_row_group(number, columns=[f"{self.column}.bytes"])[self.column]
            self._group, self._images = group, column.combine_chunks().field("bytes")
        image = self._images[i - (self.ends[group - 1] if group else 0)].as_py()
        return image or b""

    def name(self, i: int) -> str:
        return f"row {i} of {self.part}"


class Packed:
    """Encoded images end to end in one mapped file: quick in any order."""

    def __init__(self, blob: NDArray[np.uint8], ends: NDArray[np.int64], part: str) -> None:
        self.blob, self.ends, self.part = blob, ends, part

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, i: int) -> bytes:
        return self.blob[self.ends[i - 1] if i else 0 : self.ends[i]].tobytes()

    def name(self, i: int) -> str:
        return f"row {i} of {self.part}"


@dataclass(frozen=True)
class Parquet:
    """The files of a data set in `folder`."""

    folder: Path

    @property
    def source(self) -> str:
        return f"parquet:{self.folder}"

    def digest(self, sha256: Callable[[Path], str]) -> str:
        """Of the bytes of the files of each part."""
        self._files("train")  # or the test part's absence would be told first
        parts = {"train": self._shards("train"), "test": self._shards(self._test)}
        text = json.dumps({name: [sha256(file) for file in files] for name, files in parts.items()})
        return cache.text_digest(text)

    def decode(self, folder: Path) -> tuple[str, ...]:
        return write(self._rows, folder, self.source)

    def encoded(self, folder: Path) -> Encoded:
        """Packed into `folder`: single rows of a Parquet file are slow to reach."""
        arrays, classes = cache.keep(folder, self._pack)
        names = {"pool": "train*.parquet", "test": f"{self._test}*.parquet"}
        pool, test = (Packed(arrays[part], arrays[f"{part}_ends"], name) for part, name in names.items())
        return Encoded(pool, arrays["pool_labels"], test, arrays["test_labels"], classes)

    def _pack(self, folder: Path) -> tuple[str, ...]:
        rows = self._rows
        with notice.Notice(f"unpacking {self.source}", len(rows.pool) + len(rows.test)) as done:
            for part, images in (("pool", rows.pool), ("test", rows.test)):
                ends = np.zeros(len(images), np.int64)
                with (folder / f"{part}.bin").open("wb") as file:
                    for i in range(len(images)):
                        file.write(images[i])
                        ends[i] = file.tell()
                        done()
                np.save(folder / f"{part}_ends.npy", ends)
        np.save(folder / "pool_labels.npy", rows.pool_labels)
        np.save(folder / "test_labels.npy", rows.test_labels)
        return rows.classes

    @cached_property
    def _rows(self) -> Encoded:
        pool, test = self._files("train"), self._files(self._test)
        image, label = self._column(pool[0], IMAGES), self._column(pool[0], LABELS)
        self._check_images([*pool, *test], image)
        pool_labels, test_labels = self._labels(pool, label), self._labels(test, label)
        if len(pool_labels) == 0:
            raise DataError(f"{self.folder}: train*.parquet has no rows; get the files anew")
        if min(pool_labels.min(), test_labels.min()) < 0:
            raise DataError(f"{self.folder}: column {label!r} has images without a label; use a part that has them")
        known = _names(pool[0].schema_arrow, label)
        most = int(max(pool_labels.max(), test_labels.max()))
        if most >= MOST_CLASSES:
            raise DataError(f"{self.folder}: column {label!r} goes up to {most}; labels have to number classes from 0")
        classes = known if len(known) > most else tuple(str(k) for k in range(most + 1))
        trains, tests = Rows(pool, image, "train*.parquet"), Rows(test, image, f"{self._test}*.parquet")
        return Encoded(trains, pool_labels, tests, test_labels, classes)

    @cached_property
    def _test(self) -> str:
        """The beginning of the file names of the test part."""
        for begin in (name for name in TESTS if self._shards(name)):
            files = self._files(begin)
            labels = self._labels(files, self._column(files[0], LABELS))
            if len(labels) and labels.min() >= 0:
                return begin
        wanted = ", ".join(f"{name}*.parquet" for name in TESTS)
        raise DataError(f"{self.folder}: a test part with labels is missing; looked for {wanted} there and in data/")

    def _shards(self, begin: str) -> list[Path]:
        """The files of a part; "val" is not "validation"."""
        for folder in (self.folder, self.folder / "data"):
            if files := sorted(f for f in folder.glob(f"{begin}*.parquet") if not f.stem[len(begin) :][:1].isalpha()):
                return files
        return []

    def _files(self, begin: str) -> list[pq.ParquetFile]:
        shards = self._shards(begin)
        if not shards:
            raise DataError(
                f"{self.folder}: {begin}*.parquet is missing there and in data/; put the Parquet files "
                f"of a Hugging Face image data set there, e.g. train-00000-of-00001.parquet"
            )
        try:
            return [pq.ParquetFile(shard, memory_map=True) for shard in shards]
        except (OSError, pa.ArrowException) as error:
            raise DataError(f"{self.folder}: {begin}*.parquet cannot be read: {error}; get them anew") from None

    def _column(self, file: pq.ParquetFile, wanted: tuple[str, ...]) -> str:
        found = file.schema_arrow.names
        for name in wanted:
            if name in found:
                return name
        raise DataError(f"{self.folder}: a column {' or '.join(wanted)} is missing; found {', '.join(found)}")

    def _check_images(self, files: Iterable[pq.ParquetFile], image: str) -> None:
        """Raises DataError unless each file has encoded images in the column `image`."""
        for file in files:
            kind = file.schema_arrow.field(self._column(file, (image,))).type
            if not pa.types.is_struct(kind) or "bytes" not in {kind.field(i).name for i in range(kind.num_fields)}:
                raise DataError(
                    f"{self.folder}: column {image!r} is of type {kind}; it has to hold encoded images, as "
                    f"struct<bytes, path>: save the data set with the images inside"
                )

    def _labels(self, files: Iterable[pq.ParquetFile], column: str) -> NDArray[np.int64]:
        """Of all rows; -1 where a row has none."""
        arrays = []
        for file in files:
            kind = file.schema_arrow.field(self._column(file, (column,))).type
            if not pa.types.is_integer(kind):
                raise DataError(
                    f"{self.folder}: column {column!r} is of type {kind}; labels have to be integers from 0"
                )
            arrays.append(file.read(columns=[column])[column].fill_null(-1).to_numpy())
        return np.concatenate(arrays).astype(np.int64)


def at(folder: Path) -> Parquet:
    """The data set in `folder`."""
    return Parquet(folder)


def _names(schema: pa.Schema, label: str) -> tuple[str, ...]:
    """Of the classes, by the metadata that Hugging Face writes; none if there is none."""
    try:
        info = json.loads((schema.metadata or {})[b"huggingface"])
        return tuple(map(str, info["info"]["features"][label]["names"]))
    except (KeyError, ValueError, TypeError):
        return ()
