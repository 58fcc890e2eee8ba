"""Jobs on Ray Tune: one slot a core or a fraction of a GPU, workers that stay warm.

Only this module and its neighbours `tune_loop`, `relay`, `judge` and `far` import ray. This one starts and ends Ray and
needs no torch, so that Ray gets ready while the driver imports the rest.
"""

import contextlib
import gc
import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import ray

import senet_lab
from senet_lab.credentials import without_credentials
from senet_lab.environment import cores
from senet_lab.errors import ClusterLost, UserError
from senet_lab.executors import Listener
from senet_lab.executors.slot import SWITCHES, Slot
from senet_lab.jobs import Group
from senet_lab.records import EpochMetrics
from senet_lab.spec import ASHA, Median

if TYPE_CHECKING:
    from senet_lab.executors.judge import Watch

DEFAULT_GPU_SHARE = 0.25
CLIENT_PORT = 10001
ANSWER_SECONDS = 5.0

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
WORKER_SWITCHES = SWITCHES | {
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # workers stay in the working folder, by which data and weights may be named
}
QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}


class RayTune:
    """Runs trials on a Ray of its own on this machine, or on a cluster that is there, as many at once as fit."""

    def __init__(
        self,
        slot: Slot | None = None,
        gpus_per_trial: float | None = None,
        address: str | None = None,
        stays: bool = False,
    ) -> None:
        """`gpus_per_trial`: None for a quarter where there is a GPU, and a whole one for a group, in place of the
        slot's own; `address`: of a cluster ("auto", "host:6379", "ray://host:10001"), None for a Ray of its own;
        `stays`: whether Ray outlives a `run` that returns, for the next one; `stop` ends it."""
        self.slot = slot or Slot()
        self.gpus_per_trial = gpus_per_trial
        self.address = address
        self.stays = stays
        self._watch: Watch | None = None
        # Ray's processes die with the thread that started them, so that thread has to stay.
        self._starter = ThreadPoolExecutor(1, "start-ray")
        self._ready: Future[Slot] | None = None

    def start(self) -> None:
        """Start Ray, or the connection to it, in the background."""
        if self._ready is None:
            os.environ.update(DRIVER_SWITCHES)
            self._ready = self._starter.submit(self._start_ray)

    def refuse_impossible(self) -> None:
        """Raises UserError for a cluster that is not there, and for more of this machine than it has."""
        if self.address is not None:
            self.start()
            assert self._ready is not None
            self._ready.result()
        elif self.slot.cpus > cores():
            raise _too_much("--cpus-per-trial", self.slot.cpus, f"this machine has {cores()} cores")
        elif self.gpus_per_trial:
            import torch

            gpus = torch.cuda.device_count()
            if self.gpus_per_trial > gpus:
                raise _too_much("--gpus-per-trial", self.gpus_per_trial, f"this machine has {gpus} GPUs")

    def watch(self, stopping: ASHA | Median | None, past: Sequence[Sequence[EpochMetrics]] = ()) -> None:
        """From the next `run` on, let `stopping` end trials early, each trained by itself; None: let all run.

        `past`: the epochs of earlier trials, whoever ran them, which the rule knows as it knows those of a `run`. A
        trial that is ended early has a record of its own, "stopped"; its checkpoint stays.
        """
        from senet_lab.executors.judge import Watch

        self._watch = None if stopping is None else Watch(stopping, tuple(past))

    def run(self, groups: Sequence[Group], listener: Listener) -> None:
        """Run `groups`; Ray, or the connection to it, ends with it, unless it stays and this returns."""
        self.start()
        assert self._ready is not None
        scratch = Path(tempfile.mkdtemp(prefix="senet-lab-tune-"))
        with contextlib.ExitStack() as at_end:
            at_end.callback(self.stop)
            try:
                self._run(groups, listener, self._ready.result(), scratch)
            except (ray.exceptions.RayError, ConnectionError) as error:
                if self.address is None or isinstance(error, ray.exceptions.RayTaskError):
                    raise
                raise ClusterLost(f"the Ray cluster at {without_credentials(self.address)}") from error
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
            if self.stays:
                at_end.pop_all()

    def _run(self, groups: Sequence[Group], listener: Listener, slot: Slot, scratch: Path) -> None:
        from senet_lab.executors import far, tune_loop

        if self._watch is not None:  # a rule ends trials one by one
            groups = [[job] for group in groups for job in group]
        if (self.address or "").startswith("ray://"):
            far.fit(groups, listener, slot, self._watch)
        else:
            terms = tune_loop.Terms(scratch, self._workers(slot.of(max(map(len, groups)))), self._watch)
            tune_loop.fit(groups, listener, slot, terms)

    def stop(self) -> None:
        """End Ray, or the connection to it, if it was started."""
        if self._ready is not None:
            wait([self._ready])  # a Ray that is still starting could not be shut down
            _shut_down()
            self._ready = None

    def _workers(self, slot: Slot) -> int:
        """How many run at once; 1 for a cluster, as nobody knows what others leave free of it."""
        if self.address is not None:
            return 1
        there = ray.cluster_resources()
        room = min(int(there.get(kind, 0.0) / much + 1e-9) for kind, much in slot.resources.items())
        return min(room, slot.at_once or room)

    def _start_ray(self) -> Slot:
        """Start Ray and return what a trial gets of it."""
        if self.address is None:
            _start_here(self.slot.at_once * self.slot.cpus if self.slot.at_once else cores())
        else:
            _connect(self.address)
        there = ray.cluster_resources()
        gpus, cpus = there.get("GPU", 0.0), there.get("CPU", 0.0)
        where = "this machine" if self.address is None else "the cluster"
        share = (DEFAULT_GPU_SHARE if gpus else 0.0) if self.gpus_per_trial is None else self.gpus_per_trial
        if share > gpus:
            raise _too_much("--gpus-per-trial", share, f"{where} has {gpus:g} GPUs")
        if self.slot.cpus > cpus:
            raise _too_much("--cpus-per-trial", self.slot.cpus, f"{where} has {cpus:g} cores")
        return Slot(self.slot.cpus, share, self.slot.at_once, whole_for_groups=self.gpus_per_trial is None)


