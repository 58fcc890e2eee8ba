"""What people see while trials run: a live table on a terminal, a line now and then elsewhere."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.text import Text

from senet_lab.inventory import Inventory
from senet_lab.jobs import Step
from senet_lab.plan import PlannedTrial
from senet_lab.records import TrialRecord

REDRAW_SECONDS = 1.0
LINE_SECONDS = 15.0
ENDS = {"failed": "failed", "stopped": "stopped early"}
"""What is told of trials that ended and are not done."""
SHARE = 20
"""Showing takes at most this part of the time: a table of very many trials or rows is drawn less often."""


class Progress:
    """Listens to steps and shows them; a context manager, so that the terminal is put back."""

    def __init__(self, console: Console, inventory: Inventory, due: Iterable[PlannedTrial]) -> None:
        self.console = console
        self.inventory = inventory
        self.due = {t.id for t in due}
        kept = [r for r in inventory.records if r.id not in self.due]
        self.records: dict[str, TrialRecord] = {r.id: r for r in kept}
        self.running: dict[str, str] = {}
        """Trial id -> label of its row."""
        self.ended = 0
        self.training_since: float | None = None
        self.pause = REDRAW_SECONDS if console.is_terminal else LINE_SECONDS
        """Seconds from one showing to the next."""
        self.show_at = time.monotonic() + self.pause
        self.live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None

    def __enter__(self) -> Self:
        n = len(self.due)
        self.console.print(f"{n} trial{'s' * (n != 1)} to run; starting the workers ...")
        if self.live:
            self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self.live:
            self.live.stop()

    def __call__(self, step: Step) -> None:
        """Take in one step and show what it changed, at most once a second."""
        now = time.monotonic()
        self.training_since = self.training_since or now
        if step.note:
            self.console.print(escape(step.note), soft_wrap=True)
        self.running[step.planned.id] = _shown(step.planned).variant.label
        if step.record is not None:
            self.records[step.planned.id] = step.record
            del self.running[step.planned.id]
            self.ended += 1
        if now >= self.show_at and (self.live or self.ended < len(self.due)):  # the last line is said by who began
            self._show()
            self.show_at = now + max(self.pause, SHARE * (time.monotonic() - now))

    def sentence(self) -> str:
        """How far the run is and how long the rest will take at the pace so far."""
        left = len(self.due) - self.ended
        ends: Counter[str] = Counter(r.status for id, r in self.records.items() if id in self.due)
        text = f"{self.ended} of {len(self.due)} trials ended"
        text += "".join(f", {ends[status]} {words}" for status, words in ENDS.items() if ends[status])
        if left and self.ended and self.training_since:
            from senet_lab.results import stats

            pace = (time.monotonic() - self.training_since) / self.ended
            text += f"; about {stats.duration(pace * left)} left"
        return text

    def _show(self) -> None:
        if self.live:
            self.live.update(self._table(), refresh=True)
        else:
            self.console.print(self.sentence())

    def _table(self) -> RenderableType:
        from senet_lab.results import load, stats, tables  # pandas and scipy: not while the workers start

        planned, records = [_shown(t) for t in self.inventory.planned], self.records.values()
        rows = load.rows(planned, records)
        summary = stats.summarise(load.trials(planned, records), rows)
        counts: dict[str, Counter[str]] = {label: Counter() for label in rows["variant"]}
        for trial in planned:
            if record := self.records.get(trial.id):
                counts[trial.variant.label][record.status] += 1
        for label in self.running.values():
            counts[label]["running"] += 1
        return Group(tables.live(rows, counts, summary), Text(self.sentence(), style="dim"))


def _shown(planned: PlannedTrial) -> PlannedTrial:
    """`planned` in the line that it is shown in: the many candidates of a search have one."""
    variant = planned.variant
    if variant.candidate is None or variant.origin is not None:
        return planned
    return replace(planned, variant=replace(variant, label="candidates"))
