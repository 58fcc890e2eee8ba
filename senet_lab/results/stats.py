"""From trials to statements: frame in, frame out. The unit is the seed; errors are fractions.

`trials` and `rows` are the frames of `senet_lab.results.load`. Every frame here has one line per row
of the sweep, in the sweep's order, also for rows that have no trial yet.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from senet_lab.results import paired
from senet_lab.results.signflip import ALPHA as ALPHA


def summarise(trials: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """`rows` with `n`, `mean`, `sd`, `ci_low`, `ci_high` of the test error and mean `seconds` a trial.

    The interval is Student's t, 95 %, cut at 0 and 1, which no error leaves; NaN where n < 2.
    """
    found = []
    for label in rows["variant"]:
        own = trials[trials["variant"] == label]
        errors = own["test_error"].to_numpy()
        low, high = paired.interval(errors, ALPHA, least=0.0)
        found.append(
            {
                "n": len(errors),
                "mean": errors.mean() if len(errors) else math.nan,
                "sd": errors.std(ddof=1) if len(errors) > 1 else math.nan,
                "ci_low": low,
                "ci_high": high,
                "seconds": own["seconds"].mean(),
            }
        )
    numbers = pd.DataFrame(found, columns=["n", "mean", "sd", "ci_low", "ci_high", "seconds"])
    return pd.concat([rows.reset_index(drop=True), numbers], axis=1)


def compare(
    trials: pd.DataFrame, rows: pd.DataFrame, baselines: Mapping[str, str], margin: float, alpha: float = ALPHA
) -> pd.DataFrame:
    """Each row of `baselines` (label -> label of what it is compared to), over the seeds that both have.

    The `family` of every correction are all rows here, also those without data, which count as p = 1;
    differences and equivalence are two families. Columns, differences being variant - its baseline:
    `variant`, `baseline`, `n_pairs`, `delta` (mean difference), `delta_low`, `delta_high` (t interval
    that misses with probability `level`; all of them hold together with 1 - `alpha`), `p` (paired t),
    `p_holm`, `p_signflip` (not adjusted; NaN below six pairs), `p_tost`, `p_tost_holm`, `p_better`
    (that a new seed's difference is below 0), `correlation` (of the errors over common seeds: how well
    the rows are paired; from three on), `verdict`, `within_margin`, `margin`, `more_seeds`,
    `more_seconds` (of trial time, both rows; see `paired.more_seeds`), `alpha`, `family`.

    Better and worse are by `p_holm` < alpha. Where an interval excludes 0 Holm rejects; Holm's test
    is the stronger one, so it can reject a row whose interval includes 0.
    """
    errors = trials.pivot(index="seed", columns="variant", values="test_error")
    labels = [label for label in rows["variant"] if label in baselines]
    against = [baselines[label] for label in labels]
    pairs = [
        errors.reindex(columns=[*pair]).dropna().to_numpy(np.float64) for pair in zip(labels, against, strict=True)
    ]
    differences = [pair[:, 0] - pair[:, 1] for pair in pairs]
    frame = pd.DataFrame([_alone(pair, margin) for pair in pairs], columns=ALONE, dtype="float64")
    frame.insert(0, "variant", pd.Series(labels, dtype="str"))
    frame.insert(1, "baseline", pd.Series(against, dtype="str"))
    frame["n_pairs"] = frame["n_pairs"].astype("int64")
    p, level = frame["p"].to_numpy(), paired.joint_level(len(frame), alpha)
    intervals = [paired.interval(d, level) for d in differences]
    frame["p_holm"], frame["level"] = paired.holm(p), np.where(np.isfinite(p), level, math.nan)
    frame["delta_low"], frame["delta_high"] = np.array(intervals, dtype=np.float64).reshape(-1, 2).T
    frame["p_tost_holm"] = paired.holm(frame["p_tost"].to_numpy())
    frame["margin"], frame["within_margin"] = margin, frame["p_tost_holm"] < alpha
    frame["verdict"] = pd.Series([_verdict(row, alpha) for _, row in frame.iterrows()], dtype="str")
    frame["more_seeds"] = [
        paired.more_seeds(d, margin, level) if verdict == "undecided" else math.nan
        for d, verdict in zip(differences, frame["verdict"], strict=True)
    ]
    seconds = trials.groupby("variant")["seconds"].mean()
    both = seconds.reindex(labels).to_numpy() + seconds.reindex(against).to_numpy()
    frame["more_seconds"] = frame["more_seeds"].to_numpy(np.float64) * both
    frame["alpha"], frame["family"] = alpha, len(frame)
    return frame[COLUMNS]


ALONE = ["n_pairs", "delta", "p", "p_signflip", "p_tost", "p_better", "correlation"]
COLUMNS = ["variant", "baseline", "n_pairs", "delta", "delta_low", "delta_high", "level", "p", "p_holm", "p_signflip"]
COLUMNS += ["p_tost", "p_tost_holm", "p_better", "correlation", "verdict", "within_margin", "margin"]
COLUMNS += ["more_seeds", "more_seconds", "alpha", "family"]


def _alone(pair: paired.Values, margin: float) -> dict[str, float]:
    """What a comparison says without knowing of the others; `pair` is seeds x (variant, baseline)."""
    d = pair[:, 0] - pair[:, 1]
    paired_well = len(d) > 2 and not paired.flat(pair[:, 0]) and not paired.flat(pair[:, 1])
    return {
        "n_pairs": len(d),
        "delta": paired.average(d),
        "p": paired.p_difference(d),
        "p_signflip": paired.p_sign_flip(d),
        "p_tost": paired.p_equivalence(d, margin),
        "p_better": paired.p_better(d),
        "correlation": float(pd.Series(pair[:, 0]).corr(pd.Series(pair[:, 1]))) if paired_well else math.nan,
    }


def _verdict(row: "pd.Series[Any]", alpha: float) -> str:
    if row["p_holm"] < alpha:
        return "better" if row["delta"] < 0 else "worse"
    return "equivalent" if row["within_margin"] else "undecided"


def uncompared(label: str, comparison: pd.DataFrame) -> str:
    """What to call a row without a verdict."""
    return "baseline" if label in set(comparison["baseline"]) else "not compared"


def verdict_text(row: "pd.Series[Any]") -> str:
    """The verdict of one line of `compare`, and where it is open, what closing it would cost."""
    within = f"(within {points(row['margin'])})"
    if row["verdict"] == "equivalent":
        return f"equivalent {within}"
    if row["verdict"] != "undecided":
        return f"{row['verdict']} {within}" if row["within_margin"] else str(row["verdict"])
    if row["n_pairs"] < 2:
        return "undecided: fewer than 2 common seeds"
    if row["n_pairs"] < paired.FEWEST_TO_PLAN or math.isnan(row["delta_low"]):  # all differences are equal
        return "undecided: too few seeds to say how many more"
    if math.isnan(row["more_seeds"]):
        return f"undecided: more than {paired.MOST_SEEDS:,} more seeds"
    seeds = int(row["more_seeds"])
    return f"undecided: about {seeds:,} more seed{'s' * (seeds > 1)} ({duration(row['more_seconds'])})"


LOOKING_AGAIN = (
    "To add seeds because of what is seen and to test again at .05 is wrong more often than .05 says; "
    "`--until-decided` adds them to undecided rows and keeps .05 in all."
)
"""What to say wherever a number of further seeds is named."""


def interval_name(comparison: pd.DataFrame) -> str:
    """What the intervals of `compare` are called: "95 %", or "joint 95 %" where several hold together."""
    alpha = comparison["alpha"].iloc[0] if len(comparison) else ALPHA
    return f"{'joint ' * (len(comparison) > 1)}{100 * (1 - alpha):.3g} %"


def points(margin: float) -> str:
    """A fraction of the test images in percentage points."""
    text = f"{100 * margin:g}"
    return f"{text} point" if text == "1" else f"{text} points"


def duration(seconds: float) -> str:
    """A time to plan with: one unit, two digits."""
    if math.isnan(seconds):
        return "time unknown"
    for unit, size, limit in (("s", 1, 90), ("min", 60, 90), ("h", 3600, 48)):
        if seconds / size < limit:
            return f"{max(1, round(seconds / size))} {unit}"
    return f"{round(seconds / 86400):,} days"
