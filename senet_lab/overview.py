"""What there is before anything runs: the sweeps at hand, and the plan of one."""

import os
import statistics
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from senet_lab import catalog
from senet_lab import inventory as inventories
from senet_lab.environment import program
from senet_lab.errors import UserError
from senet_lab.inventory import Inventory
from senet_lab.plan import STATES


def list_sweeps(console: Console, store: Path) -> None:
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


def show_plan(console: Console, found: Inventory) -> None:
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
        costs = (f"{network.params:,}", f"{network.macs:,}")
        table.add_row(escape(row.label), widths or "-", *costs, *(f"{counts[s]}" for s in states))
    console.print(table)
    console.print(forecast(found), soft_wrap=True)


def forecast(found: Inventory) -> str:
    """What a run would do, and how long by the trials that are done."""
    due = len(found.plan.to_run())
    stale = found.plan.counts()["stale"]
    lines = [f"nothing is missing of {len(found.planned)} trials" if not due else f"{due} trials to run"]
    wanted = {t.id for t in found.planned}
    seconds = [r.seconds for r in found.records if r.status == "done" and r.id in wanted]
    cores = os.cpu_count() or 1
    if due and seconds:
        from senet_lab.results.stats import duration

        left = duration(due * statistics.median(seconds) / cores)
        lines[0] += f": about {left} on {cores} cores and some seconds to start, by the {len(seconds)} that are done"
    elif due:
        lines[0] += "; no trial is done yet to tell how long that takes"
    if stale:
        again = f"{program()} sweep {found.question.name} --rerun stale"
        lines.append(f"{stale} results are of code that has changed since; to run them again: {again}")
    return "\n".join(lines)
