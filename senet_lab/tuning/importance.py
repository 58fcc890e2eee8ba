"""Which settings of a space matter, by what came of its candidates."""

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from senet_lab.candidates import Candidate, Trials
from senet_lab.tuning.asking import remade

FEWEST = 20
"""Candidates of which the best tenth is more than one."""


def importances(trials: Trials) -> list[dict[str, Any]]:
    """How much each setting moves each objective, by two methods; no lines where fewer than `FEWEST` are done.

    A candidate that was asked for again counts once: which one a sampler repeats says nothing of what it is like.

    `objective`, `method`, `setting`, `importance` (of one objective and method they sum to 1). PED-ANOVA (Watanabe et
    al., IJCAI 2023) tells what sets the best tenth apart, conditional settings too; fANOVA (Hutter et al., ICML 2014)
    shares out the variance. It knows no conditional settings, so it is of those candidates that have most of them, and
    says nothing of a setting that they all share.
    """
    done = tuple(c for c in trials.candidates if c.outcome == "done")
    if len(done) < FEWEST:
        return []
    fullest = _of_most_settings(done)
    whole, most = (remade(replace(trials, candidates=some)) for some in (done, fullest))
    varying = {key for c in fullest for key, value in c.chosen.items() if value != fullest[0].chosen[key]}
    methods = {
        "PED-ANOVA": (whole, optuna.importance.PedAnovaImportanceEvaluator(), None),
        "fANOVA": (most, optuna.importance.FanovaImportanceEvaluator(seed=0), sorted(varying)),
    }
    lines = []
    for place, objective in enumerate(trials.objectives):
        for method, (study, evaluator, settings) in methods.items():
            for setting, share in _shares(study, evaluator, place, settings).items():
                lines.append({"objective": objective, "method": method, "setting": setting, "importance": share})
    return lines


def _of_most_settings(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Those that have as many settings as any, and the same."""
    sets = Counter(frozenset(c.chosen) for c in candidates)
    largest = max(sets, key=lambda one: (len(one), sets[one]), default=frozenset())
    return tuple(c for c in candidates if frozenset(c.chosen) == largest)


def _shares(study: optuna.Study, evaluator: Any, place: int, settings: list[str] | None) -> dict[str, float]:
    def target(trial: FrozenTrial) -> float:
        return float(trial.values[place])

    if len({target(t) for t in study.trials if t.state == TrialState.COMPLETE}) < 3:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dict(optuna.importance.get_param_importances(study, evaluator=evaluator, params=settings, target=target))
