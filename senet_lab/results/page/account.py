"""How to make the numbers again, what made them, and what it cost: sections from a report's `Provenance`."""

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd

from senet_lab.records import UNTRACKED, Environment
from senet_lab.results import keys, ledger, selected
from senet_lab.results.page.layout import Block, Code, Facts, Folded, Table, Text
from senet_lab.results.provenance import COUNTS, FAILED, OLDER, OTHER, SELECTION, Provenance, typed
from senet_lab.results.studies import Tried

if TYPE_CHECKING:
    from senet_lab.results.report import Report

SHORT = 12


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
                *_of_candidates(report.tried),
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


def _of_candidates(tried: Tried | None) -> list[str]:
    """What an empty folder lacks besides, and whether the same is chosen there."""
    if tried is None:
        return []
    said = f"In an empty folder the first line trains candidates, too: here {selected.besides(tried)} chose settings."
    if why := selected.otherwise(tried):
        return [f"{said} Because {why}, other settings may be chosen there; a trial of given settings stays the same."]
    return [f"{said} Where digits are the same, so is what is chosen."]


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
    dirty = _uncommitted(environment)
    clean = ", no uncommitted changes" if environment.git_commit and not dirty else ""
    return [
        ("environment", f"{digest}, {n} trial{'s' * (n != 1)}"),
        ("typed", typed(environment.command)),
        ("git commit", f"{commit}{dirty}{clean}"),
        ("python", environment.python),
        ("packages", versions),
        ("platform", environment.platform),
        ("hardware", ledger.hardware(environment)),
    ]


def _uncommitted(environment: Environment) -> str:
    """What the commit has not, counted: changed lines, whose diff the store has, and files that git does not track."""
    lines = (environment.git_diff or "").splitlines()
    new = sum(line.startswith(UNTRACKED) for line in lines)
    old = len(lines) - new
    said = [f"{old:,} line{'s' * (old != 1)} of diff, kept in the store"] if old else []
    said += [f"{new:,} Python file{'s' * (new != 1)} untracked, kept by name alone"] if new else []
    return f" with uncommitted changes ({'; '.join(said)})" if said else ""


def cost(found: Provenance) -> tuple[Block, ...]:
    """What was computed for this question, and for what."""
    frame = found.compute()
    all_ = {"variant": "all", "each": math.nan, "peak_memory_bytes": frame["peak_memory_bytes"].max()}
    sums = ("trials", "seconds", "failed", "failed_seconds", "interrupted", "interrupted_seconds")
    frame = pd.concat([frame, pd.DataFrame([all_ | {c: frame[c].sum() for c in sums}])], ignore_index=True)
    columns = {
        "row": frame["variant"].replace(OTHERS),
        "trials": frame["trials"].map("{:,}".format),
        "mean seconds": frame["each"].map(seconds),
        "seconds": frame["seconds"].map(seconds),
        "failed": frame["failed"].map("{:,}".format),
        "interrupted": frame["interrupted"].map("{:,}".format),
        "their seconds": (frame["failed_seconds"] + frame["interrupted_seconds"])
        .where(frame["failed"] + frame["interrupted"] > 0)
        .map(seconds),
        "peak memory": frame["peak_memory_bytes"].map(_memory),
    }
    note = "trials x mean seconds = seconds: wall time in the worker. Peak memory: the most of any trial."
    told = [ledger.total(found), *filter(None, [ledger.energy(found)]), *ledger.not_known(found)]
    return Text(tuple(told)), Table(pd.DataFrame(columns, dtype="str"), note), *_sittings(found)


OTHERS = {
    SELECTION: "trials that settings were chosen by",
    OLDER: "trials of older code",
    OTHER: "other settings or seeds",
}


def _sittings(found: Provenance) -> tuple[Block, ...]:
    """What each command took that ran trials."""
    frame = sittings(found)
    if not len(frame):
        return ()
    return (Folded("Each time that trials were run", (Table(frame, legend(frame), left=("began (UTC)",)),)),)


SITTINGS = {
    "ended": "of the trials that were to run",
    "seconds": "from getting ready to the last one's end, without the report",
    "running": "from the first trial's beginning to the last one's end",
    "forecast": "of running, made before it, with its 95 % interval",
    "off": "of running from the forecast: + longer, - shorter; where all trials ended",
    "kWh": "of the whole machine",
}
"""What the columns of `sittings` are."""


def legend(shown: pd.DataFrame) -> str:
    """A sentence per column of `sittings` that it has."""
    return " ".join(f"{column}: {text}." for column, text in SITTINGS.items() if column in shown)


def sittings(found: Provenance) -> pd.DataFrame:
    """`ledger.sittings` as text; what no sitting has is left out."""
    frame = ledger.sittings(found)
    low, high = frame["low_seconds"].map(seconds), frame["high_seconds"].map(seconds)
    said = frame["forecast_seconds"].map(seconds) + " [" + low + ", " + high + "]"
    columns = {
        "began (UTC)": frame["began_at"].map(lambda moment: _at(moment).removesuffix(" UTC")),
        "seconds": frame["seconds"].map(seconds),
        "ended": [f"{e:,} of {n:,}" for e, n in zip(frame["ended"], frame["trials"], strict=True)],
        "running": frame["running_seconds"].map(seconds),
        "forecast": said.where(frame["forecast_seconds"].notna(), "-"),
        "off": frame["off"].map(lambda off: "-" if math.isnan(off) else f"{100 * off:+.0f} %"),
        "kWh": frame["kwh"].map(lambda spent: "-" if math.isnan(spent) else f"{spent:.2g}"),
    }
    shown = pd.DataFrame(columns, dtype="str")
    return shown[[c for c in shown if c not in ("forecast", "off", "kWh") or (shown[c] != "-").any()]]


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


def _at(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC"


def seconds(spent: float) -> str:
    """To two digits behind the point, or as many as matter."""
    return "-" if math.isnan(spent) else f"{spent:,.{2 if spent < 10 else 1 if spent < 100 else 0}f}"


def _memory(size: float) -> str:
    return "-" if math.isnan(size) else f"{size / ledger.MEBIBYTE:,.0f} MiB"
