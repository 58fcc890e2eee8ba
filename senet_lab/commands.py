"""What the commands do, apart from reading their options. Everything with torch is imported where it is used."""

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from senet_lab import catalog
from senet_lab import inventory as inventories
from senet_lab.environment import program
from senet_lab.errors import Interrupted, SpecError, TrialsFailed, UserError
from senet_lab.inventory import Inventory
from senet_lab.plan import State

if TYPE_CHECKING:
    from senet_lab.executors import Executor
    from senet_lab.jobs import Step
    from senet_lab.results.report import Report
    from senet_lab.tracking import Projection

console = Console(highlight=False)


@dataclass(frozen=True)
class Where:
    """The folders that a command works in."""

    store: str
    """A folder, or an address that fsspec knows."""
    data_dir: Path
    download: bool = False
    """Fetch archives that are missing."""


@dataclass(frozen=True)
class How:
    """How a sweep is to run; nothing of it changes a result."""

    executor: str
    address: str | None
    workers: int | None
    cpus_per_trial: int
    gpus_per_trial: float | None
    loaders: int | None
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
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
    return text


def inventory(sweep: str, where: Where, changes: dict[str, Any], seeds: int | None, recipe: str | None) -> Inventory:
    """The question that the options name, set against the store."""
    question = catalog.read(catalog.find(sweep))
    if changes or seeds is not None or recipe is not None:
        question = catalog.derive(question, changes, seeds=seeds, recipe=recipe)
    if where.download:
        from senet_lab.data.download import fetch

        for source in sorted({row.trial.data.source for row in question.rows}):
            fetch(source, where.data_dir)
    return inventories.take(question, where.store, where.data_dir)


def run_sweep(found: Inventory, how: How) -> None:
    """Run what is missing, report, and bring MLflow up to date.

    Raises TrialsFailed if a trial that was asked for is not done, Interrupted after Ctrl-C.
    """
    from senet_lab import tracking
    from senet_lab.results.folder import check_folder

    folder = how.reports / found.question.name
    check_folder(folder)
    uri = how.tracking_uri or tracking.default_uri()
    if wrong := tracking.refused(uri):
        raise UserError(f"MLflow: {wrong}")
    with found.store.locked(console.print):
        found = found.again()  # another command may have worked on it until now
        projection = tracking.Projection(found.question, uri, found.store.environment)
        written: Report | None = None
        try:
            if found.plan.to_run(how.rerun):
                _run(found, how, projection)
                found = found.again()
            written = show_report(found, how.reports)
        except KeyboardInterrupt:
            raise Interrupted from None
        finally:
            rows = written.aggregates() if written else ()
            now = found if written else found.again()
            behind = projection.close(
                now.planned,
                now.records,
                [tracking.VariantAggregate(r.label, r.metrics, r.verdict, r.sentence) for r in rows],
                folder if written else None,
            )
    console.print(behind or f"To look at the runs in MLflow: {program()} ui")
    _refuse_failures(found)


def _run(found: Inventory, how: How, projection: "Projection") -> None:
    """Start the executor first: it takes seconds to get ready, torch's import and the rest fit into them."""
    executor: Executor
    if how.executor == "ray":
        from senet_lab.executors.ray_tune import RayTune
        from senet_lab.executors.slot import Slot

        executor = RayTune(Slot(how.cpus_per_trial, at_once=how.workers), how.gpus_per_trial, how.address)
    else:
        from senet_lab.executors.local import Local

        executor = Local()
    executor.start()
    from senet_lab import sweep
    from senet_lab.progress import Progress

    with Progress(console, found, found.plan.to_run(how.rerun)) as progress:

        def listener(step: "Step") -> None:
            progress(step)
            if step.record is None:
                projection.epochs(step.planned, step.epochs)
            else:
                projection.finished(step.record, step.planned)

        sweep.run(found, executor, listener, how.rerun, how.loaders)
    console.print(progress.sentence())


def report_only(found: Inventory, folder: Path, include_stale: bool) -> None:
    """`show_report`, where there is something to report. Raises UserError if not, and writes nothing."""
    counts = found.plan.counts()
    if not counts["done"] and not (counts["stale"] and include_stale):
        others = len(found.records) - len(found.counting)
        held = f"it holds {others} of other settings, seeds or code" if others else "it holds none of this sweep at all"
        raise UserError(
            f"{found.store.path}: no trial of this question is done; {held}. Give `report` the same --set, --seeds, "
            f"--recipe and --store as `sweep`, or run it first: {program()} sweep {found.question.name}"
        )
    show_report(found, folder, include_stale)


def show_report(found: Inventory, folder: Path, include_stale: bool = False) -> "Report":
    """Print the table and write the report's files into the sweep's own folder in `folder`."""
    from senet_lab.results import report

    name = found.question.name
    written = report.write(found.question, found.planned, found.records, folder / name, include_stale)
    console.print(written.terminal(console.width))
    if found.plan.counts()["stale"] and not include_stale:
        console.print(
            f"{found.plan.counts()['stale']} results are of code that has changed since and do not count: "
            f"--rerun stale added to the sweep command runs them again, "
            f"--include-stale added to the report command counts them as they are"
        )
    console.print(f"Written to {folder / name}: {', '.join(path.name for path in written.files)}", soft_wrap=True)
    return written


def serve_ui(port: int, tracking_uri: str | None) -> None:
    """The MLflow pages until Ctrl-C; prints where they are."""
    from senet_lab import tracking

    def ready(pages: Mapping[str, str]) -> None:
        for name, address in pages.items():
            console.print(f"[bold]{escape(name)}[/]: {escape(address)}", soft_wrap=True)
        console.print("Ctrl-C ends it")

    console.print("starting MLflow ...")
    tracking.serve(tracking_uri or tracking.default_uri(), port, ready)


def doctor(store: str, data_dir: Path, tracking_uri: str | None) -> None:
    """A line per finding. Raises UserError if something is wrong."""
    from senet_lab import doctor, tracking

    wrong = []
    for mark, what, text in doctor.examine(store, data_dir, tracking_uri or tracking.default_uri()):
        style = {"ok": "green", "note": "yellow", "wrong": "red"}[mark]
        console.print(f"[{style}]{mark:>5}[/]  [bold]{escape(what)}[/]: {escape(text)}")
        wrong += [what] if mark == "wrong" else []
    if wrong:
        raise UserError(f"{', '.join(wrong)}: see above for what to do")


def _refuse_failures(found: Inventory) -> None:
    counts = found.plan.counts()
    left = {state: counts[state] for state in ("failed", "missing", "interrupted") if counts[state]}
    if not left:
        return
    text = f"{', '.join(f'{n} {state}' for state, n in left.items())} of {len(found.planned)} trials"
    if failed := [r for r in found.counting if r.status == "failed"]:
        last = (failed[0].traceback or "").strip().splitlines()[-1:]
        text += f", e.g. {failed[0].variant} seed={failed[0].trial.seed}: {''.join(last)}"
    raise TrialsFailed(
        f"{text}. Whole tracebacks are in the record.json files under {found.store.path}; "
        f"to try the failed ones again, add --rerun failed to the same command"
    )
