"""A part of a data set whose images are numbers already."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from senet_lab.data.held import Batch


@dataclass(frozen=True)
class Part:
    """Images that are numbers already."""

    x_NCHW: Tensor
    y_N: Tensor

    def __len__(self) -> int:
        return len(self.y_N)

    def in_order(self, batch: int) -> Iterator[Batch]:
        yield from zip(torch.split(self.x_NCHW, batch), torch.split(self.y_N, batch), strict=True)

    def shuffled(self, batch: int, seed: int, epoch: int) -> Iterator[Batch]:
        raise NotImplementedError
