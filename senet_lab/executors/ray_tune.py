"""Jobs on Ray Tune: one slot a core or a fraction of a GPU, workers that stay warm.

Only this module and `tune_loop` import ray. This one starts and ends Ray and needs no torch, so
that Ray gets ready while the driver imports the rest.
"""

import gc
import logging
import os
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

import ray

from senet_lab.environment import cores
from senet_lab.errors import UserError
from senet_lab.executors import Listener
from senet_lab.jobs import Job

DEFAULT_GPU_SHARE = 0.25

DRIVER_SWITCHES = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_prestart_worker_first_driver": "0",  # Tune's actors never get those workers
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ctrl-C is ours: the record is in the store already
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",  # they are in the records
    "TUNE_GLOBAL_CHECKPOINT_S": "3600",  # Tune's own snapshots are never read
}
WORKER_SWITCHES = {
    "OMP_NUM_THREADS": "1",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # workers stay in the working folder, by which data and weights may be named
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
        """Start Ray in the background."""
        if self._ready is None:
            os.environ.update(DRIVER_SWITCHES)
            self._ready = self._starter.submit(self._start_ray)

    def run(self, jobs: Sequence[Job], listener: Listener) -> None:
        """Run `jobs`; Ray ends with it, whatever happens."""
        from senet_lab.executors import tune_loop

        self.start()
        assert self._ready is not None
        scratch = Path(tempfile.mkdtemp(prefix="senet-lab-tune-"))
        try:
            gpus = self._ready.result()
            placed = [replace(job, device="cuda" if gpus else "cpu") for job in jobs]
            tune_loop.fit(placed, listener, gpus, scratch)
        finally:
            wait([self._ready])  # a Ray that is still starting could not be shut down
            _shut_down()
            self._ready = None
            shutil.rmtree(scratch, ignore_errors=True)

    def _start_ray(self) -> float:
        """Start Ray and return the share of a GPU that a trial gets."""
        inherited = {name: os.environ.get(name) for name in WORKER_SWITCHES}
        os.environ.update(WORKER_SWITCHES)
        try:
            ray.init(
                address="local",
                num_cpus=self.workers or cores(),
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.CRITICAL,
            )
        finally:
            for name, value in inherited.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        gpus = ray.cluster_resources().get("GPU", 0.0)
        share = (DEFAULT_GPU_SHARE if gpus else 0.0) if self.gpus_per_trial is None else self.gpus_per_trial
        if share > gpus:
            raise UserError(f"--gpus-per-trial {share:g}: this machine has {gpus:g} GPUs; ask for less or leave it out")
        return share


def _shut_down() -> None:
    """End Ray, with no garbage collection meanwhile.

    A reference to a Ray object that another thread frees while Ray shuts down ends this process,
    with exit code 1 and without a word (seen with MLflow's thread, once in some twenty sweeps).
    """
    gc.collect()
    gc.disable()
    try:
        ray.shutdown()
    finally:
        gc.enable()
