"""Synthetic questions, plans and records: results without a training."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from senet_lab import recipes
from senet_lab.catalog import Question
from senet_lab.design import variants
from senet_lab.plan import PlannedTrial
from senet_lab.records import EpochMetrics, Evaluation, TrialRecord
from senet_lab.results import load
from senet_lab.spec import Sweep

RATIOS = (2, 4, 8, 16, 32)
IMAGES = 900


def make_question(name: str = "reduction_ratio", seeds: int = 20, **design: Any) -> Question:
    """The shipped question on fewer seeds, or one of another design."""
    design = design or {"grid": {"model.se.reduction": RATIOS}, "published": "reduction_ratio"}
    fixed = {"base": recipes.DIGITS, "controls": ("no_se",), "baseline": "no_se", "margin": 0.005, "seeds": seeds}
    if "counterpart" in design:
        del fixed["baseline"]
    sweep = Sweep(**(fixed | design))
    return Question(name, "How narrow may the bottleneck be?", Path(f"{name}.py"), sweep, variants(sweep))


def make_plan(question: Question, code: str = "code-1") -> tuple[PlannedTrial, ...]:
    """What `plan.wanted` gives, with readable ids: `<row>/<seed>/<code>`."""
    return tuple(
        PlannedTrial(
            f"{row.label}/{seed}/{code}",
            row,
            row.trial.model_copy(update={"seed": seed}),
            f"{row.label}/{seed}",
            code,
            "data",
        )
        for seed in range(question.sweep.seeds)
        for row in question.rows
    )


def make_record(wanted: PlannedTrial, errors: int = 30, **changes: Any) -> TrialRecord:
    """A trial that ended well with `errors` of 900 test images wrong, or as `changes` say."""
    se = wanted.trial.model.se
    known = {
        "id": wanted.id,
        "sweep": "reduction_ratio",
        "variant": wanted.variant.label,
        "settings": dict(wanted.variant.settings),
        "trial": wanted.trial,
        "fingerprint": wanted.fingerprint,
        "code": wanted.code,
        "data": wanted.data,
        "status": "done",
        "test": Evaluation(error=errors / IMAGES, loss=errors / 300, images=IMAGES, correct=""),
        "epochs": tuple(_epoch(n) for n in (1, 2)),
        "params": 17_000 + (0 if se is None else 2560 // se.reduction),
        "macs": 1_150_000 + (0 if se is None else 2560 // se.reduction),
        "started_at": 1e9 + wanted.trial.seed,
        "ended_at": 1e9 + wanted.trial.seed + 2,
        "seconds": 2.0,
        "train_seconds": 1.5,
        "environment": "e",
    }
    return TrialRecord.model_validate(known | changes)


def make_records(plan: Sequence[PlannedTrial], wrong: Mapping[str, Sequence[int]]) -> list[TrialRecord]:
    """Records from row label -> wrong images per seed; shorter lists leave seeds missing."""
    return [
        make_record(wanted, wrong[wanted.variant.label][wanted.trial.seed])
        for wanted in plan
        if wanted.trial.seed < len(wrong.get(wanted.variant.label, ()))
    ]


def make_frames(wrong: Mapping[str, Sequence[float]], wanted: int | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(trials, rows) as `load` gives them, from row label -> test error per seed; NaN is a missing trial."""
    lines = [
        {"variant": label, "seed": seed, "test_error": error, "seconds": 2.0}
        for label, errors in wrong.items()
        for seed, error in enumerate(errors)
        if error == error
    ]
    trials = pd.DataFrame(lines, columns=["variant", "seed", "test_error", "seconds"])
    trials = trials.astype({"test_error": "float64", "seconds": "float64"})
    most = max((len(errors) for errors in wrong.values()), default=0) if wanted is None else wanted
    return trials, pd.DataFrame({"variant": list(wrong), "wanted": most, "params": 1, "macs": 1})


def make_against(rows: pd.DataFrame, baseline: str = "no_se") -> dict[str, str]:
    """Every other row compared to `baseline`."""
    return {label: baseline for label in rows["variant"] if label != baseline}


def _epoch(n: int) -> EpochMetrics:
    losses = {"train_loss": 1 / n, "train_error": 0.1 / n, "validation_loss": 1 / n, "validation_error": 0.1 / n}
    return EpochMetrics(epoch=n, learning_rate=0.1, seconds=0.1, **losses)


def _draw_wrong() -> dict[str, list[int]]:
    """Wrong images per row and seed: sd 4 of their own, 2 shared by a seed; r = 2 is 6 better than r = 32."""
    generator = np.random.default_rng(7)
    shared = generator.normal(0, 2, 20)
    means = {**{f"reduction={r}": m for r, m in zip(RATIOS, (26, 30, 30.5, 31, 32), strict=True)}, "no_se": 31}
    return {label: [round(m + e) for e in shared + generator.normal(0, 4, 20)] for label, m in means.items()}


WRONG = _draw_wrong()


@pytest.fixture
def question() -> Question:
    """The reduction-ratio question."""
    return make_question()


@pytest.fixture
def planned(question: Question) -> tuple[PlannedTrial, ...]:
    """Its plan."""
    return make_plan(question)


@pytest.fixture
def records(planned: tuple[PlannedTrial, ...]) -> list[TrialRecord]:
    """Its results: all 120, except two of r = 8 that failed."""
    wrong = WRONG | {"reduction=8": WRONG["reduction=8"][:18]}
    return make_records(planned, wrong)


@pytest.fixture
def frames(planned: tuple[PlannedTrial, ...], records: list[TrialRecord]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(trials, rows) of these results."""
    return load.trials(planned, records), load.rows(planned, records)


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """The factories above: `make.question`, `make.plan`, `make.record`, `make.records`, ..."""
    return SimpleNamespace(
        question=make_question,
        plan=make_plan,
        record=make_record,
        records=make_records,
        frames=make_frames,
        against=make_against,
    )
