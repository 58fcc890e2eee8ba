"""What all trials with gates say of each block, and the paper's statements about them as numbers with intervals.

Channels are never averaged over seeds: another seed has them in another order. What is taken over seeds are
the order-free numbers of `selectivity`, one per trial and block. The unit is the seed.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
from scipy import stats

from senet_lab.results import paired, selectivity
from senet_lab.results.kept import Kept
from senet_lab.results.published import excitation as figures_of_paper
from senet_lab.results.selectivity import NEAR
from senet_lab.results.signflip import ALPHA, smallest_p

FEWEST_BLOCKS = 3
"""Fewer have no trend."""


@dataclass(frozen=True)
class Measured:
    """The order-free numbers of every trial with gates."""

    numbers: pd.DataFrame
    """`variant`, `seed` and the columns of `selectivity.of_trial`."""
    profiles: pd.DataFrame
    """`variant`, `seed` and the columns of `selectivity.profile`."""
    damaged: int
    """Trials whose file is gone, damaged or of another version."""


def measure(found: Kept, classes: Sequence[int]) -> Measured:
    """Read each trial's file once, a trial at a time: ImageNet's are too many to hold together."""
    numbers: list[pd.DataFrame] = []
    profiles: list[pd.DataFrame] = []
    damaged = 0
    for row in found.rows():
        for seed in found.seeds(row.label):
            own = found.whole(row.label, seed)
            if own is None:
                damaged += 1
                continue
            numbers.append(selectivity.of_trial(own.frame, classes).assign(variant=row.label, seed=seed))
            profiles.append(selectivity.profile(own.frame).assign(variant=row.label, seed=seed))
    return Measured(_joined(numbers, selectivity.COLUMNS), _joined(profiles, ["block", "rank", "at", "mean"]), damaged)


def _joined(frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    names = ["variant", "seed", *columns]
    return pd.concat(frames, ignore_index=True)[names] if frames else pd.DataFrame(columns=names)


def over_seeds(frame: pd.DataFrame, keys: Sequence[str], values: Sequence[str]) -> pd.DataFrame:
    """Mean and 95 % Student-t interval over seeds of each of `values`, a line per group of `keys` and value.

    Columns: `keys`, `statistic`, `n`, `mean`, `low`, `high`; NaN for no interval. Groups keep their order.
    """
    lines = []
    for place, own in frame.groupby(list(keys), sort=False):
        for name in values:
            numbers = own[name].dropna().to_numpy("float64")
            low, high = interval(numbers)
            lines.append((*place, name, len(numbers), numbers.mean() if len(numbers) else float("nan"), low, high))
    return pd.DataFrame(lines, columns=[*keys, "statistic", "n", "mean", "low", "high"])


def interval(values: paired.Values) -> tuple[float, float]:
    """95 % Student-t interval of the mean, as long on either side: gates without limits go beyond 1."""
    return paired.interval(values, ALPHA, -math.inf, math.inf)


def paper() -> pd.DataFrame:
    """The same numbers of the paper's network, from its digitised curves: what they do not tell is NaN."""
    curves = figures_of_paper.curves()
    return selectivity.of_trial(curves, range(len(figures_of_paper.CLASSES))).assign(variant="paper", seed=0)


@dataclass(frozen=True)
class Claim:
    """A statement of v4 7.2 as one number of a trial."""

    key: str
    text: str
    number: Callable[[pd.DataFrame], float]
    """From the lines of `selectivity.of_trial` of the blocks that the paper's choice takes, by depth."""
    above: float | None = 0.0
    """It holds where the number is above this; None: not by being above anything."""
    below: float | None = None
    """The same, below."""


def rise(column: str) -> Callable[[pd.DataFrame], float]:
    """The last block's number minus the first's; NaN for a single block."""
    return lambda own: float(own[column].iloc[-1] - own[column].iloc[0]) if len(own) > 1 else math.nan


def trend(own: pd.DataFrame) -> float:
    """Spearman's rank correlation of depth and the deviation between classes."""
    return _ranked(own["apart"], pd.Series(range(len(own))))


