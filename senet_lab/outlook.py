"""What a sweep would do, before it does it: trials by state, time with its interval, and what to know first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from senet_lab import inventory as inventories
from senet_lab import selection
from senet_lab.candidates import OUTCOMES, Trials, too_costly
from senet_lab.design import Variant, baselines
from senet_lab.expected import Expected, by_done_trials, by_probe, slots
from senet_lab.inventory import Inventory
from senet_lab.options import to_show
from senet_lab.plan import STATES, PlannedTrial
from senet_lab.records import Cost, TrialRecord
from senet_lab.results import signflip
from senet_lab.spec import Search, Trial
from senet_lab.sweep import cost


@dataclass(frozen=True)
class Outlook:
    """The plan of a sweep with all that people and scripts want to know of it."""

    found: Inventory
    costs: dict[str, Cost]
    """By row."""
    expected: Expected | None
    slots: int
    notes: tuple[tuple[str, str], ...]
    """What it is about (seeds, failed, stale, hidden), and a sentence."""
    command: str
    """That runs what is missing."""
    studies: tuple[Trials, ...] = ()
    """Where something is chosen first: how far that is."""
    due: int = 0
    """Trials that a run would run, the candidates of studies among them."""


def look(found: Inventory, command: str, workers: int | None, probe_seconds: float) -> Outlook:
    """The outlook of `found`; where no trial tells the time, by a probe of `probe_seconds` (0 for none).

    Where something is chosen first, what is left of that counts, too; when it is done, the rows are what was chosen.
    """
    studies = selection.read(found) if found.question.study is not None else ()
    found = selection.settled(found)
    costs = {row.label: cost(row.trial, found.data_dir) for row in found.question.rows}
    due = _due(found, studies)
    whole = any(r.together > 1 for r in found.records)  # on a GPU a group has all of it
    places = slots(workers, 1.0 if whole else None)
    expected = by_done_trials(found, due, places)
    if expected is None and due and probe_seconds:
        expected = by_probe(found, due, places, probe_seconds)
    return Outlook(found, costs, expected, places, tuple(_notes(found, command)), command, studies, len(due))


def _due(found: Inventory, studies: Sequence[Trials]) -> tuple[PlannedTrial, ...]:
    """What a run would run. While studies are open: as many trials as they want, and to measure what they choose.

    What those will be is not known: they are drawn at random from the space, of the networks within the limits.
    """
    asked = found.plan.to_run()
    if all(one.finished for one in studies):
        return asked
    coming: list[Variant] = []
    for one in studies:
        kinds = _likely(found, one)
        if isinstance(one.study, Search):
            more = min(one.study.confirm, one.study.trials) * one.study.seeds
        else:
            more = sum(t.variant.label == one.row.label for t in asked)
        coming += [kinds[i % len(kinds)] for i in range(one.left + more)]
    return (*inventories.candidates(found, coming), *(asked if found.question.search else ()))


def _likely(found: Inventory, one: Trials) -> Sequence[Variant]:
    from senet_lab.tuning.asking import at_random

    def fits(trial: Trial) -> bool:
        of = cost(trial, found.data_dir)
        return not too_costly(one.study, {"params": of.params, "macs": of.macs})

    return [replace(one.row, trial=trial) for trial in at_random(one, fits)] or [one.row]


def _notes(found: Inventory, command: str) -> Iterable[tuple[str, str]]:
    if text := about_seeds(found.question.sweep.seeds, len(baselines(found.question.sweep, found.question.rows))):
        yield "seeds", text
    by_state = {state: [t for t, s in found.plan.trials if s == state] for state in STATES}
    if failed := by_state["failed"]:
        why = f"why: {to_show(found.store.root, failed[0].id)}"
        yield "failed", f"{len(failed)} failed ({why}); to run them again: {command} --rerun failed"
    if stale := by_state["stale"]:
        yield "stale", f"{len(stale)} of code that has changed since; to run them again: {command} --rerun stale"
    if hidden := _hidden(found):
        settings = len({r.trial.model_copy(update={"seed": 0}) for r in hidden})
        yield (
            "hidden",
            f"{len(hidden)} trials of {settings} settings in the store are not asked for: hidden, not deleted",
        )


def _hidden(found: Inventory) -> list[TrialRecord]:
    if selection.is_open(found):
        return []  # what was chosen before may be chosen again
    asked = {t.fingerprint for t in (*found.planned, *selection.everything(found))}
    return [r for r in found.records if r.fingerprint not in asked]


def about_seeds(seeds: int, comparisons: int) -> str:
    """What so few seeds cannot show; empty where they are enough for every test that a report makes."""
    enough = signflip.seeds_needed(comparisons)
    if seeds >= enough:
        return ""
    if seeds == 1:
        return f"1 seed a row gives no interval and no verdict; two at least, or better --seeds {enough}"
    family = f" (with Holm over {comparisons} comparisons)" if comparisons > 1 else ""
    return (
        f"{seeds} seeds a row: verdicts rest on the t test alone, as no permutation test can reach .05 "
        f"below {enough} seeds{family}"
    )


def as_json(outlook: Outlook) -> dict[str, Any]:
    """The outlook as `plan --json` prints it. Keys are only ever added.

    `sweep`, `file`, `question`, `store` (folder of the run folders), `seeds`, `baselines` (row -> row that it is
    compared to), `rows`, `counts` (state -> trials), `to_run` (trials), `slots`, `forecast` (null where nothing
    is to be done or nothing tells the time; else `seconds`, `low_seconds`, `high_seconds` of wall time, 95 %
    interval, `source` "done trials" or "probe", `assumed`: whether a factor of 2 stands for an unknown spread),
    `notes` (`about`, `text`), `command` (that runs what is missing), `studies` (where something is chosen first:
    `row`, `sampler`, `trials`, `left`, `outcomes` (outcome -> candidates), `chosen`). As long as one of these has
    something left, `rows` are as before anything is chosen for them, and `to_run` is what will be run at most.
    A row: `label`, `control`, `settings`, `hidden_widths` (stage -> widths), `params`, `macs`, `counts`,
    `seconds_per_trial` (null without a forecast), `trials` (state -> list of `id`, `seed`, `folder`; a missing
    one has no folder; a stale one has those of its results instead: `id`, `folder` in `results`).
    """
    found, expected = outlook.found, outlook.expected
    told = expected and {
        "seconds": expected.forecast.seconds,
        "low_seconds": expected.forecast.low,
        "high_seconds": expected.forecast.high,
        "source": expected.source,
        "assumed": expected.forecast.assumed,
    }
    return {
        "sweep": found.question.name,
        "file": str(found.question.path),
        "question": found.question.text,
        "store": str(found.store.path),
        "seeds": found.question.sweep.seeds,
        "baselines": baselines(found.question.sweep, found.question.rows),
        "rows": [_row(row, outlook) for row in found.question.rows],
        "counts": {state: found.plan.counts()[state] for state in STATES},
        "to_run": outlook.due,
        "studies": [_study(one) for one in outlook.studies],
        "slots": outlook.slots,
        "forecast": told,
        "notes": [{"about": about, "text": text} for about, text in outlook.notes],
        "command": outlook.command,
    }


def _study(one: Trials) -> dict[str, Any]:
    outcomes = {outcome: one.count(outcome) for outcome in OUTCOMES}
    chosen = [dict(c.chosen) for c in one.best[:1]] if one.finished and len(one.objectives) == 1 else []
    return {
        "row": one.row.label,
        "sampler": one.study.sampler,
        "trials": one.study.trials,
        "left": one.left,
        "outcomes": outcomes,
        "chosen": chosen[0] if chosen else None,
    }


def _row(row: Variant, outlook: Outlook) -> dict[str, Any]:
    found, expected = outlook.found, outlook.expected
    own = [(t, state) for t, state in found.plan.trials if t.variant.label == row.label]
    return {
        "label": row.label,
        "control": row.control,
        "settings": _plain(row.settings),
        "hidden_widths": {str(stage): list(widths) for stage, widths in row.trial.model.hidden_widths.items()},
        "params": outlook.costs[row.label].params,
        "macs": outlook.costs[row.label].macs,
        "counts": {state: found.plan.counts(row.label)[state] for state in STATES},
        "seconds_per_trial": expected and expected.each(row.trial),
        "trials": {state: [_trial(t, state, found) for t, s in own if s == state] for state in STATES},
    }


def _trial(planned: PlannedTrial, state: str, found: Inventory) -> dict[str, Any]:
    at = None if state in ("missing", "stale") else found.store.folder(planned).name
    told: dict[str, Any] = {"id": planned.id, "seed": planned.trial.seed, "folder": at}
    if state == "stale":
        results = [replace(planned, id=r.id) for r in found.records if r.fingerprint == planned.fingerprint]
        told["results"] = [{"id": r.id, "folder": found.store.folder(r).name} for r in results]
    return told


def _plain(value: Any) -> Any:
    """A setting as JSON has it: whole networks and blocks by their keys."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value
