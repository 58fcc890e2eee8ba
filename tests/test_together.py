"""Groups of trials: of each what it gives alone, whatever happens to the group."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from senet_lab import data, plan, store, together, trial
from senet_lab.design import Variant
from senet_lab.errors import Crowded, Diverged, StoreError
from senet_lab.jobs import Job, Step
from senet_lab.records import Cost, EpochMetrics, TrialRecord
from senet_lab.spec import Data, Model, Train, Trial, apply
from senet_lab.training import population
from senet_lab.training.learner import Learner
from senet_lab.training.train import train

TINY = Trial(
    model=Model(depth=4, widths=(4,)),
    data=Data(source="digits", validation=408),
    train=Train(epochs=3, batch_size=100, learning_rate=0.1),
)
ROWS = ({}, {"model.se.reduction": 2}, {"train.learning_rate": 0.02})
DIVERGING = {"train.learning_rate": 99.0, "train.weight_decay": 0.9, "train.epochs": 12}
CLOCKS = {"started_at", "ended_at", "seconds", "train_seconds", "peak_memory_bytes", "together", "sitting"}


def one_after_another(
    trials: Sequence[Trial], learners: Sequence[Learner], parts: Sequence[Any], arrangement: object = None
) -> Iterator[tuple[EpochMetrics | Diverged, ...]]:
    """Stands in for the folded program, to the bit: what is tested here is what a group does around it."""
    running = [train(*given) for given in zip(trials, learners, parts, strict=True)]
    lost: dict[int, Diverged] = {}
    for _ in range(len(learners[0].epochs), trials[0].train.epochs):
        outcomes: list[EpochMetrics | Diverged] = []
        for k, member in enumerate(running):
            try:
                outcomes.append(lost[k] if k in lost else next(member))
            except Diverged as error:
                outcomes.append(lost.setdefault(k, error))
        yield tuple(outcomes)


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "train_together", one_after_another)


def jobs(root: Path, *rows: dict[str, Any], sitting: int = 1) -> list[Job]:
    made = []
    for changes in rows or ROWS:
        row = Variant("row" + str(len(made)), changes, apply(TINY, changes))
        planned = plan.wanted([row], 1, data.digest)[0]
        made.append(Job(planned, "tiny", root, "e", Cost(params=1, params_and_statistics=1, macs=1), sitting=sitting))
    return made


def records(steps: Sequence[Sequence[Step]]) -> list[TrialRecord]:
    return [step.record for told in steps for step in told if step.record is not None]


def facts(found: Sequence[TrialRecord]) -> dict[str, Any]:
    """Everything but what clocks and memory say and how many were trained together."""
    trees = {record.id: record.model_dump(exclude=CLOCKS) for record in found}
    for tree in trees.values():
        for epoch in tree["epochs"]:
            del epoch["seconds"], epoch["together"]
    return trees


def alone(root: Path, *rows: dict[str, Any]) -> dict[str, Any]:
    return facts(records([told for job in jobs(root, *rows) for told in together.steps([job])]))


def files(job: Job) -> set[str]:
    return {p.name for p in store.Store(job.store, job.sweep).folder(job.planned).iterdir()}  # type: ignore[union-attr]


def test_each_member_has_the_record_it_has_alone(tmp_path: Path) -> None:
    group = jobs(tmp_path / "group")
    clock = time.perf_counter()
    told = list(together.steps(group))
    spent = time.perf_counter() - clock
    found = records(told)
    assert facts(found) == alone(tmp_path / "alone") and [r.id for r in found] == [j.planned.id for j in group]
    assert {r.together for r in found} == {m.together for r in found for m in r.epochs} == {3}
    assert store.Store(tmp_path / "group", "tiny").contents()[1] == []
    plain, gated = {"trial.json", "record.json"}, {"trial.json", "record.json", "gates.parquet"}
    assert [files(job) for job in group] == [plain, gated, plain]
    assert spent * 0.9 < sum(r.seconds for r in found) <= spent, "the shares are the time that was spent"
    assert sum(r.seconds for r in found) >= sum(r.train_seconds for r in found)
    assert all(r.train_seconds == pytest.approx(sum(m.seconds for m in r.epochs)) for r in found)


def test_a_group_of_one_is_the_trial_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "run_group", lambda jobs: pytest.fail("not for one"))
    (job,) = jobs(tmp_path, ROWS[1])
    (told,) = together.steps([job])
    assert [s.record and s.record.together for s in told] == [1]


def test_epochs_are_told_as_they_come_and_each_ends_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "STEP_SECONDS", 1e9)
    group = jobs(tmp_path)
    (at_once,) = together.steps(group)
    assert [len(s.epochs) for s in at_once] == [3, 3, 3] and all(s.record for s in at_once)
    monkeypatch.setattr(together, "STEP_SECONDS", 0.0)
    told = list(together.steps(jobs(tmp_path / "slowly")))
    for job in group:
        own = [s for some in told for s in some if s.planned.id == job.planned.id]
        assert [m.epoch for s in own for m in s.epochs] == [1, 2, 3]
        assert [s.record is not None for s in own] == [False] * (len(own) - 1) + [True]


def test_a_member_that_diverges_ends_as_it_does_alone_and_the_others_in_the_group(tmp_path: Path) -> None:
    rows = ({"train.epochs": 12}, DIVERGING, {"train.epochs": 12, "train.learning_rate": 0.05})
    found = records(list(together.steps(jobs(tmp_path / "group", *rows))))
    expected = alone(tmp_path / "alone", *rows)
    assert facts(found).keys() == expected.keys()
    lost = next(r for r in found if r.status == "failed")
    assert "Diverged: the validation loss of epoch 2" in (lost.traceback or "") and lost.attempts == 3
    for id, tree in facts(found).items():
        said, meant = tree.pop("traceback"), expected[id].pop("traceback")
        assert (said or "").splitlines()[-1:] == (meant or "").splitlines()[-1:]
        assert tree == expected[id]
    assert [r.together for r in found if r.status == "done"] == [3, 3]


def broken(error: Exception, after: int, sizes: list[int]) -> Callable[..., Any]:
    """The stand-in, which raises `error` after some epochs whenever it has more than one member."""

    def fails(trials: Sequence[Trial], *given: Any) -> Iterator[Any]:
        sizes.append(len(trials))
        for number, outcomes in enumerate(one_after_another(trials, *given)):
            if number == after and len(trials) > 1:
                raise error
            yield outcomes

    return fails


@pytest.mark.parametrize(
    "error", [ValueError("no"), torch.OutOfMemoryError("CUDA out of memory")], ids=["any", "memory"]
)
def test_a_group_that_fails_goes_on_from_its_checkpoints(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(together, "train_together", broken(error, 2, sizes))
    told = list(together.steps(jobs(tmp_path / "group")))
    found = records(told)
    assert facts(found) == alone(tmp_path / "alone")
    epochs = [m.epoch for some in told for s in some for m in s.epochs]
    assert sorted(epochs) == [1, 1, 1, 2, 2, 2, 3, 3, 3], "no epoch is trained twice"
    assert sizes == ([3] if isinstance(error, ValueError) else [3, 2])
    assert {r.together for r in found} == {3}, "two of the epochs were"


def test_a_member_that_cannot_be_tested_costs_no_other_its_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = trial.final_test

    def fails(network: Any, parts: Any) -> Any:
        if any("se." in name for name, _ in network.named_parameters()):
            raise ZeroDivisionError("the disc is flat")
        return real(network, parts)

    monkeypatch.setattr(trial, "final_test", fails)
    found = {r.variant: r for r in records(list(together.steps(jobs(tmp_path))))}
    assert {v: (r.status, r.attempts) for v, r in found.items()} == {
        "row0": ("done", 1), "row1": ("failed", 3), "row2": ("done", 1)
    }  # fmt: skip
    assert "ZeroDivisionError: the disc is flat" in (found["row1"].traceback or "")


def interrupt(root: Path, places: Sequence[int], epochs: int) -> None:
    """Leave checkpoints of so many epochs of some members."""
    for place in places:
        running = trial.run_trial(jobs(root)[place])
        for _ in range(epochs):
            next(running)
        running.close()  # type: ignore[attr-defined]


def test_members_at_unlike_epochs_are_unlike_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt(tmp_path, (0, 2), 2)
    sizes: list[int] = []
    monkeypatch.setattr(together, "train_together", broken(ValueError("never"), 99, sizes))
    found = records(list(together.steps(jobs(tmp_path))))
    assert sizes == [2] and facts(found) == alone(tmp_path / "alone")
    assert {r.variant: r.together for r in found} == {"row0": 2, "row1": 1, "row2": 2}
    assert [m.together for m in next(r for r in found if r.variant == "row0").epochs] == [1, 1, 2]


def test_a_checkpoint_that_does_not_fit_is_trained_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt(tmp_path, (0, 1, 2), 2)
    real = Learner.load_bytes
    monkeypatch.setattr(
        Learner, "load_bytes", lambda s, b: real(s, b if len([*s.network.modules()]) < 18 else b"of another network")
    )
    found = records(list(together.steps(jobs(tmp_path))))
    monkeypatch.undo()
    assert facts(found) == alone(tmp_path / "alone")


def test_what_a_lost_process_ended_is_told_and_not_run_again(tmp_path: Path) -> None:
    group = jobs(tmp_path)
    first = records(list(together.steps([group[1]])))
    told = list(together.steps(group))
    assert [r for r in records(told) if r.id == first[0].id] == first
    assert {r.variant: r.together for r in records(told)} == {"row0": 2, "row1": 1, "row2": 2}
    again = records(list(together.steps(jobs(tmp_path, sitting=2))))
    assert {r.sitting for r in again} == {2}, "of an earlier command: it was asked for again"


def test_what_a_lost_process_ended_alone_is_told_and_not_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job,) = jobs(tmp_path, ROWS[1])
    (first,) = records(list(together.steps([job])))
    with monkeypatch.context() as patch:
        patch.setattr(trial, "train", lambda *_: pytest.fail("trained again"))
        assert records(list(together.steps([job]))) == [first]
    (again,) = records(list(together.steps(jobs(tmp_path, ROWS[1], sitting=2))))
    assert again.sitting == 2, "of an earlier command: it was asked for again"


def test_one_that_is_a_program_and_may_be_ended_early_tells_every_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU; who ends it asks for no other epoch, and it goes on from there when it is asked for again."""
    monkeypatch.setattr(together, "_as_program", lambda jobs: True)
    (job,) = (replace(job, every_epoch=True) for job in jobs(tmp_path, ROWS[1]))
    told = together.steps([job])
    assert [[m.epoch for step in next(told) for m in step.epochs] for _ in range(2)] == [[1], [2]]
    del told
    monkeypatch.undo()
    (step,) = next(iter(together.steps([job])))
    assert [m.epoch for m in step.epochs] == [3]


