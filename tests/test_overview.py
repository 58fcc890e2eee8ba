"""What people read before anything runs."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from senet_lab import overview, plan, sweep
from senet_lab.executors.local import Local
from senet_lab.inventory import Inventory

Ask = Callable[..., Inventory]


def printed(show: Callable[[Console], None]) -> str:
    console = Console(file=io.StringIO(), width=100)
    show(console)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_the_plan_shows_widths_costs_and_states(ask: Ask) -> None:
    text = printed(lambda console: overview.show_plan(console, ask()))
    # ResNet-4 of width 4 on grey 8x8 images of ten classes, by hand: stem 36, its BN 8, two
    # convolutions 2 x 144, their BNs 16, classifier 50; SE at r = 2 adds 2 x 4 x 2 weights.
    assert "398" in text and "414" in text
    assert "2: 2" in text and "4 trials to run; no trial is done yet" in text


def test_the_forecast_is_the_median_trial_times_those_left_over_the_cores(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep.run(ask(seeds=1), Local(), lambda step: None)
    found = ask(seeds=21)
    slow = tuple(r.model_copy(update={"seconds": s}) for r, s in zip(found.records, (50.0, 70.0), strict=True))
    monkeypatch.setattr(overview, "cores", lambda: 4)
    told = overview.forecast(Inventory(found.question, found.store, slow, found.plan))
    assert told.startswith("40 trials to run: about 10 min on 4 cores")  # 40 x 60 s / 4


def test_the_plan_says_when_nothing_is_missing(ask: Ask) -> None:
    sweep.run(ask(seeds=1), Local(), lambda step: None)
    assert overview.forecast(ask(seeds=1)) == "2 of 2 trials are done"


def test_results_of_older_code_are_stale_and_the_remedy_is_told(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep.run(ask(seeds=1), Local(), lambda step: None)
    monkeypatch.setattr(plan, "code_digest", lambda trial: "newer")
    found = ask(seeds=1)
    assert overview.forecast(found).splitlines() == [
        "0 of 2 trials are done",
        "2 of code that has changed since; to run them again: senet-lab sweep with --rerun stale",
    ]
    assert "stale" in printed(lambda console: overview.show_plan(console, found))


def test_blocks_of_different_widths_are_listed_one_by_one(ask: Ask) -> None:
    pre = {"model.depth": 10, "model.widths": [4, 8], "model.se.placement": "pre", "model.se.reduction": 2}
    text = printed(lambda console: overview.show_plan(console, ask(variants=[pre])))
    assert "2: 2, 3: 2/4" in text  # the first unit of stage 3 sees the four channels of stage 2


def test_a_broken_sweep_file_is_a_line_of_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "sweeps" / "broken.py").write_text("SWEEP = 1 +")
    text = printed(lambda console: overview.list_sweeps(console, tmp_path / "runs"))
    assert "broken" in text and "not Python" in text and "reduction_ratio" in text
