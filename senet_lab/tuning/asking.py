"""Which candidates a study asks for next.

A study lives for a moment: it is made again from what `selection` read, so the
next candidates depend on nothing else: not on the machine, the number of workers, or how often it was interrupted.
"""

import hashlib
import itertools
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import optuna
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from senet_lab import selection
from senet_lab.candidates import Candidate, Trials
from senet_lab.inventory import Inventory
from senet_lab.plan import PlannedTrial
from senet_lab.spec import Search, Study, Trial, apply
from senet_lab.spec.space import AnyDimension, Choice, Chosen, Float, applies, settings
from senet_lab.spec.study import INDEPENDENT

MOST_REPEATS = 200
"""Candidates in a row that are no new ones: then the space is exhausted, or the limits leave next to nothing of it."""
MOST_FAILURES = 3
"""Candidates that may fail for each that the budget has."""
OVER = "senet_lab.over"
"""By how much a candidate is over each limit; at most 0: within."""
Costs = Callable[[PlannedTrial], Mapping[str, float]]

optuna.logging.set_verbosity(optuna.logging.WARNING)


def ask(found: Inventory, trials: Trials, costs: Costs) -> Trials:
    """`trials` with the next batch of candidates, as long as its budget wants some and none is on its way.

    `costs`: of the network of a trial, see `Candidate.costs`.
    """
    if trials.count("not yet") or not trials.left:
        return trials
    failed, study = trials.count("failed"), trials.study
    if failed > MOST_FAILURES * study.trials:
        return replace(trials, exhausted=f"{failed} candidates failed")
    count = trials.left if study.sampler in INDEPENDENT else min(study.batch, trials.left)
    asker = _Asker(trials)
    missed = 0
    while count and missed < MOST_REPEATS:
        chosen = asker.next()
        if chosen is None:
            return replace(trials, exhausted="the grid has no more")
        trials = selection.appended(found, trials, asker.batch, chosen, costs)
        new = trials.candidates[-1].outcome == "not yet"
        count, missed = count - new, 0 if new else missed + 1
    if missed < MOST_REPEATS:
        return trials
    return replace(trials, exhausted=f"of {missed} further candidates none was new and within the limits")


class _Asker:
    """An Optuna study with all candidates so far, ready to be asked for one after another."""

    def __init__(self, trials: Trials) -> None:
        self.trials = trials
        self.batch = 1 + max((c.batch for c in trials.candidates), default=-1)
        self.number = len(trials.candidates)
        if trials.study.sampler == "grid":
            asked = {tuple(sorted(c.chosen.items())) for c in trials.candidates}
            self.grid = iter([one for one in grid(trials.study) if tuple(sorted(one.items())) not in asked])
        else:
            self.study = remade(trials)

    def next(self) -> Chosen | None:
        """What the sampler chooses; None where a grid has no more."""
        if self.trials.study.sampler == "grid":
            return next(self.grid, None)
        return _suggested(self.study, self.trials.study, self._count())

    def _count(self) -> int:
        self.number += 1
        return self.number - 1


def grid(study: Study) -> Iterator[Chosen]:
    """All of a space that is lists and ranges of whole numbers."""
    values = [
        list(one.labelled) if isinstance(one, Choice) else list(range(int(one.low), int(one.high) + 1, one.step))  # type: ignore[union-attr]
        for one in study.space.values()
    ]
    return (dict(zip(study.space, combination, strict=True)) for combination in itertools.product(*values))


def remade(trials: Trials) -> optuna.Study:
    """The study as Optuna has it after all candidates so far, asked for and told in the same order again.

    What each chose is given, not drawn anew: another version of a sampler would draw others. The sampler is asked all
    the same, as some (NSGA-II, CMA-ES) keep what they need in the trials.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # experimental, and which of two samplers draws a conditional setting
        study = optuna.create_study(directions=["minimize"] * len(trials.objectives))
        for _, batch in itertools.groupby(trials.candidates, key=lambda c: c.batch):
            asked = []
            for candidate in batch:
                study.enqueue_trial(dict(candidate.chosen))
                asked.append((candidate, _begun(study, trials.study, candidate.number)))
            for candidate, trial in asked:
                _tell(study, trials, candidate, trial)
    return study


def _suggested(study: optuna.Study, asked: Study, number: int) -> Chosen:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dict(_begun(study, asked, number).params)


def _begun(study: optuna.Study, asked: Study, number: int) -> optuna.Trial:
    """The next trial of `study`, all its settings chosen; every number has a sampler of its own, seeded by it."""
    study.sampler = sampler(asked, number)
    trial = study.ask()
    for key, dimension in asked.space.items():
        if applies(dimension, trial.params):
            _suggest(trial, key, dimension)
    return trial


def _suggest(trial: optuna.Trial, key: str, dimension: AnyDimension) -> None:
    if isinstance(dimension, Choice):
        trial.suggest_categorical(key, list(dimension.labelled))
    elif isinstance(dimension, Float):
        trial.suggest_float(key, dimension.low, dimension.high, log=dimension.log)
    else:
        trial.suggest_int(key, dimension.low, dimension.high, step=dimension.step, log=dimension.log)


def _tell(study: optuna.Study, trials: Trials, candidate: Candidate, trial: optuna.Trial) -> None:
    trial.set_user_attr(OVER, _over(trials.study, candidate))
    if candidate.last is not None and candidate.outcome in ("done", "stopped", "repeated"):
        study.tell(trial, [candidate.value(objective) for objective in trials.objectives])
    elif candidate.outcome == "over a limit":
        study.tell(trial, state=TrialState.PRUNED)
    elif candidate.outcome == "failed":
        study.tell(trial, state=TrialState.FAIL)


def _over(study: Study, candidate: Candidate) -> list[float]:
    limits = study.limits if isinstance(study, Search) else {}
    known = {name: candidate.value(name) for name in limits}
    return [known[name] - most if known[name] == known[name] else 0.0 for name, most in limits.items()]


def sampler(study: Study, number: int) -> BaseSampler:
    """Optuna's sampler that chooses the candidate of that number."""
    seed = int.from_bytes(hashlib.sha256(f"{study.sampler_seed} {number}".encode()).digest()[:4])
    limited = _limited if isinstance(study, Search) and study.limits else None
    if study.sampler == "tpe":
        conditional = any(d.when for d in study.space.values())
        return optuna.samplers.TPESampler(
            seed=seed, multivariate=True, group=conditional, constraints_func=limited, n_startup_trials=study.batch
        )
    if study.sampler == "cmaes":
        return optuna.samplers.CmaEsSampler(seed=seed, n_startup_trials=study.batch, warn_independent_sampling=False)
    if study.sampler == "gp":
        return optuna.samplers.GPSampler(seed=seed, n_startup_trials=study.batch, constraints_func=limited)
    if study.sampler == "nsga2":  # a generation is a batch
        return optuna.samplers.NSGAIISampler(seed=seed, population_size=max(2, study.batch), constraints_func=limited)
    return optuna.samplers.RandomSampler(seed=seed)


def _limited(trial: FrozenTrial) -> Sequence[float]:
    return list(trial.user_attrs.get(OVER, []))


def at_random(trials: Trials, count: int = 16) -> list[Trial]:
    """Some configurations of a study's space, drawn at random: what its candidates cost on average."""
    study = trials.study.model_copy(update={"sampler": "random"})
    draws = optuna.create_study()
    chosen = [_suggested(draws, study, number) for number in range(count)]
    return [apply(trials.row.trial, settings(study.space, one)) for one in chosen]
