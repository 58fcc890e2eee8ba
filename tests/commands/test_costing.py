"""`senet-lab cost`: the ledger as a table, as JSON and as money; the same words as on the page."""

import json
from pathlib import Path

import pytest

from senet_lab import store, sweep
from senet_lab.commands.cost import as_json, look, notes
from senet_lab.commands.report import answered, with_spent
from senet_lab.executors.local import Local
from senet_lab.records import Foreseen, Sitting
from senet_lab.results.ledger import Prices
from senet_lab.results.page import checklist
from senet_lab.training.begin import begin
from senet_lab.training.train import train
from tests.commands.conftest import Fill
from tests.studies import SEARCHED, TUNED, asked, end, step, take
from tests.typed import typed


def test_the_ledger_is_printed_with_the_words_of_the_page(fill: Fill, tmp_path: Path) -> None:
    found = fill(seeds=2)
    said = Foreseen(seconds=20.0, low=15.0, high=30.0, source="done trials")
    whole = {"seconds": 30.0, "running_seconds": 24.0, "over": True, "trials": 12, "ended": 12, "slots": 2}
    for number in range(1, 15):
        found.store.save_sitting(Sitting(number=number, began_at=1e9, forecast=said, joules={"RAPL": 3.6e6}, **whole))
    shown = typed(tmp_path, "cost", "reduction_ratio", "--seeds", "1", "--cpu-hour", "3600", "--kwh", "2")
    text = " ".join(shown.out.split())
    assert shown.code == 0 and shown.err == ""
    for words in (
        "in the table 6 0.0033 50 % 12.00",
        "preliminary 6 0.0033 50 % 12.00",
        "all 12 0.0067 100 % 24.00",
        "With energy: 52.00.",
        "the last 12 of 14",
        "forecast: of running, made before it, with its 95 % interval. off: of running from the forecast: + longer",
        "12 of 12 24.0 20.0 [15.0, 30.0] +20 %",
        "other settings or seeds 6",
        "used 14 kWh in its processors (RAPL)",
    ):
        assert words in text, words
    _, answer = answered(typed_inventory(found, 1))
    item = checklist.items(answer)[4]
    assert " ".join(item.text.split()) in text


def typed_inventory(found, seeds):  # type: ignore[no-untyped-def]
    from senet_lab import catalog, inventory

    return inventory.take(catalog.derive(found.question, {}, seeds=seeds), found.store.root)


def test_json_stands_alone(fill: Fill, tmp_path: Path) -> None:
    fill(seeds=2, without=("no_se seed=1",))
    shown = typed(tmp_path, "cost", "reduction_ratio", "--seeds", "2", "--json", "--gpu-hour", "1")
    told = json.loads(shown.out)
    assert (shown.code, shown.err, told["sweep"]) == (0, "", "reduction_ratio")
    assert [(p["purpose"], p["trials"]) for p in told["purposes"]] == [("in the table", 11), ("all", 11)]
    assert told["prices"] == {"cpu_hour": None, "gpu_hour": 1.0, "kwh": None, "currency": ""}
    assert (told["money"], told["kwh"], told["sittings"]) == (0.0, {}, [])
    assert len(told["rows"]) == 6 and "11 trials in the table" in told["statement"]
    assert "1 not run yet" in told["statement"]


def test_money_is_told_of_what_has_a_price_and_was_measured(fill: Fill) -> None:
    found = fill(seeds=2)
    for prices, hours, money, words in (
        (Prices(), None, None, ""),
        (Prices(kwh=1.0), None, None, ""),
        (Prices(cpu_hour=3600.0, kwh=1.0, currency="EUR"), 24.0, 24.0, "Money without energy: 24.00 EUR."),
    ):
        book = look(found, prices)
        told = as_json(book)
        assert (told["purposes"][-1]["money"], told["money"]) == (hours, money)
        assert [note for note in notes(book) if "energy:" in note] == ([words] if words else [])
    sitting = {"number": 1, "began_at": 1e9, "seconds": 1.0, "trials": 1, "slots": 1, "joules": {"RAPL": 7.2e6}}
    found.store.save_sitting(Sitting.model_validate(sitting))
    book = look(found, Prices(kwh=1.0))
    assert (as_json(book)["purposes"][-1]["money"], as_json(book)["money"]) == (None, 2.0)
    assert "With energy: 2.00." in notes(book)


@pytest.mark.parametrize("text", [TUNED, SEARCHED])
def test_what_candidates_took_is_told_before_it_is_known_what_is_chosen(tmp_path: Path, text: str) -> None:
    found = take(asked(tmp_path, text, trials=4), tmp_path)
    _, due = step(found)
    for number, planned in enumerate(due[:3]):
        end(found, planned, 0.1 if number else None)
    book = look(take(asked(tmp_path, text, trials=4), tmp_path), Prices(cpu_hour=3600.0))
    told = as_json(book)
    assert [(p["purpose"], p["trials"], p["money"]) for p in told["purposes"]] == [
        ("selection", 2, 2.0), ("failed", 1, 1.0), ("all", 3, 3.0),
    ]  # fmt: skip
    assert book.unknown.startswith("studied: it is not known yet what is chosen")
    assert "No trial is in the table. Besides: 2 that settings were chosen by, 1 failed" in told["statement"]


def test_an_empty_store_is_said_to_be_empty(tmp_path: Path) -> None:
    shown = typed(tmp_path, "cost", "reduction_ratio")
    assert shown.code == 0 and "no trial of this sweep has run here" in shown.out
    assert not (tmp_path / "runs").exists()


def test_an_interrupted_trial_has_used_what_its_checkpoint_tells(ask) -> None:  # type: ignore[no-untyped-def]
    import torch

    longer = {"train.epochs": 4}
    from senet_lab.spec import apply
    from tests.conftest import TINY

    found = ask(base=apply(TINY, longer), seeds=1)
    learner, parts = begin(found.planned[0].trial, torch.device("cpu"))
    for metrics in train(found.planned[0].trial, learner, parts):
        if metrics.epoch == 3:
            break
    learner.epochs = tuple(m.model_copy(update={"seconds": 2.0}) for m in learner.epochs)
    store.save_state(found.store.open(found.planned[0]), learner.to_bytes())
    found = ask(base=apply(TINY, longer), seeds=1)
    _, answer = answered(found)
    assert answer.provenance is not None and answer.provenance.seconds() == 0
    told = with_spent(answer.provenance, found)
    assert told.seconds("interrupted") == pytest.approx(6.0)
    sweep.run(found, Local(), lambda step: None)
    _, answer = answered(found.again())
    assert answer.provenance is not None
    assert with_spent(answer.provenance, found) is answer.provenance, (
        "nothing is unfinished: no checkpoint is looked for"
    )
