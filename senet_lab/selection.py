"""What was tried to choose by, and what is chosen: the studies of a tuned sweep, or the one of a search. Pure reading.

What a study has asked for is kept in the store before it runs (`studies/`), so no later version of a sampler changes
it; what came of it is in the records, as of every trial. Candidates have the seed `SELECTION_SEED` and never see the
test images; what is chosen is measured on fresh seeds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from senet_lab import inventory as inventories
from senet_lab.catalog import Question
from senet_lab.design import Variant
from senet_lab.errors import UserError
from senet_lab.inventory import Inventory
from senet_lab.plan import Plan, PlannedTrial
from senet_lab.records import EpochMetrics, TrialRecord
from senet_lab.spec import Search, Spec, Study, Tune, apply
from senet_lab.spec.space import settings
from senet_lab.syntax import digest

Outcome = Literal["done", "stopped", "failed", "over a limit", "repeated", "not yet"]
"""What came of a candidate. Over a limit: its network costs too much, so it was not trained. Repeated: it is an
earlier one again, whose result it has. Not yet: missing or interrupted."""
BUDGETED: tuple[Outcome, ...] = ("done", "stopped")
BUDGET = ("trials", "confirm", "seeds", "margin", "base", "limits")
"""Fields that do not make it another study: more trials continue it. What the base is, the row says."""


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
    """Why no more candidates are to be had, where the budget was not spent."""
    importances: tuple[Mapping[str, Any], ...] = ()
    """How much each setting matters, once the study is finished: see `tuning.importance.importances`."""

    @property
    def objectives(self) -> tuple[str, ...]:
        """What is to be low."""
        return self.study.objectives if isinstance(self.study, Search) else (_tune(self.study).objective,)

    def count(self, *outcomes: Outcome) -> int:
        """Candidates that came to these outcomes."""
        return sum(c.outcome in outcomes for c in self.candidates)

    @property
    def left(self) -> int:
        """Candidates that the budget still has, those that are not yet done among them."""
        return 0 if self.exhausted else max(0, self.study.trials - self.count(*BUDGETED))

    @property
    def finished(self) -> bool:
        """Whether it is known what is chosen."""
        return not self.left and not self.count("not yet")

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


def read(found: Inventory) -> tuple[Trials, ...]:
    """The studies of a question, against what the store holds: one a row, or one."""
    study = found.question.study
    assert study is not None
    return tuple(_read(found, study, row) for row in _first_of_rows(found))


def _first_of_rows(found: Inventory) -> tuple[PlannedTrial, ...]:
    """Of each row the trial of seed 0: its fingerprint says what is asked."""
    return tuple({t.variant.label: t for t in reversed(found.planned)}.values())[::-1]


def _read(found: Inventory, study: Study, first: PlannedTrial) -> Trials:
    row = first.variant
    fields = {"kind": type(study).__name__, **{k: _plain(v) for k, v in dict(study).items() if k not in BUDGET}}
    name = f"{row.slug[:100]}_{digest([fields, first.fingerprint])[:12]}"
    kept = found.store.study(name) or {}
    empty = Trials(row, study, name, (), kept.get("exhausted", ""), tuple(kept.get("importances", ())))
    return against(found, empty, kept.get("asked", ()))


def against(found: Inventory, trials: Trials, asked: Sequence[Mapping[str, Any]]) -> Trials:
    """`trials` with what it has `asked` for, as its file has it, set against the store."""
    variants = [_variant(trials, number, one["chosen"]) for number, one in enumerate(asked)]
    planned = inventories.candidates(found, variants)
    known = {r.id: r for r in found.records}
    by_fingerprint = {r.fingerprint: r for r in found.records if r.status == "done"}
    seen: set[str] = set()
    candidates = []
    for number, (one, trial) in enumerate(zip(asked, planned, strict=True)):
        # A result of older code is good enough to choose by; what is reported is measured with the code of now.
        record = known.get(trial.id) or by_fingerprint.get(trial.fingerprint)
        candidate = Candidate(number, one["batch"], one["chosen"], one["costs"], trial, "not yet", record)
        outcome = "repeated" if trial.id in seen else _outcome(trials.study, candidate)
        candidates.append(replace(candidate, outcome=outcome))
        seen.add(trial.id)
    return replace(trials, candidates=tuple(candidates))


def kept(trials: Trials) -> dict[str, Any]:
    """The file of a study."""
    asked = [{"batch": c.batch, "chosen": dict(c.chosen), "costs": dict(c.costs)} for c in trials.candidates]
    importances = [dict(line) for line in trials.importances]
    return {"row": trials.row.label, "asked": asked, "exhausted": trials.exhausted, "importances": importances}


def _variant(trials: Trials, number: int, chosen: Mapping[str, Any]) -> Variant:
    row, values = trials.row, settings(trials.study.space, chosen)
    return Variant(
        row.label, {**row.settings, **values}, apply(row.trial, values), row.control, row.asked, values, number
    )


def _outcome(study: Study, candidate: Candidate) -> Outcome:
    if too_costly(study, candidate.costs):
        return "over a limit"
    status = candidate.record.status if candidate.record else None
    return "not yet" if status is None else status


def too_costly(study: Study, costs: Mapping[str, float]) -> bool:
    """Whether a network is over a limit before it is trained."""
    limits = study.limits if isinstance(study, Search) else {}
    return any(costs[name] > most for name, most in limits.items() if name in costs)


def batch(found: Inventory, studies: Sequence[Trials]) -> Inventory:
    """`found` with the candidates of `studies` for a plan: candidate by candidate over all rows, each trial once."""
    known: dict[str, Candidate] = {}
    for one in sorted((c for s in studies for c in s.candidates), key=lambda c: c.number):
        if one.outcome != "over a limit":
            known.setdefault(one.planned.id, one)
    plan = inventories.states(found, [c.planned for c in known.values()])
    # What failed is replaced, and what older code gave is good enough to choose by: neither is run again.
    settled = tuple((t, s if s in ("missing", "interrupted") else "done") for t, s in plan.trials)
    return replace(found, plan=Plan(settled))


def confirmed(found: Inventory) -> Inventory:
    """What is chosen, as the question that measures it on fresh seeds.

    Raises UserError where it is not known yet.
    """
    studies = read(found)
    if open_ := [s for s in studies if not s.finished]:
        tried, wanted = (sum(s.count(*BUDGETED) for s in studies), sum(s.study.trials for s in studies))
        raise UserError(
            f"{found.question.name}: it is not known yet what is chosen, and what chose is not reported: {tried} of "
            f"{wanted} candidates are trained ({open_[0].row.label} wants {open_[0].left} more)"
        )
    return replace(inventories.take(question(found.question, studies), found.store.root, found.data_dir), before=found)


def question(asked: Question, studies: Sequence[Trials]) -> Question:
    """`asked` with what is chosen for rows."""
    if asked.search is not None:
        (only,) = studies
        chosen = [_variant(only, c.number, c.chosen) for c in shortlist(only)]
        rows = [replace(v, label=f"candidate {v.candidate}", origin=None, tuned={}, candidate=None) for v in chosen]
        return replace(asked, rows=(*asked.rows, *(r for r in rows if r.trial != only.row.trial)))
    return replace(asked, rows=tuple(_tuned(s) for s in studies))


def shortlist(trials: Trials) -> tuple[Candidate, ...]:
    """The best of a search, at most `confirm`: of a front, evenly along it, both ends among them."""
    assert isinstance(trials.study, Search)
    best, most = trials.best, trials.study.confirm
    if len(best) <= most or len(trials.objectives) == 1:
        return best[:most]
    places = {round(i * (len(best) - 1) / max(1, most - 1)) for i in range(most)}
    return tuple(best[i] for i in sorted(places))


def _tuned(trials: Trials) -> Variant:
    """A row with what was chosen for it; as it was, where no candidate was trained to its end."""
    if not trials.best:
        raise UserError(
            f"{trials.row.label}: none of its {len(trials.candidates)} candidates was trained to its end "
            f"({trials.exhausted or 'all failed'}); a space with smaller learning rates usually helps"
        )
    winner = trials.best[0]
    row = trials.row
    return replace(
        row, trial=apply(row.trial, winner.planned.variant.tuned), origin=row.asked, tuned=winner.planned.variant.tuned
    )


def _tune(study: Study) -> Tune:
    assert isinstance(study, Tune)
    return study


def _beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether `one` is nowhere higher than `other`, and somewhere lower."""
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def _plain(value: Any) -> Any:
    if isinstance(value, Spec):
        return {"kind": type(value).__name__, **{k: _plain(v) for k, v in dict(value).items()}}
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value
