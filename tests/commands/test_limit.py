"""What a sweep says that ends before all is done, and the forecast by which it does."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from senet_lab import balance, store
from senet_lab.balance import Course, Limit, Rest, listed
from senet_lab.commands import limit, report
from senet_lab.commands.limit import Pace, announce, ending, refuse_too_long, standing
from senet_lab.errors import UserError
from senet_lab.inventory import Inventory
from senet_lab.jobs import Job, Step
from senet_lab.plan import Plan, PlannedTrial, State
from senet_lab.records import Cost, TrialRecord
from tests.commands.conftest import Fill
from tests.results.conftest import make_record
from tests.studies import SEARCHED, TUNED, asked, step, take

Ask = Callable[..., Inventory]


def took(planned: PlannedTrial, seconds: float, device: str = "cpu") -> TrialRecord:
    return make_record(planned, seconds=seconds, macs=10**6, device=device)


def rest(trials: Sequence[PlannedTrial], *ended: TrialRecord, at_once: int = 0) -> Rest:
    return Rest(tuple((t, 1.0) for t in trials), ended, at_once)


def told(seconds: float | None) -> Callable[[Inventory], object]:
    return lambda found: seconds and SimpleNamespace(forecast=SimpleNamespace(seconds=seconds))


def with_states(found: Inventory, *states: State) -> Inventory:
    return replace(found, plan=Plan(tuple(zip(found.planned, states, strict=True))))


def test_the_pace_is_that_of_the_store_and_of_this_run(ask: Ask) -> None:
    found = ask(seeds=6)
    first, second, *others = found.planned
    pace = Pace(found, 2, lambda trial: False)
    assert pace(rest(others)) is None
    assert pace(rest(others, took(first, 60), took(second, 60))) == pytest.approx(5 * 60)
    known = replace(found, records=(took(first, 60), took(second, 60)))
    assert Pace(known, 1, lambda trial: False)(rest(others)) == pytest.approx(10 * 60)
    third, fourth, *last = others
    more = rest(last, took(third, 180), took(fourth, 180))
    assert Pace(known, 1, lambda trial: False)(more) == pytest.approx(8 * 120), "the mean of 60 and 180"
    assert pace(rest(())) == 0


def test_where_nobody_knows_the_places_those_that_were_seen_count(ask: Ask) -> None:
    """As on a cluster, whose trials may run on a GPU though this machine has none."""
    first, second, *others = ask(seeds=6).planned
    pace = Pace(ask(seeds=6), None, lambda trial: False)
    assert pace(rest(others, took(first, 60, "cuda"), took(second, 60, "cuda"), at_once=5)) == pytest.approx(2 * 60)


def test_a_share_of_a_trial_costs_its_share(ask: Ask) -> None:
    first, second, *_ = ask(seeds=6).planned
    pace = Pace(ask(seeds=6), 1, lambda trial: False)
    half = Rest(((second, 0.5),), (took(first, 60), took(second, 60)), 1)
    assert pace(half) == pytest.approx(30)
    assert 0 < (pace(replace(half, trials=((second, 0.0),))) or 0) < 1, "the test is left"


def test_what_the_first_ctrl_c_says(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    found = ask(seeds=3)
    groups = [[Job(t, "tiny", "", "", Cost(params=1, params_and_statistics=1, macs=1))] for t in found.planned]
    course = Course()
    course.follow(groups, lambda rest: None)
    course.hear(Step(found.planned[0], ()))
    announce(course, lambda rest: 60.0 * len(rest.trials))  # type: ignore[arg-type]
    said = (
        "Stopping: 2 trials more, so that all rows have the same seeds, about 2 min. Ctrl-C again stops at once and "
        "loses nothing: a trial that is interrupted goes on from its last epoch"
    )
    assert capsys.readouterr().out == said + "\n"
    announce(course, lambda rest: None)  # type: ignore[arg-type]
    assert "the same seeds. Ctrl-C again" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "aim"), [(TUNED, "so that all rows have as many candidates"), (SEARCHED, "of candidates that have begun")]
)
def test_candidates_are_not_stopped_for_seeds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, aim: str
) -> None:
    _, due = step(take(asked(tmp_path, text, trials=4), tmp_path))
    course = Course()
    course.follow([[Job(t, "tiny", "", "", Cost(params=1, params_and_statistics=1, macs=1))] for t in due], lambda _: 0)
    course.hear(Step(due[0], ()))
    announce(course, lambda rest: None)  # type: ignore[arg-type]
    assert re.match(rf"Stopping: \d trials? more, {aim}\. Ctrl-C again", capsys.readouterr().out)


def test_a_first_seed_that_does_not_fit_is_refused(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    found = with_states(ask(seeds=2), "done", "missing", "missing", "missing")
    seen: list[Inventory] = []

    def expect(coming: Inventory) -> object:
        seen.append(coming)
        return told(7200.0)(coming)

    monkeypatch.setattr(balance, "time", SimpleNamespace(monotonic=lambda: 0.0))
    refuse_too_long(found, Limit(2.1), (), expect)  # type: ignore[arg-type]
    assert [t.name for t in seen[0].plan.to_run()] == ["no_se seed=0"]
    refuse_too_long(found, Limit(), (), expect)  # type: ignore[arg-type]
    assert len(seen) == 1
    with pytest.raises(
        UserError, match=r"--max-hours 1.9: the first seed .*, 1 trial, would take about 2 h; allow more"
    ):
        refuse_too_long(found, Limit(1.9), (), expect)  # type: ignore[arg-type]
    refuse_too_long(found, Limit(0.1), (), told(None))  # type: ignore[arg-type]
    with pytest.raises(UserError, match="1 trial, cannot begin by then; allow more"):
        refuse_too_long(found, Limit(0.1, -1000.0), (), told(None))  # type: ignore[arg-type]


def test_which_seeds_are_there_and_what_is_left(ask: Ask) -> None:
    found = with_states(ask(seeds=4), *(["done"] * 4), "interrupted", "failed", "missing", "missing")
    assert standing(found.plan) == "2 of 4 seeds are there in every row and seed 2 in some rows only"
    assert ending(found.plan, (), told(600.0)(found)) == (  # type: ignore[arg-type]
        f"{standing(found.plan)}; 3 trials are left, about 10 min. To go on, type the same command again"
    )
    assert "; 3 trials are left. To go on" in ending(found.plan, (), None)
    whole = with_states(ask(seeds=1), "done", "done")
    assert ending(whole.plan, (), None) == "1 of 1 seeds are there in every row, and nothing is left to run"
    assert listed([9, 3, 5, 4]) == "3 to 5, 9" and listed([]) == ""


def test_a_report_of_unequal_seeds_says_so(fill: Fill, capsys: pytest.CaptureFixture[str], undrawn: None) -> None:
    missing = [f"{label} seed={seed}" for seed in (2, 3) for label in ("reduction=8", "no_se")]
    found = fill(seeds=4, without=tuple(missing))
    report.report_only(found, found.store.path.parent / "reports", False)
    said = " ".join(capsys.readouterr().out.split())
    assert (
        "rows have unequal seeds: seeds 2 to 3. Differences and verdicts are of the seeds that both rows have" in said
    )
    for planned in found.planned:
        if planned.name in missing:
            store.finish(found.store.open(planned), make_record(planned))
    report.report_only(found.again(), found.store.path.parent / "reports", False)
    assert "Not whole yet" not in capsys.readouterr().out
    assert limit.standing(found.again().plan) == "4 of 4 seeds are there in every row"
