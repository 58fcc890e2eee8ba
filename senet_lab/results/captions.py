"""What has to be said beside the numbers: sentences from the frames of `stats`, "" where there is nothing to say."""

import math
from collections.abc import Mapping

import pandas as pd

from senet_lab.results import paired, parts, signflip, stats
from senet_lab.results.replay import State
from senet_lab.spec import Sweep

POWER = f"{100 * paired.POWER:g} %"
TIED = "all differences of the row are equal, so there is no t; p is the exact sign-flip test's, assuming symmetry"
CONFIDENCE = f"{100 * paired.CONFIDENCE:g} %"


def compared_to(sweep: Sweep, baselines: Mapping[str, str]) -> str:
    """What the rows of a sweep are compared to, as it stands after "difference to"."""
    if not sweep.counterpart:
        return next(iter(baselines.values()), str(sweep.baseline))
    if sweep.counterpart == {"model.se": None}:
        return "the same network without SE"
    return "the same row with " + ", ".join(f"{key}={value}" for key, value in sweep.counterpart.items())


def table(summary: pd.DataFrame, comparison: pd.DataFrame, baseline: str, margin: float, seeds: int) -> str:
    """What the numbers of a table are, and what deciding would cost."""
    sentences = [*method(summary, comparison, baseline, margin, seeds), _cost(comparison, seeds)]
    return " ".join(s for s in sentences if s)


def method(
    summary: pd.DataFrame, comparison: pd.DataFrame, baseline: str, margin: float, seeds: int
) -> tuple[str, ...]:
    """What the numbers of a table are, sentence by sentence: n, intervals, tests, correction, margin."""
    several = len(comparison) > 1
    adjusted, holm = ("Holm-adjusted ", ", Holm") if several else ("", "")
    sentences = (
        f"n: trials of a row, one for each of {seeds} seeds{_missing(summary)}.",
        "Test error at the last epoch: mean and 95 % Student-t interval over seeds.",
        f"Δ: difference to {baseline}, paired by seed; {_joint(comparison)}.",
        _test_images(summary, comparison),
        f"Better, worse: paired t test, {adjusted}p < {_threshold(comparison)}.",
        _beyond_interval(comparison),
        f"Equivalent: two one-sided t tests against the margin of {stats.points(margin)}{holm}.",
        _holm(comparison),
        _ties(comparison),
        _sign_flips(comparison),
    )
    return tuple(s for s in sentences if s)


def until_decided(summary: pd.DataFrame, comparison: pd.DataFrame, baseline: str, state: State) -> str:
    """As `table`, where rows were looked at again with more seeds until they were decided."""
    sentences = [*method_of_looks(summary, comparison, baseline, state), _next_look(comparison)]
    return " ".join(s for s in sentences if s)


def method_of_looks(summary: pd.DataFrame, comparison: pd.DataFrame, baseline: str, state: State) -> tuple[str, ...]:
    """As `method`, of such a table."""
    design, looks = state.design, state.seeds_of_looks
    spent = f"{design.spent(state.look):.2g}"
    within = "rows and looks" if len(comparison) > 1 else "looks"
    sentences = (
        f"n: seeds of a row at its last look{_missing(summary)}.",
        "Test error at the last epoch: mean and 95 % Student-t interval over seeds.",
        f"Δ: difference to {baseline}, paired by seed, at the row's last look; the intervals of all {within} hold "
        f"jointly at {100 * (1 - design.alpha):g} % (Student t, Bonferroni).",
        _test_images(summary, comparison),
        f"Undecided rows are given half as many seeds again: {looks} so far; {first_number(state)}.",
        f"Look k of them spends .05 / (k (k + 1)); so far {spent.removeprefix('0')} is spent.",
        f"Better, worse: paired t test, p < .05 adjusted for {within} (sequential Holm, Ye et al. 2013).",
        _beyond_interval(comparison),
        f"Equivalent: two one-sided t tests against the margin of {stats.points(design.margin)}, adjusted alike.",
        _holm(comparison),
        _ties(comparison),
    )
    return tuple(s for s in sentences if s)


def first_number(state: State) -> str:
    """What the verdicts of looks rest on, and no store can know."""
    return f"valid if the first number, {state.design.first:,}, was chosen before results were seen"


def _missing(summary: pd.DataFrame) -> str:
    """How many trials there are not yet, of how many: of all rows, as n is of one."""
    wanted, n = int(summary["wanted"].sum()), int(summary["n"].sum())
    return (
        f"; of all {wanted:,} trials {wanted - n:,} {'is' if wanted - n == 1 else 'are'} missing" if n < wanted else ""
    )


