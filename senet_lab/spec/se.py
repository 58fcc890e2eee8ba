"""The block as a value, and the places in a network that may carry it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Len
from pydantic import AfterValidator, Field

from senet_lab.spec.operators import known
from senet_lab.spec.values import Positive, Spec

Placement = Literal["standard", "pre", "post", "identity", "conv3x3"]


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

    def hidden_width(self, channels: int) -> int:
        """Units of the bottleneck for a feature map of `channels`; not rounded, at least 1."""
        return max(1, channels // self.reduction)

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

    def channels(self, placement: Placement) -> int:
        """Channels of the map that a block at `placement` rescales."""
        seen = {
            "pre": self.inputs,
            "conv3x3": self.middle,
            "standard": self.branch,
            "identity": self.shortcut,
            "post": self.outputs,
        }
        return seen[placement] or self.outputs


def hidden_widths(se: SE | None, units: Iterable[Unit]) -> dict[int, tuple[int, ...]]:
    """Stage -> bottleneck units of the SE block of each of its units; without SE, empty."""
    found: dict[int, tuple[int, ...]] = {}
    for unit in units:
        if se is not None and se.in_stage(unit.stage):
            width = se.hidden_width(unit.channels(se.placement))
            found[unit.stage] = (*found.get(unit.stage, ()), width)
    return found
