"""The layer that most networks are made of: a convolution and its batch norm."""

from torch import nn


def conv_bn(inputs: int, outputs: int, size: int = 1, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """A convolution without bias, then batch norm: (N, inputs, H, W) -> (N, outputs, ceil(H / stride), ...).

    `size` is odd; zeros around the map keep its size at stride 1.
    """
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    )
