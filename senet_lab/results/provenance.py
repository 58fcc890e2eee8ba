"""Where the numbers come from: what every trial used, on which machines, with which software and data.

Counted is everything that the sweep's store holds: what the table rests on, what failed, and what is of older code
or of other settings. A reviewer asks for all of it, not for the trials that were kept.
"""

import re
import shlex
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from senet_lab import files
from senet_lab.credentials import without_credentials
from senet_lab.plan import PlannedTrial
from senet_lab.records import Environment, TrialRecord
from senet_lab.store import Store

if TYPE_CHECKING:
    from senet_lab.data import Facts
    from senet_lab.inventory import Inventory

COUNTS, FAILED, OLDER, OTHER = "counts", "failed", "older code", "not asked for"
TRIED = "chosen by"
"""Candidates of studies, whatever came of them: made to choose by, never to report."""
STOPPED, INTERRUPTED, MISSING = "stopped", "interrupted", "missing"
USES = (COUNTS, FAILED, STOPPED, INTERRUPTED, MISSING, TRIED, OLDER, OTHER)
"""What a trial is to the table."""
TYPES = {"seed": "int64", "attempts": "int64", "seconds": "float64", "started_at": "float64", "ended_at": "float64"}
TYPES |= {"peak_memory_bytes": "float64", "params": "Int64"}
FACTS = ["attempts", "seconds", "peak_memory_bytes", "device", "started_at", "ended_at", "environment"]
RUNS = ["variant", "seed", "use", "id", "code", "data", *FACTS, "reason", "traceback"]
FOLDERS = re.compile(r"(?<![\w./])/(?:[^/]+/)*(?=[^/]+/*$)")
"""Of a path from the root, at the end of a word."""
HOME = re.compile(r"/(?:home|Users)/[^/\s'\"]+")


@dataclass(frozen=True)
class Provenance:
    """Frames of what the trials came from and what they cost."""

    runs: pd.DataFrame
    """A line per trial that is asked for or in the store: `variant`, `seed`, `use` (one of USES), `id`, `code`, `data`
    (digests), `attempts`, `seconds`, `peak_memory_bytes`, `device`, `started_at`, `ended_at` (Unix time),
    `environment` (digest), `reason` (last line of the traceback), `traceback`."""
    environments: dict[str, Environment]
    """Digest -> what was kept of it, the one of most trials first."""

    def compute(self) -> pd.DataFrame:
        """A line per row of the sweep, then what else the store holds of it: see `compute`."""
        return compute(self.runs)

    def seconds(self, *uses: str) -> float:
        """Of all trials of these uses; of all there are, if none is named."""
        runs = self.runs[self.runs["use"].isin(uses)] if uses else self.runs
        return float(runs["seconds"].sum())

    def count(self, *uses: str) -> int:
        """Trials of these uses."""
        return int(self.runs["use"].isin(uses).sum())


def images(found: "Inventory") -> "dict[str, Facts]":
    """Data source -> its numbers of images, for the data sets of a sweep."""
    from senet_lab import data

    asked = {row.trial.data.source: row.trial.data for row in found.question.rows}
    return {source: data.facts(one, found.data_dir) for source, one in asked.items()}


def trace(
    planned: Iterable[PlannedTrial],
    records: Iterable[TrialRecord],
    counted: Iterable[str],
    store: Store | None = None,
    tried: Collection[str] = (),
) -> Provenance:
    """The provenance of a report whose table rests on the trials with the ids `counted`.

    `tried`: ids of candidates that studies chose by. `store` tells which trials began, and the environments; without
    it nothing is known of them.
    """
    records = sorted(records, key=lambda r: (r.sitting, r.started_at, r.id))
    began = {f.name.rpartition("_")[2] for f in files.folders(store.path)} if store else set()
    runs = _runs(tuple(planned), records, frozenset(counted), frozenset(began))
    runs["use"] = runs["use"].mask(runs["id"].isin(tried), TRIED)
    used = runs.loc[runs["environment"] != "", "environment"].value_counts()
    order = sorted(used.index, key=lambda digest: (-used[digest], digest))
    kept = {digest: store.environment(digest) for digest in order} if store else {}
    return Provenance(runs, {digest: found for digest, found in kept.items() if found is not None})


