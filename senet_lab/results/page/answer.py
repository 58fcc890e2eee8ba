"""The answer in ten seconds: which rows are better, worse, equivalent, undecided; then a line per row."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from senet_lab.design import slug
from senet_lab.results import stats
from senet_lab.results.page.typography import MINUS

if TYPE_CHECKING:
    from senet_lab.results.report import Report

VERDICTS = {"better": "than", "worse": "than", "equivalent": "to", "undecided": "against"}
ROOM = 0.06
"""Of a strip's width, left free at both ends."""


@dataclass(frozen=True)
class Group:
    """The rows of one verdict."""

    verdict: str
    against: str
    """E.g. "than no_se"; empty where there is nothing to say."""
    labels: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True)
class Strip:
    """A difference on the scale that all rows share, in percent of its width; NaN: no interval."""

    at: float
    low: float
    high: float
    words: str


@dataclass(frozen=True)
class Line:
    """One comparison."""

    label: str
    baseline: str
    verdict: str
    sentence: str
    strip: Strip | None


@dataclass(frozen=True)
class Scale:
    """Of the strips: where zero and the margin are, in percent; the text of each end, one of them with the unit."""

    zero: float
    margin_low: float
    margin_high: float
    low: str
    high: str


def anchors(labels: tuple[str, ...]) -> dict[str, str]:
    """Label -> anchor of its row, each once."""
    found: dict[str, str] = {}
    for label in labels:
        name, n = f"row-{slug(label)}", 1
        while name in found.values():
            n += 1
            name = f"row-{slug(label)}-{n}"
        found[label] = name
    return found


def groups(report: "Report") -> tuple[Group, ...]:
    """The rows by verdict, in the order of VERDICTS; a sweep without comparisons has one that says so."""
    comparison = report.comparison
    found = []
    for verdict, word in VERDICTS.items():
        own = comparison[comparison["verdict"] == verdict]
        if len(own):
            note = (
                _within(report)
                if verdict == "equivalent"
                else _open(own, report.looks is not None)
                if verdict == "undecided"
                else ""
            )
            found.append(Group(verdict, f"{word} {report.baseline}", tuple(own["variant"]), note))
    return tuple(found)


def lines(report: "Report") -> tuple[Line, ...]:
    """Every comparison in a sentence, in the order of the table; both errors are over the common seeds."""
    ends = _ends(report.comparison, report.question.sweep.margin)
    errors = report.trials.pivot(index="seed", columns="variant", values="test_error")
    name = stats.interval_name(report.comparison)
    found = []
    for _, row in report.comparison.iterrows():
        own = errors.reindex(columns=[row["variant"], row["baseline"]])
        ours, theirs = own.dropna().mean()
        found.append(_line(row, (ours, theirs), ends, name, alone=own.count().max() > row["n_pairs"]))
    return tuple(found)


LABEL = 20
"""Percent of the scale's width that an end's label needs beside that of 0."""


def scale(report: "Report") -> Scale:
    """What the strips of `lines` are drawn on."""
    margin = report.question.sweep.margin
    ends = _ends(report.comparison, margin)
    zero, low, high = (_place(x, ends) for x in (0.0, -margin, margin))
    left, right = (signed(x, 1) for x in ends)
    if zero > 50:  # the unit stands where there is room for it
        left += " points"
    else:
        right += " points"
    return Scale(zero, low, high, left if zero > LABEL else "", right if zero < 100 - LABEL else "")


def signed(fraction: float, digits: int = 2) -> str:
    """A fraction as points with its sign."""
    text = f"{100 * fraction:+.{digits}f}"
    return text.replace("-", MINUS) if float(text) else f"{0:.{digits}f}"


def probability(p: float) -> str:
    """A p value as papers print it."""
    return "-" if math.isnan(p) else "< .001" if p < 0.001 else f"= {p:.3f}".replace("0.", ".", 1)


def _within(report: "Report") -> str:
    return f"differences within the declared margin of {stats.points(report.question.sweep.margin)}"


def _open(own: pd.DataFrame, looks: bool) -> str:
    """What it takes to close the verdicts that are open."""
    if (own["n_pairs"] < 2).all():
        return "too few seeds that a row shares with what it is compared to"
    told = own["more_seeds"].dropna()
    if told.empty:
        return "not a tie: neither a difference nor its absence can be shown with a number of seeds that can be told"
    n = int(told.min())
    which = own.sort_values("more_seeds", kind="stable")["variant"].iloc[0] if len(own) > 1 else "it"
    again = "with --until-decided, again," if looks else "with --until-decided"
    return (
        f"not a tie: about {n:,} more seed{'s' * (n != 1)} would probably decide {which} (80 % power if the difference "
        f"is as observed); sweep {again} adds them and keeps 5 %"
    )


def _line(row: "pd.Series[Any]", means: tuple[float, float], ends: tuple[float, float], name: str, alone: bool) -> Line:
    """`alone`: a row has other seeds besides the common ones, so the table has another error of it."""
    label, baseline, verdict = row["variant"], row["baseline"], row["verdict"]
    if math.isnan(row["delta"]):
        return Line(label, baseline, verdict, "No seed that both rows have.", None)
    n = int(row["n_pairs"])
    known = not math.isnan(row["delta_low"])
    interval = f"{name} interval {signed(row['delta_low'])} to {signed(row['delta_high'])}" if known else "no interval"
    seeds = f"{n} common seed{'s' * (n != 1)}"
    over, at_end = (f", both over the {seeds} alone", "") if alone else ("", f", {seeds}")
    text = (
        f"{100 * means[0]:.2f} % test error against {100 * means[1]:.2f} %{over}: "
        f"{signed(row['delta'])} points, {interval}{at_end}"
    )
    text += f", adjusted p {probability(row['p_holm'])}" if not math.isnan(row["p_holm"]) else ""
    cost = stats.verdict_text(row).partition(": ")[2]
    text += f"; {cost}" if verdict == "undecided" and cost else ""
    at, least, most = (_place(row[c], ends) for c in ("delta", "delta_low", "delta_high"))
    strip = Strip(at, least, most, f"{signed(row['delta'])} points, {interval}")
    return Line(label, baseline, verdict, text, strip)


def _ends(comparison: pd.DataFrame, margin: float) -> tuple[float, float]:
    """Both ends of the scale, fractions: all intervals and the margin, and some room."""
    numbers = comparison[["delta", "delta_low", "delta_high"]]
    low = min(-margin, numbers.min().min()) if len(numbers.dropna(how="all")) else -margin
    high = max(margin, numbers.max().max()) if len(numbers.dropna(how="all")) else margin
    room = ROOM * (high - low)
    return float(low - room), float(high + room)


def _place(value: float, ends: tuple[float, float]) -> float:
    low, high = ends
    return round(100 * (value - low) / (high - low), 2)
