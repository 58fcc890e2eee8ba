"""A pair of rows at length."""

import json
import math
from dataclasses import asdict
from typing import Any

import pandas as pd
from rich import box
from rich.markup import escape
from rich.table import Table

from senet_lab.commands import console
from senet_lab.inventory import Inventory


def show(found: Inventory, rows: tuple[str, str], prose_only: bool, as_json: bool) -> None:
    """Print what the store says of two rows. Raises UserError for rows that the sweep has not, or the same twice."""
    from senet_lab.results import prose, report, tables

    answer = report.analyse(found.question, found.planned, found.records, store=found.store)
    told = answer.compare(*rows)
    pair, sentence = told.pair, told.sentence
    if as_json:
        print(json.dumps(_tree(pair, sentence)))
        return
    if prose_only:
        print(sentence)
        return
    ours, heading = answer.table(), tables.difference_heading(answer.comparison)
    ours = ours[ours["variant"].isin([pair.a, pair.b])].drop(columns=[heading, "verdict"])
    console.print(tables.terminal(ours, f"{pair.a} (a) against {pair.b} (b)", "", console.width))
    console.print(_table(prose.facts(pair), "a - b (below 0: a is better)", ("value", "meaning")), "")
    if (classes := prose.classes(pair)) is not None:
        caption = "Errors by class; intervals over seeds, holding jointly over classes (Bonferroni)."
        console.print(_table(classes, "class by class", ("class",)), caption, "", sep="\n")
    else:
        console.print("Classes are not told apart: the store holds no labels; `sweep` adds them", soft_wrap=True)
    console.print(escape(prose.mcnemar(pair)))
    console.print(f"\n{escape(sentence)}")


def _table(frame: pd.DataFrame, title: str, left: tuple[str, ...]) -> Table:
    """Text as it stands, numbers to the right; nothing is cut."""
    table = Table(title=title, box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, title_justify="left")
    for name in frame.columns:
        fixed = name != "meaning"
        table.add_column(escape(name), justify="left" if name in (frame.columns[0], *left) else "right", no_wrap=fixed)
    for cells in frame.itertuples(index=False):
        table.add_row(*map(escape, cells))
    return table


def _tree(pair: Any, sentence: str) -> dict[str, Any]:
    """What `compare --json` prints. Keys are only ever added.

    `a`, `b`, `margin`, `verdict` (of a against b), `family` (what the verdict goes by: the comparisons `of` the
    "sweep" or "all pairs", `size` of them), `sentence`, `seeds`, `difference`, `images` (McNemar), `classes`: as of
    `results.pair`, fractions; null where something is not known.
    """
    return {
        "a": pair.a,
        "b": pair.b,
        "margin": pair.margin,
        "verdict": pair.verdict,
        "family": _known(asdict(pair.family)),
        "sentence": sentence,
        "seeds": _lines(pair.seeds),
        "difference": _known(pair.difference.to_dict()),
        "images": (pair.images is not None and _known(pair.images.to_dict())) or None,
        "classes": None if pair.classes is None else _lines(pair.classes),
    }


def _lines(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [_known(line) for line in frame.to_dict("records")]


def _known(values: dict[Any, Any]) -> dict[str, Any]:
    return {str(k): None if isinstance(v, float) and math.isnan(v) else v for k, v in values.items()}
