"""Networks for ImageNet (v4 Tables 1, 2 and 3, Appendix). Channels here, layers in `senet_lab.models`."""

from typing import ClassVar, Literal

from senet_lab.spec.model import Narrow
from senet_lab.spec.se import Placement, Unit
from senet_lab.spec.values import Fraction, Positive

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3), 154: (3, 8, 36, 3)}
PLANES = {2: 64, 3: 128, 4: 256, 5: 512}


class _Bottlenecks(Narrow):
    """Stages 2 to 5 of bottleneck blocks: 1x1, 3x3 (grouped or not), 1x1."""

    depth: int
    pool: Literal["ceil", "padded"] = "ceil"
    """Max pooling of the stem: without padding and rounding up (official prototxts), or padded (torchvision)."""

    module: ClassVar[str] = "resnet"

    @property
    def groups(self) -> int:
        """Of the 3x3 convolutions."""
        return 1

    def middle(self, planes: int) -> int:
        """Channels of the 3x3 convolution in a stage of `planes`."""
        return self.scaled(planes)

    @property
    def units(self) -> tuple[Unit, ...]:
        found, inputs = [], self.stem[-1]
        for (stage, planes), blocks in zip(PLANES.items(), BLOCKS[self.depth], strict=True):
            middle, outputs = self.middle(planes), 4 * self.scaled(planes)
            for block in range(blocks):
                stride = 2 if block == 0 and stage > 2 else 1
                found.append(Unit(stage, inputs, outputs, stride, middle))
                inputs = outputs
        return tuple(found)

    @property
    def stem(self) -> tuple[int, ...]:
        """Channels of the stem's convolutions."""
        return (self.scaled(64),)


class ResNet(_Bottlenecks):
    """ResNet-50, -101, -152 (He et al., arXiv 1512.03385; v4 Table 1)."""

    family: Literal["resnet"] = "resnet"
    depth: Literal[50, 101, 152] = 50
    stride_in: Literal["1x1", "3x3"] = "1x1"
    """Which convolution of a stage's first block has stride 2; the paper's: 1x1, torchvision's: 3x3."""

    @property
    def title(self) -> str:
        return f"ResNet-{self.depth}"


class ResNeXt(_Bottlenecks):
    """ResNeXt-50 and -101, 32x4d (Xie et al., arXiv 1611.05431; v4 Table 1)."""

    family: Literal["resnext"] = "resnext"
    depth: Literal[50, 101, 152] = 50
    cardinality: Positive = 32
    group_width: Positive = 4
    """Channels of a group in stage 2."""
    stride_in: Literal["1x1", "3x3"] = "3x3"
    """Which convolution of a stage's first block has stride 2."""

    @property
    def title(self) -> str:
        return f"ResNeXt-{self.depth} ({self.cardinality}x{self.group_width}d)"

    @property
    def groups(self) -> int:
        return max(1, round(self.cardinality * self.width))

    def middle(self, planes: int) -> int:
        return self.groups * self.group_width * planes // 64


class SENet(_Bottlenecks):
    """SENet-154: a 64x4d ResNeXt-152 with four changes (v4 Appendix, official prototxt).

    The first 1x1 convolution of a block is halved, the stem has three 3x3 convolutions, projections
    with stride 2 are 3x3, and dropout stands before the classifier. Without `se`, the same without SE.
    """

    family: Literal["senet"] = "senet"
    depth: Literal[154] = 154
    dropout: Fraction = 0.2
    stride_in: Literal["1x1", "3x3"] = "3x3"
    """Which convolution of a stage's first block has stride 2."""

    @property
    def title(self) -> str:
        return f"SENet-{self.depth}" if self.se else f"SENet-{self.depth} without SE"

    @property
    def groups(self) -> int:
        return max(1, round(64 * self.width))

    def middle(self, planes: int) -> int:
        return self.groups * 4 * planes // 64

    @property
    def stem(self) -> tuple[int, ...]:
        return self.scaled(64), self.scaled(64), self.scaled(128)


