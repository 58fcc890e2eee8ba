"""Calls to MLflow, as few as there can be: a run is created, gets its batches, ends."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from senet_lab.catalog import Question
from senet_lab.design import Variant
from senet_lab.plan import PlannedTrial
from senet_lab.records import Environment, EpochMetrics, TrialRecord
from senet_lab.tracking import runs
from senet_lab.tracking.address import artifact_folder
from senet_lab.tracking.ui import VIEW_TAG, saved_view

PAGE = 1000


@dataclass
class Run:
    """What is known of a run in MLflow."""

    id: str
    status: str
    tags: dict[str, str]
    metrics: dict[str, float] = field(default_factory=dict)
    epoch: int | None = 0
    """The last one logged; None: not looked up yet."""
    at: int = 0
    """Milliseconds: when that was, or when the run started."""
    configured: bool = False
    """Its params are there."""


class Writer:
    """MLflow's side of one sweep. Every method may raise whatever MLflow raises."""

    def __init__(
        self, question: Question, environments: Callable[[str], Environment | None], uri: str
    ) -> None:
        self._question, self._environments, self._uri = question, environments, uri
        self._connected: Any = None
        self._experiment = ""
        self._runs: dict[runs.Key, Run] = {}

    @property
    def _client(self) -> Any:
        self.connect()
        return self._connected

    def disconnect(self) -> None:
        """After a failure nothing is known for sure any more: look it all up again."""
        self._connected = None

    def connect(self) -> None:
        """Find the experiment and every run of ours in it; runs that a dead process left RUNNING are ended."""
        if self._connected is not None:
            return
        from mlflow import MlflowClient

        client = MlflowClient(self._uri)
        self._experiment = self._find_experiment(client)
        self._runs, token = {}, None
        while True:
            page = client.search_runs([self._experiment], max_results=PAGE, page_token=token, order_by=["start_time"])
            for run in page:
                tags = dict(run.data.tags)
                known = Run(run.info.run_id, run.info.status, tags, dict(run.data.metrics), None, run.info.start_time)
                self._runs.setdefault(runs.key_of(tags), known)
            token = page.token
            if not token:
                break
        self._runs.pop(("", ""), None)
        self._connected = client
        self.end_running("KILLED")

    def holds(self, record: TrialRecord) -> bool:
        """Whether nothing of `record` is missing."""
        run = self._runs.get(("trial", record.id))
        return run is not None and run.status == runs.STATUS[record.status] and (
            runs.ended(record).items() <= run.tags.items()
        )

    def trial(self, planned: PlannedTrial, epochs: Iterable[EpochMetrics], record: TrialRecord | None) -> None:
        """Log the epochs that are new, and how the trial ended if it did."""
        due = {e.epoch: e for e in epochs}
        lasted = sum(e.seconds for e in due.values())
        end = time.time() if record is None else record.started_at + record.seconds
        start = end - lasted if record is None else record.started_at
        parent = self._variant(planned.variant, start, live=record is None)
        tags = runs.trial_tags(planned, parent.id)
        run = self._open(runs.trial_key(planned), planned.name, tags, start)
        if record is None and run.status != "RUNNING":
            self._client.update_run(run.id, status="RUNNING")
            run.status = "RUNNING"
        if run.epoch is None:
            self._look_up_epochs(run)
        points = self._points(run, [e for n, e in sorted(due.items()) if n > (run.epoch or 0)], end)
        ...
