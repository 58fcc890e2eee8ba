"""`senet-lab cost`: what a sweep has used."""

import math
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


def _price(value: float | None) -> float | None:
    """Neither below 0 nor NaN nor infinity."""
    if value is not None and not 0 <= value < math.inf:
        raise typer.BadParameter("should be a number, 0 or more")
    return value


def cost(
    sweep: Which,
    store: StoreFolder = RUNS,
    data_dir: DataFolder = DATA,
    set_: Settings = None,
    seeds: Seeds = None,
    recipe: Recipe = None,
    until_decided: UntilDecided = False,
    include_stale: IncludeStale = False,
    cpu_hour: Annotated[
        float | None, typer.Option("--cpu-hour", metavar="PRICE", callback=_price, help="Of a core for an hour.")
    ] = None,
    gpu_hour: Annotated[
        float | None, typer.Option("--gpu-hour", metavar="PRICE", callback=_price, help="Of a GPU for an hour.")
    ] = None,
    kwh: Annotated[
        float | None, typer.Option("--kwh", metavar="PRICE", callback=_price, help="Of a kilowatt-hour, if metered.")
    ] = None,
    currency: Annotated[str, typer.Option("--currency", metavar="TEXT", help="Of the prices, e.g. EUR.")] = "",
    json_: Json = False,
) -> None:
    """What the sweep's store took: core and GPU hours by what they were for, energy, money. Runs nothing."""
    from senet_lab import commands

    found = commands.inventory(sweep, commands.Where(store, data_dir), settings(set_ or []), seeds, recipe)
    from senet_lab.commands.cost import look, show
    from senet_lab.results.ledger import Prices

    show(look(found, Prices(cpu_hour, gpu_hour, kwh, currency), include_stale, until_decided), json_)
