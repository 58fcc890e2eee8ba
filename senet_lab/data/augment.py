"""Random crop, flip and Cutout on whole batches, on the device, each image with its own draw (v4 section 5.1)."""

import torch
import torch.nn.functional as F
from torch import Tensor


def augment(x_NCHW: Tensor, padding: int, flip: bool, generator: torch.Generator, cutout: float = 0.0) -> Tensor:
    """`x_NCHW` shifted by up to `padding` pixels each way (zeros come in), flipped half of the time, and cut out.

    The draws come from `generator` on the CPU, so they are the same whatever the device.
    """
    n, _, height, width = x_NCHW.shape
    if padding:
        top_N, left_N = torch.randint(0, 2 * padding + 1, (2, n), generator=generator).to(x_NCHW.device)
        padded = F.pad(x_NCHW, (padding,) * 4)
        rows_NH = top_N[:, None] + torch.arange(height, device=x_NCHW.device)
        columns_NW = left_N[:, None] + torch.arange(width, device=x_NCHW.device)
        image_N = torch.arange(n, device=x_NCHW.device)[:, None, None]
        x_NCHW = padded.permute(0, 2, 3, 1)[image_N, rows_NH[:, :, None], columns_NW[:, None, :]].permute(0, 3, 1, 2)
    if flip:
        turned_N = (torch.rand(n, generator=generator) < 0.5).to(x_NCHW.device)
        x_NCHW = torch.where(turned_N[:, None, None, None], x_NCHW.flip(3), x_NCHW)
    if cutout:
        centre_N2 = (torch.rand(n, 2, generator=generator) * torch.tensor([height, width])).long()
        x_NCHW = cut_out(x_NCHW, centre_N2, cutout)
    return x_NCHW


def cut_out(x_NCHW: Tensor, centre_N2: Tensor, fraction: float) -> Tensor:
    """Zeros in a square around each image's centre (row, column), as far as it lies inside the image.

    Its side is `fraction` of the image's height (DeVries and Taylor, arXiv 1708.04552, section 3.2:
    16 of 32 pixels on CIFAR-10, 8 on CIFAR-100; the centre may be any pixel).
    """
    height, width = x_NCHW.shape[2:]
    side = round(fraction * height)
    top_N, left_N = (centre_N2.to(x_NCHW.device) - side // 2).unbind(1)
    rows_H, columns_W = (torch.arange(n, device=x_NCHW.device) for n in (height, width))
    in_rows_NH = (rows_H >= top_N[:, None]) & (rows_H < top_N[:, None] + side)
    in_columns_NW = (columns_W >= left_N[:, None]) & (columns_W < left_N[:, None] + side)
    return x_NCHW.masked_fill((in_rows_NH[:, :, None] & in_columns_NW[:, None, :])[:, None], 0.0)
