"""CIFAR-10 and CIFAR-100 as their author distributes them: one archive, plain bytes or Python pickles.

60,000 colour images of 32x32, the last 10,000 for testing (Krizhevsky, 2009, "Learning Multiple
Layers of Features from Tiny Images"; https://www.cs.toronto.edu/~kriz/cifar.html). An archive is
read only if its MD5 is the published one.
"""

import hashlib
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from senet_lab.data import Encoded
from senet_lab.data.unpickle import plain
from senet_lab.errors import DataError

ADDRESS = "https://www.cs.toronto.edu/~kriz/"
SIDE = 32
Part = tuple[NDArray[np.uint8], NDArray[np.int64]]


@dataclass(frozen=True)
class Archive:
    """One of the two official files of a data set."""

    name: str
    md5: str
    train: tuple[str, ...]
    """Members, in order."""
    test: str
    names: str
    """The member with the names of the classes."""
    key: str = ""
    """Of the labels, in pickles; the names stand beside it."""
    names_key: str = ""
    label_bytes: int = 1
    """Before the pixels of each image, in plain bytes; the last of them is the label."""

    @property
    def pickled(self) -> bool:
        return bool(self.key)


@dataclass(frozen=True)
class Cifar:
    """The archive of a data set in the data folder; where there are both, the one without pickles."""

    source: str
    folder: Path
    archives: tuple[Archive, ...]
    """The preferred one first."""

    @property
    def archive(self) -> Archive:
        for archive in self.archives:
            if (self.folder / archive.name).is_file():
                return archive
        names = " or ".join(a.name for a in self.archives)
        raise DataError(
            f"data.source {self.source!r}: {names} is not in the data folder {self.folder}; "
            f"add --download to the command, or get it from {ADDRESS} and name its folder with --data-dir"
        )

    def digest(self, sha256: Callable[[Path], str]) -> str:
        """Of the archive's bytes."""
        return sha256(self.folder / self.archive.name)

    def decode(self, folder: Path) -> tuple[str, ...]:
        archive = self.archive
        path = self.folder / archive.name
        if (found := md5(path)) != archive.md5:
            raise DataError(
                f"{path}: its MD5 is {found}, that of the official file is {archive.md5}; "
                f"it is damaged or not whole: delete it, then add --download or get it from {ADDRESS}"
            )
        read = _pickles if archive.pickled else _bytes
        with tarfile.open(path, "r:gz") as tar:
            train = [read(archive, _member(tar, name)) for name in archive.train]
            pixels, labels = (np.concatenate(arrays) for arrays in zip(*train, strict=True))
            _save(folder, "pool", (pixels, labels))
            _save(folder, "test", read(archive, _member(tar, archive.test)))
            return _names(archive, _member(tar, archive.names))

    def encoded(self, folder: Path) -> Encoded:
        raise DataError(f"data.source {self.source!r}: its images are of one size; leave data.image_size out")


def md5(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    stream = tar.extractfile(name)
    assert stream is not None, name
    return stream.read()


def _bytes(archive: Archive, content: bytes) -> Part:
    """Records of the labels, then a red, a green and a blue plane, row by row."""
    records = np.frombuffer(content, np.uint8).reshape(-1, archive.label_bytes + 3 * SIDE * SIDE)
    labels = records[:, archive.label_bytes - 1].astype(np.int64)
    return records[:, archive.label_bytes :].reshape(-1, 3, SIDE, SIDE), labels


def _pickles(archive: Archive, content: bytes) -> Part:
    """A dictionary of rows of pixels, planes as in `_bytes`, and a list of labels."""
    table = plain(content)
    return table[b"data"].reshape(-1, 3, SIDE, SIDE), np.asarray(table[archive.key.encode()], np.int64)


def _names(archive: Archive, content: bytes) -> tuple[str, ...]:
    names = plain(content)[archive.names_key.encode()] if archive.pickled else content.split()
    return tuple(name.decode() for name in names)


def _save(folder: Path, part: str, arrays: Part) -> None:
    np.save(folder / f"{part}.npy", arrays[0])
    np.save(folder / f"{part}_labels.npy", arrays[1])
