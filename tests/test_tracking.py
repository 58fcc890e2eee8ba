import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
import urllib.request
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from senet_lab import catalog, plan, tracking
from senet_lab.tracking import Projection
from tests.tracking.narrow import AGGREGATES, CANARY, ENVIRONMENT, PLANNED, QUESTION, TRACEBACK, epoch, record


class Server:
    """What a test knows of the MLflow in its folder."""

    def __init__(self, uri: str) -> None:
        self.uri = uri

    @property
    def client(self):
        from mlflow import MlflowClient

        return MlflowClient(self.uri)

    def projection(self) -> Projection:
        return Projection(QUESTION, self.uri, lambda digest: ENVIRONMENT)

    def mirror(self, records, aggregates=(), artifacts=None) -> str | None:
        return self.projection().close(PLANNED, records, aggregates, artifacts)

    def runs(self):
        experiment = self.client.get_experiment_by_name("narrow")
        found = self.client.search_runs([experiment.experiment_id])
        assert len({r.info.run_name for r in found}) == len(found), "a run twice"
        return {r.info.run_name: r for r in found}

    def artifacts(self, folder: str) -> list[str]:
        """Files of the sweep's own run below `folder`."""
        return [a.path for a in self.client.list_artifacts(self.runs()["report"].info.run_id, folder)]

    def steps(self, run) -> list[int]:
        return [m.step for m in self.client.get_metric_history(run.info.run_id, "train_loss")]

    def times(self, run) -> list[int]:
        return [m.timestamp for m in self.client.get_metric_history(run.info.run_id, "train_loss")]

    def table(self, current: str = "true") -> set[tuple[str, str]]:
        """Label and epochs of what the saved view shows."""
        experiment = self.client.get_experiment_by_name("narrow")
        state = json.loads(json.loads(experiment.tags[tracking.view.VIEW_TAG])["state"])
        shown = state["searchFilter"].replace("'true'", f"'{current}'")
        found = self.client.search_runs([experiment.experiment_id], shown)
        return {(r.info.run_name, r.data.params["train.epochs"]) for r in found}


def soon(claim) -> bool:
    """Whether `claim` comes true in time."""
    until = time.monotonic() + 20
    while not (found := claim()) and time.monotonic() < until:
        time.sleep(0.1)
    return found


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory) -> bytes:
    """A migrated database: making one takes MLflow seconds."""
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    assert Projection(replace(QUESTION, name="other"), f"sqlite:///{path}").close([], []) is None
    return path.read_bytes()


@pytest.fixture
def server(tmp_path, monkeypatch, empty_store) -> Server:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "mlflow.db").write_bytes(empty_store)
    return Server(tracking.default_uri())


@pytest.mark.slow
def test_a_sweep_becomes_variants_trials_and_a_report(server, tmp_path):
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "table.md").write_text("| a |")
    live = server.projection()
    for planned in PLANNED:
        live.epochs(planned, [])
        live.epochs(planned, [epoch(1)])
        live.finished(record(planned, "failed" if planned is PLANNED[0] else "done"), planned)
    assert live.close(PLANNED, map(record, PLANNED[1:]), AGGREGATES, tmp_path / "report") is None

    found = server.runs()
    rows = {"reduction=2", "reduction=8", "no_se"}
    assert set(found) == {"report", *rows, *(f"{row} seed={seed}" for row in rows for seed in (0, 1))}
    trial, row = found["reduction=2 seed=1"], found["reduction=2"]
    assert trial.data.tags["mlflow.parentRunId"] == row.info.run_id
    assert server.steps(trial) == [1, 2, 3]
    assert trial.data.metrics["validation_error"] == 0.25 / 3
    assert (trial.data.metrics["test_error"], trial.data.metrics["test_loss"]) == (0.05, 0.2)
    assert trial.data.params["model.se.reduction"] == "2"
    assert trial.data.params["seed"] == "1"
    assert trial.data.tags["mlflow.source.git.commit"] == "c0ffee"
    assert CANARY not in trial.data.tags["mlflow.source.name"]
    assert found["reduction=2 seed=0"].info.status == "FAILED"
    assert row.data.params == {k: v for k, v in trial.data.params.items() if k != "seed"}
    assert row.data.metrics == {"test_error.mean": 0.051235, "n_seeds": 2}
    assert (row.data.tags["verdict"], row.data.tags["mlflow.note.content"]) == ("undecided", "About 9 more seeds.")
    assert server.artifacts("report") == ["report/table.md"]
    (tmp_path / "report").rename(tmp_path / "report+seeds-2")
    assert server.mirror(map(record, PLANNED[1:]), AGGREGATES, tmp_path / "report+seeds-2") is None
    assert server.artifacts("report+seeds-2") == ["report+seeds-2/table.md"]
    assert server.artifacts("report") == ["report/table.md"], "reports of other settings do not replace each other"
    assert list((tmp_path / "mlartifacts").rglob("table.md"))
    assert not (tmp_path / "mlruns").exists()
    assert {r.info.status for r in found.values()} == {"FINISHED", "FAILED"}


