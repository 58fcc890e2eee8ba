"""What the gates of each block are, in numbers that do not depend on the order of its channels (v4 section 7.2).

Another seed has like channels in another order, so these numbers, and the sorted profile, are all that
seeds have in common. `gates` is a frame with the columns of `senet_lab.gates`, without single images.
Shapes: K classes, C channels of a block, S of them kept of each class.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Reals = npt.NDArray[np.float64]

NEAR = 0.1
"""A gate within this of 1 lets its channel pass, within this of 0 shuts it."""
STILL = 1e-12
"""A variance below this is floating point."""
STATISTICS = ("mean", "spread", "share", "within", "near_one", "near_zero")
"""The columns of `of_trial` that are followed over seeds; see there."""
COLUMNS = ["block", "stage", "channels", *STATISTICS, "least", "most", "spread_most", "apart", "identity"]


@dataclass(frozen=True)
class Block:
    """The gates of one block over the test images."""

    name: str
    channels: int
    every_C: Reals
    """Mean over all images, by channel."""
    labels_K: npt.NDArray[np.int64]
    images_K: Reals
    mean_KS: Reals
    sd_KS: Reals
    """Population deviation over the images of a class."""

    @property
    def stage(self) -> str:
        """As the paper numbers them: the stem is 1."""
        return self.name.split("_")[1]


def blocks(gates: pd.DataFrame) -> Iterator[Block]:
    """The blocks by depth, which is the order of the file."""
    for name, own in gates.groupby("block", sort=False, observed=True):
        own = own.sort_values(["class", "channel"])
        every, classes = own[own["class"] < 0], own[own["class"] >= 0]
        labels, first = np.unique(classes["class"].to_numpy(), return_index=True)
        shape = (len(labels), -1 if len(labels) else 0)
        yield Block(
            str(name),
            int(own["channels"].iloc[0]),
            every["mean"].to_numpy(np.float64),
            labels.astype(np.int64),
            classes["images"].to_numpy(np.float64)[first],
            classes["mean"].to_numpy(np.float64).reshape(shape),
            classes["sd"].to_numpy(np.float64).reshape(shape),
        )


def of_trial(gates: pd.DataFrame, shown: Sequence[int]) -> pd.DataFrame:
    """A line per block, by depth; `shown` are the classes whose spread is taken.

    Columns: `block`, `stage`, `channels`; of each channel's mean over all images: `mean`, `least`, `most`,
    `near_one` and `near_zero` (share of channels within 0.1 of it), `identity` (mean |1 - s|); `spread` and
    `spread_most` (mean and largest over channels of max - min over the shown classes' means); `apart` (their
    deviation without what sampling adds; see there); `share`
    (of a gate's variance over images, the part between classes, mean over channels; see `between`);
    `within` (mean over classes and channels of the deviation over images of one class).
    """
    return pd.DataFrame([_line(block, shown) for block in blocks(gates)], columns=COLUMNS)


def _line(block: Block, shown: Sequence[int]) -> dict[str, object]:
    spread_S = spread(block.mean_KS[np.isin(block.labels_K, shown)])
    every_C = block.every_C
    return {
        "block": block.name,
        "stage": block.stage,
        "channels": block.channels,
        "mean": every_C.mean(),
        "spread": spread_S.mean(),
        "share": between(block),
        "within": np.nanmean(block.sd_KS),
        "near_one": np.mean(np.abs(1 - every_C) < NEAR),
        "near_zero": np.mean(np.abs(every_C) < NEAR),
        "least": every_C.min(),
        "most": every_C.max(),
        "spread_most": spread_S.max(),
        "apart": apart(block, shown),
        "identity": np.abs(1 - every_C).mean(),
    }


def spread(mean_KS: Reals) -> Reals:
    """Max - min over classes of each channel. Sampling alone makes it positive: of four means of n images each
    with deviation sd, about 2.06 sd / sqrt(n). NaN of fewer than two classes."""
    return np.ptp(mean_KS, axis=0) if len(mean_KS) > 1 else np.full(1, np.nan)


def apart(block: Block, shown: Sequence[int]) -> float:
    """Standard deviation of the shown classes' means, without what the sampling of images makes of it.

    Var(means) estimates the classes' variance plus that of a mean of n images, itself estimated by s^2 / n (the
    random-effects estimate of one-way analysis of variance; Searle, Casella and McCulloch 1992, section 3.6).
    The difference, a mean over channels, is unbiased; it is negative by chance where classes are alike, and so is
    its root here. NaN of fewer than two classes, or where no deviation within one is known.
    """
    chosen = np.isin(block.labels_K, shown) & (block.images_K > 1)
    sd_KS, mean_KS = block.sd_KS[chosen], block.mean_KS[chosen]
    known = np.isfinite(sd_KS).all(axis=1)  # of the paper's classes two
    if len(mean_KS) < 2 or not known.any():
        return float("nan")
    sampling_S = (sd_KS[known] ** 2 / (block.images_K[chosen][known][:, None] - 1)).mean(axis=0)
    variance = float((mean_KS.var(axis=0, ddof=1) - sampling_S).mean())
    return float(np.sign(variance) * np.sqrt(abs(variance)))


def between(block: Block) -> float:
    """Variance between classes / (between + within), mean over the channels that vary at all; NaN if none does.

    Fisher's correlation ratio eta squared. Classes that are all alike give (K - 1) / N for N images, not 0.
    """
    weight_K1 = (block.images_K / block.images_K.sum())[:, None]
    mean_S = (weight_K1 * block.mean_KS).sum(0)
    between_S = (weight_K1 * (block.mean_KS - mean_S) ** 2).sum(0)
    total_S = between_S + (weight_K1 * block.sd_KS**2).sum(0)
    moving_S = total_S > STILL
    return float(np.mean(between_S[moving_S] / total_S[moving_S])) if moving_S.any() else float("nan")


def profile(gates: pd.DataFrame) -> pd.DataFrame:
    """Each channel's mean over all images, sorted from the largest on: columns `block`, `rank` (from 0), `at`
    (of the channels, the share that is at least as large, in the middle of the channel), `mean`."""
    found = [
        pd.DataFrame(
            {
                "block": block.name,
                "rank": np.arange(len(block.every_C)),
                "at": (np.arange(len(block.every_C)) + 0.5) / len(block.every_C),
                "mean": np.sort(block.every_C)[::-1],
            }
        )
        for block in blocks(gates[gates["class"] < 0])
    ]
    return pd.concat(found, ignore_index=True)


def shown_blocks(names: Sequence[str], most: int = 6) -> tuple[str, ...]:
    """The paper's choice: the last block of each stage but the last, then those of the last stage (v4 7.2).

    All blocks where there are at most `most`; of more, the last ones.
    """
    if len(names) <= most:
        return tuple(names)
    last = {name.split("_")[1]: name for name in names}
    final = names[-1].split("_")[1]
    earlier = [name for stage, name in last.items() if stage != final]
    ending = [name for name in names if name.split("_")[1] == final]
    room = max(1, most - len(earlier))
    return tuple([*earlier, *ending[-room:]][-most:])
