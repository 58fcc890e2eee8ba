"""The layers that most networks are made of: a convolution and its batch norm; a 1x1 convolution with a stride."""

import torch.nn.functional as F
from torch import Tensor, nn

BLOCK = 16
"""Channels that oneDNN's kernels for AVX-512 work on at a time; those for AVX2 take 8."""


class Pointwise(nn.Conv2d):
    """A 1x1 convolution of every stride-th position: (N, C_in, H, W) -> (N, C_out, ceil(H / stride), ...).

    With fewer input channels than a block has, the positions are taken before the convolution, at 1.1 to 2 times its
    cost: oneDNN copies them into a space that is too small then, and writes past its end (torch 2.13, channels-last
    order; github.com/uxlfoundation/oneDNN/issues/6035).
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(inputs, outputs, 1, stride, groups=groups, bias=False)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        rows, columns = self.stride
        if rows > 1 and self.in_channels // self.groups < BLOCK:
            return F.conv2d(x_NCHW[:, :, ::rows, ::columns], self.weight, groups=self.groups)
        return F.conv2d(x_NCHW, self.weight, stride=(rows, columns), groups=self.groups)


def conv_bn(inputs: int, outputs: int, size: int = 1, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """A convolution without bias, then batch norm: (N, inputs, H, W) -> (N, outputs, ceil(H / stride), ...).

    `size` is odd; zeros around the map keep its size at stride 1.
    """
    return nn.Sequential(convolution(inputs, outputs, size, stride, groups), nn.BatchNorm2d(outputs))


def convolution(inputs: int, outputs: int, size: int = 1, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """A convolution without bias, as `conv_bn` has it."""
    if size == 1:
        return Pointwise(inputs, outputs, stride, groups)
    return nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, groups=groups, bias=False)
