"""Which trials end early: Ray Tune's rules, told every epoch, and the record of a trial that they end."""

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ray.tune.schedulers import ASHAScheduler, MedianStoppingRule, TrialScheduler

from senet_lab import store
from senet_lab.jobs import Group, Job, Step, new_record
from senet_lab.records import EpochMetrics
from senet_lab.spec import ASHA, Median


@dataclass(frozen=True)
class Watch:
    """What a run's trials are held against."""

    stopping: ASHA | Median
    past: tuple[Sequence[EpochMetrics], ...] = ()
    """The epochs of earlier trials, which the rule knows as it knows those of the run."""


@dataclass(eq=False)
class _Entrant:
    """A trial as Tune's rules know it, under one name in whatever round it runs."""

    trial_id: str


class Judge:
    """Decides about groups of one job, by their validation error.

    Of the rule's word only "stop" counts, and not after the last epoch: Tune's own would end such a trial before its
    test. Epochs that the rule has not to decide about (of earlier trials, and from before an interruption) it is told.
    """

    def __init__(self, watch: Watch, groups: Sequence[Group]) -> None:
        self.groups = groups
        """Those of the round that runs."""
        self.ended: dict[str, tuple[EpochMetrics, ...]] = {}
        """By id, the epochs of trials that were ended early."""
        self._rule = _rule(watch.stopping, max(job.planned.trial.train.epochs for group in groups for job in group))
        self._entrants: dict[str, _Entrant] = {}
        self._heard: dict[str, dict[int, EpochMetrics]] = {}
        for number, epochs in enumerate(watch.past):
            self._inform(self._entrant(f"past {number}"), epochs)

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Whether the trial goes on after what `result` tells."""
        (job,) = self.groups[trial.config["group"]]
        entrant = self._entrant(job.planned.id)
        heard = self._heard.setdefault(job.planned.id, {})
        told = [m for step in result["steps"] for m in step.epochs]
        new = [m for m in told if m.epoch not in heard]  # a worker that died may have told some
        self._inform(entrant, [m for m in result.get("earlier", ()) if m.epoch not in heard])
        heard |= {m.epoch: m for m in (*result.get("earlier", ()), *told)}
        words = (self._rule.on_trial_result(tune_controller, entrant, _as_result(m)) for m in new)
        if TrialScheduler.STOP not in words or max(heard) >= job.planned.trial.train.epochs:
            return str(TrialScheduler.CONTINUE)
        self.ended[job.planned.id] = tuple(heard[epoch] for epoch in sorted(heard))
        return str(TrialScheduler.STOP)

    def on_trial_complete(self, trial: Any) -> None:
        """The rule has heard every epoch by then; a trial that failed may have none, of which it could make nothing."""
        for job in self.groups[trial.config["group"]]:
            self._heard.pop(job.planned.id, None)

    def _entrant(self, name: str) -> _Entrant:
        if name not in self._entrants:
            self._entrants[name] = _Entrant(name)
            self._rule.on_trial_add(None, self._entrants[name])
        return self._entrants[name]

    def _inform(self, entrant: _Entrant, epochs: Iterable[EpochMetrics]) -> None:
        """Tell the rule of epochs about which it has nothing to decide."""
        # Tune's median rule hears nothing more of a trial that it would have ended, so it is not asked.
        is_median = isinstance(self._rule, MedianStoppingRule)
        tell = self._rule.on_trial_complete if is_median else self._rule.on_trial_result
        for metrics in epochs:
            tell(None, entrant, _as_result(metrics))


def _rule(stopping: ASHA | Median, epochs: int) -> Any:
    """Tune's own; `epochs`: of the longest trial."""
    common = {
        "time_attr": "epoch",
        "metric": "validation_error",
        "mode": "min",
        "grace_period": stopping.grace_epochs,
    }
    if isinstance(stopping, Median):
        # By default a trial is paused where too few others came as far.
        return MedianStoppingRule(min_samples_required=stopping.fewest, min_time_slice=math.inf, **common)
    most = max(epochs, stopping.grace_epochs)
    return ASHAScheduler(max_t=most, reduction_factor=stopping.reduction_factor, **common)


def _as_result(metrics: EpochMetrics) -> dict[str, Any]:
    return {"epoch": metrics.epoch, "validation_error": metrics.validation_error}


def stopped(job: Job, epochs: tuple[EpochMetrics, ...], started_at: float | None) -> Step:
    """The end of a trial that was ended early after `epochs`, with its record, which is then in the store.

    `started_at`: Unix time. The checkpoint stays.
    """
    seconds, now = sum(m.seconds for m in epochs), time.time()
    started_at = started_at or now
    record = new_record(
        job,
        status="stopped",
        epochs=epochs,
        started_at=started_at,
        ended_at=max(started_at, now),  # the clock may have been set meanwhile
        seconds=seconds,
        train_seconds=seconds,
        together=max(m.together for m in epochs),
        device=job.device,
    )
    store.finish(store.Store(job.store, job.sweep).open(job.planned, job.folder), record)
    return Step(job.planned, (), record)
