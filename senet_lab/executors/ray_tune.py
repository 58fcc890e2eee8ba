"""Jobs on Ray Tune: one slot a core or a fraction of a GPU, workers that stay warm. Alone imports ray.

Tune schedules; it decides nothing and records nothing. A trial is one index into the list of
jobs, its trainable is a class (a function would cost a thread and half a second a trial), and its
step is a step of `trial.steps`.
"""

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import ray
from ray import tune

from senet_lab import store
from senet_lab.errors import SenetLabError
from senet_lab.executors import Listener
from senet_lab.trial import Job, Step, new_record, steps

DEFAULT_GPU_SHARE = 0.25
MAX_WORKER_DEATHS = 2

DRIVER_SWITCHES = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ctrl-C is ours: the record is in the store already
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",  # they are in the records
    "TUNE_GLOBAL_CHECKPOINT_S": "3600",  # Tune's own snapshots are never read
}
WORKER_SWITCHES = {
    "OMP_NUM_THREADS": "1",
    # Keep big tensors in the process instead of giving them back to the kernel each step: +10 %.
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "68719476736",
}


class RayTune:
    """Runs trials on a Ray of its own on this machine, as many at once as there are cores or GPU shares."""

    def __init__(self, workers: int | None = None, gpus_per_trial: float | None = None) -> None:
        """`workers`: trials at once, None for one a core; `gpus_per_trial`: None for a quarter where there is one."""
        self.workers = workers
        self.gpus_per_trial = gpus_per_trial
        # Ray's processes die with the thread that started them, so that thread has to stay.
        self._starter = ThreadPoolExecutor(1, "start-ray")
        self._ready: Future[float] | None = None

    def start(self) -> None:
        """Start Ray in the background; its workers import torch at once."""
        if self._ready is None:
            os.environ.update(DRIVER_SWITCHES)
            self._ready = self._starter.submit(self._start_ray)

    def run(self, jobs: Sequence[Job], listener: Listener) -> None:
        """Run `jobs`; Ray ends with it, whatever happens."""
        self.start()
        assert self._ready is not None
        scratch = Path(tempfile.mkdtemp(prefix="senet-lab-tune-"))
        try:
            gpus = self._ready.result()
            placed = [replace(job, device="cuda" if gpus else "cpu") for job in jobs]
            _fit(placed, listener, gpus, scratch)
        finally:
            ray.shutdown()
            self._ready = None
            shutil.rmtree(scratch, ignore_errors=True)

    def _start_ray(self) -> float:
        """Start Ray and return the share of a GPU that a trial gets."""
        inherited = {name: os.environ.get(name) for name in WORKER_SWITCHES}
        os.environ.update(WORKER_SWITCHES)
        try:
            ray.init(
                address="local",
                num_cpus=self.workers,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.CRITICAL,
                runtime_env={"worker_process_setup_hook": _warm_up},
            )
        finally:
            for name, value in inherited.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        if self.gpus_per_trial is not None:
            return self.gpus_per_trial
        return DEFAULT_GPU_SHARE if ray.cluster_resources().get("GPU") else 0.0


def _warm_up() -> None:
    """Runs once in every worker process, before its first trial."""
    import senet_lab.models.cifar_resnet
    import senet_lab.trial  # noqa: F401


class _Trainable(tune.Trainable):  # type: ignore[misc]
    """A slot that runs one job after another; only their steps travel."""

    def setup(self, config: dict[str, Any], jobs: Sequence[Job]) -> None:
        self.jobs = jobs
        self.reset_config(config)

    def reset_config(self, config: dict[str, Any]) -> bool:
        self.steps: Iterator[Step] = steps(self.jobs[config["job"]])
        return True

    def step(self) -> dict[str, Any]:
        step = next(self.steps)
        return {"step": step, "done": step.record is not None}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing: the store has it."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing: `steps` goes on from the store."""


class _Relay(tune.Callback):  # type: ignore[misc]
    """Hands steps to the listener, and makes a record of a trial whose worker died."""

    def __init__(self, jobs: Sequence[Job], listener: Listener) -> None:
        self.jobs, self.listener = jobs, listener

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles its callbacks in order to restore them, which is never done."""
        return {}

    def on_trial_start(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        self.listener(Step(self.jobs[trial.config["job"]].planned, ()))

    def on_trial_result(self, iteration: int, trials: Any, trial: Any, result: Any, **info: Any) -> None:
        self.listener(result["step"])

    def on_trial_error(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        self.listener(_lost(self.jobs[trial.config["job"]], trial))


def _fit(jobs: Sequence[Job], listener: Listener, gpus: float, scratch: Path) -> None:
    tune.Tuner(
        tune.with_resources(tune.with_parameters(_Trainable, jobs=list(jobs)), {"cpu": 1, "gpu": gpus}),
        param_space={"job": tune.grid_search(list(range(len(jobs))))},
        tune_config=tune.TuneConfig(reuse_actors=True),
        run_config=tune.RunConfig(
            name="sweep",
            storage_path=str(scratch),
            verbose=0,
            callbacks=[_Relay(jobs, listener)],
            failure_config=tune.FailureConfig(max_failures=MAX_WORKER_DEATHS),
        ),
    ).fit()


def _lost(job: Job, trial: Any) -> Step:
    """The failed record of a trial whose worker died more often than it is tried again."""
    record = new_record(
        job,
        status="failed",
        started_at=trial.run_metadata.start_time or time.time(),
        seconds=0.0,
        attempts=1 + MAX_WORKER_DEATHS,
        traceback=f"the worker process died: {trial.get_pickled_error() or trial.get_error()}",
        device=job.device,
    )
    try:
        store.finish(store.Store(job.store, job.sweep).open(job.planned), record)
    except SenetLabError as error:
        record = record.model_copy(update={"traceback": f"{record.traceback}\n{error}"})
    return Step(job.planned, (), record)
