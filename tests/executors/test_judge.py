"""Which trials end early: Tune's rules with what this package needs of them, told by trials that are none."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ray.tune import schedulers

from senet_lab import store
from senet_lab.errors import StoreError
from senet_lab.executors import everything, far, tune_loop
from senet_lab.executors.judge import Judge, Watch, stopped
from senet_lab.executors.relay import Relay
from senet_lab.executors.slot import Slot
from senet_lab.jobs import Job, Step, new_record
from senet_lab.records import EpochMetrics, Evaluation
from senet_lab.spec import ASHA, Median
from senet_lab.trial import run_trial
from tests.test_together import jobs

STOP, GO_ON = schedulers.TrialScheduler.STOP, schedulers.TrialScheduler.CONTINUE
LAST = 6


def curve(*errors: float, first: int = 1) -> tuple[EpochMetrics, ...]:
    rest = {"train_loss": 1.0, "train_error": 0.5, "validation_loss": 1.0, "learning_rate": 0.1, "seconds": 0.5}
    return tuple(EpochMetrics(epoch=n, validation_error=e, **rest) for n, e in enumerate(errors, first))


class Court:
    """A judge of as many trials as are wanted, all of six epochs; each epoch is told by itself."""

    def __init__(self, root: Path, stopping: ASHA | Median, *past: Sequence[EpochMetrics]) -> None:
        rows = [{"train.epochs": LAST, "train.weight_decay": n / 1000} for n in range(8)]
        self.jobs = jobs(root, *rows)
        self.judge = Judge(Watch(stopping, past), [[job] for job in self.jobs])

    def trial(self, number: int) -> Any:
        return SimpleNamespace(config={"group": number}, trial_id=f"Tune's {number}")

    def tell(self, number: int, epochs: Sequence[EpochMetrics], **result: Any) -> list[str]:
        """What is to become of the trial, epoch by epoch."""
        told = [{"steps": (Step(self.jobs[number].planned, (one,)),)} for one in epochs]
        return [self.judge.on_trial_result(None, self.trial(number), one | result) for one in told]

    def ended(self) -> dict[int, list[int]]:
        """Trial -> its epochs, of those that were ended early."""
        ids = [job.planned.id for job in self.jobs]
        return {ids.index(id): [m.epoch for m in epochs] for id, epochs in self.judge.ended.items()}


def test_successive_halving_ends_what_is_not_among_the_best(tmp_path: Path) -> None:
    court = Court(tmp_path, ASHA(grace_epochs=2, reduction_factor=2))
    assert court.tell(0, curve(0.9, 0.5, 0.3)) == [GO_ON] * 3, "nobody was there before it"
    assert court.tell(1, curve(0.1, 0.6)) == [GO_ON, STOP]
    assert court.tell(2, curve(0.9, 0.4)) == [GO_ON] * 2
    assert court.ended() == {1: [1, 2]}


def test_the_median_rule_ends_what_is_worse_than_most(tmp_path: Path) -> None:
    court = Court(tmp_path, Median(grace_epochs=2, fewest=2))
    for number in (0, 1):
        assert set(court.tell(number, curve(0.9, 0.5, 0.5))) == {GO_ON}, "there are too few others"
    assert court.tell(2, curve(0.6, 0.6)) == [GO_ON, STOP]
    assert court.tell(3, curve(0.6, 0.4)) == [GO_ON] * 2
    assert court.ended() == {2: [1, 2]}


@pytest.mark.parametrize("stopping", [ASHA(reduction_factor=2), Median(fewest=3)], ids=str)
def test_earlier_trials_count_whatever_the_rule_would_have_said_of_them(
    tmp_path: Path, stopping: ASHA | Median
) -> None:
    best, worst = curve(*[0.2] * LAST), curve(*[0.9] * LAST)
    court = Court(tmp_path, stopping, best, best, best, worst, best[:1])
    assert court.tell(0, curve(0.5)) == [STOP]
    assert court.tell(1, curve(0.1)) == [GO_ON]
    alone = Court(tmp_path / "alone", stopping)
    assert alone.tell(0, curve(0.5)) == [GO_ON]


@pytest.mark.parametrize("stopping", [ASHA(grace_epochs=LAST), ASHA(reduction_factor=LAST), Median(grace_epochs=LAST)])
def test_nothing_is_ended_after_its_last_epoch(tmp_path: Path, stopping: ASHA | Median) -> None:
    """It would cost the test of a trial that has been trained; Tune's own rule does so to every trial."""
    first_good = (0.1, 0.9, 0.9, 0.9, 0.9, 0.9)
    court = Court(tmp_path, stopping, *[curve(*[0.2] * LAST)] * 4)
    assert court.tell(0, curve(*first_good)) == [GO_ON] * LAST
    assert court.ended() == {}


