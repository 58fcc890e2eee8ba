"""ShuffleNet 1x (Zhang et al., arXiv 1707.01083, Fig. 2 and Table 1).

A 3x3 stem, max pooling, three stages of units with grouped 1x1 convolutions between which channels
are shuffled, global average pooling, one FC layer. SE may stand at each place of v4 Fig. 5.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from senet_lab import spec
from senet_lab.blocks.placed import Placed, staged
from senet_lab.models.convolution import conv_bn
from senet_lab.spec import SE, Unit


class ShuffleUnit(Placed):
    """1x1-BN-ReLU, shuffle, 3x3 depthwise-BN, 1x1-BN; (N, C_in, H, W) -> (N, C_out, H/stride, W/stride).

    With stride 1 the input is added, with stride 2 the average-pooled input stands before the
    branch; ReLU follows. SE: "standard" on the branch before that; "pre" on the branch's input;
    "post" after the ReLU; "identity" on the shortcut, after its pooling; "conv3x3" after the
    depthwise convolution with its BN.
    """

    def __init__(self, unit: Unit, groups: int, first: bool, se: SE | None) -> None:
        super().__init__(unit, se)
        self.groups, self.stride = groups, unit.stride
        # the paper's 3.2: the first 1x1 convolution of all sees too few channels for groups
        self.reduce = conv_bn(unit.inputs, unit.middle, groups=1 if first else groups)
        self.depthwise = conv_bn(unit.middle, unit.middle, 3, unit.stride, groups=unit.middle)
        self.expand = conv_bn(unit.middle, unit.channels("standard"), groups=groups)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        branch = shuffled(self.reduce(self.at("pre", x_NCHW)).relu_(), self.groups)
        branch = self.at("conv3x3", self.depthwise(branch))
        branch = self.expand(branch)
        if self.stride == 1:
            return self.at("post", self.joined(branch, self.at("identity", x_NCHW)))
        shortcut = self.at("identity", F.avg_pool2d(x_NCHW, 3, 2, padding=1))
        return self.at("post", torch.cat([shortcut, self.at("standard", branch)], dim=1).relu_())


def shuffled(x_NCHW: Tensor, groups: int) -> Tensor:
    """The first channel of each of `groups` equal groups, then the second of each, and so on."""
    images, channels, height, width = x_NCHW.shape
    x_NGCHW = x_NCHW.reshape(images, groups, channels // groups, height, width)
    return x_NGCHW.transpose(1, 2).reshape(images, channels, height, width)


class ShuffleNet(nn.Module):
    """(N, channels, H, W) -> logits (N, classes)."""

    def __init__(self, model: spec.ShuffleNet, channels: int, classes: int) -> None:
        super().__init__()
        self.stem = conv_bn(channels, model.stem, 3, stride=1 if model.small_images else 2)
        self.pool = nn.Identity() if model.small_images else nn.MaxPool2d(3, 2, padding=1)
        self.stages = staged((u, ShuffleUnit(u, model.groups, i == 0, model.se)) for i, u in enumerate(model.units))
        self.classifier = nn.Linear(model.units[-1].outputs, classes)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        x_NCHW = self.pool(self.stem(x_NCHW).relu_())
        for units in self.stages.values():
            x_NCHW = units(x_NCHW)
        logits: Tensor = self.classifier(x_NCHW.mean(dim=(2, 3)))
        return logits


def network(model: spec.ShuffleNet, channels: int, classes: int) -> nn.Module:
    """The network of `model`, its weights as torch leaves them."""
    return ShuffleNet(model, channels, classes)