@pytest.mark.slow
def test_the_same_again_changes_nothing_and_a_lost_database_is_rebuilt(server, tmp_path, empty_store):
    records = [record(planned) for planned in PLANNED]
    assert server.mirror(records, AGGREGATES) is None
    before = {name: run.to_dictionary() for name, run in server.runs().items()}
    assert server.mirror(records, AGGREGATES) is None
    assert {name: run.to_dictionary() for name, run in server.runs().items()} == before

    (tmp_path / "rebuilt.db").write_bytes(empty_store)
    server.uri = f"sqlite:///{tmp_path}/rebuilt.db"
    assert server.mirror(records, AGGREGATES) is None
    again = server.runs()
    assert set(again) == set(before)
    for name, run in again.items():
        assert run.data.metrics == before[name]["data"]["metrics"]
        assert run.data.params == before[name]["data"]["params"]
    trial = again["no_se seed=0"].info
    assert (trial.start_time, trial.end_time) == (1_700_000_000_000, 1_700_000_002_000)
    assert server.times(again["no_se seed=0"]) == [1_700_000_001_000, 1_700_000_001_500, 1_700_000_002_000]


@pytest.mark.slow
def test_an_interrupted_trial_goes_on_in_its_run_without_doubled_epochs(server):
    planned = PLANNED[0]
    first = server.projection()
    first.epochs(planned, [epoch(1), epoch(2)])
    assert first.close(PLANNED, []) is None
    run = server.runs()[planned.name]
    assert run.info.status == "KILLED"

    second = server.projection()
    second.epochs(planned, [epoch(1), epoch(2), epoch(3)])
    second.finished(record(planned, epochs=4), planned)
    assert second.close(PLANNED, [record(planned, epochs=4)]) is None
    again = server.runs()[planned.name]
    assert (again.info.run_id, again.info.status) == (run.info.run_id, "FINISHED")
    assert server.steps(again) == [1, 2, 3, 4]
    assert server.times(again) == sorted(server.times(again))


@pytest.mark.slow
def test_a_resumed_trial_ends_when_it_ended_and_lasts_as_long_as_it_worked(server):
    resumed = record(PLANNED[0]).model_copy(update={"seconds": 3600.0})
    assert server.mirror([resumed]) is None
    run = server.runs()[PLANNED[0].name]
    assert run.info.end_time == 1_700_000_002_000
    assert run.info.end_time - run.info.start_time == 3_600_000
    assert server.times(run)[-1] == run.info.end_time


@pytest.mark.slow
def test_epochs_heard_of_late_have_the_time_at_which_they_came(server, monkeypatch):
    began = threading.Event()
    begin = tracking.writer.Writer.begin
    monkeypatch.setattr(tracking.writer.Writer, "begin", lambda self: (began.wait(10), begin(self)))
    live = server.projection()
    live.epochs(PLANNED[0], [epoch(1)])
    heard = time.time()
    time.sleep(1)
    began.set()
    assert live.close(PLANNED, []) is None
    run = server.runs()[PLANNED[0].name]
    assert abs(server.times(run)[0] / 1000 - heard) < 0.5
    assert server.times(run)[0] - run.info.start_time == 500


@pytest.mark.slow
def test_a_failed_trial_says_so_and_shows_its_whole_traceback(server):
    live = server.projection()
    live.epochs(PLANNED[0], [epoch(1)])
    live.finished(record(PLANNED[0], "failed", epochs=1), PLANNED[0])
    assert live.close(PLANNED, [record(PLANNED[0], "failed", epochs=1)]) is None
    run = server.runs()[PLANNED[0].name]
    assert (run.info.status, run.data.tags["status"]) == ("FAILED", "failed")
    assert run.data.tags["traceback"] == TRACEBACK
    note = run.data.tags["mlflow.note.content"]
    assert textwrap.dedent(note) == TRACEBACK, "not as code in Markdown"
    assert note.startswith("    Traceback")
    assert server.steps(run) == [1]
    assert "test_error" not in run.data.metrics


