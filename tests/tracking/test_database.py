"""MLflow's SQLite file: whole, or not there."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from senet_lab.tracking import database, reachable

pytestmark = pytest.mark.slow
MAKE = "import sys; from senet_lab.tracking import database; database.make(sys.argv[1])"


def tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as found:
        return {name for (name,) in found.execute("select name from sqlite_master")}


@pytest.mark.parametrize("empty", [False, pytest.param(True, marks=pytest.mark.long)])
def test_it_is_made_once(tmp_path: Path, empty: bool) -> None:
    path = tmp_path / "mlflow.db"
    if empty:
        path.touch()
    subprocess.run([sys.executable, "-c", MAKE, f"sqlite:///{path}"], check=True, timeout=120)
    assert {"experiments", "runs", "alembic_version"} <= tables(path) and reachable(f"sqlite:///{path}") is None
    assert [p.name for p in tmp_path.iterdir()] == ["mlflow.db"]
    before = path.read_bytes()
    database.make(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_a_process_killed_while_it_makes_one_leaves_none(tmp_path: Path) -> None:
    path, scratch = tmp_path / "mlflow.db", tmp_path / "scratch"
    scratch.mkdir()
    making = subprocess.Popen(
        [sys.executable, "-c", MAKE, f"sqlite:///{path}"], env=os.environ | {"TMPDIR": str(scratch)}
    )
    until = time.monotonic() + 120
    while not any(p.stat().st_size for p in scratch.glob("*/mlflow.db")):
        assert time.monotonic() < until and making.poll() is None
        time.sleep(0.005)
    making.send_signal(signal.SIGKILL)
    making.wait()
    assert not path.exists()
