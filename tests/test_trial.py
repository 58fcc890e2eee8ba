"""From a plan to a record, whatever happens on the way."""

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from senet_lab import data, gates, models, plan, store
from senet_lab import trial as module
from senet_lab.blocks.se import SEBlock
from senet_lab.design import Variant
from senet_lab.errors import StoreError
from senet_lab.jobs import Job
from senet_lab.records import Cost, EpochMetrics, TrialRecord
from senet_lab.spec import Data, Model, Train, Trial, apply
from senet_lab.store import Store
from senet_lab.trial import run_trial, steps
from tests.data.pictures import write_parquet

TINY = Trial(
    model=Model(depth=4, widths=(4,)),
    data=Data(source="digits", validation=408, crop_padding=1),
    train=Train(epochs=3, batch_size=100, learning_rate=0.1),
)
GATED = apply(TINY, {"model.se.reduction": 2})
MakeJob = Callable[..., Job]


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def make(tmp_path: Path) -> MakeJob:
    """A job, each in a store of its own unless told otherwise."""
    count = iter(range(100))

    def made(trial: Trial = TINY, root: Path | None = None, **changes: Any) -> Job:
        row = Variant("row", {"model.se": None}, apply(trial, {"seed": 0}))
        planned = plan.wanted([row], trial.seed + 1, data.digest)[trial.seed]
        known: dict[str, Any] = {
            "planned": planned,
            "sweep": "tiny",
            "environment": "e",
            "cost": Cost(params=10, params_and_statistics=20, macs=30),
        }
        return Job(store=root or tmp_path / f"runs{next(count)}", **(known | changes))

    return made


def finish(job: Job) -> TrialRecord:
    record = list(run_trial(job))[-1]
    assert isinstance(record, TrialRecord)
    return record


def facts(record: TrialRecord) -> dict[str, Any]:
    """Everything but what clocks and memory say."""
    clocks = {"started_at", "ended_at", "seconds", "train_seconds", "peak_memory_bytes", "attempts"}
    tree = record.model_dump(exclude=clocks)
    for epoch in tree["epochs"]:
        del epoch["seconds"]
    return tree


def folder(job: Job) -> Path:
    return Store(job.store, job.sweep).folder(job.planned)


def files(job: Job) -> set[str]:
    return {p.name for p in folder(job).iterdir()}


# --- success


def test_a_trial_yields_its_epochs_and_at_last_the_record_that_is_in_the_store(make: MakeJob) -> None:
    job = make()
    *epochs, record = run_trial(job)
    assert [m.epoch for m in epochs if isinstance(m, EpochMetrics)] == [1, 2, 3]
    assert isinstance(record, TrialRecord)
    assert Store(job.store, job.sweep).contents() == ([record], [])
    assert files(job) == {"trial.json", "record.json"}
    assert record.epochs == tuple(epochs)
    assert (record.status, record.attempts, record.traceback, record.device) == ("done", 1, None, "cpu")
    assert (record.id, record.fingerprint, record.code, record.data) == (
        job.planned.id, job.planned.fingerprint, job.planned.code, job.planned.data
    )  # fmt: skip
    assert (record.sweep, record.variant, record.trial) == ("tiny", "row", job.planned.trial)
    assert (record.params, record.macs, record.environment) == (10, 30, "e")
    assert record.seconds >= record.train_seconds == pytest.approx(sum(m.seconds for m in record.epochs))
    assert record.peak_memory_bytes is not None and record.peak_memory_bytes > 10e6


def test_the_correct_bits_of_the_test_images_agree_with_the_error(make: MakeJob) -> None:
    test = finish(make()).test
    assert test is not None and test.images == 891
    bits = np.unpackbits(np.frombuffer(test.bits(), np.uint8), count=891)
    assert test.error == pytest.approx(1 - bits.mean(), abs=1e-12)
    assert 0 < bits.sum() < 891


