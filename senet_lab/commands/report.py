"""Tables and files of what the store holds."""

import contextlib
import importlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from senet_lab import apart, balance
from senet_lab.commands import console, to_type, waiting
from senet_lab.commands.sequential import ending
from senet_lab.credentials import without_credentials
from senet_lab.environment import cores
from senet_lab.errors import UserError, printable
from senet_lab.inventory import Inventory
from senet_lab.options import to_show
from senet_lab.spec import SELECTION_SEED

if TYPE_CHECKING:
    from senet_lab.results.provenance import Provenance
    from senet_lab.results.replay import State
    from senet_lab.results.report import Report


DRAWS = "senet_lab.results.artifacts"
"""The module that imports all that a report takes: seconds."""
MOST = 3
"""Helpers that draw: a report has five figures, and this process works, too."""
WRITING = "Writing the report"
"""What a terminal shows meanwhile."""
_prepared: list[apart.Helpers] = []
"""For the next report of this process."""


def prepare(ready: Callable[[], None]) -> None:
    """Begin to import what `show_report` takes, here, once `ready` returns, and where figures are drawn.

    A Ctrl-C cannot break these imports off: it goes to the main thread.
    """

    def imports() -> None:
        ready()
        importlib.import_module(DRAWS)

    threading.Thread(target=imports).start()
    if not _prepared and (helpers := _helpers()):
        _prepared.append(helpers)


def release() -> None:
    """End what `prepare` began, where no report has used it."""
    while _prepared:
        _prepared.pop().end()


def _helpers() -> apart.Helpers | None:
    """New ones, where they can be had and be of use."""
    with contextlib.suppress(OSError, RuntimeError):
        return apart.Helpers(min(cores() - 1, MOST), DRAWS) if cores() > 1 else None
    return None


@contextlib.contextmanager
def _help() -> Iterator[apart.Ask]:
    """Who is asked for figures."""
    helpers = _prepared.pop() if _prepared else _helpers()
    if helpers is None:
        yield apart.here
        return
    try:
        yield helpers.ask
    finally:
        helpers.end()


def answered(found: Inventory, include_stale: bool = False, until_decided: bool = False) -> "tuple[Inventory, Report]":
    """What the store says, by the file's seeds or by all looks, and the trials that it goes by.

    Raises UserError where the first look is not complete, and where it is not known yet what a study chooses.
    """
    from senet_lab.results import looks as seen
    from senet_lab.results import report, studies

    looks = None
    found, _ = studies.measured(found)
    if until_decided:
        looked = seen.complete(seen.look(found, include_stale))
        found, looks = looked.used, looked.state
    return found, report.of(found, include_stale, looks)


def with_spent(provenance: "Provenance", found: Inventory) -> "Provenance":
    """With what trials that have not ended used so far, as their checkpoints tell it: that needs torch."""
    from senet_lab.results.provenance import unfinished

    if not (ids := unfinished(provenance)):
        return provenance
    from senet_lab import checkpoints, files

    folders = {f.name.rpartition("_")[2]: f for f in files.folders(found.store.path)}
    spent = {i: sum(m.seconds for m in checkpoints.epochs(folders[i])) for i in ids if i in folders}
    return provenance.with_spent(spent)


def refuse_empty(found: Inventory, command: str, include_stale: bool = False) -> None:
    """Raises UserError where no trial counts, with what the store holds instead and what `command` may have missed."""
    counts = found.plan.counts()
    if counts["done"] or (counts["stale"] and include_stale):
        return
    others = len(found.records) - len(found.counting)
    held = f"it holds {others} of other settings, seeds or code" if others else "it holds none of this sweep at all"
    from senet_lab.results import keys

    counted = f"the table {keys.table(found.question, True)} counts" if command == "why" else "--include-stale counts"
    older = f"{counts['stale']} are of code that has changed since: {counted} them as they are. "
    raise UserError(
        f"{found.store.path}: no trial of this question is done; {held}. {older * bool(counts['stale'])}Give "
        f"`{command}` the same --set, --seeds, --recipe and --store as `sweep`, or run it first: "
        f"{to_type('sweep', found)}"
    )


