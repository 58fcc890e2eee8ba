"""Candidates as Optuna has them: frozen trials with what their sampler noted."""

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from senet_lab.candidates import Candidate, Outcome, Trials
from senet_lab.spec import Search, Study
from senet_lab.spec.space import AnyDimension, Choice, Float

STATES: dict[Outcome, TrialState] = {
    "failed": TrialState.FAIL, "over a limit": TrialState.PRUNED, "stopped": TrialState.PRUNED,
}  # fmt: skip


def frozen(trials: Trials, candidate: Candidate) -> FrozenTrial:
    """A candidate that came to an end, as Optuna has it."""
    state = STATES.get(candidate.outcome, TrialState.COMPLETE)
    if candidate.last is None and state == TrialState.COMPLETE:  # an earlier one again, that failed or was too costly
        state = TrialState.FAIL
    attributes = {"trial": candidate.planned.id, "outcome": candidate.outcome, **candidate.costs}
    return optuna.trial.create_trial(
        state=state,
        params=dict(candidate.chosen),
        distributions={key: _distribution(trials.study.space[key]) for key in candidate.chosen},
        values=[candidate.value(objective) for objective in trials.objectives]
        if state == TrialState.COMPLETE
        else None,
        user_attrs=attributes,
        system_attrs=dict(candidate.notes),
        constraints=exceeding(trials.study, candidate),
        intermediate_values={e.epoch: e.validation_error for e in candidate.record.epochs} if candidate.record else {},
    )


def _distribution(dimension: AnyDimension) -> BaseDistribution:
    if isinstance(dimension, Choice):
        return CategoricalDistribution(list(dimension.labelled))
    if isinstance(dimension, Float):
        return FloatDistribution(dimension.low, dimension.high, log=dimension.log)
    return IntDistribution(dimension.low, dimension.high, log=dimension.log, step=dimension.step)


def exceeding(study: Study, candidate: Candidate) -> dict[str, float]:
    """By how much a candidate is over each limit; at most 0: within. 0 of what is not known of it."""
    limits = study.limits if isinstance(study, Search) else {}
    over = {str(name): candidate.value(name) - most for name, most in limits.items()}
    return {name: value if value == value else 0.0 for name, value in over.items()}
