"""Pre-activation ResNets (He et al., arXiv 1603.05027), wide ones too (Zagoruyko and Komodakis, arXiv 1605.07146).

A 3x3 stem of 16 channels, stages of blocks that begin with BN and ReLU, a last BN and ReLU, global
average pooling, one FC layer. As in the authors' code (github.com/KaimingHe/resnet-1k-layers,
github.com/szagoruyko/wide-residual-networks), a block that changes the shape has its first BN and
ReLU in front of branch and shortcut both. SE may stand at each place of v4 Fig. 5.
"""

from torch import Tensor, nn

from senet_lab import spec
from senet_lab.blocks.placed import Placed, padded_shortcut, staged
from senet_lab.models.convolution import convolution
from senet_lab.spec import Unit

Model = spec.PreActResNet | spec.WideResNet


class PreActBlock(Placed):
    """BN-ReLU-conv two or three times, add the shortcut; (N, C_in, H, W) -> (N, C_out, H/stride, W/stride).

    SE: "standard" at the end of the branch; "pre" on the branch's input, which in a block that
    changes the shape is what BN and ReLU give to branch and shortcut; "post" after the addition;
    "identity" on the shortcut, after its change of shape; "conv3x3" after the first 3x3
    convolution with the BN and ReLU that follow it.
    """

    def __init__(self, unit: Unit, model: Model) -> None:
        super().__init__(unit, model.se)
        self.unit = unit
        middle, outputs, stride = unit.middle, unit.outputs, unit.stride
        # inputs, outputs, size, stride of each convolution; the stride is the first one's
        layers = [(unit.inputs, middle, 3, stride), (middle, outputs, 3, 1)]
        if model.block == "bottleneck":
            layers = [(unit.inputs, middle, 1, stride), (middle, middle, 3, 1), (middle, outputs, 1, 1)]
        self.norms = nn.ModuleList(nn.BatchNorm2d(layer[0]) for layer in layers)
        self.convs = nn.ModuleList(convolution(*layer) for layer in layers)
        self.first_3x3 = next(i for i, layer in enumerate(layers) if layer[2] == 3)
        self.changes = stride > 1 or unit.inputs != outputs
        if self.changes and model.shortcut == "projection":
            self.projection = convolution(unit.inputs, outputs, 1, stride)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        if self.changes:
            x_NCHW = self.norms[0](x_NCHW).relu_()
            branch = self.at("pre", x_NCHW)
        else:
            branch = self.norms[0](self.at("pre", x_NCHW)).relu_()
        for i, conv in enumerate(self.convs):
            if i > 0:
                branch = self.norms[i](branch).relu_()
            if i == self.first_3x3 + 1:
                branch = self.at("conv3x3", branch)
            branch = conv(branch)
        shortcut = self.at("identity", self.shortcut(x_NCHW))
        return self.at("post", self.joined(branch, shortcut, relu=False))

    def shortcut(self, x_NCHW: Tensor) -> Tensor:
        """`x_NCHW` in the shape of the output: (N, C_out, H/stride, W/stride)."""
        if hasattr(self, "projection"):
            projected: Tensor = self.projection(x_NCHW)
            return projected
        return padded_shortcut(x_NCHW, self.unit)


class PreActResNet(nn.Module):
    """(N, channels, H, W) -> logits (N, classes)."""

    def __init__(self, model: Model, channels: int, classes: int) -> None:
        super().__init__()
        outputs = model.units[-1].outputs
        self.stem = nn.Conv2d(channels, model.stem, 3, padding=1, bias=False)
        self.stages = staged((u, PreActBlock(u, model)) for u in model.units)
        self.last_bn = nn.BatchNorm2d(outputs)
        self.classifier = nn.Linear(outputs, classes)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        x_NCHW = self.stem(x_NCHW)
        for blocks in self.stages.values():
            x_NCHW = blocks(x_NCHW)
        x_NCHW = self.last_bn(x_NCHW).relu_()
        logits: Tensor = self.classifier(x_NCHW.mean(dim=(2, 3)))
        return logits


def network(model: Model, channels: int, classes: int) -> nn.Module:
    """The network of `model`, its weights as torch leaves them."""
    return PreActResNet(model, channels, classes)
