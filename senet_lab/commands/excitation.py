"""The gates that a store's trials kept: figures and tables, from the run folders alone."""

from dataclasses import dataclass
from pathlib import Path

from senet_lab import inventory, selection
from senet_lab.catalog import Question
from senet_lab.commands import Where, console, to_type
from senet_lab.errors import DataError, UserError, printable
from senet_lab.inventory import Inventory


@dataclass(frozen=True)
class Look:
    """What is looked at; None: as by default."""

    row: str | None = None
    seed: int | None = None
    classes: tuple[str, ...] | None = None
    with_paper: bool | None = None
    include_stale: bool = False


def show_excitation(question: Question, where: Where, look: Look, folder: Path) -> None:
    """Print the tables and write the files beside the report's. Raises UserError where no gates were kept."""
    from senet_lab.results import activations, artifacts, keys, load
    from senet_lab.results.kept import kept

    found = _held(question, where, look.include_stale)
    if not look.include_stale:
        _refuse_stale(found, look)
    trials = load.trials(found.planned, found.records, include_stale=look.include_stale)
    gates = kept(question, trials, found.records, found.store)
    answer = activations.analyse(gates, look.row, look.seed, look.classes, look.with_paper)
    place = folder / keys.table(question, look.include_stale)
    written = artifacts.write_excitation(answer, place)
    console.print(answer.terminal())
    if stale := int(gates.trials["stale"].sum()):
        console.print(f"{stale} of {len(gates.trials)} trials with SE are of older code")
    names = ", ".join(path.name for path in written)
    console.print(printable(f"Drawn: {answer.title}"), soft_wrap=True, markup=False)
    console.print(printable(f"Written to {place}: {names}"), soft_wrap=True, markup=False)


def _refuse_stale(found: Inventory, look: Look) -> None:
    """Raises UserError where all that could be looked at is of older code."""
    rows = [row for row in found.question.rows if row.trial.model.se is not None]
    if look.row is not None:
        rows = [row for row in rows if look.row in (row.label, row.label.partition("=")[2])]
    counts = [found.plan.counts(row.label) for row in rows]
    stale = sum(c["stale"] for c in counts)
    if stale and not any(c["done"] for c in counts):
        what = "all rows with SE" if look.row is None else look.row
        raise UserError(
            f"{found.question.name}: no trial of {what} is of the code of now, as that has changed since; "
            f"--include-stale looks at the {stale} of older code as they are, or run them again: "
            f"{to_type('sweep', found)} --rerun stale"
        )


def _held(question: Question, where: Where, include_stale: bool) -> Inventory:
    """What the store has of the question; where the data are not at hand, by what its records say of them."""
    try:
        found = inventory.take(question, where.store, where.data_dir)
        return selection.confirmed(found)
    except DataError:
        found = inventory.remember(question, where.store)
        found = selection.confirmed(found, remembered=True)
        if not found.counting and not (include_stale and found.plan.counts()["stale"]):
            raise
        return found
