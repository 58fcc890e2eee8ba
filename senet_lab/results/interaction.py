"""Does the effect of a row differ between settings? Differences of differences, frame in, frame out.

An effect is the mean difference of a row to its own baseline, paired by seed within a setting. Two settings
are contrasted in one of two ways:

- on the same data, over the seeds that both have, by the t test of the paired differences of differences.
  A seed draws the same split and order there, so what it does in one setting may say something about the
  other; Welch's test would take the two for independent, and rejects too often where they go against each
  other. Pairing is right either way; it costs degrees of freedom.
- on different data by Welch's t test (Welch 1947): seeds draw from different images, so no seed of one
  belongs to one of the other, all seeds count, and the spreads may differ.

Differences and equivalence are two families, each corrected by Holm over all rows and settings, those without
data included; intervals hold jointly (Bonferroni), as those of `stats.compare`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats as distributions

from senet_lab.results import paired
from senet_lab.results.signflip import ALPHA
from senet_lab.results.signflip import SAME as SAME_VALUE

COLUMNS = ["variant", "setting", "reference", "method", "n", "n_reference", "contrast", "contrast_low"]
COLUMNS += ["contrast_high", "level", "p", "p_holm", "p_tost", "p_tost_holm", "correlation", "margin", "verdict"]
DIFFERS, SAME, UNDECIDED = "differs", "equivalent", "undecided"


@dataclass(frozen=True)
class Setting:
    """The same sweep, asked in one setting."""

    name: str
    trials: pd.DataFrame
    """As of `load.trials`."""
    baselines: Mapping[str, str]
    """Label -> label of what it is compared to."""
    data: frozenset[str]
    """Digests of what it is trained and tested on."""


def effects(setting: Setting) -> dict[str, pd.Series]:
    """Label -> row minus its baseline by seed, over the seeds that both have; fractions."""
    errors = setting.trials.pivot(index="seed", columns="variant", values="test_error")
    both = {row: errors.reindex(columns=[row, base]) for row, base in setting.baselines.items()}
    return {row: (pair.iloc[:, 0] - pair.iloc[:, 1]).dropna() for row, pair in both.items()}


def contrasts(settings: tuple[Setting, ...], margin: float, alpha: float = ALPHA) -> pd.DataFrame:
    """Every row's effect in each later setting minus that in the first, in the order of the rows.

    Columns: `method` ("paired", "Welch"), `n` and `n_reference` (seeds that count), `contrast` (fraction; below
    0: the row does better than in the first setting), `contrast_low`, `contrast_high` (jointly 1 - alpha), `p`,
    `p_holm`, `p_tost` and `p_tost_holm` (|contrast| >= margin), `correlation` (over common seeds, from three
    on), `verdict` ("differs", "equivalent", "undecided"). Only rows that are compared in both settings.
    """
    first, *others = [(setting, effects(setting)) for setting in settings]
    lines, samples = [], []
    for label, reference in first[1].items():
        for setting, found in others:
            if label in found:
                sample = _sample(found[label], reference, setting.data == first[0].data)
                samples.append(sample)
                lines.append({"variant": label, "setting": setting.name, "reference": first[0].name} | sample.facts())
    frame = pd.DataFrame(lines, columns=COLUMNS)
    p = np.array([sample.p() for sample in samples])
    level = paired.joint_level(len(frame), alpha)
    equivalence = np.array([sample.p_equivalence(margin) for sample in samples])
    ends = np.array([sample.interval(level) for sample in samples], dtype=np.float64).reshape(-1, 2)
    frame["contrast_low"], frame["contrast_high"] = ends.T
    frame["level"], frame["margin"] = np.where(np.isfinite(p), level, math.nan), margin
    frame["p"], frame["p_holm"] = p, paired.holm(p)
    frame["p_tost"], frame["p_tost_holm"] = equivalence, paired.holm(equivalence)
    frame["verdict"] = pd.Series([_verdict(row, alpha) for _, row in frame.iterrows()], dtype="str")
    return frame


@dataclass(frozen=True)
class Paired:
    """Differences of differences, one a common seed."""

    values: paired.Values
    correlation: float

    def facts(self) -> dict[str, Any]:
        """The columns that need no test."""
        n = len(self.values)
        middle = paired.average(self.values)
        return {"method": "paired", "n": n, "n_reference": n, "contrast": middle, "correlation": self.correlation}

    def p(self) -> float:
        """Of no difference; NaN if n < 2."""
        return paired.p_difference(self.values)

    def p_equivalence(self, margin: float) -> float:
        """Of |difference| >= margin; NaN if n < 2."""
        return paired.p_equivalence(self.values, margin)

    def interval(self, level: float) -> tuple[float, float]:
        """Student's; NaN where there is none. Halves, as `paired` cuts at -1 and 1 and these reach from -2 to 2."""
        low, high = paired.interval(self.values / 2, level)
        return 2 * low, 2 * high


