"""Small networks for ImageNet (v4 Table 3). Channels here, layers in `senet_lab.models`."""

from typing import ClassVar, Literal

from senet_lab.spec.model import Narrow
from senet_lab.spec.se import Placement, Unit


class MobileNet(Narrow):
    """MobileNet 1.0-224 (Howard et al., arXiv 1704.04861).

    SE stands on the output of each of the 13 separable blocks: the placement is not published, this
    one gives the published counts. Stages are numbered by resolution: 1 is a half, 5 a 32nd of the
    image; for small images, stages 1 and 2 have its full size, 5 an eighth.
    """

    family: Literal["mobilenet"] = "mobilenet"

    module: ClassVar[str] = "mobilenet"
    folds: ClassVar[bool] = True
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
