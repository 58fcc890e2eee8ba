"""Synthetic studies: a tuned question, a search, and what their candidates came to, without a training."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from senet_lab import catalog, recipes, selection
from senet_lab.candidates import Candidate, Trials
from senet_lab.catalog import Question
from senet_lab.design import Variant, variants
from senet_lab.plan import PlannedTrial
from senet_lab.results import report
from senet_lab.results.report import Report
from senet_lab.spec import SELECTION_SEED, Choice, Float, Int, Search, Study, Sweep, Tune, apply
from senet_lab.spec.space import applies, settings
from tests.results.conftest import make_plan, make_record

RATE = {"train.learning_rate": Float(low=0.01, high=1.0, log=True)}
BLOCK = {
    "model.se": Choice(options={"off": None, "on": {}}),
    "model.se.reduction": Choice(options=(2, 4, 8, 16), when={"model.se": "on"}),
    "model.se.placement": Choice(options=("standard", "pre", "post"), when={"model.se": "on"}),
    "train.learning_rate": Float(low=0.01, high=1.0, log=True),
    "train.epochs": Int(low=5, high=20),
}
"""What a search may choose from: lists, ranges, and settings that only some have."""


def tuned_question(tune: Tune, seeds: int = 3, **design: Any) -> Question:
    design = design or {"grid": {"model.se.reduction": (2, 16)}}
    sweep = Sweep(
        base=recipes.DIGITS, controls=("no_se",), baseline="no_se", seeds=seeds, margin=0.005, tune=tune, **design
    )
    return Question("tuned", "Does tuning change the ranking?", Path("tuned.py"), sweep, variants(sweep))


def search_question(search: Search) -> Question:
    sweep = catalog._measured(search)
    return Question("which", "Which block?", Path("which.py"), sweep, variants(sweep), search=search)


def trials_of(row: Variant, study: Study, came: Sequence[Mapping[str, Any]], **known: Any) -> Trials:
    """A study whose candidates came to `came`: `chosen`, `error` (fraction), and what else differs (`outcome`, ...)."""
    found = Trials(row, study, f"{row.slug}_0", (), **known)
    candidates = [_candidate(found, number, dict(one)) for number, one in enumerate(came)]
    return replace(found, candidates=tuple(candidates))


def _candidate(study: Trials, number: int, came: dict[str, Any]) -> Candidate:
    row, values = study.row, settings(study.study.space, came["chosen"])
    trial = apply(row.trial, values)
    variant = selection._variant(study, number, came["chosen"])
    name, outcome = f"{row.slug}/candidate/{number}", came.get("outcome", "done")
    seeded = trial.model_copy(update={"seed": SELECTION_SEED})
    planned = PlannedTrial(name, variant, seeded, name, "code-1", "data")
    se = trial.model.se
    costs = {"params": came.get("params", 17_000 + (0 if se is None else 2560 // se.reduction)), "macs": 1_150_000}
    costs |= {"latency": came["latency"]} if "latency" in came else {}
    record = None
    if outcome in ("done", "failed", "repeated"):
        record = make_record(planned, seconds=10.0 + number, **_result(outcome, came.get("error", 0.1)))
    return Candidate(number, came.get("batch", 0), came["chosen"], costs, planned, outcome, record)


def _result(outcome: str, error: float) -> dict[str, Any]:
    if outcome == "failed":
        return {"status": "failed", "test": None, "epochs": (), "traceback": "Traceback\nError: no"}
    epochs = tuple(_epoch(n, error + 0.01 * (2 - n)) for n in (1, 2))
    return {"epochs": epochs}


def _epoch(n: int, error: float) -> dict[str, Any]:
    losses = {"train_loss": 1 / n, "train_error": 0.1 / n, "validation_loss": 10 * error, "validation_error": error}
    return {"epoch": n, "learning_rate": 0.1, "seconds": 0.1, **losses}


def reported(
    asked: Question, studies: Sequence[Trials], wrong: Mapping[str, Sequence[int]], again: float = 0.05
) -> Report:
    """The report of what `studies` chose: wrong test images per row and seed; validation errors about `again`."""
    question = selection.question(asked, studies)
    planned = make_plan(question)
    records = [
        make_record(t, wrong[t.variant.label][t.trial.seed], epochs=_again(t, again))
        for t in planned
        if t.trial.seed < len(wrong.get(t.variant.label, ()))
    ]
    records += [c.record for s in studies for c in s.candidates if c.record and c.outcome != "repeated"]
    return report.analyse(question, planned, records, studies=tuple(studies))


def _again(planned: PlannedTrial, error: float) -> tuple[dict[str, Any], ...]:
    return _epoch(1, 0.4), _epoch(2, error + 0.002 * planned.trial.seed)


def tuned(rates: Mapping[str, Sequence[tuple[float, float]]] | None = None, **changes: Any) -> Report:
    """Three rows, each tuned over the learning rate: (rate, error) per candidate."""
    tune = Tune(space=RATE, trials=3, **changes)
    question = tuned_question(tune)
    rates = rates or {
        "reduction=2": [(0.02, 0.08), (0.1, 0.04), (0.5, 0.05)],
        "reduction=16": [(0.02, 0.09), (0.1, 0.06), (0.5, 0.03)],
        "no_se": [(0.02, 0.07), (0.1, 0.05), (0.5, 0.20)],
    }
    studies = [
        trials_of(row, tune, [{"chosen": {"train.learning_rate": r}, "error": e} for r, e in rates[row.label]])
        for row in question.rows
    ]
    return reported(question, studies, {row.label: (30, 31, 33 + i) for i, row in enumerate(question.rows)})


def drawn(space: Mapping[str, Any], generator: np.random.Generator) -> dict[str, Any]:
    """What a random sampler might choose."""
    chosen: dict[str, Any] = {}
    for path, one in space.items():
        if not applies(one, chosen):
            continue
        if isinstance(one, Choice):
            chosen[path] = str(generator.choice(list(one.labelled)))
        elif isinstance(one, Int):
            chosen[path] = int(generator.integers(one.low, one.high + 1))
        else:
            low, high = (np.log([one.low, one.high])) if one.log else (one.low, one.high)
            x = float(generator.uniform(low, high))
            chosen[path] = float(np.exp(x)) if one.log else x
    return chosen


def shares(study: Trials) -> tuple[dict[str, Any], ...]:
    """Importances of every setting; fANOVA's only of those that all candidates have."""
    space = study.study.space
    lines = []
    for objective in study.objectives:
        for method in ("PED-ANOVA", "fANOVA"):
            paths = [p for p, one in space.items() if method == "PED-ANOVA" or not one.when]
            sizes = np.arange(1, len(paths) + 1, dtype=float)[:: 1 if objective == "error" else -1]
            each = zip(paths, sizes / sizes.sum(), strict=True)
            lines += [{"objective": objective, "method": method, "setting": p, "importance": float(x)} for p, x in each]
    return tuple(lines)


