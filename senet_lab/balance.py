"""Blocks of a design (all rows of a seed), and which are still begun where a run is to end early.

Rows are compared within blocks, so what is left behind should be whole ones.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from senet_lab.jobs import Group, Job, Step
from senet_lab.plan import Plan, PlannedTrial, State, block
from senet_lab.records import TrialRecord

HOUR = 3600.0
FRESH_SECONDS = 1.0
"""So long a forecast is taken as it is: who waits for a slot asks many times a second."""


@dataclass(frozen=True)
class Limit:
    """How long a command may take."""

    max_hours: float | None = None
    """Of wall time from `began` on; None: as long as it needs."""
    began: float = 0.0
    """By `time.monotonic`."""

    def left(self) -> float:
        """Seconds; infinite without a limit."""
        return float("inf") if self.max_hours is None else self.began + HOUR * self.max_hours - time.monotonic()


@dataclass(frozen=True)
class Rest:
    """What is left of a run at a moment."""

    trials: tuple[tuple[PlannedTrial, float], ...]
    """In the order of running, and the share of each that is to be done."""
    ended: tuple[TrialRecord, ...]
    """How the others of this run ended."""
    at_once: int
    """The most groups that have run at the same time."""


Forecast = Callable[[Rest], float | None]
"""Seconds; None where nothing tells them."""


class Course:
    """Which trials of a command's runs are still begun: all; after `stop`, those that make begun blocks whole; with a
    limit, those of blocks that a forecast says are whole before it.

    While nothing tells the time blocks begin all the same; what began like that begins no more trials after the limit.
    """

    def __init__(self, limit: Limit | None = None) -> None:
        self.limit = limit or Limit()
        self.stopped = False
        """Whether `stop` was called: nothing else is to begin in this command."""
        self.late = False
        """Whether the limit kept a block from beginning, or from being whole."""
        self.follow((), lambda rest: None)

    def follow(self, groups: Sequence[Group], forecast: Forecast) -> Callable[[Job], bool]:
        """A run of `groups` begins; what says whether a job of it is still to begin."""
        self._forecast = forecast
        self._jobs = {job.planned.id: job for group in groups for job in group}
        self._group = {job.planned.id: i for i, group in enumerate(groups) for job in group}
        self._last = {block(job.planned): i for i, group in enumerate(groups) for job in group}
        self._begun: set[int] = set()
        self._sure: set[int] = set()
        """Blocks that a forecast has seen end in time."""
        self._refused = len(self._group)
        """Blocks whose last group is this one or later are not begun any more."""
        self._told: dict[int, tuple[float, float | None]] = {}
        self._epochs: Counter[str] = Counter()
        self._running: set[str] = set()
        self._records: dict[str, TrialRecord] = {}
        self._at_once = 0
        self._closed = self.stopped
        return self.wanted

    @property
    def begun(self) -> bool:
        """Whether a trial of this run has begun."""
        return bool(self._begun)

    @property
    def ending(self) -> bool:
        """Whether trials of this run are left out."""
        return self.stopped or self._refused < len(self._group)

    @property
    def over(self) -> bool:
        """Whether no further run is to begin."""
        return self.stopped or self.late

    def stop(self) -> bool:
        """Begin no other block from now on; False, and nothing changes, where no trial has begun or all have ended."""
        if not self._begun or len(self._records) == len(self._jobs):
            return False
        self.stopped = True
        return True

    def hear(self, step: Step) -> None:
        """What a trial of this run did."""
        planned = step.planned
        if step.record is not None:
            self._records[planned.id] = step.record
            self._running.discard(planned.id)
            return
        self._epochs.update({planned.id: len(step.epochs)})
        if planned.id not in self._running and not step.epochs and not step.note:
            self._running.add(planned.id)
            self._at_once = max(self._at_once, len({self._group[one] for one in self._running}))
            if not self._closed:
                self._begun.add(block(planned))

    def wanted(self, job: Job) -> bool:
        """Whether it is still to begin, now or later; once no, always no, but for a block that has begun meanwhile."""
        self._closed = self._closed or self.stopped  # only now: what began before the stop has been heard of
        own = block(job.planned)
        begun = own in self._begun
        if not begun and (self._closed or self._last[own] >= self._refused):
            return False
        if self.limit.max_hours is None or own in self._sure:
            return True
        left, seconds = self.limit.left(), self._until_whole(own)
        if seconds is not None and seconds <= left:
            self._sure.add(own)
            return True
        if left > 0 and (begun or seconds is None):
            return True
        self.late = True
        if not begun:
            self._refused = min(self._refused, self._last[own])
        return False

    def chosen(self) -> set[str]:
        """Ids of the trials of this run that have ended or are still to end, if no other block begins."""
        begun = set(self._begun)
        return {*self._records, *self._running, *(id for id, j in self._jobs.items() if block(j.planned) in begun)}

    def rest(self) -> Rest:
        """What is left then; may be asked from another thread."""
        chosen = self.chosen()
        return self._rest(job for id, job in self._jobs.items() if id in chosen)

    def _until_whole(self, own: int) -> float | None:
        """Seconds until a block and all that runs before it have ended."""
        now = time.monotonic()
        if own not in self._told or now - self._told[own][0] > FRESH_SECONDS:
            last = self._last[own]
            before = (job for id, job in self._jobs.items() if self._group[id] <= last)
            self._told[own] = now, self._forecast(self._rest(before))
        return self._told[own][1]

    def _rest(self, jobs: Iterable[Job]) -> Rest:
        left = [job.planned for job in jobs if job.planned.id not in self._records]
        shares = [max(0.0, 1 - self._epochs[t.id] / t.trial.train.epochs) for t in left]
        return Rest(tuple(zip(left, shares, strict=True)), tuple(self._records.values()), self._at_once)


def whole(plan: Plan) -> tuple[list[int], list[int]]:
    """Blocks of which every row has ended, and blocks of which some have."""
    ended = Counter(block(t) for t, state in plan.trials if state in ("done", "failed"))
    asked = Counter(block(t) for t, _ in plan.trials)
    return [b for b in asked if ended[b] == asked[b]], [b for b in asked if 0 < ended[b] < asked[b]]


def first(plan: Plan, rerun: Iterable[State] = ()) -> Plan:
    """The first block that has something to run."""
    due = [block(t) for t in plan.to_run(rerun)][:1]
    return replace(plan, trials=tuple((t, state) for t, state in plan.trials if block(t) in due))


def listed(blocks: Iterable[int]) -> str:
    """Blocks for people: "3 to 5, 9"."""
    runs = [[b for _, b in run] for _, run in groupby(enumerate(sorted(blocks)), lambda pair: pair[1] - pair[0])]
    return ", ".join(f"{run[0]}" if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)
