"""The rows of a report as named numbers, for whoever keeps them elsewhere: fractions, nothing rounded."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from senet_lab.results.stats import uncompared, verdict_text

ERROR = {"test_error.mean": "mean", "test_error.ci_low": "ci_low", "test_error.ci_high": "ci_high"}
SIZE = {"n_seeds": "n", "params": "params", "macs": "macs"}
DELTA = {
    "delta.mean": "delta",
    "delta.ci_low": "delta_low",
    "delta.ci_high": "delta_high",
    "delta.p_holm": "p_holm",
}
"""Names here -> columns of `stats.summarise` and `stats.compare`."""


@dataclass(frozen=True)
class Aggregate:
    """What the trials of a row together say."""

    label: str
    metrics: Mapping[str, float]
    """What is not known is left out."""
    verdict: str
    """"better", "worse", "equivalent", "undecided"; or "baseline", "not compared"."""
    sentence: str
    """The verdict with what goes with it."""


def aggregates(summary: pd.DataFrame, comparison: pd.DataFrame) -> tuple[Aggregate, ...]:
    """A line of both frames each, in the order of `summary`."""
    against = {row["variant"]: row for _, row in comparison.iterrows()}
    found = []
    for _, row in summary.iterrows():
        metrics = _numbers(row, ERROR | SIZE)
        verdict = sentence = uncompared(row["variant"], comparison)
        if (compared := against.get(row["variant"])) is not None:
            metrics |= _numbers(compared, DELTA)
            verdict, sentence = compared["verdict"], verdict_text(compared)
        found.append(Aggregate(row["variant"], metrics, verdict, sentence))
    return tuple(found)


def _numbers(row: "pd.Series[Any]", names: Mapping[str, str]) -> dict[str, float]:
    return {name: float(row[column]) for name, column in names.items() if pd.notna(row[column])}
