"""The ledger: what all trials of a sweep in this store used, what for, and what that costs."""

import json
import math
from dataclasses import dataclass
from typing import Any

import pandas as pd
from rich import box
from rich.markup import escape
from rich.table import Table

from senet_lab import selection
from senet_lab.commands import console
from senet_lab.commands.report import answered, with_spent
from senet_lab.errors import UserError, printable
from senet_lab.inventory import Inventory
from senet_lab.results import ledger, stats
from senet_lab.results.ledger import Prices
from senet_lab.results.page import account
from senet_lab.results.provenance import Provenance, trace
from senet_lab.results.tables import LONGEST_LABEL, fold

MOST_SITTINGS = 12
"""That a terminal shows; of more the last ones."""
NO_METER = (
    "No energy was measured: that needs RAPL (Linux, /sys/class/powercap, most often readable by root alone) or an "
    "NVIDIA GPU."
)


@dataclass(frozen=True)
class Ledger:
    """A sweep's provenance with prices."""

    sweep: str
    store: str
    found: Provenance
    prices: Prices
    unknown: str = ""
    """Why nothing is in the table: it is not known what is chosen."""

    @property
    def kwh(self) -> float:
        """Of all meters."""
        return sum(ledger.kwh(self.found).values())

    @property
    def money(self) -> float | None:
        """For hours and energy; None where neither is known to have a price."""
        if not self.prices.hourly and (self.prices.kwh is None or not self.metered):
            return None
        used = ledger.purposes(self.found).iloc[-1]
        return self.prices.of(used["cpu_hours"], used["gpu_hours"], self.kwh)

    @property
    def metered(self) -> bool:
        """Whether energy was measured."""
        return bool(ledger.kwh(self.found))


def look(found: Inventory, prices: Prices, include_stale: bool = False, until_decided: bool = False) -> Ledger:
    """All that the sweep's store holds; "in the table" is what `report` counts with the same options.

    While it is not known what a study chooses, nothing is: what candidates took was spent all the same.
    """
    unknown = ""
    try:
        found = selection.confirmed(found)
    except UserError as error:
        unknown, provenance = str(error), trace(selection.everything(found), found.records, (), found.store)
    else:
        found, answer = answered(found, include_stale, until_decided)
        assert answer.provenance is not None
        provenance = answer.provenance
    return Ledger(found.question.name, str(found.store.path), with_spent(provenance, found), prices, unknown)


def show(book: Ledger, json_only: bool = False) -> None:
    """By purpose, row and sitting, then the words for a paper. Or all of it as JSON."""
    if json_only:
        print(json.dumps(as_json(book), indent=1))
        return
    if not book.found.runs["attempts"].any() and not book.found.sittings:
        console.print(f"{book.store}: no trial of this sweep has run here", markup=False, soft_wrap=True)
        return
    console.print(f"What all trials of {book.sweep} in the store used, by what for", markup=False)
    console.print(_table(_purposes(book)), "\nBy row", _table(_rows(book.found)), "")
    if len(told := account.sittings(book.found)):
        earlier = f", the last {MOST_SITTINGS} of {len(told)}" * (len(told) > MOST_SITTINGS)
        console.print(f"Each time that trials were run{earlier}", _table(told.iloc[-MOST_SITTINGS:]))
        console.print(account.legend(told), "", sep="\n", soft_wrap=True, markup=False)
    for note in notes(book):
        console.print(printable(note), soft_wrap=True, markup=False)
    answer, text = ledger.statement(book.found)
    console.print(f"\nFor a paper's checklist (compute resources: {answer}):", soft_wrap=True, markup=False)
    console.print(printable(text), soft_wrap=True, markup=False)


