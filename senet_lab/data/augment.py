"""Random crop, flip and Cutout on whole batches, on the device, each image with its own draw (v4 section 5.1).

Shapes: B images, C channels, H x W pixels.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from senet_lab.spec import Data


class Draws(NamedTuple):
    """What chance says of each image; None where it is not asked."""

    shift_2B: Tensor | None
    """Rows and columns by which the crop begins after the padded image, from 0."""
    turned_B: Tensor | None
    """Whether it is flipped, as truth values."""
    centre_B2: Tensor | None
    """Row and column around which Cutout cuts."""


def draw(n: int, size: tuple[int, int], data: Data, generator: torch.Generator) -> Draws:
    """Draws for a batch of `n` images of `size` (height, width), on the CPU, so the same whatever the device."""
    shift_2B = turned_B = centre_B2 = None
    if data.crop_padding:
        shift_2B = torch.randint(0, 2 * data.crop_padding + 1, (2, n), generator=generator)
    if data.flip:
        turned_B = torch.rand(n, generator=generator) < 0.5
    if data.cutout:
        centre_B2 = (torch.rand(n, 2, generator=generator) * torch.tensor(size)).long()
    return Draws(shift_2B, turned_B, centre_B2)


def apply(x_BCHW: Tensor, draws: Draws, data: Data) -> Tensor:
    """`x_BCHW` shifted by up to `data.crop_padding` pixels each way (zeros come in), flipped, and cut out."""
    if draws.shift_2B is not None or draws.turned_B is not None:
        x_BCHW = _moved(x_BCHW, draws, data.crop_padding)
    return x_BCHW if draws.centre_B2 is None else cut_out(x_BCHW, draws.centre_B2, data.cutout)


def _moved(x_BCHW: Tensor, draws: Draws, padding: int) -> Tensor:
    """Crop and flip in one gather, in channels-last order."""
    n, _, height, width = x_BCHW.shape
    rows_BH, columns_BW = (torch.arange(side, device=x_BCHW.device).expand(n, side) for side in (height, width))
    if draws.turned_B is not None:
        columns_BW = torch.where(draws.turned_B[:, None], width - 1 - columns_BW, columns_BW)
    if draws.shift_2B is not None:
        x_BCHW = F.pad(x_BCHW, (padding,) * 4)
        rows_BH, columns_BW = (
            side + shift_B[:, None] for side, shift_B in zip((rows_BH, columns_BW), draws.shift_2B, strict=True)
        )
    image_B11 = torch.arange(n, device=x_BCHW.device)[:, None, None]
    return x_BCHW.permute(0, 2, 3, 1)[image_B11, rows_BH[:, :, None], columns_BW[:, None, :]].permute(0, 3, 1, 2)


def cut_out(x_BCHW: Tensor, centre_B2: Tensor, fraction: float) -> Tensor:
    """Zeros in a square around each image's centre (row, column), as far as it lies inside the image.

    Its side is `fraction` of the image's height (DeVries and Taylor, arXiv 1708.04552, section 3.2:
    16 of 32 pixels on CIFAR-10, 8 on CIFAR-100; the centre may be any pixel).
    """
    height, width = x_BCHW.shape[2:]
    side = round(fraction * height)
    top_B, left_B = (centre_B2.to(x_BCHW.device) - side // 2).unbind(1)
    rows_H, columns_W = (torch.arange(n, device=x_BCHW.device) for n in (height, width))
    in_rows_BH = (rows_H >= top_B[:, None]) & (rows_H < top_B[:, None] + side)
    in_columns_BW = (columns_W >= left_B[:, None]) & (columns_W < left_B[:, None] + side)
    inside_B1HW = (in_rows_BH[:, :, None] & in_columns_BW[:, None, :])[:, None]
    return x_BCHW.clone().masked_fill_(inside_B1HW, 0.0)  # masked_fill would give up the channels-last order
