"""How many seeds a difference needs: a table, or JSON, and the command that adds them."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from rich import box
from rich.markup import escape
from rich.table import Table

from senet_lab import catalog, data
from senet_lab import inventory as inventories
from senet_lab.commands import console
from senet_lab.design import baselines
from senet_lab.expected import Expected, by_done_trials, by_probe, slots
from senet_lab.inventory import Inventory
from senet_lab.results import load, planner
from senet_lab.results.paired import CONFIDENCE, MOST_SEEDS, POWER
from senet_lab.results.stats import LOOKING_AGAIN, duration, points

SEEN, ASSUMED, GIVEN = "seen", "assumed", "given"


@dataclass(frozen=True)
class Needs:
    """What a question's comparisons need, with the time of it."""

    found: Inventory
    aim: planner.Aim
    frame: pd.DataFrame
    """As of `planner.needs`, and `further` (seeds that are not there yet, by the safe spread) and `seconds` (of
    wall time, both rows; NaN where nothing tells)."""
    images: int
    """Of the test set."""
    wanted: int | None
    """Seeds for all rows that find the difference everywhere; None if more than 10,000."""
    expected: Expected | None
    """Of all trials that `wanted` seeds lack."""
    command: str | None
    """That runs them."""
    due: int = 0
    """Trials that `wanted` seeds lack."""


def look(found: Inventory, command: str, detect: float | None, spread: float | None, probe_seconds: float) -> Needs:
    """What `found` needs for a difference of `detect` points, by a spread of `spread` points where it is given."""
    sweep, rows = found.question.sweep, found.question.rows
    images = min(data.facts(row.trial.data, found.data_dir).test for row in rows)
    aim = planner.Aim(
        detect=sweep.margin if not detect else detect / 100,
        margin=sweep.margin,
        assumed=planner.independent_spread(images),
        spread=spread / 100 if spread else None,
    )
    trials, labels = load.trials(found.planned, found.records), load.rows(found.planned)
    frame = planner.needs(trials, labels, baselines(sweep, rows), aim)
    most = frame["seeds_safe"].max(skipna=False)
    wanted = None if math.isnan(most) else max(int(most), sweep.seeds)
    expected, lacking = None, 0
    if wanted is not None and wanted <= MOST_SEEDS:
        whole = inventories.take(catalog.with_seeds(found.question, wanted), found.store.root, found.data_dir)
        due, places = whole.plan.to_run(), slots(None)
        lacking = len(due)
        expected = by_done_trials(whole, due, places)
        if expected is None and due and probe_seconds:
            expected = by_probe(whole, due, places, probe_seconds)
    frame["further"] = (frame["seeds_safe"] - frame["n_pairs"]).clip(lower=0)
    each = {row.label: expected.each(row.trial) if expected else None for row in rows}
    frame["seconds"] = [_seconds(line, each) / slots(None) for _, line in frame.iterrows()]
    text = f"{command} --seeds {wanted}" if wanted else None
    return Needs(found, aim, frame, images, wanted, expected, text, lacking)


def _seconds(line: "pd.Series[Any]", each: Mapping[str, float | None]) -> float:
    """Of the further seeds of a row and of what it is compared to, one after another; `each`: row -> of a trial."""
    if line["further"] == 0:
        return 0.0
    known = [each[line[name]] for name in ("variant", "baseline")]
    return math.nan if None in known else float(line["further"] * sum(filter(None, known)))


def show(needs: Needs, json_only: bool) -> None:
    """The table, what its numbers assume, and what to type. Or all of it as JSON."""
    if json_only:
        print(json.dumps(as_json(needs), indent=1))
        return
    console.print(_table(needs))
    console.print(escape(_advice(needs)), soft_wrap=True)


