"""Run the studies of a question to their ends, batch after batch: what is to be measured then."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from senet_lab import selection
from senet_lab.candidates import BUDGETED
from senet_lab.commands import console
from senet_lab.commands.running import How, places_at_once
from senet_lab.errors import UserError
from senet_lab.inventory import Inventory
from senet_lab.options import to_show
from senet_lab.plan import PlannedTrial
from senet_lab.spec import Search, Study

if TYPE_CHECKING:
    from senet_lab.candidates import Trials

Run = Callable[[Inventory], None]


def choose(found: Inventory, run: Run, ends: Callable[[], bool], how: How) -> Inventory:
    """Run every candidate that the studies of `found` still want; what is chosen, for fresh seeds.

    `ends`: whether nothing more is to begin; then it is `found` as it is, if it is not known yet what is chosen.
    Raises UserError where nothing can be chosen.
    """
    studies, ran = selection.read(found), False
    while True:
        before, studies = studies, _asked(found, studies)
        coming = selection.batch(found, studies)
        if not coming.plan.to_run():
            if studies == before:
                break
            continue  # all that is new has been trained for another study
        told = filter(None, (announcement(found, studies), whole(found, how)))
        console.print(". ".join(told), soft_wrap=True, markup=False)
        ran = True
        try:
            run(coming)
        finally:
            found = found.again()
            studies = selection.read(found)
            _project(found, studies, how.storage)
        if ends() and not all(one.finished for one in studies):
            return found
    if ran or not all(one.importances for one in studies):
        _weigh(found, studies)
        _project(found, studies, how.storage)
    return selection.confirmed(found)


def standing(found: Inventory) -> str:
    """How far studies are that are not finished."""
    studies = selection.read(found)
    done, wanted = sum(s.count(*BUDGETED) for s in studies), sum(s.study.trials for s in studies)
    rows = f" of {len(studies)} rows" if len(studies) > 1 else ""
    return f"{done} of {wanted} candidates{rows} are trained; what is chosen is known when all are, and reported then"


def _asked(found: Inventory, studies: "Sequence[Trials]") -> "tuple[Trials, ...]":
    """`studies` with the candidates that they want next, which the store knows before any of them runs."""
    from senet_lab.tuning import asking

    costs = _costs(found)
    asked = tuple(asking.ask(found, _timed(found, one), costs) for one in studies)
    for before, after in zip(studies, asked, strict=True):
        if after != before:
            found.store.save_study(after.name, selection.kept(after))
    return asked


def _costs(found: Inventory) -> Callable[[PlannedTrial], Mapping[str, float]]:
    from senet_lab.blocks import own

    own.use(found.question.own)
    timed = _is_timed(found.question.study)

    def costs(planned: PlannedTrial) -> Mapping[str, float]:
        from senet_lab.sweep import cost

        of = cost(planned.trial, found.data_dir)
        known: dict[str, float] = {"params": of.params, "macs": of.macs}
        if timed:
            from senet_lab import latency

            known["latency"] = latency.measure(planned.trial, found.data_dir)
        return known

    return costs


def _timed(found: Inventory, one: "Trials") -> "Trials":
    """A study, with the device here if it will time networks; UserError where it began on another one."""
    if one.due or not one.left or not _is_timed(one.study):
        return one
    from senet_lab import latency

    here = latency.device()
    if one.timed_on not in ("", here):
        raise UserError(
            f"{found.question.name}: the latencies of its {len(one.candidates)} candidates so far are of "
            f"{one.timed_on!r}, here it is {here!r}: they are not to be compared. Go on there, or begin anew with "
            f"another --store"
        )
    return replace(one, timed_on=here)


def _is_timed(study: Study | None) -> bool:
    return isinstance(study, Search) and "latency" in (*study.objectives, *study.limits)


def announcement(found: Inventory, studies: "Sequence[Trials]") -> str:
    """Which batch begins, and why earlier candidates are not among those that are done."""
    done, left = sum(s.count(*BUDGETED) for s in studies), sum(s.left for s in studies)
    over, repeated = (sum(s.count(outcome) for s in studies) for outcome in ("over a limit", "repeated"))
    besides = [f"{over} over a limit"] * bool(over) + [_again(repeated)] * bool(repeated)
    rows = f" of {len(studies)} rows" if len(studies) > 1 else ""
    told = f"Candidates{rows}: {done} done, {left} to go, {sum(len(s.due) for s in studies)} of them now"
    return told + (f"; not trained: {', '.join(besides)}" if besides else "") + _failures(found, studies)


def _again(repeated: int) -> str:
    return "1 that was an earlier one again" if repeated == 1 else f"{repeated} that were earlier ones again"


def _failures(found: Inventory, studies: "Sequence[Trials]") -> str:
    failed = [c.planned for s in studies for c in s.candidates if c.outcome == "failed"]
    if not failed:
        return ""
    replaced = "1 failed and is replaced" if len(failed) == 1 else f"{len(failed)} failed and are replaced"
    return f"; {replaced} (why: {to_show(found.store.root, failed[0].id)})"


def whole(found: Inventory, how: How) -> str:
    """How long all takes that is left, what measures the chosen on fresh seeds among it; a batch's time is told later.

    By trials that are done: where there is none yet, what to type. On a cluster nobody knows what it has free.
    """
    if how.address:
        return ""
    from senet_lab import outlook
    from senet_lab.results.keys import to_type
    from senet_lab.results.stats import duration

    places = places_at_once(how, how.gpus_per_trial)
    told = outlook.look(found, "", places, probe_seconds=0).expected
    if told is None:
        return f"How long all takes is told once some are done, or by: {to_type('plan', found)}"
    f = told.forecast
    return (
        f"All that is left, fresh seeds too, will take about {duration(f.seconds)} ({duration(f.low)} to "
        f"{duration(f.high)}: 95 %)"
    )


def _weigh(found: Inventory, studies: "Sequence[Trials]") -> None:
    """Keep which settings matter: whoever reads results needs no Optuna for it."""
    from senet_lab.tuning import importance

    for one in studies:
        known = replace(one, importances=tuple(importance.importances(one)))
        if known != one:
            found.store.save_study(one.name, selection.kept(known))


def _project(found: Inventory, studies: "Sequence[Trials]", storage: str | None) -> None:
    """Bring the Optuna storage up to date; where that cannot be, nothing depends on it.

    `storage`: its address; None: a database in the sweep's folder of the store, where that is a disk.
    """
    from senet_lab.tuning import storage as projection

    url = storage or _beside(found)
    if url is None:
        return
    if wrong := projection.project(studies, found.question.name, url):
        console.print(f"The Optuna storage is not up to date: {wrong}", soft_wrap=True, markup=False)


def _beside(found: Inventory) -> str | None:
    return f"sqlite:///{found.store.path / 'optuna.db'}" if isinstance(found.store.path, Path) else None
