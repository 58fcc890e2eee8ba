"""The team's MLflow: a real server on a real PostgreSQL, or the database itself; nothing lost, no password told."""

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from senet_lab import tracking
from senet_lab.tracking import Projection
from tests.tracking.narrow import QUESTION
from tests.tracking.servers import CANARY, Postgres, TeamServer, postgres, program, team_server
from tests.typed import typed
from tests.undrawn import COMMAND

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("undrawn"),
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning"),  # mlflow, SQLAlchemy 2.1
]
SECONDS = 300

SWEEP = '''"""Is small enough?"""
from senet_lab import Data, Model, Sweep, Train, Trial

SWEEP = Sweep(
    base=Trial(
        model=Model(depth=4, widths=(8,)),
        data=Data(source="digits", validation=100),
        train=Train(epochs={epochs}, batch_size=32, learning_rate=0.1),
    ),
    grid={{"model.se.reduction": [2, 4]}},
    controls=["no_se"],
    baseline="no_se",
    seeds=2,
    margin=0.01,
)
'''
ROWS = ("no_se", "reduction=2", "reduction=4")
TRIALS = [f"{row} seed={seed}" for row in ROWS for seed in (0, 1)]
LOCAL = ("--executor", "local")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL whose database `empty` has MLflow's tables and nothing in them."""
    with postgres() as running:
        running.create("empty")
        with team_server(running.uri("empty"), tmp_path_factory.mktemp("empty") / "server") as server:
            server.start()
        yield running