def _too_much(option: str, asked: float, there: str) -> UserError:
    return UserError(f"{option} {asked:g}: {there}; ask for less or leave it out")


def _start_here(slots: int) -> None:
    inherited = {name: os.environ.get(name) for name in WORKER_SWITCHES}
    os.environ.update(WORKER_SWITCHES)
    try:
        ray.init(address="local", num_cpus=slots, include_dashboard=False, **QUIET)
    except Exception as error:
        if "timed out during startup" not in str(error):
            raise
        raise UserError(
            "Ray did not start in time: this machine is too busy. Nothing has run; type the same command again when "
            "it is quieter, or add --executor local"
        ) from None
    finally:
        for name, value in inherited.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _connect(address: str) -> None:
    """Join the cluster; this package travels there, so that its nodes run the code whose digest is recorded."""
    shown = f"--address {without_credentials(address)}"
    remedy = "start one with `ray start --head`, give its address (auto, host:6379, ray://host:10001), or leave it out"
    if wrong := _silent(address):
        raise UserError(f"{shown}: there is no Ray cluster to join ({wrong}); {remedy}")
    environment = {
        "py_modules": [str(Path(senet_lab.__file__).parent)],
        "env_vars": DRIVER_SWITCHES | WORKER_SWITCHES,
    }
    try:
        ray.init(address=address, runtime_env=environment, **QUIET)
    except Exception as error:
        why = without_credentials(str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__)
        token = "if it asks for a token, set RAY_AUTH_MODE=token and give the token here, too; or "
        raise UserError(f"{shown}: there is no Ray cluster to join ({why}); {token}{remedy}") from None


def _silent(address: str) -> str | None:
    """Why nothing can be at `address`, found out in seconds; Ray itself tries for minutes."""
    if address == "auto":
        return None
    try:
        parts = urlsplit(address if "://" in address else f"ray-head://{address}")
        if parts.hostname is None or (parts.port is None and parts.scheme != "ray"):
            return "that is no host and port"
        socket.create_connection((parts.hostname, parts.port or CLIENT_PORT), ANSWER_SECONDS).close()
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None


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
