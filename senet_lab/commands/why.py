"""Where a number of a table comes from."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from senet_lab import catalog
from senet_lab.commands import Where, answers, console, to_type
from senet_lab.commands.report import answered, refuse_empty
from senet_lab.credentials import without_credentials
from senet_lab.errors import UserError, choices, printable, shown
from senet_lab.inventory import Inventory
from senet_lab.options import to_show
from senet_lab.results import keys
from senet_lab.results import trace as traces
from senet_lab.results.selected import Winner
from senet_lab.results.trace import Sitting, Source, Trace


def sweep_of(name: str, file: Path | None = None) -> str:
    """The sweep whose table a name `table:row[:column]` begins with: by name or path, or `file`, which is its file.

    Raises UserError for a name without a table and for the file of another sweep.
    """
    table = name.partition(":")[0]
    if not table:
        raise UserError(f"{shown(name)}: name a table and a row of it, e.g. reduction_ratio:reduction=8:difference")
    sweep = table if table.endswith(".py") or "/" in table else table.partition("+")[0]
    if file is None and sweep not in (known := catalog.names()) and sweep.isidentifier():
        raise UserError(
            f"there is no sweep {shown(sweep)}; {choices(sweep, sorted(known))}. "
            f"If its file is elsewhere: --sweep path/to/{sweep}.py"
        )
    if file is None:
        return sweep
    if file.stem != Path(sweep).stem:
        raise UserError(
            f"--sweep {file}: that is not the file of {shown(table)}, which is named {Path(sweep).stem}.py; give that"
        )
    return f"./{file}" if "/" not in str(file) else str(file)


def inventory(
    name: str, sweep: str, where: Where, changes: dict[str, object], options: tuple[int | None, str | None]
) -> Inventory:
    """The question whose table `name` begins with, a sweep's or a report's; `options`: seeds and recipe.

    Raises UserError if the options make another table.
    """
    table = name.partition(":")[0]
    found = answers(sweep, where, changes, *options)
    asked = found.question
    known = {
        sweep,
        asked.name,
        *(keys.table(asked, stale, looks) for stale in (False, True) for looks in (False, True)),
    }
    if table not in known:
        raise UserError(
            f"there is no table {shown(table)} with these options, which make {asked.report_name}; "
            f"give the --set, --seeds and --recipe that made it: they stand in the first line of its table.tex"
        )
    return found


def why(found: Inventory, name: str, json_only: bool = False) -> None:
    """The trace of a number or row for people, or as one JSON object. Raises UserError where nothing is done."""
    table, again = name.partition(":")[0], without_credentials(to_type("report", found))
    stale, looks = table.endswith(keys.STALE), table.removesuffix(keys.STALE).endswith(keys.LOOKS)
    refuse_empty(found, "why", stale)
    found, answer = answered(found, stale, looks)
    told = traces.trace(found, answer, answer.sheet(), name)
    again += " --until-decided" * looks + " --include-stale" * stale
    if json_only:
        print(json.dumps(traces.as_json(told, again), indent=1))
        return
    show(console, told, again, str(found.store.root))


def show(to: Console, told: Trace, again: str, root: str) -> None:
    """Numbers with formulas, trials, what ran them, and how to get the table again."""
    to.print(f"[bold]{escape(told.name)}[/]", soft_wrap=True)
    to.print(_numbers(told))
    if told.winner:
        to.print(_chosen(told.winner), soft_wrap=True, markup=False)
    if told.missing:
        to.print(f"{told.missing} of the row's {told.row.wanted} trials are missing: not done, or stale", markup=False)
    to.print(_trials(told))
    for sitting in told.sittings:
        to.print(_ran(sitting, len(told.sources)))
    for source in told.sources[:1]:
        one, folders = without_credentials(to_show(root, source.record.id)), source.folder.rpartition("/")[0]
        to.print(f"run folders: {without_credentials(folders)}/*_<id>", soft_wrap=True, markup=False)
        to.print(f"one of the trials: {one}", soft_wrap=True, markup=False)
    to.print(f"the table again: {again}", soft_wrap=True, markup=False)


def _chosen(winner: Winner) -> str:
    """Where the row's settings come from, which none of its trials tells."""
    error = f"{100 * winner.error:.2f} %"
    return (
        f"settings: {printable(winner.words)}; chosen: candidate {winner.number} of {winner.trained} that were "
        f"trained; its own training ({winner.id}), which is not among these, had a validation error of {error}"
    )


