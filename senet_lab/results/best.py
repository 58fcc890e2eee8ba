"""Which rows are the best, or cannot be told from it. Picking the lowest mean from the data picks luck as well."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pandas as pd

from senet_lab.results import paired
from senet_lab.results.signflip import ALPHA


def best(trials: pd.DataFrame, rows: pd.DataFrame, comparison: pd.DataFrame, alpha: float = ALPHA) -> pd.DataFrame:
    """A line per row: `variant`, `best` (bool), `p` (adjusted, against the row with the lowest mean; NaN for itself).

    The correction of `pairwise` covers all pairs, so that the choice of the lowest mean needs none of its own. Where
    seeds are added look by look, `alpha` is what the present look spends: summed over looks it is the whole.
    A row is `best` unless it is worse with p < `alpha`; a row that cannot be tested is not told apart, one
    without trials is never the best. Two of equal means: the first in the sweep's order is the one compared to.
    Nor is a row `best` that the sweep's own `comparison` (of `stats.compare`), a smaller family, calls worse than
    the row with the lowest mean: a table must not set in bold what it says is worse.
    """
    labels = rows["variant"].tolist()
    means = trials.groupby("variant")["test_error"].mean().reindex(labels).to_numpy(np.float64)
    told, p = np.isfinite(means), np.full(len(labels), math.nan)
    if told.any():
        lowest, adjusted = int(np.nanargmin(means)), pairwise(trials, rows)
        errors = _by_seed(trials, rows)
        for other in set(range(len(labels))) - {lowest}:
            difference = _difference(errors, labels[other], labels[lowest])
            p[other] = adjusted[frozenset((labels[other], labels[lowest]))]
            told[other] &= not (p[other] < alpha and paired.average(difference) > 0)
        told &= ~np.isin(labels, _beaten(comparison, labels[lowest]))
    return pd.DataFrame({"variant": pd.Series(labels, dtype="str"), "best": told, "p": p})


def _beaten(comparison: pd.DataFrame, lowest: str) -> list[str]:
    """The rows that are worse than `lowest` by their verdict or by its own."""
    worse = comparison[(comparison["baseline"] == lowest) & (comparison["verdict"] == "worse")]["variant"]
    better = comparison[(comparison["variant"] == lowest) & (comparison["verdict"] == "better")]["baseline"]
    return [*worse, *better]


def pairwise(
    trials: pd.DataFrame, rows: pd.DataFrame, test: Callable[[paired.Values], float] = paired.p_difference
) -> dict[frozenset[str], float]:
    """Every pair of rows -> p of `test` (by itself the paired t test) over common seeds, after Holm over all pairs."""
    pairs, errors = list(itertools.combinations(rows["variant"], 2)), _by_seed(trials, rows)
    p = np.array([test(_difference(errors, *pair)) for pair in pairs], dtype=np.float64)
    return dict(zip(map(frozenset, pairs), paired.holm(p).tolist(), strict=True))


def _by_seed(trials: pd.DataFrame, rows: pd.DataFrame) -> dict[str, paired.Values]:
    """Row -> its test error with each seed of the table, in their order; NaN where a seed is missing."""
    errors = trials.pivot(index="seed", columns="variant", values="test_error").reindex(columns=rows["variant"])
    return {str(label): errors[label].to_numpy(np.float64) for label in errors}


def _difference(errors: dict[str, paired.Values], label: str, other: str) -> paired.Values:
    """Test error with each common seed, `label` - `other`."""
    difference = errors[label] - errors[other]
    return difference[~np.isnan(difference)]