@pytest.mark.parametrize("stopping", [ASHA(grace_epochs=50), Median(grace_epochs=50)])
def test_a_grace_that_is_longer_than_the_training_ends_nothing(tmp_path: Path, stopping: ASHA | Median) -> None:
    court = Court(tmp_path, stopping, *[curve(*[0.2] * LAST)] * 4)
    assert court.tell(0, curve(*[0.9] * LAST)) == [GO_ON] * LAST


@pytest.mark.parametrize("stopping", [ASHA(), Median(fewest=1)])
def test_a_trial_that_fails_before_its_first_epoch_disturbs_no_other(tmp_path: Path, stopping: ASHA | Median) -> None:
    """Tune's median rule takes down the whole run over a result without epoch."""
    court = Court(tmp_path, stopping)
    court.judge.on_trial_complete(court.trial(0))
    assert court.tell(1, curve(0.5, 0.5)) == [GO_ON] * 2
    assert court.tell(2, curve(0.6)) == [STOP]


@pytest.mark.parametrize("stopping", [ASHA(reduction_factor=2), Median(fewest=2)])
def test_epochs_from_before_an_interruption_are_known_and_not_decided_about(
    tmp_path: Path, stopping: ASHA | Median
) -> None:
    court = Court(tmp_path, stopping, *[curve(*[0.5] * LAST)] * 2)
    earlier = {"steps": (), "earlier": curve(0.9, 0.9, 0.9)}
    assert court.judge.on_trial_result(None, court.trial(0), earlier) == GO_ON
    assert court.judge.on_trial_result(None, court.trial(0), earlier) == GO_ON, "told by another worker again"
    assert court.tell(0, curve(0.9, first=4)) == [STOP]
    assert court.ended() == {0: [1, 2, 3, 4]}
    court = Court(tmp_path, Median(fewest=1) if isinstance(stopping, Median) else stopping)
    court.judge.on_trial_result(None, court.trial(0), earlier | {"earlier": curve(0.1)})
    assert court.tell(1, curve(0.5)) == [STOP], "others are held against them"


def test_what_is_told_again_counts_once(tmp_path: Path) -> None:
    """A worker that died had told of an epoch; the mean of 0.2, 0.2, 0.8 is 0.4."""
    court = Court(tmp_path, Median(fewest=1))
    for _ in range(9):
        assert court.tell(0, curve(0.2)) == [GO_ON]
    court.tell(0, curve(0.2, 0.8, first=2))
    assert court.tell(1, curve(0.2, 0.2)) == [GO_ON] * 2
    assert court.tell(2, curve(0.3, first=3)) == [GO_ON], "with nine times 0.2, the mean were 0.25"


def test_a_trial_keeps_its_name_from_round_to_round(tmp_path: Path) -> None:
    """After one that found no room on its GPU, the others are other trials to Tune, in another order."""
    court = Court(tmp_path, ASHA(grace_epochs=2, reduction_factor=2))
    court.tell(0, curve(0.5, 0.5))
    court.jobs = court.jobs[::-1]
    court.judge.groups = [[job] for job in court.jobs]
    assert court.tell(7, curve(0.5, 0.5, 0.5)) == [GO_ON] * 3
    assert court.tell(0, curve(0.4, 0.6)) == [GO_ON, STOP], "it has not been here before"


def test_nobody_waits_in_the_middle_for_others(tmp_path: Path) -> None:
    """By default Tune's median rule pauses a trial while others are to begin."""
    waiting = SimpleNamespace(get_live_trials=lambda: [SimpleNamespace(status="PENDING")])
    court = Court(tmp_path, Median())
    step = {"steps": (Step(court.jobs[0].planned, curve(0.5)),)}
    assert court.judge.on_trial_result(waiting, court.trial(0), step) == GO_ON


