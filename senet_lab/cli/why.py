"""`senet-lab why`: where a number comes from."""

from pathlib import Path
from typing import Annotated

import typer

from senet_lab.options import DATA, RUNS, DataFolder, Json, Recipe, Seeds, Settings, StoreFolder, settings

Name = Annotated[
    str,
    typer.Argument(metavar="TABLE:ROW[:COLUMN]", help="A sweep or report, a row's label, and error, difference, ..."),
]


def why(
    name: Name,
    store: StoreFolder = RUNS,
    data_dir: DataFolder = DATA,
    set_: Settings = None,
    seeds: Seeds = None,
    recipe: Recipe = None,
    sweep: Annotated[
        Path | None,
        typer.Option("--sweep", metavar="FILE", help="The sweep's file, where the name is of one given by path."),
    ] = None,
    json_: Json = False,
) -> None:
    """A row or number of a table, traced to its trials: ids, seeds, errors, commands, commits, versions, formula."""
    from senet_lab import commands
    from senet_lab.commands import why as tracing

    asked, where = tracing.sweep_of(name, sweep), commands.Where(store, data_dir)
    tracing.why(tracing.inventory(name, asked, where, settings(set_ or []), (seeds, recipe)), name, json_)
