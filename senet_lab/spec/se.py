"""The block as a value, and the places in a network that may carry it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from annotated_types import Len
from pydantic import AfterValidator, Field, SerializerFunctionWrapHandler, model_serializer

from senet_lab.spec.operators import known
from senet_lab.spec.values import Positive, Spec

Placement = Literal["standard", "pre", "post", "identity", "conv3x3"]


class Reductions(Spec):
    """r of single stages, as many as a network can have, numbered as in the paper; None: the block's `reduction`.

    Written out, it names only stages that have one of their own.
    """

    stage1: Positive | None = None
    stage2: Positive | None = None
    stage3: Positive | None = None
    stage4: Positive | None = None
    stage5: Positive | None = None
    stage6: Positive | None = None
    stage7: Positive | None = None

    @property
    def by_stage(self) -> dict[int, int]:
        """Stage -> r, of stages that have one of their own."""
        told = {int(name.removeprefix("stage")): getattr(self, name) for name in type(self).model_fields}
        return {stage: r for stage, r in told.items() if r is not None}

    @model_serializer(mode="wrap")
    def _told(self, dumped: SerializerFunctionWrapHandler) -> dict[str, int]:
        return {name: r for name, r in dumped(self).items() if r is not None}

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        return ((name, r) for name, r in super().__repr_args__() if r is not None)


class StageChannels(int):
    """A number of channels that knows the stage of its map; what is worked out from it is a plain number.

    So a block, which is told its channels and nothing else, gets the width of its own stage; to tell it the stage
    besides would change code that every result depends on.
    """

    stage = 0
    """0: of no stage."""


class SE(Spec):
    """A Squeeze-and-Excitation block and where it stands (v4 sections 3 and 6)."""

    reduction: Positive = 16
    """r: the bottleneck has channels // r units, at least one (v4 Eqn. 3)."""
    squeeze: Annotated[str, AfterValidator(known("squeeze"))] = "avg"
    """How a feature map becomes one number per channel: avg, max (v4 Table 11), none (it stays a map, Table 16),
    or what the sweep's file defines with @squeeze(name)."""
    gate: Annotated[str, AfterValidator(known("gate"))] = "sigmoid"
    """The non-linearity that makes the channel weights: sigmoid, tanh, relu (v4 Table 12), or the file's own
    with @gate(name)."""
    placement: Placement = "standard"
    """Where in the residual unit the block stands (v4 Fig. 5, Tables 14 and 15)."""
    stages: Annotated[tuple[Positive, ...], Field(strict=False), Len(1)] | Literal["all"] = "all"
    """Stages that carry the block, numbered as in the paper: the stem is 1, the first residual stage 2."""
    bias: bool = False
    """Whether the two FC layers have biases (v4 ablations: no; released models: yes)."""
    reduction_in: Reductions = Reductions()
    """r of stages that have one of their own, e.g. `reduction_in.stage2`; the others have `reduction`."""

    def hidden_width(self, channels: int) -> int:
        """Units of the bottleneck for a feature map of `channels`; not rounded, at least 1.

        By the r of its stage if it is a number that `Unit.channels` gave, else by `reduction`.
        """
        return max(1, channels // self.reduction_of(getattr(channels, "stage", 0)))

    def reduction_of(self, stage: int) -> int:
        """r of the blocks of `stage`."""
        return self.reduction_in.by_stage.get(stage, self.reduction)

    def in_stage(self, stage: int) -> bool:
        """Whether `stage` carries the block."""
        return self.stages == "all" or stage in self.stages


@dataclass(frozen=True)
class Unit:
    """The smallest part of a network that may carry one SE block, by its numbers of channels."""

    stage: int
    inputs: int
    outputs: int
    stride: int = 1
    middle: int = 0
    """After its 3x3 convolution; 0: it has no single one inside."""
    branch: int = 0
    """At the end of its residual branch; 0: as `outputs`."""
    shortcut: int = 0
    """At the end of its shortcut; 0: as `outputs`."""

    def channels(self, placement: Placement) -> StageChannels:
        """Channels of the map that a block at `placement` rescales; they know the unit's stage."""
        seen = {
            "pre": self.inputs,
            "conv3x3": self.middle,
            "standard": self.branch,
            "identity": self.shortcut,
            "post": self.outputs,
        }
        found = StageChannels(seen[placement] or self.outputs)
        found.stage = self.stage
        return found


def hidden_widths(se: SE | None, units: Iterable[Unit]) -> dict[int, tuple[int, ...]]:
    """Stage -> bottleneck units of the SE block of each of its units; without SE, empty."""
    found: dict[int, tuple[int, ...]] = {}
    for unit in units:
        if se is not None and se.in_stage(unit.stage):
            width = se.hidden_width(unit.channels(se.placement))
            found[unit.stage] = (*found.get(unit.stage, ()), width)
    return found
