"""The command line: which sweep and where, never what it is. Heavy imports wait inside the commands."""

import sys
from typing import Annotated

import typer

from senet_lab.cli.check import check
from senet_lab.cli.compare import compare
from senet_lab.cli.cost import cost
from senet_lab.cli.excitation import excitation
from senet_lab.cli.interaction import interaction
from senet_lab.cli.seeds import seeds as seeds_
from senet_lab.cli.sweep import sweep as sweep_
from senet_lab.cli.why import why
from senet_lab.options import (
    DATA,
    REPORTS,
    RUNS,
    DataFolder,
    Download,
    IncludeStale,
    Json,
    Probe,
    Recipe,
    Reports,
    Seeds,
    Settings,
    StoreFolder,
    Tracking,
    UntilDecided,
    Which,
    WhichTrial,
    Workers,
    settings,
    typed,
)

EPILOG = """
[bold]Begin here[/]

senet-lab list                       which questions there are

senet-lab plan reduction_ratio       what would run, and what it costs

senet-lab sweep reduction_ratio      run what is missing, then report

senet-lab ui                         look at the runs in MLflow

Whatever happened (Ctrl-C, power cut, one more value or seed): type the same command again.
"""

app = typer.Typer(
    help="Ablation sweeps for Squeeze-and-Excitation networks: does this choice matter here, and how sure are we?",
    epilog=EPILOG,
    rich_markup_mode="rich",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


DEBUG = "--debug"


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"senet-lab {version('senet-lab')}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """`--debug` may stand anywhere: `main` reads it."""


@app.command("list", epilog="Example: senet-lab list")
def list_(store: StoreFolder = RUNS, data_dir: DataFolder = DATA) -> None:
    """The sweeps at hand, in ./sweeps and shipped: question, rows x seeds, data, done so far."""
    from senet_lab import commands, overview

    overview.list_sweeps(commands.console, store, data_dir)


@app.command(epilog="Example: senet-lab plan reduction_ratio --seeds 40")
def plan(
    sweep: Which,
    store: StoreFolder = RUNS,
    data_dir: DataFolder = DATA,
    download: Download = False,
    set_: Settings = None,
    seeds: Seeds = None,
    recipe: Recipe = None,
    workers: Workers = None,
    probe: Probe = 4.0,
    json_: Json = False,
) -> None:
    """What a sweep asks for and what is there: rows, hidden widths, cost, done and missing, time with its interval."""
    from senet_lab import commands

    where = commands.Where(store, data_dir, download)
    found = commands.inventory(sweep, where, settings(set_ or []), seeds, recipe)
    folders = {"--store": store, "--data-dir": data_dir, "--seeds": seeds, "--recipe": recipe}
    again = typed("sweep", sweep, folders, set_)
    with commands.waiting(commands.foreseeing(found, probe)):
        from senet_lab import outlook, overview  # torch: a mistake above needs no seconds for it

        looked = outlook.look(found, again, workers, probe)
    overview.show_plan(commands.console, looked, json_)


app.command("sweep", epilog="Example: senet-lab sweep reduction_ratio --seeds 3 --set train.epochs=5")(sweep_)


@app.command(epilog="Example: senet-lab report reduction_ratio")
def report(
    sweep: Which,
    store: StoreFolder = RUNS,
    data_dir: DataFolder = DATA,
    set_: Settings = None,
    seeds: Seeds = None,
    recipe: Recipe = None,
    until_decided: UntilDecided = False,
    include_stale: IncludeStale = False,
    to: Reports = REPORTS,
) -> None:
    """The table with intervals and verdicts; writes a page (HTML), tables and figures. Runs nothing."""
    from senet_lab import commands

    where = commands.Where(store, data_dir)
    found = commands.answers(sweep, where, settings(set_ or []), seeds, recipe)
    from senet_lab.commands.report import report_only

    report_only(found, to, include_stale, until_decided)


app.command("seeds", epilog="Example: senet-lab seeds reduction_ratio --detect 0.2")(seeds_)
app.command(epilog="Example: senet-lab cost reduction_ratio --cpu-hour 0.04 --currency EUR")(cost)
app.command(epilog="Example: senet-lab compare reduction_ratio 8 16 --prose")(compare)
app.command(epilog="Example: senet-lab why reduction_ratio:reduction=8:difference")(why)
app.command(epilog="Example: senet-lab check paper.tex")(check)
app.command(epilog="Example: senet-lab interaction reduction_ratio --recipe digits --recipe digits_resnet50")(
    interaction
)
app.command(epilog="Example: senet-lab excitation reduction_ratio --row reduction=16")(excitation)


@app.command(epilog="Example: senet-lab show reduction=8 seed=0")
def show(
    trial: WhichTrial,
    store: StoreFolder = RUNS,
    sweep: Annotated[str | None, typer.Option("--sweep", metavar="NAME", help="Look in this sweep only.")] = None,
    json_: Json = False,
) -> None:
    """One trial: how it ended, its settings, epochs and surroundings; of a failed one the whole traceback."""
    from senet_lab import commands, exhibit, lookup

    exhibit.show(commands.console, lookup.find(store, " ".join(trial), sweep), json_)


@app.command(epilog="Example: senet-lab model se_resnet50 --set se.reduction=8")
def model(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A network of the paper, e.g. se_resnet50 or wrn16_8.")],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Replace a setting, e.g. se.reduction=8; may be repeated."),
    ] = None,
    size: Annotated[
        int | None, typer.Option("--size", metavar="N", min=1, max=16_384, help="Pixels a side of the image.")
    ] = None,
    classes: Annotated[
        int | None, typer.Option("--classes", metavar="N", min=1, max=10_000_000, help="Answers to choose from.")
    ] = None,
) -> None:
    """A network's stages, output sizes, hidden widths, parameters and multiply-adds, beside the published ones."""
    from senet_lab import anatomy, commands

    anatomy.show(commands.console, name, settings(set_ or []), size, classes)


@app.command(epilog="Example: senet-lab ui --port 5001")
def ui(
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Of the page on this machine.")] = 5000,
    tracking_uri: Tracking = None,
) -> None:
    """The MLflow pages of this folder, on 127.0.0.1 only; Ctrl-C ends them."""
    from senet_lab.commands import surroundings

    surroundings.serve_ui(port, tracking_uri)


@app.command(epilog="Example: senet-lab doctor")
def doctor(store: StoreFolder = RUNS, data_dir: DataFolder = DATA, tracking_uri: Tracking = None) -> None:
    """Versions, cores, GPUs, store, data and MLflow: what works, and what to do about the rest."""
    from senet_lab.commands import surroundings

    surroundings.doctor(store, data_dir, tracking_uri)


def main() -> None:
    """The `senet-lab` program: 0 all is well, 1 trials failed, 2 the user's mistake, 130 Ctrl-C."""
    arguments = [a for a in sys.argv[1:] if a != DEBUG]
    try:
        code = app(arguments, standalone_mode=False)
    except Exception as error:
        if DEBUG in sys.argv:
            raise
        from senet_lab import usage

        text, code = usage.answer(error, arguments)
        print(text, file=sys.stderr)
        sys.exit(code)
    sys.exit(code if isinstance(code, int) else 0)
