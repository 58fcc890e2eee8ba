"""Networks for images of 32 pixels (v4 section 5.1, Tables 4 and 5)."""

from typing import Annotated, ClassVar, Literal, Self

from annotated_types import Ge, Le
from pydantic import model_validator

from senet_lab.spec.model import Model
from senet_lab.spec.se import Placement, Unit
from senet_lab.spec.values import Channels, Depth, Width, Widths

FIRST_STAGE = 2  # the paper calls the stem stage 1 and the first residual stage stage 2 (v4, Table 1)
LAYERS = {"basic": 2, "bottleneck": 3}
EXPANSION = {"basic": 1, "bottleneck": 4}


def _blocks(depth: int, stages: int, layers: int, others: int = 2) -> int:
    """Blocks of `layers` layers in each of `stages`; `others` layers stand outside: stem, classifier.

    Raises ValueError naming depths that there are.
    """
    step = layers * stages
    if (depth - others) % step or depth < others + step:
        below = max(others + step, depth - (depth - others) % step)
        number = {2: "two", 3: "three"}[layers]
        raise ValueError(
            f"depth {depth} does not divide into {stages} stages of {number}-layer blocks; "
            f"allowed: {step} x blocks + {others}, e.g. {below} or {below + step}"
        )
    return (depth - others) // step


class CifarResNet(Model):
    """A CIFAR-style ResNet of basic blocks (He et al., arXiv 1512.03385, section 4.2)."""

    family: Literal["cifar_resnet"] = "cifar_resnet"
    depth: Annotated[Depth, Ge(4)]
    """Layers with weights: 2 x stages x blocks per stage + 2; 20 for three blocks in three stages."""
    widths: Widths
    """Channels of each residual stage, e.g. (16, 32, 64); every stage after the first halves the map."""

    module: ClassVar[str] = "cifar_resnet"
    folds: ClassVar[bool] = True

    @property
    def title(self) -> str:
        return f"ResNet-{self.depth} (CIFAR)"

    @property
    def units(self) -> tuple[Unit, ...]:
        blocks = _blocks(self.depth, len(self.widths), 2)
        found, inputs = [], self.widths[0]
        for stage, outputs in enumerate(self.widths, FIRST_STAGE):
            for block in range(blocks):
                stride = 2 if block == 0 and stage > FIRST_STAGE else 1
                found.append(Unit(stage, inputs, outputs, stride, middle=outputs))
                inputs = outputs
        return tuple(found)

    @model_validator(mode="after")
    def _depth_fits(self) -> Self:
        _blocks(self.depth, len(self.widths), 2)
        return self


class _PreActivation(Model):
    """Stages of blocks with batch norm and ReLU before each convolution (He et al., arXiv 1603.05027)."""

    depth: Annotated[Depth, Ge(4)]
    block: Literal["basic", "bottleneck"] = "basic"
    """Two 3x3 convolutions; or 1x1, 3x3, 1x1, the last four times as wide."""
    shortcut: Literal["projection", "padding"] = "projection"
    """Where the shape changes: a 1x1 convolution, or every second position and zero channels."""
    width: Width = 1.0
    """Factor on all channels, rounded."""

    module: ClassVar[str] = "preact_resnet"
    folds: ClassVar[bool] = True

    @property
    def middles(self) -> tuple[int, ...]:
        """Channels of the 3x3 convolutions of each stage, at `width` 1."""
        raise NotImplementedError

    @property
    def blocks(self) -> int:
        """In each stage."""
        raise NotImplementedError

    @property
    def stem(self) -> int:
        """Channels of the first convolution."""
        return max(1, round(16 * self.width))

    @property
    def units(self) -> tuple[Unit, ...]:
        found, inputs = [], self.stem
        for stage, channels in enumerate(self.middles, FIRST_STAGE):
            middle = max(1, round(channels * self.width))
            outputs = EXPANSION[self.block] * middle
            for block in range(self.blocks):
                stride = 2 if block == 0 and stage > FIRST_STAGE else 1
                found.append(Unit(stage, inputs, outputs, stride, middle))
                inputs = outputs
        return tuple(found)

    @model_validator(mode="after")
    def _depth_fits(self) -> Self:
        assert self.blocks
        return self


