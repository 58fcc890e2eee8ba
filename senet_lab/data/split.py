"""Train, validation and test parts of a data set, as batches on the device that trains."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from senet_lab.data import Encoded, Images, check
from senet_lab.data.held import Batch, Held, on_device
from senet_lab.data.scale import IMAGENET, measure
from senet_lab.randomness import numpy_stream
from senet_lab.spec import Data


class Part(Protocol):
    """Scaled images and their labels, batch by batch."""

    @property
    def y_N(self) -> Tensor:
        """Labels, in the part's order."""

    def __len__(self) -> int: ...

    def in_order(self, batch: int) -> Iterator[Batch]:
        """All images as they are, at most `batch` at once."""

    def shuffled(self, batch: int, seed: int, epoch: int) -> Iterator[Batch]:
        """Whole batches of an epoch, in its order and augmented by its draws."""


@dataclass(frozen=True)
class Parts:
    train: Part
    validation: Part
    test: Part


def split(images: Images | Encoded, data: Data, seed: int, device: torch.device, loaders: int = 0) -> Parts:
    """Draw the validation part from the pool by the seed's stream "split"; the test part is as given.

    Decoded images are scaled by the training part's mean and deviation per channel, others by
    ImageNet's. `loaders`: processes that decode the latter. Raises SpecError if the pool cannot
    spare `data.validation` images.
    """
    check(images, data.validation)
    order = numpy_stream(seed, "split").permutation(len(images.pool))
    held, kept = order[: data.validation], order[data.validation :]
    part = _held(images, kept, data, device) if isinstance(images, Images) else _streamed(images, data, device, loaders)
    every = np.arange(len(images.test))
    return Parts(train=part("pool", kept), validation=part("pool", held), test=part("test", every))


MakePart = Callable[[Literal["pool", "test"], NDArray[np.int64]], Part]


def _held(images: Images, kept: NDArray[np.int64], data: Data, device: torch.device) -> MakePart:
    pixels = {"pool": on_device(images.pool, device), "test": on_device(images.test, device)}
    scale = measure(images.pool, kept).to(device)

    def part(name: Literal["pool", "test"], rows: NDArray[np.int64]) -> Part:
        return Held(pixels[name], torch.from_numpy(rows).to(device), _labels(images, name, rows, device), scale, data)

    return part


def _streamed(images: Encoded, data: Data, device: torch.device, loaders: int) -> MakePart:
    from senet_lab.data import stream  # needs Pillow, and is no part of the other trials' code

    scale = IMAGENET.to(device)

    def part(name: Literal["pool", "test"], rows: NDArray[np.int64]) -> Part:
        files, labels = getattr(images, name), _labels(images, name, rows, device)
        return stream.Streamed(files, torch.from_numpy(rows), labels, scale, data, loaders)

    return part


def _labels(images: Images | Encoded, name: str, rows: NDArray[np.int64], device: torch.device) -> Tensor:
    labels: NDArray[np.int64] = getattr(images, f"{name}_labels")
    return torch.from_numpy(labels[rows]).to(device)
