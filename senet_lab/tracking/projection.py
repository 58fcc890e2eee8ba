"""Run folders as MLflow runs: a live projection that can be rebuilt at any time.

One writer in a thread of its own. Nobody waits for MLflow before `close`, and nobody sees its exceptions:
what it missed is written from the records at the end, or by the next command.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from senet_lab.catalog import Question
from senet_lab.plan import PlannedTrial
from senet_lab.records import Environment, EpochMetrics, TrialRecord
from senet_lab.tracking.address import default_uri, hush, shown
from senet_lab.tracking.runs import VariantAggregate, asked
from senet_lab.tracking.writer import Writer

FLUSH_SECONDS = 1.0
RETRY_SECONDS = 15.0
REASON_LENGTH = 160
News = tuple[PlannedTrial, tuple[EpochMetrics, ...], TrialRecord | None]


class Projection:
    """One sweep in MLflow. Make it when the sweep starts, `close` it when it ends, whatever happened between."""

    def __init__(
        self, question: Question, environments: Callable[[str], Environment | None], uri: str | None = None
    ) -> None:
        """`environments` finds what a record's environment digest names, e.g. `Store.environment`."""
        hush()
        self._uri = uri or default_uri()
        self._writer = Writer(question, environments, self._uri)
        self._inbox: queue.SimpleQueue[News | None] = queue.SimpleQueue()
        self._due: dict[str, News] = {}
        self._skipped: set[str] = set()
        self._retry_at = 0.0
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)
        self._thread.start()

    def epochs(self, planned: PlannedTrial, metrics: Sequence[EpochMetrics]) -> None:
        """A running trial has these epochs behind it; none: it has begun. Repeated epochs count once."""
        self._inbox.put((planned, tuple(metrics), None))

    def finished(self, record: TrialRecord) -> None:
        """A trial ended, one way or another."""
        self._inbox.put((asked(record), record.epochs, record))

    def close(
        self,
        records: Iterable[TrialRecord],
        aggregates: Iterable[VariantAggregate] = (),
        artifacts: Path | None = None,
    ) -> str | None:
        """Write what is missing of `records`, the rows' aggregates and the report; leave no run RUNNING.

        `records`: all that count in this sweep. `artifacts`: the folder with the report's table and figures.
        Returns one sentence for people if MLflow does not have everything, else None.
        """
        self._inbox.put(None)
        self._thread.join()
        records, steps = tuple(records), list[Callable[[], None]]()
        reasons: list[str] = []
        if not self._attempt(self._writer.connect, reasons):
            return self._behind(len(records), len(records), reasons[0])
        due = [r for r in records if not self._writer.holds(r)]
        missing = len(due)
        for record in due:
            missing -= self._attempt(lambda r=record: self._writer.trial(asked(r), r.epochs, r), reasons)
            if len(reasons) > 2:  # not one odd record: MLflow itself
                break
        rows = tuple(aggregates)
        steps = [lambda a=a: self._writer.aggregate(a) for a in rows]
        if rows or artifacts:
            steps.append(lambda: self._writer.report(rows, artifacts))
        steps += [lambda: self._writer.mark_stale(records), self._writer.end_running]
        for step in steps if len(reasons) <= 2 else []:
            self._attempt(step, reasons)
        return self._behind(missing, len(records), reasons[0]) if reasons else None

    def _behind(self, missing: int, total: int, reason: str) -> str:
        what = f"{missing} of {total} trials" if missing else "some of the verdicts or of the report"
        return (
            f"MLflow at {shown(self._uri)} does not have {what} yet ({reason}); "
            f"the run folders have everything, and the same command again brings MLflow up to date"
        )

    def _work(self) -> None:
        self._attempt(self._writer.connect, [])
        for batch in self._batches():
            for planned, epochs, record in batch:
                _, before, ended = self._due.get(planned.id, (planned, (), None))
                self._due[planned.id] = (planned, (*before, *epochs), record or ended)
            if time.monotonic() >= self._retry_at:
                self._flush()

    def _flush(self) -> None:
        for id_, (planned, epochs, record) in list(self._due.items()):
            if record is None and id_ in self._skipped:  # no epoch after a gap: the record will bring them all
                del self._due[id_]
                continue
            written = self._attempt(lambda p=planned, e=epochs, r=record: self._writer.trial(p, e, r), [])
            del self._due[id_]
            if not written:
                self._skipped.add(id_)
                return

    def _batches(self) -> Iterator[list[News]]:
        """What came in, gathered for a second, until `close`."""
        while True:
            batch, until = [self._inbox.get()], time.monotonic() + FLUSH_SECONDS
            while batch[-1] is not None:
                try:
                    batch.append(self._inbox.get(timeout=max(0.0, until - time.monotonic())))
                except queue.Empty:
                    break
            yield [news for news in batch if news is not None]
            if batch[-1] is None:
                return

    def _attempt(self, step: Callable[[], object], reasons: list[str]) -> bool:
        """Do `step`; whatever goes wrong in MLflow ends here and is kept as a reason."""
        try:
            step()
        except Exception as error:
            self._writer.disconnect()
            self._retry_at = time.monotonic() + RETRY_SECONDS
            text = shown(str(error).strip() or type(error).__name__)
            reasons.append(text.splitlines()[0][:REASON_LENGTH])
            return False
        return True
