"""A pair of rows at length."""

import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from rich import box
from rich.markup import escape
from rich.table import Table

from senet_lab.commands import console, to_type
from senet_lab.commands.report import answered, refuse_empty
from senet_lab.errors import UserError
from senet_lab.inventory import Inventory

if TYPE_CHECKING:
    from senet_lab.results.report import Report

LOOKS = (
    "Seeds were added until the sweep's rows were decided; the verdict accounts for that, the 95 % intervals and "
    "unadjusted p values do not."
)


@dataclass(frozen=True)
class Shown:
    """What is printed, and which trials count."""

    prose_only: bool = False
    as_json: bool = False
    include_stale: bool = False
    until_decided: bool = False


def show(found: Inventory, rows: tuple[str, str], how: Shown) -> None:
    """Print what the store says of two rows.

    Raises UserError for rows that the sweep has not, the same twice, and rows of which no trial counts.
    """
    from senet_lab.results import prose, tables

    found, answer = answered(found, how.include_stale, how.until_decided)
    told = answer.compare(*rows)
    refuse_empty(found, "compare", how.include_stale)
    pair = told.pair
    _refuse_missing(found, answer, (pair.a, pair.b))
    trials = answer.trials[answer.trials["variant"].isin([pair.a, pair.b])]
    stale = int(trials["stale"].sum())
    notes = ([f"{stale} of these trials are of older code."] if stale else []) + [LOOKS] * how.until_decided
    sentence = " ".join([told.sentence, *notes])
    if how.as_json:
        print(json.dumps(_tree(pair, sentence) | {"stale": stale, "until_decided": how.until_decided}))
        return
    if how.prose_only:
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


def _refuse_missing(found: Inventory, answer: "Report", rows: tuple[str, str]) -> None:
    """Raises UserError for a row without any trial that counts."""
    empty = [row for row in rows if row not in set(answer.trials["variant"])]
    if not empty:
        return
    states = {row: found.plan.counts(row) for row in empty}
    left = "; ".join(
        f"{row}: {', '.join(f'{n} {s}' for s, n in counts.items() if n)}" for row, counts in states.items()
    )
    older = any(counts["stale"] for counts in states.values())
    stale = "--include-stale counts what older code gave as it is, --rerun stale added to `sweep` runs it again; "
    failed = "--rerun failed added to it tries failed ones again; "
    raise UserError(
        f"{found.question.name}: there is nothing to compare, as no trial is done of {' and '.join(empty)} ({left}). "
        f"{stale * older}{failed * any(counts['failed'] for counts in states.values())}"
        f"to run what is missing: {to_type('sweep', found)}"
    )


def _table(frame: pd.DataFrame, title: str, left: tuple[str, ...]) -> Table:
    """Text as it stands, numbers to the right; nothing is cut."""
    table = Table(title=escape(title), box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, title_justify="left")
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
    `results.pair`, fractions; null where something is not known. `stale`: how many of the trials are of older code;
    `until_decided`: seeds were added by looks.
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
