"""What a study has tried so far, and which of it is best. Pure values; `selection` reads them from the store."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from senet_lab.design import Variant
from senet_lab.plan import PlannedTrial
from senet_lab.records import EpochMetrics, TrialRecord
from senet_lab.spec import ASHA, Median, Search, Study, Tune

Outcome = Literal["done", "stopped", "failed", "over a limit", "repeated", "not yet"]
"""What came of a candidate. Over a limit: its network costs too much, so it was not trained. Repeated: it is an
earlier one again, whose result it has. Not yet: missing or interrupted."""
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
MOST_FAILURES = 3
"""Candidates that may fail for each that the budget has."""
BUDGETED: tuple[Outcome, ...] = ("done", "stopped")


@dataclass(frozen=True)
class Candidate:
    """One configuration that a study has asked for."""

    number: int
    batch: int
    """Of those asked for together; later ones knew what came of earlier ones."""
    chosen: Mapping[str, Any]
    """Dotted path -> number, or the option's label."""
    costs: Mapping[str, float]
    """`params`, `macs` and, where it is an objective or has a limit, `latency` (seconds an image)."""
    planned: PlannedTrial
    outcome: Outcome
    record: TrialRecord | None
    notes: Mapping[str, Any] = field(default_factory=dict)
    """What the sampler needs to know of it later: its generation, a state."""

    @property
    def last(self) -> EpochMetrics | None:
        """Its last epoch, whose validation numbers are what is chosen by."""
        return self.record.epochs[-1] if self.record and self.record.epochs else None

    def value(self, objective: str) -> float:
        """Of an objective of `Tune` or `Search`; NaN where it is not known."""
        if objective in self.costs:
            return float(self.costs[objective])
        names = {"error": "validation_error", "validation_error": "validation_error"}
        return float(getattr(self.last, names.get(objective, objective), float("nan")))


@dataclass(frozen=True)
class Trials:
    """A study and its candidates so far."""

    row: Variant
    """What it is of: a row of the sweep, or the base of the search."""
    study: Study
    name: str
    """Of its file in the store: row, and identity of what was asked for."""
    candidates: tuple[Candidate, ...]
    exhausted: str = ""
    """Why the space has no more candidates."""
    importances: tuple[Mapping[str, Any], ...] = ()
    """How much each setting matters, once the study is finished: see `tuning.importance.importances`."""
    timed_on: str = ""
    """Device of the latencies, where it has any: those of another one are not to be compared with them."""

    @property
    def objectives(self) -> tuple[str, ...]:
        """What is to be low."""
        return self.study.objectives if isinstance(self.study, Search) else (_tune(self.study).objective,)

    def count(self, *outcomes: Outcome) -> int:
        """Candidates that came to these outcomes."""
        return sum(c.outcome in outcomes for c in self.candidates)

    @property
    def over(self) -> str:
        """Why no more candidates are asked for, where the budget was not spent."""
        failed = self.count("failed")
        return self.exhausted or (f"{failed} candidates failed" if failed > MOST_FAILURES * self.study.trials else "")

    @property
    def due(self) -> tuple[Candidate, ...]:
        """Candidates to be trained: those that were asked for, as many as the budget still has."""
        missing = max(0, self.study.trials - self.count(*BUDGETED))
        return tuple(c for c in self.candidates if c.outcome == "not yet")[:missing]

    @property
    def left(self) -> int:
        """Candidates that are still to be trained, as far as is known."""
        return len(self.due) if self.over else max(0, self.study.trials - self.count(*BUDGETED))

    @property
    def finished(self) -> bool:
        """Whether it is known what is chosen."""
        return not self.left

    @property
    def eligible(self) -> tuple[Candidate, ...]:
        """What may be chosen: trained to its end and within the limits, the first `trials` of them."""
        budget = [c for c in self.candidates if c.outcome in BUDGETED][: self.study.trials]
        return tuple(c for c in budget if c.outcome == "done" and within(self.study, c))

    @property
    def best(self) -> tuple[Candidate, ...]:
        """Of one objective all that are eligible, the best first; of several the front, by the first objective."""
        ranked = sorted(self.eligible, key=lambda c: (*map(c.value, self.objectives), c.value("validation_loss")))
        if len(self.objectives) == 1:
            return tuple(ranked)
        values = [tuple(map(c.value, self.objectives)) for c in ranked]
        kept = [c for c, mine in zip(ranked, values, strict=True) if not any(_beats(other, mine) for other in values)]
        return tuple({tuple(map(c.value, self.objectives)): c for c in reversed(kept)}.values())[::-1]


def within(study: Study, candidate: Candidate) -> bool:
    """Whether `candidate` is within the limits of a search."""
    limits = study.limits if isinstance(study, Search) else {}
    return all(candidate.value(objective) <= most for objective, most in limits.items())


def stopping(study: Study) -> ASHA | Median | None:
    """What ends candidates of a study early."""
    return study.stopping if isinstance(study, Search) else None


def too_costly(study: Study, costs: Mapping[str, float]) -> bool:
    """Whether a network is over a limit before it is trained."""
    limits = study.limits if isinstance(study, Search) else {}
    return any(costs[name] > most for name, most in limits.items() if name in costs)


def shortlist(trials: Trials) -> tuple[Candidate, ...]:
    """The best of a search, at most `confirm`: of a front, evenly along it, both ends among them."""
    assert isinstance(trials.study, Search)
    best, most = trials.best, trials.study.confirm
    if len(best) <= most or len(trials.objectives) == 1:
        return best[:most]
    places = {round(i * (len(best) - 1) / max(1, most - 1)) for i in range(most)}
    return tuple(best[i] for i in sorted(places))


def _tune(study: Study) -> Tune:
    assert isinstance(study, Tune)
    return study


def _beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether `one` is nowhere higher than `other`, and somewhere lower."""
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))
