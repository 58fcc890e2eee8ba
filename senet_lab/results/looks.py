"""The looks of `--until-decided` at a store: where `replay` says that a sweep stands, and what the next look needs."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from senet_lab import catalog
from senet_lab import inventory as inventories
from senet_lab.design import baselines
from senet_lab.errors import UserError
from senet_lab.inventory import Inventory
from senet_lab.plan import Plan, PlannedTrial, State
from senet_lab.results import keys, load, replay, sequential
from senet_lab.results.paired import MOST_SEEDS
from senet_lab.spec import SELECTION_SEED


@dataclass(frozen=True)
class Looked:
    """The looks at a sweep so far, and what the next one needs."""

    whole: Inventory
    """With the seeds that the next look may need, of all rows."""
    state: replay.State
    tried: frozenset[str] = frozenset()
    """Ids of the trials that a command was to run, whatever came of it."""

    @property
    def used(self) -> Inventory:
        """The trials that the state goes by."""
        return _narrowed(self.whole, self.state.used)

    @property
    def due(self) -> Inventory:
        """These, and those of the next look that were to be run: what a command has to answer for."""
        kept = {t.id for t in self.used.planned} | self.tried
        coming = self.next()
        return replace(coming, plan=Plan(tuple((t, state) for t, state in coming.plan.trials if t.id in kept)))

    def next(self, without: Collection[str] = ()) -> Inventory:
        """These, and the trials that the next look wants; without the ids in `without` that are not done."""
        seeds = {label: max(n, self.state.wanted.get(label, 0)) for label, n in self.state.used.items()}
        return _narrowed(self.whole, seeds, without)

    @property
    def again(self) -> str:
        """What to type to run the next look."""
        return keys.to_type("sweep", self.whole) + " --until-decided"


def look(asked: Inventory, include_stale: bool = False, beyond: int = 0) -> Looked:
    """Replay all looks at what `asked` asks for from what the store holds now.

    `beyond`: seeds that the store may hold by now, besides those that `asked` knows of.
    """
    sweep, rows = asked.question.sweep, asked.question.rows
    design = sequential.Design(baselines(sweep, rows), sweep.margin, sweep.seeds)
    ours = {row.trial for row in rows}
    kept = [r.trial for r in asked.records if r.trial.seed < SELECTION_SEED]
    stored = [trial.seed for trial in kept if trial.model_copy(update={"seed": 0}) in ours]
    first = 1
    while design.seeds(first) <= max([beyond - 1, *stored], default=0):
        first += 1
    question = catalog.with_seeds(asked.question, min(MOST_SEEDS, design.seeds(first + 1)))
    whole = replace(inventories.take(question, asked.store.root, asked.data_dir), before=asked.before)
    failed = {(t.variant.label, t.trial.seed) for t, state in whole.plan.trials if state == "failed"}
    trials = load.trials(whole.planned, whole.records, include_stale=include_stale)
    return Looked(whole, replay.replay(trials, load.rows(whole.planned), design, failed))


def complete(looked: Looked) -> Looked:
    """`looked`. Raises UserError if it has not one complete look."""
    if looked.state.look:
        return looked
    counts = looked.used.plan.counts()
    left = ", ".join(f"{n} {state}" for state, n in counts.items() if state not in ("done", "failed") and n)
    stale = "add --rerun stale to run again what other code gave; " if counts["stale"] else ""
    name, first = looked.whole.question.name, looked.state.design.first
    raise UserError(
        f"{name}: the first look, of {first} seeds, is not complete ({left}); {stale}run it: {looked.again}"
    )


def _narrowed(found: Inventory, seeds: Mapping[str, int], without: Collection[str] = ()) -> Inventory:
    def counts(t: PlannedTrial, state: State) -> bool:
        return t.trial.seed < seeds.get(t.variant.label, 0) and (state == "done" or t.id not in without)

    return replace(found, plan=Plan(tuple((t, state) for t, state in found.plan.trials if counts(t, state))))
