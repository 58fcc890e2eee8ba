"""Which candidates a study asks for next.

A study lives for a moment: it is made again from what `selection` read, so the
next candidates depend on nothing else: not on the machine, the number of workers, or how often it was interrupted.
"""

import hashlib
import itertools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace

import optuna
from optuna.samplers import BaseSampler

from senet_lab import selection
from senet_lab.candidates import Trials
from senet_lab.inventory import Inventory
from senet_lab.spec import Study, Trial, apply
from senet_lab.spec.space import AnyDimension, Choice, Chosen, Float, applies, settings
from senet_lab.spec.study import INDEPENDENT
from senet_lab.tuning.frozen import frozen

MOST_REPEATS = 200
"""Candidates in a row that are no new ones: then the space is exhausted, or the limits leave next to nothing of it."""

optuna.logging.set_verbosity(optuna.logging.WARNING)


def ask(found: Inventory, trials: Trials, costs: selection.Costs) -> Trials:
    """`trials` with the next batch of candidates, as long as its budget wants some and none is on its way.

    `costs`: of the network of a trial, see `Candidate.costs`.
    """
    study = trials.study
    if trials.due or not trials.left:
        return trials
    count = trials.left if study.sampler in INDEPENDENT else min(study.batch, trials.left)
    asker = _Asker(trials)
    missed = 0
    while count and missed < MOST_REPEATS:
        asked = asker.next()
        if asked is None:
            return replace(trials, exhausted="the grid has no more")
        trials = selection.appended(found, trials, asker.batch, asked, costs)
        asker.tell(trials)
        new = trials.candidates[-1].outcome not in ("repeated", "over a limit")
        count, missed = count - new, 0 if new else missed + 1
    if missed < MOST_REPEATS:
        return trials
    return replace(trials, exhausted=f"of {missed} further candidates none was new and within the limits")


class _Asker:
    """An Optuna study with all candidates so far, ready to be asked for one after another."""

    def __init__(self, trials: Trials) -> None:
        self.asked = trials.study
        self.batch = 1 + max((c.batch for c in trials.candidates), default=-1)
        if trials.study.sampler == "grid":
            tried = {tuple(sorted(c.chosen.items())) for c in trials.candidates}
            self.grid = iter([one for one in grid(trials.study) if tuple(sorted(one.items())) not in tried])
        else:
            self.study = remade(trials)

    def next(self) -> selection.Asked | None:
        """What the sampler chooses, and notes; None where a grid has no more."""
        if self.asked.sampler == "grid":
            chosen = next(self.grid, None)
            return None if chosen is None else (chosen, {})
        self.running = begun(self.study, self.asked)
        return dict(self.running.params), self.study.get_trials(deepcopy=False)[-1].system_attrs

    def tell(self, trials: Trials) -> None:
        """That the newest candidate is over a limit; what comes of others, the next batch knows."""
        newest = trials.candidates[-1]
        if newest.outcome != "over a limit" or self.asked.sampler == "grid":
            return
        end = frozen(trials, newest)
        self.study.sampler = optuna.samplers.RandomSampler()  # which adds nothing of its own when a trial ends
        for name, over in end.constraints.items():
            self.running.set_constraint(name, over)
        self.study.tell(self.running, state=end.state)


def grid(study: Study) -> Iterator[Chosen]:
    """All of a space that is lists and ranges of whole numbers."""
    values = [
        list(one.labelled) if isinstance(one, Choice) else list(range(int(one.low), int(one.high) + 1, one.step))  # type: ignore[union-attr]
        for one in study.space.values()
    ]
    return (dict(zip(study.space, combination, strict=True)) for combination in itertools.product(*values))


def remade(trials: Trials) -> optuna.Study:
    """The study as Optuna has it after all candidates that came to an end.

    What each chose, and what its sampler noted, is as it was: another version of a sampler would draw others.
    """
    study = optuna.create_study(directions=["minimize"] * len(trials.objectives))
    study.add_trials([frozen(trials, c) for c in trials.candidates if c.outcome != "not yet"])
    return study


def begun(study: optuna.Study, asked: Study) -> optuna.Trial:
    """The next trial of `study`, all its settings chosen; every number has a sampler of its own, seeded by it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # experimental, and which of two samplers draws a conditional setting
        study.sampler = sampler(asked, len(study.get_trials(deepcopy=False)))
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


def sampler(study: Study, number: int) -> BaseSampler:
    """Optuna's sampler that chooses the candidate of that number."""
    seed = int.from_bytes(hashlib.sha256(f"{study.sampler_seed} {number}".encode()).digest()[:4])
    if study.sampler == "tpe":
        conditional = any(d.when for d in study.space.values())
        return optuna.samplers.TPESampler(seed=seed, multivariate=True, group=conditional, n_startup_trials=study.batch)
    if study.sampler == "cmaes":
        return optuna.samplers.CmaEsSampler(seed=seed, n_startup_trials=study.batch, warn_independent_sampling=False)
    if study.sampler == "gp":
        return optuna.samplers.GPSampler(seed=seed, n_startup_trials=study.batch)
    if study.sampler == "nsga2":  # a generation is a batch
        return optuna.samplers.NSGAIISampler(seed=seed, population_size=max(2, study.batch))
    return optuna.samplers.RandomSampler(seed=seed)


def at_random(trials: Trials, fits: Callable[[Trial], bool], count: int = 16) -> list[Trial]:
    """Configurations of a study's space, drawn at random: what its candidates cost on average.

    `count` of those that are tried at all (`fits`); fewer where the limits leave next to nothing.
    """
    study = trials.study.model_copy(update={"sampler": "random"})
    draws = optuna.create_study()
    drawn = (dict(begun(draws, study).params) for _ in range(MOST_REPEATS))
    trained = (apply(trials.row.trial, settings(study.space, one)) for one in drawn)
    return list(itertools.islice(filter(fits, trained), count))
