"""A clock that is set back and forth by hours: no result changes, nothing ends before it began."""

import json
import os
import re
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from benchmarks import kill
from senet_lab import inventory, sweep
from senet_lab.executors.local import Local
from tests.conftest import question
from tests.typed import train, typed

JUMPING = '''
import sys, time

real = time.time
SAID = open("/proc/self/cmdline", "rb").read()


def jumping():
    """Another of four wrong times every quarter of a second; Ray's own driver would take its start for too slow."""
    return real() + 3600 * (3, 5, -7, 2)[int(time.monotonic() * 4) % 4]


if b"default_worker" in SAID or b"--executor\\0local" in SAID:
    time.time = jumping
'''


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("executor", ["local", "ray"])
def test_a_clock_that_jumps_by_hours(tmp_path: Path, executor: str) -> None:
    jumpy, steady = tmp_path / "jumpy", tmp_path / "steady"
    kill.write(jumpy, epochs=6)
    (tmp_path / "sitecustomize.py").write_text(JUMPING)
    path = f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    done = subprocess.run(
        [*kill.COMMAND, *kill.arguments(2, executor)],
        cwd=jumpy,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    train(jumpy / "sweeps" / "small.py", steady / "runs", seeds=2)
    assert kill.results(jumpy) == kill.results(steady)
    for file in jumpy.glob("runs/small/*/record.json"):
        record = json.loads(file.read_text())
        assert 0 < record["train_seconds"] <= record["seconds"] < 300
        assert 0 < record["ended_at"] - record["started_at"] < 300
        assert abs(record["started_at"] - time.time()) < 8 * 3600
        if abs(record["started_at"] - time.time()) > 3600:
            (jumpy / "jumped").touch()
    assert (jumpy / "jumped").exists(), "the clock was set, where it was to be"
    with sqlite3.connect(jumpy / "mlflow.db") as database:
        runs = database.execute("select name, status, end_time - start_time from runs").fetchall()
    assert len(runs) == 7 and {status for _, status, _ in runs} == {"FINISHED"}
    assert all(span >= 0 for _, _, span in runs), runs
    plan = typed(jumpy, "plan", "small", "--seeds", "3").out
    assert re.search(r"2 trials to run: about \d+ s \(.* on 2 slots", plan), plan


def test_what_is_newer_is_told_by_commands_and_not_by_clocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticking, now = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: ticking() + now[0])
    for seeds in (1, 2):
        found = inventory.take(question(seeds=seeds), tmp_path / "runs")
        sweep.run(found, Local(), lambda step: None)
        now[0] -= 5 * 3600.0
    records = inventory.take(question(), tmp_path / "runs").records
    first, second = ([r for r in records if r.trial.seed == seed] for seed in (0, 1))
    assert {r.sitting for r in first} == {1} and {r.sitting for r in second} == {2}
    assert max(r.started_at for r in second) < min(r.started_at for r in first), "the clock was set back"
