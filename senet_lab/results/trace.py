"""Where the numbers of a row come from: its trials, the commands and commits that ran them, and the formula."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from senet_lab.credentials import without_credentials
from senet_lab.errors import UserError, choices, shown
from senet_lab.inventory import Inventory
from senet_lab.plan import PlannedTrial
from senet_lab.records import Environment, TrialRecord
from senet_lab.results import keys, selected
from senet_lab.results.cells import COLUMNS, FACTS, Row, Sheet
from senet_lab.results.report import Report

FORMULAS: dict[str, str] = {
    "error": "100 x mean over seeds of (wrong test images / test images)",
    "error.low": "error - t(.975, n-1) x sd / sqrt(n), Student's t over seeds",
    "error.high": "error + t(.975, n-1) x sd / sqrt(n), Student's t over seeds",
    "error.sd": "100 x sample standard deviation (n - 1) over seeds",
    "n": "number of the row's trials that are done",
    "difference": "100 x mean over common seeds of (test error - test error of {baseline})",
    "difference.low": "difference - t(1 - {level:.4g}/2, n-1) x sd / sqrt(n) of the differences",
    "difference.high": "difference + t(1 - {level:.4g}/2, n-1) x sd / sqrt(n) of the differences",
    "difference.n": "seeds of which both this row and {baseline} have a trial",
    "p": "paired t test over common seeds, Holm-adjusted over the {family:.0f} comparisons of the table",
    "verdict": "better, worse: p < {alpha:g}; equivalent: two one-sided t tests, Holm-adjusted, against the margin",
    "baseline": "the sweep's file: baseline= or counterpart=",
    "params": "counted in the network of any of these trials",
    "macs": "counted in the network of any of these trials, one image, forward",
    "seconds": "mean over seeds of the trials' wall time",
}
"""Column -> how its number comes of the trials, in a line."""
LOOKS: dict[str, str] = {
    "p": "paired t test over the common seeds of look {look}, Holm-adjusted over those of the {family:.0f} "
    "comparisons that no earlier look found different, times {times}: look k spends {alpha:g} / (k (k + 1))",
    "verdict": "better, worse: p < {alpha:g}; equivalent: two one-sided t tests against the margin, adjusted like p "
    "for comparisons and looks",
}
"""The same where seeds were added until rows were decided, as far as it differs."""
PAIRED = ("difference", "p", "verdict", "baseline")
"""Columns that need the baseline's trials, with all that begins like them."""


@dataclass(frozen=True)
class Source:
    """A trial that a number is made of."""

    variant: str
    seed: int
    record: TrialRecord
    folder: str
    stale: bool
    """Its code is not that of now."""

    @property
    def wrong(self) -> int:
        """Test images."""
        test = self.record.test
        return round(test.error * test.images) if test else 0


@dataclass(frozen=True)
class Sitting:
    """What some of the trials have in common: the command, commit and machine that made them, and the data."""

    environment: Environment | None
    """None: the store does not have it (any more)."""
    device: str
    data: str
    """Digest of its content."""
    trials: tuple[Source, ...]

    @property
    def codes(self) -> dict[str, tuple[str, ...]]:
        """Digest of the code that answered -> the rows whose trials it made."""
        found: dict[str, dict[str, None]] = {}
        for source in self.trials:
            found.setdefault(source.record.code, {})[source.variant] = None
        return {code: tuple(labels) for code, labels in found.items()}


@dataclass(frozen=True)
class Trace:
    """A row's numbers with all that they come from."""

    name: str
    row: Row
    columns: tuple[str, ...]
    formulas: Mapping[str, str]
    baseline: str | None
    """The row whose trials are needed, too."""
    sources: tuple[Source, ...]
    sittings: tuple[Sitting, ...]
    missing: int
    """Trials of the row that the table asks for and the store has not."""
    winner: selected.Winner | None = None
    """What chose the row's settings; None where they stand in the sweep's file."""


def find(sheet: Sheet, name: str) -> tuple[Row, str | None]:
    """The row that `name`, `table:row[:column]`, names, and the column. Raises UserError with what comes near."""
    table, _, rest = name.partition(":")
    rows = {line.label: line for line in sheet.rows}
    if not rest:
        raise UserError(f"{shown(name)}: which row? Give {table}:ROW or {table}:ROW:COLUMN; rows: {', '.join(rows)}")
    if rest in rows:
        return rows[rest], None
    label, _, column = rest.rpartition(":")
    if label in rows and column in COLUMNS:
        return rows[label], column
    if label in rows:
        raise UserError(f"{shown(name)}: there is no column {shown(column)}; {choices(column, list(COLUMNS))}")
    if rest in FACTS:
        raise UserError(f"{shown(name)}: {FACTS[rest]}, {sheet.facts[rest]}: set in the sweep's file or by options")
    wanted = label if column in COLUMNS else rest
    raise UserError(f"{shown(name)}: the table has no row {shown(wanted)}; {choices(wanted, list(rows))}")


