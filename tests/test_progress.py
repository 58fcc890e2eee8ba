"""What people see while trials run: the numbers of the table and of the sentence."""

import io
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
from rich.console import Console

from senet_lab import progress as module
from senet_lab import sweep
from senet_lab.executors.local import Local
from senet_lab.inventory import Inventory
from senet_lab.jobs import Step
from senet_lab.plan import Plan
from senet_lab.progress import Progress

Ask = Callable[..., Inventory]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def steps_of(found: Inventory) -> list[Step]:
    steps: list[Step] = []
    sweep.run(found, Local(), steps.append)
    return steps


def test_what_is_left_follows_from_the_pace_so_far(ask: Ask, clock: list[float]) -> None:
    found = ask(seeds=2)
    steps = steps_of(found)
    console = Console(file=io.StringIO())
    with Progress(console, found, found.planned) as progress:
        for step in steps:
            progress(step)
            if step.record is not None and progress.ended == 2:
                break
            clock[0] += 10.0 if step.record is None else 0.0
        # Two of four ended; training began at the first step.
        pace = (clock[0] - 100.0) / 2
        assert progress.sentence() == f"2 of 4 trials ended; about {2 * pace:.0f} s left"


def test_a_line_now_and_then_where_there_is_no_terminal(ask: Ask, clock: list[float]) -> None:
    found = ask(seeds=1)
    steps = steps_of(found)
    console = Console(file=io.StringIO())
    with Progress(console, found, found.planned) as progress:
        for step in steps:
            clock[0] += module.LINE_SECONDS
            progress(step)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines[0].startswith("2 trials to run")
    with Progress(console, found, found.planned[:1]):
        pass
    assert console.file.getvalue().splitlines()[-1].startswith("1 trial to run;")  # type: ignore[attr-defined]
    assert "0 of 2 trials ended" in lines and any(line.startswith("1 of 2 trials ended") for line in lines)
    assert progress.sentence() == "2 of 2 trials ended"
    assert "2 of 2 trials ended" not in lines, "whoever began says it, once"


def test_the_live_table_counts_rows(ask: Ask) -> None:
    found = ask(seeds=1)
    steps = steps_of(found)
    progress = Progress(Console(file=io.StringIO(), width=100), found, found.planned)
    half = next(i for i, s in enumerate(steps) if s.record is not None) + 2
    for step in steps[:half]:
        progress(step)
    progress.console.print(progress._table())
    text = progress.console.file.getvalue()  # type: ignore[attr-defined]
    rows = {line.split()[0]: line.split()[1:5] for line in text.splitlines() if line.startswith(("reduction", "no_se"))}
    assert rows == {"reduction=2": ["1", "-", "-", "1"], "no_se": ["0", "-", "1", "1"]}


def test_failed_trials_are_told(ask: Ask) -> None:
    found = ask(seeds=1, variants=[{"train.learning_rate": 99.0, "train.weight_decay": 0.9}])
    progress = Progress(Console(file=io.StringIO()), found, found.planned)
    for step in steps_of(found):
        progress(step)
    assert progress.sentence() == "3 of 3 trials ended, 1 failed"


def test_trials_that_were_stopped_are_told(ask: Ask) -> None:
    found = ask(seeds=1)
    progress = Progress(Console(file=io.StringIO()), found, found.planned)
    for step in steps_of(found):
        ended = step.record and step.record.model_copy(update={"status": "stopped", "test": None})
        progress(replace(step, record=ended))
    assert progress.sentence() == "2 of 2 trials ended, 2 stopped early"
    progress._table()


def test_a_table_that_takes_long_to_draw_is_drawn_less_often(
    ask: Ask, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = ask(seeds=1)
    step = Step(found.planned[0], ())
    progress = Progress(Console(file=io.StringIO(), force_terminal=True), found, found.planned)
    drawn: list[float] = []

    def draw() -> None:
        drawn.append(clock[0])
        clock[0] += 0.5

    monkeypatch.setattr(progress, "_show", draw)
    for _ in range(300):
        progress(step)
        clock[0] += 0.1
    each = 0.5 * module.SHARE
    assert len(drawn) > 2 and all(each <= b - a <= each + 0.2 for a, b in pairwise(drawn))


def test_candidates_of_a_search_have_one_line(ask: Ask) -> None:
    found = ask(seeds=2)
    many = [replace(t, variant=replace(t.variant, candidate=n)) for n, t in enumerate(found.planned)]
    asked = replace(found, plan=Plan(tuple((t, "missing") for t in many)))
    progress = Progress(Console(file=io.StringIO(), width=100), asked, many)
    progress(Step(many[1], ()))
    progress.console.print(progress._table())
    (line,) = [x for x in progress.console.file.getvalue().splitlines() if x.startswith("candidates")]  # type: ignore[attr-defined]
    assert line.split()[1:5] == ["0", "-", "1", "4"]
