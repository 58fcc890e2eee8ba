"""A trial for which memory runs out: with neighbours on its GPU it gives way, without them it is a failed trial."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from senet_lab import data, plan, trial
from senet_lab.design import Variant
from senet_lab.errors import Crowded
from senet_lab.jobs import Job
from senet_lab.records import Cost, TrialRecord
from senet_lab.store import Store
from tests.conftest import TINY

WORDS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be reported later"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    planned = plan.wanted([Variant("row", {}, TINY)], 1, data.digest)[0]
    return Job(planned, "tiny", tmp_path, "e", Cost(params=1, params_and_statistics=1, macs=1))


def failing(error: Exception, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let no trial begin; returns a list that grows with every attempt."""
    attempts: list[int] = []

    def begin(*_: Any) -> None:
        attempts.append(1)
        raise error

    monkeypatch.setattr(trial, "begin", begin)
    return attempts


@pytest.mark.parametrize("error", WORDS, ids=lambda e: str(e)[:30])
def test_with_neighbours_it_gives_way_at_once_and_leaves_no_record(
    error: Exception, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = failing(error, monkeypatch)
    with pytest.raises(Crowded, match="row seed=0"):
        list(trial.run_trial(replace(job, neighbours=True)))
    assert len(attempts) == 1
    records, begun = Store(job.store, "tiny").contents()
    assert records == [] and [s.state for s in begun] == ["interrupted"]


@pytest.mark.parametrize("error", [*WORDS[:2], MemoryError("of the processor")], ids=lambda e: str(e)[:30])
def test_alone_it_is_tried_again_and_then_recorded(error: Exception, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = failing(error, monkeypatch)
    *_, record = trial.run_trial(job)
    assert isinstance(record, TrialRecord) and record.status == "failed" and record.attempts == len(attempts) == 3
    assert str(error).splitlines()[0] in (record.traceback or "")


def test_any_other_fault_beside_neighbours_is_the_trials_own(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(ValueError("out of luck"), monkeypatch)
    *_, record = trial.run_trial(replace(job, neighbours=True))
    assert isinstance(record, TrialRecord) and "out of luck" in (record.traceback or "")


def test_a_checkpoint_outlives_the_lack_of_memory_for_it(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """It could not be put on the GPU; that is no reason to throw it away."""
    epochs = trial.run_trial(job)
    next(epochs)
    epochs.close()
    kept = Store(job.store, "tiny").folder(job.planned) / "state.bin"
    before = kept.read_bytes()

    def full(*_: Any) -> None:
        raise WORDS[0]

    monkeypatch.setattr(trial.Learner, "load_bytes", full)
    with pytest.raises(Crowded):
        list(trial.run_trial(replace(job, neighbours=True)))
    assert kept.read_bytes() == before
