"""Calls to MLflow, as few as there can be: a run is created, gets a batch, ends."""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from senet_lab.catalog import Question
from senet_lab.design import Variant
from senet_lab.records import Environment, TrialRecord
from senet_lab.tracking import database, runs
from senet_lab.tracking.address import artifact_folder, is_server
from senet_lab.tracking.health import log_in
from senet_lab.tracking.known import find

RUNNING = "RUNNING"


class Writer:
    """MLflow's side of one sweep. Every method may raise whatever MLflow raises."""

    def __init__(self, question: Question, environments: Callable[[str], Environment | None], uri: str) -> None:
        self._question, self._environments, self._uri = question, environments, uri
        self._client: Any = None
        self._experiment = ""
        self._runs: dict[runs.Key, runs.Run] = {}
        self._rows = {runs.variant_key(row) for row in question.rows}

    def asks(self, question: Question) -> None:
        """From now on these are the rows that are asked for."""
        self._question, self._rows = question, {runs.variant_key(row) for row in question.rows}

    def disconnect(self) -> None:
        """After a failure nothing is known for sure: look everything up again."""
        self._client = None

    def connect(self) -> None:
        """Find the experiment and our runs in it, each once."""
        if self._client is not None:
            return
        if not (is_server(self._uri) or self._uri.startswith("sqlite")):
            log_in(self._uri)
        from mlflow import MlflowClient

        database.make(self._uri)
        client = MlflowClient(self._uri)
        self._experiment = self._find_experiment(client)
        self._runs, doubles = find(client, self._experiment)
        self._client = client
        self._drop(doubles)

    def begin(self) -> None:
        """End what a dead process left RUNNING, and show which rows are asked for now."""
        self.end_running()
        self.mark_rows()

    def holds(self, record: TrialRecord) -> bool:
        """Whether MLflow has all of `record`."""
        run = self._runs.get(("trial", record.id))
        if run is None or run.status != runs.STATUS[record.status]:
            return False
        return run.tags.get(runs.ENDED) == runs.ended(record)

    def trial(self, news: runs.News) -> None:
        """Log the epochs that are new and, if the trial ended, how. Three calls for a trial that is new."""
        self.connect()
        planned, record, (start, end) = news.planned, news.record, news.span()
        parent = self._variant(planned.variant, start)
        run = self._open(runs.trial_key(planned), planned.name, runs.trial_tags(planned, parent.id), start)
        if record is None:
            self._go_on(parent)
            self._go_on(run)
        if run.epoch is None:
            self._look_up(run)
        new = [e for e in news.epochs if e.epoch > (run.epoch or 0)]
        at = max(runs.milliseconds(end), run.at)  # no run ends before it began, whatever the clocks say
        points = runs.epoch_points(new, at, run.at)
        if points:
            _, _, run.at, run.epoch = points[-1]
        tags: dict[str, str] = {}
        if record is not None:
            points += [(k, v, at, 0) for k, v in runs.final_metrics(record).items()]
            tags = runs.ended_tags(record, self._environments(record.environment), run.tags)
        self._log(run, points, runs.trial_params(planned), tags)
        if record is not None:
            self._end(run, runs.STATUS[record.status], at)

    def aggregate(self, row: Variant, found: runs.VariantAggregate) -> None:
        """What a row's trials say together; only what changed is written."""
        self.connect()
        now = time.time()
        run = self._variant(row, now)
        if run.name != row.label:
            self._client.update_run(run.id, name=row.label)
            run.name = row.label
        wanted = found.numbers()
        withdrawn = {k: math.nan for k, v in run.metrics.items() if k not in wanted and not math.isnan(v)}
        changed = {k: v for k, v in (wanted | withdrawn).items() if run.metrics.get(k) != v}
        tags = {"verdict": found.verdict, runs.NOTE: found.sentence} | runs.chosen_tags(row)
        tags = {k: v for k, v in tags.items() if run.tags.get(k, "") != v}
        self._log(run, [(k, v, runs.milliseconds(now), 0) for k, v in changed.items()], {}, tags)

    def report(self, aggregates: Iterable[runs.VariantAggregate], artifacts: Path | None) -> None:
        """The sweep's own run: the answer in words, and the files of `artifacts` under that folder's name.

        A sweep that is asked otherwise (other seeds, another recipe) has a report of its own; each keeps its files.
        """
        self.connect()
        run = self._open(runs.REPORT, "report", runs.key_tags(runs.REPORT), time.time())
        note = runs.report_note(self._question, aggregates)
        self._log(run, [], {}, {} if run.tags.get(runs.NOTE) == note else {runs.NOTE: note})
        if artifacts is not None and artifacts.is_dir():
            self._client.log_artifacts(run.id, str(artifacts), artifacts.name)

    def mark(self, trial_id: str, status: str) -> None:
        """Say in words how a trial stands: done, failed, stopped, stale."""
        self.connect()
        run = self._runs.get(("trial", trial_id))
        if run is not None and run.tags.get("status") != status:
            self._log(run, [], {}, {"status": status})

    def mark_rows(self) -> None:
        """Tell the rows that the sweep asks for from those that it asked for once; their verdicts are old."""
        self.connect()
        for key, run in self._runs.items():
            current = self._current(key)
            if key[0] == "variant" and run.tags.get(runs.CURRENT) != current:
                self._log(run, [], {}, {runs.CURRENT: current})

    def end_running(self) -> None:
        """Leave nothing RUNNING: trials were cut off, variants and the report are as good as they get."""
        self.connect()
        for (kind, _), run in self._runs.items():
            if run.status == RUNNING:
                self._end(run, "KILLED" if kind == "trial" else "FINISHED", None)

    def _find_experiment(self, client: Any) -> str:
        found = client.get_experiment_by_name(self._question.name)
        if found is None:
            folder = artifact_folder(self._uri)
            place = (folder / self._question.name).as_uri() if folder else None
            found = client.get_experiment(client.create_experiment(self._question.name, place))
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        for key, value in runs.experiment_tags(self._question, found.experiment_id).items():
            if found.tags.get(key) != value:
                client.set_experiment_tag(found.experiment_id, key, value)
        return str(found.experiment_id)

    def _drop(self, doubles: Mapping[str, runs.Key]) -> None:
        """Put runs that are there twice into MLflow's trash; what hung below them hangs below those that stay."""
        for run in self._runs.values() if doubles else ():
            if key := doubles.get(run.tags.get(runs.PARENT, "")):
                self._log(run, [], {}, {runs.PARENT: self._runs[key].id})
        for run_id in doubles:
            self._client.delete_run(run_id)

    def _variant(self, row: Variant, start: float) -> runs.Run:
        """The run of a row, made where there is none."""
        key = runs.variant_key(row)
        run = self._open(key, row.label, runs.key_tags(key) | {runs.CURRENT: self._current(key)}, start)
        if not run.params >= (params := runs.variant_params(row)).keys():
            self._log(run, [], params, {})
        return run

    def _current(self, key: runs.Key) -> str:
        return "true" if key in self._rows else "false"

    def _open(self, key: runs.Key, name: str, tags: Mapping[str, str], start: float) -> runs.Run:
        if key not in self._runs:
            at = runs.milliseconds(start)
            made = self._client.create_run(self._experiment, start_time=at, tags=dict(tags), run_name=name)
            self._runs[key] = runs.Run(made.info.run_id, RUNNING, name, dict(tags), at)
        return self._runs[key]

    def _go_on(self, run: runs.Run) -> None:
        if run.status != RUNNING:
            self._client.update_run(run.id, status=RUNNING)
            run.status = RUNNING

    def _end(self, run: runs.Run, status: str, at: int | None) -> None:
        self._client.set_terminated(run.id, status=status, end_time=max(at or runs.milliseconds(time.time()), run.at))
        run.status = status

    def _look_up(self, run: runs.Run) -> None:
        """Which epochs an earlier process logged; their points have no other mark."""
        history = self._client.get_metric_history(run.id, "train_loss")
        last = max(history, key=lambda m: m.step, default=None)
        run.epoch, run.at = (last.step, last.timestamp) if last else (0, run.at)

    def _log(self, run: runs.Run, points: list[runs.Point], params: Mapping[str, str], tags: Mapping[str, str]) -> None:
        from mlflow.entities import Metric, Param, RunTag

        self._client.log_batch(
            run.id,
            metrics=[Metric(*point) for point in points],
            params=[Param(k, v) for k, v in params.items() if k not in run.params],
            tags=[RunTag(k, v) for k, v in tags.items()],
        )
        run.tags |= tags
        run.params |= params.keys()
        run.metrics |= {name: value for name, value, _, _ in points}
