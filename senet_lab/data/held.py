"""A part of a data set that lies whole in memory as bytes; pixels become numbers batch by batch, on the device."""

import warnings
from collections import deque
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
AT_ONCE = 2**20
"""Bytes of scaled images that are made in one go, if that is more than a batch."""
_resident: deque[tuple[NDArray[np.uint8], torch.device, Tensor]] = deque(maxlen=2)
"""Copies on a GPU, of the last data set: its pool and its test part."""


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
        together = max(1, AT_ONCE // (batch * self.pixels_PCHW[0].numel() * 4))
        for first in range(0, len(index_SB), together):  # small images: the calls cost more than the work
            steps = slice(first, first + together)
            x_NCHW, y_N = self.batch(index_SB[steps].flatten(), _joined(draws, steps))
            yield from zip(torch.split(x_NCHW, batch), torch.split(y_N, batch), strict=True)

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


def _joined(draws: Draws, steps: slice) -> Draws:
    """Those of some steps of an epoch, as of one batch."""
    shift_S2B, turned_SB, centre_SB2 = (None if of_all is None else of_all[steps] for of_all in draws)
    return Draws(
        None if shift_S2B is None else shift_S2B.transpose(0, 1).flatten(1),
        None if turned_SB is None else turned_SB.flatten(),
        None if centre_SB2 is None else centre_SB2.flatten(0, 1),
    )


def on_device(pixels: NDArray[np.uint8], device: torch.device) -> Tensor:
    """The whole array as a tensor: on the CPU without a copy, elsewhere with one that the next trials find there."""
    for array, place, tensor in _resident:
        if array is pixels and place == device:
            return tensor
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")  # nor is it written to
        tensor = torch.from_numpy(pixels).to(device)
    if device.type != "cpu":
        _resident.append((pixels, device, tensor))
    return tensor
