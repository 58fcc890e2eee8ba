"""One specification, every executor: what `senet_lab.executors` promises."""

import os
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from senet_lab import inventory, store, sweep
from senet_lab.errors import Interrupted, StoreError, UserError
from senet_lab.executors import Executor, Listener, Wanted, processes
from senet_lab.executors.local import Local
from senet_lab.executors.processes import Processes
from senet_lab.inventory import Inventory
from senet_lab.jobs import Job, Step
from senet_lab.plan import PlannedTrial, block
from senet_lab.records import TrialRecord
from senet_lab.spec import ASHA, apply
from tests.conftest import TINY, question

DIVERGING = {"train.learning_rate": 99.0, "train.weight_decay": 0.9}
Ask = Callable[..., Inventory]


def ray(workers: int = 2) -> Executor:
    from senet_lab.executors.ray_tune import RayTune
    from senet_lab.executors.slot import Slot

    return RayTune(Slot(at_once=workers))


HERE = [pytest.param(Local, id="local"), pytest.param(partial(Processes, 2), id="processes")]


@pytest.fixture(params=[*HERE, pytest.param(ray, id="ray", marks=pytest.mark.slow)])
def executor(request: pytest.FixtureRequest) -> Executor:
    made: Executor = request.param()
    return made


@pytest.fixture(params=[*HERE, pytest.param(ray, id="ray", marks=[pytest.mark.slow, pytest.mark.long])])
def executor_but_ray_is_long(request: pytest.FixtureRequest) -> Executor:
    made: Executor = request.param()
    return made


def run(found: Inventory, executor: Executor, **options: Any) -> list[Step]:
    steps: list[Step] = []
    sweep.run(found, executor, steps.append, **options)
    return steps


def run_wanted(found: Inventory, executor: Executor, listener: Listener, wanted: Wanted) -> None:
    sweep.run(found, executor, listener, ways=sweep.Ways(wanted=lambda groups: wanted))


def facts(record: TrialRecord) -> tuple[object, ...]:
    """Of a record, what must not depend on where it ran."""
    curves = [m.model_dump(exclude={"seconds"}) for m in record.epochs]
    return record.status, record.test, curves, record.params, record.macs


def test_keeps_the_contract(ask: Ask, executor: Executor, tmp_path: Path) -> None:
    """Every job: a start, its epochs once and in order, one record, which is the store's; equal to in-process."""
    found = ask()
    planned = {t.id: t for t in found.planned}
    # One row fails, and must not disturb the others.
    mixed = inventory.take(question(variants=[DIVERGING]), tmp_path / "runs")
    steps = run(mixed, executor)

    heard: dict[str, list[Step]] = {}
    for step in steps:
        heard.setdefault(step.planned.id, []).append(step)
    assert heard.keys() == {t.id for t in mixed.planned} > planned.keys()
    for steps_of_one in heard.values():
        assert steps_of_one[0].epochs == () and steps_of_one[0].record is None, "the start comes first"
        assert [s.record is not None for s in steps_of_one] == [False] * (len(steps_of_one) - 1) + [True]
        record = steps_of_one[-1].record
        assert record is not None
        told = [m for s in steps_of_one for m in s.epochs]
        assert tuple(told) == record.epochs
        assert record.status == ("done" if record.id in planned else "failed")

    kept, unfinished = store.Store(tmp_path / "runs", "tiny").contents()
    assert not unfinished
    told_last = {id: steps_of_one[-1].record for id, steps_of_one in heard.items()}
    assert {r.id: r for r in kept} == told_last
    failed = next(r for r in kept if r.status == "failed")
    assert "Diverged" in (failed.traceback or "") and failed.attempts == 3

    undisturbed = inventory.take(question(), tmp_path / "elsewhere")
    run(undisturbed, Local())
    expected = inventory.take(question(), tmp_path / "elsewhere").records
    assert {r.id: facts(r) for r in expected} == {r.id: facts(r) for r in kept if r.status == "done"}


