"""Options of `senet-lab excitation`."""

from typing import Annotated

import typer

from senet_lab.options import (
    DATA,
    REPORTS,
    RUNS,
    DataFolder,
    IncludeStale,
    Recipe,
    Reports,
    Seeds,
    Settings,
    StoreFolder,
    Which,
    settings,
)


def excitation(
    sweep: Which,
    row: Annotated[str | None, typer.Option("--row", metavar="LABEL", help="Draw this row's network.")] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", min=0, help="Draw this seed's network, not the lowest's.")
    ] = None,
    classes: Annotated[
        str | None, typer.Option("--classes", metavar="A,B,...", help="A line each; the paper's four on ImageNet.")
    ] = None,
    paper: Annotated[
        bool, typer.Option("--paper", help="Draw the paper's curves too; always for its network.")
    ] = False,
    store: StoreFolder = RUNS,
    data_dir: DataFolder = DATA,
    set_: Settings = None,
    seeds: Seeds = None,
    recipe: Recipe = None,
    include_stale: IncludeStale = False,
    to: Reports = REPORTS,
) -> None:
    """What the SE blocks do: gates by class and channel (v4 Figs. 6, 7), and what seeds share. Runs nothing."""
    from senet_lab import commands
    from senet_lab.commands.excitation import Look, show_excitation

    look = Look(row, seed, None if classes is None else tuple(classes.split(",")), paper or None, include_stale)
    found = commands.asked(sweep, settings(set_ or []), seeds, recipe)
    show_excitation(found, commands.Where(store, data_dir), look, to)
