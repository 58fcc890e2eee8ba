"""What is to be known of a sweep before it runs."""

import json
from collections.abc import Callable

import pytest

from senet_lab import outlook, plan, sweep
from senet_lab.executors.local import Local
from senet_lab.inventory import Inventory
from senet_lab.outlook import about_seeds, as_json, look
from tests.conftest import TINY

Ask = Callable[..., Inventory]
COMMAND = "senet-lab sweep tiny"


def notes(found: Inventory) -> dict[str, str]:
    return dict(look(found, COMMAND, 2, 0).notes)


@pytest.mark.parametrize(
    ("seeds", "comparisons", "enough"),
    [(1, 1, 6), (2, 1, 6), (5, 1, 6), (6, 1, None), (6, 2, 7), (6, 5, 8), (7, 5, 8), (8, 5, None), (20, 8, None)],
)
def test_seeds_that_cannot_reach_significance_are_told(seeds: int, comparisons: int, enough: int | None) -> None:
    """2 / 2 ** n < .05 / k: six seeds for one comparison, eight for five."""
    told = about_seeds(seeds, comparisons)
    assert told == "" if enough is None else str(enough) in told
    assert ("no verdict" in told) == (seeds == 1)
    assert ("t test alone" in told) == (seeds > 1 and enough is not None)


def test_failed_trials_are_told_with_what_to_do(ask: Ask) -> None:
    wild = [{"train.learning_rate": 99.0, "train.weight_decay": 0.9}]
    sweep.run(ask(seeds=1, variants=wild), Local(), lambda step: None)
    found = ask(seeds=1, variants=wild)
    failed = next(t for t, state in found.plan.trials if state == "failed")
    assert notes(found)["failed"] == (
        f"1 failed (why: senet-lab show {failed.id} --store {found.store.root}); "
        f"to run them again: {COMMAND} --rerun failed"
    )


def test_what_is_not_asked_for_any_more_is_counted(ask: Ask) -> None:
    sweep.run(ask(grid={"model.se.reduction": [2, 4]}), Local(), lambda step: None)
    told = notes(ask(seeds=1))
    assert told["hidden"] == "4 trials of 3 settings in the store are not asked for: hidden, not deleted"
    assert "hidden" not in notes(ask(grid={"model.se.reduction": [2, 4]}))


def test_stale_results_are_not_hidden_ones(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep.run(ask(seeds=1), Local(), lambda step: None)
    monkeypatch.setattr(plan, "code_digest", lambda trial, own: "newer")
    assert set(notes(ask(seeds=1))) == {"seeds", "stale"}


def test_a_script_finds_everything_in_the_json(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep.run(ask(seeds=2), Local(), lambda step: None)
    found = ask(seeds=3)
    told = json.loads(json.dumps(as_json(look(found, COMMAND, 2, 0)), allow_nan=False))
    assert (told["sweep"], told["seeds"], told["to_run"], told["slots"]) == ("tiny", 3, 2, 2)
    assert told["baselines"] == {"reduction=2": "no_se"} and told["command"] == COMMAND
    assert told["counts"] == {"done": 4, "missing": 2, "interrupted": 0, "stopped": 0, "failed": 0, "stale": 0}
    row, control = told["rows"]
    assert (row["label"], row["settings"], row["control"]) == ("reduction=2", {"model.se.reduction": 2}, False)
    assert row["hidden_widths"] == {"2": [2]} and control["hidden_widths"] == {}
    assert (row["params"], control["params"]) == (414, 398) and row["macs"] > control["macs"]
    assert [t["seed"] for t in row["trials"]["done"]] == [0, 1]
    for trial in row["trials"]["done"]:
        assert (found.store.path / trial["folder"] / "record.json").is_file() and trial["folder"].endswith(trial["id"])
    assert row["trials"]["missing"] == [{"id": row["trials"]["missing"][0]["id"], "seed": 2, "folder": None}]
    forecast = told["forecast"]
    assert forecast["source"] == "done trials" and not forecast["assumed"] and row["seconds_per_trial"] > 0
    assert 0 < forecast["low_seconds"] < forecast["seconds"] < forecast["high_seconds"]
    assert {note["about"] for note in told["notes"]} == {"seeds"}

    monkeypatch.setattr(plan, "code_digest", lambda trial, own: "newer")
    stale = as_json(look(ask(seeds=2), COMMAND, 2, 0))["rows"][0]["trials"]["stale"][0]
    assert stale["folder"] is None and stale["results"] == [
        {k: v for k, v in row["trials"]["done"][0].items() if k != "seed"}
    ]


def test_settings_that_are_whole_networks_are_json_too(ask: Ask) -> None:
    found = ask(variants={"wide": {"model": TINY.model.model_copy(update={"widths": (8,)})}})
    told = as_json(look(found, COMMAND, 2, 0))
    assert told["forecast"] is None and json.loads(json.dumps(told))["rows"][1]["settings"]["model"]["widths"] == [8]


@pytest.mark.slow
def test_a_probe_is_made_only_where_no_trial_tells_the_time(ask: Ask) -> None:
    first = outlook.look(ask(seeds=1), COMMAND, 1, 0.5)
    assert first.expected is not None and first.expected.source == "probe"
    sweep.run(ask(seeds=1), Local(), lambda step: None)
    more, all_done = (outlook.look(ask(seeds=n), COMMAND, 1, 0.5) for n in (2, 1))
    assert more.expected is not None and more.expected.source == "done trials" and all_done.expected is None
