"""The gates that a store's trials kept: figures and tables, from the run folders alone."""

from dataclasses import dataclass
from pathlib import Path

from senet_lab import inventory
from senet_lab.catalog import Question
from senet_lab.commands import Where, console
from senet_lab.errors import DataError, printable
from senet_lab.inventory import Inventory


@dataclass(frozen=True)
class Look:
    """What is looked at; None: as by default."""

    row: str | None = None
    seed: int | None = None
    classes: tuple[str, ...] | None = None
    with_paper: bool | None = None


def show_excitation(question: Question, where: Where, look: Look, folder: Path) -> None:
    """Print the tables and write the files beside the report's. Raises UserError where no gates were kept."""
    from senet_lab.results import activations, artifacts, load
    from senet_lab.results.kept import kept

    found = _held(question, where)
    gates = kept(question, load.trials(found.planned, found.records), found.records, found.store)
    answer = activations.analyse(gates, look.row, look.seed, look.classes, look.with_paper)
    written = artifacts.write_excitation(answer, folder / question.report_name)
    console.print(answer.terminal())
    names = ", ".join(path.name for path in written)
    console.print(printable(f"Drawn: {answer.title}"), soft_wrap=True, markup=False)
    console.print(printable(f"Written to {folder / question.report_name}: {names}"), soft_wrap=True, markup=False)


def _held(question: Question, where: Where) -> Inventory:
    """What the store has of the question; where the data are not at hand, by what its records say of them."""
    try:
        return inventory.take(question, where.store, where.data_dir)
    except DataError:
        found = inventory.remember(question, where.store)
        if not found.counting:
            raise
        return found
