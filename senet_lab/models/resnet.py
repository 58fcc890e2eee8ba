"""ResNet, ResNeXt and SENet-154 (v4 Table 1 and Appendix; layers as in the official prototxts).

A stem, stages 2 to 5 of bottleneck blocks, global average pooling, one FC layer. No convolution
has a bias. SE may stand at each place of v4 Fig. 5. Shapes: N images, C channels, H x W positions.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from senet_lab import spec
from senet_lab.blocks.placed import Placed, staged
from senet_lab.models.convolution import convolution
from senet_lab.models.initialise import ZeroBatchNorm2d
from senet_lab.spec import Unit

Bottlenecks = spec.ResNet | spec.ResNeXt | spec.SENet


class Bottleneck(Placed):
    """1x1, 3x3 (grouped or not), 1x1, add the shortcut, ReLU; (N, C_in, H, W) -> (N, C_out, H/stride, W/stride).

    Each convolution has its BN, the first two their ReLU. Where the SE block stands (v4 sections
    3.3, 6.5 and Fig. 5): "standard" on the residual branch before the addition; "pre" on the
    branch's input; "post" after the addition and its ReLU; "identity" on the shortcut, after its
    projection (the paper does not say on which side); "conv3x3" after the 3x3 convolution with its
    BN and ReLU.
    """

    def __init__(self, unit: Unit, model: Bottlenecks) -> None:
        super().__init__(unit, model.se)
        senet = isinstance(model, spec.SENet)
        first = unit.middle // 2 if senet else unit.middle  # v4 Appendix: the first 1x1 is halved
        outer, inner = (unit.stride, 1) if model.stride_in == "1x1" else (1, unit.stride)
        self.conv1 = convolution(unit.inputs, first, 1, outer)
        self.bn1 = nn.BatchNorm2d(first)
        self.conv2 = nn.Conv2d(first, unit.middle, 3, inner, padding=1, groups=model.groups, bias=False)
        self.bn2 = nn.BatchNorm2d(unit.middle)
        self.conv3 = nn.Conv2d(unit.middle, unit.outputs, 1, bias=False)
        self.bn3 = (ZeroBatchNorm2d if model.identity_start else nn.BatchNorm2d)(unit.outputs)
        self.projection: nn.Module = nn.Identity()
        if unit.stride > 1 or unit.inputs != unit.outputs:
            kernel = 3 if senet and unit.stride > 1 else 1  # v4 Appendix
            self.projection = _projection(unit, kernel)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        branch = self.at("pre", x_NCHW)
        branch = self.bn1(self.conv1(branch)).relu_()
        branch = self.at("conv3x3", self.bn2(self.conv2(branch)).relu_())
        branch = self.bn3(self.conv3(branch))
        shortcut = self.at("identity", self.projection(x_NCHW))
        return self.at("post", self.joined(branch, shortcut))


class ResNet(nn.Module):
    """(N, channels, H, W) -> logits (N, classes)."""

    def __init__(self, model: Bottlenecks, channels: int, classes: int) -> None:
        super().__init__()
        self.stem = _stem(model, channels)
        self.stages = staged((unit, Bottleneck(unit, model)) for unit in model.units)
        self.dropout = model.dropout if isinstance(model, spec.SENet) else 0.0
        self.classifier = nn.Linear(model.units[-1].outputs, classes)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        x_NCHW = self.stem(x_NCHW)
        for blocks in self.stages.values():
            x_NCHW = blocks(x_NCHW)
        x_NC = x_NCHW.mean(dim=(2, 3))
        if self.training and self.dropout:
            x_NC = F.dropout(x_NC, self.dropout)
        logits: Tensor = self.classifier(x_NC)
        return logits


def network(model: Bottlenecks, channels: int, classes: int) -> nn.Module:
    """The network of `model`, its weights as torch leaves them."""
    return ResNet(model, channels, classes)


def _projection(unit: Unit, kernel: int) -> nn.Sequential:
    found = nn.Sequential()
    found.add_module("conv", convolution(unit.inputs, unit.outputs, kernel, unit.stride))
    found.add_module("bn", nn.BatchNorm2d(unit.outputs))
    return found


def _stem(model: Bottlenecks, channels: int) -> nn.Sequential:
    """One 7x7 or SENet's three 3x3 convolutions, the first with stride 2, and 3x3 max pooling with stride 2.

    For small images one or three 3x3 convolutions that keep the size, and no pooling.
    """
    found = nn.Sequential()
    kernel = 3 if model.small_images or len(model.stem) > 1 else 7
    for number, outputs in enumerate(model.stem, 1):
        stride = 2 if number == 1 and not model.small_images else 1
        found.add_module(f"conv{number}", nn.Conv2d(channels, outputs, kernel, stride, kernel // 2, bias=False))
        found.add_module(f"bn{number}", nn.BatchNorm2d(outputs))
        found.add_module(f"relu{number}", nn.ReLU(inplace=True))
        channels = outputs
    if not model.small_images:
        padded = model.pool == "padded"
        found.add_module("pool", nn.MaxPool2d(3, 2, padding=int(padded), ceil_mode=not padded))
    return found
