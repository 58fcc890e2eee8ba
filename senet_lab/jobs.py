"""What travels between a driver and its workers: a job there, steps back. Needs no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from senet_lab.files import Place
from senet_lab.plan import PlannedTrial
from senet_lab.records import Cost, EpochMetrics, TrialRecord
from senet_lab.spec import Source


@dataclass(frozen=True)
class Job:
    """A planned trial, and how to run it."""

    planned: PlannedTrial
    sweep: str
    store: "str | Place"
    """The folder or address that holds the sweeps' run folders."""
    environment: str
    cost: Cost
    folder: str | None = None
    """Name of the run folder, where the driver has looked it up."""
    sitting: int = 1
    """Of the commands that ran this sweep, which one this is."""
    data_dir: Path = Path("data")
    """Where archives lie, folders of images are looked for, and decoded images are kept."""
    device: str = "cpu"
    cpus: int = 1
    """Cores held for its group."""
    gpus: float = 0.0
    """The part of a GPU, or how many, held for its group."""
    retries: int = 2
    own: Source | None = None
    """The sweep file, where it defines operators that the trial may use."""
    neighbours: bool = False
    """Whether other trials have a part of the same GPU, so that there may be more memory without them."""
    loaders: int | None = None
    """Processes that decode images of large data sets; None for 4 beside a GPU and none without."""
    every_epoch: bool = False
    """Whether each epoch is told as it ends, as where the trial may be ended early."""


Group = Sequence[Job]
"""Jobs that run together: one, or several of one shape."""


@dataclass(frozen=True)
class Step:
    """What a trial did since its last step."""

    planned: PlannedTrial
    epochs: tuple[EpochMetrics, ...]
    record: TrialRecord | None = None
    """Present in the last step: how the trial ended."""
    note: str = ""
    """What people should know about it."""


def new_record(job: Job, **result: Any) -> TrialRecord:
    """The record of a trial of `job` that ended with `result`."""
    planned = job.planned
    return TrialRecord(
        id=planned.id,
        sweep=job.sweep,
        variant=planned.variant.label,
        settings=dict(planned.variant.settings),
        origin=planned.variant.origin,
        tuned=dict(planned.variant.tuned),
        candidate=planned.variant.candidate,
        trial=planned.trial,
        fingerprint=planned.fingerprint,
        code=planned.code,
        data=planned.data,
        params=job.cost.params,
        macs=job.cost.macs,
        environment=job.environment,
        sitting=job.sitting,
        cpus=job.cpus,
        gpus=job.gpus,
        **result,
    )