@pytest.fixture
def team(database: Postgres, tmp_path: Path) -> Iterator[TeamServer]:
    """A server that has not started yet, on a database of its own."""
    name = f"team{os.urandom(4).hex()}"
    database.create(name, "empty")
    with team_server(database.uri(name), tmp_path / "server") as server:
        yield server


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A working folder with a sweep in it."""
    (tmp_path / "work" / "sweeps").mkdir(parents=True)
    write(tmp_path / "work", epochs=2)
    return tmp_path / "work"


def write(folder: Path, epochs: int) -> None:
    (folder / "sweeps" / "small.py").write_text(SWEEP.format(epochs=epochs))


def start(folder: Path, uri: str, *arguments: str) -> "subprocess.Popen[str]":
    environment = os.environ | {"MLFLOW_TRACKING_URI": uri}
    command = [*COMMAND, "sweep", "small", *arguments]
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def typed_here(folder: Path, uri: str, *arguments: str) -> str:
    """What `sweep` would print, typed in this process, in which its imports are made already."""
    told = typed(folder, "sweep", "small", *arguments, variables={"MLFLOW_TRACKING_URI": uri})
    assert told.code == 0 and told.err == "", told
    return told.out


def sweep(folder: Path, uri: str, *arguments: str) -> str:
    """What the command printed; it must succeed."""
    process = start(folder, uri, *arguments)
    try:
        output, errors = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode == 0 and errors == "", output + errors
    return output


class Seen:
    """What MLflow says of the sweep."""

    def __init__(self, uri: str) -> None:
        from mlflow import MlflowClient

        self.client = MlflowClient(uri)
        found = self.client.get_experiment_by_name("small")
        self.experiment = found.experiment_id if found else None
        everything = self.client.search_runs([self.experiment]) if found else []
        self.runs = {run.info.run_name: run for run in everything}
        assert len(self.runs) == len(everything), "a run twice"

    def curve(self, name: str, metric: str = "validation_error") -> list[int]:
        history = self.client.get_metric_history(self.runs[name].info.run_id, metric)
        return sorted(m.step for m in history)  # PostgreSQL promises no order

    def as_data(self) -> dict[str, Any]:
        return {name: run.to_dictionary() for name, run in self.runs.items()}


def is_complete(uri: str, folder: Path, epochs: int = 2) -> Seen:
    """Everything of the sweep is there, once, and as the run folders have it."""
    seen = Seen(uri)
    assert sorted(seen.runs) == sorted([*ROWS, *TRIALS, "report"])
    assert {run.info.status for run in seen.runs.values()} == {"FINISHED"}
    for name in TRIALS:
        assert seen.curve(name) == list(range(1, epochs + 1))
        assert seen.runs[name].data.tags["mlflow.parentRunId"] == seen.runs[name.partition(" ")[0]].info.run_id
    records = [json.loads(p.read_text()) for p in (folder / "runs").glob("small/*/record.json")]
    errors = {f"{r['variant']} seed={r['trial']['seed']}": r["test"]["error"] for r in records}
    assert {name: seen.runs[name].data.metrics["test_error"] for name in TRIALS} == errors
    assert seen.runs["no_se"].data.tags["verdict"] == "baseline"
    assert all(seen.runs[row].data.tags["verdict"] and seen.runs[row].data.metrics["n_seeds"] == 2 for row in ROWS)
    return seen


def soon(claim: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS
    while not claim():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.1)


def everything_under(folder: Path) -> str:
    return "".join(p.read_bytes().decode(errors="replace") for p in folder.rglob("*") if p.is_file())


def dump(database: Postgres, name: str) -> str:
    """All that a database holds, as text."""
    where = ["-h", "127.0.0.1", "-p", str(database.port), "-U", "lab", "--inserts", name]
    environment = os.environ | {"PGPASSWORD": CANARY}
    return subprocess.run(
        [program("pg_dump"), *where], env=environment, check=True, capture_output=True, text=True
    ).stdout


def test_without_postgresql_these_tests_fail_and_name_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(pytest.fail.Exception, match="apt-get install postgresql"):
        program("initdb")


def test_a_sweep_arrives_whole_and_the_same_again_changes_nothing(team: TeamServer, here: Path) -> None:
    team.start()
    shown = team.uri.replace("http://", f"http://me:{CANARY}@")
    output = sweep(here, shown, "--workers", "2")
    seen = is_complete(team.uri, here)
    report = seen.runs["report"].info.run_id
    names = {path.name for path in (here / "reports" / "small").iterdir()}
    kept = {a.path for a in seen.client.list_artifacts(report, "small")}
    assert kept == {f"small/{name}" for name in names} and names >= {"report.html", "table.md", "error.png"}
    table = seen.client.download_artifacts(report, "small/table.md", str(here))
    assert Path(table).read_bytes() == (here / "reports" / "small" / "table.md").read_bytes()
    assert {p.name for p in here.iterdir()} == {"sweeps", "runs", "reports", Path(table).relative_to(here).parts[0]}, (
        "no MLflow of its own"
    )

    output += typed_here(here, shown)
    assert Seen(team.uri).as_data() == seen.as_data()
    assert CANARY not in output + everything_under(here) + json.dumps(seen.as_data())


@pytest.mark.long
def test_refused_from_the_start_costs_one_sentence_and_the_same_command_brings_everything(
    team: TeamServer, here: Path
) -> None:
    output = typed_here(here, team.uri, *LOCAL)
    sentence = f"MLflow at {team.uri} does not have 6 of 6 trials yet (it does not answer); the run folders have"
    assert " ".join(output.split()).count(sentence) == 1
    assert not (here / "mlflow.db").exists()
    team.start()
    assert "does not have" not in typed_here(here, team.uri, *LOCAL)
    is_complete(team.uri, here)


@pytest.mark.long
def test_a_server_killed_while_trials_run_and_started_again_has_everything(team: TeamServer, here: Path) -> None:
    write(here, epochs=60)
    team.start()
    running = start(here, team.uri, *LOCAL)
    soon(lambda: "RUNNING" in {run.info.status for run in Seen(team.uri).runs.values()})
    team.kill()
    ended = len(list(here.glob("runs/small/*/record.json")))
    soon(lambda: len(list(here.glob("runs/small/*/record.json"))) > ended)
    assert running.poll() is None, "the sweep was over before the server was back"
    team.start()
    output, errors = running.communicate(timeout=SECONDS)
    assert running.returncode == 0 and errors == "", output + errors
    if "does not have" in output:  # the end of the sweep fell into the server's start
        typed_here(here, team.uri, *LOCAL)
    is_complete(team.uri, here, epochs=60)


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg2"])
def test_the_database_itself_can_be_named_and_never_hears_its_password(
    database: Postgres, here: Path, scheme: str
) -> None:
    name = f"direct{os.urandom(4).hex()}"
    database.create(name, "empty")
    uri = database.uri(name, scheme=scheme)
    output = typed_here(here, "", *LOCAL, "--tracking-uri", uri)
    output += typed_here(here, uri, *LOCAL)
    is_complete(uri, here)
    assert {p.name for p in here.iterdir()} == {"sweeps", "runs", "reports", "mlartifacts"}
    assert "senet_lab.kind" in (held := dump(database, name)), "the dump is of what the sweep wrote"
    assert CANARY not in output + everything_under(here) + held


@pytest.mark.parametrize(
    ("database_name", "password", "said"),
    [
        ("empty", f"not-{CANARY}", "it refuses this user or password: put them right in the address"),
        ("nowhere", CANARY, "there is no such database: create it, e.g. with createdb"),
    ],
)
def test_a_database_that_does_not_let_us_in_is_named_with_the_remedy(
    database: Postgres, here: Path, database_name: str, password: str, said: str
) -> None:
    uri = database.uri(database_name, password)
    before = database.refusals()
    output = " ".join(typed_here(here, uri, *LOCAL).split())
    assert f"127.0.0.1:{database.port}/{database_name} does not have 6 of 6 trials yet ({said}" in output
    assert output.count("MLflow at") == 1
    assert 0 < database.refusals() - before < 10, "MLflow itself would try ten times, for 100 s"
    assert CANARY not in output + everything_under(here)
    assert f"cannot be used: {said}" in (found := str(tracking.reachable(uri)))
    assert CANARY not in found


def test_the_password_may_come_from_where_postgresqls_own_programs_take_it(
    database: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = f"postgresql://lab@127.0.0.1:{database.port}/empty"
    monkeypatch.setenv("PGPASSWORD", CANARY)
    assert tracking.reachable(uri) is None
    monkeypatch.setenv("PGPASSWORD", "another")
    assert "refuses this user or password" in str(tracking.reachable(uri))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://lab:{}@127.0.0.1:{}/empty", "None"),
        ("mysql://lab:{}@127.0.0.1:{}/empty", "pip install it"),
        ("postgresql://lab:{}/@127.0.0.1:{}/empty", "not a whole address"),
        ("postgresql://lab:#{}@127.0.0.1:{}/empty", "not a whole address"),
        ("postgresql://lab:@{}@127.0.0.1:{}/empty", "not a whole address"),
        ("postgresql://lab:x@{}@127.0.0.1:{}/empty", "not a whole address"),
        ("postgresql://lab@127.0.0.1:{1}/empty?password=x{0}", "refuses this user or password"),
        ("postgresql://lab@127.0.0.1:{1}/empty?odd={0}", "."),
        ("postgresql+psycopg3://lab:{}@127.0.0.1:{}/empty", "."),
    ],
)
def test_no_way_of_writing_an_address_shows_its_password(database: Postgres, address: str, said: str) -> None:
    uri = address.format(CANARY, database.port)
    assert re.search(said, found := str(tracking.reachable(uri)))
    assert CANARY not in found
    behind = str(Projection(QUESTION, uri).close([], []))
    assert CANARY not in behind and "Traceback" not in behind
