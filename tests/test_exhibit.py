"""One trial, as people read it."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from senet_lab import exhibit, lookup, store, sweep
from senet_lab.executors.local import Local
from senet_lab.inventory import Inventory
from tests.conftest import TINY

Ask = Callable[..., Inventory]
WILD = [{"train.learning_rate": 99.0, "train.weight_decay": 0.9}]


def shown(root: Path, words: str) -> str:
    console = Console(file=io.StringIO(), width=200)
    exhibit.show(console, lookup.find(root, words))
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_a_done_trial_shows_its_result_settings_epochs_and_surroundings(ask: Ask, tmp_path: Path) -> None:
    sweep.run(ask(), Local(), lambda step: None)
    record = next(r for r in ask().records if r.variant == "reduction=2" and r.trial.seed == 1)
    text = shown(tmp_path / "runs", record.id)
    assert text.startswith("reduction=2 seed=1: done\n")
    assert record.test is not None
    assert f"{100 * record.test.error:.2f} % ({round(record.test.error * 891)} of 891 images)" in text
    for told in ("model.se.reduction=2", "train.batch_size = 64", "seed = 1", "414 parameters", "Python 3", "torch "):
        assert told in text
    assert f"{record.epochs[1].train_loss:.4f}" in text and "tags.`senet_lab.trial`" in text
    assert "traceback" not in text


def test_a_failed_trial_shows_its_last_traceback_in_full(ask: Ask, tmp_path: Path) -> None:
    sweep.run(ask(seeds=1, variants=WILD), Local(), lambda step: None)
    failed = next(r for r in ask(seeds=1, variants=WILD).records if r.status == "failed")
    text = shown(tmp_path / "runs", failed.id)
    assert failed.traceback is not None and failed.traceback.rstrip() in text
    assert ": failed" in text.splitlines()[0] and "at attempt 3" in text


def test_a_trial_that_was_stopped_shows_where(ask: Ask, tmp_path: Path) -> None:
    sweep.run(ask(seeds=1), Local(), lambda step: None)
    planned = ask().planned[0]
    record = next(r for r in ask().records if r.id == planned.id)
    (ask().store.folder(planned) / "record.json").unlink()
    ended = {"status": "stopped", "test": None, "epochs": record.epochs[:1]}
    store.finish(ask().store.folder(planned), record.model_copy(update=ended))
    text = shown(tmp_path / "runs", planned.id)
    assert ": stopped" in text.splitlines()[0] and "the end of epoch 1 of 2; a scheduler ended it there" in text


def test_an_interrupted_trial_shows_how_far_it_came(ask: Ask, tmp_path: Path) -> None:
    begun = ask().planned[0]
    ask().store.open(begun)
    text = shown(tmp_path / "runs", begun.id)
    assert "reduction=2 seed=0: interrupted" in text
    assert "model.se.reduction = 2" in text and "train.epochs = 2" in text, "what it was, too"
    assert "no whole epoch" in text and "goes on from there" in text


@pytest.mark.parametrize(("epochs", "lines"), [(1, 1), (12, 12), (13, 12), (300, 12)])
def test_many_epochs_are_a_few_lines_with_the_first_and_the_last(epochs: int, lines: int) -> None:
    from senet_lab.records import EpochMetrics

    one = {"train_loss": 1.0, "train_error": 0.5, "validation_loss": 1.0, "validation_error": 0.5}
    every = [EpochMetrics(epoch=n + 1, learning_rate=0.1, seconds=1.0, **one) for n in range(epochs)]
    table = exhibit._epochs(tuple(every))
    numbers = list(table.columns[0].cells)
    assert len(numbers) == lines and (numbers[0], numbers[-1]) == ("1", str(epochs))
    assert table.caption == (f"12 of {epochs} epochs; --json has all" if epochs > 12 else None)


def test_credentials_are_not_shown(ask: Ask, tmp_path: Path) -> None:
    sweep.run(ask(seeds=1), Local(), lambda step: None)
    planned = ask().planned[0]
    told = {"status": "failed", "traceback": "at https://me:canary@host/x?key=canary"}
    record = next(r for r in ask().records if r.id == planned.id).model_copy(update=told)
    (ask().store.folder(planned) / "record.json").unlink()  # a failure after a result would not count
    store.finish(ask().store.folder(planned), record)
    text = shown(tmp_path / "runs", ask().planned[0].id)
    assert "at https://host/x" in text and "canary" not in text
    assert TINY.data.source in text


def test_json_only_prints_one_object(ask: Ask, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep.run(ask(seeds=1), Local(), lambda step: None)
    exhibit.show(Console(file=io.StringIO()), lookup.find(tmp_path / "runs", "no_se seed=0"), json_only=True)
    assert json.loads(capsys.readouterr().out)["record"]["variant"] == "no_se"


def test_a_trial_that_was_trained_with_others_says_so(ask: Ask, tmp_path: Path) -> None:
    sweep.run(ask(seeds=1), Local(), lambda step: None, ways=sweep.Ways(size=lambda kind: 2))
    record = ask(seeds=1).records[0]
    assert record.together == 2
    text = shown(tmp_path / "runs", record.id)
    assert "trained with 1 other as one program: equal to training alone but for rounding" in text
    sweep.run(ask(seeds=2), Local(), lambda step: None)
    alone = next(r for r in ask(seeds=2).records if r.trial.seed == 1)
    assert "as one program" not in shown(tmp_path / "runs", alone.id)
