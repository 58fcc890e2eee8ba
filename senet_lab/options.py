"""Options whose meaning is written once, and a command line made of them again."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

RUNS, REPORTS, DATA = Path("runs"), Path("reports"), Path("data")
"""Folders where no option names another."""

Which = Annotated[str, typer.Argument(metavar="SWEEP", help="A name from `senet-lab list`, or a sweep file.")]
WhichTrial = Annotated[
    list[str], typer.Argument(metavar="TRIAL", help="An id or how it begins, a run folder, or a row and its seed=N.")
]
StoreFolder = Annotated[Path, typer.Option("--store", metavar="DIR", help="Folder of the run folders.")]
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
Probe = Annotated[
    float,
    typer.Option("--probe", metavar="SECONDS", min=0, max=600, help="Train so long if no trial tells the time; 0: no."),
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
