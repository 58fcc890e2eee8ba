"""One trial from its plan to its record: the one place where an exception becomes a record."""

import resource
import sys
import time
import traceback
from collections.abc import Generator, Iterator
from typing import Any

import torch

from senet_lab import data, store
from senet_lab.blocks import own
from senet_lab.credentials import without_credentials
from senet_lab.data.split import Parts
from senet_lab.errors import Crowded, StoreError
from senet_lab.files import Place
from senet_lab.jobs import Job, Step, new_record
from senet_lab.records import EpochMetrics, TrialRecord
from senet_lab.spec import SELECTION_SEED
from senet_lab.training.begin import begin
from senet_lab.training.evaluate import final_test
from senet_lab.training.learner import Learner
from senet_lab.training.probe import Probe
from senet_lab.training.train import train

STEP_SECONDS = 1.0
LOADERS = {False: 0, True: 4}
"""Processes that decode, without and with a GPU: on the CPU every core has a trial already."""


def steps(job: Job) -> Iterator[Step]:
    """Run a trial; a step about every second, or every epoch, and one at its end; short trials report once."""
    epochs: list[EpochMetrics] = []
    since = time.monotonic()
    for item in run_trial(job):
        if isinstance(item, TrialRecord):
            yield Step(job.planned, tuple(epochs), item, note(job, item))
            return
        epochs.append(item)
        if job.every_epoch or time.monotonic() - since >= STEP_SECONDS:
            yield Step(job.planned, tuple(epochs))
            epochs, since = [], time.monotonic()


def note(job: Job, record: TrialRecord | None) -> str:
    """What people should know of how a trial ended."""
    lost = record is not None and record.status == "done" and record.traceback is not None
    return f"{job.planned.name} ({job.planned.id}): done, but its gates could not be kept; `show` says why" * lost


def run_trial(job: Job) -> Iterator[EpochMetrics | TrialRecord]:
    """Yield each new epoch and at last the record, which is then in the store.

    An interrupted trial goes on from its checkpoint. An exception is tried again `job.retries`
    times, then recorded. Raises StoreError, as where nothing can be written nothing can end, and
    Crowded, with nothing recorded, where a GPU's memory ran out that the trial had not for itself.
    """
    folder = store.Store(job.store, job.sweep).open(job.planned, job.folder)
    clock = Clock()
    result: dict[str, Any] = {}
    attempts = 0
    while attempts <= job.retries and result.get("status") != "done":
        attempts += 1
        since = time.perf_counter()  # what an earlier attempt kept is counted with its checkpoint
        try:
            result = yield from _attempt(job, folder)
        except StoreError:
            raise
        except Exception as error:
            if job.neighbours and out_of_gpu_memory(error):
                raise Crowded(f"{job.planned.name}: GPU memory ran out") from None
            result = {"status": "failed", "seconds": 0.0, "traceback": without_credentials(traceback.format_exc())}
        if job.device == "cuda" and result["status"] == "failed":
            torch.cuda.empty_cache()  # the next one needs what this one held
    result["seconds"] += time.perf_counter() - since
    record = new_record(job, **clock.span(), attempts=attempts, device=job.device, **result)
    store.finish(folder, record)
    yield record


class Clock:
    """When something began; that the system's clock is set meanwhile does not count."""

    def __init__(self) -> None:
        self.at, self.since = time.time(), time.monotonic()

    def span(self) -> dict[str, float]:
        """Start and end, which is now, as a record has them."""
        return {"started_at": self.at, "ended_at": self.at + time.monotonic() - self.since}


def out_of_gpu_memory(error: BaseException | None) -> bool:
    """Whether an exception, or what led to it, says that a GPU has no more memory, in torch's words or a library's.

    What comes out of a failed capture speaks of the capture alone.
    """
    known = ("CUDA out of memory", "CUDA error: out of memory", "STATUS_ALLOC_FAILED")
    while error is not None:
        if isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in known):
            return True
        error = error.__cause__ or error.__context__
    return False


def _attempt(job: Job, folder: Place) -> Generator[EpochMetrics, None, dict[str, Any]]:
    """Train from where the run folder left off, test and keep the gates; returns what the record needs."""
    learner, parts = left_off(job, folder)
    earlier_seconds = sum(m.seconds for m in learner.epochs)
    for metrics in train(job.planned.trial, learner, parts):
        store.save_state(folder, learner.to_bytes())
        yield metrics
    return tested(job, folder, learner, parts) | {"seconds": earlier_seconds}


def tested(job: Job, folder: Place, learner: Learner, parts: Parts) -> dict[str, Any]:
    """Test a trial that has had its last epoch, and keep its gates; what the record needs, but for the time.

    What is made to choose by never sees the test images: its validation numbers are all that there is of it.
    """
    if job.planned.trial.seed >= SELECTION_SEED:
        return _ended(learner, job)
    probe = Probe(learner.network, parts.test, data.load(job.planned.trial.data, job.data_dir).classes)
    with probe.watching():
        test = final_test(learner.network, parts)
    payload, lost = _gates(probe)
    kept = None if payload is None else store.save_gates(folder, payload)
    return _ended(learner, job) | {"test": test, "gates": kept, "traceback": lost}


def _ended(learner: Learner, job: Job) -> dict[str, Any]:
    return {
        "status": "done",
        "epochs": learner.epochs,
        "together": max((m.together for m in learner.epochs), default=1),
        "train_seconds": sum(m.seconds for m in learner.epochs),
        "peak_memory_bytes": _peak_memory(torch.device(job.device)),
    }


def _gates(probe: Probe) -> tuple[bytes | None, str | None]:
    """The file of the gates, or the traceback of why there is none: it must not cost a finished training."""
    try:
        return probe.payload(), None
    except Exception:
        return None, without_credentials(traceback.format_exc())


def left_off(job: Job, folder: Place) -> tuple[Learner, Parts]:
    """The learner of the run folder's checkpoint, or a new one where there is none that fits this trial."""
    own.use(job.own)
    device = torch.device(job.device)
    loaders = LOADERS[device.type == "cuda"] if job.loaders is None else job.loaders
    learner, parts = begin(job.planned.trial, device, job.data_dir, loaders)
    checkpoint = store.load_state(folder)
    if checkpoint is None:
        return learner, parts
    try:
        learner.load_bytes(checkpoint)
    except Exception as error:  # whole, but of something else; what it has loaded of it must not stay
        if out_of_gpu_memory(error):
            raise
        store.drop_state(folder)
        return begin(job.planned.trial, device, job.data_dir, loaders)
    return learner, parts


def _peak_memory(device: torch.device) -> int:
    """Bytes: of the device's allocator on a GPU, of this process so far on the CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
