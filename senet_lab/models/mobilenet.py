"""MobileNet 1.0 (Howard et al., arXiv 1704.04861, Table 1).

A 3x3 stem, 13 depthwise separable blocks, global average pooling, one FC layer. SE stands after
each block, or after its depthwise convolution.
"""

from torch import Tensor, nn

from senet_lab import spec
from senet_lab.blocks.placed import Placed, staged
from senet_lab.models.convolution import conv_bn
from senet_lab.spec import SE, Unit


class SeparableBlock(Placed):
    """3x3 depthwise-BN-ReLU, 1x1-BN-ReLU; (N, C_in, H, W) -> (N, C_out, H/stride, W/stride)."""

    def __init__(self, unit: Unit, se: SE | None) -> None:
        super().__init__(unit, se)
        self.depthwise = conv_bn(unit.inputs, unit.inputs, 3, unit.stride, groups=unit.inputs)
        self.pointwise = conv_bn(unit.inputs, unit.outputs)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        x_NCHW = self.at("conv3x3", self.depthwise(x_NCHW).relu_())
        return self.at("standard", self.pointwise(x_NCHW).relu_())


class MobileNet(nn.Module):
    """(N, channels, H, W) -> logits (N, classes)."""

    def __init__(self, model: spec.MobileNet, channels: int, classes: int) -> None:
        super().__init__()
        self.stem = conv_bn(channels, model.units[0].inputs, 3, stride=1 if model.small_images else 2)
        self.stages = staged((u, SeparableBlock(u, model.se)) for u in model.units)
        self.classifier = nn.Linear(model.units[-1].outputs, classes)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        x_NCHW = self.stem(x_NCHW).relu_()
        for blocks in self.stages.values():
            x_NCHW = blocks(x_NCHW)
        logits: Tensor = self.classifier(x_NCHW.mean(dim=(2, 3)))
        return logits


def network(model: spec.MobileNet, channels: int, classes: int) -> nn.Module:
    """The network of `model`, its weights as torch leaves them."""
    return MobileNet(model, channels, classes)
