"""MLflow's database locked, deleted or replaced in mid-sweep: the sweep goes on, and MLflow catches up."""

import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks import kill
from tests.typed import typed

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("undrawn")]


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep of one seed that is done."""
    folder = tmp_path_factory.mktemp("begun")
    kill.write(folder, epochs=10)
    assert typed(folder, *kill.arguments(1, "local")).code == 0
    return folder


@pytest.fixture(scope="module")
def undisturbed(begun: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with one more seed."""
    folder = tmp_path_factory.mktemp("undisturbed") / "copy"
    shutil.copytree(begun, folder)
    assert typed(folder, *kill.arguments(2, "local")).code == 0
    return folder


@pytest.fixture
def here(begun: Path, tmp_path: Path) -> Path:
    shutil.copytree(begun, tmp_path / "copy")
    return tmp_path / "copy"


def disturbed(folder: Path, harm: Callable[[Path], object]) -> str:
    """What a sweep of one more seed says, when `harm` is done to its MLflow while it trains and MLflow is at work."""
    before = (folder / "mlflow.db").stat().st_mtime_ns
    driver = subprocess.Popen(
        [*kill.COMMAND, *kill.arguments(2, "local")],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    until = time.monotonic() + 120
    while (folder / "mlflow.db").stat().st_mtime_ns == before:
        assert time.monotonic() < until and driver.poll() is None
        time.sleep(0.01)
    harm(folder / "mlflow.db")
    said, _ = driver.communicate(timeout=120)
    assert driver.returncode == 0 and "Traceback" not in said, said
    return " ".join(said.split())


@pytest.mark.long
def test_a_locked_database_is_caught_up_with(here: Path, undisturbed: Path) -> None:
    with closing(sqlite3.connect(here / "mlflow.db", isolation_level=None)) as other:
        clock = time.monotonic()
        said = disturbed(here, lambda _: other.execute("BEGIN EXCLUSIVE"))
        took = time.monotonic() - clock
        assert "does not have" in said and "locked" in said, said
        assert "the same command again brings MLflow up to date" in said
        assert took < 120, f"nobody waits for MLflow: {took} s"
    assert kill.results(here) == kill.results(undisturbed)
    again = typed(here, *kill.arguments(2, "local"))
    assert again.code == 0 and "does not have" not in again.out, again
    assert list(kill.faults(here, undisturbed)) == []


@pytest.mark.long
def test_a_deleted_database_is_made_again(here: Path, undisturbed: Path) -> None:
    said = disturbed(here, Path.unlink)
    assert "does not have" in said and "the same command again brings MLflow up to date" in said, said
    assert kill.results(here) == kill.results(undisturbed)
    assert typed(here, *kill.arguments(2, "local")).code == 0
    assert list(kill.faults(here, undisturbed)) == []


@pytest.mark.long
def test_a_database_replaced_by_rubbish_is_told_of(here: Path, undisturbed: Path) -> None:
    said = disturbed(here, lambda path: path.write_bytes(b"rubbish" * 10_000))
    assert "does not have" in said and "move it away, or choose another with --tracking-uri" in said, said
    assert kill.results(here) == kill.results(undisturbed)
    again = typed(here, *kill.arguments(2, "local"))
    assert again.code == 0 and "Traceback" not in again.out + again.err
    assert "move it away" in again.out, "and that is true of the next command, too"
    (here / "mlflow.db").unlink()  # MLflow remembers databases: in this process it would go on in the one of before
    assert kill.run(here, *kill.arguments(2, "local")).returncode == 0
    assert list(kill.faults(here, undisturbed)) == []