def test_a_trial_that_is_ended_has_a_record_and_keeps_its_checkpoint(tmp_path: Path) -> None:
    (job,) = jobs(tmp_path, {})
    folder = store.Store(tmp_path, "tiny").open(job.planned)
    store.save_state(folder, b"so far")
    step = stopped(job, curve(0.9, 0.8), 1e9)
    record = step.record
    assert record is not None and (record.status, record.test, record.gates) == ("stopped", None, None)
    assert [m.epoch for m in record.epochs] == [1, 2] and record.seconds == record.train_seconds == 1.0
    assert record.started_at == 1e9 <= record.ended_at
    assert store.ended(folder) == record and store.load_state(folder) == b"so far"
    assert not step.epochs, "they have been told"


def test_a_result_stays_though_the_trial_is_ended_after_it(tmp_path: Path) -> None:
    (job,) = jobs(tmp_path, {})
    folder = store.Store(tmp_path, "tiny").open(job.planned)
    test = Evaluation(error=0.1, loss=0.1, images=8, correct="qg==")
    done = new_record(job, status="done", test=test, started_at=1.0, ended_at=2.0, seconds=1.0)
    store.finish(folder, done)
    stopped(job, curve(0.9), None)
    assert store.ended(folder) == done


def test_a_store_that_cannot_keep_the_end_is_told_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tune would let out its own error, with this one as text."""

    def full(*_: Any) -> None:
        raise StoreError("the disk is full")

    court = Court(tmp_path, ASHA(), curve(0.1))
    heard: list[Step] = []
    relay = Relay([[job] for job in court.jobs], heard.append, court.judge)
    assert court.tell(0, curve(0.5)) == [STOP]
    monkeypatch.setattr(store, "finish", full)
    trial = SimpleNamespace(config={"group": 0}, run_metadata=SimpleNamespace(start_time=1.0))
    with pytest.raises(StoreError):
        relay.on_trial_result(0, [], trial, {"steps": (Step(court.jobs[0].planned, curve(0.5)),)})
    assert isinstance(relay.error, StoreError)
    assert [step.record for step in heard] == [None] and court.jobs[0].planned.id in relay.left


@pytest.mark.parametrize("watched", [True, False])
def test_a_worker_tells_the_rule_which_epochs_a_trial_has_behind_it(tmp_path: Path, watched: bool) -> None:
    (job,) = (replace(job, every_epoch=watched) for job in jobs(tmp_path, {}))
    begun = run_trial(job)
    first = next(begun)
    begun.close()
    slot = object.__new__(tune_loop.Trainable)
    slot.groups, slot.meeting = [[job]], tune_loop.Meeting(tmp_path, 1)
    slot.refusal, slot.broken = None, False
    slot.reset_config({"group": 0})
    results = [slot.step()]
    while not results[-1]["done"]:
        results.append(slot.step())
    told = [[m.epoch for step in result["steps"] for m in step.epochs] for result in results]
    assert told == ([[], [2], [3], []] if watched else [[2, 3]])
    assert results[0].get("earlier") == ((first,) if watched else None)
    assert [step.record.status for step in results[-1]["steps"] if step.record] == ["done"]


def test_over_there_the_same_rule_watches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tune_loop.Terms] = []
    monkeypatch.setattr(tune_loop, "fit", lambda groups, listener, slot, terms: seen.append(terms))
    watch = Watch(Median(), (curve(0.5),))
    far._loop([jobs(tmp_path, {})], SimpleNamespace(put=print), Slot(), watch)
    assert seen[0].watch == watch


def test_with_a_rule_each_trial_is_a_group_and_tells_every_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from senet_lab.executors.ray_tune import RayTune

    rounds: list[Sequence[Sequence[Job]]] = []
    monkeypatch.setattr(tune_loop, "_round", lambda relay, *_: rounds.append(relay.groups))
    monkeypatch.setattr(RayTune, "_workers", lambda *_: 1)
    executor = RayTune(Slot())
    executor._ready = Future()
    executor._ready.set_result(Slot())
    group = jobs(tmp_path)
    for stopping in (ASHA(), None):
        executor.watch(stopping)
        executor._run([group], print, everything, tmp_path)
    assert [[len(jobs) for jobs in groups] for groups in rounds] == [[1, 1, 1], [3]]
    assert [{job.every_epoch for jobs in groups for job in jobs} for groups in rounds] == [{True}, {False}]
