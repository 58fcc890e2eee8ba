"""Inference on one row: plain numbers from a vector with one value per seed.

All tests are of paired differences in test error, variant minus baseline: below 0 is better.

Where all values are equal, Student's t does not exist. Test errors are counts of images, so with few
seeds that happens by chance and proves little. The exact sign-flip test then takes its place for p: n
equal differences reach 2 ** (1 - n). That test needs differences that are symmetric about their mean under the
hypothesis. No interval is given: one of zero width would miss the mean of anything that is rare and one-sided,
an image that one seed in twenty gets wrong.
"""

import bisect
import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri, ndtr, stdtr, stdtrit  # what scipy.stats' t, chi2 and norm call, without their cost

from senet_lab.results.signflip import FEWEST_FOR_SIGN_FLIP as FEWEST_FOR_SIGN_FLIP
from senet_lab.results.signflip import SAME
from senet_lab.results.signflip import p_sign_flip as p_sign_flip

Values = npt.NDArray[np.float64]

POWER = 0.8
CONFIDENCE = 0.8  # that the true spread is below the one that is planned with
FEWEST_TO_PLAN = 3  # two seeds leave the upper limit of the spread at four times what was seen
MOST_SEEDS = 10_000


def flat(values: Values) -> bool:
    """Whether there is no spread at all."""
    return len(values) > 0 and bool(np.ptp(values) < SAME)


def interval(values: Values, level: float, least: float = -1.0, most: float = 1.0) -> tuple[float, float]:
    """Two-sided Student-t interval of the mean that misses with probability `level`; NaN if n < 2 or without spread.

    Cut at `least` and `most`, as no mean lies beyond: -1 and 1 for differences, 0 and 1 for errors.
    """
    n = len(values)
    if n < 2 or flat(values):
        return math.nan, math.nan
    mean = float(values.mean())
    half = float(-stdtrit(n - 1, level / 2) * values.std(ddof=1) / math.sqrt(n))
    return max(least, mean - half), min(most, mean + half)


def p_difference(differences: Values) -> float:
    """Two-sided paired t test of no difference; NaN if n < 2. Without spread, the sign-flip test (symmetry assumed)."""
    n, mean = len(differences), average(differences)
    if n < 2:
        return math.nan
    if flat(differences):
        return 1.0 if mean == 0 else 2.0 ** (1 - n)
    return float(2 * stdtr(n - 1, -abs(mean) / _standard_error(differences)))


def p_equivalence(differences: Values, margin: float) -> float:
    """The larger p of two one-sided t tests of |difference| >= margin (Schuirmann 1987); NaN if n < 2.

    Without spread, the sign-flip test of either side: of differences that would be symmetric about the margin.
    """
    n, mean = len(differences), average(differences)
    if n < 2:
        return math.nan
    if flat(differences):
        return 2.0**-n if abs(mean) < margin - SAME else 1.0
    error = _standard_error(differences)
    return float(stdtr(n - 1, max(-margin - mean, mean - margin) / error))


def p_better(differences: Values) -> float:
    """Predictive probability that a new seed's difference is below 0; NaN if n < 2 or without spread.

    A new difference is distributed as mean + s sqrt(1 + 1/n) t(n - 1) (normal model, flat prior).
    """
    n = len(differences)
    if n < 2 or flat(differences):
        return math.nan
    scale = float(differences.std(ddof=1)) * math.sqrt(1 + 1 / n)
    return float(stdtr(n - 1, -average(differences) / scale))


def holm(p: Values) -> Values:
    """Holm's step-down adjusted p (Holm 1979) over all hypotheses of `p`.

    A hypothesis without a p (NaN) cannot be rejected; it counts as p = 1 and stays NaN. Were it left out,
    a row that failed would make all others easier.
    """
    adjusted = np.full(len(p), np.nan)
    order = np.argsort(p)[: np.isfinite(p).sum()]
    remaining = len(p) - np.arange(len(order))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(remaining * p[order]))
    return adjusted


def joint_level(family: int, alpha: float) -> float:
    """Level at which `family` intervals, all that are asked for, hold together with 1 - alpha.

    Bonferroni's: right whatever the rows have in common, e.g. a baseline. Intervals at the levels of
    Holm's steps would be narrower, but would not hold together once several hypotheses are rejected.
    """
    return alpha / max(1, family)


def more_seeds(differences: Values, margin: float, level: float) -> float:
    """Fewest further seeds that decide with 80 % power if the observed mean is the true one, and the sd `upper_sd`.

    Decide: the t test finds the difference, or the two one-sided tests show equivalence, each at
    `level`. NaN if n < 3 or without spread, which tell no sd, or if more than 10,000 are needed.
    """
    n = len(differences)
    if n < FEWEST_TO_PLAN or flat(differences):
        return math.nan
    mean, sd = average(differences), upper_sd(float(differences.std(ddof=1)), n)

    def enough(further: int) -> bool:
        pairs = n + further
        found = power_difference(mean, sd, pairs, level)
        return found >= POWER or power_equivalence(mean, sd, margin, pairs, level) >= POWER

    further = 1 + bisect.bisect_left(range(1, MOST_SEEDS + 1), True, key=enough)
    return float(further) if further <= MOST_SEEDS else math.nan


def upper_sd(sd: float, n: int, confidence: float = CONFIDENCE) -> float:
    """Upper confidence limit of the sd of normal values of which `n` >= 2 gave `sd`.

    Plans made with the observed sd are too small more often than not; with this limit at least
    `confidence` of them reach their power (Browne 1995, Statistics in Medicine 14, 1933-1940).
    """
    return sd * math.sqrt((n - 1) / chdtri(n - 1, confidence))


def power_difference(mean: float, sd: float, n: int, level: float) -> float:
    """Power of the two-sided t test of `n` differences that are normal with `mean` and `sd`."""
    if sd == 0:
        return float(mean != 0 and 2.0 ** (1 - n) < level)
    shift, reach = math.sqrt(n) * mean / sd, _reach(n, level / 2)
    return float((ndtr(shift - reach) + ndtr(-shift - reach)).mean())


def power_equivalence(mean: float, sd: float, margin: float, n: int, level: float) -> float:
    """Power of the two one-sided t tests of the same differences against `margin` (Phillips 1990)."""
    if sd == 0:
        return float(abs(mean) < margin - SAME and 2.0**-n < level)
    error, reach = sd / math.sqrt(n), _reach(n, level)
    inside = ndtr((margin - mean) / error - reach) - ndtr((-margin - mean) / error + reach)
    return float(np.maximum(0, inside).mean())


@lru_cache(maxsize=4096)  # plans of many rows ask for the same n and level
def _reach(n: int, level: float) -> Values:
    """How far from 0 the mean must be to be found, in true standard errors, at 400 quantiles of the sample's sd.

    t(n - 1, level) S / sd with S / sd = sqrt(chi2(n - 1) / (n - 1)). Averaging a power over them
    integrates over S; scipy's noncentral t does the same in closed form but fails for n in the thousands.
    """
    spread = np.sqrt(chdtri(n - 1, (np.arange(400) + 0.5) / 400) / (n - 1))
    return np.asarray(-stdtrit(n - 1, level) * spread)


def average(values: Values) -> float:
    """The mean; 0.0 where it is 0 but for floating point, NaN of nothing."""
    value = float(values.mean()) if len(values) else math.nan
    return 0.0 if abs(value) < SAME else value


def _standard_error(values: Values) -> float:
    return float(values.std(ddof=1)) / math.sqrt(len(values))
