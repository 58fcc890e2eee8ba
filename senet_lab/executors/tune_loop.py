"""Ray Tune's part: it schedules, decides nothing and records nothing.

A Tune trial is one index into the list of jobs, its trainable is a class (a function would cost a
thread and half a second a trial), and its step is a step of `trial.steps`.
"""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ray import tune

from senet_lab import store
from senet_lab.errors import Crowded, StoreError
from senet_lab.executors import Listener
from senet_lab.executors.slot import Slot
from senet_lab.jobs import Job, Step, new_record
from senet_lab.trial import steps

MAX_WORKER_DEATHS = 2


class Trainable(tune.Trainable):  # type: ignore[misc]
    """A slot that runs one job after another; only their steps travel."""

    def setup(self, config: dict[str, Any], jobs: Sequence[Job]) -> None:
        import torch._dynamo  # noqa: F401  (torch's optimizers do it at their first use: not in a trial's time)

        self.jobs = jobs
        self.broken = False
        """Whether a trial failed on this process's GPU, which may take no orders after that."""
        self.reset_config(config)

    def reset_config(self, config: dict[str, Any]) -> bool:
        if self.broken:  # the next job starts in a process of its own, as after any death of a worker
            os._exit(1)
        self.job = self.jobs[config["job"]]
        self.steps: Iterator[Step] = steps(self.job)
        return True

    def step(self) -> dict[str, Any]:
        try:
            step = next(self.steps)
        except (StoreError, Crowded) as error:  # an exception would be tried again, and lose its words on the way
            return {"step": error, "done": True}
        self.broken = self.job.device == "cuda" and step.record is not None and step.record.status == "failed"
        return {"step": step, "done": step.record is not None}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing: the store has it."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing: `steps` goes on from the store."""


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
        self._tell(trial, result["step"])

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


def fit(jobs: Sequence[Job], listener: Listener, slot: Slot, scratch: Path) -> None:
    """Run `jobs` to their ends, each in a `slot`; Tune's own files go to `scratch`.

    A trial for which a GPU's memory ran out is tried again alone on its GPU, and the others that are left go on
    with fewer neighbours.
    """
    alone: set[str] = set()
    left = [replace(job, device="cuda" if slot.gpus else "cpu") for job in jobs]
    while left:
        slots = [slot.alone() if job.planned.id in alone else slot for job in left]
        left = [replace(job, neighbours=s.shares_gpu) for job, s in zip(left, slots, strict=True)]
        relay = _Relay(left, listener)
        _round(relay, slots, slot.at_once, scratch / f"round-{len(alone)}")
        if relay.crowded is None:
            return
        victim = left[relay.crowded].planned
        listener(Step(victim, (), note=f"{victim.name}: GPU memory ran out; next alone, the others with fewer at once"))
        alone.add(victim.id)
        slot = slot.roomier()
        left = [job for i, job in enumerate(left) if i in relay.left]


def _round(relay: _Relay, slots: Sequence[Slot], at_once: int | None, scratch: Path) -> None:
    tuner = tune.Tuner(
        tune.with_resources(
            tune.with_parameters(Trainable, jobs=list(relay.jobs)),
            lambda config: tune.PlacementGroupFactory([slots[config["job"]].resources]),
        ),
        param_space={"job": tune.grid_search(list(range(len(relay.jobs))))},
        tune_config=tune.TuneConfig(reuse_actors=True, max_concurrent_trials=at_once),
        run_config=tune.RunConfig(
            name="sweep",
            storage_path=str(scratch),
            verbose=0,
            callbacks=[relay],
            stop=_WhenCrowded(relay),
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
    """The failed record of a trial whose worker died more often than it is tried again."""
    started_at = trial.run_metadata.start_time or time.time()
    record = new_record(
        job,
        status="failed",
        started_at=started_at,
        ended_at=max(started_at, time.time()),  # the clock may have been set meanwhile
        seconds=0.0,
        attempts=1 + MAX_WORKER_DEATHS,
        traceback=f"the worker process died: {trial.get_pickled_error() or trial.get_error()}",
        device=job.device,
    )
    store.finish(store.Store(job.store, job.sweep).open(job.planned), record)
    return Step(job.planned, (), record)
