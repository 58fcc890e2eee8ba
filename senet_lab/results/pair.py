"""Two rows of a sweep in full: over seeds, class by class, image by image. Differences are a - b: below 0, a is better.

The verdict is never that of the pair by itself, which may have been picked from the table: a pair that the sweep
compares has the verdict of its table, any other one is judged among all pairs of rows (see `Family`).
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from senet_lab.results import best, paired, parts
from senet_lab.results.load import Answers
from senet_lab.results.signflip import ALPHA

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
class Asked:
    """What the sweep asks of its rows, and has found."""

    rows: pd.DataFrame
    comparison: pd.DataFrame
    """As of `stats.compare`."""
    margin: float
    alpha: float = ALPHA
    """Of the pairs that the sweep does not compare; less where seeds are added look by look (see `best.best`)."""


@dataclass(frozen=True)
class Family:
    """The comparisons that a pair is judged among, and how."""

    of: str
    """`SWEEP` or `PAIRS`."""
    size: int
    p: float
    """Of the difference, adjusted."""
    p_tost: float
    """Of equivalence, adjusted."""
    alpha: float
    """Below it, an adjusted p decides."""
    verdict: str
    """Of a against b: "better", "worse", "equivalent" or "undecided"."""
    looks: bool = False
    """Whether p is adjusted for several looks, too."""


SWEEP, PAIRS = "sweep", "all pairs"
TURNED = {"better": "worse", "worse": "better"}


@dataclass(frozen=True)
class Pair:
    """What the trials of two rows say of each other; errors are fractions."""

    a: str
    b: str
    margin: float
    seeds: pd.DataFrame
    """A line per common seed: `seed`, `a`, `b` (test errors), `difference`."""
    difference: "pd.Series[float]"
    """`n`, `mean`, `low`, `high` (95 % Student-t), `sd`, `t`, `p`, `p_signflip`, `p_tost` (all three not adjusted),
    `p_all_pairs`, `p_tost_all_pairs` (Holm over all `pairs`), `p_better`, `correlation`, `se_seeds`, `se_test` (see
    `parts`)."""
    images: "pd.Series[float] | None"
    """McNemar's test of the images (see `mcnemar`); None where their bits are not known."""
    classes: pd.DataFrame | None
    """A line per class (see `by_class`); None where bits or labels are not known."""
    family: Family

    @property
    def verdict(self) -> str:
        """Of a against b: "better", "worse", "equivalent" or "undecided"; by `family`."""
        return self.family.verdict


def pair(trials: pd.DataFrame, asked: Asked, labels: tuple[str, str], images: Images | None) -> Pair:
    """Compare the rows called `labels`; frames as of `load`."""
    margin = asked.margin
    errors = trials.pivot(index="seed", columns="variant", values="test_error").reindex(columns=[*labels]).dropna()
    seeds = errors.set_axis(["a", "b"], axis=1).assign(difference=lambda e: e["a"] - e["b"]).reset_index()
    found = _over_seeds(seeds, margin)
    se = parts.of_difference(images.a, images.b) if images else parts.NOTHING
    found |= {"se_seeds": se.seeds, "se_test": se.test}
    found |= {"pairs": len(asked.rows) * (len(asked.rows) - 1) // 2}
    found |= {"p_all_pairs": best.pairwise(trials, asked.rows).get(frozenset(labels), math.nan)}
    equivalence = best.pairwise(trials, asked.rows, lambda d: paired.p_equivalence(d, margin))
    found |= {"p_tost_all_pairs": equivalence.get(frozenset(labels), math.nan)}
    told = pd.Series(found, dtype="float64")
    family = in_sweep(asked.comparison, labels) or _among_pairs(told, asked.alpha)
    wrong = images.wrong() if images else None
    if images is None or wrong is None:
        return Pair(*labels, margin, seeds, told, None, None, family)
    known = images.labels if images.labels and len(images.labels[0]) == wrong[0].shape[1] else None
    classes = by_class(*wrong, *known) if known else None
    return Pair(*labels, margin, seeds, told, mcnemar(*wrong), classes, family)


def in_sweep(comparison: pd.DataFrame, labels: tuple[str, str]) -> Family | None:
    """What the sweep's own line of the pair says, in either order; None where it has none."""
    a, b = labels
    for one, other, turned in ((a, b, {}), (b, a, TURNED)):
        lines = comparison[(comparison["variant"] == one) & (comparison["baseline"] == other)]
        for _, line in lines.iterrows():
            size, verdict = int(line["family"]), str(line["verdict"])
            p, p_tost, alpha = (float(line[name]) for name in ("p_holm", "p_tost_holm", "alpha"))
            return Family(SWEEP, size, p, p_tost, alpha, turned.get(verdict, verdict), "look" in comparison)
    return None


def _among_pairs(d: "pd.Series[float]", alpha: float) -> Family:
    verdict = "equivalent" if d["p_tost_all_pairs"] < alpha else "undecided"
    if d["p_all_pairs"] < alpha:
        verdict = "better" if d["mean"] < 0 else "worse"
    return Family(PAIRS, int(d["pairs"]), float(d["p_all_pairs"]), float(d["p_tost_all_pairs"]), alpha, verdict)


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
