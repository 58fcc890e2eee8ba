"""What the commands do, apart from reading their options. Everything with torch is imported where it is used."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from senet_lab import catalog
from senet_lab import inventory as inventories
from senet_lab.credentials import without_credentials
from senet_lab.environment import program
from senet_lab.errors import Interrupted, TrialsFailed, UserError, printable, shown
from senet_lab.inventory import Inventory
from senet_lab.options import to_show
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


def inventory(sweep: str, where: Where, changes: dict[str, Any], seeds: int | None, recipe: str | None) -> Inventory:
    """The question that the options name, set against the store; operators of its file are tried out first."""
    question = catalog.read(catalog.find(sweep))
    if changes or seeds is not None or recipe is not None:
        question = catalog.derive(question, changes, seeds=seeds, recipe=recipe)
    if question.own is not None:
        from senet_lab.blocks.own import try_out

        for trial in {row.trial.model: row.trial for row in question.rows}.values():
            try_out(trial, question.own)
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
    executor = _executor(how, bool(found.plan.to_run(how.rerun)))
    with found.store.locked(console.print):
        found = found.again()  # another command may have worked on it until now
        projection = tracking.Projection(found.question, uri, found.store.environment)
        written: Report | None = None
        try:
            if found.plan.to_run(how.rerun):
                _run(found, how, executor, projection)
                found = found.again()
            else:
                inventories.keep_labels(found)  # stores of older versions have none
                console.print(f"{found.plan.counts()['done']} of {len(found.planned)} trials are done; nothing to run")
            projection.settle()
            written = show_report(found, how.reports)
        except KeyboardInterrupt:
            raise Interrupted from None
        finally:
            rows = written.aggregates() if written else ()
            now = found if written else _latest(found)
            behind = projection.close(
                now.planned,
                now.records,
                [tracking.VariantAggregate(r.label, r.metrics, r.verdict, r.sentence) for r in rows],
                folder if written else None,
            )
    page = without_credentials(uri) if uri.startswith("http") else f"{program()} ui"
    console.print(behind or f"To look at the runs in MLflow: {page}", markup=False, soft_wrap=True)
    _refuse_failures(found)


def _latest(found: Inventory) -> Inventory:
    """What the store holds now; if it cannot be read any more, what it held: the first error is the one to tell."""
    try:
        return found.again()
    except UserError:
        return found


def _executor(how: How, needed: bool) -> "Executor":
    """What runs the trials. Raises UserError for what cannot be had, before anything is written, if it is `needed`."""
    if how.executor == "local":
        if how.address is not None:
            raise UserError(f"--address {shown(how.address)}: that is for --executor ray; leave one of the two out")
        from senet_lab.executors.local import Local

        return Local()
    from senet_lab.executors.ray_tune import RayTune
    from senet_lab.executors.slot import Slot

    executor = RayTune(Slot(how.cpus_per_trial, at_once=how.workers), how.gpus_per_trial, how.address)
    if needed:
        executor.refuse_impossible()
    if needed and how.address:
        where = without_credentials(how.address)
        console.print(f"On the Ray cluster at {where}; should it or the connection go away, type this again")
    return executor


def _run(found: Inventory, how: How, executor: "Executor", projection: "Projection") -> None:
    """Start the executor first: it takes seconds to get ready, torch's import and the rest fit into them."""
    executor.start()
    from senet_lab import expected, sweep
    from senet_lab.progress import Progress

    due = found.plan.to_run(how.rerun)
    places = expected.slots(how.workers, how.gpus_per_trial, how.cpus_per_trial) if how.executor == "ray" else 1
    told = None if how.address else expected.by_done_trials(found, due, places)  # who knows what a cluster has free
    if told:
        console.print(f"The trials to run will take {told.sentence}", soft_wrap=True)
    with Progress(console, found, due) as progress:

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
    if failed := [t for t, state in found.plan.trials if state == "failed"]:
        why = to_show(found.store.root, failed[0].id)
        console.print(f"{len(failed)} trials failed and do not count; why: {why}", soft_wrap=True, markup=False)
    if found.plan.counts()["stale"] and not include_stale:
        console.print(
            f"{found.plan.counts()['stale']} results are of code that has changed since and do not count: "
            f"--rerun stale added to the sweep command runs them again, "
            f"--include-stale added to the report command counts them as they are"
        )
    files = ", ".join(path.name for path in written.files)
    console.print(printable(f"Written to {folder / name}: {files}"), soft_wrap=True, markup=False)
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
    remedy = "to run what is left, type the same command again"
    if failed := [r for r in found.counting if r.status == "failed"]:
        first = failed[0]
        last = (first.traceback or "").strip().splitlines()[-1:]
        text += f", e.g. {first.variant} seed={first.trial.seed}: {without_credentials(''.join(last))}"
        remedy = (
            f"{to_show(found.store.root, first.id)} shows its whole traceback; "
            f"to try the failed ones again, add --rerun failed to the same command"
        )
    raise TrialsFailed(f"{text}. {remedy}")
