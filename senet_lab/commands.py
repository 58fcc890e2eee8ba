"""What the commands do, apart from reading their options. Everything with torch is imported where it is used."""

import ast
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from senet_lab import catalog, inventory as inventories
from senet_lab.errors import SpecError, TrialsFailed
from senet_lab.inventory import Inventory
from senet_lab.plan import STATES, State

console = Console(highlight=False)


@dataclass(frozen=True)
class How:
    """How a sweep is to run; nothing of it changes a result."""

    executor: str
    workers: int | None
    gpus_per_trial: float | None
    rerun: tuple[State, ...]
    tracking_uri: str | None
    reports: Path


def settings(pairs: list[str]) -> dict[str, Any]:
    """`KEY=VALUE` texts as settings. A value is JSON or Python where it reads as such, else text."""
    found = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise SpecError(f"--set {pair!r}: give a dotted key and a value, e.g. --set train.epochs=40")
        found[key.strip()] = _value(text.strip())
    return found


def _value(text: str) -> Any:
    for reader in (json.loads, ast.literal_eval):
        try:
            return reader(text)
        except (ValueError, SyntaxError):
            continue
    return text


def inventory(
    sweep: str, store: Path, changes: dict[str, Any], seeds: int | None, recipe: str | None
) -> Inventory:
    """The question that the options name, set against the store."""
    question = catalog.read(catalog.find(sweep))
    if changes or seeds is not None or recipe is not None:
        question = catalog.derive(question, changes, seeds=seeds, recipe=recipe)
    return inventories.take(question, store)


def list_sweeps(store: Path) -> None:
    """A line per sweep: question, rows x seeds, data, done so far."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in ("sweep", "question", "rows x seeds", "data", "done"):
        table.add_column(name, justify="right" if name == "done" else "left", overflow="fold")
    for name, path in sorted(catalog.names().items()):
        try:
            found = inventories.take(catalog.read(path), store)
        except UserError as error:
            table.add_row(name, f"[red]{escape(str(error))}[/]", "", "", "")
            continue
        question, total = found.question, len(found.planned)
        table.add_row(
            name,
            escape(question.text.partition("\n")[0]),
            f"{len(question.rows)} x {question.sweep.seeds}",
            question.sweep.base.data.source,
            f"{found.plan.counts()['done']}/{total}",
        )
    console.print(table)


def show_plan(found: Inventory) -> None:
    """A line per row: hidden widths, cost, states; below, what a run would do and how long that takes."""
    from senet_lab.sweep import cost

    states = [s for s in STATES if s in ("done", "missing") or found.plan.counts()[s]]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, title_justify="left")
    table.add_column("variant")
    table.add_column("hidden widths\nby stage")
    for name in ("params", "mult-adds", *states):
        table.add_column(name, justify="right")
    for row in found.question.rows:
        network = cost(row.trial)
        widths = ", ".join(f"{stage}: {width}" for stage, width in row.trial.model.hidden_widths.items())
        counts = found.plan.counts(row.label)
        table.add_row(
            escape(row.label), widths or "-", f"{network.params:,}", f"{network.macs:,}", *(f"{counts[s]}" for s in states)
        )
    console.print(table)
    console.print(forecast(found))


def forecast(found: Inventory) -> str:
    """What a run would do, and how long by the trials that are done."""
    due = len(found.plan.to_run())
    stale = found.plan.counts()["stale"]
    lines = [f"nothing is missing of {len(found.planned)} trials" if not due else f"{due} trials to run"]
    wanted = {t.id for t in found.planned}
    seconds = [r.seconds for r in found.records if r.status == "done" and r.id in wanted]
    cores = os.cpu_count() or 1
    if due and seconds:
        hours = due * statistics.median(seconds) / cores
        lines[0] += f": about {duration(hours)} on {cores} cores, by the {len(seconds)} that are done"
    elif due:
        lines[0] += "; no trial is done yet to tell how long that takes"
    if stale:
        lines.append(f"{stale} results are of code that has changed since: --rerun stale runs them again")
    return "\n".join(lines)


def run_sweep(found: Inventory, how: How) -> None:
    """Run what is missing, report, and bring MLflow up to date. Raises TrialsFailed if a wanted trial failed."""
    from senet_lab import tracking

    due = found.plan.to_run(how.rerun)
    projection = tracking.Projection(found.question, how.tracking_uri)
    try:
        if due:
            _run(found, how, projection)
            found = inventories.take(found.question, found.store.path.parent)
    finally:
        report = show_report(found, how.reports)
