"""Bytes to numbers of mean 0 and deviation 1, channel by channel."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

CHUNK = 1024
LEAST = 1e-6
"""Of the deviation: a channel without contrast stays finite."""


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation of each channel, white being 1."""

    mean_C: Tensor
    std_C: Tensor

    @property
    def offset_C(self) -> Tensor:
        """The byte that becomes 0."""
        return self.mean_C * 255

    @property
    def spread_C(self) -> Tensor:
        """Bytes to a unit."""
        return self.std_C.clamp_min(LEAST) * 255

    def numbers(self, x_BCHW: Tensor) -> Tensor:
        """Bytes as scaled float32 in channels-last order, on the device that they are on."""
        numbers = x_BCHW.to(torch.float32, memory_format=torch.channels_last)
        shape = (-1, 1, 1)
        return numbers.sub_(self.offset_C.view(shape)).div_(self.spread_C.view(shape))

    def to(self, device: torch.device) -> "Scale":
        return Scale(self.mean_C.to(device), self.std_C.to(device))


IMAGENET = Scale(torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225]))
"""ImageNet's, as all published PyTorch weights expect them (torchvision)."""


def measure(pixels_NCHW: NDArray[np.uint8], rows: NDArray[np.int64]) -> Scale:
    """Of the images in `rows`: exact whole-number sums, so that neither order nor machine matters.

    The deviation is the unbiased one, with n - 1 below.
    """
    channels = pixels_NCHW.shape[1]
    total, squares = [0] * channels, [0] * channels
    for start in range(0, len(rows), CHUNK):
        chunk = pixels_NCHW[rows[start : start + CHUNK]]
        for c in range(channels):
            counts = np.bincount(chunk[:, c].ravel(), minlength=256).tolist()
            total[c] += sum(value * n for value, n in enumerate(counts))
            squares[c] += sum(value * value * n for value, n in enumerate(counts))
    n = len(rows) * pixels_NCHW.shape[2] * pixels_NCHW.shape[3]
    mean = [t / n / 255 for t in total]
    std = [math.sqrt((n * s - t * t) / (n * max(n - 1, 1))) / 255 for t, s in zip(total, squares, strict=True)]
    return Scale(torch.tensor(mean), torch.tensor(std))
