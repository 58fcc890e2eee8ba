"""The difference between the trials a sweep asks for and those that the store holds. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from senet_lab.design import Variant
from senet_lab.identity import code_digest, fingerprint
from senet_lab.spec import Data, Source, Trial
from senet_lab.syntax import digest

State = Literal["done", "missing", "interrupted", "stopped", "failed", "stale"]
STATES: tuple[State, ...] = ("done", "missing", "interrupted", "stopped", "failed", "stale")


@dataclass(frozen=True)
class PlannedTrial:
    """One trial that a sweep asks for."""

    id: str
    """Names the run folder: what was asked and the code that answers it."""
    variant: Variant
    trial: Trial
    fingerprint: str
    code: str
    data: str

    @property
    def name(self) -> str:
        """For people: row and seed, or the number in its study."""
        if self.variant.candidate is not None:  # of a search its row is called so, too
            number = self.variant.candidate
            return f"{self.variant.label} {f'candidate {number}' if self.variant.tuned else '(tried)'}"
        return f"{self.variant.label} seed={self.trial.seed}"


def block(planned: PlannedTrial) -> int:
    """Which block of the design a trial belongs to: its seed, or its number in the studies of all rows.

    Rows are compared within blocks, and have equal budgets by whole ones, so all want the same.
    """
    return planned.trial.seed if planned.variant.candidate is None else planned.variant.candidate


@dataclass(frozen=True)
class StoredTrial:
    """What the store knows of one run folder."""

    id: str
    fingerprint: str
    state: Literal["done", "failed", "stopped", "interrupted"]


@dataclass(frozen=True)
class Plan:
    """Every wanted trial with its state, in the order of rows within seeds."""

    trials: tuple[tuple[PlannedTrial, State], ...]

    def to_run(self, rerun: Iterable[State] = ()) -> tuple[PlannedTrial, ...]:
        """What the next run has to do: the missing, the interrupted, and what `rerun` names."""
        due = {"missing", "interrupted", *rerun}
        return tuple(t for t, state in self.trials if state in due)

    def counts(self, label: str | None = None) -> Counter[State]:
        """State -> number of trials, of one row or of all."""
        return Counter(state for t, state in self.trials if label in (None, t.variant.label))


def wanted(
    rows: Iterable[Variant],
    seeds: int | Sequence[int],
    data_digest: Callable[[Data], str],
    weights_digest: Callable[[str], str] = str,
    own: Source | None = None,
) -> tuple[PlannedTrial, ...]:
    """Rows x seeds; all rows of a seed before the next seed, so that early results are paired.

    `data_digest` and `weights_digest` name the content of a data set and of a file of weights; `own` is the
    sweep file, where it defines operators.
    """
    rows = tuple(rows)
    codes = [code_digest(row.trial, own) for row in rows]
    planned = []
    for seed in range(seeds) if isinstance(seeds, int) else seeds:
        for row, code in zip(rows, codes, strict=True):
            trial = row.trial.model_copy(update={"seed": seed})
            data = data_digest(trial.data)
            weights = weights_digest(trial.model.weights) if trial.model.weights is not None else None
            mark = fingerprint(trial, data, weights)
            planned.append(PlannedTrial(digest([mark, code])[:12], row, trial, mark, code, data))
    return tuple(planned)


def reconcile(trials: Iterable[PlannedTrial], stored: Iterable[StoredTrial]) -> Plan:
    """State of every wanted trial. Stale: there is a result for it, but of other code."""
    by_id: dict[str, StoredTrial] = {}
    answered: set[str] = set()
    for s in stored:
        by_id[s.id] = s
        if s.state == "done":
            answered.add(s.fingerprint)

    def state(t: PlannedTrial) -> State:
        if t.id in by_id:
            return by_id[t.id].state
        return "stale" if t.fingerprint in answered else "missing"

    return Plan(tuple((t, state(t)) for t in trials))
