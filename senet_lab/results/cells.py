"""Every number of a table under a name of its own, as it is printed: for papers, and for whoever checks them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from senet_lab.catalog import Question
from senet_lab.results import keys, tables
from senet_lab.results.stats import points, uncompared

MISSING = "-"
COLUMNS: Mapping[str, str] = {
    "error": "mean test error at the last epoch over the row's seeds, percent",
    "error.low": "lower end of its 95 % Student-t interval, percent",
    "error.high": "upper end of its 95 % Student-t interval, percent",
    "error.sd": "standard deviation of the test error over seeds, points",
    "n": "trials that are done; 4/6 where seeds are missing",
    "difference": "mean difference in test error to the row's baseline, paired by seed, points",
    "difference.low": "lower end of its interval, points",
    "difference.high": "upper end of its interval, points",
    "difference.n": "seeds that both rows have",
    "p": "paired t test of no difference, Holm-adjusted; with --until-decided adjusted for looks, too",
    "verdict": "better, worse, equivalent, undecided; baseline or not compared",
    "baseline": "the row that it is compared to",
    "params": "trainable parameters",
    "macs": "multiply-adds of one image, forward",
    "seconds": "mean wall time of a trial, seconds",
}
FACTS: Mapping[str, str] = {
    "seeds": "trials per row that are asked for; 20 to 45 where seeds were added until the rows were decided",
    "margin": "differences in test error below this are called equivalent",
    "baseline": "what the rows are compared to",
}


@dataclass(frozen=True)
class Row:
    """A row of a table by its columns, those of `COLUMNS`."""

    label: str
    texts: Mapping[str, str]
    """As printed; "-" where there is nothing."""
    numbers: Mapping[str, float]
    """The same in the same units, unrounded; what is not there is left out."""
    n: int
    """Trials that are done."""
    wanted: int
    best: bool
    """It is the best row, or cannot be told from it; see `best.best`."""


@dataclass(frozen=True)
class Sheet:
    """All that a table prints."""

    name: str
    """Of the table; see `keys.table`."""
    command: str
    """Makes it again."""
    rows: tuple[Row, ...]
    facts: Mapping[str, str]
    """What is true of the whole table, by the names of `FACTS`."""

    @property
    def texts(self) -> dict[str, str]:
        """Name -> text of every number and fact; see `keys`."""
        found = {keys.name(self.name, fact): text for fact, text in self.facts.items()}
        for row in self.rows:
            found |= {keys.name(self.name, row.label, column): text for column, text in row.texts.items()}
        return found


def rows(summary: pd.DataFrame, comparison: pd.DataFrame, best: Collection[str]) -> tuple[Row, ...]:
    """A row for each of `summary`, in its order; both frames as of `stats`."""
    compared = {row["variant"]: row for _, row in comparison.iterrows()}
    found = []
    for _, row in summary.iterrows():
        label = row["variant"]
        cells = _own(row)
        if (against := compared.get(label)) is not None:
            cells |= _compared(against)
        words = {"n": tables.trials(row), "baseline": MISSING, "verdict": uncompared(label, comparison)}
        if against is not None:
            words |= {"baseline": against["baseline"], "verdict": against["verdict"]}
        texts = {column: words.get(column) or cells.get(column, (MISSING, 0))[0] for column in COLUMNS}
        numbers = {"n": float(row["n"])} | {c: value for c, (_, value) in cells.items() if pd.notna(value)}
        found.append(Row(label, texts, numbers, int(row["n"]), int(row["wanted"]), label in best))
    return tuple(found)


def facts(question: Question, baseline: str) -> dict[str, str]:
    """What is true of the whole table; `baseline` as of `captions.compared_to`."""
    sweep = question.sweep
    return {"seeds": str(sweep.seeds), "margin": points(sweep.margin), "baseline": baseline}


Cell = tuple[str, Any]


def _own(row: "pd.Series[Any]") -> dict[str, Cell]:
    """What a row says without being compared: text and number."""
    return {
        "error": _percent(row["mean"]),
        "error.low": _percent(row["ci_low"]),
        "error.high": _percent(row["ci_high"]),
        "error.sd": _percent(row["sd"]),
        "params": (tables.count(row["params"]), row["params"]),
        "macs": (tables.count(row["macs"]), row["macs"]),
        "seconds": (MISSING if pd.isna(row["seconds"]) else f"{row['seconds']:,.1f}", row["seconds"]),
    }


def _compared(row: "pd.Series[Any]") -> dict[str, Cell]:
    p = row["p_holm"]
    return {
        "difference": _percent(row["delta"], "+"),
        "difference.low": _percent(row["delta_low"], "+"),
        "difference.high": _percent(row["delta_high"], "+"),
        "difference.n": (str(row["n_pairs"]), row["n_pairs"]),
        "p": (MISSING if pd.isna(p) else "<0.001" if p < 0.001 else f"{p:.3f}", p),
    }


def _percent(fraction: float, sign: str = "") -> Cell:
    return tables.interval(fraction, float("nan"), float("nan"), sign), 100 * fraction