@pytest.mark.slow
def test_a_failed_trial_that_is_mended_loses_its_traceback(server):
    assert server.mirror([record(PLANNED[0], "failed")]) is None
    assert server.mirror([record(PLANNED[0])]) is None
    run = server.runs()[PLANNED[0].name]
    assert (run.info.status, run.data.tags["status"], run.data.tags["traceback"]) == ("FINISHED", "done", "")
    assert run.data.tags["mlflow.note.content"] == ""


@pytest.mark.slow
def test_a_trial_that_was_stopped_is_killed_and_says_by_whom_until_it_goes_on(server):
    assert server.mirror([record(PLANNED[0], "stopped", epochs=1)]) is None
    run = server.runs()[PLANNED[0].name]
    assert (run.info.status, run.data.tags["status"]) == ("KILLED", "stopped")
    assert server.steps(run) == [1] and "test_error" not in run.data.metrics
    assert server.mirror([record(PLANNED[0])]) is None
    run = server.runs()[PLANNED[0].name]
    assert (run.info.status, run.data.tags["status"]) == ("FINISHED", "done") and server.steps(run) == [1, 2, 3]


@pytest.mark.slow
def test_a_trial_says_with_how_many_it_was_trained_until_it_is_trained_alone(server):
    tags = []
    for together in (1, 4, 1):  # of a later sitting each, or MLflow holds it already
        found = record(PLANNED[0]).model_copy(update={"together": together, "ended_at": time.time()})
        assert server.mirror([found]) is None
        tags.append(server.runs()[PLANNED[0].name].data.tags.get("senet_lab.together"))
    assert tags == [None, "4", "1"]


@pytest.mark.slow
def test_a_running_sweep_is_seen_running_and_what_a_dead_process_left_is_not(server):
    first = server.projection()
    first.epochs(PLANNED[0], [epoch(1)])
    assert first.close(PLANNED, []) is None
    experiment = server.client.get_experiment_by_name("narrow")
    tags = {"senet_lab.kind": "trial", "senet_lab.trial": PLANNED[1].id}
    server.client.create_run(experiment.experiment_id, tags=tags, run_name="left")

    second = server.projection()
    second.epochs(PLANNED[0], [epoch(2)])
    assert soon(lambda: server.steps(server.runs()[PLANNED[0].name]) == [1, 2])
    seen = {name: run.info.status for name, run in server.runs().items()}
    assert seen == {PLANNED[0].name: "RUNNING", "reduction=2": "RUNNING", "left": "KILLED"}
    assert second.close(PLANNED, []) is None
    assert {run.info.status for run in server.runs().values()} == {"KILLED", "FINISHED"}


@pytest.mark.slow
def test_a_connection_lost_and_found_does_not_end_what_runs(server):
    live = server.projection()
    writer = live._writer
    live.epochs(PLANNED[0], [epoch(1)])
    assert soon(lambda: len(server.client.search_experiments()) > 2 and PLANNED[0].name in server.runs())
    writer.disconnect()
    live.epochs(PLANNED[1], [epoch(1)])
    assert soon(lambda: PLANNED[1].name in server.runs())
    assert {run.info.status for run in server.runs().values()} == {"RUNNING"}
    assert live.close(PLANNED, []) is None


@pytest.mark.slow
def test_rows_that_are_no_longer_asked_for_leave_the_table_and_differ_in_their_params(server):
    records = [record(planned) for planned in PLANNED]
    short = catalog.derive(QUESTION, {"train.epochs": 1})
    asked = plan.wanted(short.rows, 2, lambda data: "data")
    live = Projection(short, server.uri)
    assert live.close(asked, map(record, asked), AGGREGATES) is None
    assert server.mirror(records, AGGREGATES) is None
    assert server.table() == {("no_se", "20"), ("reduction=2", "20"), ("reduction=8", "20")}
    assert server.table("false") == {("no_se", "1"), ("reduction=2", "1"), ("reduction=8", "1")}

    fewer = replace(QUESTION, rows=tuple(row for row in QUESTION.rows if row.label != "reduction=8"))
    assert Projection(fewer, server.uri).close([], records) is None
    assert server.table() == {("no_se", "20"), ("reduction=2", "20")}
    assert server.mirror(records) is None
    assert ("reduction=8", "20") in server.table()