class PreActResNet(_PreActivation):
    """A pre-activation ResNet (He et al., arXiv 1603.05027): 110 and 164 layers in v4 Tables 4 and 5."""

    family: Literal["preact_resnet"] = "preact_resnet"
    depth: Annotated[Depth, Ge(4)]
    """Layers with weights: 6 x blocks per stage + 2, of bottlenecks 9 x blocks + 2."""
    widths: Widths = (16, 32, 64)
    """Channels of the 3x3 convolutions of each stage."""

    @property
    def title(self) -> str:
        return f"ResNet-{self.depth} (pre-activation)"

    @property
    def middles(self) -> tuple[int, ...]:
        return self.widths

    @property
    def blocks(self) -> int:
        return _blocks(self.depth, len(self.widths), LAYERS[self.block])


class WideResNet(_PreActivation):
    """A wide residual network (Zagoruyko and Komodakis, arXiv 1605.07146): WRN-16-8 in v4 Tables 4 and 5."""

    family: Literal["wide_resnet"] = "wide_resnet"
    depth: Annotated[Depth, Ge(4)] = 16
    """6 x blocks per stage + 4: its authors count the projection shortcuts."""
    widen: Annotated[int, Ge(1), Le(1_000)] = 8
    """Factor on 16, 32 and 64 channels."""

    @property
    def title(self) -> str:
        return f"WRN-{self.depth}-{self.widen}"

    @property
    def middles(self) -> tuple[int, ...]:
        return tuple(self.widen * channels for channels in (16, 32, 64))

    @property
    def blocks(self) -> int:
        return _blocks(self.depth, 3, LAYERS[self.block], others=4)


class ShakeShake(Model):
    """A two-branch ResNet whose branches are mixed at random (Gastaldi, arXiv 1705.07485).

    26 2x96d: basic branches of 96, 192, 384 channels. 29 2x4x64d ("Shake-Even"): ResNeXt branches.
    The paper does not say where SE stands; here, on the mixed branches before the addition.
    """

    family: Literal["shake_shake"] = "shake_shake"
    depth: Annotated[Depth, Ge(8)] = 26
    block: Literal["basic", "bottleneck"] = "basic"
    """Two 3x3 convolutions; or 1x1, grouped 3x3, 1x1."""
    base_width: Channels = 96
    """Channels of the first stage's 3x3 convolutions, per group."""
    cardinality: Channels = 1
    """Groups of the 3x3 convolution of a bottleneck."""
    backward: Literal["shake", "even"] = "shake"
    """How the gradient is shared between the branches: at random again, or half and half."""
    width: Width = 1.0
    """Factor on all channels, rounded."""

    module: ClassVar[str] = "shake_shake"
    placements: ClassVar[tuple[Placement, ...]] = ("standard", "pre", "post", "identity")
    why_not: ClassVar[str] = "it has two branches, each with 3x3 convolutions of its own"

    @property
    def title(self) -> str:
        groups = f"{self.cardinality}x" if self.cardinality > 1 else ""
        kind = "Even" if self.backward == "even" else "Shake"
        return f"Shake-{kind} {self.depth} 2x{groups}{self.base_width}d"

    @property
    def stem(self) -> int:
        """Channels of the first convolution: 16 before basic blocks, 64 before bottlenecks, as in ResNeXt."""
        return max(1, round({"basic": 16, "bottleneck": 64}[self.block] * self.width))

    @property
    def units(self) -> tuple[Unit, ...]:
        blocks = _blocks(self.depth, 3, LAYERS[self.block])
        found, inputs = [], self.stem
        for stage in range(FIRST_STAGE, FIRST_STAGE + 3):
            per_group = max(1, round(self.base_width * 2 ** (stage - FIRST_STAGE) * self.width))
            middle = per_group * self.cardinality
            outputs = middle
            if self.block == "bottleneck":
                outputs = EXPANSION[self.block] * max(1, round(64 * 2 ** (stage - FIRST_STAGE) * self.width))
            for block in range(blocks):
                stride = 2 if block == 0 and stage > FIRST_STAGE else 1
                found.append(Unit(stage, inputs, outputs, stride, middle))
                inputs = outputs
        return tuple(found)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _blocks(self.depth, 3, LAYERS[self.block])
        if self.block == "basic" and self.cardinality > 1:
            raise ValueError("cardinality needs block='bottleneck': basic branches have no groups; set one of them")
        return self
