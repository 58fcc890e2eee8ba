"""One trial, looked at: how it ended, what it was, its epochs and its surroundings."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from senet_lab.credentials import without_credentials
from senet_lab.environment import program
from senet_lab.lookup import Exhibit, as_json
from senet_lab.records import Environment, EpochMetrics, TrialRecord
from senet_lab.spec import Trial

MOST_EPOCHS = 12
"""Lines of the table of epochs; of more, some evenly spaced, and always the first and the last."""
STYLES = {"done": "green", "failed": "red", "interrupted": "yellow", "stopped": "yellow"}


def show(console: Console, found: Exhibit, json_only: bool = False) -> None:
    """The trial for people, or as one JSON object."""
    if json_only:
        print(json.dumps(as_json(found), indent=1))
        return
    style = STYLES[found.state]
    console.print(f"[bold]{escape(found.name)}[/]: [{style}]{found.state}[/]", soft_wrap=True)
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, text in _facts(found):
        facts.add_row(name, escape(without_credentials(text)))
    console.print(facts)
    if found.epochs:
        console.print(_epochs(found.epochs))
    if found.record and found.record.traceback:
        console.print("\nits last traceback:")
        console.print(escape(without_credentials(found.record.traceback.rstrip())), soft_wrap=True)


def _facts(found: Exhibit) -> Iterator[tuple[str, str]]:
    yield "sweep", found.entry.sweep
    yield "id", found.entry.id
    yield "folder", str(found.entry.folder)
    if found.record is None:
        yield "came to", _came_to(found.epochs)
        if found.asked and found.asked.trial:
            yield "row", _row(found.asked.settings)
            yield "settings", _settings(found.asked.trial)
    else:
        yield from _record(found.record)
    if found.environment:
        yield from _surroundings(found.environment)
    yield "in MLflow", f'{program()} ui, experiment {found.entry.sweep}, tags.`senet_lab.trial` = "{found.entry.id}"'


def _came_to(epochs: tuple[EpochMetrics, ...]) -> str:
    how = "; the same `senet-lab sweep` as before goes on from there, unless one is running it now"
    return (f"the end of epoch {epochs[-1].epoch}" if epochs else "no whole epoch") + how


def _record(record: TrialRecord) -> Iterator[tuple[str, str]]:
    yield "row", _row(record.settings)
    if record.test:
        wrong = round(record.test.error * record.test.images)
        images = f"{wrong:,} of {record.test.images:,} images"
        yield "test error", f"{100 * record.test.error:.2f} % ({images}), loss {record.test.loss:.4f}"
    if record.status == "stopped":
        yield (
            "came to",
            f"the end of epoch {len(record.epochs)} of {record.trial.train.epochs}; a scheduler ended it there",
        )
    ended = datetime.fromtimestamp(record.ended_at).astimezone().isoformat(" ", "seconds")
    inside = f", {record.train_seconds:.1f} s of them inside {len(record.epochs)} epochs" if record.epochs else ""
    yield "took", f"{record.seconds:.1f} s{inside}"
    yield "ended", f"{ended}, at attempt {record.attempts}"
    if record.together > 1:
        others = f"{record.together - 1} other{'s' * (record.together > 2)}"
        yield "together", f"trained with {others} as one program: equal to training alone but for rounding"
    memory = f", at most {record.peak_memory_bytes / 1e6:,.0f} MB of memory" if record.peak_memory_bytes else ""
    yield "on", f"{record.device}{memory}"
    if record.params is not None and record.macs is not None:
        costs = f"{record.params:,} parameters, {record.macs:,} multiply-adds"
        yield "network", f"{record.trial.model.name}: {costs}"
    yield "settings", _settings(record.trial)


def _row(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in settings.items()) or "the base as it is"


def _settings(trial: Trial) -> str:
    return "\n".join(f"{key} = {value}" for key, value in _flat(trial.model_dump(mode="json")))


def _surroundings(here: Environment) -> Iterator[tuple[str, str]]:
    changes = ", with changes that are not committed" if here.git_diff else ""
    yield "command", here.command
    yield "commit", f"{here.git_commit}{changes}" if here.git_commit else "none known"
    yield "machine", ", ".join([here.platform, here.cpu, f"{here.cores} cores", *here.gpus])
    yield "packages", ", ".join([f"Python {here.python}", *(f"{k} {v}" for k, v in here.packages.items())])


def _epochs(epochs: tuple[EpochMetrics, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in ("epoch", "train loss", "train error %", "val. loss", "val. error %", "rate", "s"):
        table.add_column(name, justify="right", no_wrap=True)
    last = len(epochs) - 1
    lines = min(last, MOST_EPOCHS - 1)
    for i in sorted({round(n * last / max(1, lines)) for n in range(lines + 1)}):
        e = epochs[i]
        errors = (f"{100 * e.train_error:.2f}", f"{100 * e.validation_error:.2f}")
        losses = (f"{e.train_loss:.4f}", f"{e.validation_loss:.4f}")
        told = (losses[0], errors[0], losses[1], errors[1])
        table.add_row(str(e.epoch), *told, f"{e.learning_rate:.4g}", f"{e.seconds:.2f}")
    if table.row_count < len(epochs):
        table.caption = f"{table.row_count} of {len(epochs):,} epochs; --json has all"
        table.caption_justify = "left"
    return table


def _flat(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value
