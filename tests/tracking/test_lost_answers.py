"""Between us and a real server: answers that are lost, runs that were made twice, a door that is closed."""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from senet_lab.tracking import Projection
from tests.tracking.narrow import AGGREGATES, CANARY, ENVIRONMENT, PLANNED, QUESTION, epoch, record
from tests.tracking.servers import TeamServer, team_server

pytestmark = pytest.mark.slow


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The address at which `handler` answers."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def losing(target: str, calls: list[str], lost: dict[str, int]) -> type[BaseHTTPRequestHandler]:
    """Passes everything on to `target`, notes it in `calls`, and swallows the first `lost` answers to a path's end."""

    class Between(BaseHTTPRequestHandler):
        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {"Content-Type": self.headers.get("Content-Type", "application/json")}
            request = urllib.request.Request(target + self.path, body or None, headers, method=self.command)
            try:
                with urllib.request.urlopen(request) as answer:
                    status, text = answer.status, answer.read()
            except urllib.error.HTTPError as error:
                with error:
                    status, text = error.code, error.read()
            name = self.path.partition("?")[0].partition("/mlflow/")[2]
            calls.append(name)
            if lost.get(name, 0) > 0:
                lost[name] -= 1
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_PATCH = pass_on

        def log_message(self, *_: object) -> None:
            pass

    return Between


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TeamServer]:
    folder = tmp_path_factory.mktemp("lost")
    with team_server(f"sqlite:///{folder}/mlflow.db", folder / "server") as running:
        running.start()
        yield running


@pytest.fixture
def uri(server: TeamServer) -> Iterator[str]:
    """The server's address, without the sweep of the test before."""
    yield server.uri
    client = client_of(server.uri)
    if found := client.get_experiment_by_name("narrow"):
        client.rename_experiment(found.experiment_id, f"narrow {found.experiment_id}")


def client_of(uri: str):
    from mlflow import MlflowClient

    return MlflowClient(uri)


def runs(uri: str):
    """By name; a run that is there twice fails the test."""
    client = client_of(uri)
    found = client.search_runs([client.get_experiment_by_name("narrow").experiment_id])
    assert len({run.info.run_name for run in found}) == len(found), "a run twice"
    return {run.info.run_name: run for run in found}


def project(uri: str) -> str | None:
    live = Projection(QUESTION, uri, lambda digest: ENVIRONMENT)
    return live.close(PLANNED, map(record, PLANNED), AGGREGATES)


@pytest.mark.long
@pytest.mark.parametrize("path", ["experiments/create", "runs/create", "runs/log-batch", "runs/update", "runs/search"])
def test_an_answer_that_is_lost_makes_nothing_twice_and_leaves_nothing_out(uri: str, path: str) -> None:
    calls: list[str] = []
    lost = {path: 1}
    with serving(losing(uri, calls, lost)) as between:
        assert project(between) is None
        assert lost[path] == 0, "nothing was lost"
        found = runs(uri)
        assert len(found) == 6 + 3 + 1
        assert {run.info.status for run in found.values()} == {"FINISHED"}
        history = client_of(uri).get_metric_history
        for planned in PLANNED:
            run = found[planned.name]
            assert [m.step for m in history(run.info.run_id, "train_loss")] == [1, 2, 3]
            assert run.data.metrics["test_error"] == 0.05


def test_runs_that_are_there_twice_become_one_with_what_hangs_below(uri: str) -> None:
    """As two commands at once, or a client that repeats what was not answered, may leave them."""
    assert project(uri) is None
    before = runs(uri)
    client = client_of(uri)
    experiment = client.get_experiment_by_name("narrow").experiment_id
    for name in ("reduction=2", "reduction=2 seed=0", "report"):
        run = before[name]
        ours = {k: v for k, v in run.data.tags.items() if k.startswith(("senet_lab.", "mlflow.parent"))}
        ours.pop("senet_lab.ended", None)
        earlier = run.info.start_time - 1000
        again = client.create_run(experiment, start_time=earlier, tags=ours, run_name=name).info.run_id
        if name == "reduction=2":
            client.set_tag(before["reduction=2 seed=1"].info.run_id, "mlflow.parentRunId", run.info.run_id)
            older = again
    theirs = client.create_run(experiment, run_name="somebody else's")
    client.create_run(experiment, run_name="somebody else's, too")
    assert project(uri) is None
    after = runs(uri)
    assert len(after) == len(before) + 2, "runs that are not ours are nobody's doubles"
    assert after["somebody else's"].info.run_id == theirs.info.run_id
    assert after["reduction=2 seed=0"].info.run_id == before["reduction=2 seed=0"].info.run_id, "the one that ended"
    assert after["reduction=2"].info.run_id == older
    assert {after[f"reduction=2 seed={seed}"].data.tags["mlflow.parentRunId"] for seed in (0, 1)} == {older}
    assert after["reduction=2"].data.tags["verdict"] == "undecided"


def test_what_mlflow_has_costs_no_call_a_trial_and_what_it_lacks_three(uri: str) -> None:
    calls: list[str] = []
    with serving(losing(uri, calls, {})) as between:
        assert project(between) is None
        first = len(calls)
        assert [calls.count(f"runs/{name}") for name in ("create", "update")] == [10, 10]
        assert calls.count("runs/log-batch") <= 6 + 2 * 3 + 1
        assert project(between) is None
    assert calls[first:] == ["experiments/get-by-name", "runs/search"]


def test_one_who_is_not_let_in_learns_which_variables_to_set() -> None:
    class Closed(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401)
            self.end_headers()
            self.wfile.write(b"You are not authenticated.")

        def log_message(self, *_: object) -> None:
            pass

    with serving(Closed) as uri:
        said = str(project(uri.replace("//", f"//me:{CANARY}@")))
    assert "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD" in said
    assert CANARY not in said


def test_a_trial_that_misses_its_live_moment_comes_with_its_record(uri: str) -> None:
    with serving(losing(uri, [], {"runs/log-batch": 2})) as between:
        live = Projection(QUESTION, between)
        live.epochs(PLANNED[0], [epoch(1)])
        live.finished(record(PLANNED[0]), PLANNED[0])
        assert live.close(PLANNED, [record(PLANNED[0])]) is None
    run = runs(uri)[PLANNED[0].name]
    assert [m.step for m in client_of(uri).get_metric_history(run.info.run_id, "train_loss")] == [1, 2, 3]
