"""A part of a large data set: images are decoded and cropped one by one while the network trains.

v4 section 5.1: crops of random area (8 to 100 %) and aspect ratio (3/4 to 4/3), flipped half of the
time; tested on the centre. Each image draws from a stream of its own, named by seed, epoch and its
place in the data set, so neither the number of processes that decode nor an interruption matters.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from senet_lab.data import Files
from senet_lab.data.augment import cut_out
from senet_lab.data.decode import opened
from senet_lab.data.held import Batch
from senet_lab.data.scale import Scale
from senet_lab.environment import cores
from senet_lab.randomness import numpy_stream, torch_stream
from senet_lab.spec import Data

LARGEST_BATCH = 128
"""For testing; of small images more fit into memory."""
Crop = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""


@dataclass(frozen=True)
class Streamed:
    """Some images of a data set in its files."""

    images: Files
    rows_N: Tensor
    """Which of `images` are this part's, in its order."""
    y_N: Tensor
    scale: Scale
    data: Data
    loaders: int
    """Processes that decode; 0 to decode in this one. No result depends on it."""

    def __len__(self) -> int:
        return len(self.y_N)

    def in_order(self, batch: int) -> Iterator[Batch]:
        """All images, their centres."""
        order_N = torch.arange(len(self))
        yield from self._batches(order_N, min(batch, LARGEST_BATCH), None)

    def shuffled(self, batch: int, seed: int, epoch: int) -> Iterator[Batch]:
        """The images in the epoch's order, randomly cropped; those that fill no batch sit out."""
        order_N = torch.randperm(len(self), generator=torch_stream(seed, "order", epoch))
        yield from self._batches(order_N[: len(self) // batch * batch], batch, (seed, epoch))

    def _batches(self, order_N: Tensor, batch: int, draws: tuple[int, int] | None) -> Iterator[Batch]:
        assert self.data.image_size is not None
        device = self.y_N.device
        index_B = torch.split(order_N, batch)
        loader = DataLoader(
            _Crops(self.images, self.data, self.data.image_size, draws),
            batch_sampler=[self.rows_N[index].tolist() for index in index_B],
            num_workers=min(self.loaders, len(index_B), cores()),
            pin_memory=device.type == "cuda",
            generator=torch.Generator().manual_seed(0),  # or it draws from the generator of dropout
        )
        for index, (x_BCHW, centre_B2) in zip(index_B, loader, strict=True):
            numbers_BCHW = self.scale.numbers(x_BCHW.to(device, non_blocking=True))
            if draws is not None and self.data.cutout:
                numbers_BCHW = cut_out(numbers_BCHW, centre_B2, self.data.cutout)
            yield numbers_BCHW, self.y_N[index.to(device)]


@dataclass(frozen=True)
class _Crops(Dataset[tuple[Tensor, Tensor]]):
    """Of each image a crop as bytes (3, size, size), and the pixel around which Cutout would cut."""

    images: Files
    data: Data
    size: int
    draws: tuple[int, int] | None
    """Seed and epoch of the random crops; None for the centre."""

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        image = opened(self.images, row, self.data.source).convert("RGB")
        if self.draws is None:
            return _bytes(centre(image, self.size)), torch.zeros(2, dtype=torch.int64)
        seed, epoch = self.draws
        generator = numpy_stream(seed, "augment", epoch, row)
        crop = image.resize((self.size, self.size), Image.Resampling.BILINEAR, random_crop(*image.size, generator))
        if generator.random() < 0.5 and self.data.flip:
            crop = crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return _bytes(crop), torch.from_numpy(generator.integers(0, self.size, 2))


def random_crop(width: int, height: int, generator: np.random.Generator) -> Crop:
    """Szegedy et al. (arXiv 1409.4842, section 6) as torchvision draws it: ten tries, then the centre."""
    for _ in range(10):
        area = width * height * generator.uniform(0.08, 1.0)
        aspect = math.exp(generator.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            left, top = int(generator.integers(0, width - w + 1)), int(generator.integers(0, height - h + 1))
            return left, top, left + w, top + h
    w, h = min(width, round(height * 4 / 3)), min(height, round(width * 4 / 3))
    left, top = (width - w) // 2, (height - h) // 2
    return left, top, left + w, top + h


def centre(image: Image.Image, size: int) -> Image.Image:
    """The middle `size` x `size` pixels, the shorter side being 8/7 of that (256 for 224)."""
    shorter = round(size * 8 / 7)
    width, height = (max(shorter, round(side * shorter / min(image.size))) for side in image.size)
    left, top = (width - size) // 2, (height - size) // 2
    return image.resize((width, height), Image.Resampling.BILINEAR).crop((left, top, left + size, top + size))


def _bytes(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image).transpose(2, 0, 1).copy())