def _numbers(told: Trace) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for column in told.columns:
        value = told.row.numbers.get(column)
        exact = "" if value is None or float(value).is_integer() else f" (unrounded {value:.6g})"
        table.add_row(column, escape(told.row.texts[column]), escape(told.formulas[column] + exact))
    return table


def _trials(told: Trace) -> Table:
    """A line per seed: the row's trial, and the baseline's beside it where that is needed."""
    labels = [told.row.label, *([told.baseline] if told.baseline else [])]
    by = {(source.variant, source.seed): source for source in told.sources}
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("seed", justify="right")
    for label in labels:
        table.add_column(escape(label), overflow="fold")
        table.add_column("error %", justify="right", no_wrap=True)
    if told.baseline:
        table.add_column("Δ points", justify="right", no_wrap=True)
    for seed in sorted({source.seed for source in told.sources}):
        pair = [by.get((label, seed)) for label in labels]
        errors = [s.record.test.error for s in pair if s and s.record.test]
        difference = [f"{100 * (errors[0] - errors[1]):+.2f}" if len(errors) == 2 else "-"] if told.baseline else []
        table.add_row(str(seed), *(cell for source in pair for cell in _cells(source)), *difference)
    return table


def _cells(source: Source | None) -> Iterator[str]:
    if source is None or source.record.test is None:
        yield from ("missing", "-")
        return
    test = source.record.test
    yield source.record.id + " (older code)" * source.stale
    yield f"{100 * test.error:.2f} ({source.wrong}/{test.images:,})"


def _ran(sitting: Sitting, of: int) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    trials = sitting.trials
    table.add_row("trials", f"all {of} of these" if len(trials) == of else f"{len(trials)}: {escape(_seeds(trials))}")
    here = sitting.environment
    if here is None:
        table.add_row("ran by", "not known: the file in environments/ is not there or damaged")
    else:
        dirty = ", with changes that were not committed" if here.git_diff else ""
        machine = [here.platform, here.cpu, f"{here.cores} cores", *here.gpus]
        commit = f"{here.git_commit}{dirty}" if here.git_commit else "none known: not in a git repository"
        table.add_row("ran by", _told(without_credentials(here.command)))
        table.add_row("commit", _told(commit))
        table.add_row("machine", _told(", ".join(machine) + f"; on {sitting.device}"))
        table.add_row("packages", _told(", ".join([f"Python {here.python}", *_versions(here.packages.items())])))
    codes = "; ".join(f"{code[:12]} ({', '.join(labels)})" for code, labels in sitting.codes.items())
    table.add_row("code", escape(codes))
    table.add_row("data", f"content {sitting.data}")
    return table


def _told(text: str) -> str:
    """Of a file of the store, which others may have written, for a cell of a table."""
    return escape(printable(text))


def _versions(packages: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{name} {version}" for name, version in packages]


def _seeds(trials: Iterable[Source]) -> str:
    """Which trials, row by row: "reduction=8 seeds 0-3, 5; no_se seed 0"."""
    rows: dict[str, list[int]] = {}
    for source in trials:
        rows.setdefault(source.variant, []).append(source.seed)
    return "; ".join(f"{label} seed{'s' * (len(seeds) > 1)} {_runs(seeds)}" for label, seeds in rows.items())


def _runs(seeds: list[int]) -> str:
    """0, 1, 2, 5 as "0-2, 5"."""
    ends: list[list[int]] = []
    for seed in seeds:
        if ends and seed == ends[-1][1] + 1:
            ends[-1][1] = seed
        else:
            ends.append([seed, seed])
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in ends)
