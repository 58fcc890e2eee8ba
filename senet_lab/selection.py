"""What was tried to choose by, and what is chosen: the studies of a tuned sweep, or the one of a search. Pure reading.

What a study has asked for is kept in the store before it runs (`studies/`), so no later version of a sampler changes
it; what came of it is in the records, as of every trial. Candidates have the seed `SELECTION_SEED` and never see the
test images; what is chosen is measured on fresh seeds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from senet_lab import inventory as inventories
from senet_lab.candidates import BUDGETED, Candidate, Outcome, Trials, shortlist, stopping, too_costly
from senet_lab.catalog import Question
from senet_lab.design import Variant
from senet_lab.errors import UserError
from senet_lab.inventory import Inventory
from senet_lab.plan import Plan, PlannedTrial, State
from senet_lab.spec import Search, Study, apply
from senet_lab.spec.space import Chosen, settings
from senet_lab.spec.study import INDEPENDENT
from senet_lab.syntax import digest

BUDGET = {"trials", "confirm", "seeds", "margin", "base", "space"}
"""Fields that do not make it another study: more trials continue it. What the base is, the row says; `space` is taken
apart, with the kind of each of its dimensions."""

Asked = tuple[Chosen, Mapping[str, Any]]
"""What a sampler chose, and its notes."""
Costs = Callable[[PlannedTrial], Mapping[str, float]]


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
    unused = {"batch"} if study.sampler in INDEPENDENT else set()
    fields = study.model_dump(mode="json", exclude_defaults=True, exclude=BUDGET | unused)  # new options change nothing
    for key, one in study.space.items():
        fields[f"space.{key}"] = [type(one).__name__, one.model_dump(mode="json", exclude_defaults=True)]
    name = f"{row.slug[:100]}_{digest([fields, first.fingerprint])[:12]}"
    kept = found.store.study(name) or {}
    known = (kept.get("exhausted", ""), tuple(kept.get("importances", ())), kept.get("timed_on", ""))
    empty = Trials(row, study, name, (), *known)
    return against(found, empty, kept.get("asked", ()))


def against(found: Inventory, trials: Trials, asked: Sequence[Mapping[str, Any]]) -> Trials:
    """`trials` with what it has `asked` for, as its file has it, set against the store."""
    variants = [_variant(trials, number, one["chosen"]) for number, one in enumerate(asked)]
    known = _Known(found)
    for one, planned in zip(asked, inventories.candidates(found, variants), strict=True):
        trials = known.appended(trials, planned, one)
    return trials


def appended(found: Inventory, trials: Trials, batch: int, asked: Asked, costs: Costs) -> Trials:
    """`trials` with one more candidate; `costs`: of the network of a trial, see `Candidate.costs`.

    A network is looked at once: taken anew, its latency would be another one, and two recipes of one network would
    differ in what no recipe changes.
    """
    chosen, notes = asked
    (planned,) = inventories.candidates(found, [_variant(trials, len(trials.candidates), chosen)])
    mine = planned.trial
    alike = (c for c in trials.candidates if (c.planned.trial.model, c.planned.trial.data) == (mine.model, mine.data))
    known = next((c.costs for c in alike), None)
    spent = dict(costs(planned) if known is None else known)
    one = {"batch": batch, "chosen": dict(chosen), "costs": spent, "notes": dict(notes)}
    return _Known(found).appended(trials, planned, one)


class _Known:
    """What the store holds, by what it is looked for."""

    def __init__(self, found: Inventory) -> None:
        self.by_id = {r.id: r for r in found.records}
        self.by_fingerprint = {r.fingerprint: r for r in found.records if r.status == "done"}

    def appended(self, trials: Trials, planned: PlannedTrial, one: Mapping[str, Any]) -> Trials:
        # A result of older code is good enough to choose by; what is reported is measured with the code of now.
        record = self.by_id.get(planned.id) or self.by_fingerprint.get(planned.fingerprint)
        number = len(trials.candidates)
        new = Candidate(number, one["batch"], one["chosen"], one["costs"], planned, "not yet", record, one["notes"])
        again = any(c.planned.id == planned.id for c in trials.candidates)
        outcome = "repeated" if again else _outcome(trials.study, new)
        return replace(trials, candidates=(*trials.candidates, replace(new, outcome=outcome)))


def kept(trials: Trials) -> dict[str, Any]:
    """The file of a study."""
    names = ("batch", "chosen", "costs", "notes")
    asked = [{name: getattr(c, name) for name in names} for c in trials.candidates]
    importances = [dict(line) for line in trials.importances]
    told = {"exhausted": trials.exhausted, "importances": importances, "timed_on": trials.timed_on}
    return {"row": trials.row.label, "asked": asked, **told}


def _variant(trials: Trials, number: int, chosen: Mapping[str, Any]) -> Variant:
    """A candidate: of a row that is tuned, or of a search, where it is a row by itself."""
    row, values = trials.row, settings(trials.study.space, chosen)
    trial = apply(row.trial, values)
    if isinstance(trials.study, Search):
        return Variant(f"candidate {number}", values, trial, candidate=number)
    return Variant(row.label, {**row.settings, **values}, trial, row.control, row.asked, values, number)


def _outcome(study: Study, candidate: Candidate) -> Outcome:
    if too_costly(study, candidate.costs):
        return "over a limit"
    status = candidate.record.status if candidate.record else None
    if status is None or (status == "stopped" and stopping(study) is None):  # it goes on where nothing stops it
        return "not yet"
    return status


def batch(found: Inventory, studies: Sequence[Trials]) -> Inventory:
    """`found` with the candidates of `studies` for a plan: candidate by candidate over all rows, each trial once."""
    known: dict[str, Candidate] = {}
    for one in sorted((c for s in studies for c in s.candidates), key=lambda c: c.number):
        if one.outcome != "over a limit":
            known.setdefault(one.planned.id, one)
    plan = inventories.states(found, [c.planned for c in known.values()])
    # What failed is replaced, and what older code gave is good enough to choose by: neither is run again.
    due = {c.planned.id for s in studies for c in s.due}
    settled: list[tuple[PlannedTrial, State]] = []
    for trial, state in plan.trials:
        if known[trial.id].outcome == "not yet" and trial.id not in due:
            continue  # asked for once, and beyond the budget now
        goes_on: State = "missing" if state == "missing" else "interrupted"
        settled.append((trial, goes_on if trial.id in due else "done"))
    return replace(found, plan=Plan(tuple(settled)))


def confirmed(found: Inventory, remembered: bool = False) -> Inventory:
    """What is chosen, as the question that measures it on fresh seeds; where nothing is to be chosen, `found`.

    `remembered`: the data are not at hand.
    Raises UserError where it is not known yet, and where rows had other budgets than others.
    """
    if not is_open(found):
        return found
    studies = read(found)
    if open_ := [s for s in studies if not s.finished]:
        tried, wanted = (sum(s.count(*BUDGETED) for s in studies), sum(s.study.trials for s in studies))
        more = f"{open_[0].left} more" if found.question.search else f"{open_[0].row.label} wants {open_[0].left} more"
        raise UserError(
            f"{found.question.name}: it is not known yet what is chosen, and what chose is not reported: {tried} of "
            f"{wanted} candidates are trained ({more}). Type `sweep` with the "
            f"same --set, --seeds, --recipe and --store to go on"
        )
    done = {s.row.label: s.count(*BUDGETED) for s in studies}
    if few := [s for s in studies if done[s.row.label] < max(done.values()) and done[s.row.label] < s.study.trials]:
        raise UserError(
            f"{found.question.name}: {few[0].row.label} has {done[few[0].row.label]} candidates that were trained to "
            f"their end, others {max(done.values())} ({few[0].over}): unequal budgets are not compared; give the "
            f"space ends at which fewer fail, e.g. smaller learning rates"
        )
    taken = question(found.question, studies)
    if remembered:
        return replace(inventories.remember(taken, found.store.root), before=found)
    return replace(inventories.take(taken, found.store.root, found.data_dir), before=found)


def settled(found: Inventory) -> Inventory:
    """What is chosen, where that is known and can be; else `found` as it is."""
    if not is_open(found) or not all(one.finished for one in read(found)):
        return found
    try:
        return confirmed(found)
    except UserError:
        return found


def is_open(found: Inventory) -> bool:
    """Whether something is to be chosen that is not known yet, or was not asked for."""
    return found.question.study is not None and found.before is None


def question(asked: Question, studies: Sequence[Trials]) -> Question:
    """`asked` with what is chosen for rows."""
    if asked.search is not None:
        (only,) = studies
        if not only.best:
            raise UserError(f"{asked.name}: {_nothing_within(only)}")
        chosen = [_variant(only, c.number, c.chosen) for c in shortlist(only)]
        rows = [replace(v, candidate=None) for v in chosen]
        return replace(asked, rows=(*asked.rows, *(r for r in rows if r.trial != only.row.trial)))
    return replace(asked, rows=tuple(_tuned(s) for s in studies))


def _nothing_within(trials: Trials) -> str:
    """Why a search has nothing to choose."""
    limits = trials.study.limits if isinstance(trials.study, Search) else {}
    if not limits:
        return f"none of its {len(trials.candidates)} candidates was trained to its end ({trials.over or 'all failed'})"
    told = []
    for name, most in limits.items():
        values = [value for c in trials.candidates if (value := c.value(name)) == value]
        told.append(
            f"{name} at most {most:,g}, the lowest was {min(values):,g}" if values else f"{name} at most {most:,g}"
        )
    return f"no candidate of {len(trials.candidates)} is within all limits ({'; '.join(told)}); raise them"


def _tuned(trials: Trials) -> Variant:
    """A row with what was chosen for it; as it was, where no candidate was trained to its end."""
    if not trials.best:
        raise UserError(
            f"{trials.row.label}: none of its {len(trials.candidates)} candidates was trained to its end "
            f"({trials.over or 'all failed'}); a space with smaller learning rates usually helps"
        )
    winner = trials.best[0]
    row = trials.row
    return replace(
        row, trial=apply(row.trial, winner.planned.variant.tuned), origin=row.asked, tuned=winner.planned.variant.tuned
    )


def everything(found: Inventory) -> tuple[PlannedTrial, ...]:
    """All trials that the question of `found` asks for, candidates among them."""
    before = found.before or found
    if before.question.study is None:
        return found.planned
    chosen = found.planned if found.before else ()
    return (*chosen, *(c.planned for one in read(before) for c in one.candidates if c.outcome != "over a limit"))
