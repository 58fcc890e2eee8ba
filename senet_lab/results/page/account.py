"""How to make the numbers again, what made them, and what it cost: sections from a report's `Provenance`."""

import math
import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd

from senet_lab import catalog
from senet_lab.records import Environment
from senet_lab.results import stats
from senet_lab.results.page.layout import Block, Code, Facts, Folded, Table, Text
from senet_lab.results.provenance import COUNTS, FAILED, INTERRUPTED, MISSING, OLDER, OTHER, Provenance, shareable

if TYPE_CHECKING:
    from senet_lab.catalog import Question
    from senet_lab.results.report import Report

SHORT = 12
MEBIBYTE = 2**20


def commands(question: "Question") -> str:
    """What to type to run the question anew and to report it."""
    known = catalog.names().get(question.name) == question.path
    words = [question.name if known else shareable(str(question.path))]
    for key, value in question.changed:
        words += [f"--{key}", value] if key in ("recipe", "seeds") else ["--set", f"{key}={value}"]
    return "\n".join(shlex.join(["senet-lab", command, *words]) for command in ("sweep", "report"))


def reproduction(report: "Report") -> tuple[Block, ...]:
    """Commands, software, machines and data."""
    blocks: list[Block] = [
        Code(commands(report.question)),
        Text(
            (
                "The first line runs exactly the trials that are missing, here or in an empty folder, and reports. On "
                "a CPU the same trial gives the same bits, however many run at once and whether or not it was "
                "interrupted; on a GPU, or with other versions of torch, digits may differ. The second line makes this "
                "page again from the run folders, byte by byte.",
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


def data(report: "Report", found: Provenance) -> tuple[tuple[str, str], ...]:
    """Digests of data and code, and when the trials ran."""
    counted = found.runs[found.runs["use"] == COUNTS]
    digests = dict.fromkeys(counted["data"])
    pairs = [("data digest (SHA-256 of the raw files)", ", ".join(digests) or "no trial yet")]
    pairs += [("code digests", f"{counted['code'].nunique()} among the rows, one a line in the list of trials")]
    if len(counted):
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
        ("typed", shareable(environment.command)),
        ("git commit", f"{commit}{dirty}{clean}"),
        ("python", environment.python),
        ("packages", versions),
        ("platform", environment.platform),
        ("hardware", hardware(environment)),
    ]


def hardware(environment: Environment) -> str:
    """Processor and GPUs."""
    gpus = ", ".join(environment.gpus) or "no GPU"
    return f"{environment.cpu}, {environment.cores} core{'s' * (environment.cores != 1)}; {gpus}"


def cost(found: Provenance) -> tuple[Block, ...]:
    """What was computed for this question, with what failed."""
    frame = found.compute()
    columns = {
        "row": frame["variant"].replace({OLDER: "trials of older code", OTHER: "other settings or seeds"}),
        "trials": frame["trials"].map("{:,}".format),
        "seconds each": frame["each"].map(_seconds),
        "seconds": frame["seconds"].map(_seconds),
        "failed": frame["failed"].map("{:,}".format),
        "seconds of failed": frame["failed_seconds"].map(_seconds),
        "interrupted": frame["interrupted"].map("{:,}".format),
        "peak memory": frame["peak_memory_bytes"].map(_memory),
    }
    return (
        Text((total(found), *_not_known(found))),
        Table(pd.DataFrame(columns, dtype="str"), "trials x mean seconds of one = seconds, wall time in the worker."),
    )


def total(found: Provenance) -> str:
    """All compute in two sentences."""
    kept, all_ = found.seconds(COUNTS), found.seconds()
    text = (
        f"{stats.duration(kept) if kept else 'nothing'} of trial time for the {found.count(COUNTS):,} trials in the "
        f"table"
    )
    text += f" ({devices(found)})" if kept else ""
    rest = [f"{found.count(use):,} {words}" for use, words in NAMES.items() if found.count(use)]
    if not rest:
        return f"{text}. No trial failed, was interrupted or was left out."
    share = f"; with them {all_ / 3600:.3g} hours in all" if all_ > kept else ""
    return f"{text}. Besides: {', '.join(rest)}{share}."


NAMES = {
    FAILED: "failed",
    INTERRUPTED: "interrupted and not done yet",
    MISSING: "not run yet",
    OLDER: "of code that has changed since",
    OTHER: "of settings or seeds that are not asked for here",
}


def devices(found: Provenance) -> str:
    """Hours by kind of device, of the trials that count."""
    runs = found.runs[found.runs["use"] == COUNTS]
    hours = runs.groupby(runs["device"].str.partition(":")[0])["seconds"].sum() / 3600
    names = {"cpu": "core-hours of CPU", "cuda": "trial-hours on a GPU, which several trials may share"}
    return ", ".join(f"{spent:.3g} {names.get(str(kind), f'hours on {kind}')}" for kind, spent in hours.items())


def trials(found: Provenance) -> tuple[Block, ...]:
    """Every trial with what identifies it, and why those failed that did."""
    blocks: list[Block] = []
    failed = found.runs[found.runs["use"] == FAILED]
    if len(failed):
        why = failed.groupby("reason", sort=False).size()
        said = tuple(f"{n} x {reason or 'no reason was kept'}" for reason, n in why.items())
        blocks.append(Text((f"{len(failed)} trials failed and do not count:", *said), points=True))
        tracebacks = tuple(
            Code(f"{row['variant']} seed={row['seed']} ({row['id']})\n{row['traceback'].strip()}")
            for _, row in failed.drop_duplicates("reason").iterrows()
        )
        blocks.append(Folded("A whole traceback of each reason", tracebacks))
    frame = found.runs[["variant", "seed", "use", "id", "code", "data", "environment", "device"]].astype("str")
    for digest in ("code", "data"):
        frame[digest] = frame[digest].str[:SHORT]
    frame["seconds"] = [_seconds(s) if use not in (MISSING, INTERRUPTED) else "-" for s, use in
                        zip(found.runs["seconds"], found.runs["use"], strict=True)]  # fmt: skip
    blocks.append(Folded(f"All {len(frame)} trials", (Table(frame, "`senet-lab show ID` tells all of one."),)))
    return tuple(blocks)


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
    return "-" if math.isnan(seconds) else f"{seconds:,.1f}"


def _memory(size: float) -> str:
    return "-" if math.isnan(size) else f"{size / MEBIBYTE:,.0f} MiB"
