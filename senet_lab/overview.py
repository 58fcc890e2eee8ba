"""What there is before anything runs: the sweeps at hand, and the plan of one."""

import statistics
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from senet_lab import catalog
from senet_lab import inventory as inventories
from senet_lab.data import DATA_DIR
from senet_lab.environment import cores
from senet_lab.errors import DataError, UserError
from senet_lab.inventory import Inventory
from senet_lab.plan import STATES, State


def list_sweeps(console: Console, store: str, data_dir: Path = DATA_DIR) -> None:
    """A line per sweep: question, rows x seeds, data, done so far."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in ("sweep", "question", "rows x seeds", "data", "done"):
        table.add_column(name, justify="right" if name == "done" else "left", overflow="fold")
    for name, path in sorted(catalog.names().items()):
        try:
            question = catalog.read(path)
            found = inventories.take(question, store, data_dir)
            done = f"{found.plan.counts()['done']}/{len(found.planned)}"
        except DataError:
            done = "no data"
        except UserError as error:
            table.add_row(name, f"[red]{escape(str(error))}[/]", "", "", "")
            continue
        table.add_row(
            name,
            escape(question.text.partition("\n")[0]),
            f"{len(question.rows)} x {question.sweep.seeds}",
            escape(question.sweep.base.data.source),
            done,
        )
    console.print(table)


def show_plan(console: Console, found: Inventory) -> None:
    """A line per row: hidden widths, cost, states; below, what a run would do and how long that takes."""
    from senet_lab.sweep import cost

    states = [s for s in STATES if s in ("done", "missing") or found.plan.counts()[s]]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, title_justify="left")
    table.add_column("variant", overflow="fold")
    table.add_column("hidden widths\nby stage", overflow="fold")
    for name in ("params", "mult-adds", *states):
        table.add_column(name, justify="right", no_wrap=True)
    for row in found.question.rows:
        network = cost(row.trial, found.data_dir)
        widths = ", ".join(f"{stage}: {_run_length(w)}" for stage, w in row.trial.model.hidden_widths.items())
        counts = found.plan.counts(row.label)
        costs = (f"{network.params:,}", f"{network.macs:,}")
        table.add_row(escape(row.label), widths or "-", *costs, *(f"{counts[s]}" for s in states))
    console.print(table)
    console.print(forecast(found), soft_wrap=True)


def forecast(found: Inventory) -> str:
    """What a run would do, and how long by the trials that are done."""
    due, counts = len(found.plan.to_run()), found.plan.counts()
    lines = [f"{due} trials to run" if due else f"{counts['done']} of {len(found.planned)} trials are done"]
    seconds = [r.seconds for r in found.counting if r.status == "done"]
    if due and seconds:
        from senet_lab.results.stats import duration

        left = duration(due * statistics.median(seconds) / cores())
        lines[0] += f": about {left} on {cores()} cores and some seconds to start, by the {len(seconds)} that are done"
    elif due:
        lines[0] += "; no trial is done yet to tell how long that takes"
    again: dict[State, str] = {"stale": "of code that has changed since", "failed": "failed"}
    for state, what in again.items():
        if counts[state]:
            lines.append(f"{counts[state]} {what}; to run them again: senet-lab sweep with --rerun {state}")
    return "\n".join(lines)


def _run_length(widths: tuple[int, ...]) -> str:
    """The widths of a stage's blocks; one number where they are all the same."""
    return str(widths[0]) if len(set(widths)) == 1 else "/".join(map(str, widths))
