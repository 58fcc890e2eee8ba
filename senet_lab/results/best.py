"""Which rows are the best, or cannot be told from it. Picking the lowest mean from the data picks luck as well."""

import itertools
import math

import numpy as np
import pandas as pd

from senet_lab.results import paired


def best(trials: pd.DataFrame, rows: pd.DataFrame, alpha: float = 0.05) -> pd.DataFrame:
    """A line per row: `variant`, `best` (bool), `p` (adjusted, against the row with the lowest mean; NaN for itself).

    The correction of `pairwise` covers all pairs, so that the choice of the lowest mean needs none of its own.
    A row is `best` unless it is worse with p < `alpha`; a row that cannot be tested is not told apart, one
    without trials is never the best. Two of equal means: the first in the sweep's order is the one compared to.
    """
    labels = rows["variant"].tolist()
    means = trials.groupby("variant")["test_error"].mean().reindex(labels).to_numpy(np.float64)
    told, p = np.isfinite(means), np.full(len(labels), math.nan)
    if told.any():
        lowest, adjusted = int(np.nanargmin(means)), pairwise(trials, rows)
        for other in set(range(len(labels))) - {lowest}:
            difference = _difference(trials, labels[other], labels[lowest])
            p[other] = adjusted[frozenset((labels[other], labels[lowest]))]
            told[other] &= not (p[other] < alpha and paired.average(difference) > 0)
    return pd.DataFrame({"variant": pd.Series(labels, dtype="str"), "best": told, "p": p})


def pairwise(trials: pd.DataFrame, rows: pd.DataFrame) -> dict[frozenset[str], float]:
    """Every pair of rows -> p of the paired t test over common seeds, after Holm over all pairs asked for."""
    pairs = list(itertools.combinations(rows["variant"], 2))
    p = np.array([paired.p_difference(_difference(trials, *pair)) for pair in pairs], dtype=np.float64)
    return dict(zip(map(frozenset, pairs), paired.holm(p).tolist(), strict=True))


def _difference(trials: pd.DataFrame, label: str, other: str) -> paired.Values:
    """Test error with each common seed, `label` - `other`."""
    errors = {name: trials.loc[trials["variant"] == name].set_index("seed")["test_error"] for name in (label, other)}
    return (errors[label] - errors[other]).dropna().sort_index().to_numpy(np.float64)
