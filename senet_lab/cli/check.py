"""`senet-lab check`: a paper against the store."""

from pathlib import Path
from typing import Annotated

import typer

from senet_lab.options import DATA, RUNS, DataFolder, StoreFolder

Paper = Annotated[Path, typer.Argument(metavar="PAPER.TEX", help="Its main file; those it inputs are read, too.")]
Sweeps = Annotated[
    list[Path] | None,
    typer.Option("--sweep", metavar="FILE", help="A sweep file that the paper names by a path; may be repeated."),
]


def check(paper: Paper, store: StoreFolder = RUNS, data_dir: DataFolder = DATA, sweep: Sweeps = None) -> None:
    """Fails if a number in the paper is not that of the store: its macros, pasted rows, and numbers that are marked."""
    from senet_lab import commands
    from senet_lab.commands.check import check as compare

    compare(paper, commands.Where(store, data_dir), sweep or [])