class VGG(Narrow):
    """VGG-16 with batch norm after every convolution (Simonyan and Zisserman, arXiv 1409.1556; v4 5.1).

    SE stands after the non-linearity of each convolution; stages are the five groups between poolings.
    For small images the first two poolings are left out, and the last map is pooled to one position.
    """

    family: Literal["vgg"] = "vgg"
    depth: Literal[16] = 16
    dropout: Fraction = 0.5
    """After each of the two hidden FC layers."""

    module: ClassVar[str] = "vgg"
    placements: ClassVar[tuple[Placement, ...]] = ("standard",)
    why_not: ClassVar[str] = "it has no shortcut and no residual unit to stand before, behind, beside or inside of"

    @property
    def title(self) -> str:
        return f"VGG-{self.depth}"

    @property
    def hidden(self) -> int:
        """Units of the hidden FC layers."""
        return self.scaled(4096)

    @property
    def units(self) -> tuple[Unit, ...]:
        found, inputs = [], 0
        for stage, (channels, convolutions) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), 1):
            outputs = self.scaled(channels)
            for _ in range(convolutions):
                found.append(Unit(stage, inputs, outputs, middle=outputs))  # inputs 0: the image's channels
                inputs = outputs
        return tuple(found)


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


class MobileNet(Narrow):
    """MobileNet 1.0-224 (Howard et al., arXiv 1704.04861).

    SE stands on the output of each of the 13 separable blocks: the placement is not published, this
    one gives the published counts. Stages are numbered by resolution: 1 is a half, 5 a 32nd of the
    image; for small images, stages 1 and 2 have its full size, 5 an eighth.
    """

    family: Literal["mobilenet"] = "mobilenet"

    module: ClassVar[str] = "mobilenet"
    placements: ClassVar[tuple[Placement, ...]] = ("standard", "conv3x3")
    why_not: ClassVar[str] = "its blocks have no shortcut"

    @property
    def title(self) -> str:
        return "MobileNet"

    @property
    def units(self) -> tuple[Unit, ...]:
        found, stage, inputs, before = [], 1, self.scaled(32), 64
        for channels in (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024):
            outputs, first = self.scaled(channels), channels > before
            stage += first
            stride = 2 if first and not (self.small_images and stage == 2) else 1
            found.append(Unit(stage, inputs, outputs, stride, middle=inputs))
            inputs, before = outputs, channels
        return tuple(found)


class ShuffleNet(Narrow):
    """ShuffleNet 1x (Zhang et al., arXiv 1707.01083, Table 1); three groups in v4 Table 3.

    SE stands on the residual branch: the placement is not published, this one gives the published
    counts. In units of stride 2 the branch is beside the pooled input, not added to it.
    """

    family: Literal["shufflenet"] = "shufflenet"
    groups: Literal[1, 2, 3, 4, 8] = 3
    """Of the 1x1 convolutions; more groups come with more channels, at about equal multiply-adds."""

    module: ClassVar[str] = "shufflenet"

    @property
    def title(self) -> str:
        return "ShuffleNet"

    @property
    def stem(self) -> int:
        """Channels of the first convolution; every group gets the same number of them."""
        return self.scaled(24, self.groups)

    @property
    def units(self) -> tuple[Unit, ...]:
        found, inputs = [], self.stem
        first = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}[self.groups]
        outputs = self.scaled(first, 4 * self.groups)  # a quarter of them has to divide into groups as well
        for stage, units in {2: 4, 3: 8, 4: 4}.items():
            found.append(Unit(stage, inputs, outputs, 2, outputs // 4, branch=outputs - inputs, shortcut=inputs))
            found += [Unit(stage, outputs, outputs, middle=outputs // 4)] * (units - 1)
            inputs, outputs = outputs, 2 * outputs
        return tuple(found)
