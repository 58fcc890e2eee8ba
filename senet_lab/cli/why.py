"""`senet-lab why`: where a number comes from."""

from typing import Annotated

import typer

from senet_lab.options import DATA, RUNS, DataFolder, Json, Recipe, Seeds, Settings, StoreFolder, settings, typed

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
    json_: Json = False,
) -> None:
    """A row or number of a table, traced to its trials: ids, seeds, errors, commands, commits, versions, formula."""
    from senet_lab import commands
    from senet_lab.commands import why as tracing

    found = tracing.inventory(name, commands.Where(store, data_dir), settings(set_ or []), seeds, recipe)
    options = {"--store": store, "--data-dir": data_dir, "--seeds": seeds, "--recipe": recipe}
    tracing.why(found, name, typed("report", name.partition(":")[0].partition("+")[0], options, set_), json_)
