"""What must not grow with the number of trials: reads, calls to MLflow, open files, threads. Counted, not timed."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from senet_lab import files, inventory, sweep
from senet_lab.commands.sweep import How, run_sweep
from senet_lab.executors import Executor
from senet_lab.executors.local import Local
from senet_lab.inventory import Inventory
from senet_lab.jobs import Step
from senet_lab.spec import apply
from senet_lab.store import Store
from tests.conftest import TINY, question

ONE_STEP = apply(TINY, {"train.epochs": 1, "data.validation": 842})
Ask = Callable[..., Inventory]


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Callable[[object, str], Counter[str]]:
    """Counts the calls of what it is given, which go on to do what they did."""
    calls: Counter[str] = Counter()

    def counted(place: Any, name: str) -> Counter[str]:
        true = getattr(place, name)

        def call(*given: Any, **options: Any) -> Any:
            calls[name] += 1
            return true(*given, **options)

        monkeypatch.setattr(place, name, call)
        return calls

    return counted


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def held_while_running(found: Inventory, executor: Executor) -> list[tuple[int, int]]:
    """Open files and threads of this process whenever a trial has ended."""
    held: list[tuple[int, int]] = []

    def listener(step: Step) -> None:
        if step.record is not None:
            assert step.record.status == "done", step.record.traceback
            held.append((open_files(), threading.active_count()))

    sweep.run(found, executor, listener)
    return held


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts files as Linux shows them")
def test_fifty_trials_leave_no_file_and_no_thread_behind(ask: Ask) -> None:
    held = held_while_running(ask(base=ONE_STEP, seeds=25), Local())
    assert len(held) == 50 and set(held[5:]) == {held[5]}


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts files as Linux shows them")
def test_the_driver_of_sixty_trials_on_ray_opens_no_more_files_than_that_of_twenty(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from senet_lab.executors import ray_tune
    from senet_lab.executors.ray_tune import RayTune
    from senet_lab.executors.slot import Slot

    left: list[Path] = []
    remove = ray_tune.shutil.rmtree

    def look(folder: Any, **options: Any) -> None:
        left.extend(Path(folder).rglob("checkpoint_*"))
        remove(folder, **options)

    monkeypatch.setattr(ray_tune.shutil, "rmtree", look)
    held = held_while_running(ask(base=ONE_STEP, seeds=30), RayTune(Slot(at_once=2)))
    few, many = held[15:25], held[-10:]
    assert max(many)[0] <= max(few)[0] + 2 and max(t for _, t in many) <= max(t for _, t in few) + 2
    assert not left, "a call to the worker and a folder a trial, for nothing"


def test_tune_is_left_nothing_of_a_trial_that_has_ended(ask: Ask) -> None:
    from senet_lab.executors.relay import Relay

    heard: list[Step] = []
    sweep.run(ask(base=ONE_STEP, seeds=1), Local(), heard.append)
    ended = next(step for step in heard if step.record is not None)
    job = SimpleNamespace(planned=ended.planned)
    result = {"steps": (ended,), "done": True}
    told: list[Step] = []
    Relay([[job]], told.append).on_trial_result(0, [], SimpleNamespace(config={"group": 0}), result)  # type: ignore[list-item]
    assert told == [ended] and result == {"done": True}


def test_a_trial_reads_and_writes_as_much_as_the_one_before(
    ask: Ask, count: Callable[[object, str], Counter[str]]
) -> None:
    count(files, "read")
    count(files, "folders")
    calls = count(files, "write")
    seen: list[Counter[str]] = []

    def listener(step: Step) -> None:
        if step.record is not None:
            seen.append(calls.copy())

    sweep.run(ask(base=ONE_STEP, seeds=5), Local(), listener)
    each = [after - before for before, after in pairwise(seen)]
    rows = each[::2], each[1::2]
    assert len(each) == 9 and all(one == row[0] for row in rows for one in row)
    assert [row[0]["write"] for row in rows] == [3, 4], "what was asked, a checkpoint, the record; with SE its gates"
    assert all(one["folders"] == 0 for one in each)


def test_taking_stock_lists_once_and_reads_a_finished_trial_once(
    ask: Ask, count: Callable[[object, str], Counter[str]]
) -> None:
    sweep.run(ask(base=ONE_STEP, seeds=4), Local(), lambda step: None)
    count(files, "read")
    calls = count(files, "folders")
    assert ask(base=ONE_STEP, seeds=4).plan.counts() == {"done": 8}
    assert calls == {"folders": 1, "read": 8}


@pytest.fixture
def client_calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """By name, what is asked of MLflow."""
    from senet_lab.tracking.address import hush

    hush()
    from mlflow import MlflowClient

    calls: Counter[str] = Counter()

    def counted(name: str, true: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **options: Any) -> Any:
            calls[name] += 1
            return true(*given, **options)

        return call

    for name, true in vars(MlflowClient).items():
        if not name.startswith("_") and callable(true):
            monkeypatch.setattr(MlflowClient, name, counted(name, true))
    yield calls


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_a_command_with_nothing_to_run_asks_nothing_more_where_more_is_done(
    tmp_path: Path, client_calls: Counter[str], count: Callable[[object, str], Counter[str]]
) -> None:
    reads = count(Store, "contents")

    def typed(seeds: int) -> tuple[int, int]:
        """Calls to MLflow, and readings of the whole store after the first, by `senet-lab sweep`."""
        found = inventory.take(question(base=ONE_STEP, seeds=seeds), tmp_path / "runs")
        client_calls.clear()
        reads.clear()
        run_sweep(found, how)
        return client_calls.total(), reads["contents"]

    how = How("local", None, None, 1, None, None, (), f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "reports")
    first, nothing, more, nothing_of_more = typed(2), typed(2), typed(12), typed(12)
    assert nothing_of_more == nothing and nothing[1] == 1 and first[1] == more[1] == 2
    assert more[0] - nothing[0] <= 20 * 4 + 10, "a run is created, gets a batch or two, and ends"
