"""The networks in plain eager PyTorch, as people write them; the same functions as ours, for speed beside ours.

After github.com/akamaster/pytorch_resnet_cifar10, github.com/moskomule/senet.pytorch and torchvision's ResNet,
with the paper's details where those differ: zero channels at the end, stride in the first 1x1 convolution,
no biases in SE. Weights of ours fit in by `of_ours`.
"""

import re
from collections.abc import Callable, Mapping

import torch
import torch.nn as nn
import torch.nn.functional as F

MakeSE = Callable[[int], nn.Module]
"""Makes the block for a number of channels; `nn.Identity` for none."""


def no_se(channels: int) -> nn.Module:
    return nn.Identity()


class SEModule(nn.Module):
    """As in moskomule/senet.pytorch, the form that is copied most."""

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        hidden = max(1, channels // reduction)
        self.fc = nn.Sequential(
            nn.Linear(channels, hidden, bias=False),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, channels, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        b, c, _, _ = x.size()
        y = self.avg_pool(x).view(b, c)
        y = self.fc(y).view(b, c, 1, 1)
        return x * y.expand_as(x)


class BasicBlock(nn.Module):
    def __init__(self, in_planes: int, planes: int, stride: int, make_se: MakeSE) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_planes, planes, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, kernel_size=3, stride=1, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.se = make_se(planes)
        self.changes = stride != 1 or in_planes != planes
        self.stride, self.extra = stride, planes - in_planes

    def shortcut(self, x: torch.Tensor) -> torch.Tensor:
        if not self.changes:
            return x
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.extra))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.se(self.bn2(self.conv2(out)))
        out += self.shortcut(x)
        return F.relu(out)


class CifarResNet(nn.Module):
    """ResNet-20 and its like (He et al., section 4.2)."""

    def __init__(
        self, depth: int, widths: tuple[int, ...], channels: int, classes: int, make_se: MakeSE = no_se
    ) -> None:
        super().__init__()
        blocks = (depth - 2) // (2 * len(widths))
        self.conv1 = nn.Conv2d(channels, widths[0], kernel_size=3, stride=1, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.layers = nn.Sequential()
        planes = widths[0]
        for stage, width in enumerate(widths):
            layer = nn.Sequential()
            for block in range(blocks):
                layer.append(BasicBlock(planes, width, 2 if stage > 0 and block == 0 else 1, make_se))
                planes = width
            self.layers.append(layer)
        self.linear = nn.Linear(planes, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.layers(out)
        out = F.adaptive_avg_pool2d(out, 1)
        out = torch.flatten(out, 1)
        return self.linear(out)


class Bottleneck(nn.Module):
    def __init__(self, in_planes: int, planes: int, stride: int, make_se: MakeSE) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_planes, planes, kernel_size=1, stride=stride, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, kernel_size=3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, 4 * planes, kernel_size=1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * planes)
        self.relu = nn.ReLU(inplace=True)
        self.se = make_se(4 * planes)
        self.downsample = None
        if stride != 1 or in_planes != 4 * planes:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_planes, 4 * planes, kernel_size=1, stride=stride, bias=False),
                nn.BatchNorm2d(4 * planes),
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.se(self.bn3(self.conv3(out)))
        if self.downsample is not None:
            identity = self.downsample(x)
        out += identity
        return self.relu(out)


