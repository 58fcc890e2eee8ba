"""The networks that are timed: our specification, the same in plain PyTorch, and on what."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks import plain
from senet_lab import models
from senet_lab.data import Images
from senet_lab.data.split import Parts, split
from senet_lab.models.cost import count
from senet_lab.recipes import DIGITS, DIGITS_RESNET50
from senet_lab.spec import SE, CifarResNet, Data, PreActResNet, ResNet, Train, Trial, WideResNet


@dataclass(frozen=True)
class Case:
    """A network and the images it gets."""

    name: str
    model: Any
    plain: Callable[[plain.MakeSE], nn.Module]
    batch: int
    size: int
    channels: int = 3
    classes: int = 10

    def ours(self, device: str = "cpu") -> nn.Module:
        shape = {"channels": self.channels, "classes": self.classes}
        return models.build(self.model, **shape, seed=0, device=torch.device(device))

    def theirs(self, device: str = "cpu") -> nn.Module:
        """The plain network, as a function the same as `ours`."""
        make = plain.no_se if self.model.se is None else partial(plain.SEModule, reduction=self.model.se.reduction)
        return plain.of_ours(self.plain(make), self.ours().state_dict()).to(device)

    @property
    def flops(self) -> float:
        """Of one image's training step: forward and twice as much back, two operations a multiply-add."""
        return 6 * count(self.model, channels=self.channels, size=self.size, classes=self.classes).macs

    def trial(self, steps: int) -> Trial:
        """Training on made-up images, `steps` an epoch, without augmentation, for as long as one likes."""
        train = Train(epochs=100_000, batch_size=self.batch, learning_rate=1e-3, schedule="constant")
        # Nothing is read from the source: `parts` makes the images.
        return Trial(model=self.model, data=Data(source="cifar10", validation=2), train=train)

    def parts(self, steps: int, device: str = "cpu") -> Parts:
        """Noise, `steps` batches of it and two images to validate on."""
        chance = np.random.default_rng(0)
        images = steps * self.batch + 2
        pixels = chance.integers(0, 256, (images + 2, self.channels, self.size, self.size), dtype=np.uint8)
        labels = chance.integers(0, self.classes, images + 2)
        names = tuple(str(k) for k in range(self.classes))
        made = Images(pixels[:images], labels[:images], pixels[images:], labels[images:], names)
        return split(made, self.trial(steps).data, 0, torch.device(device))


def _cifar(name: str, se: SE | None, batch: int = 128) -> Case:
    widths = (16, 32, 64)
    make = partial(_plain_cifar, 20, widths, 3)
    return Case(name, CifarResNet(depth=20, widths=widths, se=se), make, batch, 32)


def _plain_cifar(depth: int, widths: tuple[int, ...], channels: int, make_se: plain.MakeSE) -> nn.Module:
    return plain.CifarResNet(depth, widths, channels, 10, make_se)


def _plain_resnet50(make_se: plain.MakeSE) -> nn.Module:
    return plain.ResNet50(1000, make_se)


def _plain_preact(blocks: int, widths: tuple[int, ...], make_se: plain.MakeSE) -> nn.Module:
    return plain.PreActResNet(blocks, widths, 3, 10, make_se)


def resnet20(reduction: int | None, batch: int = 128) -> Case:
    """ResNet-20 of CIFAR, or SE-ResNet-20."""
    if reduction is None:
        return _cifar("ResNet-20", None, batch)
    return _cifar(f"SE-ResNet-20 r={reduction}", SE(reduction=reduction), batch)


def resnet50(reduction: int | None, batch: int, size: int = 224) -> Case:
    """ResNet-50 of ImageNet, or SE-ResNet-50."""
    se = None if reduction is None else SE(reduction=reduction)
    name = "ResNet-50" if se is None else f"SE-ResNet-50 r={reduction}"
    return Case(name, ResNet(depth=50, se=se), _plain_resnet50, batch, size, classes=1000)


def small_resnet50(reduction: int | None) -> Case:
    """ResNet-50 of the sweeps on digits, an eighth as wide."""
    se = None if reduction is None else SE(reduction=reduction)
    name = "narrow ResNet-50" if se is None else f"narrow SE-ResNet-50 r={reduction}"
    model = DIGITS_RESNET50.model.model_copy(update={"se": se})
    return Case(name, model, _plain_narrow, 64, 8, channels=1)


def _plain_narrow(make_se: plain.MakeSE) -> nn.Module:
    return plain.ResNet50(10, make_se, width=0.125, small_channels=1)


def digits(batch: int = 64) -> Case:
    """The network of the default sweep, at r = 16."""
    model = DIGITS.model.model_copy(update={"se": SE(reduction=16)})
    make = partial(_plain_cifar, 6, (16, 32), 1)
    return Case("digits net r=16", model, make, batch, 8, channels=1)


def trained() -> list[Case]:
    """Those whose training is compared."""
    wide = WideResNet(depth=10, widen=2, se=SE(reduction=16))
    preact = PreActResNet(depth=20, se=SE(reduction=16))
    return [
        digits(),
        resnet20(None),
        resnet20(4),
        resnet20(16),
        Case("SE-WRN-10-2 r=16", wide, partial(_plain_preact, 1, (16, 32, 64, 128)), 64, 32),
        Case("SE-PreAct-ResNet-20 r=16", preact, partial(_plain_preact, 3, (16, 16, 32, 64)), 64, 32),
        small_resnet50(None),
        small_resnet50(16),
        resnet50(16, 16, 64),
        resnet50(16, 4),
    ]