def _table(needs: Needs) -> Table:
    """Two lines a row: a number, and below it how sure that is."""
    table = Table(
        title=escape(f"{needs.found.question.name}: seeds to find {points(needs.aim.detect)}"),
        caption=escape(_caption(needs)),
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("variant", overflow="fold")
    heads = ("n", "spread\n[95 %]", "n seeds find\n[95 %]", "seeds\n(safe)", "further,\ntime", "equivalent\n(safe)")
    for head in heads:
        table.add_column(escape(head), justify="right", no_wrap=True)
    for _, line in needs.frame.iterrows():
        below = _interval(line["spread_low"], line["spread_high"]) or line["source"]
        cells = (
            str(line["n_pairs"]),
            f"{_points(line['spread'])}\n{below}",
            f"{_points(line['finds'])}\n{_interval(line['finds_low'], line['finds_high'])}",
            f"{_count(line['seeds'])}\n({_count(line['seeds_safe'])})",
            f"{_count(line['further'], '+')}\n{duration(line['seconds']).removeprefix('time ')}",
            f"{_count(line['equivalent'])}\n({_count(line['equivalent_safe'])})",
        )
        table.add_row(escape(line["variant"]), *map(escape, cells))
    return table


def _points(fraction: float) -> str:
    return "-" if math.isnan(fraction) else f"{100 * fraction:.2f}"


def _interval(low: float, high: float) -> str:
    return "" if math.isnan(low) else f"[{100 * low:.2f},{100 * high:.2f}]"


def _count(seeds: float, sign: str = "") -> str:
    return f"> {MOST_SEEDS:,}" if math.isnan(seeds) else f"{seeds:{sign * (seeds > 0)},.0f}"


def _caption(needs: Needs) -> str:
    """What is assumed: everything."""
    frame, aim = needs.frame, needs.aim
    sources, against = set(frame["source"]), frame["baseline"].unique()
    other = against[0] if len(against) == 1 else "what it is compared to"
    power = f"{100 * POWER:g} %"
    holm = f" (Holm's first step over {len(frame)} comparisons)" if len(frame) > 1 else ""
    sentences = (
        f"In points of test error. n: seeds that a row has in common with {other}.",
        "Spread: sd of the difference over seeds, taken as normal." if sources != {GIVEN} else "",
        "Its interval is by chi-square." if SEEN in sources else "",
        f"Given: --spread {100 * (aim.spread or 0):g}." if GIVEN in sources else "",
        f"Assumed, as no seeds tell it: two independent networks with an error of {100 * planner.ASSUMED_ERROR:g} % on "
        f"{needs.images:,} test images, sqrt(2 x .05 x .95 / {needs.images}); --spread POINTS replaces it."
        if ASSUMED in sources
        else "",
        f"Find: with {power} power, paired t test at {frame['level'].iloc[0]:.2g}{holm}.",
        f"Safe: by the upper {100 * CONFIDENCE:g} % limit of the spread; further seeds and their time go by it."
        if SEEN in sources
        else "",
        f"Equivalent: seeds that show equivalence within {points(aim.margin)} with {power} power if there is no "
        f"difference.",
        f"Time: of the row and {other}, {_basis(needs)}.",
    )
    return " ".join(s for s in sentences if s)


def _basis(needs: Needs) -> str:
    expected = needs.expected
    if expected is None and needs.wanted is None:
        return "not known for so many"
    if expected is None:
        return "not known: no trial is done, and no probe was made" if needs.due else "none: all seeds are there"
    by = "trials that are done" if expected.source == "done trials" else "a probe"
    slots = expected.forecast.slots
    return f"on {slots} slot{'s' * (slots > 1)}, by {by}"


def _advice(needs: Needs) -> str:
    """What to type, and what that costs."""
    now = needs.found.question.sweep.seeds
    if needs.wanted is None:
        return (
            f"more than {MOST_SEEDS:,} seeds would be needed to find {points(needs.aim.detect)} in every row; "
            f"ask for a greater difference: --detect POINTS"
        )
    if needs.expected is None and needs.wanted == now:
        return f"{now} seeds a row, as asked for, are enough"
    time = needs.expected.sentence if needs.expected else "nothing tells how long that takes"
    lacking = f"The trials that {needs.wanted:,} seeds of all rows lack take {time}\nTo run them: {needs.command}"
    return f"{lacking}\n{LOOKING_AGAIN}" if needs.frame["n_pairs"].any() else lacking


def as_json(needs: Needs) -> dict[str, Any]:
    """The needs as `seeds --json` prints them. Keys are only ever added; null: not known, or more than 10,000 seeds.

    `sweep`, `detect`, `margin` (fractions), `power`, `seeds` (asked for now), `test_images`, `assumed_spread`,
    `wanted_seeds` (for all rows), `forecast` (of the trials that these lack: `seconds`, `low_seconds`, `high_seconds`,
    `source`, `slots`), `command` (that runs them), `comparisons`: the columns of `planner.needs`, `further` and
    `seconds` (wall time of these).
    """
    expected = needs.expected
    told = expected and {
        "seconds": expected.forecast.seconds,
        "low_seconds": expected.forecast.low,
        "high_seconds": expected.forecast.high,
        "source": expected.source,
        "slots": expected.forecast.slots,
    }
    lines = needs.frame.to_dict(orient="records")
    return {
        "sweep": needs.found.question.name,
        "detect": needs.aim.detect,
        "margin": needs.aim.margin,
        "power": POWER,
        "seeds": needs.found.question.sweep.seeds,
        "test_images": needs.images,
        "assumed_spread": needs.aim.assumed,
        "wanted_seeds": needs.wanted,
        "forecast": told,
        "command": needs.command,
        "comparisons": [{str(key): _plain(value) for key, value in line.items()} for line in lines],
    }


def _plain(value: Any) -> Any:
    """A cell as JSON has it: no NaN."""
    return None if isinstance(value, float) and math.isnan(value) else value