@pytest.mark.slow
def test_what_an_older_version_wrote_of_a_row_is_completed(server):
    assert Projection(QUESTION, server.uri).close([], []) is None
    experiment = server.client.get_experiment_by_name("narrow").experiment_id
    kind, name = tracking.runs.variant_key(QUESTION.rows[0])
    old = server.client.create_run(experiment, tags={"senet_lab.kind": kind, f"senet_lab.{kind}": name})
    server.client.log_param(old.info.run_id, "model.se.reduction", "2")
    assert server.mirror([record(PLANNED[0])], AGGREGATES) is None
    assert server.table() == {("no_se", "20"), ("reduction=2", "20")}


@pytest.mark.slow
def test_results_of_code_that_has_changed_since_are_marked_stale(server):
    old = replace(PLANNED[0], id="0ldc0de", code="older")
    assert server.mirror([record(old)]) is None
    assert server.runs()[old.name].data.tags["status"] == "stale"
    restored = server.projection().close([old], [record(old)])
    assert (restored, server.runs()[old.name].data.tags["status"]) == (None, "done")


@pytest.mark.slow
def test_an_unreachable_server_costs_seconds_and_one_sentence():
    started = time.monotonic()
    away = Projection(QUESTION, f"http://me:{CANARY}@127.0.0.1:9/")
    for planned in PLANNED:
        away.epochs(planned, [epoch(1)])
        away.finished(record(planned), planned)
    assert time.monotonic() - started < 0.5, "the caller waited for MLflow"
    said = away.close(PLANNED, map(record, PLANNED), AGGREGATES)
    assert time.monotonic() - started < 20
    assert said is not None
    assert CANARY not in said
    assert said.startswith("MLflow at http://127.0.0.1:9/ does not have 6 of 6 trials yet (it does not answer)")
    assert "the same command again" in said


def test_the_table_names_its_columns_in_the_experiment_and_in_its_address():
    tags = tracking.runs.experiment_tags(QUESTION, "7")
    state = json.loads(json.loads(tags[tracking.view.VIEW_TAG])["state"])
    assert state["searchFilter"] == "tags.`senet_lab.kind` = 'variant' and tags.`senet_lab.current` = 'true'"
    assert state["selectedColumns"][:3] == [
        "tags.`verdict`",
        "params.`model.se.reduction`",
        "metrics.`test_error.mean`",
    ]
    assert tags["mlflow.experimentKind"] == "custom_model_development"
    assert tracking.table_url("http://127.0.0.1:5000", "7").startswith("http://127.0.0.1:5000/#/experiments/7/runs?")


@pytest.mark.slow
def test_a_database_is_mlflows_of_this_version_or_not_there_yet(server, tmp_path):
    assert tracking.reachable(server.uri) is None
    assert tracking.reachable(f"sqlite:///{tmp_path}/not there yet.db") is None
    assert not (tmp_path / "not there yet.db").exists()
    (tmp_path / "empty.db").touch()
    assert tracking.reachable("sqlite:///empty.db") is None
    (tmp_path / "text.db").write_text("no database at all, but long enough to have a header" * 20)
    assert "text.db cannot be read" in str(tracking.reachable("sqlite:///text.db"))
    with closing(sqlite3.connect("other.db")) as other, other:
        other.execute("CREATE TABLE birds (name TEXT)")
    assert "of something else than MLflow" in str(tracking.reachable("sqlite:///other.db"))
    for revision, said in (("7ac759974ad8", "mlflow db upgrade sqlite:///"), ("f00", "by a newer MLflow")):
        with closing(sqlite3.connect("mlflow.db")) as old, old:
            old.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        assert said in str(tracking.reachable(server.uri))


@pytest.mark.slow
def test_the_pages_are_served_on_this_machine_only_until_ctrl_c(server, tmp_path):
    assert server.mirror([record(PLANNED[0])]) is None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = (
        "import json; from senet_lab import tracking\n"
        f"raise SystemExit(tracking.serve({server.uri!r}, {port}, lambda found: print(json.dumps(found), flush=True)))"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(tracking.__file__).parents[2])}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        addresses = json.loads(process.stdout.readline())
        assert set(addresses) == {"all sweeps", "narrow", "other"}
        with urllib.request.urlopen(addresses["narrow"].partition("#")[0]) as page:
            assert "MLflow" in page.read().decode()
        with socket.socket() as elsewhere:  # a server on all addresses would answer here, too
            assert elsewhere.connect_ex(("127.0.0.2", port)) != 0
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=30)
    assert (process.returncode, rest, errors) == (0, "", "")
    with socket.socket() as closed:
        assert closed.connect_ex(("127.0.0.1", port)) != 0
