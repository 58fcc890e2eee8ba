"""How many seeds a difference needs, and what the seeds so far can find: frame in, frame out; errors are fractions.

Everything here goes by the spread of the differences over seeds. That spread is itself known only from
few seeds, so each number has an interval: (n - 1) s^2 / sigma^2 is chi-square with n - 1 degrees of
freedom (normal differences), and what a test finds is proportional to sigma.
"""

import bisect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize

from senet_lab.results import paired
from senet_lab.results.signflip import ALPHA

ASSUMED_ERROR = 0.05
"""Of the networks whose spread is assumed, because no seeds tell it."""


class Pairs(NamedTuple):
    """The differences of a row to what it is compared to, over the seeds that both have, in the order of seeds."""

    seeds: "np.typing.NDArray[np.int64]"
    differences: paired.Values


@dataclass(frozen=True)
class Aim:
    """What the seeds are to show, as fractions."""

    detect: float
    """A difference in test error."""
    margin: float
    """Below it, differences are called equivalent."""
    assumed: float
    """Spread of differences that no seeds tell."""
    spread: float | None = None
    """Instead of every spread, seen or assumed."""


COLUMNS = ["variant", "baseline", "n_pairs", "spread", "spread_low", "spread_high", "spread_safe", "source", "level"]
COLUMNS += ["finds", "finds_low", "finds_high", "seeds", "seeds_safe", "equivalent", "equivalent_safe"]


def needs(trials: pd.DataFrame, rows: pd.DataFrame, baselines: Mapping[str, str], aim: Aim) -> pd.DataFrame:
    """A line per comparison of `baselines` (label -> label of what it is compared to), in the sweep's order.

    Columns: `variant`, `baseline`, `n_pairs` (common seeds), `spread` (sd of the differences), `spread_low`,
    `spread_high` (95 % interval; NaN where the spread is not seen), `spread_safe` (`paired.upper_sd`),
    `source` ("seen", "assumed", "given"), `level` (of a test: Holm's first step over all comparisons),
    `finds` (smallest difference that `n_pairs` seeds find with 80 % power), `finds_low`, `finds_high` (by the
    interval of the spread), `seeds` (that find `aim.detect` with 80 % power), `equivalent` (that show
    equivalence within the margin with 80 % power if there is no difference), and both again by
    `spread_safe`: `seeds_safe`, `equivalent_safe`. NaN: no such difference, or more than 10,000 seeds.
    """
    found = pairs(trials, baselines)
    labels = [label for label in rows["variant"] if label in baselines]
    level = ALPHA / max(1, len(labels))
    lines = [{"variant": label, "baseline": baselines[label]} | _line(found[label], aim, level) for label in labels]
    return pd.DataFrame(lines, columns=COLUMNS).astype({"variant": "str", "baseline": "str", "source": "str"})


def pairs(trials: pd.DataFrame, baselines: Mapping[str, str]) -> dict[str, Pairs]:
    """Label -> its differences to what it is compared to."""
    errors = trials.pivot(index="seed", columns="variant", values="test_error").sort_index()
    both = {pair: errors.reindex(columns=[*pair]).dropna() for pair in baselines.items()}
    return {
        label: Pairs(common.index.to_numpy(np.int64), (common.iloc[:, 0] - common.iloc[:, 1]).to_numpy(np.float64))
        for (label, _), common in both.items()
    }


def _line(row: Pairs, aim: Aim, level: float) -> dict[str, float | str]:
    n = len(row.seeds)
    sd, low, high, safe, source = _spread(row.differences, aim)
    once = detectable(n, level)  # of differences with a spread of 1
    return {
        "n_pairs": n,
        **{"spread": sd, "spread_low": low, "spread_high": high, "spread_safe": safe, "source": source},
        "level": level,
        **{"finds": sd * once, "finds_low": low * once, "finds_high": high * once},
        **{"seeds": seeds_to_detect(aim.detect, sd, level), "seeds_safe": seeds_to_detect(aim.detect, safe, level)},
        "equivalent": seeds_for_equivalence(aim.margin, sd, level),
        "equivalent_safe": seeds_for_equivalence(aim.margin, safe, level),
    }


def _spread(differences: paired.Values, aim: Aim) -> tuple[float, float, float, float, str]:
    """sd, its interval, its safe limit, and where that is from. Equal differences, a tie by chance, tell no spread."""
    if aim.spread is not None:
        return aim.spread, math.nan, math.nan, aim.spread, "given"
    n = len(differences)
    if n < 2 or paired.flat(differences):
        return aim.assumed, math.nan, math.nan, aim.assumed, "assumed"
    sd = float(differences.std(ddof=1))
    return sd, *spread_interval(sd, n), paired.upper_sd(sd, n), "seen"


def independent_spread(images: int, error: float = ASSUMED_ERROR) -> float:
    """Spread of the difference of two networks that err independently on `images` test images, `error` of them each.

    Each error is a binomial share with variance e (1 - e) / N; the variances of two add up.
    """
    return math.sqrt(2 * error * (1 - error) / images)


def spread_interval(sd: float, n: int, level: float = 0.05) -> tuple[float, float]:
    """Chi-square interval of the sd of normal values of which `n` gave `sd`; it misses with probability `level`."""
    return paired.upper_sd(sd, n, level / 2), paired.upper_sd(sd, n, 1 - level / 2)


def detectable(n: int, level: float) -> float:
    """The mean, in units of the spread, that the t test of `n` differences finds with 80 % power; NaN if n < 2."""
    if n < 2:
        return math.nan

    def lacking(mean: float) -> float:
        return paired.power_difference(mean, 1.0, n, level) - paired.POWER

    high = 1.0
    while lacking(high) < 0:
        high *= 2
    return float(optimize.brentq(lacking, 0.0, high, xtol=1e-9))


def seeds_to_detect(difference: float, sd: float, level: float) -> float:
    """Fewest seeds whose t test at `level` finds `difference` with 80 % power; NaN if more than 10,000."""
    return _fewest(lambda n: paired.power_difference(difference, sd, n, level) >= paired.POWER)


def seeds_for_equivalence(margin: float, sd: float, level: float) -> float:
    """Fewest seeds that show equivalence within `margin` with 80 % power if there is no difference; NaN as above."""
    return _fewest(lambda n: paired.power_equivalence(0.0, sd, margin, n, level) >= paired.POWER)


def _fewest(enough: Callable[[int], bool]) -> float:
    """The smallest number of seeds, two at least, for which `enough` begins to hold."""
    counts = range(2, paired.MOST_SEEDS + 1)
    at = bisect.bisect_left(counts, True, key=enough)
    return float(counts[at]) if at < len(counts) else math.nan
