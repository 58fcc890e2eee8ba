"""A part of a data set that lies whole in memory as bytes; pixels become numbers batch by batch, on the device."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from senet_lab.data.augment import augment
from senet_lab.data.scale import Scale
from senet_lab.randomness import torch_stream
from senet_lab.spec import Data

Batch = tuple[Tensor, Tensor]
"""Scaled images (B, C, H, W) and labels (B)."""


@dataclass(frozen=True)
class Held:
    """Some rows of an array of images."""

    pixels_PCHW: Tensor
    """Bytes, those of other parts too; on the CPU mapped from the cache and shared by all processes."""
    rows_N: Tensor
    """Which of them are this part's, in its order."""
    y_N: Tensor
    scale: Scale
    data: Data

    def __len__(self) -> int:
        return len(self.y_N)

    def in_order(self, batch: int) -> Iterator[Batch]:
        """All images as they are."""
        for rows_B, y_B in zip(torch.split(self.rows_N, batch), torch.split(self.y_N, batch), strict=True):
            yield self._numbers(rows_B), y_B

    def shuffled(self, batch: int, seed: int, epoch: int) -> Iterator[Batch]:
        """The images in the epoch's order, augmented by its draws; those that fill no batch sit out."""
        order_N = torch.randperm(len(self), generator=torch_stream(seed, "order", epoch)).to(self.y_N.device)
        draws = torch_stream(seed, "augment", epoch)
        for index_B in torch.split(order_N[: len(self) // batch * batch], batch):
            x_BCHW = self._numbers(self.rows_N[index_B])
            x_BCHW = augment(x_BCHW, self.data.crop_padding, self.data.flip, draws, self.data.cutout)
            yield x_BCHW, self.y_N[index_B]

    def _numbers(self, rows_B: Tensor) -> Tensor:
        return self.scale.numbers(self.pixels_PCHW[rows_B])


def on_device(pixels: NDArray[np.uint8], device: torch.device) -> Tensor:
    """The whole array as a tensor; on the CPU without a copy."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")  # nor is it written to
        return torch.from_numpy(pixels).to(device)