def notes(book: Ledger) -> list[str]:
    """What is to be known of the numbers, and what energy adds to them."""
    used = ledger.energy(book.found) or NO_METER
    said = [f"Nothing is in the table: {book.unknown}."] if book.unknown else []
    said += ["Hours: for which a core or a GPU was held, a GPU's by the part that was.", used]
    if (money := book.money) is not None and book.prices.kwh is not None:
        said.append(
            f"{'With' if book.metered else 'Money without'} energy: {_amount(money)} {book.prices.currency}".rstrip()
            + "."
        )
    return said + ledger.not_known(book.found)


def _purposes(book: Ledger) -> pd.DataFrame:
    frame = ledger.purposes(book.found, book.prices)
    shown = {
        "": frame["purpose"],
        "trials": frame["trials"].map("{:,}".format),
        "CPU-hours": frame["cpu_hours"].map(_hours),
        "GPU-hours": frame["gpu_hours"].map(_hours),
        "share": frame["share"].map(lambda share: "-" if math.isnan(share) else f"{100 * share:.0f} %"),
        book.prices.currency or "money": frame["money"].map(_amount),
    }
    if not frame["gpu_hours"].any():
        del shown["GPU-hours"]
    if not book.prices.hourly:
        shown.popitem()
    return pd.DataFrame(shown, dtype="str")


def _rows(found: Provenance) -> pd.DataFrame:
    frame = found.compute()
    columns = {
        "row": frame["variant"].replace(account.OTHERS).map(lambda label: fold(label, LONGEST_LABEL)),
        "trials": frame["trials"].map("{:,}".format),
        "mean time": frame["each"].map(lambda s: "-" if math.isnan(s) else stats.duration(s) if s >= 1 else "< 1 s"),
        "time": frame["seconds"].map(lambda s: stats.duration(s) if s else "-"),
        "failed": frame["failed"].map("{:,}".format),
        "interrupted": frame["interrupted"].map("{:,}".format),
        "their time": (frame["failed_seconds"] + frame["interrupted_seconds"]).map(
            lambda s: stats.duration(s) if s else "-"
        ),
    }
    shown = pd.DataFrame(columns, dtype="str")
    return shown if frame[["failed", "interrupted"]].any(axis=None) else shown.iloc[:, :4]


def _table(frame: pd.DataFrame) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for number, name in enumerate(frame):
        table.add_column(escape(str(name)), justify="right" if number else "left", overflow="fold")
    for _, line in frame.iterrows():
        table.add_row(*(escape(printable(str(cell))) for cell in line))
    return table


def _hours(hours: float) -> str:
    return f"{hours:,.{4 if hours < 0.1 else 2 if hours < 100 else 0}f}"


def _amount(money: float) -> str:
    return f"{money:,.{4 if money < 0.1 else 2}f}"


def as_json(book: Ledger) -> dict[str, Any]:
    """The ledger as `cost --json` prints it. Keys are only ever added; null: not known.

    `sweep`, `store`, `purposes` (the columns of `ledger.purposes`, `money` null where hours have no price; the last
    line is of all), `rows` (those of
    `provenance.compute`), `sittings` (those of `ledger.sittings`), `kwh` (meter -> kilowatt-hours), `prices`,
    `money` (hours and energy; null without a price of what is known), `statement` (the words for a checklist).
    """
    prices = book.prices
    frames = {
        "purposes": ledger.purposes(book.found, prices),
        "rows": book.found.compute(),
        "sittings": ledger.sittings(book.found),
    }
    lines = {name: [_plain(line) for line in frame.to_dict(orient="records")] for name, frame in frames.items()}
    told = {"cpu_hour": prices.cpu_hour, "gpu_hour": prices.gpu_hour, "kwh": prices.kwh, "currency": prices.currency}
    rest = {"kwh": ledger.kwh(book.found), "prices": told, "money": book.money}
    return {"sweep": book.sweep, "store": book.store} | lines | rest | {"statement": ledger.statement(book.found)[1]}


def _plain(line: "dict[Any, Any]") -> dict[str, Any]:
    """A line as JSON has it: no NaN."""
    return {str(k): None if isinstance(v, float) and math.isnan(v) else v for k, v in line.items()}
