"""What people read before anything runs."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from senet_lab import outlook, overview, plan, sweep
from senet_lab.executors.local import Local
from senet_lab.inventory import Inventory

COMMAND = "senet-lab sweep tiny"
Ask = Callable[..., Inventory]


def printed(show: Callable[[Console], None]) -> str:
    console = Console(file=io.StringIO(), width=100)
    show(console)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def plan_of(found: Inventory, probe: float = 0) -> str:
    return printed(lambda console: overview.show_plan(console, outlook.look(found, COMMAND, 2, probe)))


def test_the_plan_shows_widths_costs_and_states(ask: Ask) -> None:
    text = plan_of(ask())
    # ResNet-4 of width 4 on grey 8x8 images of ten classes, by hand: stem 36, its BN 8, two
    # convolutions 2 x 144, their BNs 16, classifier 50; SE at r = 2 adds 2 x 4 x 2 weights.
    assert "398" in text and "414" in text
    assert "2: 2" in text and "4 trials to run: no trial is done yet" in text and COMMAND in text


def test_the_plan_says_when_nothing_is_missing(ask: Ask) -> None:
    sweep.run(ask(seeds=1), Local(), lambda step: None)
    text = plan_of(ask(seeds=1))
    assert "2 of 2 trials are done" in text and "to run them" not in text


def test_results_of_older_code_are_stale_and_the_remedy_is_told(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep.run(ask(seeds=1), Local(), lambda step: None)
    monkeypatch.setattr(plan, "code_digest", lambda trial, own: "newer")
    text = plan_of(ask(seeds=1))
    assert "0 of 2 trials are done" in text and "stale" in text
    assert f"2 of code that has changed since; to run them again: {COMMAND} --rerun stale" in text


def test_no_column_is_cut_where_the_table_is_narrow(ask: Ask) -> None:
    names = ("SE-Inception-ResNet-v2", "a name that is much too long for a table of eighty columns")
    found = ask(variants={name: {"model.se.reduction": r} for name, r in zip(names, (1, 4), strict=True)})
    console = Console(file=io.StringIO(), width=80)
    overview.show_plan(console, outlook.look(found, COMMAND, 2, 0))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines[1].rstrip().endswith("missing") and set(lines[2].rstrip()) == {"─"} and len(lines[2]) <= 80
    assert any(line.startswith("SE-Inception-ResNet-v2 ") for line in lines)
    words = " ".join(line[:24].strip() for line in lines)
    assert names[1] in words and "much too" in words, "no line ends inside a word"


def test_as_json_there_is_one_object_and_nothing_else(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(file=io.StringIO())
    overview.show_plan(console, outlook.look(ask(), COMMAND, 2, 0), json_only=True)
    assert json.loads(capsys.readouterr().out)["sweep"] == "tiny"
    assert console.file.getvalue() == ""  # type: ignore[attr-defined]


def test_blocks_of_different_widths_are_listed_one_by_one(ask: Ask) -> None:
    pre = {"model.depth": 10, "model.widths": [4, 8], "model.se.placement": "pre", "model.se.reduction": 2}
    text = plan_of(ask(variants=[pre]))
    assert "2: 2, 3: 2/4" in text  # the first unit of stage 3 sees the four channels of stage 2


def test_a_broken_sweep_file_is_a_line_of_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "sweeps" / "broken.py").write_text("SWEEP = 1 +")
    text = printed(lambda console: overview.list_sweeps(console, tmp_path / "runs"))
    assert "broken" in text and "not Python" in text and "reduction_ratio" in text
