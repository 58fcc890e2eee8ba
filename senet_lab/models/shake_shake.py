"""Shake-Shake networks (Gastaldi, arXiv 1705.07485; github.com/xgastaldi/shake-shake).

Residual networks whose blocks have two branches. In training their outputs are added with random
weights, and other random weights share out the gradient; in evaluation each has the weight 0.5.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from senet_lab import spec
from senet_lab.blocks.placed import Placed, staged
from senet_lab.models.convolution import conv_bn, convolution
from senet_lab.spec import Unit


class Mix(torch.autograd.Function):
    """alpha a + (1 - alpha) b, with the gradient of beta a + (1 - beta) b; alpha and beta: (N, 1, 1, 1)."""

    @staticmethod
    def forward(ctx: Any, a_NCHW: Tensor, b_NCHW: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
        ctx.save_for_backward(beta)
        return torch.lerp(b_NCHW, a_NCHW, alpha)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        (beta,) = ctx.saved_tensors
        shared = beta * gradients[0]
        return shared, gradients[0] - shared, None, None


class ShakeBlock(Placed):
    """Two branches, mixed, and a shortcut; (N, C_in, H, W) -> (N, C_out, H/stride, W/stride).

    Basic, as for CIFAR-10: branches ReLU-conv-BN-ReLU-conv-BN, nothing after the addition.
    Bottleneck, as for CIFAR-100: those of a ResNeXt, conv-BN-ReLU-conv-BN-ReLU-conv-BN, and its
    1x1-BN shortcut; ReLU after the addition. SE: "standard" on the mixed branches; "pre" on the
    input that both share; "post" at the end; "identity" on the shortcut, after its change of shape.
    """

    def __init__(self, unit: Unit, model: spec.ShakeShake) -> None:
        super().__init__(unit, model.se)
        self.basic, self.even = model.block == "basic", model.backward == "even"
        branch = _basic_branch if self.basic else _bottleneck_branch
        self.branches = nn.ModuleList(branch(unit, model.cardinality) for _ in range(2))
        self.shortcut: nn.Module = nn.Identity()
        if unit.stride > 1 or unit.inputs != unit.outputs:
            self.shortcut = ShiftedShortcut(unit) if self.basic else conv_bn(unit.inputs, unit.outputs, 1, unit.stride)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        inside = self.at("pre", x_NCHW)
        branch = self.mixed(self.branches[0](inside), self.branches[1](inside))
        shortcut = self.at("identity", self.shortcut(x_NCHW))
        return self.at("post", self.joined(branch, shortcut, relu=not self.basic))

    def mixed(self, a_NCHW: Tensor, b_NCHW: Tensor) -> Tensor:
        """In training by new uniform weights for each image, from torch's default generator; else the mean."""
        if not self.training:
            return (a_NCHW + b_NCHW) / 2
        alpha = torch.rand(len(a_NCHW), 1, 1, 1, dtype=a_NCHW.dtype, device=a_NCHW.device)
        beta = torch.full_like(alpha, 0.5) if self.even else torch.rand_like(alpha)
        mixed: Tensor = Mix.apply(a_NCHW, b_NCHW, alpha, beta)  # type: ignore[no-untyped-call]
        return mixed


class ShiftedShortcut(nn.Module):
    """Two halves of the channels, from the map and from the map one pixel to the right and down; BN.

    With stride 2 the halves see different pixels of the input.
    """

    def __init__(self, unit: Unit) -> None:
        super().__init__()
        half, self.stride = unit.outputs // 2, unit.stride
        self.straight = convolution(unit.inputs, unit.outputs - half, 1, unit.stride)
        self.shifted = convolution(unit.inputs, half, 1, unit.stride)
        self.bn = nn.BatchNorm2d(unit.outputs)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        x_NCHW = x_NCHW.relu()
        moved = F.pad(x_NCHW, (1, -1, 1, -1))
        joined: Tensor = self.bn(torch.cat([self.straight(x_NCHW), self.shifted(moved)], dim=1))
        return joined


def _basic_branch(unit: Unit, _: int) -> nn.Module:
    first, second = conv_bn(unit.inputs, unit.middle, 3, unit.stride), conv_bn(unit.middle, unit.outputs, 3)
    return nn.Sequential(nn.ReLU(), first, nn.ReLU(inplace=True), second)


def _bottleneck_branch(unit: Unit, groups: int) -> nn.Module:
    grouped = conv_bn(unit.middle, unit.middle, 3, unit.stride, groups)
    reduce, expand = conv_bn(unit.inputs, unit.middle), conv_bn(unit.middle, unit.outputs)
    return nn.Sequential(reduce, nn.ReLU(inplace=True), grouped, nn.ReLU(inplace=True), expand)


class ShakeShake(nn.Module):
    """(N, channels, H, W) -> logits (N, classes)."""

    def __init__(self, model: spec.ShakeShake, channels: int, classes: int) -> None:
        super().__init__()
        self.basic = model.block == "basic"
        self.stem = conv_bn(channels, model.stem, 3)
        self.stages = staged((u, ShakeBlock(u, model)) for u in model.units)
        self.classifier = nn.Linear(model.units[-1].outputs, classes)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        x_NCHW = self.stem(x_NCHW)
        x_NCHW = x_NCHW if self.basic else x_NCHW.relu_()
        for blocks in self.stages.values():
            x_NCHW = blocks(x_NCHW)
        x_NCHW = x_NCHW.relu_() if self.basic else x_NCHW  # bottlenecks end in a ReLU
        logits: Tensor = self.classifier(x_NCHW.mean(dim=(2, 3)))
        return logits


def network(model: spec.ShakeShake, channels: int, classes: int) -> nn.Module:
    """The network of `model`, its weights as torch leaves them."""
    return ShakeShake(model, channels, classes)
