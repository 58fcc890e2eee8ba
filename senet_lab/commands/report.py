"""Tables and files of what the store holds."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from senet_lab.commands import console
from senet_lab.environment import program
from senet_lab.errors import UserError, printable
from senet_lab.inventory import Inventory
from senet_lab.options import to_show

if TYPE_CHECKING:
    from senet_lab.results.report import Report


def report_only(found: Inventory, folder: Path, include_stale: bool) -> None:
    """`show_report`, where there is something to report. Raises UserError if not, and writes nothing.

    MLflow is left alone, as it has one writer: `sweep` brings it these files, also where nothing is left to run.
    """
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
    from senet_lab.results import artifacts, provenance, report

    name = found.question.report_name + "+stale" * include_stale
    answer = report.analyse(found.question, found.planned, found.records, include_stale, found.store)
    answer = replace(answer, images=provenance.images(found))
    written = artifacts.write(answer, folder / name)
    console.print(answer.terminal(console.width))
    if failed := [t for t, state in found.plan.trials if state == "failed"]:
        why = to_show(found.store.root, failed[0].id)
        console.print(f"{len(failed)} trials failed and do not count; why: {why}", soft_wrap=True, markup=False)
    if found.plan.counts()["stale"] and not include_stale:
        console.print(
            f"{found.plan.counts()['stale']} results are of code that has changed since and do not count: "
            f"--rerun stale added to the sweep command runs them again, "
            f"--include-stale added to the report command counts them as they are"
        )
    files = ", ".join(path.name for path in written)
    console.print(printable(f"Written to {folder / name}: {files}"), soft_wrap=True, markup=False)
    return answer
