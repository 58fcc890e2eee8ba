"""CIFAR-style ResNets of any depth and width (He et al., arXiv 1512.03385, section 4.2).

A 3x3 stem, stages of two-layer basic blocks, global average pooling, one FC layer. Shortcuts
have no parameters: where the shape changes, every second position is taken and zero channels are
added. SE may stand at each place of v4 Fig. 5.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from senet_lab.blocks.se import SEBlock
from senet_lab.spec import FIRST_STAGE, SE, Model


class BasicBlock(nn.Module):
    """conv-BN-ReLU, conv-BN, add the shortcut, ReLU; (N, C_in, H, W) -> (N, C_out, H/stride, W/stride).

    Where the SE block stands (v4 sections 3.3, 6.5 and Fig. 5): "standard" on the residual branch
    before the addition; "pre" on the branch's input; "post" after the addition and its ReLU;
    "identity" on the shortcut, after its change of shape; "conv3x3" inside the unit, after the
    first 3x3 convolution with its BN and ReLU.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, se: SE | None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride = stride
        self.extra = outputs - inputs
        self.placement = se.placement if se else None
        if se is not None:
            self.se = SEBlock(inputs if se.placement == "pre" else outputs, se)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        branch = self._at("pre", x_NCHW)
        branch = self._at("conv3x3", self.bn1(self.conv1(branch)).relu())
        branch = self._at("standard", self.bn2(self.conv2(branch)))
        shortcut = self._at("identity", self._shortcut(x_NCHW))
        return self._at("post", (branch + shortcut).relu())

    def _at(self, place: str, x_NCHW: Tensor) -> Tensor:
        return self.se(x_NCHW) if self.placement == place else x_NCHW

    def _shortcut(self, x_NCHW: Tensor) -> Tensor:
        if self.stride > 1:
            x_NCHW = x_NCHW[:, :, :: self.stride, :: self.stride]
        if self.extra < 0:
            return x_NCHW[:, : self.extra]
        return F.pad(x_NCHW, (0, 0, 0, 0, 0, self.extra)) if self.extra else x_NCHW


class CifarResNet(nn.Module):
    """(N, channels, H, W) -> logits (N, classes)."""

    def __init__(self, model: Model, channels: int, classes: int) -> None:
        super().__init__()
        width = model.widths[0]
        self.stem = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.stem_bn = nn.BatchNorm2d(width)
        self.stages = nn.ModuleDict()
        for stage, outputs in model.stages.items():
            se = model.se if model.se and model.se.in_stage(stage) else None
            blocks = nn.Sequential()
            for i in range(model.blocks_per_stage):
                stride = 2 if i == 0 and stage > FIRST_STAGE else 1
                blocks.append(BasicBlock(width, outputs, stride, se))
                width = outputs
            self.stages[str(stage)] = blocks
        self.classifier = nn.Linear(width, classes)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        x_NCHW = self.stem_bn(self.stem(x_NCHW)).relu()
        for blocks in self.stages.values():
            x_NCHW = blocks(x_NCHW)
        logits: Tensor = self.classifier(x_NCHW.mean(dim=(2, 3)))
        return logits


def network(model: Model, channels: int, classes: int) -> nn.Module:
    """The network of `model`, its weights as torch leaves them."""
    return CifarResNet(model, channels, classes)
