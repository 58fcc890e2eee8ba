"""Options whose meaning is written once, and a command line made of them again."""

import ast
import json
import math
import shlex
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from senet_lab.errors import SpecError, shown

RUNS, REPORTS, DATA = "runs", Path("reports"), Path("data")
"""Folders where no option names another."""

Which = Annotated[str, typer.Argument(metavar="SWEEP", help="A name from `senet-lab list`, or a sweep file.")]
WhichTrial = Annotated[
    list[str], typer.Argument(metavar="TRIAL", help="An id or how it begins, a run folder, or a row and its seed=N.")
]
StoreFolder = Annotated[
    str, typer.Option("--store", metavar="DIR", help="Folder of the run folders, or an address: s3://bucket/runs.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Replace a setting of the base, e.g. train.epochs=40; may be repeated."
    ),
]
Seeds = Annotated[int | None, typer.Option("--seeds", metavar="N", help="Trials per row instead of the file's.")]
Recipe = Annotated[str | None, typer.Option("--recipe", metavar="NAME", help="Ask in another setting, e.g. digits.")]
DataFolder = Annotated[
    Path,
    typer.Option(
        "--data-dir", metavar="DIR", envvar="SENET_LAB_DATA", help="Folder of archives, images and decoded images."
    ),
]
Download = Annotated[bool, typer.Option("--download", help="Fetch CIFAR's archive first, where it is missing.")]
Reports = Annotated[Path, typer.Option("--to", metavar="DIR", help="Folder of the written tables and figures.")]
Tracking = Annotated[
    str | None,
    typer.Option("--tracking-uri", metavar="URI", help="MLflow, instead of mlflow.db here or $MLFLOW_TRACKING_URI."),
]
Workers = Annotated[
    int | None, typer.Option("--workers", metavar="N", min=1, help="Trials at once, instead of one a core.")
]


def _above_zero(value: float | None) -> float | None:
    """Neither 0 nor NaN nor infinity."""
    if value is not None and not 0 < value < math.inf:
        raise typer.BadParameter("should be a number above 0")
    return value


def _share(gpus: float | None) -> float | None:
    """Ray shares a GPU out, or gives whole ones; NaN and infinity are neither."""
    if gpus is not None and not (gpus <= 1 or gpus.is_integer()):
        raise typer.BadParameter("should be a share of one GPU, e.g. 0.25, or a whole number of them")
    return gpus


MOST_TOGETHER = 1024

Address = Annotated[
    str | None,
    typer.Option("--address", metavar="ADDRESS", help="Of a Ray cluster: auto, host:6379 or ray://host:10001."),
]
CpusPerTrial = Annotated[
    int, typer.Option("--cpus-per-trial", metavar="N", min=1, help="Cores kept for a trial and its loaders.")
]
GpusPerTrial = Annotated[
    float | None,
    typer.Option("--gpus-per-trial", metavar="SHARE", min=0, callback=_share, help="Of a GPU; 0.25 if there is one."),
]


def _together(asked: str | None) -> str | None:
    if asked is None or asked == "auto" or (asked.isascii() and asked.isdigit() and 1 <= int(asked) <= MOST_TOGETHER):
        return asked
    raise typer.BadParameter(f"should be auto, or a number from 1 to {MOST_TOGETHER}")


Together = Annotated[
    str | None,
    typer.Option(
        "--together",
        metavar="N|auto",
        callback=_together,
        help="Trials of one shape as one program, equal but for rounding; auto: as many as pay. 1 without a GPU.",
    ),
]
Loaders = Annotated[
    int | None,
    typer.Option("--loaders", metavar="N", min=0, help="Processes a trial that decode large images: 4 with a GPU."),
]
Probe = Annotated[
    float,
    typer.Option("--probe", metavar="SECONDS", min=0, max=600, help="Train so long if no trial tells the time; 0: no."),
]


class Rerun(StrEnum):
    stale = "stale"
    failed = "failed"


class Engine(StrEnum):
    auto = "auto"
    ray = "ray"
    processes = "processes"
    local = "local"


Executor = Annotated[
    Engine,
    typer.Option(help="Ray Tune; processes without it; this process; auto: processes for a small sweep on a CPU."),
]
Reruns = Annotated[
    list[Rerun] | None, typer.Option("--rerun", help="Run these again too: code changed since, or failed.")
]
IncludeStale = Annotated[bool, typer.Option("--include-stale", help="Count results of older code too.")]
UntilDecided = Annotated[
    bool, typer.Option("--until-decided", help="Look again with more seeds for undecided rows, still at 5 % in all.")
]
MaxHours = Annotated[
    float | None,
    typer.Option(
        "--max-hours",
        metavar="H",
        callback=_above_zero,
        help="With --until-decided: begin no look that would end later.",
    ),
]
Detect = Annotated[
    float | None,
    typer.Option(
        "--detect",
        metavar="POINTS",
        max=100,
        callback=_above_zero,
        help="A difference in test error, 0.2 for 0.2 %; the sweep's margin if left out.",
    ),
]
Spread = Annotated[
    float | None,
    typer.Option(
        "--spread",
        metavar="POINTS",
        max=100,
        callback=_above_zero,
        help="Standard deviation of a difference over seeds, instead of what is seen.",
    ),
]
OptunaStorage = Annotated[
    str | None,
    typer.Option(
        "--optuna-storage",
        metavar="URL",
        envvar="SENET_LAB_OPTUNA_STORAGE",
        help="Where studies are shown for optuna-dashboard, instead of beside the run folders.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object and nothing else, for scripts.")]


def typed(command: str, sweep: str, options: Mapping[str, object], settings: Sequence[str] | None) -> str:
    """What to type for `command` with the same question; options that are as by default are left out."""
    from senet_lab.environment import program

    words = [program(), command, sweep]
    for name, value in options.items():
        words += [name, str(value)] if value not in (None, RUNS, DATA) else []
    for pair in settings or ():
        words += ["--set", pair]
    return shlex.join(words)


def to_show(root: object, trial_id: str) -> str:
    """What to type to see a trial of the store at `root`."""
    from senet_lab.environment import program

    elsewhere = ["--store", str(root)] if str(root) != str(Path(RUNS).absolute()) else []
    return shlex.join([program(), "show", trial_id, *elsewhere])


def settings(pairs: Sequence[str]) -> dict[str, Any]:
    """`KEY=VALUE` texts as settings. A value is JSON or Python where it reads as such, else text."""
    found = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key.strip():
            raise SpecError(f"--set {shown(pair)}: give a dotted key and a value, e.g. --set train.epochs=40")
        found[key.strip()] = _value(text.strip())
    return found


def _value(text: str) -> Any:
    for reader in (json.loads, ast.literal_eval):
        try:
            return reader(text)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
    return text