def follows(own: pd.DataFrame) -> float:
    """Spearman's rank correlation, over blocks, of the deviations between classes and within them."""
    return _ranked(own["apart"], own["within"])


def of_last(column: str, place: int) -> Callable[[pd.DataFrame], float]:
    """The number of the last block (`place` -1) or the one before (-2); NaN where that is not of the last stage."""

    def number(own: pd.DataFrame) -> float:
        there = len(own) >= -place and own["stage"].iloc[place] == own["stage"].iloc[-1]
        return float(own[column].iloc[place]) if there else math.nan

    return number


def _ranked(one: pd.Series, other: pd.Series) -> float:
    """NaN for fewer than three blocks, and where all are equal."""
    if len(one) < FEWEST_BLOCKS or one.nunique() < 2 or other.nunique() < 2:
        return math.nan
    return float(stats.spearmanr(one.to_numpy(), other.to_numpy()).statistic)


CLAIMS = (
    Claim("later_specific", "sd between classes: last - first block", rise("apart")),
    Claim("share_rises", "between share: last - first block", rise("share")),
    Claim("trend", "sd between rises with depth (Spearman)", trend),
    Claim("last_but_one_identity", "mean |1 - gate|: last block but one", of_last("identity", -2), None, NEAR),
    Claim("last_but_one_near_one", "channels near 1: last block but one", of_last("near_one", -2), None),
    Claim("last_identity", "mean |1 - gate|: last block", of_last("identity", -1), None),
    Claim("last_near_one", "channels near 1: last block", of_last("near_one", -1), None),
    Claim("within_rises", "sd within class: last - first block", rise("within")),
    Claim("within_follows", "sd within follows sd between (Spearman)", follows),
)


def claims(numbers: pd.DataFrame) -> pd.DataFrame:
    """Each claim of each variant, over its seeds, beside the paper's one network.

    Columns: `variant`, `claim`, `text`, `first`, `last` (block), `n` (seeds that tell), `mean`, `low`, `high`
    (95 % Student t over seeds, each for itself), `above`, `below` (where it holds), `verdict` ("holds" / "does not
    hold": the interval is on that side / on the other, or so many seeds have one number that the sign test decides;
    else "undecided"; "" of a number that is no statement),
    `paper` (the same number from its figures).
    """
    published = _of_one(paper())
    lines = []
    for variant, own in numbers.groupby("variant", sort=False):
        per_seed = pd.DataFrame([_of_one(trial) for _, trial in own.groupby("seed")])
        shown = selectivity.shown_blocks(own["block"].drop_duplicates().tolist())
        for claim in CLAIMS:
            values = per_seed[claim.key].dropna().to_numpy("float64")
            low, high = interval(values)
            mean = values.mean() if len(values) else math.nan
            line = (variant, claim.key, claim.text, shown[0], shown[-1], len(values), mean, low, high)
            if paired.flat(values) and smallest_p(len(values)) < ALPHA:
                low = high = mean  # all on one side of the limit: the sign test
            lines.append((*line, claim.above, claim.below, verdict(claim, low, high), published[claim.key]))
    return pd.DataFrame(lines, columns=CLAIM_COLUMNS).astype({"above": "float64", "below": "float64"})


CLAIM_COLUMNS = ["variant", "claim", "text", "first", "last", "n", "mean", "low", "high"]
CLAIM_COLUMNS += ["above", "below", "verdict", "paper"]


def verdict(claim: Claim, low: float, high: float) -> str:
    """By the ends of its interval; without them nothing is decided."""
    if claim.above is None and claim.below is None:
        return ""
    if claim.below is not None:
        return _side(-high, -low, -claim.below)
    return _side(low, high, claim.above or 0.0)


def _side(low: float, high: float, beyond: float) -> str:
    if low > beyond:
        return "holds"
    return "does not hold" if high < beyond else "undecided"


def _of_one(trial: pd.DataFrame) -> dict[str, float]:
    """Every claim's number of one trial."""
    shown = selectivity.shown_blocks(trial["block"].tolist())
    own = trial[trial["block"].isin(shown)].reset_index(drop=True)
    return {claim.key: claim.number(own) for claim in CLAIMS}
