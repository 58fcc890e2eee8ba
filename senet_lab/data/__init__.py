"""Image data by name. Loading and digests need numpy only; parts and batches need torch."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import cast

import numpy as np
from numpy.typing import NDArray

from senet_lab.errors import SpecError
from senet_lab.spec import Data


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


def load(data: Data) -> Images:
    """The images of `data.source`, decoded once a process."""
    return _load(data.source)


def check(images: Images, validation: int) -> None:
    """Raises SpecError if the pool of `images` cannot spare `validation` of them."""
    if validation >= (pool := len(images.pool)):
        raise SpecError(f"data.validation: found {validation}; the training pool has {pool} images, use fewer")


def digest(data: Data) -> str:
    """SHA-256 of the data set's content: pixels, labels, and what is test."""
    return _digest(data.source)


@cache
def _load(source: str) -> Images:
    return cast(Images, import_module(f"senet_lab.data.{source}").load())


@cache
def _digest(source: str) -> str:
    images = _load(source)
    sha = hashlib.sha256("\0".join(images.classes).encode())
    for array in (images.pool, images.pool_labels, images.test, images.test_labels):
        sha.update(str((array.shape, array.dtype.str)).encode())
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()
