"""Inception-ResNet-v2 (Szegedy et al., arXiv 1602.07261), layers as in TensorFlow-slim and timm.

A stem, 40 residual modules with two modules between them that halve the map, global average
pooling, one FC layer. The branch of a residual module is scaled down before it is added. SE stands
on that branch, before the scaling.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from senet_lab import spec
from senet_lab.blocks import tail
from senet_lab.blocks.placed import Placed, staged
from senet_lab.spec import Unit

Layer = tuple[int, int | tuple[int, int]]
"""Channels and kernel of a convolution."""
BRANCHES: dict[int, list[list[Layer]]] = {
    3: [[(32, 1)], [(32, 1), (32, 3)], [(32, 1), (48, 3), (64, 3)]],  # block35
    4: [[(192, 1)], [(128, 1), (160, (1, 7)), (192, (7, 1))]],  # block17
    5: [[(192, 1)], [(192, 1), (224, (1, 3)), (256, (3, 1))]],  # block8
}
SCALES = {3: 0.17, 4: 0.10, 5: 0.20}
REDUCTIONS: dict[int, list[list[Layer]]] = {
    4: [[(384, 3)], [(256, 1), (256, 3), (384, 3)]],  # mixed_6a
    5: [[(256, 1), (384, 3)], [(256, 1), (288, 3)], [(256, 1), (288, 3), (320, 3)]],  # mixed_7a
}
"""The first module of a stage; the last convolution of each branch has stride 2."""


class Convolution(nn.Sequential):
    """conv-BN-ReLU; at stride 1 the map keeps its size if `padded`, at stride 2 it becomes ceil(size / 2)."""

    def __init__(self, inputs: int, layer: Layer, stride: int = 1, padded: bool = True) -> None:
        outputs, kernel = layer
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (height // 2, width // 2) if padded else 0
        super().__init__(
            nn.Conv2d(inputs, outputs, (height, width), stride, padding, bias=False),
            nn.BatchNorm2d(outputs, eps=1e-3),
            nn.ReLU(inplace=True),
        )


class Parallel(nn.ModuleList):
    """Branches side by side, their channels joined."""

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return torch.cat([branch(x_NCHW) for branch in self], dim=1)


class Residual(Placed):
    """Branches, 1x1 convolution with bias, scaled, added to the input, ReLU; keeps the shape (N, C, H, W).

    SE: "standard" before the scaling; "pre" on the input of the branches; "post" after the ReLU;
    "identity" on the shortcut. The last module of the network has no ReLU.
    """

    def __init__(self, unit: Unit, model: spec.InceptionResNetV2, last: bool) -> None:
        super().__init__(unit, model.se)
        self.scale, self.last = SCALES[unit.stage], last
        branches = _scaled(model, BRANCHES[unit.stage])
        self.branches = Parallel(_sequence(unit.inputs, layers) for layers in branches)
        self.project = nn.Conv2d(sum(layers[-1][0] for layers in branches), unit.outputs, 1)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        branch = self.at("standard", self.project(self.branches(self.at("pre", x_NCHW))))
        branch *= self.scale
        return self.at("post", tail.joined(branch, self.at("identity", x_NCHW), relu=not self.last))


class InceptionResNetV2(nn.Module):
    """(N, channels, H, W) -> logits (N, classes)."""

    def __init__(self, model: spec.InceptionResNetV2, channels: int, classes: int) -> None:
        super().__init__()
        features = model.scaled(1536)
        self.stem = _stem(model, channels)
        self.stages = staged(_modules(model))
        self.last = Convolution(model.units[-1].outputs, (features, 1))
        self.dropout = nn.Dropout(model.dropout)
        self.classifier = nn.Linear(features, classes)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        x_NCHW = self.stem(x_NCHW)
        for modules in self.stages.values():
            x_NCHW = modules(x_NCHW)
        logits: Tensor = self.classifier(self.dropout(self.last(x_NCHW).mean(dim=(2, 3))))
        return logits


def _stem(model: spec.InceptionResNetV2, channels: int) -> nn.Sequential:
    """Six convolutions and mixed_5b; small images keep their size: padding, no stride, no pooling."""
    small, s = model.small_images, model.scaled
    narrow, wide = s(64), s(192)
    pools = [nn.Identity(), nn.Identity()] if small else [nn.MaxPool2d(3, 2), nn.MaxPool2d(3, 2)]
    branches: list[list[Layer]] = [[(96, 1)], [(48, 1), (64, 5)], [(64, 1), (96, 3), (96, 3)]]
    average = nn.AvgPool2d(3, 1, padding=1, count_include_pad=False)
    ways = [_sequence(wide, layers) for layers in _scaled(model, branches)]
    return nn.Sequential(
        Convolution(channels, (s(32), 3), stride=1 if small else 2, padded=small),
        Convolution(s(32), (s(32), 3), padded=small), Convolution(s(32), (narrow, 3)), pools[0],
        Convolution(narrow, (s(80), 1)), Convolution(s(80), (wide, 3), padded=small), pools[1],
        Parallel([*ways, nn.Sequential(average, Convolution(wide, (s(64), 1)))]),
    )  # fmt: skip


def _modules(model: spec.InceptionResNetV2) -> Iterator[tuple[Unit, nn.Module]]:
    """The residual modules, and those that halve the map where a stage begins."""
    inputs, small = model.units[0].inputs, model.small_images
    for number, unit in enumerate(model.units, 1):
        if inputs != unit.inputs:
            ways = [_sequence(inputs, layers, 2, small) for layers in _scaled(model, REDUCTIONS[unit.stage])]
            yield unit, Parallel([*ways, nn.MaxPool2d(3, 2, padding=int(small))])
        yield unit, Residual(unit, model, last=number == len(model.units))
        inputs = unit.outputs


def _sequence(inputs: int, layers: list[Layer], stride: int = 1, padded: bool = True) -> nn.Sequential:
    """Convolutions in a row, the last with `stride`, and the one with a stride padded only if `padded`."""
    steps = nn.Sequential()
    for i, layer in enumerate(layers, 1):
        last = i == len(layers)
        steps.append(Convolution(inputs, layer, stride if last else 1, padded or not last))
        inputs = layer[0]
    return steps


def _scaled(model: spec.InceptionResNetV2, branches: list[list[Layer]]) -> list[list[Layer]]:
    return [[(model.scaled(channels), kernel) for channels, kernel in layers] for layers in branches]


def network(model: spec.InceptionResNetV2, channels: int, classes: int) -> nn.Module:
    """The network of `model`, its weights as torch leaves them."""
    return InceptionResNetV2(model, channels, classes)