def searched(
    n: int = 24, seeds: int = 3, space: Mapping[str, Any] | None = None, timed_on: str = "", **asked: Any
) -> Report:
    """A search of `n` candidates over `space`, some of which failed, were repeated or over a limit."""
    known = {"objectives": ("error", "params"), "limits": {"params": 18_000}, "confirm": 4, "sampler": "tpe"}
    search = Search(base=recipes.DIGITS, space=space or BLOCK, trials=n, seeds=seeds, margin=0.005, **(known | asked))
    generator = np.random.default_rng(n)
    came: list[dict[str, Any]] = []
    for i in range(n):
        chosen = drawn(search.space, generator)
        rate = chosen.get("train.learning_rate", 0.1)
        error = 0.03 + 0.01 * abs(np.log(rate / 0.2)) ** 2 + abs(generator.normal(0, 0.01))
        came.append({"chosen": chosen, "error": float(error), "batch": i // 8, "latency": 0.001 * (1 + i % 5)})
    came += [{"chosen": came[0]["chosen"], "outcome": "repeated", "error": came[0]["error"]}]
    came += [{"chosen": drawn(search.space, generator), "outcome": outcome} for outcome in ("failed", "over a limit")]
    question = search_question(search)
    study = trials_of(question.rows[0], search, came)
    study = replace(study, importances=shares(study), timed_on=timed_on)
    labels = [row.label for row in selection.question(question, (study,)).rows]
    return reported(
        question, (study,), {label: range(30 + 2 * i, 30 + 2 * i + seeds) for i, label in enumerate(labels)}
    )


def invented(question: Question) -> tuple[Question, tuple[Trials, ...]]:
    """A question with rows that studies chose, and these studies; one without a study as it is."""
    if (study := question.study) is None:
        return question, ()
    generator, found = np.random.default_rng(0), []
    for row in question.rows:
        errors = generator.uniform(0.03, 0.2, min(study.trials, 24))
        trials = trials_of(row, study, [{"chosen": drawn(study.space, generator), "error": float(e)} for e in errors])
        found.append(replace(trials, importances=shares(trials)))
    return selection.question(question, found), tuple(found)
