"""Trials run as a group: one tensor program where they have one shape, and of each its own record, as alone.

Whatever goes wrong in a group costs no trial: those without a record go on from their own checkpoints, alone.
"""

import gc
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from senet_lab import checkpoints, store
from senet_lab.apart import apart
from senet_lab.data.split import Parts
from senet_lab.errors import Crowded, Diverged, StoreError
from senet_lab.files import Place
from senet_lab.jobs import Group, Job, Step, new_record
from senet_lab.records import EpochMetrics, TrialRecord
from senet_lab.shapes import by_shape, shape
from senet_lab.spec import Trial
from senet_lab.training.arrange import arrange_anew
from senet_lab.training.population import Arrangement, train_together
from senet_lab.trial import STEP_SECONDS, Clock, left_off, note, out_of_gpu_memory, run_trial, tested
from senet_lab.trial import steps as steps_alone

GPU_FAULT = "CUDA error"
"""What torch says of a GPU that a process cannot use any more."""
_arrangements: dict[tuple[object, ...], Arrangement] = {}
News = tuple[Job, EpochMetrics | TrialRecord]


def steps(jobs: Group) -> Iterator[tuple[Step, ...]]:
    """Run trials; about every second, or every epoch, what each did since, and at last the records of all.

    Raises as `trial.run_trial` does. A trial that a process which is gone has ended already is not run again.
    """
    if len(jobs) == 1 and not _as_program(jobs):
        (job,) = jobs
        record = ended(job)
        for step in steps_alone(job) if record is None else [Step(job.planned, (), record, note(job, record))]:
            yield (step,)
        return
    epochs: dict[str, list[EpochMetrics]] = {}
    records: dict[str, TrialRecord] = {}

    def heard() -> tuple[Step, ...]:
        told = [(j, tuple(epochs.pop(j.planned.id, ())), records.pop(j.planned.id, None)) for j in jobs]
        return tuple(Step(j.planned, new, record, note(j, record)) for j, new, record in told if new or record)

    left, since = len(jobs), time.monotonic()
    try:
        for job, item in run_group(jobs):
            if isinstance(item, TrialRecord):
                records[job.planned.id], left = item, left - 1
            else:
                epochs.setdefault(job.planned.id, []).append(item)
            if not left or job.every_epoch or time.monotonic() - since >= STEP_SECONDS:
                yield heard()
                since = time.monotonic()
    except Crowded:
        yield heard()
        raise


def ended(job: Job) -> TrialRecord | None:
    """The record of a trial that this command has ended already, in whatever process."""
    kept = store.Store(job.store, job.sweep)
    found = store.ended(kept.path / job.folder if job.folder else kept.folder(job.planned))
    return found if found is not None and found.sitting == job.sitting else None


def run_group(jobs: Group) -> Iterator[News]:
    """Yield each new epoch of every trial and its record, which is then in the store."""
    by_epochs: dict[int, list[Job]] = {}
    for job in jobs:
        if (record := ended(job)) is not None:
            yield job, record
        else:
            by_epochs.setdefault(len(checkpoints.epochs(_open(job))), []).append(job)
    for part in by_epochs.values():  # a program has all of its trials at one epoch
        yield from _run(part)


def _run(jobs: Group) -> Iterator[News]:
    """Trials at one epoch: as one program, and what that leaves in smaller ones or alone."""
    done: set[str] = set()
    smaller: list[Group] = []
    if _as_program(jobs):
        try:
            for job, item in _program(jobs):
                if isinstance(item, TrialRecord):
                    done.add(job.planned.id)
                yield job, item
        except StoreError:
            raise
        except Exception as error:
            smaller = _smaller([job for job in jobs if job.planned.id not in done], error) if len(jobs) > 1 else []
        finally:  # also where nobody asks for another epoch
            if jobs[0].device == "cuda":
                gc.collect()
                torch.cuda.empty_cache()  # the next one needs what this one held
    if smaller:
        for part in smaller:
            yield from run_group(part)
        return
    for job in jobs:
        if job.planned.id not in done:
            yield from ((job, item) for item in run_trial(job))


def _smaller(left: Group, error: Exception) -> list[Group]:
    """How to go on with a group that failed: as halves where memory ran out, else one by one.

    Raises Crowded where no more can run in this process.
    """
    full = out_of_gpu_memory(error)
    if left and left[0].device == "cuda" and GPU_FAULT in str(error) and not full:
        raise Crowded(f"{left[0].planned.name} and {len(left) - 1} others: {GPU_FAULT}") from None
    size = (len(left) + 1) // 2 if full else 1
    return [left[at : at + size] for at in range(0, len(left), max(1, size))]


def _as_program(jobs: Group) -> bool:
    """Whether these are trained by `train_together`: on a GPU one trial, too, as it is a graph there."""
    return (len(jobs) > 1 or jobs[0].device == "cuda") and all(shape(job.planned.trial) for job in jobs)


def _open(job: Job) -> Place:
    return store.Store(job.store, job.sweep).open(job.planned, job.folder)


def _arrangement(trials: Sequence[Trial], parts: Sequence[Parts], data_dir: Path) -> Arrangement | None:
    """How they share a GPU, as measured once for so many of a shape; None: as one program."""
    if len(trials) == 1 or not parts[0].train.y_N.is_cuda:
        return None
    key = (len(trials), *by_shape(trials))
    if key not in _arrangements:
        _arrangements[key] = apart(arrange_anew, trials, parts[0].train.y_N.device, data_dir)
    return _arrangements[key]


def _program(jobs: Group) -> Iterator[News]:
    """Train all as one program and test each; the record of one that diverged is left to the way alone."""
    clock, since = Clock(), time.perf_counter()
    folders = [_open(job) for job in jobs]
    learners, parts = zip(*(left_off(job, folder) for job, folder in zip(jobs, folders, strict=True)), strict=True)
    if len({len(learner.epochs) for learner in learners}) > 1:
        raise ValueError("a checkpoint could not be used")  # that trial begins anew
    earlier = [sum(m.seconds for m in learner.epochs) for learner in learners]
    lost: set[int] = set()
    trials = [job.planned.trial for job in jobs]
    for outcomes in train_together(trials, learners, parts, _arrangement(trials, parts, jobs[0].data_dir)):
        for k, outcome in enumerate(outcomes):
            if isinstance(outcome, Diverged):
                lost.add(k)
                continue
            metrics = outcome.model_copy(update={"together": len(jobs)})
            learners[k].epochs = (*learners[k].epochs[:-1], metrics)
            store.save_state(folders[k], learners[k].to_bytes())
            yield jobs[k], metrics
    share = (time.perf_counter() - since) / len(jobs)
    for k, job in enumerate(jobs):
        if k in lost:
            continue
        since = time.perf_counter()
        result = tested(job, folders[k], learners[k], parts[k])
        result["seconds"] = earlier[k] + share + time.perf_counter() - since
        record = new_record(job, **clock.span(), attempts=1, device=job.device, **result)
        store.finish(folders[k], record)
        yield job, record
