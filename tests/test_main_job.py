"""The main job as a user types it: real Ray, real MLflow, real signals, in a folder of its own.

Commands whose process is nothing that a test looks at are typed in this one.
"""

import io
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from senet_lab import store
from senet_lab.balance import Rest
from senet_lab.commands import limit
from senet_lab.records import TrialRecord
from senet_lab.results.folder import FILES
from tests.typed import train, typed
from tests.undrawn import COMMAND

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("undrawn")]

SMALL = '''"""Is small enough?"""
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
    seeds={seeds},
    margin=0.01,
)
'''
DIVERGING = 'variants=[{"train.learning_rate": 99.0, "train.weight_decay": 0.9}],\n    margin'
DRAWN = [sys.executable, "-c", "from senet_lab.cli import main; main()"]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "sweeps").mkdir()
    write(tmp_path)
    yield tmp_path


def write(folder: Path, epochs: int = 2, seeds: int = 2) -> None:
    (folder / "sweeps" / "small.py").write_text(SMALL.format(epochs=epochs, seeds=seeds))


def senet_lab(folder: Path, *arguments: str, command: Sequence[str] = COMMAND) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, timeout=180)


def start(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """In a session of its own, so that it can be signalled as a terminal would."""
    return subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not true():
        assert time.monotonic() < until, "it did not come about in two minutes"
        time.sleep(0.05)


def press_twice(running: "subprocess.Popen[str]") -> str:
    """Ctrl-C, and again once the first one is answered; all that was printed."""
    assert running.stdout is not None
    os.killpg(running.pid, signal.SIGINT)
    lines = []
    while "Ctrl-C again" not in (line := running.stdout.readline()):
        assert line, lines
        lines.append(line)
    os.killpg(running.pid, signal.SIGINT)
    output, _ = running.communicate(timeout=60)
    return "".join([*lines, line, output])


def records(folder: Path) -> dict[str, dict[str, Any]]:
    """Of each trial by id, what must not depend on interruptions."""
    found = [json.loads(p.read_text()) for p in (folder / "runs").glob("small/*/record.json")]
    assert len({r["id"] for r in found}) == len(found), "each trial once"
    for record in found:
        record["epochs"] = [{k: v for k, v in e.items() if k != "seconds"} for e in record["epochs"]]
    return {r["id"]: {k: r[k] for k in ("status", "test", "epochs", "params", "macs")} for r in found}


def mlflow_runs(folder: Path) -> list[tuple[str, str]]:
    """Name and status of every run; none while there is no database yet."""
    try:
        with sqlite3.connect(f"file:{folder / 'mlflow.db'}?mode=ro", uri=True) as database:
            return sorted(database.execute("select name, status from runs where lifecycle_stage = 'active'"))
    except sqlite3.OperationalError:
        return []


def test_sweep_report_extend(here: Path) -> None:
    """Table, files and MLflow from one command; again trains nothing; one more seed trains only that."""
    first = senet_lab(here, "sweep", "small", command=DRAWN)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "6 of 6 trials ended" in first.stdout and "baseline" in first.stdout
    assert first.stderr == "", "no chatter of Ray or MLflow"
    written = {p.name for p in (here / "reports" / "small").iterdir()}
    assert written == set(FILES)
    assert "Written to reports/small: report.html, " in first.stdout
    rows = ["no_se", "reduction=2", "reduction=4"]
    trials = [f"{row} seed={seed}" for row in rows for seed in (0, 1)]
    assert [name for name, _ in mlflow_runs(here)] == sorted([*rows, *trials, "report"])
    assert {status for _, status in mlflow_runs(here)} == {"FINISHED"}

    before = {p: p.stat().st_mtime_ns for p in (here / "runs").rglob("record.json")}
    assert "trials that are done" not in first.stdout, "nothing tells the time yet, and a sweep makes no probe"
    again = typed(here, "sweep", "small")
    assert again.code == 0 and "trials to run" not in again.out and "starting" not in again.out
    assert "6 of 6 trials are done; nothing to run" in again.out
    assert {p: p.stat().st_mtime_ns for p in (here / "runs").rglob("record.json")} == before
    assert len(mlflow_runs(here)) == 10

    write(here, seeds=3)
    more = typed(here, "sweep", "small", "--executor", "local")
    assert "3 trials to run" in more.out and more.code == 0
    assert "by 6 trials that are done" in more.out and "on 1 slot" in more.out
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert len(records(here)) == 9

    reported = typed(here, "report", "small")
    assert reported.code == 0 and "reduction=4" in reported.out


@pytest.mark.long
def test_ctrl_c_says_how_to_go_on_and_going_on_changes_nothing(here: Path, tmp_path_factory: Any) -> None:
    write(here, epochs=12)
    running = start(here, "sweep", "small", "--workers", "2")
    wait_until(lambda: len(list((here / "runs").glob("small/*/state.bin"))) == 2)
    output = press_twice(running)
    assert running.returncode == 130, output
    assert "type the same command again" in output and "Traceback" not in output
    assert "of 2 seeds are there in every row" in output
    assert "RUNNING" not in {status for _, status in mlflow_runs(here)}
    assert len(records(here)) < 6 and not (here / "reports").exists()
    rest = typed(here, "sweep", "small", "--executor", "local")
    assert rest.code == 0, rest
    assert {status for _, status in mlflow_runs(here)} == {"FINISHED"}

    undisturbed = tmp_path_factory.mktemp("undisturbed")
    train(here / "sweeps" / "small.py", undisturbed / "runs")
    assert records(here) == records(undisturbed) and len(records(here)) == 6


@pytest.mark.parametrize(
    "executor",
    [pytest.param("local", marks=pytest.mark.long), "processes", pytest.param("ray", marks=pytest.mark.long)],
)
def test_the_first_ctrl_c_leaves_whole_seeds_and_reports_them(here: Path, executor: str) -> None:
    write(here, epochs=12, seeds=6)
    arguments = ("sweep", "small", "--workers", "2", "--executor", executor)
    running = start(here, *arguments)
    wait_until(lambda: any((here / "runs").glob("small/*/state.bin")))
    os.killpg(running.pid, signal.SIGINT)
    output, _ = running.communicate(timeout=120)
    assert running.returncode == 130, output
    assert re.search(r"Stopping: \d trials more, so that all rows have the same seeds", output), output
    ended = Counter(path.parent.name.rpartition("_seed-")[2][0] for path in (here / "runs").glob("small/*/record.json"))
    whole = len(ended)
    assert whole in (1, 2) and ended == {str(seed): 3 for seed in range(whole)}, (
        "whole seeds, and only those that began"
    )
    assert len(list((here / "runs").glob("small/*/trial.json"))) == 3 * whole, "nothing else has begun"
    assert "baseline" in output and "Written to reports/small" in output
    last = re.escape(f"stopped; {whole} of 6 seeds are there in every row; {18 - 3 * whole} trials are left, about ")
    assert re.search(last + r"\d+ \w+\. To go on, type the same command again\n$", output), output
    assert "Traceback" not in output and {status for _, status in mlflow_runs(here)} == {"FINISHED"}
    if executor == "local":
        write(here, epochs=12, seeds=whole)
        assert "nothing to run" in typed(here, *arguments).out


def test_max_hours_leave_whole_seeds_and_the_same_command_goes_on(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the forecast had seen two of four seeds end in time, and all of them the next time."""
    write(here, seeds=4)
    arguments = ("sweep", "small", "--executor", "local", "--max-hours", "5")

    def until(seeds: int) -> Callable[[limit.Pace, Rest], float]:
        return lambda pace, rest: 0.0 if all(t.trial.seed < seeds for t, _ in rest.trials) else 99999.0

    monkeypatch.setattr(limit.Pace, "__call__", until(2))
    some = typed(here, *arguments)
    assert some.code == 0 and len(records(here)) == 6, some
    said = (
        r"--max-hours 5 leave no time for another seed: 2 of 4 seeds are there in every row; 6 trials are left, about "
    )
    assert re.search(said + r"\d+ \w+\. To go on, type the same command again\n", some.out), some.out
    assert "6 of 6 trials ended" in some.out and "Written to reports/small" in some.out
    monkeypatch.setattr(limit.Pace, "__call__", until(4))
    rest = typed(here, *arguments)
    assert rest.code == 0 and len(records(here)) == 12 and "--max-hours" not in rest.out, rest


def test_a_first_seed_that_takes_more_than_max_hours_is_refused(here: Path) -> None:
    assert typed(here, "sweep", "small", "--executor", "local", "--seeds", "1").code == 0
    for path in (here / "runs").glob("small/*/record.json"):
        record = TrialRecord.model_validate_json(path.read_text())
        store.finish(path.parent, record.model_copy(update={"seconds": 3600.0}))
    before = records(here)
    refused = typed(here, "sweep", "small", "--executor", "local", "--max-hours", "2.9")
    assert refused.code == 2 and records(here) == before, refused
    assert "--max-hours 2.9: the first seed that is missing, 3 trials, would take about 3 h" in refused.err
    assert "starting the workers" not in refused.out


@pytest.mark.long
def test_ctrl_c_before_the_first_trial_is_answered_too(here: Path) -> None:
    running = start(here, "sweep", "small")
    assert running.stdout is not None
    assert "starting the workers" in running.stdout.readline()
    os.killpg(running.pid, signal.SIGINT)
    output, _ = running.communicate(timeout=90)
    assert running.returncode == 130 and "type the same command again" in output, output
    assert "Traceback" not in output and records(here) == {}


@pytest.mark.long
def test_two_commands_on_one_store_do_not_meet(here: Path) -> None:
    write(here, epochs=40)
    first = start(here, "sweep", "small", "--executor", "local")
    wait_until(lambda: any((here / "runs").glob("small/*/state.bin")))
    second = typed(here, "sweep", "small", "--executor", "local")
    assert second.code == 2 and "another command is running this sweep here" in second.err
    press_twice(first)


def test_nothing_starts_where_the_report_could_not_be_written(here: Path) -> None:
    (here / "reports").write_text("a file where the folder should be")
    done = typed(here, "sweep", "small")
    assert done.code == 2 and "reports" in done.err and "--to" in done.err
    assert not (here / "mlflow.db").exists() and records(here) == {}


def test_kill_9_loses_an_epoch_at_most(here: Path) -> None:
    write(here, epochs=40, seeds=1)
    running = start(here, "sweep", "small", "--executor", "local")
    wait_until(lambda: "RUNNING" in {status for _, status in mlflow_runs(here)})
    wait_until(lambda: any((here / "runs").glob("small/*/state.bin")))
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate(timeout=60)
    folder = next((here / "runs").glob("small/*/state.bin")).parent
    state = store.load_state(folder)
    assert state is not None, "the checkpoint is whole"
    epochs_kept = len(torch.load(io.BytesIO(state), weights_only=True)["epochs"])
    planned = json.loads(typed(here, "plan", "small", "--json", "--probe", "0").out)
    assert sum(row["counts"]["interrupted"] for row in planned["rows"]) >= 1

    rest = typed(here, "sweep", "small", "--executor", "local")
    assert rest.code == 0, rest
    assert len(records(here)) == 3 and {status for _, status in mlflow_runs(here)} == {"FINISHED"}
    began = json.loads((folder / "record.json").read_text())["started_at"]
    assert began > (folder / "trial.json").stat().st_mtime, "the second sitting made the record"
    assert epochs_kept >= 1
    curve = json.loads((folder / "record.json").read_text())["epochs"]
    assert [e["epoch"] for e in curve] == list(range(1, 41)), "no epoch twice, none left out"


def test_failed_trials_make_exit_code_1_and_a_short_row(here: Path) -> None:
    bad = SMALL.format(epochs=2, seeds=2).replace("margin", DIVERGING)
    (here / "sweeps" / "small.py").write_text(bad)
    done = senet_lab(here, "sweep", "small", "--executor", "local")
    assert done.returncode == 1
    assert "2 failed of 8 trials" in done.stderr and "--rerun failed" in done.stderr
    assert "Diverged" in done.stderr and "Traceback" not in done.stderr
    assert "0/2" in done.stdout
    assert "2 trials failed and do not count; why: senet-lab show" in typed(here, "report", "small").out
    failed = done.stderr.partition("senet-lab show ")[2].split()[0]
    shown = typed(here, "show", failed)
    assert shown.code == 0 and "Traceback (most recent call last)" in shown.out and "Diverged" in shown.out
    assert json.loads(typed(here, "show", failed, "--json").out)["record"]["status"] == "failed"
    assert ("FAILED" in {status for _, status in mlflow_runs(here)}) and len(records(here)) == 8


def test_a_report_of_nothing_is_refused_and_replaces_nothing(here: Path) -> None:
    small = ("--set", "train.epochs=1", "--seeds", "1", "--executor", "local")
    assert typed(here, "sweep", "small", *small).code == 0
    before = {p: p.read_bytes() for p in (here / "reports").rglob("*") if p.is_file()}
    assert "table.md" in {p.name for p in before}
    other = typed(here, "report", "small")
    assert other.code == 2 and "it holds 3 of other settings, seeds or code" in other.err
    assert {p: p.read_bytes() for p in before} == before and len([*(here / "reports").iterdir()]) == 1
    nowhere = typed(here, "report", "small", "--store", "nowhere")
    assert nowhere.code == 2 and "it holds none of this sweep at all" in nowhere.err


def test_mlflow_out_of_reach_stops_nothing(here: Path) -> None:
    uri = "http://user:canary@127.0.0.1:9"
    done = senet_lab(here, "sweep", "small", "--executor", "local", "--seeds", "1", "--tracking-uri", uri)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(records(here)) == 3
    assert "127.0.0.1:9" in done.stdout
    kept = "".join(p.read_text() for p in (here / "runs").rglob("*.json"))
    assert "canary" not in done.stdout + done.stderr + kept
