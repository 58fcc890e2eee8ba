"""`senet-lab compare`: one pair of rows."""

from typing import Annotated

import typer

from senet_lab.options import (
    DATA,
    RUNS,
    DataFolder,
    IncludeStale,
    Json,
    Recipe,
    Seeds,
    Settings,
    StoreFolder,
    UntilDecided,
    Which,
    settings,
)

Row = Annotated[str, typer.Argument(metavar="ROW", help="A row's label, e.g. reduction=8, or the value alone: 8.")]


def compare(
    sweep: Which,
    a: Row,
    b: Row,
    store: StoreFolder = RUNS,
    data_dir: DataFolder = DATA,
    set_: Settings = None,
    seeds: Seeds = None,
    recipe: Recipe = None,
    include_stale: IncludeStale = False,
    until_decided: UntilDecided = False,
    prose: Annotated[bool, typer.Option("--prose", help="Only the sentences to paste into a paper.")] = False,
    json_: Json = False,
) -> None:
    """Two rows in full: difference, tests, classes, images, and a sentence to paste. Runs nothing."""
    from senet_lab import commands
    from senet_lab.commands.compare import Shown, show

    found = commands.answers(sweep, commands.Where(store, data_dir), settings(set_ or []), seeds, recipe)
    show(found, (a, b), Shown(prose, json_, include_stale, until_decided))
