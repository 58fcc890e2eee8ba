"""Inception networks for ImageNet (v4 Table 2). Channels here, layers in `senet_lab.models`."""

from typing import ClassVar, Literal

from senet_lab.spec.model import Narrow
from senet_lab.spec.se import Placement, Unit
from senet_lab.spec.values import Fraction


class BNInception(Narrow):
    """BN-Inception (Ioffe and Szegedy, arXiv 1502.03167; official SE-BN-Inception prototxt).

    SE stands on the output of each of the ten modules; stages are 3, 4 and 5 as the modules are called.
    """

    family: Literal["bn_inception"] = "bn_inception"

    module: ClassVar[str] = "bn_inception"
    placements: ClassVar[tuple[Placement, ...]] = ("standard",)
    why_not: ClassVar[str] = "its modules have no shortcut and several 3x3 convolutions"

    # name -> 1x1; 3x3 reduce, 3x3; double 3x3 reduce, double 3x3 (twice); channels after the pooling.
    # A module without 1x1 has stride 2, and its pooling passes all channels on.
    MODULES: ClassVar[dict[str, tuple[int, int, int, int, int, int]]] = {
        "3a": (64, 64, 64, 64, 96, 32),
        "3b": (64, 64, 96, 64, 96, 64),
        "3c": (0, 128, 160, 64, 96, 0),
        "4a": (224, 64, 96, 96, 128, 128),
        "4b": (192, 96, 128, 96, 128, 128),
        "4c": (160, 128, 160, 128, 160, 128),
        "4d": (96, 128, 192, 160, 192, 128),
        "4e": (0, 128, 192, 192, 256, 0),
        "5a": (352, 192, 320, 160, 224, 128),
        "5b": (352, 192, 320, 192, 224, 128),
    }

    @property
    def title(self) -> str:
        return "BN-Inception"

    @property
    def units(self) -> tuple[Unit, ...]:
        found, inputs = [], self.scaled(192)
        for name, (one, _, three, _, double, pooled) in self.MODULES.items():
            branches = [self.scaled(c) for c in (one, three, double, pooled) if c]
            outputs = sum(branches) + (0 if one else inputs)
            found.append(Unit(int(name[0]), inputs, outputs, stride=1 if one else 2))
            inputs = outputs
        return tuple(found)


class InceptionResNetV2(Narrow):
    """Inception-ResNet-v2 (Szegedy et al., arXiv 1602.07261), layers as in TensorFlow-slim and timm.

    The paper gives neither placement nor size of its SE version; here SE stands on the residual
    branches of the 40 residual modules: stages 3 (block35), 4 (block17) and 5 (block8).
    """

    family: Literal["inception_resnet_v2"] = "inception_resnet_v2"
    dropout: Fraction = 0.2

    module: ClassVar[str] = "inception_resnet_v2"
    placements: ClassVar[tuple[Placement, ...]] = ("standard", "pre", "post", "identity")
    why_not: ClassVar[str] = "its residual branches are not built around one 3x3 convolution"

    @property
    def title(self) -> str:
        return "Inception-ResNet-v2"

    @property
    def units(self) -> tuple[Unit, ...]:
        sizes = {3: (320, 10), 4: (1088, 20), 5: (2080, 10)}
        return tuple(
            Unit(stage, self.trunk(channels), self.trunk(channels))
            for stage, (channels, modules) in sizes.items()
            for _ in range(modules)
        )

    def trunk(self, channels: int) -> int:
        """Channels between residual modules: the sum of the branches that make them, each scaled."""
        s = self.scaled
        a = s(96) + s(64) + s(96) + s(64)
        b = s(384) + s(384) + a
        return {320: a, 1088: b, 2080: s(384) + s(288) + s(320) + b}[channels]
