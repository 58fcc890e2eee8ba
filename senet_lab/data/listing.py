"""Many image files with their labels, in little memory."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from senet_lab.errors import DataError

SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class Listing:
    """One part of a data set, sorted by path."""

    names: NDArray[np.bytes_]
    """Paths inside the data set's folder."""
    sizes: NDArray[np.int64]
    """Bytes of each file."""
    labels: NDArray[np.int64]

    def lines(self) -> Iterator[str]:
        """All that tells this part from another."""
        for name, size, label in zip(self.names, self.sizes.tolist(), self.labels.tolist(), strict=True):
            yield f"{name.hex()} {size} {label}"


def images_in(folder: Path) -> Iterator[os.DirEntry[str]]:
    """The image files directly in `folder`; none if there is no such folder."""
    if folder.is_dir():
        with os.scandir(folder) as entries:
            yield from (e for e in entries if e.name.lower().endswith(SUFFIXES) and not e.name.startswith("."))


def listing(folder: Path, found: Iterable[tuple[os.DirEntry[str] | Path, int]]) -> Listing:
    """Files under `folder` and their labels, sorted. Raises DataError if there are none or one is missing."""
    names, sizes, labels = [], [], []
    inside = f"{folder}{os.sep}"
    for file, label in found:
        path = os.fspath(file)
        try:
            sizes.append(file.stat().st_size)
        except FileNotFoundError:
            raise DataError(f"{path} is missing; unpack the archive that it is in once more") from None
        names.append(os.fsencode(path.removeprefix(inside)))
        labels.append(label)
    if not names:
        raise DataError(f"{folder}: one of its parts has no images ({', '.join(SUFFIXES)}); put some into each class")
    packed = np.array(names, np.bytes_)
    order = np.argsort(packed, kind="stable")
    return Listing(packed[order], np.array(sizes, np.int64)[order], np.array(labels, np.int64)[order])
