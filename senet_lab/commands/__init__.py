"""What the commands do, apart from reading their options: a module a command, what they share here.

Everything with torch is imported where it is used.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner

from senet_lab import catalog, selection
from senet_lab import inventory as inventories
from senet_lab.catalog import Question
from senet_lab.inventory import Inventory
from senet_lab.results.keys import to_type as to_type
from senet_lab.spaces import configurations
from senet_lab.spec import Trial

console = Console(highlight=False, emoji=False)
"""Where a row is called `:x:`, that is what it is called."""


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show what is done as long as it takes, where somebody sits at a terminal.

    On stderr, and what is printed meanwhile goes where it would: output is as without.
    """
    if not sys.stderr.isatty():
        yield
        return
    err = Console(stderr=True, highlight=False, emoji=False)
    spinner = Spinner("dots", f"{escape(what)} ...")
    with Live(spinner, console=err, transient=True, redirect_stdout=False):
        yield


def foreseeing(found: Inventory, probe_seconds: float) -> str:
    """What takes the time where it is asked how long trials will take."""
    probed = probe_seconds > 0 and not any(r.status == "done" for r in found.records)
    return "Timing the networks for some seconds, as no trial is done" if probed else "Looking at what is done"


@dataclass(frozen=True)
class Where:
    """The folders that a command works in."""

    store: str
    """A folder, or an address that fsspec knows."""
    data_dir: Path
    download: bool = False
    """Fetch archives that are missing."""


def asked(sweep: str, changes: dict[str, Any], seeds: int | None, recipe: str | None) -> Question:
    """The question that the options name."""
    question = catalog.read(catalog.find(sweep))
    if changes or seeds is not None or recipe is not None:
        question = catalog.derive(question, changes, seeds=seeds, recipe=recipe)
    return question


def inventory(sweep: str, where: Where, changes: dict[str, Any], seeds: int | None, recipe: str | None) -> Inventory:
    """The question that the options name, set against the store; operators of its file are tried out first."""
    question = asked(sweep, changes, seeds, recipe)
    if question.own is not None:
        from senet_lab.blocks.own import try_out

        for trial in {trial.model: trial for trial in _trials(question)}.values():
            try_out(trial, question.own)
    if where.download:
        from senet_lab.data.download import fetch

        for source in sorted({row.trial.data.source for row in question.rows}):
            fetch(source, where.data_dir)
    return inventories.take(question, where.store, where.data_dir)


def answers(sweep: str, where: Where, changes: dict[str, Any], seeds: int | None, recipe: str | None) -> Inventory:
    """As `inventory`, for who tells results: where something is chosen first, of what was chosen.

    Raises UserError where that is not known yet: a score that chose is not reported.
    """
    return selection.confirmed(inventory(sweep, where, changes, seeds, recipe))


def _trials(question: Question) -> Iterator[Trial]:
    """The rows, and all that a study may make of them."""
    yield from (row.trial for row in question.rows)
    for _, _, trial in configurations(question.study, question.rows) if question.study else ():
        if isinstance(trial, Trial):
            yield trial
