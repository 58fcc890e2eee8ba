"""Inference on one row: plain numbers from a vector with one value per seed.

All tests are of paired differences in test error, variant minus baseline: below 0 is better.

Where all values are equal, Student's t does not exist. Test errors are counts of images, so with few
seeds that happens by chance and proves little. The exact sign-flip test then takes its place in every
function here: n equal differences reach p = 2 ** (1 - n), and an interval is given only once that
is below its level.
"""

import bisect
import math

import numpy as np
import numpy.typing as npt
from scipy import stats

Values = npt.NDArray[np.float64]

SAME = 1e-9  # test errors closer than this differ by floating point, not by an image
EXACT_UP_TO = 20  # 2 ** 20 sign patterns are enumerated, more are drawn
DRAWS = 100_000
FEWEST_FOR_SIGN_FLIP = 6  # 2 ** (1 - 5) = .0625: below six pairs no sign-flip test can reach .05
POWER = 0.8
MOST_SEEDS = 10_000


def flat(values: Values) -> bool:
    """Whether there is no spread at all."""
    return len(values) > 0 and bool(np.ptp(values) < SAME)


def interval(values: Values, level: float) -> tuple[float, float]:
    """Two-sided Student-t interval of the mean that misses with probability `level`; NaN if n < 2."""
    n = len(values)
    if n < 2 or (flat(values) and 2.0 ** (1 - n) >= level):
        return math.nan, math.nan
    mean = float(values.mean())
    half = 0.0 if flat(values) else float(stats.t.isf(level / 2, n - 1) * values.std(ddof=1) / math.sqrt(n))
    return mean - half, mean + half


def p_difference(differences: Values) -> float:
    """Two-sided paired t test of no difference; NaN if n < 2."""
    n, mean = len(differences), average(differences)
    if n < 2:
        return math.nan
    if flat(differences):
        return 1.0 if mean == 0 else 2.0 ** (1 - n)
    return float(2 * stats.t.sf(abs(mean) / _standard_error(differences), n - 1))


def p_equivalence(differences: Values, margin: float) -> float:
    """The larger p of two one-sided t tests of |difference| >= margin (Schuirmann 1987); NaN if n < 2."""
    n, mean = len(differences), average(differences)
    if n < 2:
        return math.nan
    if flat(differences):
        return 2.0**-n if abs(mean) < margin - SAME else 1.0
    error = _standard_error(differences)
    return float(max(stats.t.sf((mean + margin) / error, n - 1), stats.t.cdf((mean - margin) / error, n - 1)))


def p_sign_flip(differences: Values, seed: int = 0) -> float:
    """Two-sided sign-flip permutation test of the sum; NaN below six pairs, where none can reach .05.

    Exact up to 20 pairs (ties count as extreme); above, 100,000 patterns, the observed one among
    them, from the generator seeded with `seed`.
    """
    n = len(differences)
    if n < FEWEST_FOR_SIGN_FLIP:
        return math.nan
    observed = abs(differences.sum()) - SAME * np.abs(differences).sum()
    if n <= EXACT_UP_TO:
        sums = differences[:1].copy()  # |sum| is the same with all signs turned: keep the first
        for difference in differences[1:]:
            sums = np.concatenate([sums - difference, sums + difference])
        return float(np.mean(np.abs(sums) >= observed))
    generator = np.random.default_rng(seed)
    chunks = (generator.integers(0, 2, (1000, n)) * 2 - 1 for _ in range(DRAWS // 1000))
    extreme = [np.abs(signs @ differences) >= observed for signs in chunks]
    extreme[0][0] = True  # the observed pattern
    return float(np.mean(extreme))


def p_better(differences: Values) -> float:
    """Predictive probability that a new seed's difference is below 0; NaN if n < 2 or without spread.

    A new difference is distributed as mean + s sqrt(1 + 1/n) t(n - 1) (normal model, flat prior).
    """
    n = len(differences)
    if n < 2 or flat(differences):
        return math.nan
    scale = float(differences.std(ddof=1)) * math.sqrt(1 + 1 / n)
    return float(stats.t.cdf(-average(differences) / scale, n - 1))


def holm(p: Values) -> Values:
    """Holm's step-down adjusted p (Holm 1979); NaN are not part of the family and stay NaN."""
    adjusted = np.full(len(p), np.nan)
    order = np.argsort(p)[: np.isfinite(p).sum()]
    remaining = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(remaining * p[order]))
    return adjusted


def joint_level(p: Values, alpha: float) -> float:
    """Level at which intervals of the whole family, one for each p that is not NaN, hold together with 1 - alpha.

    Bonferroni's: right whatever the rows have in common, e.g. a baseline. Intervals at the levels of
    Holm's steps would be narrower, but would not hold together once several hypotheses are rejected.
    """
    return alpha / max(1, int(np.isfinite(p).sum()))


def more_seeds(differences: Values, margin: float, level: float) -> float:
    """Fewest further seeds that decide with 80 % power if the observed mean and sd are the true ones.

    Decide: the t test finds the difference, or the two one-sided tests show equivalence, each at
    `level`. NaN if n < 2, or if more than 10,000 are needed.
    """
    n = len(differences)
    if n < 2:
        return math.nan
    mean, sd = average(differences), 0.0 if flat(differences) else float(differences.std(ddof=1))

    def enough(further: int) -> bool:
        pairs = n + further
        found = power_difference(mean, sd, pairs, level)
        return max(found, power_equivalence(mean, sd, margin, pairs, level)) >= POWER

    further = 1 + bisect.bisect_left(range(1, MOST_SEEDS + 1), True, key=enough)
    return float(further) if further <= MOST_SEEDS else math.nan


def power_difference(mean: float, sd: float, n: int, level: float) -> float:
    """Power of the two-sided t test of `n` differences that are normal with `mean` and `sd`."""
    if sd == 0:
        return float(mean != 0 and 2.0 ** (1 - n) < level)
    shift, reach = math.sqrt(n) * mean / sd, _reach(n, level / 2)
    return float((stats.norm.cdf(shift - reach) + stats.norm.cdf(-shift - reach)).mean())


def power_equivalence(mean: float, sd: float, margin: float, n: int, level: float) -> float:
    """Power of the two one-sided t tests of the same differences against `margin` (Phillips 1990)."""
    if sd == 0:
        return float(abs(mean) < margin - SAME and 2.0**-n < level)
    error, reach = sd / math.sqrt(n), _reach(n, level)
    inside = stats.norm.cdf((margin - mean) / error - reach) - stats.norm.cdf((-margin - mean) / error + reach)
    return float(np.maximum(0, inside).mean())


def _reach(n: int, level: float) -> Values:
    """How far from 0 the mean must be to be found, in true standard errors, at 400 quantiles of the sample's sd.

    t(n - 1, level) S / sd with S / sd = sqrt(chi2(n - 1) / (n - 1)). Averaging a power over them
    integrates over S; scipy's noncentral t does the same in closed form but fails for n in the thousands.
    """
    spread = np.sqrt(stats.chi2.ppf((np.arange(400) + 0.5) / 400, n - 1) / (n - 1))
    return np.asarray(stats.t.isf(level, n - 1) * spread)


def average(values: Values) -> float:
    """The mean; 0.0 where it is 0 but for floating point, NaN of nothing."""
    value = float(values.mean()) if len(values) else math.nan
    return 0.0 if abs(value) < SAME else value


def _standard_error(values: Values) -> float:
    return float(values.std(ddof=1)) / math.sqrt(len(values))
