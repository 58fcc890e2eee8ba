"""`senet-lab seeds`: what the seeds so far can find, what a difference needs, and what is assumed."""

import io
import json
import math
from collections.abc import Callable

import numpy as np
import pytest
from rich.console import Console

from senet_lab import store
from senet_lab.commands import seeds
from senet_lab.inventory import Inventory
from senet_lab.results import paired, planner
from tests.results.conftest import make_record

Ask = Callable[..., Inventory]
COMMAND = "senet-lab sweep tiny"
WRONG = {"reduction=2": [30, 33, 28, 31, 35, 29], "no_se": [29, 31, 30, 31, 31, 30]}


@pytest.fixture
def done(ask: Ask) -> Ask:
    """Six seeds of both rows, two seconds each."""
    for planned in ask(seeds=6).planned:
        record = make_record(planned, WRONG[planned.variant.label][planned.trial.seed], sweep="tiny", settings={})
        store.finish(ask().store.open(planned), record)
    return ask


def look(found: Inventory, detect: float | None = 0.2, spread: float | None = None) -> seeds.Needs:
    return seeds.look(found, COMMAND, detect, spread, 0)


def shown(needs: seeds.Needs, monkeypatch: pytest.MonkeyPatch) -> str:
    console = Console(file=io.StringIO(), width=80)
    monkeypatch.setattr(seeds, "console", console)
    seeds.show(needs, False)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_what_is_needed_and_what_to_type(done: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    needs = look(done(seeds=6))
    line = needs.frame.iloc[0]
    sd = np.subtract(WRONG["reduction=2"], WRONG["no_se"]).std(ddof=1) / 900
    safe = paired.upper_sd(sd, 6)
    assert line["seeds"] == planner.seeds_to_detect(0.002, sd, 0.05)
    assert needs.wanted == line["seeds_safe"] == planner.seeds_to_detect(0.002, safe, 0.05) > line["seeds"]
    assert line["further"] == needs.wanted - 6 and needs.command == f"{COMMAND} --seeds {needs.wanted}"
    text = " ".join(shown(needs, monkeypatch).split())
    assert "`--until-decided` adds them to undecided rows and keeps .05 in all" in text
    assert f"To run them: {needs.command}" in text and "seeds to find 0.2 points" in text
    assert "80 % power, paired t test at 0.05" in text and "Holm" not in text, "one comparison has no family"
    assert "Safe: by the upper 80 % limit of the spread" in text and "Assumed" not in text


def test_the_time_is_of_both_rows_on_all_slots(done: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeds, "slots", lambda workers: 2)
    needs = look(done(seeds=6))
    assert needs.expected is not None and needs.expected.source == "done trials" and needs.wanted is not None
    further = needs.wanted - 6
    assert needs.frame.iloc[0]["seconds"] == pytest.approx(further * (2 + 2) / 2)
    assert needs.expected.forecast.seconds == pytest.approx(further * 2, rel=0.01)


def test_no_line_is_longer_than_the_terminal(done: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    grid = {"model.se.reduction": [1, 2], "model.se.gate": ["sigmoid", "relu", "tanh"]}
    for needs in (look(done(seeds=6)), look(done(seeds=6, grid=grid), 0.001)):
        table = shown(needs, monkeypatch).split("\nmore than" if needs.wanted is None else "\nThe trials that")[0]
        assert max(map(len, table.splitlines())) <= 80 and "…" not in table


def test_without_data_the_assumption_is_said(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """891 test images of the digits, 5 % of them wrong in each of two networks: sd sqrt(2 x .05 x .95 / 891) = 1.03."""
    needs = look(ask())
    line = needs.frame.iloc[0]
    assert line["source"] == "assumed" and line["spread"] == pytest.approx(math.sqrt(2 * 0.05 * 0.95 / 891))
    assert math.isnan(line["finds"]) and needs.expected is None and math.isnan(line["seconds"])
    text = " ".join(shown(needs, monkeypatch).split())
    assert "two independent networks with an error of 5 % on 891 test images" in text
    assert "--spread POINTS replaces it" in text and "no trial is done, and no probe was made" in text
    assert "nothing tells how long that takes" in text and "1.03" in text and "--until-decided" not in text


def test_a_spread_can_be_given(done: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    needs = look(done(seeds=6), detect=0.5, spread=0.5)
    assert needs.wanted == needs.frame.iloc[0]["seeds"] == 10  # one standard deviation: Cohen 1988's ten pairs
    text = " ".join(shown(needs, monkeypatch).split())
    assert "Given: --spread 0.5." in text and "Safe:" not in text


def test_the_margin_is_looked_for_where_nothing_is_said(done: Ask) -> None:
    assert look(done(seeds=6), detect=None).aim.detect == 0.01


def test_enough_seeds_are_enough(done: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    needs = look(done(seeds=6), detect=5.0)
    assert needs.frame.iloc[0]["further"] == 0 and needs.wanted == 6
    text = shown(needs, monkeypatch)
    assert "6 seeds a row, as asked for, are enough" in text and "--until-decided" not in text
    assert "no trial is done" not in " ".join(text.split()), "nothing is due"


def test_what_ten_thousand_seeds_cannot_find_is_said(done: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    needs = look(done(seeds=6), detect=0.0001)
    assert needs.wanted is None and needs.command is None
    text = shown(needs, monkeypatch)
    assert "more than 10,000 seeds would be needed" in text and "> 10,000" in text


def test_a_script_finds_everything_in_the_json(done: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    seeds.show(look(done(seeds=6)), True)
    told = json.loads(capsys.readouterr().out)
    assert (told["sweep"], told["detect"], told["margin"], told["power"]) == ("tiny", 0.002, 0.01, 0.8)
    assert told["command"] == f"{COMMAND} --seeds {told['wanted_seeds']}" and told["test_images"] == 891
    assert 0 < told["forecast"]["low_seconds"] < told["forecast"]["seconds"]
    (line,) = told["comparisons"]
    assert set(line) == {*planner.COLUMNS, "further", "seconds"} and line["n_pairs"] == 6
    seeds.show(look(done(seeds=6), detect=0.0001), True)
    assert json.loads(capsys.readouterr().out)["comparisons"][0]["seeds"] is None
