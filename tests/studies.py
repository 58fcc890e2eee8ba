"""Studies that are played through without training: what a candidate comes to is a function of what it chose."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from senet_lab import inventory, selection, store
from senet_lab.candidates import Trials
from senet_lab.catalog import Question
from senet_lab.catalog import read as read_file
from senet_lab.inventory import Inventory
from senet_lab.jobs import Job, new_record
from senet_lab.plan import PlannedTrial
from senet_lab.records import Cost, EpochMetrics
from senet_lab.tuning import asking

Error = Callable[[Mapping[str, Any]], float]
RATE, DECAY = "train.learning_rate", "train.weight_decay"
TUNED = """
from senet_lab import Choice, Float, Int, Search, Sweep, Tune
from tests.conftest import TINY
SWEEP = Sweep(
    base=TINY, grid={{"model.se.reduction": [2]}}, controls=["no_se"], baseline="no_se", seeds=2, margin=0.01,
    tune=Tune(space={{
        "train.learning_rate": Float(low=0.01, high=1.0, log=True),
        "train.weight_decay": Float(low=1e-5, high=1e-2, log=True),
    }}, {tune}),
)
"""
SEARCHED = """
from senet_lab import Choice, Float, Int, Search, Sweep, Tune
from tests.conftest import TINY
SE = {{"model.se": "on"}}
SWEEP = Search(
    base=TINY, seeds=2, margin=0.01,
    space={{
        "model.se": Choice(options={{"off": None, "on": {{}}}}),
        "model.se.reduction": Choice(options=[1, 2, 4], when=SE),
        "model.se.gate": Choice(options=["sigmoid", "tanh", "relu"], when=SE),
        "train.learning_rate": Float(low=0.01, high=1.0, log=True),
    }}, {search},
)
"""


def asked(folder: Path, text: str, **options: object) -> Question:
    """The question of a file with that text."""
    path = folder / "studied.py"
    given = ", ".join(f"{name}={value!r}" for name, value in options.items())
    path.write_text(text.format(tune=given, search=given))
    return read_file(path)


def costs(planned: PlannedTrial) -> dict[str, float]:
    """Wider bottlenecks have more parameters."""
    se = planned.trial.model.se
    params = 1000 if se is None else 1000 + 100 // se.reduction
    return {"params": float(params), "macs": 10.0 * params}


def take(question: Question, folder: Path) -> Inventory:
    return inventory.take(question, folder / "runs")


def step(found: Inventory) -> tuple[tuple[Trials, ...], tuple[PlannedTrial, ...]]:
    """The studies after the next batch was asked for, which the store knows; and the batch."""
    studies = tuple(asking.ask(found, one, costs) for one in selection.read(found))
    for one in studies:
        found.store.save_study(one.name, selection.kept(one))
    return studies, selection.batch(found, studies).plan.to_run()


def end(found: Inventory, planned: PlannedTrial, error: float | None) -> None:
    """Write how a trial ended: with that validation error in its last epoch, or as a failure."""
    job = Job(planned, found.question.name, found.store.root, "e", Cost(params=1, params_and_statistics=1, macs=1))
    epochs = [epoch(n, error + 0.1 * (2 - n)) for n in (1, 2)] if error is not None else []
    record = new_record(
        job, status="done" if epochs else "failed", epochs=tuple(epochs), started_at=0.0, ended_at=1.0, seconds=1.0
    )
    store.finish(found.store.open(planned), record)


def epoch(number: int, error: float) -> EpochMetrics:
    return EpochMetrics(
        epoch=number, train_loss=1.0, train_error=error, validation_loss=error, validation_error=error,
        learning_rate=0.1, seconds=0.5,
    )  # fmt: skip


def play(question: Question, folder: Path, error: Error, batches: int = 100) -> tuple[Trials, ...]:
    """Run studies to their end, or so many batches; `error`: of a candidate by its settings, NaN for a failure."""
    for _ in range(batches):
        found = take(question, folder)
        _, due = step(found)
        if not due:
            break
        for planned in reversed(due):  # in whatever order they end
            value = error(planned.variant.settings)
            end(found, planned, value if value == value else None)
    return selection.read(take(question, folder))
