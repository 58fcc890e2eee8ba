"""CIFAR-style ResNets of any depth and width (He et al., arXiv 1512.03385, section 4.2).

A 3x3 stem, stages of two-layer basic blocks, global average pooling, one FC layer. Shortcuts
have no parameters: where the shape changes, every second position is taken and zero channels are
added. SE may stand at each place of v4 Fig. 5.
"""

from torch import Tensor, nn

from senet_lab import spec
from senet_lab.blocks.placed import Placed, padded_shortcut, staged
from senet_lab.spec import SE, Unit


class BasicBlock(Placed):
    """conv-BN-ReLU, conv-BN, add the shortcut, ReLU; (N, C_in, H, W) -> (N, C_out, H/stride, W/stride).

    Where the SE block stands (v4 sections 3.3, 6.5 and Fig. 5): "standard" on the residual branch
    before the addition; "pre" on the branch's input; "post" after the addition and its ReLU;
    "identity" on the shortcut, after its change of shape; "conv3x3" inside the unit, after the
    first 3x3 convolution with its BN and ReLU.
    """

    def __init__(self, unit: Unit, se: SE | None) -> None:
        super().__init__(unit, se)
        self.conv1 = nn.Conv2d(unit.inputs, unit.outputs, 3, unit.stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(unit.outputs)
        self.conv2 = nn.Conv2d(unit.outputs, unit.outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(unit.outputs)
        self.unit = unit

    def forward(self, x_NCHW: Tensor) -> Tensor:
        branch = self.at("pre", x_NCHW)
        branch = self.at("conv3x3", self.bn1(self.conv1(branch)).relu_())
        branch = self.bn2(self.conv2(branch))
        shortcut = self.at("identity", padded_shortcut(x_NCHW, self.unit))
        return self.at("post", self.joined(branch, shortcut))


class CifarResNet(nn.Module):
    """(N, channels, H, W) -> logits (N, classes)."""

    def __init__(self, model: spec.CifarResNet, channels: int, classes: int) -> None:
        super().__init__()
        width = model.widths[0]
        self.stem = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.stem_bn = nn.BatchNorm2d(width)
        self.stages = staged((u, BasicBlock(u, model.se)) for u in model.units)
        self.classifier = nn.Linear(model.units[-1].outputs, classes)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        x_NCHW = self.stem_bn(self.stem(x_NCHW)).relu_()
        for blocks in self.stages.values():
            x_NCHW = blocks(x_NCHW)
        logits: Tensor = self.classifier(x_NCHW.mean(dim=(2, 3)))
        return logits


def network(model: spec.CifarResNet, channels: int, classes: int) -> nn.Module:
    """The network of `model`, its weights as torch leaves them."""
    return CifarResNet(model, channels, classes)
