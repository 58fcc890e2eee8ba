"""The exact sign-flip permutation test of paired differences, and how many seeds it needs.

numpy only: `plan`, which starts without scipy, asks it too.
"""

import math

import numpy as np
import numpy.typing as npt

SAME = 1e-9  # test errors closer than this differ by floating point, not by an image
EXACT_UP_TO = 30  # two halves of 2 ** 15 sign patterns each are matched; of more pairs, patterns are drawn
DRAWS = 100_000
ALPHA = 0.05


def smallest_p(pairs: int) -> float:
    """What the two-sided test of `pairs` differences gives if all have one sign: 2 of 2 ** pairs patterns."""
    return 2.0 ** (1 - pairs)


def seeds_needed(family: int = 1, alpha: float = ALPHA) -> int:
    """Fewest common seeds with which the test can fall below `alpha` at Holm's first step over `family` comparisons."""
    return next(n for n in range(2, 64) if smallest_p(n) < alpha / max(1, family))


FEWEST_FOR_SIGN_FLIP = seeds_needed()  # six: 2 ** (1 - 5) = .0625


def p_sign_flip(differences: npt.NDArray[np.float64], seed: int = 0) -> float:
    """Two-sided sign-flip permutation test of the sum; NaN below six pairs, where none can reach .05.

    Right for differences that are symmetric about 0 where there is no difference, whatever their distribution else.
    Exact up to 30 pairs (ties count as extreme); above, 100,000 patterns, the observed one among
    them, from the generator seeded with `seed`.
    """
    n = len(differences)
    if n < FEWEST_FOR_SIGN_FLIP:
        return math.nan
    observed = abs(differences.sum()) - SAME * np.abs(differences).sum()
    if n <= EXACT_UP_TO:
        first, second = _sums(differences[: n // 2]), np.sort(_sums(differences[n // 2 :]))
        above = len(second) - np.searchsorted(second, observed - first, side="left")
        below = np.searchsorted(second, -observed - first, side="right")
        return min(1.0, float((above + below).sum()) / 2.0**n)
    generator = np.random.default_rng(seed)
    chunks = (generator.integers(0, 2, (1000, n)) * 2 - 1 for _ in range(DRAWS // 1000))
    extreme = [np.abs(signs @ differences) >= observed for signs in chunks]
    extreme[0][0] = True  # the observed pattern
    return float(np.mean(extreme))


def _sums(differences: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Under every pattern of signs."""
    sums = np.zeros(1)
    for difference in differences:
        sums = np.concatenate([sums - difference, sums + difference])
    return sums
