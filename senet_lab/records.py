"""What happened: facts with units, written once. Errors are fractions, times seconds, memory bytes."""

import base64
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from senet_lab.spec import Trial


class Fact(BaseModel):
    """Frozen; keys of a newer version are read over. JSON has no NaN and infinity: they are strings there."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="strings")


class Cost(Fact):
    """What a network costs, whatever it is trained on."""

    params: int
    """Trainable."""
    params_and_statistics: int
    """With batch norm's running means and variances, as the paper counts them."""
    macs: int
    """Multiply-adds of one image, forward."""


class EpochMetrics(Fact):
    """One epoch of one trial."""

    epoch: int
    """From 1."""
    train_loss: float
    train_error: float
    """Over the epoch's batches while the weights were still moving, augmented."""
    validation_loss: float
    validation_error: float
    learning_rate: float
    """At the epoch's last batch."""
    seconds: float
    """The trial's share, where several were trained together."""
    together: int = 1
    """Trials that shared one tensor program."""


class Evaluation(Fact):
    """A part of the data set, seen once, with the weights of the last epoch."""

    error: float
    loss: float
    images: int
    correct: str
    """One bit an image in the data set's order, most significant first, base64."""

    def bits(self) -> bytes:
        """`correct` as packed bytes, for `numpy.unpackbits(..., count=images)`."""
        return base64.b64decode(self.correct, validate=True)


class TrialRecord(Fact):
    """How one trial ended. The last thing written of a trial; without it, it did not happen."""

    schema_version: Literal[1] = 1
    id: str
    sweep: str
    variant: str
    """The row's label when the trial ran; rows are matched by fingerprint, not by this."""
    settings: dict[str, Any]
    """What differed from the sweep's base, by dotted path."""
    trial: Trial
    origin: Trial | None = None
    """Of a row that is tuned: its configuration before."""
    tuned: dict[str, Any] = Field(default_factory=dict)
    """What was chosen for it."""
    candidate: int | None = None
    """Of a trial that is made to choose by: its number in the study."""
    fingerprint: str
    code: str
    """Digest of the code that produced the result."""
    data: str
    """Digest of the data set's content."""
    status: Literal["done", "failed", "stopped"]
    """Stopped: ended early by a scheduler; it has its epochs, no test, and a checkpoint to go on from."""
    test: Evaluation | None = None
    gates: str | None = None
    """SHA-256 of the file beside the record that keeps the gates; none without SE, and in older records."""
    epochs: tuple[EpochMetrics, ...] = ()
    params: int | None = None
    """Trainable parameters."""
    macs: int | None = None
    """Multiply-adds of one image, forward."""
    started_at: float
    """Unix time; of the last sitting, if the trial was interrupted."""
    ended_at: float
    """Unix time."""
    sitting: int = 0
    """Of the commands that ran the sweep here, which one made this: tells what is newer, whatever clocks say."""
    seconds: float
    """Wall time in the worker: of the last sitting, and of the epochs of earlier ones; the trial's share, where
    several were trained together."""
    train_seconds: float = 0.0
    """The part of `seconds` inside epochs."""
    peak_memory_bytes: int | None = None
    """Of the worker process, or of the device's allocator on a GPU; of all that were trained together."""
    together: int = 1
    """Trials that shared one tensor program, at most in any epoch: above 1 the result is that of training alone but
    for rounding, and 1 promises the bits on a CPU."""
    device: str = "cpu"
    cpus: int = 1
    """Cores that were held for it."""
    gpus: float = 0.0
    """The part of a GPU, or how many, held for it, or for all that were trained together; older records do not say."""
    attempts: int = 1
    traceback: str | None = None
    """Of the last attempt, if it failed; of one that is done, why its gates could not be kept."""
    environment: str
    """Digest that names the environment file beside the run folders."""


class Asked(Fact):
    """What a run folder is for, written before anything has happened in it."""

    id: str
    name: str
    """For people: row and seed."""
    fingerprint: str
    code: str
    settings: dict[str, Any] = Field(default_factory=dict)
    """What differs from the sweep's base, by dotted path."""
    trial: Trial | None = None
    """The whole configuration; folders of the first version do not say."""


UNTRACKED = "Untracked: "
"""Begins a line of `Environment.git_diff` that names a file which no commit has."""


class Environment(Fact):
    """Where and with what a sweep ran; stored once, named by trials through its digest."""

    command: str
    python: str
    platform: str
    cpu: str
    cores: int
    gpus: tuple[str, ...]
    packages: dict[str, str]
    git_commit: str | None
    git_diff: str | None
    """Uncommitted changes of the working folder's repository, cut at 100 kB; before the diff a line per Python file
    that git does not track, `UNTRACKED` and its name. Stores of older versions lack these lines."""


class Foreseen(Fact):
    """What was said of a sitting's time when it began: wall seconds of its trials, with the 95 % interval."""

    seconds: float
    low: float
    high: float
    source: str
    """What it went by, as `expected.Expected` says it."""


class Sitting(Fact):
    """One time that trials of a sweep were run. No result: only what it cost, as far as it was seen."""

    schema_version: Literal[1] = 1
    number: int
    """As in the records that it made."""
    began_at: float
    """Unix time."""
    seconds: float = 0.0
    """Wall time until it was last seen: from getting ready, to the last trial's end; no report."""
    running_seconds: float = 0.0
    """The part from the first trial's beginning to the last step of any: what the forecast is of."""
    driver_seconds: float = 0.0
    """Processor time of the command's own process: imports, MLflow, what is shown, and trials that it runs itself."""
    over: bool = False
    """Whether it came to an end, be it by Ctrl-C; else it still runs, or was killed."""
    trials: int
    """That were to run."""
    ended: int = 0
    slots: int | None = None
    """Trials, or groups of them, at once; None on a cluster."""
    forecast: Foreseen | None = None
    environment: str = ""
    """Digest as in the records; empty as long as no trial has ended."""
    joules: dict[str, float] = Field(default_factory=dict)
    """Meter -> energy of the whole machine in `seconds`, whatever else ran on it."""