def test_a_store_that_cannot_be_written_is_no_trials_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(store, "save_state", full)
    with pytest.raises(StoreError, match="the disk is full"):
        list(together.steps(jobs(tmp_path)))
    assert store.Store(tmp_path, "tiny").contents()[0] == []


def test_a_gpu_that_fails_under_a_group_is_left_to_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The processor stands in for it."""
    real = trial.left_off
    monkeypatch.setattr(together, "left_off", lambda job, folder: real(replace(job, device="cpu"), folder))
    fails = broken(RuntimeError("CUDA error: misaligned address"), 1, [])
    monkeypatch.setattr(together, "train_together", fails)
    group = [replace(job, device="cuda") for job in jobs(tmp_path)]
    told: list[tuple[Step, ...]] = []
    with pytest.raises(Crowded, match="row0 seed=0 and 2 others: CUDA error"):
        for some in together.steps(group):
            told.append(some)
    assert [m.epoch for some in told for s in some for m in s.epochs] == [1, 1, 1] and not records(told)
    assert [files(job) for job in group] == [{"trial.json", "state.bin"}] * 3


def test_the_program_itself_goes_on_where_a_trial_alone_stopped_and_the_other_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(together, "train_together", population.train_together)
    interrupt(tmp_path / "alone first", (0, 1, 2), 1)
    first = records(list(together.steps(jobs(tmp_path / "alone first"))))
    assert {r.together for r in first} == {3}
    running = together.run_group(jobs(tmp_path / "together first"))
    for _ in range(3):
        next(running)
    running.close()  # type: ignore[attr-defined]
    then = records([told for job in jobs(tmp_path / "together first") for told in together.steps([job])])
    assert [[m.together for m in r.epochs] for r in then] == [[3, 1, 1]] * 3 and {r.together for r in then} == {3}
    expected = alone(tmp_path / "alone")
    for record in (*first, *then):
        other = expected[record.id]
        assert record.test is not None and record.test.loss == pytest.approx(other["test"]["loss"], rel=1e-4)
        losses = [[m["train_loss"], m["validation_loss"]] for m in other["epochs"]]
        for metrics, (train_loss, validation_loss) in zip(record.epochs, losses, strict=True):
            assert metrics.train_loss == pytest.approx(train_loss, rel=1e-4)
            assert metrics.validation_loss == pytest.approx(validation_loss, rel=1e-4)


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from senet_lab import together
from tests.test_together import jobs, one_after_another
together.train_together, together.STEP_SECONDS = one_after_another, 0.0
for told in together.steps(jobs(Path({store!r}))):
    print([m.epoch for step in told for m in step.epochs], flush=True)
"""


@pytest.mark.parametrize("go_on_together", [True, False])
def test_a_group_killed_in_the_middle_goes_on_to_the_same_end(go_on_together: bool, tmp_path: Path) -> None:
    here = str(Path(__file__).parent.parent)
    code = KILLED.format(root=here, store=str(tmp_path / "killed"))
    running = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=here)
    assert running.stdout is not None
    for line in running.stdout:
        if "2" in line:
            break
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    running.stdout.close()
    group = jobs(tmp_path / "killed")
    assert not store.Store(tmp_path / "killed", "tiny").contents()[0]
    told = list(together.steps(group)) if go_on_together else [t for job in group for t in together.steps([job])]
    assert facts(records(told)) == alone(tmp_path / "alone")
    assert max(len([m for t in told for s in t for m in s.epochs if s.planned.id == j.planned.id]) for j in group) <= 2
