"""What there is before anything runs: the sweeps at hand, and the plan of one."""

import json
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from senet_lab import catalog, selection
from senet_lab import inventory as inventories
from senet_lab.catalog import Question
from senet_lab.data import DATA_DIR
from senet_lab.errors import DataError, UserError
from senet_lab.outlook import Outlook, as_json
from senet_lab.plan import STATES
from senet_lab.results.tables import LONGEST_LABEL, fold


def list_sweeps(console: Console, store: str, data_dir: Path = DATA_DIR) -> None:
    """A line per sweep: question, rows x seeds, data, done so far."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in ("sweep", "question", "rows x seeds", "data", "done"):
        table.add_column(name, justify="right" if name == "done" else "left", overflow="fold")
    for name, path in sorted(catalog.names().items()):
        try:
            question = catalog.read(path)
            found = selection.settled(inventories.take(question, store, data_dir))
            done = f"{found.plan.counts()['done']}/{len(found.planned)}"
        except DataError:
            done = "no data"
        except UserError as error:
            table.add_row(name, f"[red]{escape(str(error))}[/]", "", "", "")
            continue
        table.add_row(
            name,
            escape(question.text.partition("\n")[0]),
            _size(question),
            escape(question.sweep.base.data.source),
            done,
        )
    console.print(table)


def _size(question: Question) -> str:
    """Rows x seeds, and of how many candidates each was chosen."""
    rows, study = len(question.rows), question.study
    if study is None:
        return f"{rows} x {question.sweep.seeds}"
    if question.search is not None:
        rows = 1 + question.search.confirm
    return f"{rows} x {question.sweep.seeds}, of {study.trials}"


def show_plan(console: Console, outlook: Outlook, json_only: bool = False) -> None:
    """The table of rows; below, what a run would do, how long that takes, and notes. Or all of it as JSON."""
    if json_only:
        print(json.dumps(as_json(outlook), indent=1))
        return
    console.print(_rows(outlook))
    console.print(escape(_to_do(outlook)), soft_wrap=True)
    for _, text in outlook.notes:
        console.print(f"[yellow]note[/] {escape(text)}", soft_wrap=True)


def _rows(outlook: Outlook) -> Table:
    """A line per row: hidden widths, cost, states."""
    found = outlook.found
    states = [s for s in STATES if s in ("done", "missing") or found.plan.counts()[s]]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("variant", overflow="fold", no_wrap=True)
    table.add_column("hidden widths\nby stage", overflow="fold")
    for name in ("params", "mult-adds", *states):
        table.add_column(name.replace("interrupted", "inter-\nrupted"), justify="right", no_wrap=True)
    for row in found.question.rows:
        network, counts = outlook.costs[row.label], found.plan.counts(row.label)
        widths = ", ".join(f"{stage}: {_run_length(w)}" for stage, w in row.trial.model.hidden_widths.items())
        costs = (f"{network.params:,}", f"{network.macs:,}")
        table.add_row(escape(fold(row.label, LONGEST_LABEL)), widths or "-", *costs, *(f"{counts[s]}" for s in states))
    return table


def _to_do(outlook: Outlook) -> str:
    """What a run would do, and how long it takes."""
    due, done = outlook.due, outlook.found.plan.counts()["done"]
    if not due:
        return f"{done} of {len(outlook.found.planned)} trials are done"
    told = outlook.expected.sentence if outlook.expected else "no trial is done yet to tell how long that takes"
    left = sum(one.left for one in outlook.studies if not one.finished)
    # A front may have fewer members than are confirmed, and what is chosen may have been trained before.
    first = f" ({left} candidates to choose by, then at most {due - left} on fresh seeds)" if left else ""
    return f"{due} trial{'s' * (due > 1)} to run{first}: {told}\nto run them: {outlook.command}"


def _run_length(widths: tuple[int, ...]) -> str:
    """The widths of a stage's blocks; one number where they are all the same."""
    return str(widths[0]) if len(set(widths)) == 1 else "/".join(map(str, widths))
