"""`--until-decided`: look, add seeds to undecided rows, look again; each time all is replayed from the store."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from senet_lab import catalog
from senet_lab import inventory as inventories
from senet_lab.commands import console, to_type
from senet_lab.design import baselines
from senet_lab.errors import UserError
from senet_lab.inventory import Inventory
from senet_lab.plan import Plan, PlannedTrial, State

if TYPE_CHECKING:
    from senet_lab.expected import Expected
    from senet_lab.results.replay import State as Stand

HOUR = 3600.0


@dataclass(frozen=True)
class Until:
    """When a command that adds seeds begins no further look."""

    max_hours: float | None
    """Of wall time from `began` on."""
    began: float
    """By `time.monotonic`."""

    def left(self) -> float:
        """Seconds; infinite without a limit."""
        return float("inf") if self.max_hours is None else self.began + HOUR * self.max_hours - time.monotonic()


def looking(until_decided: bool, max_hours: float | None) -> Until | None:
    """What the two options mean together. Raises UserError for a limit of nothing."""
    if max_hours is not None and not until_decided:
        raise UserError(f"--max-hours {max_hours:g}: that is for --until-decided; add it, or leave --max-hours out")
    return Until(max_hours, time.monotonic()) if until_decided else None


@dataclass(frozen=True)
class Looked:
    """The looks at a sweep so far, and what the next one needs."""

    whole: Inventory
    """With the seeds that the next look may need, of all rows."""
    state: "Stand"

    @property
    def used(self) -> Inventory:
        """The trials that the state goes by."""
        return _narrowed(self.whole, self.state.used)

    def next(self, without: Collection[str] = ()) -> Inventory:
        """These, and the trials that the next look wants; without the ids in `without` that are not done."""
        seeds = {label: max(n, self.state.wanted.get(label, 0)) for label, n in self.state.used.items()}
        return _narrowed(self.whole, seeds, without)


def look(asked: Inventory, include_stale: bool = False, beyond: int = 0) -> Looked:
    """Replay all looks at what `asked` asks for from what the store holds now.

    `beyond`: seeds that the store may hold by now, besides those that `asked` knows of.
    """
    from senet_lab.results import load, replay, sequential
    from senet_lab.results.paired import MOST_SEEDS

    sweep, rows = asked.question.sweep, asked.question.rows
    design = sequential.Design(baselines(sweep, rows), sweep.margin, sweep.seeds)
    ours = {row.trial for row in rows}
    stored = [r.trial.seed for r in asked.records if r.trial.model_copy(update={"seed": 0}) in ours]
    first = 1
    while design.seeds(first) <= max([beyond - 1, *stored], default=0):
        first += 1
    more = catalog.derive(asked.question, {}, seeds=min(MOST_SEEDS, design.seeds(first + 1)))
    question = replace(more, changed=asked.question.changed)
    whole = inventories.take(question, asked.store.root, asked.data_dir)
    failed = {(t.variant.label, t.trial.seed) for t, state in whole.plan.trials if state == "failed"}
    trials = load.trials(whole.planned, whole.records, include_stale=include_stale)
    return Looked(whole, replay.replay(trials, load.rows(whole.planned), design, failed))


def _narrowed(found: Inventory, seeds: Mapping[str, int], without: Collection[str] = ()) -> Inventory:
    def counts(t: PlannedTrial, state: State) -> bool:
        return t.trial.seed < seeds.get(t.variant.label, 0) and (state == "done" or t.id not in without)

    return replace(found, plan=Plan(tuple((t, state) for t, state in found.plan.trials if counts(t, state))))


@dataclass(frozen=True)
class Means:
    """How trials are run."""

    rerun: Collection[State]
    run: Callable[[Inventory], None]
    expect: Callable[[Inventory], "Expected | None"]
    """The time of what is due, where something tells it."""


def until_decided(asked: Inventory, until: Until, means: Means) -> tuple[Looked, str]:
    """Run look after look; the state at the end, and a sentence that says why it is the end.

    Raises UserError if there is not one complete look.
    """
    looked, tried, pace = look(asked), set[str](), 0.0
    while due := (coming := looked.next(tried)).plan.to_run(means.rerun):
        told = means.expect(coming)
        seconds = told.forecast.seconds if told else pace * len(due)
        if seconds > until.left() or until.left() <= 0:
            return looked, _too_long(looked.state, seconds, until)
        console.print(announcement(looked.state), soft_wrap=True, markup=False)
        began = time.monotonic()
        means.run(coming)
        pace = (time.monotonic() - began) / len(due)
        tried |= {t.id for t in due}
        looked = look(asked, beyond=max(looked.state.wanted.values(), default=0))
    return complete(looked), ending(looked.state)


def complete(looked: Looked) -> Looked:
    """`looked`. Raises UserError if it has not one complete look."""
    if looked.state.look:
        return looked
    counts = looked.used.plan.counts()
    left = ", ".join(f"{n} {state}" for state, n in counts.items() if state not in ("done", "failed") and n)
    stale = "add --rerun stale to run again what other code gave; " if counts["stale"] else ""
    name, first = looked.whole.question.name, looked.state.design.first
    raise UserError(
        f"{name}: the first look, of {first} seeds, is not complete ({left}); "
        f"{stale}run it: {to_type('sweep', looked.whole)} --until-decided"
    )


def announcement(state: "Stand") -> str:
    """Which look begins."""
    if not state.wanted:
        return "Trials of complete looks are run again"
    coming, rows = state.look + 1, len(state.design.baselines)
    seeds = f"{state.design.seeds(coming):,} seed{'s' * (state.design.seeds(coming) > 1)}"
    if coming == 1:
        return f"Look 1: {seeds} of every row"
    decided = f"{rows - len(state.undecided)} of {rows} rows are decided"
    return f"Look {coming}: {seeds} of {', '.join(state.wanted)}; {decided}"


def ending(state: "Stand") -> str:
    """What is decided, and what another look would take."""
    looks = f"look {state.look}" if state.look > 1 else "the first look"
    if not state.undecided:
        return f"All {len(state.design.baselines)} rows are decided at {looks}".replace("All 1 rows are", "The row is")
    if not state.wanted:
        return f"Undecided at {looks}: {', '.join(state.undecided)}; the next one would need more than 10,000 seeds"
    return (
        f"Undecided at {looks}: {', '.join(state.undecided)}. The next one has {state.design.seeds(state.look + 1):,} "
        f"seeds of {', '.join(state.wanted)}; `sweep` with --until-decided and the same options runs it"
    )


def _too_long(state: "Stand", seconds: float, until: Until) -> str:
    from senet_lab.results.stats import duration

    if not state.look:
        costs = f"would take about {duration(seconds)}" if seconds else "has not begun by then"
        raise UserError(
            f"--max-hours {until.max_hours:g}: the first look, of {state.design.first} seeds, {costs}; "
            f"allow more, or begin with fewer --seeds"
        )
    left = until.left()
    left_text = f"{duration(left)} of --max-hours {until.max_hours:g} are left" if left > 0 else "--max-hours is over"
    time_text = f" would take about {duration(seconds)}, and" if seconds else ":"
    return (
        f"Undecided at look {state.look}: {', '.join(state.undecided)}. Look {state.look + 1} "
        f"({state.design.seeds(state.look + 1):,} seeds of {', '.join(state.wanted)}){time_text} {left_text}. "
        f"To go on, type the same command again, with more hours if need be"
    )