def report_only(found: Inventory, folder: Path, include_stale: bool, until_decided: bool = False) -> None:
    """`show_report`, where there is something to report. Raises UserError if not, and writes nothing.

    MLflow is left alone, as it has one writer: `sweep` brings it these files, also where nothing is left to run.
    """
    refuse_empty(found, "report", include_stale)
    if not until_decided:
        show_report(found, folder, include_stale)
        return
    from senet_lab.results.looks import complete, look

    with waiting(WRITING):
        looked = complete(look(found, include_stale))
    show_report(looked.used, folder, include_stale, looked.state)
    console.print(ending(looked), soft_wrap=True, markup=False)


def show_report(found: Inventory, folder: Path, include_stale: bool = False, looks: "State | None" = None) -> "Report":
    """Print the table and write the report's files into the sweep's own folder in `folder`.

    With `looks`, it is of these, and `found` has the trials that they use.
    """
    with waiting(WRITING), _help() as ask:  # helpers import while this process does
        from senet_lab.results import artifacts, keys, provenance, report, studies

        found, _ = studies.measured(found)
        name = keys.table(found.question, include_stale, looks is not None)
        answer = report.of(found, include_stale, looks)
        assert answer.provenance is not None
        spent = with_spent(answer.provenance, found)
        answer = replace(answer, provenance=spent, images=provenance.images(found))
        written = artifacts.write(answer, folder / name, ask)
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
    if looks is None:
        for note in filter(None, ("" if include_stale else _uneven(found), _beyond(found), _by_looks(found))):
            console.print(printable(note), soft_wrap=True, markup=False)
    rest = f"and {len(written) - 1} files more: tables (csv, md, tex), figures (png, pdf, csv)"
    console.print(printable(f"Written to {folder / name}: {written[0].name}, {rest}"), soft_wrap=True, markup=False)
    return answer


def _uneven(found: Inventory) -> str:
    """Says that rows have unequal seeds, as after a command that was broken off."""
    _, torn = balance.whole(found.plan)
    if not torn:
        return ""
    return (
        f"Not whole yet, so that rows have unequal seeds: seed{'s' * (len(torn) > 1)} {balance.listed(torn)}. "
        f"Differences and verdicts are of the seeds that both rows have; do not compare means of rows with unequal n"
    )


def _beyond(found: Inventory) -> str:
    """Says that the store holds more seeds than were asked for."""
    rows, asked = {row.trial for row in found.question.rows}, found.question.sweep.seeds
    done = [r.trial for r in found.records if r.status == "done" and asked <= r.trial.seed < SELECTION_SEED]
    more = [t.seed for t in done if t.model_copy(update={"seed": 0}) in rows]
    if not more:
        return ""
    return (
        f"The store holds up to {max(more) + 1:,} seeds of these rows; this report is of the {asked:,} asked for. "
        f"--seeds {max(more) + 1} reports them all, --until-decided by its looks"
    )


def _by_looks(found: Inventory) -> str:
    """Says that trials of this report were added by looking, which its tests at .05 know nothing of."""
    counted = [r for r in found.counting if r.status == "done"]
    ran = {digest: found.store.environment(digest) for digest in dict.fromkeys(r.environment for r in counted)}
    looked = {digest: here.command for digest, here in ran.items() if here and "--until-decided" in here.command}
    if not looked:
        return ""
    added = sum(r.environment in looked for r in counted)
    command = without_credentials([*looked.values()][-1])
    return (
        f"Mind: {added} of these trials were added look after look by `{command}`; tests at .05 as if their number had "
        f"been fixed find too much. Report them with --until-decided and the same --seeds as there"
    )
