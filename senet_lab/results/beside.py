"""A published table set beside the rows of a sweep.

An entry belongs to a row if its settings are in force there, whatever the row is called and
whatever it is trained on. What neither the table nor the sweep varies about the block, e.g. r among
gates, belongs to the protocol. Where an entry fits no row, or several, it is listed and nothing more.
Differences are compared, never errors: the paper's is taken between the entries of one document that
fit a row and the row it is compared to, so that both differences are of the same pair.
"""

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from senet_lab.design import Variant
from senet_lab.results.published import Settings, agrees, in_force
from senet_lab.spec import Trial

BLOCK = "model.se."

OURS = {"ours": "delta", "ours_low": "delta_low", "ours_high": "delta_high", "ours_n": "n_pairs", "verdict": "verdict"}
"""Columns here -> columns of `stats.compare`."""


def join(published: pd.DataFrame, rows: Iterable[Variant], comparison: pd.DataFrame) -> pd.DataFrame:
    """`published` with what this sweep says of the same row.

    Columns added: `fits` (rows that the entry fits), `variant` (the row, if it is one), `paper` (the
    published difference of that row and its baseline, fraction; NaN unless both are published), `ours`,
    `ours_low`, `ours_high`, `ours_n` (seeds), `verdict`, and `sign`: "agrees", "opposite", or why that cannot be said.
    """
    rows = tuple(rows)
    unvaried = _unvaried(published["settings"], rows)
    fitting = [[row.label for row in rows if _fits(row.trial, s, unvaried)] for s in published["settings"]]
    labels = [found[0] if len(found) == 1 else None for found in fitting]
    errors = dict(zip(zip(published["source"], labels, strict=True), published["test_error"], strict=True))
    compared = {row["variant"]: row for _, row in comparison.iterrows()}
    lines: list[dict[str, Any]] = []
    for found, label, source, error in zip(fitting, labels, published["source"], published["test_error"], strict=True):
        line: dict[str, Any] = {"fits": len(found), "variant": label, "paper": math.nan, "sign": ""}
        if (ours := compared.get(label)) is not None:
            line |= {name: ours[column] for name, column in OURS.items()}
            line["paper"] = round(error - errors.get((source, ours["baseline"]), math.nan), 6)
            line["sign"] = _sign(line["paper"], ours)
        lines.append(line)
    columns = ["fits", "variant", "paper", *OURS, "sign"]
    added = pd.DataFrame(lines, columns=columns, index=published.index)
    return pd.concat([published, added.astype({"fits": "int64", "paper": "float64"})], axis=1)


def _unvaried(entries: Iterable[Settings], rows: Iterable[Variant]) -> set[str]:
    """Settings of the block that have one value in all `entries` and one in all `rows` that carry it."""
    entries, gated = list(entries), [row.trial for row in rows if row.trial.model.se is not None]
    return {
        path
        for path in {path for settings in entries for path in settings if path.startswith(BLOCK)}
        if len({s[path] for s in entries if path in s}) == 1 and len({in_force(t, path) for t in gated}) == 1
    }


def _fits(trial: Trial, settings: Settings, unvaried: set[str]) -> bool:
    """Whether `settings` are in force, the unvaried ones apart; an entry with the block needs a row with it."""
    if trial.model.se is None and any(path.startswith(BLOCK) for path in settings):
        return False
    return agrees(trial, {path: value for path, value in settings.items() if path not in unvaried})


def _sign(paper: float, ours: "pd.Series[Any]") -> str:
    if math.isnan(paper):
        return ""
    if ours["verdict"] not in ("better", "worse"):
        return f"ours {ours['verdict']}"
    if paper == 0:
        return "paper's is 0"
    return "agrees" if (paper < 0) == (ours["delta"] < 0) else "opposite"
