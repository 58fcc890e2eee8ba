"""Which rows are the best, or cannot be told from it. Picking the lowest mean from the data picks luck as well."""

import itertools
import math

import numpy as np
import pandas as pd

from senet_lab.results import paired


def best(trials: pd.DataFrame, rows: pd.DataFrame, alpha: float = 0.05) -> pd.DataFrame:
    """A line per row: `variant`, `best` (bool), `p` (adjusted, against the row with the lowest mean; NaN for itself).

    Every pair of rows is compared by the paired t test over common seeds, and Holm's correction covers all
    pairs that the sweep asks for, so that the choice of the lowest mean needs none of its own. A row is
    `best` unless it is worse with p < `alpha`; a row that cannot be tested is not told apart, one without
    trials is never the best. Two of equal means: the first in the sweep's order is the one compared to.
    """
    labels = rows["variant"].tolist()
    errors = trials.pivot(index="seed", columns="variant", values="test_error").reindex(columns=labels)
    means = errors.mean().to_numpy()
    told, p = np.isfinite(means), np.full(len(labels), math.nan)
    if told.any():
        lowest = int(np.nanargmin(means))
        pairs = list(itertools.combinations(range(len(labels)), 2))
        differences = [errors.iloc[:, [*pair]].dropna().to_numpy(np.float64) @ (1, -1) for pair in pairs]
        adjusted = paired.holm(np.array([paired.p_difference(d) for d in differences], dtype=np.float64))
        for (a, b), d, value in zip(pairs, differences, adjusted, strict=True):
            if lowest in (a, b):
                other, further = (b, -paired.average(d)) if a == lowest else (a, paired.average(d))
                p[other] = value
                told[other] &= not (value < alpha and further > 0)
    return pd.DataFrame({"variant": pd.Series(labels, dtype="str"), "best": told, "p": p})