def trace(found: Inventory, report: Report, sheet: Sheet, name: str) -> Trace:
    """All that the number or row `name` of the report comes from. Raises UserError for a name that is not there."""
    row, column = find(sheet, name)
    compared = {line["variant"]: line for _, line in report.comparison.iterrows()}.get(row.label)
    columns = (column,) if column else tuple(COLUMNS)
    paired = compared is not None and any(c.partition(".")[0] in PAIRED for c in columns)
    baseline = str(compared["baseline"]) if compared is not None and paired else None
    sources = tuple(_sources(found, report, [row.label, *([baseline] if baseline else [])]))
    return Trace(
        keys.name(sheet.name, row.label, *([column] if column else [])),
        row,
        columns,
        {c: _formula(c, compared) for c in columns},
        baseline,
        sources,
        tuple(_sittings(found, sources)),
        row.wanted - row.n,
        None if report.tried is None else selected.winner(report.tried, report.studies, row.label),
    )


def _formula(column: str, compared: "pd.Series[Any] | None") -> str:
    if column.partition(".")[0] in PAIRED and compared is None:
        return "not compared to another row"
    known = {} if compared is None else dict(compared)
    if "look" not in known:
        return FORMULAS[column].format_map(known)
    times = known["look"] * (known["look"] + 1)
    return (FORMULAS | LOOKS)[column].format_map(known | {"times": times})


def _sources(found: Inventory, report: Report, labels: list[str]) -> Iterator[Source]:
    """The trials that count, row by row, in the order of seeds."""
    records = {record.id: record for record in found.records}
    planned = {(t.variant.label, t.trial.seed): t for t in found.planned}
    chosen = report.trials[report.trials["variant"].isin(labels)]
    lines = [(t["variant"], int(t["seed"]), t["id"], bool(t["stale"])) for _, t in chosen.iterrows()]
    names = found.store.names([_with_id(planned[label, seed], id_) for label, seed, id_, _ in lines])
    for label, seed, id_, stale in sorted(lines, key=lambda line: (labels.index(line[0]), line[1])):
        yield Source(label, seed, records[id_], str(found.store.path / names[id_]), stale)


def _with_id(planned: PlannedTrial, id_: str) -> PlannedTrial:
    """A result of older code lies under an id of its own."""
    return replace(planned, id=id_)


def _sittings(found: Inventory, sources: tuple[Source, ...]) -> Iterator[Sitting]:
    groups: dict[tuple[str, str, str], list[Source]] = {}
    for source in sources:
        record = source.record
        groups.setdefault((record.environment, record.device, record.data), []).append(source)
    for (environment, device, data), trials in groups.items():
        yield Sitting(found.store.environment(environment), device, data, tuple(trials))


def as_json(told: Trace, command: str) -> dict[str, Any]:
    """What `why --json` prints. Keys are only ever added; errors are fractions, as in the records.

    `name`, `command` (makes the table again), `numbers` (column -> text, value, formula), `baseline`, `missing`,
    `chosen` (null, or of the candidate whose settings the row has: candidate, settings, validation_error, of: how many
    were trained, id), `trials` (row, seed, id, test_error, wrong, images, folder, stale), `ran` (command, commit,
    dirty, packages, python, platform, cpu, cores, gpus, device, code: digest -> rows, data, trials: ids).
    """
    numbers = {
        c: {"text": told.row.texts[c], "value": told.row.numbers.get(c), "formula": told.formulas[c]}
        for c in told.columns
    }
    trials = [
        {
            "row": s.variant,
            "seed": s.seed,
            "id": s.record.id,
            "test_error": s.record.test and s.record.test.error,
            "wrong": s.wrong,
            "images": s.record.test and s.record.test.images,
            "folder": without_credentials(s.folder),
            "stale": s.stale,
        }
        for s in told.sources
    ]
    return {
        "name": told.name,
        "command": command,
        "numbers": numbers,
        "baseline": told.baseline,
        "missing": told.missing,
        "chosen": told.winner and _chosen(told.winner),
        "trials": trials,
        "ran": [_ran(sitting) for sitting in told.sittings],
    }


def _chosen(winner: selected.Winner) -> dict[str, Any]:
    known = {"candidate": winner.number, "settings": dict(winner.settings), "validation_error": winner.error}
    return known | {"of": winner.trained, "id": winner.id}


def _ran(sitting: Sitting) -> dict[str, Any]:
    here = sitting.environment
    known: dict[str, Any] = {"command": None}
    if here is not None:
        known = here.model_dump(mode="json", exclude={"git_commit", "git_diff", "command"})
        known |= {"command": without_credentials(here.command), "commit": here.git_commit, "dirty": bool(here.git_diff)}
    ids = [source.record.id for source in sitting.trials]
    return known | {"device": sitting.device, "code": sitting.codes, "data": sitting.data, "trials": ids}