@dataclass(frozen=True)
class Welch:
    """Two independent samples of differences; Welch's t, degrees of freedom by Welch and Satterthwaite.

    Without any spread there is no t: the permutation test takes its place, as the sign-flip test in `paired`;
    two samples of n and m equal values reach p = 2 / C(n + m, n).
    """

    values: paired.Values
    reference: paired.Values

    def facts(self) -> dict[str, Any]:
        """The columns that need no test."""
        n, m = len(self.values), len(self.reference)
        return {"method": "Welch", "n": n, "n_reference": m, "contrast": self._middle, "correlation": math.nan}

    @property
    def _middle(self) -> float:
        middle = paired.average(self.values) - paired.average(self.reference)
        return 0.0 if abs(middle) < SAME_VALUE else middle

    @property
    def _few(self) -> bool:
        return min(len(self.values), len(self.reference)) < 2

    @property
    def _flat(self) -> bool:
        return paired.flat(self.values) and paired.flat(self.reference)

    def _reached(self) -> float:
        n, m = len(self.values), len(self.reference)
        return 2 / math.comb(n + m, n)

    def _error(self) -> tuple[float, float]:
        """Standard error and degrees of freedom."""
        a, b = (float(v.var(ddof=1)) / len(v) for v in (self.values, self.reference))
        freedom = (a + b) ** 2 / (a**2 / (len(self.values) - 1) + b**2 / (len(self.reference) - 1))
        return math.sqrt(a + b), freedom

    def p(self) -> float:
        """Of no difference; NaN if either n < 2."""
        if self._few:
            return math.nan
        if self._flat:
            return 1.0 if self._middle == 0 else self._reached()
        error, freedom = self._error()
        return float(2 * distributions.t.sf(abs(self._middle) / error, freedom))

    def p_equivalence(self, margin: float) -> float:
        """The larger p of two one-sided tests of |difference| >= margin; NaN if either n < 2."""
        if self._few:
            return math.nan
        if self._flat:
            return self._reached() / 2 if abs(self._middle) < margin - SAME_VALUE else 1.0
        error, freedom = self._error()
        below = distributions.t.sf((self._middle + margin) / error, freedom)
        return float(max(below, distributions.t.cdf((self._middle - margin) / error, freedom)))

    def interval(self, level: float) -> tuple[float, float]:
        """Two-sided; NaN where there is none."""
        if self._few or self._flat:
            return math.nan, math.nan
        error, freedom = self._error()
        half = float(distributions.t.isf(level / 2, freedom) * error)
        return max(-2.0, self._middle - half), min(2.0, self._middle + half)


def _sample(effect: "pd.Series[float]", reference: "pd.Series[float]", same_data: bool) -> Paired | Welch:
    if not same_data:
        return Welch(*(np.asarray(values, dtype=np.float64) for values in (effect, reference)))
    common = pd.concat([effect, reference], axis=1, join="inner").to_numpy(np.float64)
    spread = len(common) > 2 and not paired.flat(common[:, 0]) and not paired.flat(common[:, 1])
    return Paired(common[:, 0] - common[:, 1], float(np.corrcoef(common.T)[0, 1]) if spread else math.nan)


def _verdict(row: "pd.Series[Any]", alpha: float) -> str:
    if row["p_holm"] < alpha:
        return DIFFERS
    return SAME if row["p_tost_holm"] < alpha else UNDECIDED
