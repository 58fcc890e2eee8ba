"""A sweep of three rows and two seeds, and what its trials would leave behind, for tests of the projection."""

from pathlib import Path

from senet_lab import plan, recipes
from senet_lab.catalog import Question
from senet_lab.design import variants
from senet_lab.plan import PlannedTrial
from senet_lab.records import Environment, EpochMetrics, Evaluation, TrialRecord
from senet_lab.spec import Sweep
from senet_lab.tracking import VariantAggregate

CANARY = "canary-5up3r"
TRACEBACK = 'Traceback (most recent call last):\n  File "train.py", line 1, in train\nDiverged: the loss is nan\n'
SWEEP = Sweep(
    base=recipes.DIGITS,
    grid={"model.se.reduction": [2, 8]},
    controls=("no_se",),
    baseline="no_se",
    seeds=2,
    margin=0.005,
)
QUESTION = Question("narrow", "How narrow may it be?", Path("narrow.py"), SWEEP, variants(SWEEP))
PLANNED = plan.wanted(QUESTION.rows, 2, lambda data: "data")
ENVIRONMENT = Environment(
    command=f"senet-lab sweep narrow --tracking-uri http://me:{CANARY}@host/",
    python="3.11",
    platform="linux",
    cpu="",
    cores=2,
    gpus=(),
    packages={},
    git_commit="c0ffee",
    git_diff=None,
)


def epoch(number: int) -> EpochMetrics:
    return EpochMetrics(
        epoch=number,
        train_loss=1 / number,
        train_error=0.5 / number,
        validation_loss=2 / number,
        validation_error=0.25 / number,
        learning_rate=0.1,
        seconds=0.5,
    )


def record(planned: PlannedTrial, status: str = "done", epochs: int = 3) -> TrialRecord:
    done = status == "done"
    return TrialRecord(
        id=planned.id,
        sweep="narrow",
        variant=planned.variant.label,
        settings=dict(planned.variant.settings),
        trial=planned.trial,
        fingerprint=planned.fingerprint,
        code=planned.code,
        data=planned.data,
        status=status,
        test=Evaluation(error=0.05, loss=0.2, images=8, correct="qg==") if done else None,
        epochs=tuple(epoch(n + 1) for n in range(epochs)),
        started_at=1_700_000_000.0,
        ended_at=1_700_000_002.0,
        seconds=2.0,
        environment="e",
        traceback=TRACEBACK if status == "failed" else None,
    )


AGGREGATES = [
    VariantAggregate("reduction=2", {"test_error.mean": 0.05123456, "n_seeds": 2}, "undecided", "About 9 more seeds."),
    VariantAggregate("no_se", {"test_error.mean": 0.06, "delta.mean": float("nan")}, "baseline"),
]
