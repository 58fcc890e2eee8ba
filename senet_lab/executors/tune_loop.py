"""Ray Tune's part: it schedules, decides nothing and records nothing.

A Tune trial is one index into the list of jobs, its trainable is a class (a function would cost a
thread and half a second a trial), and its step is a step of `trial.steps`.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ray import tune

from senet_lab import store
from senet_lab.errors import StoreError
from senet_lab.executors import Listener
from senet_lab.jobs import Job, Step, new_record
from senet_lab.trial import steps

MAX_WORKER_DEATHS = 2


class Trainable(tune.Trainable):  # type: ignore[misc]
    """A slot that runs one job after another; only their steps travel."""

    def setup(self, config: dict[str, Any], jobs: Sequence[Job]) -> None:
        import torch._dynamo  # noqa: F401  (torch's optimizers do it at their first use: not in a trial's time)

        self.jobs = jobs
        self.reset_config(config)

    def reset_config(self, config: dict[str, Any]) -> bool:
        self.steps: Iterator[Step] = steps(self.jobs[config["job"]])
        return True

    def step(self) -> dict[str, Any]:
        try:
            step = next(self.steps)
        except StoreError as error:  # an exception would be tried again, and lose its words on the way
            return {"step": error, "done": True}
        return {"step": step, "done": step.record is not None}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing: the store has it."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing: `steps` goes on from the store."""


class _Relay(tune.Callback):  # type: ignore[misc]
    """Hands steps to the listener, and makes a record of a trial whose worker died."""

    def __init__(self, jobs: Sequence[Job], listener: Listener) -> None:
        self.jobs, self.listener = jobs, listener
        self.error: Exception | None = None
        """What went wrong in here; Tune would let out a TuneError with its traceback as text."""

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles its callbacks in order to restore them, which is never done."""
        return {}

    def on_trial_start(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        self._tell(Step(self.jobs[trial.config["job"]].planned, ()))

    def on_trial_result(self, iteration: int, trials: Any, trial: Any, result: Any, **info: Any) -> None:
        self._tell(result["step"])

    def on_trial_error(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        self._tell(trial)

    def _tell(self, news: Any) -> None:
        """Pass on a step; raise an error of the store; make a step of a trial whose worker died."""
        try:
            if isinstance(news, StoreError):
                raise news
            self.listener(news if isinstance(news, Step) else _lost(self.jobs[news.config["job"]], news))
        except Exception as error:
            self.error = error
            raise


def fit(jobs: Sequence[Job], listener: Listener, gpus: float, scratch: Path) -> None:
    """Run `jobs` to their ends, each with a core and a share `gpus` of a GPU; Tune's own files go to `scratch`."""
    relay = _Relay(jobs, listener)
    tuner = tune.Tuner(
        tune.with_resources(tune.with_parameters(Trainable, jobs=list(jobs)), {"cpu": 1, "gpu": gpus}),
        param_space={"job": tune.grid_search(list(range(len(jobs))))},
        tune_config=tune.TuneConfig(reuse_actors=True),
        run_config=tune.RunConfig(
            name="sweep",
            storage_path=str(scratch),
            verbose=0,
            callbacks=[relay],
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
    record = new_record(
        job,
        status="failed",
        started_at=trial.run_metadata.start_time or time.time(),
        ended_at=time.time(),
        seconds=0.0,
        attempts=1 + MAX_WORKER_DEATHS,
        traceback=f"the worker process died: {trial.get_pickled_error() or trial.get_error()}",
        device=job.device,
    )
    store.finish(store.Store(job.store, job.sweep).open(job.planned), record)
    return Step(job.planned, (), record)
