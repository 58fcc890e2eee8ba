"""Networks for ImageNet (v4 Tables 1 and 2, Appendix). Channels here, layers in `senet_lab.models`."""

from typing import ClassVar, Literal

from senet_lab.spec.inception import BNInception as BNInception
from senet_lab.spec.inception import InceptionResNetV2 as InceptionResNetV2
from senet_lab.spec.mobile import MobileNet as MobileNet
from senet_lab.spec.mobile import ShuffleNet as ShuffleNet
from senet_lab.spec.model import Narrow
from senet_lab.spec.se import Placement, Unit
from senet_lab.spec.values import Channels, Fraction

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3), 154: (3, 8, 36, 3)}
PLANES = {2: 64, 3: 128, 4: 256, 5: 512}


class _Bottlenecks(Narrow):
    """Stages 2 to 5 of bottleneck blocks: 1x1, 3x3 (grouped or not), 1x1."""

    depth: int
    pool: Literal["ceil", "padded"] = "ceil"
    """Max pooling of the stem: without padding and rounding up (official prototxts), or padded (torchvision)."""
    identity_start: bool = False
    """Every residual unit starts as the identity: the last batch norm of its branch has weight 0
    (Goyal et al., arXiv 1706.02677). What deep networks want on little data; not in the paper."""

    module: ClassVar[str] = "resnet"
    folds: ClassVar[bool] = True

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
    cardinality: Channels = 32
    group_width: Channels = 4
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
    folds: ClassVar[bool] = True
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
