"""How fast trials would be here: a few seconds of real training, where no trial tells it yet.

A network is timed in rounds. A round is an epoch of the loop that trials run, on as many images as its
share of the time allows, with what a trial does beside: testing, and a checkpoint. It is scaled to a
whole trial; the spread of the rounds is that of the forecast. On processors as many processes do so at
once as trials will, set up as a trial's: what these cost each other (memory, caches) is in it.
"""

import contextlib
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

import torch
from torch import Tensor

from senet_lab import store
from senet_lab.apart import at_once
from senet_lab.blocks import own
from senet_lab.data.held import Batch
from senet_lab.data.split import Part, Parts
from senet_lab.errors import Diverged
from senet_lab.forecast import Timing
from senet_lab.spec import Source, Trial, apply
from senet_lab.training.begin import begin
from senet_lab.training.evaluate import evaluate
from senet_lab.training.train import train
from senet_lab.trial import LOADERS

ROUNDS = 8
FITTINGS = 4
GROWTH = 4
MOST_AT_ONCE = 8
"""Processes: more would take long to start, and find the same."""
FIRST_IMAGES = 16
"""Of the round before the first: it is not counted, and tells how many images fit into one."""


@dataclass(frozen=True)
class _Few:
    """The first images of a part, batch by batch as the part gives them."""

    part: Part
    images: int

    @property
    def y_N(self) -> Tensor:
        return self.part.y_N[: self.images]

    def __len__(self) -> int:
        return self.images

    def in_order(self, batch: int) -> Iterator[Batch]:
        size = min(batch, self.images)
        return islice(self.part.in_order(size), -(-self.images // size))

    def shuffled(self, batch: int, seed: int, epoch: int) -> Iterator[Batch]:
        return islice(self.part.shuffled(batch, seed, epoch), self.images // batch)


class _Runner:
    """One network, ready for rounds."""

    def __init__(self, trial: Trial, data_dir: Path, folder: Path) -> None:
        clock = time.perf_counter()
        device = _device()
        self.learner, self.parts = begin(trial, device, data_dir, LOADERS[device.type == "cuda"])
        self.begin_seconds = time.perf_counter() - clock
        self.trial = apply(trial, {"train.epochs": trial.train.epochs + ROUNDS + FITTINGS})
        self.epochs, self.folder = trial.train.epochs, folder
        self.images = min(FIRST_IMAGES, len(self.parts.train))
        self.seconds: list[float] = []

    def fit(self, seconds: float, most: float) -> None:
        """Choose how many images a round takes: whole batches for which `seconds` are enough.

        One batch may take up to `most` seconds, as a few images say little of many, above all on a GPU.
        """
        every = len(self.parts.train)
        batch = min(self.trial.train.batch_size, every)
        for _ in range(FITTINGS):
            clock = time.perf_counter()
            self.round()
            pace = self.images / (time.perf_counter() - clock)
            images = int(pace * seconds) // batch * batch
            if self.images < batch:
                images = max(images, min(batch, GROWTH * self.images, int(pace * most)))
            if images <= self.images:
                break
            self.images = min(images, every)
        self.seconds.clear()

    def round(self) -> None:
        """Train, save and test on some images, and note how long a whole trial would take at that pace."""
        train_part, validation, test = self.parts.train, self.parts.validation, self.parts.test
        one, some = _Few(validation, 1), _Few(test, min(self.images, len(test)))
        laps = [time.perf_counter()]
        next(train(self.trial, self.learner, Parts(_Few(train_part, self.images), one, one)))
        laps.append(time.perf_counter())
        evaluate(self.learner.network, one)  # once more, to know what it took inside the epoch
        laps.append(time.perf_counter())
        evaluate(self.learner.network, some)
        laps.append(time.perf_counter())
        store.save_state(self.folder, self.learner.to_bytes())
        laps.append(time.perf_counter())
        epoch, one_image, some_images, save = (b - a for a, b in pairwise(laps))
        image = some_images / len(some)
        epoch = max(0.0, epoch - one_image) * len(train_part) / self.images + len(validation) * image + save
        self.seconds.append(self.begin_seconds + self.epochs * epoch + len(test) * image)


@dataclass(frozen=True)
class Probe:
    """What is to be timed."""

    rows: Mapping[str, Trial]
    """By label."""
    works: Mapping[str, float]
    """Of a whole trial, by label."""
    seconds: float
    """That it may take, about."""
    data_dir: Path
    own: Source | None = None
    """The sweep file, where it defines operators."""


def measure_at_once(probe: Probe, count: int, switches: Mapping[str, str]) -> list[Timing]:
    """`measure` in so many processes at once, `switches` being their environment, all their rounds together.

    In this process where there is a GPU, or where none can be started. Raises as `measure` does.
    """
    if _device().type == "cuda":
        return measure(probe)
    try:
        each = at_once(min(count, MOST_AT_ONCE), switches, measure, probe)
    except (OSError, BrokenProcessPool):
        return measure(probe)
    rounds: dict[tuple[tuple[str, ...], float], tuple[float, ...]] = {}
    for timing in (t for found in each for t in found):
        key_ = (timing.rows, timing.work)
        rounds[key_] = (*rounds.get(key_, ()), *timing.seconds)
    return [Timing(labels, work, seconds) for (labels, work), seconds in rounds.items()]


def measure(probe: Probe) -> list[Timing]:
    """Timings of the networks that the time was enough for, at least of one, in this process.

    Raises SpecError for a file of weights that does not fit, DataError for images that are damaged.
    """
    rows, works, seconds, data_dir = probe.rows, probe.works, probe.seconds, probe.data_dir
    own.use(probe.own)
    alike: dict[str, list[str]] = {}
    for label, trial in rows.items():
        alike.setdefault(key(trial), []).append(label)
    groups = _from_both_ends(sorted(alike.values(), key=lambda labels: works[labels[0]]))
    for trial in {trial.data: trial for trial in rows.values()}.values():
        begin(trial, _device(), data_dir)  # the first time in a process takes longer, trials have warm ones
    begun: list[tuple[list[str], _Runner]] = []
    with tempfile.TemporaryDirectory(prefix="senet-lab-pace-") as scratch:
        start = time.monotonic()
        for number, labels in enumerate(groups):
            if begun and time.monotonic() > start + seconds * 2 / 3:
                break
            with contextlib.suppress(Diverged, RuntimeError):  # e.g. more memory than there is: the trial will tell
                runner = _Runner(rows[labels[0]], data_dir, Path(scratch) / str(number))
                runner.fit(seconds / len(groups) / (ROUNDS + FITTINGS), seconds / 8)
                begun.append((labels, runner))
        _rounds([runner for _, runner in begun], start + seconds)
    return [Timing(tuple(labels), works[labels[0]], tuple(r.seconds)) for labels, r in begun if r.seconds]


def _rounds(runners: Sequence[_Runner], until: float) -> None:
    """Round by round over all, so that each sees every moment of the machine; the first one whatever it takes."""
    for number in range(ROUNDS):
        for runner in runners:
            if number and time.monotonic() > until:
                return
            with contextlib.suppress(Diverged, RuntimeError):
                runner.round()


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def key(trial: Trial) -> str:
    """What two trials share that take the same time: learning rates, schedules and seeds cost none."""
    setting = trial.train
    arithmetic = f"{setting.batch_size} {setting.epochs} {setting.precision}"
    return f"{trial.model.model_dump_json()} {trial.data.model_dump_json()} {arithmetic}"


def _from_both_ends(groups: list[list[str]]) -> list[list[str]]:
    """The cheapest, the dearest, the second cheapest, ...: what is left out then lies between."""
    half = (len(groups) + 1) // 2
    up, down = groups[:half], groups[half:][::-1]
    return [g for pair in zip(up, [*down, []], strict=False) for g in pair if g]
