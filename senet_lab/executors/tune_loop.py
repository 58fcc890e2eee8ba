"""Ray Tune's part: it schedules, decides nothing and records nothing.

A Tune trial is one index into the list of groups, its trainable is a class (a function would cost a
thread and half a second a trial), and its step is a step of `together.steps`.
"""

import os
import platform
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ray import tune

from senet_lab import checkpoints, store
from senet_lab.errors import Crowded, StoreError
from senet_lab.executors import Listener, Wanted, everything
from senet_lab.executors.deaths import MAX_WORKER_DEATHS
from senet_lab.executors.judge import Judge, Watch
from senet_lab.executors.relay import Relay, Silence, WhenCrowded, WhileWanted
from senet_lab.executors.slot import Slot
from senet_lab.jobs import Group, Job, Step
from senet_lab.records import EpochMetrics
from senet_lab.together import GPU_FAULT, steps

MEET_SECONDS = 20.0


class Trainable(tune.Trainable):  # type: ignore[misc]
    """A slot that runs one group of jobs after another; only their steps travel."""

    resumes = False
    """Whether it is still to be told which epochs a trial has behind it."""

    def setup(self, config: dict[str, Any], groups: Sequence[Group], meeting: "Meeting") -> None:
        meeting.come()
        self.groups, self.meeting = groups, meeting
        self.refusal = _unseen(groups[0][0])
        self.broken = False
        """Whether this process's GPU failed, which may take no orders after that; the next group begins in another."""
        self.reset_config(config)

    def reset_config(self, config: dict[str, Any]) -> bool:
        self.jobs = self.groups[config["group"]]
        self.left = len(self.jobs)
        self.steps: Iterator[tuple[Step, ...]] = steps(self.jobs)
        self.resumes = self.jobs[0].every_epoch
        return True

    def step(self) -> dict[str, Any]:
        if self.broken:  # only now, as Tune forgives a death while a trial runs, but not while it is handed over
            os._exit(1)
        self.meeting.wait()
        if self.refusal is not None:
            return {"steps": self.refusal, "done": True}
        try:
            earlier, self.resumes = _earlier(self.jobs[0]) if self.resumes else (), False
            if earlier:
                return {"steps": (), "earlier": earlier, "done": False}
            told = next(self.steps)
        except (StoreError, Crowded) as error:  # an exception would be tried again, and lose its words on the way
            return {"steps": error, "done": True}
        records = [step.record for step in told if step.record is not None]
        self.left -= len(records)
        self.broken = any(GPU_FAULT in (record.traceback or "") for record in records)
        return {"steps": told, "done": not self.left}

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


def _earlier(job: Job) -> tuple[EpochMetrics, ...]:
    """Epochs that a trial has behind it, for whoever may end it early."""
    kept = store.Store(job.store, job.sweep)
    return checkpoints.epochs(kept.path / job.folder if job.folder else kept.folder(job.planned))


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


@dataclass(frozen=True)
class Terms:
    """What a run is given besides its trials and their slots."""

    scratch: Path
    """A folder for Tune's own files."""
    workers: int = 1
    """How many slots there are on this machine, where that is known."""
    watch: Watch | None = None
    """What may end trials early; each is a group of its own then."""
    wanted: Wanted = everything
    """Whether a job is still to begin."""


def fit(groups: Sequence[Group], listener: Listener, slot: Slot, terms: Terms) -> None:
    """Run `groups` to their ends, each in a `slot`.

    A group for which a GPU's memory ran out is tried again one by one, alone on its GPU, and the others that are left
    go on with fewer neighbours. A group whose workers died goes on one by one, too, so that only the cause fails.
    """
    alone: set[str] = set()
    device = "cuda" if slot.gpus else "cpu"
    left: list[Group] = list(groups)
    judge = Judge(terms.watch, groups) if terms.watch else None
    rounds = 0
    while left:
        slots = [slot.alone() if group[0].planned.id in alone else slot.of(len(group)) for group in left]
        left = [
            [_placed(job, device, s, judge is not None) for job in group] for group, s in zip(left, slots, strict=True)
        ]
        relay = Relay(left, listener, judge, terms.wanted)
        place = terms.scratch / f"round-{rounds}"
        meeting = Meeting(place / "workers", 1 if alone else min(terms.workers, len(left)))
        _round(relay, slots, meeting, place)
        if relay.crowded is None and not relay.bereft:
            return
        alone |= relay.bereft
        if relay.crowded is not None:
            number, error = relay.crowded
            victims = [job.planned for job in left[number] if job.planned.id in relay.left]
            listener(Step(victims[0], (), note=f"{error}; next alone, the others with fewer at once"))
            alone |= {victim.id for victim in victims}
            slot = slot.roomier()
        rounds += 1
        left = list(_left(left, relay.left, alone))


def _placed(job: Job, device: str, slot: Slot, every_epoch: bool) -> Job:
    """`job` as it is run in `slot`."""
    placed = replace(job, device=device, cpus=slot.cpus, gpus=slot.gpus, neighbours=slot.shares_gpu)
    return replace(placed, every_epoch=every_epoch)


def _left(groups: Sequence[Group], left: Collection[str], alone: Collection[str]) -> Iterator[Group]:
    """What has not ended of `groups`; those that are to be alone in groups of one."""
    for group in groups:
        rest = [job for job in group if job.planned.id in left]
        if rest and rest[0].planned.id in alone:
            yield from ([job] for job in rest)
        elif rest:
            yield rest


def _round(relay: Relay, slots: Sequence[Slot], meeting: Meeting, scratch: Path) -> None:
    tuner = tune.Tuner(
        tune.with_resources(
            tune.with_parameters(Trainable, groups=list(relay.groups), meeting=meeting),
            lambda config: tune.PlacementGroupFactory([slots[config["group"]].resources]),
        ),
        param_space={"group": tune.grid_search(list(range(len(relay.groups))))},
        tune_config=tune.TuneConfig(
            reuse_actors=True, max_concurrent_trials=slots[0].at_once, scheduler=WhileWanted(relay)
        ),
        run_config=tune.RunConfig(
            name="sweep",
            storage_path=str(scratch),
            verbose=0,
            callbacks=[relay, Silence()],
            stop=WhenCrowded(relay),
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
