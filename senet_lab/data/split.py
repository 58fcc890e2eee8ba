"""Train, validation and test parts of a data set, as tensors on the device that trains."""

from dataclasses import dataclass

import torch
from torch import Tensor

from senet_lab.data import Images, check
from senet_lab.randomness import numpy_stream


@dataclass(frozen=True)
class Part:
    """Normalised images and their labels."""

    x_NCHW: Tensor
    y_N: Tensor


@dataclass(frozen=True)
class Parts:
    train: Part
    validation: Part
    test: Part


def split(images: Images, validation: int, seed: int, device: torch.device) -> Parts:
    """Draw the validation part from the pool by the seed's stream "split"; the test part is as given.

    Pixels are scaled by the training part's mean and standard deviation per channel. Raises
    SpecError if the pool cannot spare `validation` images.
    """
    check(images, validation)
    order = numpy_stream(seed, "split").permutation(len(images.pool))
    held, kept = order[:validation], order[validation:]
    pool_NCHW = torch.from_numpy(images.pool).float() / 255
    std_C, mean_C = torch.std_mean(pool_NCHW[kept], dim=(0, 2, 3))

    def part(x_NCHW: Tensor, y_N: Tensor) -> Part:
        scaled = (x_NCHW - mean_C[:, None, None]) / std_C.clamp_min(1e-6)[:, None, None]
        return Part(scaled.to(device, memory_format=torch.channels_last), y_N.to(device))

    labels = torch.from_numpy(images.pool_labels)
    return Parts(
        train=part(pool_NCHW[kept], labels[kept]),
        validation=part(pool_NCHW[held], labels[held]),
        test=part(torch.from_numpy(images.test).float() / 255, torch.from_numpy(images.test_labels)),
    )