@pytest.mark.long
def test_keeps_the_contract_with_groups(ask: Ask, executor: Executor, tmp_path: Path) -> None:
    """Two groups of three rows, of which one diverges, and beside them a row that can be in none."""
    asked = question(variants=[DIVERGING, {"model.se.squeeze": "none"}])
    steps = run(inventory.take(asked, tmp_path / "runs"), executor, ways=sweep.Ways(size=lambda kind: 3))

    after = inventory.take(asked, tmp_path / "runs")
    assert after.plan.counts() == {"done": 6, "failed": 2}
    heard: dict[str, list[Step]] = {}
    for step in steps:
        heard.setdefault(step.planned.id, []).append(step)
    assert heard.keys() == {t.id for t in after.planned}
    for own in heard.values():
        assert own[0].epochs == () and own[0].record is None, "the start comes first"
        assert [s.record is not None for s in own] == [False] * (len(own) - 1) + [True]
        epochs = [m.epoch for s in own for m in s.epochs]
        assert epochs == list(range(1, len(epochs) + 1)), "each once, in order"
    kept = {r.id: r for r in after.records}
    assert kept == {id: own[-1].record for id, own in heard.items()}
    sizes = {(r.variant, r.together) for r in kept.values() if r.status == "done"}
    assert sizes == {("reduction=2", 3), ("no_se", 3), ("squeeze=none", 1)}

    run(inventory.take(asked, tmp_path / "elsewhere"), Local())
    for other in inventory.take(asked, tmp_path / "elsewhere").records:
        mine = kept[other.id]
        assert (mine.status, mine.attempts, mine.fingerprint) == (other.status, other.attempts, other.fingerprint)
        assert (mine.traceback or "").splitlines()[-1:] == (other.traceback or "").splitlines()[-1:]
        if mine.test and other.test:
            assert mine.test.loss == pytest.approx(other.test.loss, rel=1e-3)
            losses = [[m.train_loss for m in r.epochs] for r in (mine, other)]
            assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def staying_processes() -> Processes:
    return Processes(2, stays=True)


def staying_ray() -> Executor:
    from senet_lab.executors.ray_tune import RayTune
    from senet_lab.executors.slot import Slot

    return RayTune(Slot(at_once=1), stays=True)


@pytest.mark.parametrize(
    "staying",
    [
        pytest.param(staying_processes, id="processes"),
        pytest.param(staying_ray, id="ray", marks=[pytest.mark.slow, pytest.mark.long]),
    ],
)
def test_one_that_stays_runs_batch_after_batch_until_something_goes_wrong(
    ask: Ask, tmp_path: Path, staying: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = staying()
    starts: list[str] = []
    if isinstance(executor, Processes):
        begin = processes._Crew.start
        monkeypatch.setattr(processes._Crew, "start", lambda crew, n: (starts.append("crew"), begin(crew, n)))
    else:
        from senet_lab.executors import ray_tune

        ray_begins = ray_tune._start_here
        monkeypatch.setattr(ray_tune, "_start_here", lambda slots: (starts.append("ray"), ray_begins(slots)))
    heard: list[Step] = []

    def give_up(step: Step) -> None:
        raise KeyboardInterrupt

    try:
        for seeds in (1, 3):
            heard += run(ask(seeds=seeds), executor)
            assert is_up(executor)
        with pytest.raises(Interrupted):
            sweep.run(ask(seeds=4), executor, give_up)
        assert not is_up(executor), "whoever is interrupted leaves nothing behind"
        assert len(starts) == 1, "later batches found it there"
    finally:
        executor.stop()
    after = ask(seeds=3)
    assert after.plan.counts() == {"done": 6}
    assert sorted(s.record.id for s in heard if s.record) == sorted(t.id for t in after.planned), "each ends once"
    begun = Counter(s.planned.id for s in heard if s.record is None and not s.epochs)
    assert set(begun.values()) == {1}
    undisturbed = inventory.take(question(seeds=3), tmp_path / "elsewhere")
    run(undisturbed, Local())
    assert {r.id: facts(r) for r in undisturbed.again().records} == {r.id: facts(r) for r in after.records}


def is_up(executor: Any) -> bool:
    """Whether it left something running."""
    if isinstance(executor, Processes):
        return executor._crew is not None and all(p.poll() is None for p in executor._crew._started)
    from ray import is_initialized

    return bool(is_initialized())


def test_what_is_not_wanted_any_more_is_not_begun(ask: Ask, executor_but_ray_is_long: Executor) -> None:
    """From the first record on, seed 0 alone is: it ends, and no other begins but what may have begun by then."""
    ended: list[Step] = []
    begun: list[str] = []
    refused: list[str] = []

    def hear(step: Step) -> None:
        assert step.planned.id not in refused, "once no, always no"
        if step.record is not None:
            ended.append(step)
        elif not step.epochs:
            begun.append(step.planned.id)

    def wanted(job: Job) -> bool:
        yes = not ended or block(job.planned) == 0 or job.planned.id in begun
        refused.extend([] if yes else [job.planned.id])
        return yes

    run_wanted(ask(seeds=6, grid={"model.se.reduction": [2, 4]}), executor_but_ray_is_long, hear, wanted)
    after = ask(seeds=6, grid={"model.se.reduction": [2, 4]})
    assert sorted(step.planned.id for step in ended) == sorted(begun) == sorted(r.id for r in after.records)
    assert {t.id for t in after.planned if t.trial.seed == 0} <= {*begun} and len(begun) <= 4
    assert after.plan.counts() == {"done": len(begun), "missing": 18 - len(begun)}


def test_a_group_begins_while_any_of_its_jobs_is_wanted(ask: Ask, executor_but_ray_is_long: Executor) -> None:
    found = ask(seeds=4)
    one = found.planned[3].id
    steps: list[Step] = []
    ways = sweep.Ways(size=lambda kind: 2, wanted=lambda groups: lambda job: job.planned.id == one)
    sweep.run(found, executor_but_ray_is_long, steps.append, ways=ways)
    assert {t.trial.seed for t, state in ask(seeds=4).plan.trials if state == "done"} == {1}
    assert ask(seeds=4).plan.counts() == {"done": 2, "missing": 6}


def test_nothing_begins_where_nothing_is_wanted(ask: Ask, executor_but_ray_is_long: Executor) -> None:
    heard: list[Step] = []
    run_wanted(ask(), executor_but_ray_is_long, heard.append, lambda job: False)
    assert heard == [] and ask().plan.counts() == {"missing": 4}


@pytest.mark.long
def test_a_store_that_cannot_be_written_stops_the_run(ask: Ask, executor: Executor) -> None:
    """Nothing can end where nothing can be written; a failed record would hide that."""
    found = ask()
    in_the_way = found.store.folder(found.planned[1])
    in_the_way.parent.mkdir(parents=True)
    in_the_way.write_text("a file where a run folder should be")
    with pytest.raises(StoreError, match="cannot be written"):
        run(found, executor)
    assert ask().plan.counts()["failed"] == 0


@pytest.mark.slow
def test_more_gpu_than_there_is_is_refused(ask: Ask) -> None:
    from senet_lab.executors.ray_tune import RayTune
    from senet_lab.executors.slot import Slot

    with pytest.raises(UserError, match=r"--gpus-per-trial 99: this machine has \d+ GPUs"):
        run(ask(), RayTune(Slot(at_once=1), 99))


def test_runs_only_what_is_missing(ask: Ask, tmp_path: Path) -> None:
    assert len([s for s in run(ask(seeds=1), Local()) if s.record]) == 2
    again = ask(seeds=2)
    assert again.plan.counts() == {"done": 2, "missing": 2}
    ended = [s.record for s in run(again, Local()) if s.record]
    assert {r.trial.seed for r in ended} == {1}
    assert run(ask(seeds=2), Local()) == []


def test_failed_trials_wait_until_asked_for(ask: Ask) -> None:
    impossible = {"variants": [DIVERGING], "seeds": 1}
    run(ask(**impossible), Local())
    found = ask(**impossible)
    assert found.plan.counts() == {"done": 2, "failed": 1}
    assert run(found, Local()) == []
    again = [s.record for s in run(found, Local(), rerun=["failed"]) if s.record]
    assert [r.status for r in again] == ["failed"]


def test_ctrl_c_keeps_what_was_done_and_says_how_to_go_on(ask: Ask) -> None:
    def stop(step: Step) -> None:
        if step.record is not None:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="type the same command again"):
        sweep.run(ask(), Local(), stop)
    assert ask().plan.counts() == {"done": 1, "missing": 3}


