"""Parts of networks that may carry an SE block: the block at its place, the parts in their stages."""

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from senet_lab.blocks.se import SEBlock
from senet_lab.spec import SE, Placement, Unit


class Placed(nn.Module):
    """A part of a network with at most one SE block, at one of the places of v4 Fig. 5.

    A part that carries a block has it as `self.se`; `at(place, x)` rescales x there and nowhere else.
    """

    def __init__(self, unit: Unit, se: SE | None) -> None:
        super().__init__()
        self.placement: Placement | None = None
        if se is not None and se.in_stage(unit.stage):
            self.placement = se.placement
            self.se = SEBlock(unit.channels(se.placement), se)

    def at(self, place: Placement, x_NCHW: Tensor) -> Tensor:
        """`x_NCHW` after the block, if this is where it stands."""
        return self.se(x_NCHW) if self.placement == place else x_NCHW


def staged(parts: Iterable[tuple[Unit, nn.Module]]) -> nn.ModuleDict:
    """Parts in order, those of each stage a sequence under its number: "2", "3", ..."""
    stages = nn.ModuleDict()
    for unit, part in parts:
        name = str(unit.stage)
        if name not in stages:
            stages[name] = nn.Sequential()
        stage = stages[name]
        assert isinstance(stage, nn.Sequential)
        stage.append(part)
    return stages


def padded_shortcut(x_NCHW: Tensor, unit: Unit) -> Tensor:
    """Every stride-th position of `x_NCHW`, with zero channels added, or the last ones left out, at the end.

    Of a folded network (`models.fold`), at the end of each replica.
    """
    if unit.stride > 1:
        x_NCHW = x_NCHW[:, :, :: unit.stride, :: unit.stride]
    extra = unit.outputs - unit.inputs
    if extra and x_NCHW.shape[1] > unit.inputs:
        x_NHWKC = torch.unflatten(x_NCHW.permute(0, 2, 3, 1), 3, (-1, unit.inputs))
        return F.pad(x_NHWKC, (0, extra)).flatten(3).permute(0, 3, 1, 2)
    if extra < 0:
        return x_NCHW[:, :extra]
    return F.pad(x_NCHW, (0, 0, 0, 0, 0, extra)) if extra else x_NCHW
