"""One network, looked at: its parts, its cost, and what is published of it."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from senet_lab import networks, recipes
from senet_lab.models.cost import Part, count, layout
from senet_lab.networks import Network
from senet_lab.records import Cost
from senet_lab.results import published
from senet_lab.spec import AnyModel, apply

PREFIX = "model."


def changed(network: Network, settings: dict[str, Any]) -> AnyModel:
    """The model of `network` with `settings` (`se.reduction`, or as in a sweep `model.se.reduction`) replaced."""
    trial = apply(recipes.DIGITS, {"model": network.model})
    return apply(trial, {PREFIX + key.removeprefix(PREFIX): value for key, value in settings.items()}).model


def show(console: Console, name: str, settings: dict[str, Any], size: int | None, classes: int | None) -> None:
    """Stages, output sizes, hidden widths, parameters and multiply-adds, beside the published ones."""
    network = networks.named(name)
    model = changed(network, settings)
    images = {"channels": network.channels, "size": size or network.size, "classes": classes or network.classes}
    cost = count(model, **images)
    parts = layout(model, **images)
    console.print(_parts(parts, Counter(str(unit.stage) for unit in model.units)))
    console.print(_totals(model, cost))
    asked = (size or network.size, classes or network.classes) == (network.size, network.classes)
    entries = published.counts(model) if asked else ()
    if entries:
        console.print(_published(entries, cost))
    else:
        console.print("No published counts of this network" + ("" if asked else " for such images") + ".")


def _parts(parts: tuple[Part, ...], units: Mapping[str, int]) -> Table:
    table = _table("stage", "units", "output", "SE hidden widths", "params", "mult-adds")
    for part in parts:
        table.add_row(
            part.name,
            str(units[part.name]) if part.name in units else "-",
            " x ".join(map(str, part.output)),
            _run_lengths(part.hidden) or "-",
            f"{part.params:,}",
            f"{part.macs:,}",
        )
    return table


def _totals(model: AnyModel, cost: Cost) -> str:
    return (
        f"[bold]{escape(model.name)}[/]: {cost.params:,} parameters, {cost.params_and_statistics:,} with batch-norm "
        f"statistics; {cost.macs:,} multiply-adds\n"
    )


def _published(entries: tuple[published.Counts, ...], cost: Cost) -> Table:
    table = _table("published", "params", "mult-adds")
    for entry in entries:
        table.add_row(escape(entry.reference), entry.params or "-", entry.macs or "-")
    ours = f"{cost.params / 1e6:.2f} M, {cost.params_and_statistics / 1e6:.2f} M with statistics"
    macs = f"{cost.macs / 1e9:.3f} G" if cost.macs >= 1e9 else f"{cost.macs / 1e6:.1f} M"
    table.add_row("[bold]this network[/]", ours, macs)
    table.caption = (
        "The paper's parameter columns agree if batch-norm statistics are counted; its GFLOPs are multiply-adds of "
        "convolutions and FC layers and one operation per element that a squeeze reads."
    )
    table.caption_justify = "left"
    return table


def _run_lengths(widths: list[int]) -> str:
    """16 x 3, 32 for three blocks of 16 units and one of 32."""
    runs: list[list[int]] = []
    for width in widths:
        if runs and runs[-1][0] == width:
            runs[-1][1] += 1
        else:
            runs.append([width, 1])
    return ", ".join(f"{width}" if times == 1 else f"{width} x {times}" for width, times in runs)


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number == 0 else "right", overflow="fold")
    return table
