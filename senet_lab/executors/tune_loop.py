"""Ray Tune's part: it schedules, decides nothing and records nothing.

A Tune trial is one index into the list of jobs, its trainable is a class (a function would cost a
thread and half a second a trial), and its step is a step of `trial.steps`.
"""

import os
import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ray
from ray import tune

from senet_lab import store
from senet_lab.errors import ClusterLost, Crowded, StoreError
from senet_lab.executors import Listener
from senet_lab.executors.slot import Slot
from senet_lab.jobs import Job, Step, new_record
from senet_lab.trial import steps

MAX_WORKER_DEATHS = 2
MEET_SECONDS = 20.0
GPU_FAULT = "CUDA error"
"""What torch says of a GPU that a process cannot use any more."""


class Trainable(tune.Trainable):  # type: ignore[misc]
    """A slot that runs one job after another; only their steps travel."""

    def setup(self, config: dict[str, Any], jobs: Sequence[Job], meeting: "Meeting") -> None:
        meeting.come()
        self.jobs, self.meeting = jobs, meeting
        self.refusal = _unseen(jobs[0])
        self.broken = False
        """Whether this process's GPU failed, which may take no orders after that; the next job begins in another."""
        self.reset_config(config)

    def reset_config(self, config: dict[str, Any]) -> bool:
        self.job = self.jobs[config["job"]]
        self.steps: Iterator[Step] = steps(self.job)
        return True

    def step(self) -> dict[str, Any]:
        if self.broken:  # only now, as Tune forgives a death while a trial runs, but not while it is handed over
            os._exit(1)
        self.meeting.wait()
        if self.refusal is not None:
            return {"step": self.refusal, "done": True}
        try:
            step = next(self.steps)
        except (StoreError, Crowded) as error:  # an exception would be tried again, and lose its words on the way
            return {"step": error, "done": True}
        self.broken = step.record is not None and GPU_FAULT in (step.record.traceback or "")
        return {"step": step, "done": step.record is not None}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing: the store has it."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing: `steps` goes on from the store."""


@dataclass
class Meeting:
    """Where workers wait for each other before the first trial may end.

    Tune gives up a worker that is still starting when another one becomes free; where trials are shorter than a
    start, one worker would do them all.
    """

    place: Path
    """A folder of this machine."""
    expected: int
    """How many come; 1: nobody waits."""

    def come(self) -> None:
        if self.expected > 1:
            self.place.mkdir(parents=True, exist_ok=True)
            (self.place / str(os.getpid())).touch()

    def wait(self) -> None:
        """Return when all are there, or after a while; at once from then on."""
        until = time.monotonic() + MEET_SECONDS
        while self.expected > 1 and len(list(self.place.iterdir())) < self.expected and time.monotonic() < until:
            time.sleep(0.02)
        self.expected = 1


def _unseen(job: Job) -> StoreError | None:
    """What to say if this node does not see the driver's store: its results would be lost."""
    try:
        kept = store.Store(job.store, job.sweep)
        if kept.environment(job.environment) is not None:
            return None
    except StoreError as error:  # no package or no rights for it here
        return StoreError(f"on {platform.node()}, a node of the Ray cluster: {error}")
    return StoreError(
        f"{kept.path}: cannot be seen from {platform.node()}, a node of the Ray cluster; "
        f"put the run folders on a disk that all nodes share, or behind an address: --store s3://bucket/runs"
    )


