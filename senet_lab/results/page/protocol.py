"""How the rows were trained and how their numbers were made: every setting in force, and the rules."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from senet_lab.results import captions, published, stats
from senet_lab.results.page.layout import Block, Facts, Folded, Table
from senet_lab.results.page.typography import MINUS

if TYPE_CHECKING:
    from senet_lab.results.report import Report

LAST_EPOCH = (
    "The last epoch's weights, tested once, when training has ended. No epoch is chosen, neither on test nor on "
    "validation images: the latter are looked at after every epoch and "
)
WIDEST = 8
"""Columns of settings that still fit across a printed page."""
PAIRING = (
    "Rows with the same seed share the split, the order of the images, the augmentation and the initial value of every "
    "parameter that both have."
)


def training(report: "Report") -> tuple[Block, ...]:
    """Data, network and training in words, then setting by setting."""
    trials = [row.trial for row in report.question.rows]
    words = published.protocols.ours(trials, report.question.sweep.seeds)
    words["weight decay"] += ", on weights only: not on biases and batch norm"
    rules = {
        "split": split(report),
        "seeds": seeds(report),
        "pairing": pairing(report),
        "selection": last_epoch(report),
    }
    if told := together(report):
        rules["together"] = told
    del words["runs"], words["training images"]  # said in full by the rules
    same, varied = settings({row.label: row.trial.model_dump(mode="json") for row in report.question.rows})
    tables: tuple[Block, ...] = (Table(same, "In force in every row.", left=("value",)),)
    if len(varied.columns) > 1:
        note = "Different from row to row; -: not set, or the row's network has no such setting."
        frame = varied if len(varied.columns) <= WIDEST else in_words(varied)
        tables += (Table(frame, note, left=tuple(frame.columns)),)
    pairs = tuple((item, value) for item, value in words.items() if value)
    return (
        Facts(pairs, short=True),
        Facts(tuple(rules.items())),
        Folded("Every setting in force, by the path that `--set` takes", tables),
    )


def last_epoch(report: "Report") -> str:
    """Which weights are tested, and what validation images decide."""
    decide = "decide nothing here" if report.tried is None else "decide what is chosen (Selection), nothing else"
    return f"{LAST_EPOCH}{decide}."


def split(report: "Report") -> str:
    """How many images train, validate and test, by what they were told apart."""
    data = {row.trial.data.source: row.trial.data for row in report.question.rows}
    found = []
    for source, asked in data.items():
        facts = report.images.get(source)
        if facts is None:
            found.append(f"{source}: {asked.validation:,} images of the training part are held out for validation")
            continue
        found.append(
            f"{source}: {facts.pool - asked.validation:,} images to train, {asked.validation:,} to validate, drawn "
            f"from the source's training part by the seed; {facts.test:,} to test, the source's own test part, the "
            f"same for every seed"
        )
    return "; ".join(found)


def seeds(report: "Report") -> str:
    """Which seeds, and how many of them are there."""
    state, n = report.looks, report.summary["n"]
    asked = report.question.sweep.seeds if state is None else state.design.first
    wanted = "seed 0" if asked == 1 else f"seeds 0 to {asked - 1}"
    if state is not None:
        wanted += f" at the first of the looks of {state.seeds_of_looks} seeds, more of rows that were undecided"
    missing = int((report.summary["wanted"] - n).sum())
    same = "the same in every row" if state is None else "the same in all that are compared"
    text = f"{wanted}, {same}: {int(n.sum())} of {int(report.summary['wanted'].sum())} trials are there"
    return text + (f"; n is {int(n.min())} to {int(n.max())} a row" if missing else "")


def together(report: "Report") -> str:
    """How many trials of the table shared a tensor program with others; empty if none did."""
    counted = set(report.trials["id"])
    sizes = [r.together for r in report.records if r.id in counted]
    grouped = [size for size in sizes if size > 1]
    if not grouped:
        return ""
    rest = "" if len(grouped) == len(sizes) else " The others were trained alone."
    return (
        f"{len(grouped):,} of {len(sizes):,} trials were trained as one tensor program with others of their shape, "
        f"up to {max(grouped)} at once: equal to training each alone, but for rounding.{rest}"
    )


def pairing(report: "Report") -> str:
    """What rows of one seed share, and how much of the errors' spread that takes away: as measured."""
    found = report.comparison["correlation"].dropna()
    if found.empty:
        return PAIRING
    ends = dict.fromkeys(f"{r:+.2f}".replace("-", MINUS) for r in (found.min(), found.max()))
    return (
        f"{PAIRING} Measured: the errors of a row and of what it is compared to correlate over seeds by "
        f"{' to '.join(ends)}; above 0 the pairing sharpens the comparison, around 0 it changes little, and the "
        f"intervals are right either way."
    )


