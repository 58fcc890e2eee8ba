"""`senet-lab interaction`: one sweep in several settings."""

from typing import Annotated

import typer

from senet_lab.options import DATA, REPORTS, RUNS, DataFolder, Reports, Seeds, Settings, StoreFolder, Which, settings


def interaction(
    sweep: Which,
    recipe: Annotated[
        list[str] | None,
        typer.Option(
            "--recipe",
            metavar="NAME",
            help="A setting; may be repeated. Others are set against the first, one alone against the file's.",
        ),
    ] = None,
    store: StoreFolder = RUNS,
    data_dir: DataFolder = DATA,
    set_: Settings = None,
    seeds: Seeds = None,
    to: Reports = REPORTS,
) -> None:
    """Does the effect of a row differ between settings? Differences of differences; runs nothing."""
    from senet_lab import commands
    from senet_lab.commands.interaction import show_interaction

    where = commands.Where(store, data_dir)
    show_interaction(sweep, where, recipe or [], settings(set_ or []), seeds, to)