def _next_look(comparison: pd.DataFrame) -> str:
    """What "about k more seeds (time)" counts in `until_decided`."""
    if not (comparison["verdict"] == "undecided").any():
        return ""
    return (
        f"More seeds: to the look that decides with {POWER} power if the observed difference is the true one and the "
        f"spread at its upper {CONFIDENCE} confidence limit; the time is of both rows, one after another."
    )


def _joint(comparison: pd.DataFrame) -> str:
    percent = stats.interval_name(comparison).removeprefix("joint ")
    if len(comparison) < 2:
        return f"{percent} Student-t interval"
    return f"the {len(comparison)} intervals hold jointly at {percent} (Student t, Bonferroni)"


def _threshold(comparison: pd.DataFrame) -> str:
    """The alpha of the verdicts as it is printed: .05."""
    alpha = comparison["alpha"].iloc[0] if len(comparison) else stats.ALPHA
    return f"{alpha:.2g}".removeprefix("0")


def _holm(comparison: pd.DataFrame) -> str:
    """How many comparisons the corrections cover, those that nothing is known of included."""
    without = int((comparison["n_pairs"] < 2).sum())
    if len(comparison) < 2 or not without:
        return ""
    state = "no data yet" if (comparison.loc[comparison["n_pairs"] < 2, "n_pairs"] == 0).all() else "too few seeds yet"
    return f"Holm over {len(comparison)} comparisons, of which {without} {'has' if without == 1 else 'have'} {state}."


def _test_images(summary: pd.DataFrame, comparison: pd.DataFrame) -> str:
    """What the intervals leave out: the test images, fixed; "" where it is not known (see `parts.added`)."""
    known = comparison["delta_se_test"].dropna() if "delta_se_test" in comparison else pd.Series(dtype="float64")
    if known.empty:
        return ""
    images = " or ".join(f"{n:,}" for n in sorted(summary["images"].dropna().unique()))
    largest = known.max()
    adds = f"would move a difference by up to about ±{100 * largest:.1g} points more (1 SE)"
    if largest == 0:
        adds = f"adds {parts.TOO_LITTLE}"
    return f"The intervals speak of other seeds on these {images} test images; another test set of that size {adds}."


def _beyond_interval(comparison: pd.DataFrame) -> str:
    """Names the rows that Holm's test tells from the baseline while their joint interval includes 0."""
    found = comparison["verdict"].isin(["better", "worse"])
    includes = (comparison["delta_low"] <= 0) & (comparison["delta_high"] >= 0)
    labels = comparison.loc[found & includes, "variant"].tolist()
    if not labels:
        return ""
    return f"Holm's test finds more than joint intervals do: {', '.join(labels)}, though the interval includes 0."


def _cost(comparison: pd.DataFrame, seeds: int) -> str:
    """What "about k more seeds (time)" counts, and how to add them; not where some row needs more than there may be."""
    open_rows = comparison[(comparison["verdict"] == "undecided") & (comparison["n_pairs"] >= paired.FEWEST_TO_PLAN)]
    if open_rows.empty:
        return ""
    single = comparison["baseline"].nunique() == 1
    other = "the one that it is compared to, one after another."
    if single:
        other = f"{open_rows['baseline'].iloc[0]} one after another, the latter counted in every row."
    text = (
        f"More seeds: for {POWER} power if the observed difference is the true one and the spread its upper "
        f"{CONFIDENCE} confidence limit (Browne 1995); the time is of that row and {other}"
    )
    wanted = (open_rows["n_pairs"] + open_rows["more_seeds"]).max(skipna=False)
    return text if math.isnan(wanted) or wanted <= seeds else f"{text} {stats.LOOKING_AGAIN}"


def _ties(comparison: pd.DataFrame) -> str:
    """Says why a row with common seeds has no interval where all its differences are equal."""
    tied = comparison[(comparison["n_pairs"] > 1) & comparison["delta_low"].isna()]
    return "" if tied.empty else f"No interval: {TIED}."


def _sign_flips(comparison: pd.DataFrame) -> str:
    """Says which test alone can find anything where a row has too few common seeds for Holm's first step."""
    family = max(1, len(comparison))
    enough = signflip.seeds_needed(family)
    if not (comparison["n_pairs"] < enough).any():
        return ""
    over = f" with Holm over {family} comparisons" if family > 1 else ""
    return (
        f"With fewer than {enough} common seeds only t tests can find a difference here: sign-flip tests, which assume "
        f"less, cannot reach .05{over}."
    )