@pytest.mark.long
@pytest.mark.slow
def test_a_worker_that_always_dies_leaves_a_failed_record(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process is gone, nothing was raised in it: the driver writes the record."""
    from senet_lab.executors import tune_loop

    class Dying(tune_loop.Trainable):  # local, so that it travels to the worker by value
        def step(self) -> dict[str, Any]:
            os._exit(9)

    monkeypatch.setattr(tune_loop, "Trainable", Dying)
    found = ask(seeds=1, grid={}, variants=[{}], controls=[], baseline={})
    steps = run(found, ray(workers=1))
    record = steps[-1].record
    assert record is not None and record.status == "failed" and record.attempts == 3
    assert "the worker process died" in (record.traceback or "")
    assert ask(seeds=1, grid={}, variants=[{}], controls=[], baseline={}).plan.counts() == {"failed": 1}


@pytest.mark.long
@pytest.mark.slow
def test_a_worker_that_dies_with_a_group_costs_only_the_member_that_kills_it(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another member has its record when the process dies, and has not told of it; the others have none."""
    from senet_lab import together
    from senet_lab.executors import deaths, tune_loop

    for module in (deaths, tune_loop):  # a death costs Ray many seconds; that it tries again is tested above
        monkeypatch.setattr(module, "MAX_WORKER_DEATHS", 0)
    deadly = ask().planned[-1].id

    class Dying(tune_loop.Trainable):
        def step(self) -> dict[str, Any]:
            if self.jobs[-1].planned.id != deadly:
                return dict(super().step())
            if len(self.jobs) > 1:
                list(together.steps(self.jobs[:1]))
            os._exit(9)

    monkeypatch.setattr(tune_loop, "Trainable", Dying)
    steps = run(ask(), ray(workers=1), ways=sweep.Ways(size=lambda kind: 4))
    after = ask()
    assert after.plan.counts() == {"done": 3, "failed": 1}
    assert {s.record.id: s.record for s in steps if s.record} == {r.id: r for r in after.records}
    (lost,) = (r for r in after.records if r.status == "failed")
    assert lost.id == deadly and "the worker process died" in (lost.traceback or "")


def test_the_plan_is_seed_by_seed(ask: Ask) -> None:
    order: list[PlannedTrial] = list(ask().planned)
    assert [t.trial.seed for t in order] == [0, 0, 1, 1]


@pytest.mark.long
@pytest.mark.slow
def test_a_worker_that_starts_late_is_waited_for(ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Short trials on one worker would be over before the other is up, and Tune would give that one up each time."""
    from senet_lab.executors import tune_loop

    class Late(tune_loop.Trainable):
        def setup(self, config: dict[str, Any], groups: Any, meeting: Any) -> None:
            if config["group"] == 1:
                time.sleep(4)
            super().setup(config, groups, meeting)

        def step(self) -> dict[str, Any]:
            (tmp_path / f"{os.getpid()}-{self.jobs[0].planned.id}").touch()
            return super().step()

    monkeypatch.setattr(tune_loop, "Trainable", Late)
    run(ask(seeds=4), ray())
    by_worker = Counter(p.name.partition("-")[0] for p in tmp_path.glob("*-*"))
    assert len(by_worker) == 2 and min(by_worker.values()) >= 2, by_worker


@pytest.mark.slow
def test_a_trial_that_a_rule_ends_early_has_its_record_and_goes_on_when_it_is_asked_for(
    ask: Ask, tmp_path: Path
) -> None:
    """One after another: good, hopeless, good, hopeless; at epoch 3 of 4 it is decided."""
    from senet_lab.executors.ray_tune import RayTune
    from senet_lab.executors.slot import Slot

    four = apply(TINY, {"train.epochs": 4})
    rates: dict[str, Any] = {"grid": {"train.learning_rate": [0.1, 1e-6]}, "controls": [], "base": four}
    rates["baseline"] = {"train.learning_rate": 0.1}
    executor = RayTune(Slot(at_once=1), stays=True)
    executor.watch(ASHA(grace_epochs=3, reduction_factor=2))
    heard: list[Step] = []
    try:
        sweep.run(ask(**rates), executor, heard.append, ways=sweep.Ways(size=lambda kind: 4))
        first = ask(**rates)
        assert first.plan.counts() == {"done": 2, "stopped": 2} and first.plan.to_run() == ()
        executor.watch(ASHA(), [r.epochs for r in first.records if r.status == "done"])
        sweep.run(ask(**rates, seeds=3), executor, heard.append)
        assert ask(**rates, seeds=3).plan.counts()["stopped"] >= 3, "the first of a batch knows the others' epochs"
    finally:
        executor.stop()
    kept = {r.id: r for r in ask(**rates, seeds=3).records}
    assert {s.record.id: s.record for s in heard if s.record} == kept
    assert len([s for s in heard if s.record]) == 6, "each ends once"
    for id, record in kept.items():
        told = [m for s in heard if s.planned.id == id for m in s.epochs]
        assert tuple(told) == record.epochs, "every epoch once"
        if record.status == "stopped":
            assert record.trial.train.learning_rate == 1e-6 or record.trial.seed == 2
            assert record.test is None and record.gates is None and record.seconds > 0
    in_two = [r for r in kept.values() if r.status == "stopped" and r.trial.seed < 2]
    assert [len(r.epochs) for r in in_two] == [3, 3]

    run(ask(**rates, seeds=3), Local(), rerun=["stopped"])
    after = ask(**rates, seeds=3)
    assert after.plan.counts() == {"done": 6}
    gone_on = {r.id: r for r in after.records}
    for r in in_two:
        assert gone_on[r.id].epochs[:3] == r.epochs, "not trained again"
    undisturbed = inventory.take(question(**rates | {"seeds": 3}), tmp_path / "elsewhere")
    run(undisturbed, Local())
    assert {r.id: facts(r) for r in undisturbed.again().records} == {id: facts(r) for id, r in gone_on.items()}


def test_nobody_waits_for_ever_at_a_meeting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from senet_lab.executors import tune_loop

    monkeypatch.setattr(tune_loop, "MEET_SECONDS", 0.1)
    meeting = tune_loop.Meeting(tmp_path / "workers", 2)
    meeting.come()
    meeting.wait()
    assert meeting.expected == 1
    tune_loop.Meeting(tmp_path / "nobody", 1).wait()
    assert not (tmp_path / "nobody").exists()
