"""How to make the numbers again, what made them, and what it cost: sections from a report's `Provenance`."""

import math
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd

from senet_lab.records import Environment
from senet_lab.results import keys, stats
from senet_lab.results.page.layout import Block, Code, Facts, Folded, Table, Text
from senet_lab.results.provenance import (
    COUNTS,
    FAILED,
    INTERRUPTED,
    MISSING,
    OLDER,
    OTHER,
    STOPPED,
    TRIED,
    Provenance,
    typed,
)

if TYPE_CHECKING:
    from senet_lab.results.report import Report

SHORT = 12
MEBIBYTE = 2**20


def commands(report: "Report") -> tuple[str, str]:
    """What to type to run the question anew, and to report what this report is of."""
    question, looks = report.question, report.looks is not None
    sweep = keys.command(question, looks=looks).replace(" report ", " sweep ", 1)
    return sweep, keys.command(question, older(report) > 0, looks)


def older(report: "Report") -> int:
    """Trials in the table that are by older code, which no command makes again."""
    return int(report.trials["stale"].sum())


def reproduction(report: "Report") -> tuple[Block, ...]:
    """Commands, software, machines and data."""
    blocks: list[Block] = [
        Code("\n".join(commands(report))),
        Text(
            (
                "The first line runs exactly the trials that are missing, here or in an empty folder, and reports. On "
                "a CPU the same trial gives the same bits, however many run at once and whether or not it was "
                "interrupted; on a GPU, or with other versions of torch, digits may differ. The second line makes this "
                f"page again from the run folders{', byte by byte' * (not older(report))}.",
                *_by_older_code(older(report)),
            )
        ),
    ]
    if (found := report.provenance) is None:
        return tuple(blocks)
    blocks += [Facts(data(report, found))]
    for digest, environment in list(found.environments.items())[:1]:
        blocks.append(Facts(tuple(software(found, digest, environment))))
    others = list(found.environments.items())[1:]
    if others:
        each = tuple(Facts(tuple(software(found, digest, one))) for digest, one in others)
        blocks.append(Folded(f"{len(others)} more environments that trials ran in", each))
    return tuple(blocks)


def _by_older_code(n: int) -> list[str]:
    there = "is 1 trial" if n == 1 else f"are {n} trials"
    said = f"In the table there {there} by older code: the first line does not run what that code ran."
    return [said] if n else []


def data(report: "Report", found: Provenance) -> tuple[tuple[str, str], ...]:
    """Digests of data and code, and when the trials ran."""
    counted = found.runs[found.runs["use"] == COUNTS]
    digests = dict.fromkeys(counted["data"])
    pairs = [("data digest (SHA-256 of the raw files)", ", ".join(digests) or "no trial yet")]
    if len(counted):
        n = counted["code"].nunique()
        pairs.append(("code digest" + "s" * (n > 1), f"{n} among the rows; the list of trials has them"))
        pairs.append(("trials ran", f"{_at(counted['started_at'].min())} to {_at(counted['ended_at'].max())}"))
    return tuple(pairs)


def software(found: Provenance, digest: str, environment: Environment) -> list[tuple[str, str]]:
    """An environment in words; addresses without credentials, folders without the name of their owner."""
    n = int((found.runs["environment"] == digest).sum())
    versions = ", ".join(f"{name} {version}" for name, version in environment.packages.items())
    commit = environment.git_commit or "no git repository in the working folder"
    lines = len((environment.git_diff or "").splitlines())
    dirty = f" with uncommitted changes ({lines:,} lines of diff, kept in the store)" if lines else ""
    clean = ", no uncommitted changes" if environment.git_commit and not lines else ""
    return [
        ("environment", f"{digest}, {n} trial{'s' * (n != 1)}"),
        ("typed", typed(environment.command)),
        ("git commit", f"{commit}{dirty}{clean}"),
        ("python", environment.python),
        ("packages", versions),
        ("platform", environment.platform),
        ("hardware", hardware(environment)),
    ]


def hardware(environment: Environment) -> str:
    """Processor and GPUs."""
    each = Counter(environment.gpus).items()
    gpus = ", ".join(f"{n} x {name}" if n > 1 else name for name, n in each) or "no GPU"
    return f"{environment.cpu}, {environment.cores} core{'s' * (environment.cores != 1)}; {gpus}"


def cost(found: Provenance) -> tuple[Block, ...]:
    """What was computed for this question, with what failed."""
    frame = found.compute()
    all_ = {"variant": "all", "each": math.nan, "peak_memory_bytes": frame["peak_memory_bytes"].max()}
    sums = ("trials", "seconds", "failed", "failed_seconds", "interrupted")
    frame = pd.concat([frame, pd.DataFrame([all_ | {c: frame[c].sum() for c in sums}])], ignore_index=True)
    columns = {
        "row": frame["variant"].replace(OTHERS),
        "trials": frame["trials"].map("{:,}".format),
        "mean seconds": frame["each"].map(_seconds),
        "seconds": frame["seconds"].map(_seconds),
        "failed": frame["failed"].map("{:,}".format),
        "their seconds": frame["failed_seconds"].where(frame["failed"] > 0).map(_seconds),
        "interrupted": frame["interrupted"].map("{:,}".format),
        "peak memory": frame["peak_memory_bytes"].map(_memory),
    }
    note = "trials x mean seconds = seconds: wall time in the worker. Peak memory: the most of any trial."
    return Text((total(found), *_not_known(found))), Table(pd.DataFrame(columns, dtype="str"), note)


