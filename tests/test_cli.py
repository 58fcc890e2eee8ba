"""The command line's surface: options frozen, mistakes answered in a sentence, nothing heavy for `--help`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from senet_lab.cli import app
from tests.typed import typed

OPTIONS = {
    "": {"--debug", "--version"},
    "list": {"--store", "--data-dir"},
    "plan": {
        *("--store", "--data-dir", "--download", "--set", "--seeds", "--recipe"),
        *("--workers", "--probe", "--json"),
    },
    "sweep": {
        *("--store", "--data-dir", "--download", "--set", "--seeds", "--recipe", "--rerun"),
        *("--until-decided", "--max-hours", "--address", "--cpus-per-trial", "--optuna-storage"),
        *("--executor", "--workers", "--gpus-per-trial", "--together", "--loaders", "--to", "--tracking-uri"),
    },
    "report": {
        *("--store", "--data-dir", "--set", "--seeds", "--recipe"),
        *("--until-decided", "--include-stale", "--to"),
    },
    "seeds": {
        *("--store", "--data-dir", "--set", "--seeds", "--recipe"),
        *("--detect", "--spread", "--probe", "--json"),
    },
    "cost": {
        *("--store", "--data-dir", "--set", "--seeds", "--recipe", "--until-decided", "--include-stale"),
        *("--cpu-hour", "--gpu-hour", "--kwh", "--currency", "--json"),
    },
    "compare": {
        *("--store", "--data-dir", "--set", "--seeds", "--recipe"),
        *("--include-stale", "--until-decided", "--prose", "--json"),
    },
    "why": {"--store", "--data-dir", "--set", "--seeds", "--recipe", "--sweep", "--json"},
    "check": {"--store", "--data-dir", "--sweep"},
    "interaction": {"--recipe", "--store", "--data-dir", "--set", "--seeds", "--to"},
    "excitation": {
        *("--store", "--data-dir", "--set", "--seeds", "--recipe", "--to"),
        *("--row", "--seed", "--classes", "--paper", "--include-stale"),
    },
    "show": {"--store", "--sweep", "--json"},
    "model": {"--set", "--size", "--classes"},
    "ui": {"--port", "--tracking-uri"},
    "doctor": {"--store", "--data-dir", "--tracking-uri"},
}
"""A new knob belongs into the sweep file; an option says which sweep and where. Change this with care."""

HEAVY = {"torch", "ray", "mlflow", "pandas", "optuna", "scipy", "matplotlib", "seaborn", "sklearn", "pydantic", "numpy"}


def senet_lab(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", "from senet_lab.cli import main; main()", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)


def test_options_are_frozen() -> None:
    group = typer.main.get_command(app)
    commands = {"": group, **group.commands}  # type: ignore[attr-defined]
    found = {
        name: {o for p in command.params for o in p.opts if o.startswith("--")} - {"--help"}
        for name, command in commands.items()
    }
    assert found == OPTIONS


@pytest.mark.parametrize("name", [n for n in OPTIONS if n])
def test_every_command_teaches_by_example(name: str, tmp_path: Path) -> None:
    shown = senet_lab(name, "--help", cwd=tmp_path)
    assert shown.returncode == 0
    assert f"Example: senet-lab {name}" in shown.stdout


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys, json\nfrom senet_lab.cli import main\nsys.argv = ['senet-lab', '--help']\n"
        "try: main()\nexcept SystemExit: pass\nprint(); print(json.dumps(sorted(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert "senet-lab sweep reduction_ratio" in shown.stdout
    assert HEAVY.isdisjoint(json.loads(shown.stdout.splitlines()[-1]))


GOOD = """
from senet_lab import Sweep, recipes
SWEEP = Sweep(base=recipes.DIGITS, grid={{"model.se.reduction": [2]}}, controls=["no_se"],
              baseline="no_se", seeds=2, margin=0.01{more})
"""

MISTAKES = [
    pytest.param(["plan", "reduction_ratoi"], "did you mean 'reduction_ratio'?", id="no such sweep"),
    pytest.param(["plan", "nowhere.py"], "nowhere.py: there is no such file", id="no such file"),
    pytest.param(
        ["plan", "reduction_ratio", "--set", "train.epoch=3"], "did you mean 'train.epochs'?", id="misspelt key"
    ),
    pytest.param(["plan", "reduction_ratio", "--set", "train.epochs"], "give a dotted key and a value", id="no value"),
    pytest.param(
        ["plan", "reduction_ratio", "--set", "model.se.gate=sigmoidd"],
        "model.se.gate: found 'sigmoidd'; did you mean 'sigmoid'? allowed: sigmoid, tanh, relu",
        id="bad value",
    ),
    pytest.param(["plan", "reduction_ratio", "--seeds", "0"], "seeds: found 0", id="no seeds"),
    pytest.param(["plan", "reduction_ratio", "--recipe", "digit"], "did you mean 'digits'?", id="no such recipe"),
    pytest.param(["plan", "misspelt.py"], "misspelt.py:3: grdi: there is no such key; did you mean 'grid'?", id="key"),
    pytest.param(["sweep", "misspelt.py"], "misspelt.py:3: grdi", id="key, before anything starts"),
    pytest.param(["plan", "reduction_ratio", "--store", "file"], "file", id="store is a file"),
    pytest.param(["show", "x"], "there are no trials here", id="no trials"),
    pytest.param(["show", "x", "--sweep", "../x"], "cannot name a run folder", id="no sweep's name"),
    pytest.param(["show", "x", "--store", "file"], "this is a file", id="store of show is a file"),
]


PARQUET = """
from senet_lab import Sweep, recipes
SWEEP = Sweep(base=recipes.CIFAR10, grid={"model.se.reduction": [2]}, controls=["no_se"],
              baseline="no_se", seeds=2, margin=0.01)
