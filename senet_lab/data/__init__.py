"""Image data by name. Finding, loading and digests need numpy only; parts and batches need torch.

digits, cifar10, cifar100, parquet, folder     one file a source: what lies where, and how it reads
cache                                          decoded once, then memory-mapped by every process
split -> held | stream -> augment              parts of the data as batches on the device
"""

import contextlib
import functools
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from senet_lab.data import cache
from senet_lab.errors import DataError, SenetLabError, SpecError
from senet_lab.spec import Data

DATA_DIR = Path("data")


@dataclass(frozen=True)
class Images:
    """A decoded data set: what there is to train and choose by, and the test part apart."""

    pool: NDArray[np.uint8]
    """(images, channels, height, width)."""
    pool_labels: NDArray[np.int64]
    test: NDArray[np.uint8]
    """(images, channels, height, width)."""
    test_labels: NDArray[np.int64]
    classes: tuple[str, ...]
    """Name of each label."""


class Files(Protocol):
    """Images as they lie in files."""

    def __len__(self) -> int: ...

    def __getitem__(self, i: int) -> bytes:
        """A whole image file, e.g. a JPEG."""

    def name(self, i: int) -> str:
        """For people who look for it."""


@dataclass(frozen=True)
class Encoded:
    """A data set in its files, decoded image by image while it is used."""

    pool: Files
    pool_labels: NDArray[np.int64]
    test: Files
    test_labels: NDArray[np.int64]
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """What a plan has to know of a data set."""

    pool: int
    """Images to train and choose by."""
    test: int
    channels: int
    size: int
    """Height and width of what the network sees."""
    classes: int


class Source(Protocol):
    """Files that hold a data set; each source's `at` finds them in a folder."""

    def digest(self, sha256: Callable[[Path], str]) -> str:
        """Identity of the content; `sha256` gives that of a file, without reading it twice."""

    def decode(self, folder: Path) -> tuple[str, ...]:
        """Write the arrays of an `Images` into `folder`, each as NAME.npy; returns the names of the classes."""

    def encoded(self, folder: Path) -> Encoded:
        """The images undecoded; `folder` may keep what makes single ones quick to reach."""


def load(data: Data, data_dir: Path = DATA_DIR) -> Images | Encoded:
    """The images of `data`, opened once a process; decoded if they are of one size and small.

    Raises DataError for files that are missing or damaged, saying how to get them.
    """
    return _load(data.source, data_dir.absolute(), data.image_size is not None)


def facts(data: Data, data_dir: Path = DATA_DIR) -> Facts:
    """Sizes of the data set; its images are decoded only if they never were before."""
    images = load(data, data_dir)
    channels, size = images.pool.shape[1:3] if isinstance(images, Images) else (3, data.image_size or 0)
    return Facts(len(images.pool), len(images.test), channels, size, len(images.classes))


def check(images: Images | Encoded | Facts, validation: int, batch_size: int = 1) -> None:
    """Raises SpecError if the pool of `images` cannot spare `validation` of them, or has no `batch_size` left then."""
    pool = images.pool if isinstance(images, Facts) else len(images.pool)
    if validation >= pool:
        fewer = f"hold out fewer: --set data.validation={max(1, pool // 10)}"
        raise SpecError(f"data.validation: found {validation}; the training pool has {pool} images, {fewer}")
    if batch_size > pool - validation:
        left = f"the training pool has {pool} images, of which {validation} are held out"
        smaller = f"take a smaller batch: --set train.batch_size={max(2, (pool - validation) // 10)}"
        raise SpecError(f"train.batch_size: found {batch_size}; {left}, {smaller}")


def digest(data: Data, data_dir: Path = DATA_DIR) -> str:
    """SHA-256 that names the content of the data set, wherever it lies.

    Of digits: pixels, labels, and what is test. Of archives and Parquet: the bytes of the files.
    Of folders: paths, sizes and labels of the images, as reading all of them would take hours.
    """
    return _digest(data.source, data_dir.absolute())


def file_digest(file: Path, data_dir: Path = DATA_DIR) -> str:
    """SHA-256 of any other file that a trial starts from. Raises DataError if there is none."""
    if not file.is_file():
        raise DataError(f"model.weights: there is no file {str(file)!r} in {Path.cwd()}; give a path that begins there")
    return cache.sha256(file.absolute(), data_dir.absolute() / cache.FOLDER)


@functools.cache
def _load(source: str, data_dir: Path, one_by_one: bool) -> Images | Encoded:
    if source == "digits":
        return cast(Images, import_module("senet_lab.data.digits").load())
    with cache.leaving_nothing(data_dir / cache.FOLDER), _foreign(source):
        found, name = _open(source, data_dir), _digest(source, data_dir)
        if one_by_one:
            return found.encoded(data_dir / cache.FOLDER / f"{name}-encoded")
        arrays, classes = cache.keep(data_dir / cache.FOLDER / name, _foreign(source)(found.decode))
        return Images(**arrays, classes=classes)


@functools.cache
def _digest(source: str, data_dir: Path) -> str:
    if source != "digits":
        with _foreign(source):
            return _open(source, data_dir).digest(lambda file: cache.sha256(file, data_dir / cache.FOLDER))
    images = cast(Images, _load(source, data_dir, False))
    sha = hashlib.sha256("\0".join(images.classes).encode())
    for array in (images.pool, images.pool_labels, images.test, images.test_labels):
        sha.update(str((array.shape, array.dtype.str)).encode())
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()


@contextlib.contextmanager
def _foreign(source: str) -> Iterator[None]:
    """Whatever a reader stumbles over in other people's files is their fault, not this program's."""
    try:
        yield
    except (SenetLabError, OSError, MemoryError):
        raise
    except Exception as error:
        raise DataError(
            f"data.source {source!r}: the files are not laid out as they should be "
            f"({type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no more is known'}); "
            f"README.md says what each source looks like"
        ) from error


@functools.cache
def _open(source: str, data_dir: Path) -> Source:
    kind, _, folder = source.partition(":")
    place = _place(source, Path(folder), data_dir) if folder else data_dir
    return cast(Source, import_module(f"senet_lab.data.{kind}").at(place))


def _place(source: str, folder: Path, data_dir: Path) -> Path:
    """Where `folder` is: as named from the working folder, or inside the data folder."""
    places = list(dict.fromkeys([folder.absolute(), data_dir / folder]))
    for place in places:
        if place.is_dir():
            return place
    raise DataError(
        f"data.source {source!r}: there is no folder {' and none '.join(map(str, places))}; "
        f"put the images there, or name the folder that {folder} lies in with --data-dir"
    )
