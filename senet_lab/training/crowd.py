"""The batches of several trials at once: same images, different splits, orders and draws.

Shapes: K trials, P images of the pool, N of a part, S steps, B images of a batch, C channels, H x W pixels.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from senet_lab.data.augment import Draws, apply
from senet_lab.data.held import Held


class Crowd:
    """A part of each trial, all of one size and over one pool of images."""

    def __init__(self, parts: Sequence[Held]) -> None:
        self.parts = parts
        self.pixels_PCHW, self.data = parts[0].pixels_PCHW, parts[0].data
        self.rows_KN, self.y_KN = (torch.stack(of_all) for of_all in zip(*((p.rows_N, p.y_N) for p in parts)))
        scales = [(p.scale.offset_C, p.scale.spread_C) for p in parts]
        self.offset_KC, self.spread_KC = (torch.stack(of_all) for of_all in zip(*scales, strict=True))

    def numbers(self, rows_KB: Tensor, draws: Draws | None = None) -> Tensor:
        """Images of the pool, scaled and augmented, a trial's behind the other's in the channels: (B, K C, H, W).

        `draws`: of K B images, trial by trial. Bit for bit what `Held.batch` makes of each trial's.
        """
        replicas, batch = rows_KB.shape
        x_NCHW = self.pixels_PCHW[rows_KB.flatten()].to(torch.float32, memory_format=torch.channels_last)
        x_KBCHW = x_NCHW.unflatten(0, (replicas, batch))
        x_KBCHW.sub_(self.offset_KC[:, None, :, None, None]).div_(self.spread_KC[:, None, :, None, None])
        if draws is not None:
            x_KBCHW = apply(x_NCHW, draws, self.data).unflatten(0, (replicas, batch))
        return x_KBCHW.permute(1, 3, 4, 0, 2).flatten(3).permute(0, 3, 1, 2)

    def in_order(self, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All images as they are, (B, K C, H, W), and their labels, (B, K)."""
        for rows_KB, y_KB in zip(self.rows_KN.split(batch, 1), self.y_KN.split(batch, 1), strict=True):
            yield self.numbers(rows_KB), y_KB.T


class Feed:
    """The steps of an epoch in tables on the device, and a counter there: taking one needs nothing of the host."""

    def __init__(self, crowd: Crowd, batch: int) -> None:
        self.crowd, self.batch = crowd, batch
        self.steps = crowd.rows_KN.shape[1] // batch
        self.step_1 = torch.zeros(1, dtype=torch.int64, device=crowd.y_KN.device)
        self.tables: list[Tensor | None] = []

    def begin(self, seeds: Sequence[int], epoch: int, rates_SK: Tensor) -> None:
        """Fill the tables for `epoch`, always in the same memory; `rates_SK`: whatever goes along with the steps."""
        found = [p.epoch(self.batch, seed, epoch) for p, seed in zip(self.crowd.parts, seeds, strict=True)]
        rows_SKB = torch.stack([p.rows_N[e.index_SB] for p, e in zip(self.crowd.parts, found, strict=True)], 1)
        y_SKB = torch.stack([p.y_N[e.index_SB] for p, e in zip(self.crowd.parts, found, strict=True)], 1)
        draws = [_joined(of_all, axis) for of_all, axis in zip(zip(*(e.draws for e in found)), (2, 1, 1), strict=True)]
        tables = [rows_SKB, y_SKB, rates_SK.to(y_SKB.device), *draws]
        if not self.tables:
            self.tables = tables
        for table, new in zip(self.tables, tables, strict=True):
            if table is not None and new is not None:
                table.copy_(new)
        self.step_1.zero_()

    def take(self) -> tuple[Tensor, Tensor, Tensor]:
        """The next step's images (B, K C, H, W), labels (B, K) and rates (K); after the last, the first again."""
        rows_KB, y_KB, rate_K, *draws = (
            None if table is None else table.index_select(0, self.step_1)[0] for table in self.tables
        )
        self.step_1.add_(1).remainder_(self.steps)
        return self.crowd.numbers(rows_KB, Draws(*draws)), y_KB.T, rate_K


def _joined(of_all: Sequence[Tensor | None], axis: int) -> Tensor | None:
    """Draws of each trial's batches as those of all images, trial by trial."""
    return None if of_all[0] is None else torch.cat([one for one in of_all if one is not None], axis)
