"""How much of an error's uncertainty the seeds contribute, and how much the finite test set.

Seeds and test images are crossed: every trial sees every image. With the outcome y of seed i on image j
(1 where it is wrong; of a difference, variant - baseline: -1, 0 or 1) as mean + seed_i + image_j + rest_ij,
all of them random, the usual mean squares tell their variances (two-way layout, one value a cell; Searle,
Casella and McCulloch 1992, "Variance Components", section 4.3).

Legend: S seeds, N images.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from senet_lab.results.load import Answers

Outcomes = npt.NDArray[np.int8]


class Parts(NamedTuple):
    """Standard errors of a mean over seeds and images, from independent sources: squares add up."""

    seeds: float
    """What as many other seeds, on the same images, would vary by: sd / sqrt(n), the interval's."""
    test: float
    """What as many other test images of the same kind would add; 0: `TOO_LITTLE`, not nothing."""


NOTHING = Parts(math.nan, math.nan)
TOO_LITTLE = "less than these seeds can show"
"""In words, an estimate that came out at 0 or below."""


def split(y_SN: Outcomes) -> Parts:
    """The two parts of the standard error of the mean of `y_SN`; NaN with fewer than two seeds or images.

    Seeds: MS_seeds / (S N), which estimates (var_seed + var_rest / N) / S and is the squared error of the
    mean over seeds as they were seen, so it is never negative. Images: (MS_images - MS_rest) / (S N), which
    estimates var_image / N; 0 where that is negative, as it is by chance where the images' part is small.
    """
    seeds, images = y_SN.shape
    if min(seeds, images) < 2:
        return NOTHING
    by_seed_S = y_SN.sum(axis=1, dtype=np.int64) / images
    by_image_N = y_SN.sum(axis=0, dtype=np.int64) / seeds
    squares_seeds = images * float(np.square(by_seed_S - by_seed_S.mean()).sum())
    squares_images = seeds * float(np.square(by_image_N - by_image_N.mean()).sum())
    squares = float(np.count_nonzero(y_SN)) - y_SN.size * float(by_seed_S.mean()) ** 2  # y * y is 0 or 1
    rest = (squares - squares_seeds - squares_images) / ((seeds - 1) * (images - 1))
    seen, found = squares_seeds / (seeds - 1), squares_images / (images - 1)
    more = found - rest if found - rest > 1e-12 else 0.0  # what is less is floating point
    return Parts(math.sqrt(seen / y_SN.size), math.sqrt(more / y_SN.size))


def of_row(answers: Answers | None) -> Parts:
    """Of a row's mean error."""
    return NOTHING if answers is None else split((~answers.correct_SN).view(np.int8))


def of_difference(variant: Answers | None, baseline: Answers | None) -> Parts:
    """Of the mean paired difference, over common seeds; NaN where the two were not tested on the same images."""
    if variant is None or baseline is None or variant.images != baseline.images:
        return NOTHING
    common = np.intersect1d(variant.seeds, baseline.seeds)
    ours, theirs = (each.correct_SN[np.isin(each.seeds, common)].view(np.int8) for each in (variant, baseline))
    return split(theirs - ours)  # seeds are in order; wrong - wrong


def added(
    summary: pd.DataFrame, comparison: pd.DataFrame, answers: Mapping[str, Answers]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both frames of `stats` with what the images say.

    `summary` gains `se_seeds`, `se_test` and `images` (test images; missing where not all bits are known),
    `comparison` gains `delta_se_seeds`, `delta_se_test`. Fractions, one standard error each.
    """
    rows = [of_row(answers.get(label)) for label in summary["variant"]]
    pairs = zip(comparison["variant"], comparison["baseline"], strict=True)
    differences = [of_difference(answers.get(label), answers.get(other)) for label, other in pairs]
    counts: list[Any] = [len(answers[v].correct_SN.T) if v in answers else None for v in summary["variant"]]
    images = pd.array(counts, dtype="Int64")
    return (
        summary.assign(**_columns(rows, "se_"), images=images),
        comparison.assign(**_columns(differences, "delta_se_")),
    )


def _columns(parts: list[Parts], prefix: str) -> dict[str, npt.NDArray[np.float64]]:
    found = np.array(parts, dtype=np.float64).reshape(-1, 2)
    return {f"{prefix}{name}": found[:, i] for i, name in enumerate(Parts._fields)}
