"""Random crop and flip on whole batches, on the device, each image with its own draw (v4 section 5.1)."""

import torch
import torch.nn.functional as F
from torch import Tensor


def augment(x_NCHW: Tensor, padding: int, flip: bool, generator: torch.Generator) -> Tensor:
    """`x_NCHW` shifted by up to `padding` pixels each way (zeros come in) and flipped half of the time.

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
    return x_NCHW
