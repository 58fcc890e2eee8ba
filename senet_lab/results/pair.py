"""Two rows of a sweep in full: over seeds, class by class, image by image. Differences are a - b: below 0, a is better.

A pair that was chosen beforehand is one comparison and nothing is corrected for; for a pair that was picked from the
table, `p_all_pairs` counts every pair of rows.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from senet_lab.results import best, paired, parts
from senet_lab.results.load import Answers

ALPHA = 0.05
Bits = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Images:
    """What is known image by image of two rows."""

    a: Answers
    b: Answers
    labels: tuple[npt.NDArray[np.int64], tuple[str, ...]] | None = None
    """Of each test image, and the names of the classes."""

    def wrong(self) -> tuple[Bits, Bits] | None:
        """Which images are wrong with each common seed, S x N; None without a common seed or with other images."""
        common = np.intersect1d(self.a.seeds, self.b.seeds)
        if self.a.images != self.b.images or not len(common):
            return None
        return ~self.a.correct_SN[np.isin(self.a.seeds, common)], ~self.b.correct_SN[np.isin(self.b.seeds, common)]


@dataclass(frozen=True)
class Pair:
    """What the trials of two rows say of each other; errors are fractions."""

    a: str
    b: str
    margin: float
    seeds: pd.DataFrame
    """A line per common seed: `seed`, `a`, `b` (test errors), `difference`."""
    difference: "pd.Series[float]"
    """`n`, `mean`, `low`, `high` (95 % Student-t), `sd`, `t`, `p`, `p_all_pairs`, `pairs`, `p_signflip`, `p_tost`,
    `p_better`, `correlation`, `se_seeds`, `se_test` (see `parts`)."""
    images: "pd.Series[float] | None"
    """McNemar's test of the images (see `mcnemar`); None where their bits are not known."""
    classes: pd.DataFrame | None
    """A line per class (see `by_class`); None where bits or labels are not known."""

    @property
    def verdict(self) -> str:
        """Of this pair alone: "better" (a), "worse", "equivalent" or "undecided"."""
        d = self.difference
        if d["p"] < ALPHA:
            return "better" if d["mean"] < 0 else "worse"
        return "equivalent" if d["p_tost"] < ALPHA else "undecided"


def pair(
    trials: pd.DataFrame, rows: pd.DataFrame, labels: tuple[str, str], margin: float, images: Images | None
) -> Pair:
    """Compare the rows called `labels`; frames as of `load`."""
    errors = trials.pivot(index="seed", columns="variant", values="test_error").reindex(columns=[*labels]).dropna()
    seeds = errors.set_axis(["a", "b"], axis=1).assign(difference=lambda e: e["a"] - e["b"]).reset_index()
    found = _over_seeds(seeds, margin)
    se = parts.of_difference(images.a, images.b) if images else parts.NOTHING
    found |= {"se_seeds": se.seeds, "se_test": se.test}
    found |= {"p_all_pairs": best.pairwise(trials, rows).get(frozenset(labels), math.nan)}
    found |= {"pairs": len(rows) * (len(rows) - 1) // 2}
    told = pd.Series(found, dtype="float64")
    wrong = images.wrong() if images else None
    if images is None or wrong is None:
        return Pair(*labels, margin, seeds, told, None, None)
    known = images.labels if images.labels and len(images.labels[0]) == wrong[0].shape[1] else None
    return Pair(*labels, margin, seeds, told, mcnemar(*wrong), by_class(*wrong, *known) if known else None)


def mcnemar(a_SN: Bits, b_SN: Bits) -> "pd.Series[float]":
    """McNemar's test of which images are wrong, S seeds x N images, in the two rows with the same seed.

    `only_a`, `only_b`: images that only that row gets wrong, a mean over seeds; `seeds`, and in how many of them the
    exact test of one pair of networks finds a difference (`seeds_below`, p < .05). `p`: all seeds together, an image
    being the unit (its S answers are not independent): chi2 = (sum d_i)^2 / sum d_i^2 with d_i = image i's mean
    difference, one degree of freedom (Durkalski et al. 2003, Statistics in Medicine 22, 2417, clusters of equal size).
    It speaks of other images and these networks, as the t test speaks of other seeds and these images.
    """
    only_a, only_b = a_SN & ~b_SN, b_SN & ~a_SN
    counts = list(zip(only_a.sum(axis=1), only_b.sum(axis=1), strict=True))
    singles = [stats.binomtest(int(x), int(x + y)).pvalue if x + y else 1.0 for x, y in counts]
    by_image = only_a.mean(axis=0) - only_b.mean(axis=0)
    spread = float(np.square(by_image).sum())
    chi2 = float(by_image.sum()) ** 2 / spread if spread else 0.0
    return pd.Series(
        {
            "images": a_SN.shape[1],
            "only_a": only_a.sum(axis=1).mean(),
            "only_b": only_b.sum(axis=1).mean(),
            "seeds": len(a_SN),
            "seeds_below": sum(p < ALPHA for p in singles),
            "chi2": chi2,
            "p": float(stats.chi2.sf(chi2, 1)),
        },
        dtype="float64",
    )


def by_class(a_SN: Bits, b_SN: Bits, labels: npt.NDArray[np.int64], names: tuple[str, ...]) -> pd.DataFrame:
    """A line per class that has test images.

    Columns: `name`, `images`, `a`, `b` (mean errors), `difference`, `low`, `high`, `p_holm`.
    The intervals of the differences are Student's t over seeds and hold jointly (Bonferroni over classes).
    """
    present = [k for k in range(len(names)) if (labels == k).any()]
    ours = np.stack([a_SN[:, labels == k].mean(axis=1) for k in present])
    theirs = np.stack([b_SN[:, labels == k].mean(axis=1) for k in present])
    differences = ours - theirs
    p = np.array([paired.p_difference(d) for d in differences])
    level = ALPHA / len(present)
    low, high = np.array([paired.interval(d, level) for d in differences]).T
    return pd.DataFrame(
        {
            "name": pd.Series([names[k] for k in present], dtype="str"),
            "images": [int((labels == k).sum()) for k in present],
            "a": ours.mean(axis=1),
            "b": theirs.mean(axis=1),
            "difference": [paired.average(d) for d in differences],
            "low": low,
            "high": high,
            "p_holm": paired.holm(p),
        }
    )


def _over_seeds(seeds: pd.DataFrame, margin: float) -> dict[str, float]:
    """What the differences with common seeds say by themselves."""
    d = seeds["difference"].to_numpy(np.float64)
    n, mean = len(d), paired.average(d)
    low, high = paired.interval(d, ALPHA)
    spread = float(d.std(ddof=1)) if n > 1 else math.nan
    varied = n > 2 and not paired.flat(seeds["a"].to_numpy()) and not paired.flat(seeds["b"].to_numpy())
    return {
        "n": n,
        "mean": mean,
        "low": low,
        "high": high,
        "sd": spread,
        "t": mean / spread * math.sqrt(n) if n > 1 and not paired.flat(d) else math.nan,
        "p": paired.p_difference(d),
        "p_signflip": paired.p_sign_flip(d),
        "p_tost": paired.p_equivalence(d, margin),
        "p_better": paired.p_better(d),
        "correlation": float(seeds["a"].corr(seeds["b"])) if varied else math.nan,
    }