def total(found: Provenance) -> str:
    """All compute in two sentences."""
    kept, all_, n = found.seconds(COUNTS), found.seconds(), found.count(COUNTS)
    text = "No trial is in the table"
    if n:
        text = (
            f"{stats.duration(kept)} of trial time for the {n:,} trial{'s' * (n != 1)} in the table ({devices(found)})"
        )
    rest = [f"{found.count(use):,} {words}" for use, words in NAMES.items() if found.count(use)]
    if not rest:
        return f"{text}. No trial failed, was interrupted or was left out."
    share = f"; with them {all_ / 3600:.2g} hours in all" if all_ > kept else ""
    return f"{text}. Besides: {', '.join(rest)}{share}."


OTHERS = {TRIED: "candidates", OLDER: "trials of older code", OTHER: "other settings or seeds"}
NAMES = {
    FAILED: "failed",
    STOPPED: "stopped early",
    INTERRUPTED: "interrupted and not done yet",
    MISSING: "not run yet",
    TRIED: "candidates that settings were chosen by",
    OLDER: "of code that has changed since",
    OTHER: "of settings or seeds that are not asked for here",
}


def devices(found: Provenance) -> str:
    """Hours by kind of device, of the trials that count."""
    runs = found.runs[found.runs["use"] == COUNTS]
    hours = runs.groupby(runs["device"].str.partition(":")[0])["seconds"].sum() / 3600
    names = {"cpu": "core-hours of CPU", "cuda": "trial-hours on a GPU, which several trials may share"}
    return ", ".join(f"{spent:.2g} {names.get(str(kind), f'hours on {kind}')}" for kind, spent in hours.items())


def trials(found: Provenance) -> tuple[Block, ...]:
    """Every trial with what identifies it, and why those failed that did."""
    blocks: list[Block] = []
    failed = found.runs[found.runs["use"] == FAILED]
    if len(failed):
        why = failed.groupby("reason", sort=False).size()
        said = tuple(f"{n} x {reason or 'no reason was kept'}" for reason, n in why.items())
        n = len(failed)
        blocks += [
            Text((f"{n} trial{'s' * (n != 1)} failed and do{'es' * (n == 1)} not count:",)),
            Text(said, points=True),
        ]
        tracebacks = tuple(
            Code(f"{row['variant']} seed={row['seed']} ({row['id']})\n{row['traceback'].strip()}")
            for _, row in failed.drop_duplicates("reason").iterrows()
        )
        blocks.append(Folded("A whole traceback of each reason", tracebacks))
    note = "Seed and id of each trial; `senet-lab show ID` tells all of one, trials.csv has the errors and times."
    table = Table(identities(found.runs), note, left=("use", "code", "environment", "device", "trials"))
    blocks.append(Folded(f"All {len(found.runs):,} trials", (table,)))
    return tuple(blocks)


def identities(runs: pd.DataFrame) -> pd.DataFrame:
    """The trials that share row, use, code, environment and device in one line; digests cut short."""
    shared = ["variant", "use", "code", "environment", "device"]
    lines = []
    for key, own in runs.groupby(shared, sort=False):
        each = ", ".join(f"{seed}\N{NO-BREAK SPACE}{id_}" for seed, id_ in zip(own["seed"], own["id"], strict=True))
        lines.append(dict(zip(shared, key, strict=True)) | {"trials": each})
    frame = pd.DataFrame(lines, columns=[*shared, "trials"], dtype="str")
    return frame.assign(
        code=["`" + digest[:SHORT] + "`" for digest in frame["code"]],
        environment=[f"`{digest}`" if digest else "-" for digest in frame["environment"]],
    )


def _not_known(found: Provenance) -> list[str]:
    """What the records do not say about compute."""
    said = []
    tries = int((found.runs["attempts"] - 1).clip(lower=0).sum())
    if tries:
        said.append(f"{tries} earlier attempts of trials that were tried again are not in these times.")
    if found.count(INTERRUPTED):
        said.append("What an interrupted trial has used is counted when it ends.")
    return said


def _at(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _seconds(seconds: float) -> str:
    return "-" if math.isnan(seconds) else f"{seconds:,.{2 if seconds < 10 else 1 if seconds < 100 else 0}f}"


def _memory(size: float) -> str:
    return "-" if math.isnan(size) else f"{size / MEBIBYTE:,.0f} MiB"