class ResNet50(nn.Module):
    """With the stem for 224 pixels; for small images of `small_channels`, with a 3x3 convolution and no pooling."""

    def __init__(
        self, classes: int = 1000, make_se: MakeSE = no_se, width: float = 1.0, small_channels: int = 0
    ) -> None:
        super().__init__()
        in_planes = round(64 * width)
        self.conv1 = nn.Conv2d(3, in_planes, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(in_planes)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool: nn.Module = nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True)
        if small_channels:
            self.conv1 = nn.Conv2d(small_channels, in_planes, kernel_size=3, stride=1, padding=1, bias=False)
            self.maxpool = nn.Identity()
        self.layers = nn.Sequential()
        for stage, blocks in enumerate((3, 4, 6, 3)):
            planes, layer = round(64 * 2**stage * width), nn.Sequential()
            for block in range(blocks):
                layer.append(Bottleneck(in_planes, planes, 2 if stage > 0 and block == 0 else 1, make_se))
                in_planes = 4 * planes
            self.layers.append(layer)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(in_planes, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layers(x)
        x = torch.flatten(self.avgpool(x), 1)
        return self.fc(x)


class PreActBlock(nn.Module):
    def __init__(self, in_planes: int, planes: int, stride: int, make_se: MakeSE) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_planes)
        self.conv1 = nn.Conv2d(in_planes, planes, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, kernel_size=3, stride=1, padding=1, bias=False)
        self.se = make_se(planes)
        self.shortcut = None
        if stride != 1 or in_planes != planes:
            self.shortcut = nn.Conv2d(in_planes, planes, kernel_size=1, stride=stride, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = F.relu(self.bn1(x))
        shortcut = x if self.shortcut is None else self.shortcut(out)
        out = self.conv1(out)
        out = self.conv2(F.relu(self.bn2(out)))
        out = self.se(out)
        out += shortcut
        return out


class PreActResNet(nn.Module):
    """Pre-activation and wide residual networks: a stem of `widths[0]`, then three stages of the others."""

    def __init__(
        self, blocks: int, widths: tuple[int, ...], channels: int, classes: int, make_se: MakeSE = no_se
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, widths[0], kernel_size=3, stride=1, padding=1, bias=False)
        self.layers = nn.Sequential()
        in_planes = widths[0]
        for stage, planes in enumerate(widths[1:]):
            layer = nn.Sequential()
            for block in range(blocks):
                layer.append(PreActBlock(in_planes, planes, 2 if stage > 0 and block == 0 else 1, make_se))
                in_planes = planes
            self.layers.append(layer)
        self.bn = nn.BatchNorm2d(in_planes)
        self.linear = nn.Linear(in_planes, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.conv1(x)
        out = self.layers(out)
        out = F.relu(self.bn(out))
        out = torch.flatten(F.adaptive_avg_pool2d(out, 1), 1)
        return self.linear(out)


RENAMED: dict[type[nn.Module], dict[str, str]] = {
    CifarResNet: {r"^stem\.": "conv1.", r"^stem_bn\.": "bn1.", r"^classifier\.": "linear."},
    ResNet50: {
        r"^stem\.(conv1|bn1)\.": r"\1.",
        r"^classifier\.": "fc.",
        r"\.projection\.conv\.": ".downsample.0.",
        r"\.projection\.bn\.": ".downsample.1.",
    },
    PreActResNet: {
        r"^stem\.": "conv1.",
        r"^last_bn\.": "bn.",
        r"^classifier\.": "linear.",
        r"\.norms\.0\.": ".bn1.",
        r"\.norms\.1\.": ".bn2.",
        r"\.convs\.0\.": ".conv1.",
        r"\.convs\.1\.": ".conv2.",
        r"\.projection\.": ".shortcut.",
    },
}
OF_ALL = {r"\.se\.reduce\.": ".se.fc.0.", r"\.se\.expand\.": ".se.fc.2."}


def of_ours(network: nn.Module, state: Mapping[str, torch.Tensor]) -> nn.Module:
    """`network` with the weights and statistics of ours. Raises RuntimeError if one is missing or left over."""
    found = {}
    for name, tensor in state.items():
        name = re.sub(r"^stages\.(\d+)\.", lambda stage: f"layers.{int(stage[1]) - 2}.", name)
        for pattern, new in (RENAMED[type(network)] | OF_ALL).items():
            name = re.sub(pattern, new, name)
        found[name] = tensor
    network.load_state_dict(found)
    return network
