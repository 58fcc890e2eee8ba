"""A part of a data set that lies whole in memory as bytes; pixels become numbers batch by batch, on the device."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from senet_lab.data.augment import Draws, apply, draw
from senet_lab.data.scale import Scale
from senet_lab.randomness import torch_stream
from senet_lab.spec import Data

Batch = tuple[Tensor, Tensor]
"""Scaled images (B, C, H, W) and labels (B)."""


class Epoch(NamedTuple):
    """What chance says of an epoch, drawn before it and lying on the device: S steps of B images."""

    index_SB: Tensor
    """Which images of the part each step takes, counted in the part's order."""
    draws: Draws
    """Those of each step, stacked: shift (S, 2, B), turned (S, B), centre (S, B, 2)."""


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
        index_SB, draws = self.epoch(batch, seed, epoch)
        for step, index_B in enumerate(index_SB):
            yield self.batch(index_B, Draws(*(None if of_all is None else of_all[step] for of_all in draws)))

    def epoch(self, batch: int, seed: int, epoch: int) -> Epoch:
        """Order and draws of a whole epoch, made on the CPU by streams of their own and moved to the device once."""
        steps, device = len(self) // batch, self.y_N.device
        order_N = torch.randperm(len(self), generator=torch_stream(seed, "order", epoch))
        generator, (height, width) = torch_stream(seed, "augment", epoch), self.pixels_PCHW.shape[2:]
        of_steps = [draw(batch, (height, width), self.data, generator) for _ in range(steps)]
        draws = Draws(*(None if of_one[0] is None else torch.stack(of_one) for of_one in zip(*of_steps, strict=True)))
        moved = Draws(*(None if of_all is None else of_all.to(device) for of_all in draws))
        return Epoch(order_N[: steps * batch].view(steps, batch).to(device), moved)

    def batch(self, index_B: Tensor, draws: Draws) -> Batch:
        """The images at `index_B` of the part, augmented; nothing of it waits for the device."""
        return apply(self._numbers(self.rows_N[index_B]), draws, self.data), self.y_N[index_B]

    def _numbers(self, rows_B: Tensor) -> Tensor:
        return self.scale.numbers(self.pixels_PCHW[rows_B])


def on_device(pixels: NDArray[np.uint8], device: torch.device) -> Tensor:
    """The whole array as a tensor; on the CPU without a copy."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")  # nor is it written to
        return torch.from_numpy(pixels).to(device)