def compute(runs: pd.DataFrame) -> pd.DataFrame:
    """`runs` by row: `variant`, `trials` (that count), `each` (mean seconds of one), `seconds` (of all that count),
    `failed`, `failed_seconds`, `interrupted`, `peak_memory_bytes` (the most of any); trials of older code and those
    that are not asked for have a line each, under that name, as `trials` and `seconds`."""
    lines: list[dict[str, Any]] = []
    asked = runs[runs["use"].isin((COUNTS, FAILED, STOPPED, INTERRUPTED, MISSING))]
    groups = [(str(label), own) for label, own in asked.groupby("variant", sort=False)]
    groups += [(use, own.assign(use=COUNTS)) for use in (TRIED, OLDER, OTHER) if len(own := runs[runs["use"] == use])]
    for label, own in groups:
        done, failed = own[own["use"] == COUNTS], own[own["use"] == FAILED]
        lines.append(
            {
                "variant": label,
                "trials": len(done),
                "each": done["seconds"].mean(),
                "seconds": done["seconds"].sum(),
                "failed": len(failed),
                "failed_seconds": failed["seconds"].sum(),
                "interrupted": int((own["use"] == INTERRUPTED).sum()),
                "peak_memory_bytes": own["peak_memory_bytes"].max(),
            }
        )
    columns = ["variant", "trials", "each", "seconds", "failed", "failed_seconds", "interrupted", "peak_memory_bytes"]
    return pd.DataFrame(lines, columns=columns)


def shareable(text: str) -> str:
    """`text` without credentials and without the name of whose home folder it is in."""
    return HOME.sub("~", without_credentials(text))


def typed(command: str) -> str:
    """A command without credentials, and of each absolute path the last part: where a file lies is of one machine."""
    try:
        words = shlex.split(without_credentials(command))
    except ValueError:  # not written by us
        words = without_credentials(command).split()
    return shlex.join(FOLDERS.sub("", word) for word in words)


def _runs(
    planned: tuple[PlannedTrial, ...],
    records: list[TrialRecord],
    counted: frozenset[str],
    began: frozenset[str],
) -> pd.DataFrame:
    wanted = {t.id: t for t in planned}
    asked = {t.fingerprint: t.variant.label for t in planned}
    lines = {r.id: _line(r, _use(r, wanted, asked, counted), asked.get(r.fingerprint, r.variant)) for r in records}
    answered = {r.fingerprint for r in records if r.id in counted}
    for t in planned:
        if t.id not in lines and t.fingerprint not in answered:
            use = INTERRUPTED if t.id in began else MISSING
            nothing = dict.fromkeys(("attempts", "seconds"), 0) | dict.fromkeys(("device", "environment"), "")
            place = {"variant": t.variant.label, "seed": t.trial.seed, "use": use, "id": t.id, "code": t.code}
            lines[t.id] = place | nothing | {"data": t.data, "reason": "", "traceback": ""}
    rank = {label: i for i, label in enumerate(dict.fromkeys(t.variant.label for t in planned))}
    order = sorted(
        lines.values(), key=lambda x: (rank.get(x["variant"], len(rank)), x["variant"], x["seed"], x["use"], x["id"])
    )
    frame = pd.DataFrame({c: [line.get(c) for line in order] for c in RUNS})
    return frame.astype({c: TYPES.get(c, "str") for c in RUNS})


def _use(record: TrialRecord, wanted: dict[str, PlannedTrial], asked: dict[str, str], counted: frozenset[str]) -> str:
    if record.id in counted:
        return COUNTS
    if record.id in wanted:
        return STOPPED if record.status == "stopped" else FAILED
    return OLDER if record.fingerprint in asked else OTHER


def _line(record: TrialRecord, use: str, label: str) -> dict[str, Any]:
    """A record as one line; `label` is what its row is called now."""
    told = shareable(record.traceback or "") if record.status == "failed" else ""
    facts = {name: getattr(record, name) for name in ("id", "code", "data", *FACTS)}
    reason = (told.strip().splitlines() or [""])[-1]
    return {"variant": label, "seed": record.trial.seed, "use": use, **facts, "reason": reason, "traceback": told}
