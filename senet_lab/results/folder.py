"""The folder that a report is written into. Needs neither pandas nor matplotlib, so that a sweep can ask first."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from senet_lab.errors import UserError

FIGURES = ("error", "differences", "cost", "curves")


def of_figure(name: str) -> tuple[str, ...]:
    """A figure's files: the picture to look at and to print, and what it draws."""
    return f"{name}.png", f"{name}.pdf", f"{name}.csv"


TABLES = ("table.csv", "table.md", "table.tex", "macros.tex", "table_alone.tex", "trials.csv", "columns.csv")
FILES = ("report.html", *TABLES, *(file for name in FIGURES for file in of_figure(name)))
PUBLISHED = (*of_figure("published"), "paper.csv", "protocol.csv")
"""Written besides where a published table is set beside the rows."""
STUDIED = ("budget", "front", "importance", "parallel", "slices")
SELECTION = ("selection.csv", "chosen.csv", *(file for name in STUDIED for file in of_figure(name)))
"""Written besides where studies chose; some figures of a search only."""
FORMER = of_figure("figure")
"""Written by earlier versions."""


def check_folder(folder: Path) -> None:
    """Try whether a report could be written into `folder`, leaving nothing behind.

    Raises UserError saying what is in the way.
    """
    with writing(folder):
        try:
            _try(folder)
        except FileNotFoundError:  # another command that tried at the same moment took its folder away again
            _try(folder)


def _try(folder: Path) -> None:
    absent = [p for p in (folder, *folder.parents) if not p.exists()]
    made: list[Path] = []
    try:
        for path in reversed(absent):
            path.mkdir(exist_ok=True)
            made.append(path)
        with tempfile.TemporaryFile(dir=folder):
            pass
        for path in (p for p in map(folder.joinpath, FILES + PUBLISHED + SELECTION) if p.exists()):
            path.open("ab").close()  # changes nothing, but finds a folder or a file that may not be written
    finally:
        for path in reversed(made):
            with suppress(OSError):  # it is the other command's now
                path.rmdir()


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """What goes wrong inside is told as a UserError that names the remedy."""
    try:
        yield
    except OSError as error:
        where = f" at {error.filename}" if isinstance(error.filename, str) else ""
        raise UserError(
            f"the report cannot be written into {folder}: {error.strerror or error}{where}; "
            f"choose another folder with --to DIR"
        ) from None
