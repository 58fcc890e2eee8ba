"""Run folders as MLflow runs: a live projection that can be rebuilt at any time.

One writer in a thread of its own. Nobody waits for MLflow before `close`, and nobody sees its exceptions:
what it missed is written from the records at the end, or by the next command.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path

from senet_lab.catalog import Question
from senet_lab.credentials import without_credentials
from senet_lab.plan import PlannedTrial
from senet_lab.records import Environment, EpochMetrics, TrialRecord
from senet_lab.tracking.address import default_uri, hush
from senet_lab.tracking.health import reachable
from senet_lab.tracking.reasons import reason
from senet_lab.tracking.runs import News, VariantAggregate, asked
from senet_lab.tracking.writer import Writer

FLUSH_SECONDS, LONGEST_SECONDS = 1.0, 10.0
SHARE = 40
"""News are gathered so long that writing takes this part of a core: the trials have the others."""
RETRY_SECONDS = 15.0
GIVE_UP = 3
"""Failures at the end after which it is not one odd record but MLflow itself."""
TRIES = 2
"""An answer lost on the way is no reason to be behind."""

Step = Callable[[], object]


class Projection:
    """One sweep in MLflow. Make it when the sweep starts, `close` it when it ends, whatever happened between."""

    def __init__(
        self,
        question: Question,
        uri: str | None = None,
        environments: Callable[[str], Environment | None] = lambda digest: None,
    ) -> None:
        """`environments` finds what a record's environment digest names: `Store.environment`."""
        hush()
        self._question, self._uri = question, uri or default_uri()
        self._writer = Writer(question, environments, self._uri)
        self._inbox: queue.SimpleQueue[News | None] = queue.SimpleQueue()
        self._due: dict[str, News] = {}
        self._skipped: set[str] = set()
        self._retry_at = 0.0
        self._gather = FLUSH_SECONDS
        self._called, self._imported = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)
        self._thread.start()

    def epochs(self, planned: PlannedTrial, metrics: Sequence[EpochMetrics]) -> None:
        """A running trial has these epochs behind it; none: it has begun. Repeated epochs count once."""
        self._inbox.put(News(planned, tuple(metrics), None, time.time()))
        self._called.set()

    def finished(self, record: TrialRecord, planned: PlannedTrial) -> None:
        """A trial ended, one way or another."""
        self._inbox.put(News(planned, record.epochs, record, time.time()))
        self._called.set()

    def asks(self, question: Question) -> None:
        """From now on it is about this form of the question: the rows that a study has chosen."""
        self._question = question
        self._writer.asks(question)

    def close(
        self,
        planned: Iterable[PlannedTrial],
        records: Iterable[TrialRecord],
        aggregates: Iterable[VariantAggregate] = (),
        artifacts: Path | None = None,
    ) -> str | None:
        """Write what is missing of `records`, the rows' aggregates and the report; leave no run RUNNING.

        `planned`: what the sweep asks for; a record of other code than that is marked stale.
        `artifacts`: the folder with the report's files; its name is theirs in MLflow.
        Returns one sentence for people if MLflow does not have everything, else None.
        """
        self._inbox.put(None)
        self._called.set()
        self._thread.join()
        wanted, records, aggregates = {t.id: t for t in planned}, tuple(records), tuple(aggregates)
        reasons: list[str] = []
        connected = self._attempt(self._writer.connect, reasons)
        missing = {r.id for r in records if not (connected and self._writer.holds(r))}
        steps: list[Step] = [partial(self._catch_up, r, wanted, missing) for r in records]
        rows = {row.label: row for row in self._question.rows}
        steps += [partial(self._writer.aggregate, rows[a.label], a) for a in aggregates]
        if aggregates or artifacts:
            steps.append(partial(self._writer.report, aggregates, artifacts))
        steps += [self._writer.mark_rows, self._writer.end_running]
        for _ in range(TRIES if connected else 1):
            if steps and self._attempt(self._writer.connect, reasons):
                steps = self._undone(steps, reasons)
        if not steps:
            return None
        remedy = reachable(self._uri) if self._uri.startswith("sqlite") else None
        return self._behind(len(missing), len(records), remedy or reasons[-1])

    def _undone(self, steps: Sequence[Step], reasons: list[str]) -> list[Step]:
        """Do `steps`; return those that failed, and all that come after MLflow went away or failed too often."""
        left: list[Step] = []
        for done, step in enumerate(steps):
            if left and (len(left) >= GIVE_UP or not self._attempt(self._writer.connect, reasons)):
                return [*left, *steps[done:]]
            if not self._attempt(step, reasons):
                left.append(step)
        return left

    def _catch_up(self, record: TrialRecord, wanted: Mapping[str, PlannedTrial], missing: set[str]) -> None:
        self._writer.connect()
        if not self._writer.holds(record):
            planned = wanted.get(record.id) or asked(record)
            self._writer.trial(News(planned, record.epochs, record, record.ended_at))
        missing.discard(record.id)
        stale = record.id not in wanted and record.fingerprint in {t.fingerprint for t in wanted.values()}
        self._writer.mark(record.id, "stale" if stale else record.status)

    def _behind(self, missing: int, total: int, reason: str) -> str:
        what = f"{missing} of {total} trials" if missing else "some of the verdicts or of the report"
        return (
            f"MLflow at {without_credentials(self._uri)} does not have {what} yet ({reason}); "
            f"the run folders have everything, and the same command again brings MLflow up to date"
        )

    def settle(self) -> None:
        """Wait until MLflow has been imported: matplotlib, imported meanwhile, looks into what it finds half there."""
        if self._called.is_set():
            self._imported.wait()

    def _work(self) -> None:
        self._called.wait()  # workers that are starting need the processor
        try:
            with contextlib.suppress(Exception):  # told where it is used
                import_module("mlflow.tracking")
        finally:
            self._imported.set()
        self._attempt(self._writer.begin, [])
        for batch in self._batches():
            for news in batch:
                known = self._due.get(news.planned.id, news)
                epochs = {e.epoch: e for e in (*known.epochs, *news.epochs)}
                self._due[news.planned.id] = replace(
                    news, epochs=tuple(epochs.values()), record=news.record or known.record
                )
            if time.monotonic() >= self._retry_at:
                began = time.thread_time()
                self._flush()
                took = time.thread_time() - began
                self._gather = min(LONGEST_SECONDS, max(FLUSH_SECONDS, SHARE * took))

    def _flush(self) -> None:
        for id_, news in list(self._due.items()):
            if news.record is None and id_ in self._skipped:  # no epoch after a gap: the record will bring them all
                del self._due[id_]
                continue
            written = self._attempt(partial(self._writer.trial, news), [])
            del self._due[id_]
            if not written:
                self._skipped.add(id_)
                return

    def _batches(self) -> Iterator[list[News]]:
        """What came in, gathered for a while, until `close`."""
        while True:
            batch, until = [self._inbox.get()], time.monotonic() + self._gather
            while batch[-1] is not None:
                try:
                    batch.append(self._inbox.get(timeout=max(0.0, until - time.monotonic())))
                except queue.Empty:
                    break
            yield [news for news in batch if news is not None]
            if batch[-1] is None:
                return

    def _attempt(self, step: Step, reasons: list[str]) -> bool:
        """Do `step`; whatever goes wrong in MLflow ends here and is kept as a reason."""
        try:
            step()
        except Exception as error:
            self._writer.disconnect()
            self._retry_at = time.monotonic() + RETRY_SECONDS
            reasons.append(reason(error, self._uri))
            return False
        return True
