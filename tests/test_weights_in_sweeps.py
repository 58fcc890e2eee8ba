"""Trials that start from a file: what is in it is part of the question, and one that does not fit stops the sweep."""

import os
import subprocess
from pathlib import Path

import pytest
import torch

from senet_lab import catalog, inventory, models, recipes
from senet_lab.errors import DataError, SpecError
from senet_lab.inventory import Inventory
from senet_lab.spec import Model, apply
from tests.typed import typed
from tests.undrawn import COMMAND

SWEEP = '''"""Tiny?"""
from senet_lab import Sweep, recipes
SWEEP = Sweep(base=recipes.DIGITS, variants={"drawn": {}, "loaded": {"model.weights": "start.pt"}},
              baseline="drawn", seeds=1, margin=0.01)
'''


MODEL = recipes.DIGITS.model


def save(model: Model, path: Path, seed: int = 7) -> None:
    network = models.build(model, channels=1, classes=10, seed=seed, device=torch.device("cpu"))
    torch.save(network.state_dict(), path)


def take(tmp_path: Path, weights: Path) -> Inventory:
    sweep = tmp_path / "tiny.py"
    sweep.write_text(SWEEP.replace("start.pt", str(weights)))
    return inventory.take(catalog.read(sweep), tmp_path / "runs", tmp_path / "data")


def test_the_content_of_the_file_is_part_of_the_question_and_its_place_is_not(tmp_path: Path) -> None:
    first, second = tmp_path / "first.pt", tmp_path / "second.pt"
    save(MODEL, first)
    drawn, loaded = (t.id for t in take(tmp_path, first).planned)
    assert drawn != loaded
    first.rename(second)
    assert [t.id for t in take(tmp_path, second).planned] == [drawn, loaded]
    save(MODEL, first, seed=8)
    again, other = (t.id for t in take(tmp_path, first).planned)
    assert again == drawn and other not in (drawn, loaded)


def test_two_rows_that_are_the_same_trial_are_refused(tmp_path: Path) -> None:
    save(MODEL, tmp_path / "first.pt")
    (tmp_path / "second.pt").write_bytes((tmp_path / "first.pt").read_bytes())
    sweep = tmp_path / "tiny.py"
    rows = {"a": {"model.weights": str(tmp_path / "first.pt")}, "b": {"model.weights": str(tmp_path / "second.pt")}}
    sweep.write_text(
        SWEEP.replace('{"drawn": {}, "loaded": {"model.weights": "start.pt"}}', str(rows)).replace("drawn", "a")
    )
    with pytest.raises(SpecError, match=r"tiny\.py: a and b are the same trial: .* leave one of them out"):
        inventory.take(catalog.read(sweep), tmp_path / "runs", tmp_path / "data")


def test_a_file_that_is_not_there_is_told_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"model\.weights: there is no file .*nowhere\.pt"):
        take(tmp_path, tmp_path / "nowhere.pt")


def senet_lab(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    command = [*COMMAND, *arguments]
    environment = os.environ | {"COLUMNS": "100"}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=180, env=environment)


@pytest.mark.slow
@pytest.mark.long
def test_a_relative_path_begins_at_the_working_folder_also_on_workers(tmp_path: Path) -> None:
    (tmp_path / "tiny.py").write_text(SWEEP)
    save(MODEL, tmp_path / "start.pt")
    done = senet_lab("sweep", "tiny.py", "--set", "train.epochs=1", "--workers", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 2 trials ended" in done.stdout


@pytest.mark.slow
def test_a_file_of_another_network_stops_the_sweep_before_a_trial(tmp_path: Path) -> None:
    (tmp_path / "tiny.py").write_text(SWEEP)
    save(apply(recipes.DIGITS, {"model.widths": (4, 8)}).model, tmp_path / "start.pt")
    done = typed(tmp_path, "sweep", "tiny.py", "--set", "train.epochs=1", "--executor", "local")
    assert done.code == 2, done
    assert "model.weights: the tensors in 'start.pt' are not those of ResNet-6" in done.err
    assert "Traceback" not in done.err and not list((tmp_path / "runs").rglob("record.json"))