"""
MISSING = [
    pytest.param(["sweep"], "cifar-10-binary.tar.gz or cifar-10-python.tar.gz is not in the data folder", id="archive"),
    pytest.param(["plan", "--data-dir", "there"], "--download", id="another data folder"),
    pytest.param(["plan", "--set", "data.source=parquet:there"], "there is no folder", id="parquet"),
    pytest.param(["plan", "--set", "data.source=folder:."], "train/<class>/*.jpg is missing", id="folder"),
    pytest.param(
        ["sweep", "--download", "--recipe", "digits"], "only cifar10 and cifar100 can be fetched", id="no download"
    ),
]


@pytest.mark.parametrize(("arguments", "sentence"), MISSING)
def test_missing_data_are_told_before_anything_starts(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(PARQUET)
    shown = typed(tmp_path, arguments[0], "mine.py", *arguments[1:])
    assert shown.code == 2 and sentence in shown.err and "Traceback" not in shown.err
    assert [p.name for p in tmp_path.iterdir() if p.name != "__pycache__"] == ["mine.py"]


def test_a_sweep_without_its_data_is_a_line_of_list_and_doctor(tmp_path: Path) -> None:
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "sweeps" / "mine.py").write_text('"""Is mine good?"""' + PARQUET)
    listed = typed(tmp_path, "list")
    assert listed.code == 0 and "Is mine good?" in listed.out and "no data" in listed.out
    assert "reduction_ratio" in listed.out
    examined = typed(tmp_path, "doctor")
    assert examined.code == 0 and "--download" in " ".join(examined.out.split())


def test_the_data_folder_can_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text(PARQUET)
    monkeypatch.setenv("SENET_LAB_DATA", str(tmp_path / "archives"))
    assert str(tmp_path / "archives") in typed(tmp_path, "plan", "mine.py").err


@pytest.mark.parametrize(("arguments", "sentence"), MISTAKES)
def test_mistakes_are_answered_in_a_sentence(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    (tmp_path / "misspelt.py").write_text(GOOD.format(more=", grdi={}"))
    (tmp_path / "file").write_text("not a folder")
    before = sorted(tmp_path.rglob("*"))
    shown = typed(tmp_path, *arguments)
    assert shown.code == 2
    assert sentence in shown.err
    assert "Traceback" not in shown.err + shown.out
    assert [p for p in sorted(tmp_path.rglob("*")) if "__pycache__" not in p.parts] == before


def test_debug_shows_the_traceback_wherever_it_stands(tmp_path: Path) -> None:
    for arguments in (["--debug", "plan", "nowhere"], ["plan", "nowhere", "--debug"]):
        shown = senet_lab(*arguments, cwd=tmp_path)
        assert "Traceback" in shown.stderr and "SweepFileError" in shown.stderr


def test_json_stands_alone_and_names_the_command_again(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(GOOD.format(more=""))
    options = ("--set", "train.epochs=1", "--seeds", "1", "--store", "my runs")
    shown = typed(tmp_path, "plan", "mine.py", "--json", "--probe", "0", *options)
    told = json.loads(shown.out)
    assert (shown.code, shown.err, told["forecast"]) == (0, "", None)
    assert told["command"] == "senet-lab sweep mine.py --store 'my runs' --seeds 1 --set train.epochs=1"
    refused = typed(tmp_path, "plan", "mine.py", "--json", "--set", "model.widths=[1,1]", "--seeds", "0")
    assert (refused.code, refused.out) == (2, "") and "seeds: found 0" in refused.err


def test_all_that_is_wrong_with_the_rows_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        GOOD.format(more="").replace("[2]", "[2, 64, 128]").replace('baseline="no_se"', 'baseline="no_es"')
    )
    shown = typed(tmp_path, "plan", "mine.py")
    assert shown.code == 2 and "reduction=64 and reduction=128 build the same network" in shown.err
    assert "hidden widths per stage {2: (1,), 3: (1,)}" in shown.err and "did you mean 'no_se'?" in shown.err


def test_version(tmp_path: Path) -> None:
    shown = senet_lab("--version", cwd=tmp_path)
    assert (shown.returncode, shown.stdout) == (0, "senet-lab 0.1.0\n")


def test_list_plan_and_doctor_say_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "sweeps" / "mine.py").write_text('"""Is mine good?"""' + GOOD.format(more=""))
    listed = typed(tmp_path, "list").out
    assert "mine" in listed and "Is mine good?" in listed and "reduction_ratio" in listed and "0/4" in listed
    planned = typed(tmp_path, "plan", "mine", "--probe", "0").out
    # SE-ResNet-6 (16, 32) at r = 2: 2 x (16 x 8 + 32 x 16) weights on top of the plain network's.
    assert "2: 8, 3: 16" in planned and "4 trials to run" in planned and "20,410" in planned and "19,130" in planned
    examined = senet_lab("doctor", cwd=tmp_path)
    assert examined.returncode == 0 and "906 + 891 images of digits" in examined.stdout
