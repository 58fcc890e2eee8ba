"""Folders of images: a folder a class, ImageNet as it is distributed, Places365.

    DIR/train/<class>/*.jpg, DIR/test/<class>/*.jpg or DIR/val/<class>/*.jpg
    DIR/train/n01440764/*.JPEG, DIR/val/ILSVRC2012_val_00000001.JPEG and the development kit (see `imagenet`)
    DIR/categories_places365.txt and what it comes with (see `places`)

Labels number the classes in the order of their sorted names: WNIDs in ImageNet, as in all published
weights. Of test/ and val/, the first that has a folder a class is the test part.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from senet_lab.data import Encoded, cache
from senet_lab.data.decode import write
from senet_lab.data.imagenet import validation
from senet_lab.data.listing import Listing, images_in, listing
from senet_lab.data.places import places365
from senet_lab.errors import DataError


class Paths:
    """Image files, read when they are asked for."""

    def __init__(self, folder: Path, names: NDArray[np.bytes_]) -> None:
        self.folder, self.names = folder, names
        """Names are paths inside the folder: packed, as a million of Python's own would fill 200 MB."""

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, i: int) -> bytes:
        path = self.folder / self.name(i)
        try:
            return path.read_bytes()
        except OSError as error:
            raise DataError(f"{path}: {error.strerror}; it was there before, put it back") from None

    def name(self, i: int) -> str:
        return os.fsdecode(bytes(self.names[i]))


@dataclass(frozen=True)
class Folder:
    """The images under `folder`."""

    folder: Path

    def digest(self, sha256: Callable[[Path], str]) -> str:
        """Of path, size and label of every image, sorted; not of their bytes, which would take hours."""
        pool, test, classes = self._found
        lines = [f"{part} {line}" for part, found in (("train", pool), ("test", test)) for line in found.lines()]
        return cache.text_digest("\n".join([*classes, *lines]))

    def decode(self, folder: Path) -> tuple[str, ...]:
        return write(self._encoded, folder, f"folder:{self.folder}")

    def encoded(self, folder: Path) -> Encoded:
        """Nothing is kept: a file is quick to reach as it lies."""
        return self._encoded

    @cached_property
    def _encoded(self) -> Encoded:
        pool, test, classes = self._found
        return Encoded(
            Paths(self.folder, pool.names), pool.labels, Paths(self.folder, test.names), test.labels, classes
        )

    @cached_property
    def _found(self) -> tuple[Listing, Listing, tuple[str, ...]]:
        if (self.folder / "categories_places365.txt").is_file():
            return places365(self.folder)
        classes = _classes(self.folder / "train")
        if not classes:
            raise DataError(
                f"{self.folder}: train/<class>/*.jpg is missing; put a folder of images for each class there, "
                f"or ImageNet's or Places365's own files as they come"
            )
        numbers = {name: i for i, name in enumerate(classes)}
        for name in classes:
            if not any(images_in(self.folder / "train" / name)):
                raise DataError(f"{self.folder}: train/{name} holds no images; put some there or remove it")
        pool = listing(self.folder, _by_class(self.folder / "train", numbers))
        return pool, listing(self.folder, self._test(numbers)), classes

    def _test(self, numbers: dict[str, int]) -> Iterator[tuple[os.DirEntry[str], int]]:
        for part in ("test", "val"):
            if found := _classes(self.folder / part):
                if strange := sorted(set(found) - set(numbers)):
                    raise DataError(f"{self.folder}: {part}/{strange[0]} is no class of train/; rename or remove it")
                return _by_class(self.folder / part, numbers)
        if any(images_in(self.folder / "val")):
            return validation(self.folder, numbers)
        raise DataError(
            f"{self.folder}: test/<class>/*.jpg is missing, and val/<class>/*.jpg too; put one of them there"
        )


def at(folder: Path) -> Folder:
    """The data set in `folder`."""
    return Folder(folder)


def _classes(folder: Path) -> tuple[str, ...]:
    """Sorted names of the folders in `folder`."""
    if not folder.is_dir():
        return ()
    with os.scandir(folder) as entries:
        return tuple(sorted(e.name for e in entries if e.is_dir() and not e.name.startswith(".")))


def _by_class(folder: Path, numbers: dict[str, int]) -> Iterator[tuple[os.DirEntry[str], int]]:
    for name in _classes(folder):
        for entry in images_in(folder / name):
            yield entry, numbers[name]