class _Relay(tune.Callback):  # type: ignore[misc]
    """Hands steps to the listener, and makes a record of a trial whose worker died."""

    def __init__(self, jobs: Sequence[Job], listener: Listener) -> None:
        self.jobs, self.listener = jobs, listener
        self.left = set(range(len(jobs)))
        """Indexes of the jobs that have not ended."""
        self.crowded: int | None = None
        """Index of the job whose GPU had not enough memory for it and its neighbours."""
        self.error: Exception | None = None
        """What went wrong in here; Tune would let out a TuneError with its traceback as text."""

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles its callbacks in order to restore them, which is never done."""
        return {}

    def on_trial_start(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        self._tell(trial, Step(self.jobs[trial.config["job"]].planned, ()))

    def on_trial_result(self, iteration: int, trials: Any, trial: Any, result: Any, **info: Any) -> None:
        self._tell(trial, result.pop("step"))  # Tune keeps every trial's last result to the end

    def on_trial_error(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        self._tell(trial, None)

    def _tell(self, trial: Any, news: Step | Exception | None) -> None:
        """Pass on a step; raise an error of the store; make a step of a trial whose worker died."""
        number = trial.config["job"]
        try:
            if isinstance(news, Crowded):
                self.crowded = number
                return
            if isinstance(news, Exception):
                raise news
            step = _lost(self.jobs[number], trial) if news is None else news
            if step.record is not None:
                self.left.remove(number)
            self.listener(step)
        except Exception as error:
            self.error = error
            raise


class _WhenCrowded(tune.Stopper):  # type: ignore[misc]
    """Ends a round in which a GPU was too small for its trials; those that run go on from their last epoch."""

    def __init__(self, relay: _Relay) -> None:
        self.relay = relay

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return self.relay.crowded is not None


def fit(jobs: Sequence[Job], listener: Listener, slot: Slot, scratch: Path, workers: int = 1) -> None:
    """Run `jobs` to their ends, each in a `slot`; Tune's own files go to `scratch`.

    `workers`: how many slots there are on this machine, where that is known.

    A trial for which a GPU's memory ran out is tried again alone on its GPU, and the others that are left go on
    with fewer neighbours.
    """
    alone: set[str] = set()
    left = [replace(job, device="cuda" if slot.gpus else "cpu") for job in jobs]
    while left:
        slots = [slot.alone() if job.planned.id in alone else slot for job in left]
        left = [replace(job, neighbours=s.shares_gpu) for job, s in zip(left, slots, strict=True)]
        relay = _Relay(left, listener)
        place = scratch / f"round-{len(alone)}"
        meeting = Meeting(place / "workers", 1 if alone else min(workers, len(left)))
        _round(relay, slots, meeting, place)
        if relay.crowded is None:
            return
        victim = left[relay.crowded].planned
        listener(Step(victim, (), note=f"{victim.name}: GPU memory ran out; next alone, the others with fewer at once"))
        alone.add(victim.id)
        slot = slot.roomier()
        left = [job for i, job in enumerate(left) if i in relay.left]


def _round(relay: _Relay, slots: Sequence[Slot], meeting: Meeting, scratch: Path) -> None:
    tuner = tune.Tuner(
        tune.with_resources(
            tune.with_parameters(Trainable, jobs=list(relay.jobs), meeting=meeting),
            lambda config: tune.PlacementGroupFactory([slots[config["job"]].resources]),
        ),
        param_space={"job": tune.grid_search(list(range(len(relay.jobs))))},
        tune_config=tune.TuneConfig(reuse_actors=True, max_concurrent_trials=slots[0].at_once),
        run_config=tune.RunConfig(
            name="sweep",
            storage_path=str(scratch),
            verbose=0,
            callbacks=[relay],
            stop=_WhenCrowded(relay),
            # By default a trial ends with one more call to its worker, for a checkpoint that would be empty.
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            failure_config=tune.FailureConfig(max_failures=MAX_WORKER_DEATHS),
        ),
    )
    try:
        tuner.fit()
    except Exception:
        if relay.error is None:
            raise
        raise relay.error from None


def _lost(job: Job, trial: Any) -> Step:
    """The failed record of a trial whose worker died more often than it is tried again.

    Raises ClusterLost if there is nothing left that could run a worker, which is not the trial's fault.
    """
    if not any(node["Alive"] and node["Resources"].get("CPU") for node in ray.nodes()):
        raise ClusterLost("Ray, which has no node any more,")
    said = trial.get_pickled_error() or trial.get_error() or "it left no word"
    started_at = trial.run_metadata.start_time or time.time()
    record = new_record(
        job,
        status="failed",
        started_at=started_at,
        ended_at=max(started_at, time.time()),  # the clock may have been set meanwhile
        seconds=0.0,
        attempts=1 + MAX_WORKER_DEATHS,
        traceback=(
            f"the worker process died {1 + MAX_WORKER_DEATHS} times ({said}); most often the machine's memory ran out "
            f"(fewer at once: --workers 1) or a library crashed"
        ),
        device=job.device,
    )
    store.finish(store.Store(job.store, job.sweep).open(job.planned, job.folder), record)
    return Step(job.planned, (), record)
