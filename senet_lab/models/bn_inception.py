"""BN-Inception (Ioffe and Szegedy, arXiv 1502.03167), layers as in the official SE-BN-Inception prototxt.

A stem, ten modules of parallel branches, global average pooling, one FC layer. All convolutions
have no bias and are followed by BN and ReLU. SE stands on the concatenated output of each module.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from senet_lab import spec
from senet_lab.blocks.placed import Placed, staged
from senet_lab.models.convolution import conv_bn
from senet_lab.spec import SE, Unit


class Module(Placed):
    """Branches side by side, then SE; (N, C_in, H, W) -> (N, C_out, ceil(H / stride), ceil(W / stride)).

    1x1; 1x1, 3x3; 1x1, 3x3, 3x3; pooling, 1x1. With stride 2 there is no 1x1 branch, the last 3x3
    of the other two has the stride, and max pooling passes on the input's channels as they are.

    `sizes`: channels of the 1x1 branch; of each convolution of the second; of the first, and of
    the second and third convolution of the third; of the 1x1 convolution after the pooling.
    """

    def __init__(self, unit: Unit, sizes: tuple[int, ...], pool: nn.Module, se: SE | None) -> None:
        super().__init__(unit, se)
        one, reduce_3x3, three, reduce_double, double, pooled = sizes
        inputs, stride = unit.inputs, unit.stride
        self.branches = nn.ModuleList()
        if stride == 1:
            self.branches.append(_rectified(conv_bn(inputs, one)))
        self.branches.append(_rectified(conv_bn(inputs, reduce_3x3), conv_bn(reduce_3x3, three, 3, stride)))
        reduce, first = conv_bn(inputs, reduce_double), conv_bn(reduce_double, double, 3)
        self.branches.append(_rectified(reduce, first, conv_bn(double, double, 3, stride)))
        self.branches.append(pool if stride == 2 else nn.Sequential(pool, _rectified(conv_bn(inputs, pooled))))

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return self.at("standard", torch.cat([branch(x_NCHW) for branch in self.branches], dim=1))


class HalvingMaxPool(nn.Module):
    """3x3 max pooling of stride 2: (N, C, H, W) -> (N, C, ceil(H / 2), ceil(W / 2)).

    Without padding and rounding up, as in Caffe; that would make (n - 1) / 2 positions of an odd
    number, where the convolution beside it makes (n + 1) / 2: there it is padded.
    """

    def forward(self, x_NCHW: Tensor) -> Tensor:
        odd = (x_NCHW.shape[2] % 2, x_NCHW.shape[3] % 2)
        return F.max_pool2d(x_NCHW, 3, 2, padding=odd, ceil_mode=True)


def _rectified(*layers: nn.Module) -> nn.Sequential:
    """`layers` with a ReLU after each."""
    return nn.Sequential(*(step for layer in layers for step in (layer, nn.ReLU(inplace=True))))


def _pool(name: str, stride: int) -> nn.Module:
    """The pooling of the module called `name`; averages divide by nine at the edge too, as in Caffe."""
    if stride == 2:
        return HalvingMaxPool()
    return nn.MaxPool2d(3, 1, padding=1) if name == "5b" else nn.AvgPool2d(3, 1, padding=1)


class BNInception(nn.Module):
    """(N, channels, H, W) -> logits (N, classes)."""

    def __init__(self, model: spec.BNInception, channels: int, classes: int) -> None:
        super().__init__()
        narrow, wide = model.scaled(64), model.scaled(192)
        first = conv_bn(channels, narrow, 3) if model.small_images else conv_bn(channels, narrow, 7, 2)
        before, after = _rectified(first), _rectified(conv_bn(narrow, narrow), conv_bn(narrow, wide, 3))
        pools = (nn.Identity(), nn.Identity()) if model.small_images else (HalvingMaxPool(), HalvingMaxPool())
        self.stem = nn.Sequential(before, pools[0], after, pools[1])
        self.stages = staged(
            (u, Module(u, tuple(model.scaled(c) for c in sizes), _pool(name, u.stride), model.se))
            for u, (name, sizes) in zip(model.units, model.MODULES.items(), strict=True)
        )
        self.classifier = nn.Linear(model.units[-1].outputs, classes)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        x_NCHW = self.stem(x_NCHW)
        for modules in self.stages.values():
            x_NCHW = modules(x_NCHW)
        logits: Tensor = self.classifier(x_NCHW.mean(dim=(2, 3)))
        return logits


def network(model: spec.BNInception, channels: int, classes: int) -> nn.Module:
    """The network of `model`, its weights as torch leaves them."""
    return BNInception(model, channels, classes)