def test_steps_report_a_short_trial_once_and_a_long_one_as_it_goes(
    make: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    (step,) = steps(make())
    assert step.record is not None and step.epochs == step.record.epochs and len(step.epochs) == 3
    monkeypatch.setattr(module, "STEP_SECONDS", 0.0)
    *going, last = steps(make())
    assert [[m.epoch for m in s.epochs] for s in going] == [[1], [2], [3]]
    assert all(s.record is None for s in going)
    assert last.record is not None and last.epochs == ()


def test_a_trial_that_may_be_ended_early_tells_every_epoch(make: MakeJob) -> None:
    *going, last = steps(replace(make(), every_epoch=True))
    assert [[m.epoch for m in s.epochs] for s in going] == [[1], [2], [3]] and last.record is not None


# --- the same bits


@pytest.mark.parametrize("trial", [TINY, GATED], ids=["plain", "se"])
def test_neither_threads_nor_other_trials_nor_global_generators_change_a_bit(trial: Trial, make: MakeJob) -> None:
    torch.set_num_threads(1)
    expected = facts(finish(make(trial)))
    for threads in (2, 3):
        finish(make(apply(GATED, {"seed": threads, "model.widths": (8,)})))
        torch.manual_seed(threads)
        np.random.seed(threads)
        torch.set_num_threads(threads)
        assert facts(finish(make(trial))) == expected


def test_another_seed_gives_another_result_on_the_same_test_images(make: MakeJob) -> None:
    first, second = (finish(make(apply(TINY, {"seed": s}))) for s in (0, 1))
    assert first.test is not None and second.test is not None
    assert first.test.correct != second.test.correct and first.test.images == second.test.images


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_a_trial_that_was_interrupted_goes_on_and_ends_with_the_same_bits(epochs: int, make: MakeJob) -> None:
    expected = facts(finish(make(GATED)))
    job = make(GATED)
    running = run_trial(job)
    for _ in range(epochs):
        next(running)
    running.close()  # type: ignore[attr-defined]
    assert files(job) == {"trial.json", "state.bin"}
    *rest, record = run_trial(job)
    assert [m.epoch for m in rest if isinstance(m, EpochMetrics)] == list(range(epochs + 1, 4))
    assert isinstance(record, TrialRecord)
    assert facts(record) == expected
    assert record.train_seconds == pytest.approx(sum(m.seconds for m in record.epochs))
    assert record.seconds >= record.train_seconds


@pytest.mark.parametrize("damage", [lambda b: b[:-7], lambda b: b"", lambda b: b[:60] + b"x" + b[61:], lambda b: b[:5]])
def test_a_damaged_checkpoint_is_trained_anew_to_the_same_end(damage: Callable[[bytes], bytes], make: MakeJob) -> None:
    job = make()
    running = run_trial(job)
    next(running)
    running.close()  # type: ignore[attr-defined]
    state = folder(job) / "state.bin"
    state.write_bytes(damage(state.read_bytes()))
    *epochs, record = run_trial(job)
    assert len(epochs) == 3 and isinstance(record, TrialRecord)
    assert record.attempts == 1
    assert facts(record) == facts(finish(make()))


# --- gates


def test_a_trial_with_se_keeps_its_gates_and_one_without_keeps_none(make: MakeJob) -> None:
    job = make(GATED)
    record = finish(job)
    assert files(job) == {"trial.json", "gates.parquet", "record.json"}
    payload = store.load_gates(folder(job), record)
    assert payload is not None and hashlib.sha256(payload).hexdigest() == record.gates
    table = gates.from_bytes(payload)
    assert gates.class_names(table) == tuple("0123456789")
    frame = table.to_pandas()
    every = frame[frame["class"] == -1]
    assert set(every["images"]) == {891} and len(every) == 4 and set(frame["block"]) == {"SE_2_1"}
    labels = data.load(TINY.data).test_labels
    for k, rows in frame[(frame["class"] >= 0) & (frame["image"] == -1)].groupby("class"):
        assert set(rows["images"]) == {(labels == k).sum()} and len(rows) == 4
    plain = make(TINY)
    assert finish(plain).gates is None and files(plain) == {"trial.json", "record.json"}


def test_the_kept_gates_are_those_of_the_network_that_was_tested(
    make: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = module.final_test, []

    def noting(network: Any, parts: Any) -> Any:
        block = next(m for m in network.modules() if isinstance(m, SEBlock))
        handle = block.register_forward_pre_hook(lambda b, x: seen.append(b.excitation(x[0])))
        result = real(network, parts)
        handle.remove()
        return result

    monkeypatch.setattr(module, "final_test", noting)
    job = make(GATED)
    table = gates.from_bytes(store.load_gates(folder(job), finish(job)) or b"").to_pandas()
    mean = table[table["class"] == -1]["mean"].to_numpy()
    assert mean == pytest.approx(torch.cat(seen).mean(0).numpy(), abs=1e-6)


@pytest.mark.parametrize("model", [GATED.model, apply(GATED, {"model.se.squeeze": "none"}).model, TINY.model], ids=str)
def test_a_result_is_the_same_as_without_looking_at_the_gates(
    model: Model, make: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = TINY.model_copy(update={"model": model})
    looked = facts(finish(make(trial)))

    class Blind:
        def __init__(self, *_: Any) -> None: ...
        def watching(self) -> Any:
            return contextlib.nullcontext()

        def payload(self) -> None: ...

    monkeypatch.setattr(module, "Probe", Blind)
    assert facts(finish(make(trial))) | {"gates": looked["gates"]} == looked


def test_gates_that_cannot_be_kept_do_not_cost_the_result(make: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = facts(finish(make(GATED)))

    def broken(probe: Any) -> bytes:
        raise RuntimeError("no file can be made")

    monkeypatch.setattr(module.Probe, "payload", broken)
    job = make(GATED)
    last = list(module.steps(job))[-1]
    assert last.record is not None and last.record.attempts == 1 and last.record.gates is None
    assert facts(last.record) == expected | {"gates": None, "traceback": last.record.traceback}
    assert "RuntimeError: no file can be made" in (last.record.traceback or "")
    assert last.record.id in last.note and "its gates could not be kept" in last.note
    assert "gates.parquet" not in files(job)


# --- failure


def broken(times: int, error: BaseException) -> Callable[..., Any]:
    """`evaluate` that raises `error` the first `times` times."""
    left = iter(range(times))

    def evaluate(*arguments: Any) -> Any:
        if next(left, None) is not None:
            raise error
        return real(*arguments)

    real = module.final_test
    return evaluate


def test_a_trial_that_fails_is_tried_again_and_then_recorded_with_its_traceback(
    make: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "final_test", broken(99, ZeroDivisionError("the disc is flat")))
    job = make(retries=2)
    record = finish(job)
    assert (record.status, record.attempts, record.test) == ("failed", 3, None)
    assert record.traceback is not None
    assert record.traceback.startswith("Traceback") and "ZeroDivisionError: the disc is flat" in record.traceback
    assert Store(job.store, job.sweep).contents() == ([record], [])
    assert "state.bin" in files(job)


def test_a_failed_trial_that_is_run_again_goes_on_from_its_last_epoch(
    make: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make()
    with monkeypatch.context() as patched:
        patched.setattr(module, "final_test", broken(99, ValueError("no")))
        assert finish(job).status == "failed"
    (record,) = run_trial(job)
    assert isinstance(record, TrialRecord) and record.status == "done"
    assert facts(record) == facts(finish(make()))
    assert files(job) == {"trial.json", "record.json"}


def test_a_trial_that_fails_once_ends_like_any_other(make: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = facts(finish(make()))
    monkeypatch.setattr(module, "final_test", broken(1, RuntimeError("a passing cloud")))
    record = finish(make())
    assert (record.status, record.attempts, record.traceback) == ("done", 2, None)
    assert facts(record) == expected


def test_seconds_are_counted_once_when_a_trial_fails_and_goes_on(
    make: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])
    step = models.build

    def build(*arguments: Any, **more: Any) -> Any:
        now[0] += 100.0
        return step(*arguments, **more)

    monkeypatch.setattr(models, "build", build)
    evaluate = broken(1, RuntimeError("a passing cloud"))

    def slow(*arguments: Any) -> Any:
        now[0] += 1.0
        return evaluate(*arguments)

    monkeypatch.setattr(module, "final_test", slow)
    from senet_lab.training import train

    epoch = train._epoch

    def long(*arguments: Any) -> Any:
        now[0] += 10.0
        return epoch(*arguments)

    monkeypatch.setattr(train, "_epoch", long)
    record = finish(make())
    assert record.attempts == 2
    assert record.train_seconds == 30.0
    assert record.seconds == 30.0 + 100.0 + 1.0  # three epochs, and building and testing of the attempt that ended


def test_a_training_that_diverges_is_a_record(make: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    build = models.build

    def hopeless(*arguments: Any, **more: Any) -> Any:
        network = build(*arguments, **more)
        network.classifier.weight.data.fill_(float("nan"))
        return network

    monkeypatch.setattr(models, "build", hopeless)
    record = finish(make(retries=0))
    assert record.status == "failed" and record.attempts == 1
    assert "Diverged: the training loss of epoch 1 is nan" in (record.traceback or "")


def test_a_test_loss_that_is_no_number_is_a_result_that_can_be_read_back(
    make: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = module.final_test
    monkeypatch.setattr(module, "final_test", lambda *a: real(*a).model_copy(update={"loss": float("nan")}))
    job = make()
    record = finish(job)
    (stored,), begun = Store(job.store, job.sweep).contents()
    assert stored.status == record.status == "done" and begun == []


@pytest.mark.parametrize("error", [SystemExit(0), KeyboardInterrupt()])
def test_leaving_is_no_failure(error: BaseException, make: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C, and the SystemExit by which Ray ends a worker: no record, and the next run goes on."""
    job = make()
    with monkeypatch.context() as patched, pytest.raises(type(error)):
        patched.setattr(module, "final_test", broken(1, error))
        list(run_trial(job))
    assert files(job) == {"trial.json", "state.bin"}
    assert [s.state for s in Store(job.store, job.sweep).contents()[1]] == ["interrupted"]
    (record,) = run_trial(job)
    assert isinstance(record, TrialRecord) and facts(record) == facts(finish(make()))


# --- data from files


def test_images_are_looked_for_in_the_jobs_data_folder(make: MakeJob, tmp_path: Path) -> None:
    write_parquet(tmp_path / "store" / "mine" / "train.parquet", list(range(20)), [0, 1] * 10)
    write_parquet(tmp_path / "store" / "mine" / "test.parquet", [30, 31, 32], [0, 1, 0])
    trial = apply(TINY, {"data": {"source": "parquet:mine", "validation": 4}, "train.batch_size": 8})
    digest = data.digest(trial.data, tmp_path / "store")
    planned = plan.wanted([Variant("row", {}, trial)], 1, lambda _: digest)[0]
    record = finish(make(planned=planned, data_dir=tmp_path / "store"))
    assert record.status == "done" and record.test is not None and record.test.images == 3
    assert record.data == digest and len(record.epochs) == 3
    lost = finish(make(planned=planned, data_dir=tmp_path / "elsewhere", retries=0))
    assert lost.status == "failed" and "DataError: data.source 'parquet:mine': there is no folder" in str(
        lost.traceback
    )


# --- a store that cannot be written


def test_a_store_that_is_no_folder_is_an_error_at_once(make: MakeJob, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreError, match="this is a file; name a folder"):
        next(iter(run_trial(make(root=tmp_path / "file"))))


@pytest.mark.parametrize("name", ["save_state", "finish"])
def test_a_disk_that_fills_up_is_an_error_and_not_a_failed_trial(
    name: str, make: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def full(*_: Any) -> None:
        calls.append(name)
        raise StoreError("no space")

    job = make()
    with monkeypatch.context() as patched, pytest.raises(StoreError, match="no space"):
        patched.setattr(store, name, full)
        list(run_trial(job))
    assert len(calls) == 1  # not tried again
    assert "record.json" not in files(job)
    assert facts(finish(job)) == facts(finish(make()))


def test_a_record_says_what_was_held_for_it(make: MakeJob) -> None:
    record = finish(make(cpus=3, gpus=0.25))
    assert (record.cpus, record.gpus) == (3, 0.25)