def statistics(report: "Report") -> tuple[Block, ...]:
    """The rules of every number, and all numbers of every comparison."""
    k, margin = len(report.comparison), stats.points(report.question.sweep.margin)
    after = adjusted(report)
    rules = [
        ("unit", "The seed: one training from its own split, initial weights, order and augmentation. n counts seeds."),
        ("error", "Mean over seeds, with Student's t interval at 95 %: mean ± t(n \N{MINUS SIGN} 1) · sd / √n."),
        (
            "difference",
            f"Mean of the paired differences to {report.baseline} over common seeds, with a Student-t interval; "
            f"{stats.interval_name(report.comparison)}"
            + (f" means that all of them{_over_looks(report)} hold together (Bonferroni)." if k > 1 else "."),
        ),
        ("better, worse", f"Two-sided paired t test, p < .05{after}."),
        (
            "equivalent",
            f"Both one-sided paired t tests reject a difference of {margin} or more, p < .05{after}. "
            f"Not significant is not equivalent.",
        ),
        ("undecided", "Neither could be shown with these seeds."),
        *_looks(report),
        (
            "assumption",
            "Differences over seeds are near normal. The sign-flip p assumes only symmetry; it is exact up to 30 "
            "seeds, not adjusted, and given from six common seeds on (below, it cannot reach .05).",
        ),
    ]
    rules = rules if k else rules[:2]
    for_looks = "" if report.looks is None else ", for the looks too,"
    tables = (
        Table(points(report.comparison), "Differences in points; SE: one standard error of the mean.", left=AGAINST),
        Table(chances(report.comparison), f"p values; adjusted{for_looks} where it says Holm.", left=AGAINST),
    )
    return (Facts(tuple(rules)), Folded("Every comparison in numbers", tables)) if k else (Facts(tuple(rules)),)


def adjusted(report: "Report") -> str:
    """What a p below .05 is adjusted for, as it stands behind it."""
    k = len(report.comparison)
    holm = f" after Holm over the {k} comparisons" if k > 1 else ""
    if report.looks is None:
        return holm
    return f"{holm} and all looks" if holm else " adjusted for all looks"


def _over_looks(report: "Report") -> str:
    return "" if report.looks is None else ", at all looks,"


def _looks(report: "Report") -> tuple[tuple[str, str], ...]:
    """How seeds were added, and what that costs."""
    if (state := report.looks) is None:
        return ()
    text = (
        f"Rows that are undecided, and what they are compared to, are given half as many seeds again and looked at "
        f"again: at {state.seeds_of_looks} seeds so far. Look k spends .05 / (k (k + 1)), all together 5 % at most "
        f"(sequential Holm, Ye et al. 2013); {captions.first_number(state)}. Numbers of a row are those of its last "
        f"look."
    )
    return (("looks", text),)


def points(comparison: pd.DataFrame) -> pd.DataFrame:
    """Every difference as text, in points, with what it is made of."""
    found = comparison[PAIR].rename(columns={"baseline": "against"})
    found["pairs"] = comparison["n_pairs"].map(str)
    for column, name in POINTS.items():
        if column in comparison:
            found[name] = [_number(100 * x, 3) for x in comparison[column]]
    return found.assign(correlation=[_number(x, 2) for x in comparison["correlation"]])


def chances(comparison: pd.DataFrame) -> pd.DataFrame:
    """Every p value of the comparisons as text, and the chance that a new seed is better."""
    found = comparison[PAIR].rename(columns={"baseline": "against"})
    for column, name in CHANCES.items():
        found[name] = [_number(x, 4) for x in comparison[column]]
    return found


PAIR, AGAINST = ["variant", "baseline"], ("against",)
POINTS = {"delta": "Δ points", "delta_low": "low", "delta_high": "high"}
POINTS |= {"delta_se_seeds": "SE, seeds", "delta_se_test": "SE, test images"}
CHANCES = {"p": "p", "p_holm": "p, Holm", "p_signflip": "p, sign flip", "p_tost": "p, equivalence"}
CHANCES |= {"p_tost_holm": "p, equivalence, Holm", "p_better": "P(better on a new seed)"}


def settings(trials: Mapping[str, Mapping[str, Any]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(path, value) of what is one in all of `trials` (label -> configuration), and a column per path that is not."""
    flat = {label: dict(_flat(trial)) for label, trial in trials.items()}
    paths = dict.fromkeys(path for tree in flat.values() for path in tree if path != "seed")
    one = {p: next(iter(v)) for p in paths if len(v := {tree.get(p, "-") for tree in flat.values()}) == 1}
    varied = {p: [tree.get(p, "-") for tree in flat.values()] for p in paths if p not in one}
    same = pd.DataFrame({"setting": list(one), "value": list(one.values())}, dtype="str")
    return same, pd.DataFrame({"variant": list(flat)} | varied, dtype="str")


def in_words(varied: pd.DataFrame) -> pd.DataFrame:
    """`varied` with all that a row has in one cell."""
    rest = varied.drop(columns="variant").to_dict("records")
    told = [", ".join(f"{path}={value}" for path, value in line.items() if value != "-") for line in rest]
    return pd.DataFrame({"variant": varied["variant"], "settings": told})


def sources(report: "Report") -> Iterable[str]:
    """The data sets of the rows, each once."""
    return dict.fromkeys(row.trial.data.source for row in report.question.rows)


def _flat(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value if isinstance(value, str) else json.dumps(value)


def _number(value: float, digits: int) -> str:
    return "-" if pd.isna(value) else f"{value:.{digits}f}"
