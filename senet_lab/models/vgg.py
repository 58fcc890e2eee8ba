"""VGG-16 with batch norm (Simonyan and Zisserman, arXiv 1409.1556, Table 1 column D; v4 section 5.1).

Five stages of 3x3 convolutions, each stage followed by 2x2 max pooling, then three FC layers. SE
stands after the non-linearity of each convolution.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from senet_lab import spec
from senet_lab.blocks.placed import Placed, staged
from senet_lab.spec import SE, Unit


class ConvBlock(Placed):
    """conv-BN-ReLU, SE; (N, inputs, H, W) -> (N, outputs, H, W)."""

    def __init__(self, unit: Unit, inputs: int, se: SE | None) -> None:
        super().__init__(unit, se)
        self.conv = nn.Conv2d(inputs, unit.outputs, 3, padding=1)  # with bias, as the original without BN
        self.bn = nn.BatchNorm2d(unit.outputs)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return self.at("standard", self.bn(self.conv(x_NCHW)).relu_())


class VGG(nn.Module):
    """(N, channels, H, W) -> logits (N, classes)."""

    def __init__(self, model: spec.VGG, channels: int, classes: int) -> None:
        super().__init__()
        self.stages = staged((u, ConvBlock(u, u.inputs or channels, model.se)) for u in model.units)
        for stage, blocks in self.stages.items():
            assert isinstance(blocks, nn.Sequential)
            if not (model.small_images and stage in "12"):
                blocks.append(nn.MaxPool2d(2, ceil_mode=True))  # ceil: a map of one position stays one
        self.positions = 1 if model.small_images else 7  # along each side of the map that the classifier sees
        self.classifier = nn.Sequential(
            nn.Linear(model.units[-1].outputs * self.positions**2, model.hidden), nn.ReLU(), nn.Dropout(model.dropout),
            nn.Linear(model.hidden, model.hidden), nn.ReLU(), nn.Dropout(model.dropout),
            nn.Linear(model.hidden, classes),
        )  # fmt: skip

    def forward(self, x_NCHW: Tensor) -> Tensor:
        for blocks in self.stages.values():
            x_NCHW = blocks(x_NCHW)
        x_NCHW = F.adaptive_avg_pool2d(x_NCHW, self.positions)
        logits: Tensor = self.classifier(x_NCHW.flatten(1))
        return logits


def network(model: spec.VGG, channels: int, classes: int) -> nn.Module:
    """The network of `model`, its weights as torch leaves them."""
    return VGG(model, channels, classes)
